"""How the page looks: one style sheet, in the page itself, for the screen and for paper."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 4rem; background: #fff; color: #1b1f24;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid #c9d0d8; }
p { margin: .5rem 0; }
.quiet { color: #4a5560; }
.verdict { margin: 1.25rem 0; padding: 1rem 1.25rem; border: 2px solid; border-left-width: .6rem;
  border-radius: .4rem; }
.verdict strong { display: block; font-size: 1.25rem; }
.holds { border-color: #1a6b3c; background: #eff8f2; }
.fails { border-color: #a31621; background: #fdf1f1; }
table { width: 100%; border-collapse: collapse; margin: .6rem 0 1rem; }
caption { text-align: left; color: #4a5560; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
  border-bottom: 1px solid #dfe4ea; }
th { font-weight: 600; }
tbody th { width: 13rem; }
.mark { white-space: nowrap; font-weight: 600; }
.ok { color: #1a6b3c; }
.failed { color: #a31621; }
.unreached { color: #4a5560; }
code { font: .85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; margin: .5rem 0; }
li { margin: .35rem 0; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  tr, li, .verdict { break-inside: avoid; }
  .verdict, .ok, .failed { print-color-adjust: exact; }
}
"""

CONTENT_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
    + "'"
)
"""What a browser may do with the page: apply this one style sheet. It runs nothing and loads nothing."""
