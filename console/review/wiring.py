"""The script's other half: what was chosen, where and when; and the file handed to the person."""

from __future__ import annotations

WIRING = r"""
const byId = (id) => document.getElementById(id);
const sheet = JSON.parse(byId("sheet").textContent);
const chips = [...document.querySelectorAll("input[data-track]")];
const voiceChips = [...document.querySelectorAll("input[data-speaker]")];
const views = [...document.querySelectorAll("img[data-view]")];
const times = views.map((view) => Number(view.getAttribute("data-view")));
const { stretches, drawings, muted } = sheet;
const state = { stretches, drawings, muted, view: 0, box: null, drag: null };

const seconds = (ms) => (ms / 1000).toFixed(3) + " s";
const stretchText = (each) => seconds(each.from_ms) + " to before " + seconds(each.to_ms);

function say(text, isBad) {
  byId("said").textContent = text;
  byId("said").setAttribute("class", isBad ? "bad" : "");
}

// What the two fields of a track say: nothing, a stretch, or nonsense, which must not pass for nothing.
function howLong(track) {
  const field = (end) => document.querySelector("input[data-" + end + '="' + track + '"]');
  const fields = ["from", "to"].map(field);
  const texts = fields.map((each) => (each ? each.value : ""));
  if (texts.every((text) => text === "")) return null;
  const [from_ms, to_ms] = texts.map(asMilliseconds);
  if (from_ms === null || to_ms === null || from_ms >= to_ms) throw new RangeError("times");
  return { from_ms, to_ms };
}

function decided() {
  const choices = chips
    .filter((chip) => chip.checked && chip.value !== "")
    .map((chip) => [Number(chip.getAttribute("data-track")), chip.value])
    .map(([track, choice]) => [track, choice, choice === "keep" ? howLong(track) : null]);
  const voices = voiceChips
    .filter((chip) => chip.checked && chip.value !== "")
    .map((chip) => [Number(chip.getAttribute("data-speaker")), chip.value]);
  return asDecisions(sheet.record_sha256, choices, state.stretches, state.drawings, voices, state.muted);
}

const BAD_TIMES = "The times do not fit: both are needed, the first before the second.";

function changed() {
  let found;
  try {
    found = decided();
  } catch {
    byId("json").value = "";
    say(BAD_TIMES, true);
    return;
  }
  const kept = found.decisions.filter((each) => each.do === "keep").length;
  const heard = found.decisions.filter((each) => "speaker" in each && each.effect === "keep").length;
  const count = found.decisions.length;
  say(
    (count === 0 ? "Nothing is decided" : count === 1 ? "1 decision" : count + " decisions") +
      (kept ? ", " + kept + " of them to keep somebody or something visible" : "") +
      (heard ? ", " + heard + " of them to let a voice be heard" : "") + "."
  );
  byId("json").value = JSON.stringify(found, null, 1);
}

function stretchOf(prefix) {
  const [from_ms, to_ms] = ["-from", "-to"].map((end) => asMilliseconds(byId(prefix + end).value));
  if (from_ms === null || to_ms === null || from_ms >= to_ms) {
    say(BAD_TIMES, true);
    return null;
  }
  return { from_ms, to_ms };
}

function listed(id, items, text, remove) {
  const rows = items.map((item, place) => {
    const [row, label, button] = ["li", "span", "button"].map((name) => document.createElement(name));
    label.textContent = text(item, place);
    button.textContent = "Remove";
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", "Remove " + label.textContent);
    button.addEventListener("click", () => remove(place));
    row.append(label, button);
    return row;
  });
  byId(id).replaceChildren(...rows);
}

const SVG = "http://www.w3.org/2000/svg";

function rectangle(kind, [left, top, right, bottom]) {
  const made = document.createElementNS(SVG, "rect");
  const edges = { class: kind, x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries(edges)) made.setAttribute(name, value);
  return made;
}

function showStretches() {
  if (byId("stretch-list")) {
    listed("stretch-list", state.stretches, stretchText, (place) => {
      state.stretches.splice(place, 1);
      refresh();
    });
  }
}

function showDrawings() {
  if (!byId("canvas")) return;
  const at = times[state.view];
  views.forEach((view, place) => { view.hidden = place !== state.view; });
  byId("view-at").value = String(state.view);
  byId("view-time").textContent = seconds(at);
  const holds = (each) => each.from_ms <= at && at < each.to_ms;
  const shapes = state.drawings.filter(holds).map((each) => rectangle("drawn", boxAt(each.keys, at)));
  if (state.stretches.some(holds)) shapes.push(rectangle("whole", [0, 0, WHOLE, WHOLE]));
  if (state.box) shapes.push(rectangle("working", state.box));
  byId("canvas").replaceChildren(...shapes);
  const places = (keys) => (keys.length > 1 ? ", " + keys.length + " places" : "");
  const name = (each, place) => "Box " + (place + 1) + ": " + stretchText(each) + places(each.keys);
  listed("draw-list", state.drawings, name, (place) => {
    state.drawings.splice(place, 1);
    refresh();
  });
  const into = byId("draw-into");
  const chosen = into.value;
  const options = state.drawings.map((_, place) => [String(place), "box " + (place + 1)]);
  into.replaceChildren(...[["", "a new box"], ...options].map(([value, text]) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = text;
    return option;
  }));
  into.value = Number(chosen) < state.drawings.length ? chosen : "";
}

function showMuted() {
  if (byId("mute-list")) {
    const text = (each) => stretchText(each) + (each.effect === "bleep" ? ": a bleep" : ": silence");
    listed("mute-list", state.muted, text, (place) => {
      state.muted.splice(place, 1);
      refresh();
    });
  }
}

function refresh() {
  showStretches();
  showMuted();
  showDrawings();
  changed();
}

function wireStretches() {
  byId("stretch-add").addEventListener("click", () => {
    const stretch = stretchOf("stretch");
    if (stretch === null) return;
    state.stretches.push(stretch);
    refresh();
  });
}

function wireMuting() {
  byId("mute-add").addEventListener("click", () => {
    const stretch = stretchOf("mute");
    if (stretch === null) return;
    state.muted.push({ ...stretch, effect: byId("mute-with").value });
    refresh();
  });
}

function wireDrawing() {
  const canvas = byId("canvas");
  const edges = ["left", "top", "right", "bottom"].map((edge) => byId("edge-" + edge));

  const readEdges = () => {
    state.box = asBox(...edges.map((edge) => Number(edge.value) * (WHOLE / 100)));
    showDrawings();
  };
  const take = (box) => {
    if (box === null) return;
    state.box = box;
    edges.forEach((edge, place) => { edge.value = String(box[place] / (WHOLE / 100)); });
    showDrawings();
  };
  const place = (event) => {
    const area = canvas.getBoundingClientRect();
    const [across, down] = [event.clientX - area.left, event.clientY - area.top];
    return [(across / area.width) * WHOLE, (down / area.height) * WHOLE];
  };
  const go = (view) => {
    state.view = Math.min(views.length - 1, Math.max(0, view));
    showDrawings();
  };
  const add = () => {
    const stretch = stretchOf("draw");
    if (stretch === null) return;
    if (state.box === null) {
      say("The box has no inside.", true);
      return;
    }
    const key = { at_ms: times[state.view], box: state.box };
    const into = byId("draw-into").value;
    if (into === "") {
      state.drawings.push({ ...stretch, keys: [key] });
      byId("draw-into").value = "";
    } else {
      const drawing = state.drawings[Number(into)];
      drawing.keys = withKey(drawing.keys, key);
      Object.assign(drawing, stretch);
    }
    refresh();
  };

  edges.forEach((edge) => edge.addEventListener("input", readEdges));
  byId("view-at").addEventListener("input", (event) => go(Number(event.target.value)));
  byId("view-back").addEventListener("click", () => go(state.view - 1));
  byId("view-on").addEventListener("click", () => go(state.view + 1));
  byId("draw-add").addEventListener("click", add);
  byId("draw-into").addEventListener("change", (event) => {
    const drawing = state.drawings[Number(event.target.value)];
    if (event.target.value === "" || !drawing) return;
    byId("draw-from").value = (drawing.from_ms / 1000).toFixed(3);
    byId("draw-to").value = (drawing.to_ms / 1000).toFixed(3);
    take(asBox(...boxAt(drawing.keys, times[state.view])));
  });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    state.drag = place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (state.drag !== null) take(asBox(...state.drag, ...place(event)));
  });
  canvas.addEventListener("pointerup", () => { state.drag = null; });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-100, 0], ArrowRight: [100, 0], ArrowUp: [0, -100], ArrowDown: [0, 100] };
    if (event.key === "Enter") {
      event.preventDefault();
      add();
    } else if (event.key in steps && state.box !== null) {
      event.preventDefault();
      const [x, y] = steps[event.key];
      const [left, top, right, bottom] = state.box;
      const isInside = left + x >= 0 && right + x <= WHOLE && top + y >= 0 && bottom + y <= WHOLE;
      const [wider, taller] = [Math.max(left + 1, right + x), Math.max(top + 1, bottom + y)];
      if (event.shiftKey) take(asBox(left, top, wider, taller));
      else if (isInside) take([left + x, top + y, right + x, bottom + y]);
    }
  });
  readEdges();
}

function save() {
  changed();
  if (byId("json").value === "") return;
  const file = new Blob([JSON.stringify(decided(), null, 1) + "\n"], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "decisions.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say("Saved as decisions.json. Nothing has left this computer; bauta review --decide carries it out.");
}

[...chips, ...voiceChips].forEach((chip) => chip.addEventListener("change", changed));
document.querySelectorAll(".how-long input").forEach((field) => field.addEventListener("input", changed));
byId("save").addEventListener("click", save);
if (byId("stretches")) wireStretches();
if (byId("muting")) wireMuting();
if (byId("canvas")) wireDrawing();
refresh();
"""
