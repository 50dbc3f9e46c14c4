"""How the sheet looks: one style sheet, in the page itself."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; --line: #d5dbe2; --quiet: #4a5560; --ink: #1b1f24; --blue: #0b57b5;
  --red: #a31621; }
* { box-sizing: border-box; }
body { margin: 0; background: #f6f7f9; color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 8rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; display: flex; gap: .75rem; align-items: baseline; }
p { margin: .35rem 0; }
code { font: .85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.note { border-left: .3rem solid var(--blue); padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
article { background: #fff; border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.1rem 1rem;
  margin: 0 0 .9rem; content-visibility: auto; contain-intrinsic-size: auto 17rem; }
article.kept { border-color: var(--red); box-shadow: inset .3rem 0 0 var(--red); }
.under { font-size: .85rem; font-weight: 400; color: var(--quiet); }
.strip { display: flex; gap: .5rem; overflow-x: auto; padding: .5rem 0; }
figure { margin: 0; flex: none; }
figcaption { font-size: .8rem; color: var(--quiet); text-align: center; font-variant-numeric: tabular-nums; }
.shot { position: relative; background: #11151a; border-radius: .3rem; overflow: hidden; }
.shot img { display: block; height: 7rem; }
.shot svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.shot rect { fill: none; stroke: #ffd23f; stroke-width: 1.5px; vector-effect: non-scaling-stroke;
  stroke-dasharray: 5 4; opacity: .8; }
fieldset { border: 0; margin: .2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
.chip { position: relative; cursor: pointer; }
.chip input { position: absolute; inset: 0; opacity: 0; margin: 0; width: 100%; height: 100%;
  cursor: pointer; }
.chip span { display: block; padding: .3rem .8rem; border: 1px solid var(--line); border-radius: 2rem;
  background: #fff; font-size: .92rem; }
.chip input:hover + span { border-color: var(--ink); }
.chip input:checked + span { background: var(--ink); border-color: var(--ink); color: #fff; }
.chip.danger span { color: var(--red); }
.chip.danger input:checked + span { background: var(--red); border-color: var(--red); color: #fff; }
.row.how-long { flex-basis: 100%; display: none; }
.turns { display: block; width: 100%; height: 1.1rem; background: #eceff3; border-radius: .25rem;
  margin: .5rem 0; }
.turns rect { fill: var(--blue); }
.kept .turns rect { fill: var(--red); }
article.voice { content-visibility: visible; }
fieldset:has(input[value=keep]:checked) .how-long { display: flex; }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin: .6rem 0; }
.slider { flex: 1 1 12rem; display: flex; }
.slider input { width: 100%; accent-color: var(--ink); }
input[type=number], select { font: inherit; padding: .25rem .4rem; border: 1px solid var(--line); width: 7rem;
  border-radius: .35rem; background: #fff; color: inherit; }
select { width: auto; }
button { font: inherit; padding: .3rem .9rem; border: 1px solid var(--line); border-radius: .4rem;
  background: #fff; color: inherit; cursor: pointer; }
button:hover { border-color: var(--ink); }
.stage { position: relative; background: #11151a; border-radius: .4rem; overflow: hidden; max-width: 56rem; }
.stage img { display: block; width: 100%; }
.stage img[hidden] { display: none; }
#canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: crosshair; touch-action: none; }
#canvas rect { vector-effect: non-scaling-stroke; stroke-width: 2px; fill: #0b57b51f; stroke: #fff; }
#canvas .working { stroke: #ffd23f; stroke-dasharray: 6 4; fill: #ffd23f26; }
#canvas .drawn { stroke: #7fb4ff; fill: #0b57b566; }
#canvas .whole { stroke: none; fill: #0b57b566; }
.list { list-style: none; padding: 0; margin: .4rem 0; }
.list li { display: flex; gap: 1rem; align-items: center; padding: .35rem 0;
  border-top: 1px solid var(--line); }
.list li span { flex: 1; font-variant-numeric: tabular-nums; }
.bar { position: fixed; inset: auto 0 0; background: #fff; border-top: 1px solid var(--line);
  box-shadow: 0 -4px 16px #0000000f; }
.bar div { max-width: 66rem; margin: 0 auto; padding: .8rem 1.25rem; display: flex; gap: 1rem;
  align-items: center; }
.bar output { flex: 1; }
.bar .bad { color: var(--red); font-weight: 600; }
#save { background: var(--blue); border-color: var(--blue); color: #fff; font-weight: 600;
  padding: .5rem 1.4rem; }
textarea { width: 100%; height: 9rem; font: .85rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
:focus-visible, .chip input:focus-visible + span { outline: 3px solid #4d9bff; outline-offset: 2px; }
@media print { .bar, #stretches, #drawing, #muting, details { display: none; }
  article { break-inside: avoid; } }
"""
