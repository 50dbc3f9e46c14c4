"""What the coverage benchmark takes for covered is covered; long clips for the memory benchmark are long."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from anonymizer import FaceSettings
from anonymizer.boxes import Box
from anonymizer.track.tracker import Tracker
from benchmarks import covers, demo_clip, memory
from tests.media_factory import face_clip, face_frames


def still_face(folder: Path, frames: int) -> Path:
    """Writes a clip of one face that keeps its place."""
    return face_clip(folder / "clip.mp4", fps=25, frames=face_frames(1, 1, still=True) * frames, audio=False)


def test_what_trackers_ask_for_is_grey_in_the_result_and_was_not_before(tmp_path: Path) -> None:
    clip = still_face(tmp_path, frames=10)
    untouched = Tracker.covers
    tracks, masks = covers.ours(clip, "fast")
    assert Tracker.covers is untouched
    pairs = list(masks)
    with av.open(str(clip)) as container:
        original = next(container.decode(video=0))
    assert tracks == 1
    assert len(pairs) == 10
    for asked, grey in pairs:
        assert asked.sum() > 1000
        assert (asked & grey).sum() > 0.97 * asked.sum()
        before = covers.grey_of(original)
        assert (asked & before).sum() < 0.3 * asked.sum()


def test_deface_covers_the_same_face_as_its_command_would(tmp_path: Path) -> None:
    clip = still_face(tmp_path, frames=3)
    _, ours = covers.ours(clip, "original")
    for theirs, (asked, _) in zip(covers.deface(clip), ours, strict=True):
        assert (theirs & asked).sum() > 0.9 * asked.sum(), "its cover is the larger one"


def test_a_mask_holds_the_oval_of_a_cover_and_is_cut_off_at_the_edge() -> None:
    faces = FaceSettings()
    whole = covers.mask_of([Box(40, 40, 60, 60)], faces, 200, 100)
    assert np.pi * 13 * 13 < whole.sum() < 30 * 30
    assert covers.mask_of([Box(190, 40, 210, 60)], faces, 200, 100)[:, 200:].size == 0
    assert not covers.mask_of([Box(300, 40, 320, 60)], faces, 200, 100).any()


def test_a_repeated_clip_is_as_many_times_as_long_and_decodes(tmp_path: Path) -> None:
    demo_clip.write_clip(tmp_path / "short.mp4", seconds=0.4, size=(320, 180))
    memory.repeated(tmp_path / "short.mp4", tmp_path / "long.mp4", 5)
    with av.open(str(tmp_path / "long.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 50
    assert np.allclose(np.diff(times), 1 / 25)
