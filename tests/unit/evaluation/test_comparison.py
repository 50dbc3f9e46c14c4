"""A comparison holds no pixel of the original unless it is opened, and shows where something was changed."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer import FaceSettings, Limits, Models, Settings, anonymize, load_models
from anonymizer.settings import Effect
from evaluation.comparison import Comparison, EvaluationError, compare
from evaluation.comparison.changed import changed
from evaluation.comparison.panels import GUTTER, side_by_side
from tests.media_factory import face_clip, face_frames, face_image, face_picture
from tests.media_probe import dlib_faces, pictures, times

NOISE = np.random.default_rng(5)


@cache
def _models() -> Models:
    return load_models(device="cpu")


def covered(original: Path, effect: Effect = "solid") -> bytes:
    """The result of an original."""
    sink = io.BytesIO()
    settings = Settings(mode="balanced", faces=FaceSettings(effect=effect))
    with original.open("rb") as source:
        anonymize(source, sink, settings=settings, models=_models(), limits=Limits())
    return sink.getvalue()


def compared(original: Path, result: bytes, target: Path, *, is_open: bool = False) -> Comparison:
    """Writes a comparison."""
    sink = io.BytesIO()
    with original.open("rb") as before:
        made = compare(before, io.BytesIO(result), sink, target.suffix, is_open=is_open)
    target.write_bytes(sink.getvalue())
    return made


def halves(sheet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two sides of a sheet, with their labels."""
    across = (sheet.shape[1] - GUTTER) // 2
    return np.ascontiguousarray(sheet[:, :across]), np.ascontiguousarray(sheet[:, across + GUTTER :])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("effect", ["solid", "mosaic"])
def test_a_still_is_covered_on_both_sides_and_open_on_one(
    tmp_path: Path, suffix: str, effect: Effect
) -> None:
    original = face_image(tmp_path / f"in{suffix}")
    result = covered(original, effect)
    made = compared(original, result, tmp_path / "covered.png")
    assert (made.frames, made.changed_frames, made.is_open) == (1, 1, False)
    assert 0.02 < made.changed_share < 0.5
    assert [dlib_faces(side) for side in halves(_read(tmp_path / "covered.png"))] == [0, 0]
    compared(original, result, tmp_path / "open.png", is_open=True)
    assert [dlib_faces(side) for side in halves(_read(tmp_path / "open.png"))] == [1, 0]


def _read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def test_a_video_frame_by_frame(tmp_path: Path) -> None:
    original = face_clip(
        tmp_path / "in.mp4", 1.5, 10, (480, 270), frames=face_frames(1.5, 10, (480, 270), still=True)
    )
    result = covered(original)
    (tmp_path / "out.mp4").write_bytes(result)
    made = compared(original, result, tmp_path / "covered.mp4")
    assert made.frames == made.changed_frames == 15
    assert [t.time for t in times(tmp_path / "covered.mp4")] == [Fraction(n, 10) for n in range(15)]
    shown = pictures(tmp_path / "covered.mp4")
    for sheet in shown[::5]:
        assert [dlib_faces(side, upsample=1) for side in halves(sheet)] == [0, 0]
    compared(original, result, tmp_path / "open.mp4", is_open=True)
    assert dlib_faces(halves(pictures(tmp_path / "open.mp4")[0])[0], upsample=1) == 1
    assert compared(original, result, tmp_path / "moments.jpg").frames == 15
    one, four = shown[0].shape, _read(tmp_path / "moments.jpg").shape
    assert four == (4 * one[0], one[1], 3)


