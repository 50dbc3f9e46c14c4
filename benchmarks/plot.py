"""Bars as SVG, written by hand: four shapes need no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

BAR, GAP, PANEL_GAP, LABELS, LENGTH, TOP = 16, 5, 46, 170, 260, 30
COLOURS = {"recall": "#2f6f9f", "frames_open": "#c0542f", "false_area": "#8a8a8a"}
HEADINGS = {"recall": "faces covered", "frames_open": "frames with an open face", "false_area": "false area"}


def coverage(reports: Sequence[Mapping[str, Any]]) -> str:
    """Returns a picture of one panel a clip and one bar a method, for each of three shares."""
    parts: list[str] = []
    top = TOP
    for report in reports:
        methods = report["methods"]
        parts.append(_text(10, top, str(report["clip"]), bold=True))
        for column, measure in enumerate(COLOURS):
            left = LABELS + column * (LENGTH + 90)
            parts.append(_text(left, top, HEADINGS[measure]))
            for row, (name, figures) in enumerate(methods.items()):
                y = top + 10 + row * (BAR + GAP)
                if column == 0:
                    parts.append(_text(10, y + BAR - 4, name))
                parts += _bar(left, y, float(figures[measure]), COLOURS[measure])
        top += 10 + len(methods) * (BAR + GAP) + PANEL_GAP
    width = LABELS + 3 * (LENGTH + 90)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" viewBox="0 0 {width} {top}">'
    )
    back = f'<rect width="{width}" height="{top}" fill="white"/>'
    return "\n".join([head, back, *parts, "</svg>", ""])


def _bar(left: int, top: int, share: float, colour: str) -> list[str]:
    length = max(0.0, min(1.0, share)) * LENGTH
    return [
        f'<rect x="{left}" y="{top}" width="{LENGTH}" height="{BAR}" fill="#eeeeee"/>',
        f'<rect x="{left}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
        _text(left + LENGTH + 6, top + BAR - 4, f"{share:.1%}"),
    ]


def _text(x: float, y: float, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="12"{weight}>{escape(words)}</text>'
