"""The page: everything is escaped, nothing is loaded, and it is the owner's alone."""

from __future__ import annotations

import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from evaluation.report.curves import Axis, Line, plot
from evaluation.report.markup import bullets, element, figure, section, table
from evaluation.report.page import render, save
from evaluation.report.strips import MOST, SIDE, strip

HOSTILE = '<script>alert("x")</script>&\x1b\u202e'


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.values: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.values += [value or "" for _, value in attrs]


def test_no_text_becomes_markup() -> None:
    line = Line(HOSTILE, np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.zeros(2), np.ones(2))
    page = render(
        [
            HOSTILE,
            section(HOSTILE, table(HOSTILE, [HOSTILE], [[HOSTILE, HOSTILE]]), bullets([HOSTILE])),
            element("p", HOSTILE, class_=HOSTILE),
            figure(HOSTILE, plot([line], Axis(HOSTILE), Axis(HOSTILE))),
            strip(HOSTILE, [np.zeros((20, 20, 3), np.uint8)]),
        ]
    )
    assert "script" not in Tags(page).names
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_nothing_is_loaded_from_anywhere() -> None:
    page = render([strip("Person 1", [np.full((30, 40, 3), shade, np.uint8) for shade in range(40)])])
    loaded = [value for value in Tags(page).values if re.match(r"(?i)(https?:|//|file:)", value)]
    assert loaded == []
    assert "default-src 'none'" in " ".join(Tags(page).values)
    assert f'width="{MOST * SIDE * 40 // 30}"' in page, "many pictures become a row of twelve"


def test_a_curve_stays_within_its_frame() -> None:
    beyond = Line("beyond", np.array([-5.0, 0.5, 9.0]), np.array([-1.0, 0.5, 3.0]))
    drawn = plot([beyond], Axis("across"), Axis("up", percent=True)).source
    (points,) = re.findall(r'<polyline points="([^"]+)"', drawn)
    values = np.array([[float(number) for number in pair.split(",")] for pair in points.split()])
    assert values.min() >= 0
    assert (values[:, 0].max(), values[:, 1].max()) <= (560, 320)
    assert "100 %" in drawn


def test_the_page_appears_whole_and_for_its_owner(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    save(target, render(["fine"]))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text().endswith("</html>\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
