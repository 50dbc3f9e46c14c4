"""A way of working that quietly fails is caught by the attack on its own result, and held.

Each sabotage changes what the worker does, and nothing else in the job notices: covers too small, frames
without a cover, frames that nobody looked at, a file that tells of itself. Honest jobs are not held.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    Leaks,
    LeakSettings,
    Limits,
    Models,
    Report,
    Review,
    Settings,
    anonymize,
    still,
)
from anonymizer.boxes import Box, no_boxes
from anonymizer.detect.looking import Looker
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Region
from anonymizer.keeping import Samples
from anonymizer.modes import MODES
from anonymizer.review import deciding
from anonymizer.review.decisions import Decisions, Drawn, Key, Span, TrackDecision
from anonymizer.track.tracker import Tracker
from anonymizer.video.covering import Coverer
from anonymizer.video.following import Waiting
from anonymizer.video.picture import Picture
from anonymizer.video.searching import Search
from anonymizer.video.writing import Mp4Writer
from evaluation.installed import installed_models
from tests.media_factory import face_clip, face_frames, face_image

Patch = pytest.MonkeyPatch
Sabotage = Callable[[Patch], None]

FRAMES = 14


@pytest.fixture(scope="module")
def models() -> Models:
    return installed_models()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A face that is always there."""
    frames = face_frames(1, FRAMES, (320, 180), still=True)
    path = tmp_path_factory.mktemp("sabotage") / "in.mp4"
    return face_clip(path, fps=FRAMES, frames=frames).read_bytes()


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_image(tmp_path_factory.mktemp("sabotage") / "in.png", (256, 256)).read_bytes()


def run(
    source: bytes, settings: Settings, models: Models, review: Review | None = None
) -> tuple[bytes, Report]:
    sink = io.BytesIO()
    try:
        report = anonymize(
            io.BytesIO(source), sink, settings=settings, models=models, limits=Limits(), review=review
        )
    except AnonymizerError:
        assert sink.getvalue() == b"", "of what is held back nothing may be left"
        raise
    return sink.getvalue(), report


def leaks_of(report: Report) -> Leaks:
    assert report.leaks is not None
    return report.leaks


def covers_too_small(patch: Patch) -> None:
    region_of = deciding.region_of

    def smaller(box: Box, scale: float, *others: Any) -> Region | None:
        # What a person draws has a scale of 1.
        return region_of(box, 0.3 if scale > 1 else scale, *others)

    patch.setattr(deciding, "region_of", smaller)


def misses_every_fifth(patch: Patch) -> None:
    """What is not seen in a frame is not covered there either: nothing lingers, nothing is looked ahead."""
    covers = Tracker.covers

    def forgetful(self: Tracker, index: int, time: float) -> list[tuple[int, Box]]:
        found = covers(self, index, time)
        return [] if index % 5 == 4 else found

    patch.setattr(Tracker, "covers", forgetful)


def lets_frames_pass(patch: Patch) -> None:
    cover = Coverer._cover

    def lets_pass(self: Coverer, ready: Waiting) -> Picture:
        return ready.picture if ready.index == 6 else cover(self, ready)

    patch.setattr(Coverer, "_cover", lets_pass)


def looks_seldom(patch: Patch) -> None:
    patch.setattr(Search, "is_due", lambda self, newest: newest.index == 0)
    patch.setattr(Search, "_looks_between", lambda self, *looks: [])


def looks_at_nothing(patch: Patch) -> None:
    """It answers, and was never shown a pixel."""
    patch.setattr(Looker, "look", lambda self, width, height, copy_at: no_boxes())


def keeps_a_title(patch: Patch) -> None:
    start = Mp4Writer._set_up_video

    def set_up(self: Mp4Writer, *arguments: Any) -> None:
        self._container.metadata["title"] = "somebody's living room"
        start(self, *arguments)

    patch.setattr(Mp4Writer, "_set_up_video", set_up)


SABOTAGE: dict[str, tuple[Sabotage, str]] = {
    "covers of three tenths": (covers_too_small, "result_shows_faces"),
    "a detector that misses every fifth frame": (misses_every_fifth, "result_shows_faces"),
    "a frame is let pass unseen": (lets_frames_pass, "result_unchecked"),
    "looks far too seldom": (looks_seldom, "result_unchecked"),
    "a detector that looks at nothing": (looks_at_nothing, "result_unchecked"),
    "a title is kept": (keeps_a_title, "result_tells_metadata"),
}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_a_video_is_held(clip: bytes, models: Models, monkeypatch: Patch, sabotage: str) -> None:
    spoil, code = SABOTAGE[sabotage]
    spoil(monkeypatch)
    with pytest.raises(AnonymizerError) as caught:
        run(clip, Settings(mode="quality"), models)
    assert caught.value.code == code


