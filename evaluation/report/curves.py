"""Curves with their bands, as SVG inside the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.report.markup import Markup, element

Values = npt.NDArray[np.float64]

WIDTH: Final = 560
HEIGHT: Final = 320
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 46
TICKS: Final = 5
# Told apart without colours too: each line has a pattern of its own (Okabe and Ito's palette).
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
PATTERNS: Final = ("none", "7 3", "2 3", "9 3 2 3", "4 4", "12 4", "1 2")


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        name: what it is, for the key.
        across, up: its points, (points,) each, finite.
        low, high: the band around it; None for none.
    """

    name: str
    across: Values
    up: Values
    low: Values | None = None
    high: Values | None = None


@dataclass(frozen=True)
class Axis:
    """One side of a plot.

    Attributes:
        title: what is counted, with its unit.
        least, most: where it begins and ends; most is more than least.
        percent: whether its shares are written as such.
    """

    title: str
    least: float = 0.0
    most: float = 1.0
    percent: bool = False

    def share(self, values: Values) -> Values:
        """Returns how far along the axis values lie, 0 to 1; what is beyond lies at its end."""
        return np.asarray(np.clip((values - self.least) / (self.most - self.least), 0.0, 1.0))

    def ticks(self) -> list[tuple[float, str]]:
        """Returns where along the axis something is written, and what."""
        values = np.linspace(self.least, self.most, TICKS)
        return [
            (step / (TICKS - 1), f"{100 * value:.0f} %" if self.percent else f"{value:.3g}")
            for step, value in enumerate(values)
        ]


def plot(lines: Sequence[Line], across: Axis, up: Axis) -> Markup:
    """Returns a plot of curves with a key below it."""
    shapes = [*_frame(across, up)]
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        if line.low is not None and line.high is not None:
            there_and_back = np.concatenate([line.across, line.across[::-1]])
            edges = np.concatenate([line.low, line.high[::-1]])
            points = _points(across.share(there_and_back), up.share(edges))
            shapes.append(element("polygon", points=points, fill=colour, fill_opacity="0.12"))
        shapes.append(
            element(
                "polyline",
                points=_points(across.share(line.across), up.share(line.up)),
                fill="none",
                stroke=colour,
                stroke_width="2",
                stroke_dasharray=PATTERNS[number % len(PATTERNS)],
            )
        )
    for number, line in enumerate(lines):
        at = HEIGHT + 16.0 + 18 * number
        shapes.append(
            element(
                "line", x1=float(LEFT), x2=LEFT + 34.0, y1=at, y2=at, stroke=COLOURS[number % len(COLOURS)],
                stroke_width="2", stroke_dasharray=PATTERNS[number % len(PATTERNS)],
            )
        )  # fmt: skip
        shapes.append(element("text", line.name, x=LEFT + 42.0, y=at + 4))
    height = HEIGHT + 18 * len(lines) + 12
    return element(
        "svg",
        *shapes,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=f"{up.title} by {across.title}",
    )


def _frame(across: Axis, up: Axis) -> list[Markup]:
    """The axes, their ticks and titles."""
    right, bottom = float(WIDTH - RIGHT), float(HEIGHT - BOTTOM)
    drawn = []
    for share, label in across.ticks():
        x = LEFT + share * (right - LEFT)
        drawn.append(element("line", x1=x, x2=x, y1=float(TOP), y2=bottom, class_="grid"))
        drawn.append(element("text", label, x=x, y=bottom + 16, text_anchor="middle"))
    for share, label in up.ticks():
        y = bottom - share * (bottom - TOP)
        drawn.append(element("line", x1=float(LEFT), x2=right, y1=y, y2=y, class_="grid"))
        drawn.append(element("text", label, x=LEFT - 6.0, y=y + 4, text_anchor="end"))
    middle = (LEFT + right) / 2
    drawn.append(element("text", across.title, x=middle, y=HEIGHT - 8.0, text_anchor="middle"))
    turned = f"translate(12 {(TOP + bottom) / 2:g}) rotate(-90)"
    drawn.append(element("text", up.title, transform=turned, text_anchor="middle"))
    return drawn


def _points(across: Values, up: Values) -> str:
    xs = LEFT + across * (WIDTH - RIGHT - LEFT)
    ys = HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