def test_no_pixel_of_the_original_is_in_it(tmp_path: Path) -> None:
    """Two originals of one result, with other noise and another face: the same comparison, byte for byte."""
    result = face_picture((320, 320))
    result[60:200, 80:220] = 128
    made = []
    for seed, brightness in ((1, 245), (2, 15)):
        noise = np.random.default_rng(seed)
        original = np.clip(result.astype(int) + noise.integers(-3, 4, result.shape), 0, 255).astype(np.uint8)
        original[60:200, 80:220] = brightness
        original[90:110, 100:200] = noise.integers(0, 2, (20, 100, 1)) * 20 + brightness // 2
        path = tmp_path / f"{seed}.png"
        cv2.imwrite(str(path), original[:, :, ::-1])
        encoded = cv2.imencode(".png", result[:, :, ::-1])[1].tobytes()
        compared(path, encoded, tmp_path / "covered.png")
        made.append((tmp_path / "covered.png").read_bytes())
        compared(path, encoded, tmp_path / "open.png", is_open=True)
        assert (tmp_path / "open.png").read_bytes() != made[-1]
    assert made[0] == made[1]


def test_what_an_encoder_does_is_no_change() -> None:
    picture = face_picture((400, 300))
    for quality in (60, 80, 95):
        encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        again = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[:, :, ::-1]
        assert not changed(picture, again).any(), quality


@pytest.mark.parametrize("size", [8, 12, 40, 200])
@pytest.mark.parametrize("place", [(0, 0), (150, 90), (390, 290)])
def test_a_change_of_any_size_anywhere_is_covered_whole(size: int, place: tuple[int, int]) -> None:
    picture = face_picture((400, 300))
    result, (left, top) = picture.copy(), place
    spot = result[top : top + size, left : left + size]
    spot[:] = 255 - spot
    mask = changed(picture, result)
    assert mask[top : top + size, left : left + size].all()
    assert mask.sum() < (size + 44) ** 2


def test_a_face_under_a_blur_is_covered_in_one_piece() -> None:
    picture = face_picture((512, 512))
    result = picture.copy()
    face = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(face, (226, 130), (70, 95), 0, 0, 360, 1, -1)
    result[face == 1] = cv2.GaussianBlur(picture, (0, 0), 40)[face == 1]
    mask = changed(picture, result)
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2
    assert mask[face == 1].mean() > 0.85


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (64, 2000), (2000, 64), (961, 541)])
def test_any_shape_becomes_an_even_sheet(size: tuple[int, int]) -> None:
    picture = NOISE.integers(0, 256, (size[1], size[0], 3), np.uint8)
    sheet = side_by_side(picture, picture, is_open=False)
    assert sheet.shape[0] % 2 == sheet.shape[1] % 2 == 0
    assert sheet.shape[1] <= 2 * 960 + GUTTER


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    still = face_image(tmp_path / "in.png", (64, 64))
    larger = face_image(tmp_path / "larger.png", (80, 64))
    clip = face_clip(tmp_path / "in.mp4", 0.5, 10, (64, 48), audio=False)
    longer = face_clip(tmp_path / "longer.mp4", 0.6, 10, (64, 48), audio=False)
    cases = [
        (still, larger, ".png", "comparison_mismatch"),
        (still, clip, ".png", "comparison_mismatch"),
        (clip, still, ".mp4", "comparison_mismatch"),
        (clip, longer, ".mp4", "comparison_mismatch"),
        (longer, clip, ".mp4", "comparison_mismatch"),
        (still, still, ".mp4", "comparison_format"),
        (clip, clip, ".gif", "comparison_format"),
    ]
    for original, result, suffix, code in cases:
        with pytest.raises(EvaluationError) as caught:
            compared(original, result.read_bytes(), tmp_path / f"out{suffix}")
        assert caught.value.code == code, (original.name, result.name, suffix)
    with pytest.raises(EvaluationError) as caught:
        compared(still, still.read_bytes()[:-20], tmp_path / "out.png")
    assert caught.value.code == "media_truncated"


def test_a_comparison_says_nothing_about_itself(tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 0.5, 10, (160, 90), planted=True, audio=False)
    compared(original, covered(original), tmp_path / "out.mp4")
    written = (tmp_path / "out.mp4").read_bytes()
    for told in (b"PLANTED", b"x264", b"Lavf", b"2021"):
        assert told not in written
