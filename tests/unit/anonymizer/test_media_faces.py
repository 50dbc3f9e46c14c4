"""Faces are really covered: a detector that shares nothing with ours finds them before and not after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer import Models
from anonymizer.detect.engines import open_detector
from tests.media_factory import KINDS, face_clip, face_frames, head_picture
from tests.media_probe import dlib_faces, pictures

EFFECTS = ["solid", "blur", "mosaic"]


@pytest.mark.parametrize("mode", ["original", "quality", "balanced", "fast"])
def test_no_face_is_left_in_any_mode(process, models: Models, tmp_path: Path, mode: str) -> None:
    original = face_clip(tmp_path / "in.mp4", 3, 12, (640, 360))
    report = process(original, tmp_path / "out.mp4", mode=mode)
    before, after = pictures(original), pictures(tmp_path / "out.mp4")
    assert sum(dlib_faces(picture) > 0 for picture in before) > 20, "the original shows no faces"
    assert [dlib_faces(picture) for picture in after] == [0] * len(after)
    ours = open_detector(models, 0.6, 2)
    sure = [(after[i], box) for i, picture in enumerate(before) for box in ours.detect(picture)]
    assert len(sure) > 20
    assert all(grey_share(picture, box) > 0.95 for picture, box in sure)
    assert report.frames_with_faces >= 28
    assert report.tracks >= 2, "the face leaves and comes back"


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_no_face_is_left_with_any_effect(process, tmp_path: Path, effect: str, shape: str) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 12, (640, 360), frames=face_frames(1, 12, still=True))
    process(original, tmp_path / "out.mp4", effect=effect, shape=shape)
    assert all(dlib_faces(picture) == 1 for picture in pictures(original))
    assert not any(dlib_faces(picture) for picture in pictures(tmp_path / "out.mp4"))


@pytest.mark.parametrize("suffix", list(KINDS))
def test_no_face_is_left_from_any_container(process, tmp_path: Path, suffix: str) -> None:
    original = face_clip(tmp_path / f"in{suffix}", 1, 12, (640, 360))
    process(original, tmp_path / "out.mp4")
    assert any(dlib_faces(picture) for picture in pictures(original))
    assert not any(dlib_faces(picture) for picture in pictures(tmp_path / "out.mp4"))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_face_that_lies_on_its_side_in_the_file_is_found(process, tmp_path: Path, rotation: int) -> None:
    upright = face_frames(0.5, 12, still=True)
    # A display matrix turns counter-clockwise by `rotation`; the stored pixels are turned the other way.
    stored = [np.ascontiguousarray(np.rot90(frame, -rotation // 90)) for frame in upright]
    original = face_clip(tmp_path / "in.mp4", fps=12, frames=stored, rotation=rotation)
    process(original, tmp_path / "out.mp4")
    assert all(dlib_faces(picture) for picture in pictures(original))
    assert not any(dlib_faces(picture) for picture in pictures(tmp_path / "out.mp4"))


def test_a_face_is_covered_from_the_frame_in_which_it_appears(process, tmp_path: Path) -> None:
    portrait = head_picture((360, 360))
    empty = np.full((360, 640, 3), 128, np.uint8)
    shown = empty.copy()
    shown[:, 140:500] = portrait
    # Between two looks of the mode (every fifth frame), for four frames only, without a scene cut.
    for first in (6, 7, 8, 9):
        frames = [shown if first <= i < first + 5 else empty for i in range(20)]
        original = face_clip(tmp_path / "in.mp4", fps=25, frames=frames, audio=False)
        process(original, tmp_path / "out.mp4", lookahead_seconds=0)
        assert not any(dlib_faces(picture) for picture in pictures(tmp_path / "out.mp4")), first


def test_a_face_is_covered_on_both_sides_of_a_cut(process, tmp_path: Path) -> None:
    portrait = head_picture((360, 360))
    dark, bright = np.zeros((360, 640, 3), np.uint8), np.full((360, 640, 3), 250, np.uint8)
    dark[::2, 1::3] = 90
    bright[1::3, ::2] = 160
    dark[:, 20:380] = portrait
    bright[:, 260:620] = portrait[:, ::-1]
    for cut in (4, 5, 6, 7, 8):
        original = face_clip(
            tmp_path / "in.mp4", fps=25, frames=[dark] * cut + [bright] * (16 - cut), audio=False
        )
        process(original, tmp_path / "out.mp4", lookahead_seconds=0, linger_seconds=0)
        assert not any(dlib_faces(picture) for picture in pictures(tmp_path / "out.mp4")), cut


def test_a_face_in_the_last_frame_only_is_covered(process, tmp_path: Path) -> None:
    shown = np.full((360, 640, 3), 128, np.uint8)
    empty = shown.copy()
    shown[:, 140:500] = head_picture((360, 360))
    for count in (5, 6, 7, 8, 9):
        original = face_clip(tmp_path / "in.mp4", fps=25, frames=[empty] * count + [shown], audio=False)
        process(original, tmp_path / "out.mp4")
        assert dlib_faces(pictures(original)[-1]) == 1
        assert dlib_faces(pictures(tmp_path / "out.mp4")[-1]) == 0


def test_a_clip_of_one_frame(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", fps=25, frames=face_frames(1, 1, still=True), audio=False)
    report = process(original, tmp_path / "out.mp4")
    assert report.frames == report.frames_with_faces == 1
    assert dlib_faces(pictures(tmp_path / "out.mp4")[0]) == 0


def test_progress_is_told_and_ends_complete(process, tmp_path: Path) -> None:
    told = []
    original = face_clip(tmp_path / "in.mp4", 2, 25, (320, 180))
    process(original, tmp_path / "out.mp4", on_progress=told.append)
    assert told[-1].frames_done == told[-1].frames_total == 50
    assert [p.frames_done for p in told] == sorted(p.frames_done for p in told)
    assert told[-1].frames_per_second > 0


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "least_share"),
    [("hamilton_360p.mp4", 0.9), ("classroom.gif", 0.9), ("sign_language_480p.mkv", 0.9)],
)
def test_real_clips(process, tmp_path: Path, shared_media: Path, name: str, least_share: float) -> None:
    original = shared_media / "video" / name
    report = process(original, tmp_path / "out.mp4", mode="balanced")
    after = pictures(tmp_path / "out.mp4")
    assert len(after) == report.frames
    assert report.frames_with_faces >= least_share * report.frames
    assert sum(dlib_faces(picture) > 0 for picture in after[::4]) == 0


@pytest.mark.shared
def test_a_clip_without_faces_is_left_alone(process, tmp_path: Path, shared_media: Path) -> None:
    report = process(shared_media / "video" / "cars_from_above_432p.mp4", tmp_path / "out.mp4")
    assert report.frames_with_faces == 0
    assert report.tracks == 0


def grey_share(picture: np.ndarray, box: np.ndarray) -> float:
    """Returns how much of the inner part of a box is the colour of a solid cover."""
    x1, y1, x2, y2 = box[:4]
    dx, dy = (x2 - x1) / 5, (y2 - y1) / 5
    inner = picture[int(y1 + dy) : int(y2 - dy) + 1, int(x1 + dx) : int(x2 - dx) + 1].astype(int)
    return float((np.abs(inner - 128).max(axis=2) < 14).mean())
