"""Whole jobs: what falls short is made again, finer; what is to be lossless is, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import AnonymizerError, Settings
from anonymizer.modes import MODES
from anonymizer.video import transform
from anonymizer.video.picture import Picture, Plain, plane_array
from anonymizer.video.writing import Mp4Writer
from tests.media_factory import face_clip, face_picture

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("quality") / "in.mp4", 1, 25, (320, 180))


def planes_of(path: Path, index: int) -> list[Pixels]:
    with av.open(str(path)) as container:
        plain = Plain()
        for place, frame in enumerate(container.decode(video=0)):
            if place == index:
                whole = plain.frame_of(frame)
                return [plane_array(whole, plane).copy() for plane in range(3)]
    raise AssertionError("there is no such frame")


def test_a_job_tells_how_good_its_result_is(process, tmp_path: Path, clip: Path) -> None:
    quality = process(clip, tmp_path / "out.mp4").quality
    assert quality.short == ()
    assert (quality.encodings, quality.frames_missing, quality.sound_off_ms) == (1, 0, 0)
    assert quality.frames_read > 0
    assert quality.ssim > 0.9
    assert quality.cover_gaps == 0
    assert quality.bits_per_second > 0


def test_of_a_still_nothing_is_measured(process, tmp_path: Path) -> None:
    png = cv2.imencode(".png", face_picture()[:, :, ::-1])[1].tobytes()
    assert process(png, tmp_path / "out.png").quality is None


def test_what_loses_a_frame_once_is_made_again(
    process, tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    whole = Mp4Writer.write

    def forgetful(writer: Mp4Writer, picture: Picture) -> None:
        nonlocal written
        written += 1
        if written != 10:
            whole(writer, picture)

    monkeypatch.setattr(Mp4Writer, "write", forgetful)
    report = process(clip, tmp_path / "out.mp4")
    assert (report.quality.encodings, report.quality.frames_missing) == (2, 0)
    assert report.quality.short == ()
    assert report.frames == 25
    assert report.stage_seconds["encode"] > 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 25


def test_what_is_too_coarse_is_made_again_finer_and_then_reported(
    process, tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = process(clip, tmp_path / "once.mp4")
    monkeypatch.setitem(transform.LEAST_SSIM, "fast", 0.99999)
    twice = process(clip, tmp_path / "twice.mp4")
    assert (twice.quality.encodings, twice.quality.short) == (2, ("ssim",))
    assert twice.quality.ssim > once.quality.ssim
    assert (tmp_path / "twice.mp4").stat().st_size > (tmp_path / "once.mp4").stat().st_size
    assert twice.frames_with == once.frames_with


def test_the_second_try_spends_more_bits_and_nothing_else() -> None:
    for mode in MODES.values():
        assert mode.finer().crf == mode.crf - 6
        assert mode.finer().scales == mode.scales
    assert MODES["fast"].lossless().finer() == MODES["fast"].lossless()


def test_a_lossless_video_is_the_original_outside_the_covers(process, tmp_path: Path, clip: Path) -> None:
    result = tmp_path / "out.mp4"
    report = process(clip, result, lossless=True, shape="box", scale=1.3)
    assert report.quality.ssim == report.quality.ssim_worst == 1
    assert report.quality.short == ()
    assert report.frames_with_faces > 0
    for index in (0, 7, 24):
        for before, after in zip(planes_of(clip, index), planes_of(result, index), strict=True):
            changed = before != after
            # All that changed is a solid patch, and it leaves most of the picture alone.
            assert set(after[changed].tolist()) <= {126, 128}
            assert changed.mean() < 0.6


@pytest.mark.parametrize(("suffix", "options"), [(".png", []), (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101])])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_lossless_still_is_the_original_outside_the_covers(
    process, tmp_path: Path, suffix: str, options: list[int], channels: int
) -> None:
    picture = face_picture()[:, :, ::-1]
    picture = picture ^ np.random.default_rng(1).integers(0, 4, picture.shape, np.uint8)
    if channels == 4:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
        picture[0, 0, 3] = 200
    encoded = cv2.imencode(suffix, picture, options)[1].tobytes()
    result = tmp_path / f"out{suffix}"
    report = process(encoded, result, shape="box")
    assert report.frames_with_faces == 1
    after = cv2.imread(str(result), cv2.IMREAD_UNCHANGED)
    assert after.shape == picture.shape
    changed = (after != picture).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    patch = after[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert 0.02 < changed.mean() < 0.5
    assert len(np.unique(patch[:, :, :3])) == 1


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "lossless, and without the noise": {"lossless": True, "sensor_noise": "suppress"},
    "an unknown word": {"sensor_noise": "remove"},
}


@pytest.mark.parametrize("chosen", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_contradictions_are_refused(chosen: dict[str, Any]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        Settings(**chosen)
    assert caught.value.code == "settings_invalid"