def test_a_still_is_held(picture: bytes, models: Models, monkeypatch: Patch) -> None:
    with monkeypatch.context() as patch:
        covers_too_small(patch)
        with pytest.raises(AnonymizerError) as caught:
            run(picture, Settings(), models)
        assert caught.value.code == "result_shows_faces"
    with monkeypatch.context() as patch:
        looks_at_nothing(patch)
        with pytest.raises(AnonymizerError) as caught:
            run(picture, Settings(), models)
        assert caught.value.code == "result_unchecked"
    encode = still._encode
    monkeypatch.setattr(still, "_encode", lambda *a, **k: encode(*a, **k) + b"camera 4711")
    with pytest.raises(AnonymizerError) as caught:
        run(picture, Settings(), models)
    assert caught.value.code == "result_tells_metadata"


def test_what_fails_once_is_covered_again_and_delivered_and_its_record_can_be_replayed(
    clip: bytes, models: Models, monkeypatch: Patch
) -> None:
    region_of = deciding.region_of

    def once(box: Box, scale: float, *others: Any) -> Region | None:
        return region_of(box, 0.3 if scale <= 1.3 else scale, *others)

    monkeypatch.setattr(deciding, "region_of", once)
    settings, first = Settings(mode="fast", faces=FaceSettings(scale=1.3)), Review()
    for review in (first, None):
        # What was searched more sensitively is told again by a job of the policy's own settings.
        _, report = run(clip, settings, models, review or Review(first.record))
        assert (leaks_of(report).rounds, leaks_of(report).faces_open) == (2, 0)
        assert leaks_of(report).frames_unchecked == 0
        assert report.stage_seconds["attack"] > 0


def test_who_keeps_what_is_covered_hears_that_a_second_round_begins(
    clip: bytes, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a package would hold the regions of covers that were never delivered."""
    heard: list[str] = []

    class Ears:
        def again(self) -> None:
            heard.append("again")

        def covered(self, scene: Scene, covers: Sequence[Cover]) -> None:
            heard.append("covered")

        def shown(self, scene: Scene, covers: Sequence[Cover]) -> None:
            heard.append("shown")

        def heard(self, speaker: int, first: int, rate: int, samples: Samples) -> None:
            raise AssertionError("there is no sound")

    monkeypatch.setattr(
        sys.modules["anonymizer.anonymize"],
        "misses",
        lambda leaks, floors: ("result_shows_faces",) if "again" not in heard else (),
    )
    anonymize(
        io.BytesIO(clip), io.BytesIO(), settings=Settings(), models=models, limits=Limits(), keeper=Ears()
    )
    once = FRAMES * ["covered"]
    assert [word for word in heard if word != "shown"] == [*once, "again", *once]
    assert heard.count("shown") == 2 * FRAMES


@pytest.mark.parametrize("mode", MODES)
def test_an_honest_video_is_not_held(clip: bytes, models: Models, mode: Any) -> None:
    look = "exhaustive" if mode == "fast" else "sampled"
    _, report = run(clip, Settings(mode=mode, leaks=LeakSettings(look=look, under=0)), models)
    leaks = leaks_of(report)
    assert (leaks.rounds, leaks.frames_unchecked, leaks.faces_open, leaks.metadata_left) == (1, 0, 0, 0)
    assert (leaks.faces_under, leaks.faces_attacked > 0) == (0, True)
    assert leaks.frames_attacked == FRAMES if look == "exhaustive" else 4 <= leaks.frames_attacked <= FRAMES
    assert set(leaks.independent) <= set(leaks.attackers)
    assert set(leaks.attackers) <= models.sha256.keys()


def test_what_a_person_decided_is_no_leak_and_a_replay_is_attacked_too(
    clip: bytes, models: Models, monkeypatch: Patch
) -> None:
    settings = Settings(mode="fast", leaks=LeakSettings(look="exhaustive"))
    first = Review()
    run(clip, settings, models, first)
    tracks = [track.track for track in first.sheet.tracks if track.kind == "face"]
    assert tracks
    keep = Decisions(tracks=dict.fromkeys(tracks, TrackDecision("keep")))
    _, kept = run(clip, settings, models, Review(first.record, keep))
    assert (leaks_of(kept).rounds, leaks_of(kept).faces_open, leaks_of(kept).faces_attacked) == (1, 0, 0)
    assert leaks_of(kept).frames_unchecked == 0
    covers_too_small(monkeypatch)
    with pytest.raises(AnonymizerError) as caught:
        run(clip, settings, models, Review(first.record))
    assert caught.value.code == "result_shows_faces"
    drawn = Decisions(drawn=(Drawn(Span(0, 60), (Key(0, 0, 0, 1, 1),)),))
    _, covered = run(clip, settings, models, Review(first.record, drawn))
    assert (leaks_of(covered).rounds, leaks_of(covered).faces_open) == (1, 0)
