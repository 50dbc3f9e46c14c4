"""Stills: same format out, upright, faces covered, nothing hidden under transparency."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media_factory import face_image, face_picture, png_chunk, riff_chunk
from tests.media_probe import dlib_faces

SUFFIXES = [".jpg", ".png", ".webp"]
MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def read(path: Path, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("effect", ["solid", "blur", "mosaic"])
def test_a_face_is_covered_and_the_rest_is_not(process, tmp_path: Path, suffix: str, effect: str) -> None:
    original = face_image(tmp_path / f"in{suffix}")
    report = process(original, tmp_path / f"out{suffix}", effect=effect)
    before, after = read(original), read(tmp_path / f"out{suffix}")
    assert dlib_faces(before) == 1
    assert dlib_faces(after) == 0
    assert before.shape == after.shape
    assert np.abs(before[300:].astype(int) - after[300:]).mean() < (0.01 if suffix == ".png" else 3)
    assert report.media_type == MEDIA_TYPES[suffix]
    assert (report.frames, report.frames_with_faces, report.tracks, report.audio) == (1, 1, 1, "none")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_dropped(
    process, tmp_path: Path, suffix: str, orientation: int
) -> None:
    quarters = np.zeros((96, 160, 3), np.uint8)
    quarters[:48, :80], quarters[:48, 80:], quarters[48:, :80] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    original = face_image(tmp_path / f"in{suffix}", pixels=quarters, orientation=orientation)
    process(original, tmp_path / f"out{suffix}")
    # OpenCV applies the orientation of all three formats when asked for colours.
    shown, after = read(original, cv2.IMREAD_COLOR), read(tmp_path / f"out{suffix}")
    assert shown.shape == ((160, 96, 3) if orientation >= 5 else (96, 160, 3))
    assert after.shape == shown.shape
    assert np.abs(after.astype(int) - shown).mean() < 6


def test_a_lossless_webp_stays_lossless(process, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    encoded = cv2.imencode(".webp", noise, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    process(encoded, tmp_path / "out.webp")
    assert np.array_equal(read(tmp_path / "out.webp"), noise[:, :, ::-1])


def test_a_png_without_a_face_is_unchanged(process, tmp_path: Path) -> None:
    ramp = np.indices((50, 71)).sum(axis=0).astype(np.uint8)[:, :, None].repeat(3, axis=2)
    original = face_image(tmp_path / "in.png", pixels=ramp)
    process(original, tmp_path / "out.png")
    assert np.array_equal(read(tmp_path / "out.png"), ramp)


JPEG_KINDS = {
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "optimized, with restarts": [cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4],
    "4:4:4": [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
    "4:1:1": [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411],
    "grey": [],
}


@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_every_kind_of_jpeg(process, tmp_path: Path, kind: str) -> None:
    picture = face_picture((501, 333))
    if kind == "grey":
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    stored = picture if picture.ndim == 2 else picture[:, :, ::-1]
    encoded = cv2.imencode(".jpg", stored, [*JPEG_KINDS[kind], cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    report = process(encoded, tmp_path / "out.jpg", mode="original")
    after = read(tmp_path / "out.jpg")
    assert report.frames_with_faces == 1
    assert after.shape == picture.shape
    assert np.abs(after[200:].astype(int) - picture[200:]).mean() < 3


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_depth_and_number_of_channels(process, tmp_path: Path, bits: int, channels: int) -> None:
    picture = face_picture()
    if channels == 1:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    elif channels == 4:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    stored = picture.astype(np.uint16) * 257 if bits == 16 else picture
    original = face_image(tmp_path / "in.png", pixels=stored)
    report = process(original, tmp_path / "out.png")
    after = read(tmp_path / "out.png")
    assert report.frames_with_faces == 1
    assert after.dtype == np.uint8
    assert after.shape[:2] == picture.shape[:2]
    shown = after if after.ndim == 2 else np.ascontiguousarray(after[:, :, :3])
    assert dlib_faces(shown) == 0
    assert np.array_equal(after[300:], picture[300:].reshape(after[300:].shape))


def transparent(alpha: np.ndarray) -> np.ndarray:
    return np.dstack([face_picture(), alpha])


def test_a_face_under_transparent_pixels_is_gone(process, tmp_path: Path) -> None:
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:256] = 0
    original = face_image(tmp_path / "in.png", pixels=transparent(alpha))
    assert dlib_faces(np.ascontiguousarray(read(original)[:, :, :3])) == 1, (
        "nothing is hidden in the original"
    )
    process(original, tmp_path / "out.png")
    after = read(tmp_path / "out.png")
    assert not after[:256].any()
    assert np.array_equal(after[300:, :, :3], face_picture()[300:])


@pytest.mark.parametrize("level", [1, 100, 254])
def test_a_face_that_shines_through_is_covered(process, tmp_path: Path, level: int) -> None:
    original = face_image(tmp_path / "in.png", pixels=transparent(np.full((512, 512), level, np.uint8)))
    report = process(original, tmp_path / "out.png")
    after = read(tmp_path / "out.png")
    assert report.frames_with_faces == 1
    assert dlib_faces(np.ascontiguousarray(after[:, :, :3])) == 0
    assert after[130, 225].tolist() == [128, 128, 128, 255]


def test_a_face_drawn_in_the_alpha_channel_is_covered(process, tmp_path: Path) -> None:
    drawn = cv2.cvtColor(face_picture(), cv2.COLOR_RGB2GRAY)
    flat = np.dstack([np.full((512, 512, 3), 30, np.uint8), drawn])
    process(face_image(tmp_path / "in.png", pixels=flat), tmp_path / "out.png")
    alpha = read(tmp_path / "out.png")[:, :, 3]
    assert dlib_faces(drawn) == 1
    assert dlib_faces(np.ascontiguousarray(alpha)) == 0


def test_animations_are_refused(refused, tmp_path: Path) -> None:
    still = face_image(tmp_path / "in.png", (64, 64)).read_bytes()
    animated = still[:33] + png_chunk(b"acTL", b"\0\0\0\2\0\0\0\0") + still[33:]
    refused("media_unsupported", animated)
    still = face_image(tmp_path / "in.webp", (64, 64)).read_bytes()
    header = riff_chunk(b"VP8X", bytes([2, 0, 0, 0, 63, 0, 0, 63, 0, 0]))
    body = b"WEBP" + header + riff_chunk(b"ANIM", bytes(6)) + riff_chunk(b"ANMF", bytes(16) + still[12:])
    refused("media_unsupported", b"RIFF" + len(body).to_bytes(4, "little") + body)


def test_a_png_with_a_wrong_checksum_is_refused(refused, tmp_path: Path) -> None:
    content = bytearray(face_image(tmp_path / "in.png", (128, 128)).read_bytes())
    content[len(content) // 2] ^= 0xFF
    refused("media_corrupt", bytes(content))


@pytest.mark.shared
def test_a_street_full_of_faces(process, tmp_path: Path, shared_media: Path) -> None:
    report = process(shared_media / "images" / "city.jpg", tmp_path / "out.jpg")
    assert report.tracks >= 5
    assert dlib_faces(read(tmp_path / "out.jpg"), upsample=1) == 0
