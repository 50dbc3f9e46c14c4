"""How the page looks, and what a browser may do with it: nothing but show it."""

from __future__ import annotations

from typing import Final

CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)

STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f6f3; color: #1c1e22; font: 16px/1.5 Georgia, 'Times New Roman', serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #d6d6cf; }
p, li { max-width: 44rem; }
.quiet { color: #62656b; }
.verdict { border-left: 6px solid #8a8d92; background: #fff; padding: 0.8rem 1.1rem; }
.verdict.weak { border-color: #b3261e; }
.verdict.strong { border-color: #1b7f4d; }
table { border-collapse: collapse; width: 100%; background: #fff; font-size: 0.92rem; }
caption { text-align: left; color: #62656b; padding: 0.4rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem; border-top: 1px solid #e4e4de; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; background: #fff; padding: 0.8rem; }
figcaption { color: #62656b; font-size: 0.92rem; }
svg { width: 100%; height: auto; max-width: 44rem; font: 12px sans-serif; }
svg .grid { stroke: #e4e4de; stroke-width: 1; }
.strip { display: flex; align-items: center; gap: 0.8rem; margin: 0.3rem 0; }
.strip span { flex: 0 0 9rem; font-size: 0.92rem; }
.strip img { max-width: 100%; height: auto; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""
