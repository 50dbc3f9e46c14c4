// Runs a page's own script in Node, on a document just large enough for it, and does what a person would.
//
// stdin: {"page": "<html>", "actions": [["check", selector], ["set", selector, value], ["click", selector],
//         ["press", selector, key, shift], ["drag", selector, [x, y], [x, y]]]}; places are shares of the element.
// stdout: {"json": text, "said": text, "bad": bool, "saved": [{"name", "text"}], "rows": {...}, "shapes": [...]}

import vm from "node:vm";

const VOID = new Set(["img", "input", "meta"]);
const RAW = new Set(["script", "style"]);
const decode = (text) =>
  text.replace(/&(lt|gt|quot|amp|#x27);/g, (_, name) => ({ lt: "<", gt: ">", quot: '"', amp: "&", "#x27": "'" })[name]);

class Node_ {
  constructor(tag) {
    this.tag = tag;
    this.attributes = {};
    this.children = [];
    this.listeners = {};
    this.own = "";
    this.parent = null;
  }
  getAttribute(name) { return name in this.attributes ? this.attributes[name] : null; }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "value") this.value_ = String(value);
    if (name === "checked") this.checked = true;
    if (name === "hidden") this.hidden = true;
  }
  get textContent() { return this.own + this.children.map((child) => child.textContent).join(""); }
  set textContent(text) { this.children = []; this.own = String(text); }
  get value() {
    if (this.tag === "select") return (this.chosen ?? this.children[0])?.value ?? "";
    if (this.tag === "textarea") return this.value_ ?? "";
    return this.value_ ?? "";
  }
  set value(text) {
    if (this.tag === "select") this.chosen = this.children.find((option) => option.value === String(text)) ?? null;
    this.value_ = String(text);
  }
  append(...nodes) { for (const node of nodes) { node.parent = this; this.children.push(node); } }
  replaceChildren(...nodes) { this.children = []; this.chosen = null; this.append(...nodes); }
  addEventListener(name, listener) { (this.listeners[name] ??= []).push(listener); }
  fire(name, event = {}) {
    const told = { target: this, preventDefault() {}, pointerId: 1, ...event };
    for (const listener of this.listeners[name] ?? []) listener(told);
  }
  click() {
    if (this.tag === "a") saved.push({ name: this.download, blob: this.href });
    this.fire("click");
  }
  getBoundingClientRect() { return { left: 100, top: 50, width: 800, height: 400 }; }
  setPointerCapture() {}
  *all() { for (const child of this.children) { yield child; yield* child.all(); } }
  matches(part) {
    const [, tag, rest] = /^([a-z0-9]*)(.*)$/.exec(part);
    if (tag && this.tag !== tag) return false;
    for (const [one] of rest.matchAll(/#[\w-]+|\.[\w-]+|\[[^\]]+\]/g)) {
      if (one[0] === "#" && this.attributes.id !== one.slice(1)) return false;
      if (one[0] === "." && !(this.attributes.class ?? "").split(" ").includes(one.slice(1))) return false;
      if (one[0] === "[") {
        const [name, value] = one.slice(1, -1).split("=");
        if (!(name in this.attributes)) return false;
        if (value !== undefined && this.attributes[name] !== value.replaceAll('"', "")) return false;
      }
    }
    return true;
  }
  querySelectorAll(selector) {
    const parts = selector.split(" ");
    return [...this.all()].filter((node) => {
      if (!node.matches(parts.at(-1))) return false;
      let above = node.parent;
      for (const part of parts.slice(0, -1).reverse()) {
        while (above && !above.matches(part)) above = above.parent;
        if (!above) return false;
        above = above.parent;
      }
      return true;
    });
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }
}

function parse(html) {
  const root = new Node_("document");
  let at = root;
  const pieces = /<!DOCTYPE html>|<\/([a-z0-9]+)>|<([a-zA-Z0-9]+)((?:\s+[\w-]+(?:="[^"]*")?)*)>|([^<]+)/g;
  let found;
  while ((found = pieces.exec(html)) !== null) {
    const [, closed, opened, attributes, text] = found;
    if (closed) at = at.parent;
    else if (opened) {
      const node = new Node_(opened.toLowerCase());
      for (const [, name, value] of attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)) {
        node.setAttribute(name, decode(value ?? ""));
      }
      at.append(node);
      if (RAW.has(node.tag)) {
        const end = html.indexOf(`</${node.tag}>`, pieces.lastIndex);
        node.own = html.slice(pieces.lastIndex, end);
        pieces.lastIndex = end + node.tag.length + 3;
      } else if (!VOID.has(node.tag)) at = node;
    } else if (text) {
      const node = new Node_("#text");
      node.own = decode(text);
      at.append(node);
    }
  }
  if (at !== root) throw new Error("the page does not close what it opens");
  return root;
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { page, actions } = JSON.parse(Buffer.concat(chunks).toString());
const root = parse(page);
const saved = [];
const blobs = [];
const document = {
  getElementById: (id) => root.querySelector(`#${id}`),
  querySelector: (selector) => root.querySelector(selector),
  querySelectorAll: (selector) => root.querySelectorAll(selector),
  createElement: (tag) => new Node_(tag),
  createElementNS: (_space, tag) => new Node_(tag),
};
const URL_ = { createObjectURL: (blob) => String(blobs.push(blob) - 1), revokeObjectURL() {} };
const script = root.querySelectorAll("script").filter((node) => node.getAttribute("type") === null);
if (script.length !== 1) throw new Error("the page has one script");
vm.runInNewContext(script[0].own, { document, URL: URL_, Blob, setTimeout() {} });

function one(selector) {
  const found = root.querySelectorAll(selector);
  if (found.length !== 1) throw new Error(`${found.length} elements match ${selector}`);
  return found[0];
}

const place = ([x, y]) => ({ clientX: 100 + 800 * x, clientY: 50 + 400 * y });
for (const [what, selector, ...more] of actions) {
  const node = one(selector);
  if (what === "check") {
    for (const other of root.querySelectorAll("input")) {
      if (other.getAttribute("name") === node.getAttribute("name")) other.checked = false;
    }
    node.checked = true;
    node.fire("change");
  } else if (what === "set") {
    node.value = more[0];
    node.fire(node.tag === "select" ? "change" : "input");
  } else if (what === "click") node.click();
  else if (what === "press") node.fire("keydown", { key: more[0], shiftKey: Boolean(more[1]) });
  else if (what === "drag") {
    node.fire("pointerdown", place(more[0]));
    node.fire("pointermove", place(more[1]));
    node.fire("pointerup", place(more[1]));
  } else throw new Error(`no such action: ${what}`);
}

const texts = (id) => (document.getElementById(id)?.children ?? []).map((row) => row.children[0].textContent);
const files = await Promise.all(saved.map(async ({ name, blob }) => ({ name, text: await blobs[Number(blob)].text() })));
console.log(JSON.stringify({
  json: one("#json").value,
  said: one("#said").textContent,
  bad: one("#said").getAttribute("class") === "bad",
  saved: files,
  stretches: texts("stretch-list"),
  boxes: texts("draw-list"),
  shapes: (document.getElementById("canvas")?.children ?? []).map((shape) => shape.getAttribute("class")),
}));
