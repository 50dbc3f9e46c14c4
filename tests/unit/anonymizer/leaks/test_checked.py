"""Frames that nobody looked at are counted: by named tables, and from what finders were really shown."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.boxes import no_boxes
from anonymizer.detect.finders import Finder, Sought
from anonymizer.leaks.checked import Cadence, Checked, Recorded, Shown, cadence_of
from anonymizer.modes import MODES
from anonymizer.review.recording import Recorder
from anonymizer.settings import FaceSettings, Kind, Settings, TextSettings
from tests.unit.anonymizer.test_video_looks import colours, picture_of

FOUR = Cadence(4, 0.16, 0.0)
READS = Cadence(10, 0.4, 1.0)

# A character a frame at 25 frames a second: L looked at, . not, | a cut, x let pass unseen.
PASSAGES: dict[str, tuple[str, Cadence, int]] = {
    "every frame": ("LLLLLL", FOUR, 0),
    "one of four": ("L...L...L", FOUR, 0),
    "one too many between": ("L....L", FOUR, 1),
    "none behind the last": ("L...L..", FOUR, 2),
    "none before the first": ("..L...L", FOUR, 2),
    "none at all": ("......", FOUR, 6),
    "cut between two looks": ("L..|.L", FOUR, 3),
    "looks on both sides of a cut": ("L..L|L..L", FOUR, 0),
    "let pass, though looked at": ("LLxLL", FOUR, 1),
    "let pass between looks": ("L.x.L", FOUR, 1),
    "never again": ("L" + "." * 40, FOUR, 40),
    "a still page, read once a second": ("L" + "." * 24 + "L", READS, 0),
    "a still page, read too late": ("L" + "." * 30 + "L", READS, 5),
}


@pytest.mark.parametrize("passage", PASSAGES)
def test_what_nobody_looked_at_is_counted(passage: str) -> None:
    frames, cadence, unchecked = PASSAGES[passage]
    checked, shot, index = Checked([cadence]), 0, 0
    for frame in frames:
        if frame == "|":
            shot += 1
            continue
        checked.left(index, index / 25, None if frame == "x" else shot, [frame in "Lx"])
        index += 1
    checked.finish()
    assert checked.frames_unchecked == unchecked


def test_each_finder_must_have_looked_and_a_frame_counts_once() -> None:
    checked = Checked([FOUR, READS])
    for index in range(13):
        checked.left(index, index / 25, 0, [index % 4 == 0, False])
    checked.finish()
    assert checked.frames_unchecked == 13


@pytest.mark.parametrize("mode", MODES)
def test_the_cadence_is_that_of_the_mode(mode) -> None:
    settings = Settings(mode=mode, text=TextSettings())
    faces, text, people = (cadence_of(settings, kinds) for kinds in (["face"], ["text", "plate"], ["person"]))
    stride = MODES[mode].stride
    assert people.frames == stride
    assert faces.frames == (stride if stride == 1 else 2 * stride)
    assert (text.frames, text.still_seconds) == (MODES[mode].text_stride, 1.0)


def test_variable_rates_count_by_time() -> None:
    assert FOUR.allows(2, 0.12)
    assert not FOUR.allows(1, 0.2)
    assert not FOUR.allows(4, 0.001)


def finder(shows_itself_pixels: bool, scores: tuple[float, ...] = ()) -> Finder:
    def look(width, height, copy_at):
        if shows_itself_pixels:
            copy_at(64, 36)
        kind: Kind = "face"
        return {kind: np.array([[0, 0, 9, 9, score] for score in scores], np.float32).reshape(-1, 5)}

    return Finder((Sought("face", FaceSettings()),), look, next_looks=(look,))


def test_a_look_counts_for_the_frame_whose_pixels_were_seen() -> None:
    shown = Shown([finder(True, (0.9, 0.3)), finder(True), finder(False)])
    early, late = (picture_of(colours(320, 180), index) for index in (0, 3))
    for each in shown.watched:
        each.look(320, 180, lambda w, h: shown.copies.of(late, w, h))
    assert list(shown.at(0, early.time)) == [None, None, None]
    assert list(shown.at(3, late.time)) == [pytest.approx(0.3), 1.0, None]
    assert list(shown.at(3, late.time)) == [None, None, None], "a look is told once"


def test_every_look_of_a_finder_is_watched() -> None:
    shown = Shown([finder(True)])
    picture = picture_of(colours(320, 180), 7)
    shown.watched[0].next_looks[0](320, 180, lambda w, h: shown.copies.of(picture, w, h))
    assert list(shown.at(7, picture.time)) == [1.0]


def test_of_a_replay_the_record_says_who_looked() -> None:
    finders = [finder(True), finder(True)]
    recorder = Recorder(finders)
    for search, frames in enumerate(((0, 4, 8), (0, 8))):
        for frame in frames:
            recorder.now = frame
            recorder.look(search, frame, {"face": no_boxes()})
    looks = Recorded(recorder.finish(64, 36, 9, [(0,), (0,)]))
    seen = [[score is not None for score in looks.at(index, index / 25)] for index in range(9)]
    assert [index for index in range(9) if seen[index][0]] == [0, 4, 8]
    assert [index for index in range(9) if seen[index][1]] == [0, 8]
