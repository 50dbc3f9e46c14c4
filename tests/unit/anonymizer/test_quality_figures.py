"""A finished video is held against what it was made from: every way in which it may be wrong is noticed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError
from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.quality.figures import Expected, Quality, judged
from anonymizer.quality.readback import read_back
from anonymizer.quality.witness import Witness
from anonymizer.settings import CoverSettings
from anonymizer.video.picture import Picture, plane_array

WIDTH, HEIGHT, FRAMES = 320, 180, 40
TICKS = 1000
FRAME_TICKS = 40
Luma = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def moving() -> list[Luma]:
    """A texture that pans, bright and never twice the same."""
    random = np.random.default_rng(3)
    wide = np.kron(random.integers(60, 220, (HEIGHT // 10, 100)), np.ones((10, 10))).astype(np.uint8)
    return [np.ascontiguousarray(wide[:, 8 * i : 8 * i + WIDTH]) for i in range(FRAMES)]


def picture_of(luma: Luma, index: int) -> Picture:
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in range(3):
        plane_array(frame, plane)[:] = luma if plane == 0 else 128
    return Picture(frame, index * FRAME_TICKS, FRAME_TICKS, index * FRAME_TICKS / TICKS)


def witness_of(lumas: Sequence[Luma], covered: Box | None = None) -> Witness:
    witness = Witness()
    for index, luma in enumerate(lumas):
        covers = []
        if covered is not None:
            region = region_of(covered, 1.0, "box", WIDTH, HEIGHT)
            assert region is not None
            covers = [Cover("person", 0, covered, CoverSettings(), region)]
        planes = [Plane(luma, 1, 126)]
        witness.see(Scene(planes, WIDTH, HEIGHT, index * FRAME_TICKS / TICKS, shot=0), covers)
        witness.sent(picture_of(luma, index), changed=False)
    return witness


def coded(lumas: Sequence[tuple[int, Luma]], crf: int = 18) -> io.BytesIO:
    """Encodes pictures, each with the number that gives its time."""
    made = io.BytesIO()
    scale = {"video_track_timescale": str(TICKS), "movie_timescale": str(TICKS)}
    with av.open(made, "w", format="mp4", container_options=scale) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.options = {"crf": str(crf), "preset": "ultrafast"}
        for index, luma in lumas:
            picture = picture_of(luma, index)
            picture.frame.pts, picture.frame.time_base = picture.pts, Fraction(1, TICKS)
            for packet in stream.encode(picture.frame):
                packet.duration = FRAME_TICKS
                container.mux(packet)
        for packet in stream.encode(None):
            packet.duration = FRAME_TICKS
            container.mux(packet)
    return made


EXPECTED = Expected(
    ends=Fraction(FRAMES * FRAME_TICKS, TICKS),
    sound_begins=None,
    sound_ends=None,
    sound_frame=Fraction(0),
    original_picture_bytes=100_000,
    least_ssim=0.8,
)


def quality_of(result: io.BytesIO, witness: Witness, expected: Expected = EXPECTED) -> Quality:
    contents, looks = read_back(result, witness, threads=1)
    return judged(contents, looks, witness, expected)


def numbered(lumas: Sequence[Luma]) -> list[tuple[int, Luma]]:
    return list(enumerate(lumas))


def blackened(lumas: list[Luma]) -> list[tuple[int, Luma]]:
    return numbered([np.full_like(luma, 16) if i in (5, 6, 7) else luma for i, luma in enumerate(lumas)])


def stuck(lumas: list[Luma]) -> list[tuple[int, Luma]]:
    return numbered([lumas[9] if 9 <= i <= 14 else luma for i, luma in enumerate(lumas)])


WRONG: dict[str, tuple[Callable[[list[Luma]], list[tuple[int, Luma]]], int, str]] = {
    "a frame is missing": (lambda lumas: [each for each in numbered(lumas) if each[0] != 20], 18, "frames"),
    "the last second is missing": (lambda lumas: numbered(lumas)[:-25], 18, "duration"),
    "three frames are black": (blackened, 18, "black"),
    "the picture stands still": (stuck, 1, "frozen"),
    "the coder made mud of it": (numbered, 51, "ssim"),
    "the frames are in another order": (lambda lumas: numbered(lumas[::-1]), 18, "ssim"),
}


def test_a_result_that_is_as_it_should_be_passes() -> None:
    lumas = moving()
    quality = quality_of(coded(numbered(lumas)), witness_of(lumas))
    assert quality.short == ()
    assert (quality.frames_missing, quality.duration_off_ms, quality.sound_off_ms) == (0, 0, 0)
    assert quality.ssim is not None
    assert 0.9 < quality.ssim < 1
    assert quality.frames_read >= 5
    assert quality.original_bits_per_second == 100_000 * 8 / 1.6


@pytest.mark.parametrize(("spoil", "crf", "check"), WRONG.values(), ids=WRONG.keys())
def test_a_result_that_is_wrong_is_noticed(
    spoil: Callable[[list[Luma]], list[tuple[int, Luma]]], crf: int, check: str
) -> None:
    lumas = moving()
    quality = quality_of(coded(spoil(lumas), crf), witness_of(lumas))
    assert check in quality.short


def test_what_the_original_did_too_is_no_fault() -> None:
    dark = [np.full_like(luma, 17) for luma in moving()]
    assert quality_of(coded(numbered(dark)), witness_of(dark)).short == ()
    still = [moving()[0]] * FRAMES
    assert quality_of(coded(numbered(still), 1), witness_of(still)).short == ()


def test_what_moves_under_a_cover_alone_may_stand_still_in_the_result() -> None:
    room = moving()[0]
    walking = [room.copy() for _ in range(FRAMES)]
    for index, luma in enumerate(walking):
        luma[60:120, 60 + 2 * index : 100 + 2 * index] = 16 if index % 2 else 235
    person = Box(50, 50, 210, 130)
    removed = coded(numbered([room] * FRAMES), 1)
    assert quality_of(removed, witness_of(walking, covered=person)).short == ()
    assert "frozen" in quality_of(removed, witness_of(walking)).short


def test_a_video_that_is_covered_all_over_is_looked_at_and_found_good() -> None:
    lumas = moving()
    grey = coded(numbered([np.full_like(lumas[0], 126)] * FRAMES))
    quality = quality_of(grey, witness_of(lumas, covered=Box(0, 0, WIDTH, HEIGHT)))
    assert quality.frames_read == FRAMES
    assert quality.short == ()
    assert quality.ssim is None


SOUND: dict[str, tuple[Fraction | None, Fraction | None, bool]] = {
    "sound is expected, and there is none": (Fraction(0), Fraction(1), False),
    "none is expected, and there is none": (None, None, True),
}


@pytest.mark.parametrize(("begins", "ends", "passes"), SOUND.values(), ids=SOUND.keys())
def test_missing_sound_is_noticed(begins: Fraction | None, ends: Fraction | None, passes: bool) -> None:
    lumas = moving()
    expected = replace(EXPECTED, sound_begins=begins, sound_ends=ends, sound_frame=Fraction(1024, 48000))
    quality = quality_of(coded(numbered(lumas)), witness_of(lumas), expected)
    assert ("sound" not in quality.short) is passes


def test_a_file_that_is_none_is_an_error_with_a_code() -> None:
    for broken in (b"", b"no film", coded(numbered(moving())).getvalue()[:900]):
        with pytest.raises(AnonymizerError) as caught:
            read_back(io.BytesIO(broken), witness_of(moving()), threads=1)
        assert caught.value.code == "result_unreadable"


def test_a_long_video_is_not_decoded_whole() -> None:
    lumas = moving() * 16
    quality = quality_of(coded(numbered(lumas)), witness_of(lumas))
    assert quality.frames_read <= len(lumas) // 8
    assert quality.frames_missing == 0
