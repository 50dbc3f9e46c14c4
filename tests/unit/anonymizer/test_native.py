"""Planes and samples as the decoder gave them: what a commitment to an original is made over."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.native import PictureReader, native_samples, native_still, time_us_of

WIDTH, HEIGHT = 70, 50


def _pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


def test_planes_are_the_decoders_without_the_padding_of_their_rows() -> None:
    pixels = _pixels(HEIGHT * 3 // 2, WIDTH)
    frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
    assert frame.planes[0].line_size > WIDTH, "the case is one with padding"
    picture = PictureReader().picture_of(frame)
    assert picture.numbers == (WIDTH, HEIGHT, WIDTH // 2, HEIGHT // 2, 1)
    assert b"".join(picture.planes) == pixels.tobytes()


@pytest.mark.parametrize("form", ["rgb24", "bgr24", "rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "gbrp"])
def test_colours_that_are_packed_in_any_order_are_taken_apart_without_loss(form: str) -> None:
    pixels = _pixels(HEIGHT, WIDTH, 3)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    picture = PictureReader().picture_of(frame if form == "rgb24" else frame.reformat(format=form))
    assert picture.numbers == (WIDTH, HEIGHT, WIDTH, HEIGHT, 1)
    assert picture.planes == tuple(pixels[:, :, at].tobytes() for at in (1, 2, 0))
    assert native_still(np.ascontiguousarray(pixels[:, :, ::-1])) == picture


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("gray", (0, 0, 1)),
        ("gray16le", (0, 0, 2)),
        ("yuv411p", (18, 50, 1)),
        ("yuvj422p", (35, 50, 1)),
        ("yuv444p", (70, 50, 1)),
        ("yuv420p10le", (35, 25, 2)),
        ("p010le", (35, 25, 2)),
        ("gbrp16le", (70, 50, 2)),
        ("yuva420p", (35, 25, 1)),
        ("nv12", (35, 25, 1)),
        ("pal8", (70, 50, 1)),
    ],
)
def test_every_form_says_its_planes(form: str, numbers: tuple[int, int, int]) -> None:
    picture = PictureReader().picture_of(av.VideoFrame(WIDTH, HEIGHT, form))
    assert picture.numbers == (WIDTH, HEIGHT, *numbers)
    width, height, sample_bytes = numbers
    lengths = [WIDTH * HEIGHT * sample_bytes, *[width * height * sample_bytes] * (2 if width else 0)]
    assert [len(plane) for plane in picture.planes] == lengths


def test_samples_in_two_planes_of_one_byte_order_come_out_as_they_are() -> None:
    frame = av.VideoFrame(WIDTH, HEIGHT, "gray16le")
    words = np.arange(WIDTH * HEIGHT, dtype="<u2").reshape(HEIGHT, WIDTH)
    filled = av.VideoFrame.from_ndarray(words, format="gray16le")
    assert PictureReader().picture_of(filled).planes == (words.tobytes(),)
    assert PictureReader().picture_of(frame).numbers[4] == 2


@pytest.mark.parametrize("form", ["monow", "rgb555le", "xyz12le", "gbrpf32le"])
def test_what_has_no_planes_is_refused(form: str) -> None:
    with pytest.raises(AnonymizerError) as refused:
        PictureReader().picture_of(av.VideoFrame(WIDTH, HEIGHT, form))
    assert refused.value.code == "media_unsupported"


def test_a_still_with_one_channel_is_luma_and_transparency_is_left_out() -> None:
    gray = _pixels(HEIGHT, WIDTH, 1)
    assert native_still(gray).planes == (gray.tobytes(),)
    colours = _pixels(HEIGHT, WIDTH, 4)
    assert native_still(colours) == native_still(colours[:, :, :3])


def test_times_are_rounded_down_to_microseconds_and_never_before_the_first_picture() -> None:
    frame = av.VideoFrame(WIDTH, HEIGHT, "gray")
    frame.time_base, frame.pts = Fraction(1, 30_000), 3003
    assert time_us_of(frame, Fraction(1001, 30_000)) == 66_733
    with pytest.raises(AnonymizerError):
        time_us_of(frame, Fraction(1))


@pytest.mark.parametrize(
    ("form", "kind", "sample_bytes"),
    [("s16", "s16", 2), ("s16p", "s16", 2), ("fltp", "flt", 4), ("u8", "u8", 1), ("dblp", "dbl", 8)],
)
def test_sound_is_interleaved_in_the_decoders_own_form(form: str, kind: str, sample_bytes: int) -> None:
    dtype = {"s16": np.int16, "flt": np.float32, "u8": np.uint8, "dbl": np.float64}[kind]
    interleaved = np.arange(20).reshape(10, 2).astype(dtype)
    given = np.ascontiguousarray(interleaved.T) if form.endswith("p") else interleaved.reshape(1, 20)
    frame = av.AudioFrame.from_ndarray(given, format=form, layout="stereo")
    frame.sample_rate = 44_100
    read = native_samples(frame)
    assert (read.numbers, read.form) == ((44_100, 2, sample_bytes), kind)
    assert read.samples == interleaved.tobytes()
