"""What a part is written in: every form of pictures and sound comes back as the bytes that went in."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from anonymizer.intake.sniff import sniff
from anonymizer.native import PictureReader, exact_sound, native_still
from anonymizer.settings import Limits
from anonymizer.still import decode_still
from evaluation.errors import EvaluationError
from evaluation.pieces.decoding import decoded
from evaluation.pieces.parts import PartSound, write_clip, write_still
from evaluation.pieces.records import CODES, DONE, Frame, Looks, RecordWriter, Sound, read_records

# Odd, so that chroma is rounded up; but for 4:1:1, of which FFV1 loses what is left of four columns: such a
# part is refused by the check that `reveal` makes before it hands over.
WIDTH, HEIGHT = 71, 45
FORMS = [
    *("gray", "gray10le", "gray16le", "yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p"),
    *("yuv420p10le", "yuv422p12le", "yuv444p16le", "gbrp", "gbrp10le", "gbrp16le"),
]


def native(form: str, at: int) -> tuple[Frame, Looks]:
    """A frame of noise in a form, as a decoder gives it."""
    made = av.VideoFrame(72 if form == "yuv411p" else WIDTH, HEIGHT, form)
    bits = made.format.components[0].bits
    noise = np.random.default_rng(at)
    for plane in made.planes:
        if bits == 8:
            plane.update(noise.integers(0, 256, plane.buffer_size, dtype=np.uint8).tobytes())
        else:
            plane.update(noise.integers(0, 1 << bits, plane.buffer_size // 2, dtype=np.uint16).tobytes())
    picture = PictureReader().picture_of(made)
    looks = Looks(made.format.is_rgb, bits, 1, 1, (1, 1))
    return Frame(at * 33_367, picture.numbers, picture.planes), looks


@pytest.mark.parametrize("form", FORMS)
def test_pictures_of_every_form_come_back(form: str, tmp_path: Path) -> None:
    frames = [native(form, at)[0] for at in range(4)]
    target = tmp_path / "part.mkv"
    write_clip(target, frames, len(frames), native(form, 0)[1], None)
    with av.open(str(target)) as container:
        read = list(container.decode(video=0))
    reader = PictureReader()
    back = [reader.picture_of(frame) for frame in read]
    assert [(picture.numbers, picture.planes) for picture in back] == [(f.numbers, f.planes) for f in frames]
    times = [round((frame.time or 0) * 1_000_000) for frame in read]
    assert all(abs(time - frame.time_us) <= 1000 for time, frame in zip(times, frames, strict=True))


@pytest.mark.parametrize(
    ("sample_bytes", "is_float"), [(1, False), (2, False), (4, False), (4, True), (8, True)]
)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_of_every_form_comes_back(
    sample_bytes: int, is_float: bool, channels: int, tmp_path: Path
) -> None:
    raw = np.random.default_rng(3).bytes(10_001 * channels * sample_bytes)
    if is_float:
        whole = np.random.default_rng(3).uniform(-1, 1, 10_001 * channels)
        raw = whole.astype(np.float32 if sample_bytes == 4 else np.float64).tobytes()
    numbers = (44_100, channels, sample_bytes)
    target = tmp_path / "part.mka"
    write_clip(target, (), 0, None, PartSound(numbers, is_float, 0, raw))
    with target.open("rb") as stream:
        read = list(exact_sound(stream, sniff(stream), Limits()))
    assert {samples.numbers for samples in read} == {numbers}
    assert b"".join(samples.samples for samples in read) == raw


@pytest.mark.parametrize("channels", [1, 3])
def test_a_still_comes_back(channels: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, channels), dtype=np.uint8)
    picture = native_still(pixels)
    write_still(tmp_path / "part.png", Frame(0, picture.numbers, picture.planes))
    content = (tmp_path / "part.png").read_bytes()
    assert native_still(decode_still(content, sniff(io.BytesIO(content)))) == picture


def test_forms_that_no_part_has_are_refused(tmp_path: Path) -> None:
    odd = Frame(0, (64, 64, 40, 64, 1), (bytes(64 * 64), bytes(40 * 64), bytes(40 * 64)))
    with pytest.raises(EvaluationError) as refused:
        write_clip(tmp_path / "part.mkv", [odd], 1, None, None)
    assert refused.value.code == "part_unwritable"
    with pytest.raises(EvaluationError):
        write_clip(tmp_path / "part.mka", (), 0, None, PartSound((48_000, 2, 3), False, 0, bytes(60)))


def pipe(*words: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(words))


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (pipe(), "decoder_failed"),
        (pipe(b"E\x04done"), None),
        (pipe(b"E\x0dmedia_corrupt"), "media_corrupt"),
        (pipe(b"E\x06secret"), "decoder_failed"),
        (pipe(b"E\xff", bytes(255)), "decoder_failed"),
        (pipe(b"?"), "decoder_failed"),
        (pipe(b"F", bytes(28)), "decoder_failed"),
        (pipe(b"F", bytes(8), b"\xff" * 20), "decoder_failed"),
        (pipe(b"S", b"\xff" * 16), "decoder_failed"),
        (pipe(b"f", b"s"), "decoder_failed"),
    ],
)
def test_what_the_decoder_says_is_a_strangers_word(stream: io.BytesIO, code: str | None) -> None:
    if code is None:
        assert list(read_records(stream)) == []
        return
    with pytest.raises(EvaluationError) as refused:
        list(read_records(stream))
    assert refused.value.code == code


def test_every_code_of_the_list_goes_through() -> None:
    for code in CODES:
        told = io.BytesIO()
        RecordWriter(told).end(code)
        told.seek(0)
        with pytest.raises(EvaluationError) as refused:
            list(read_records(told))
        assert refused.value.code == code
    assert DONE not in CODES


def test_sound_that_begins_before_the_first_picture_stays_before_it(tmp_path: Path) -> None:
    """Frames may be far apart: the first one of a stretch is then later than its first sample."""
    frames = [native("yuv420p", at)[0] for at in range(3)]
    for begins_us in (-120_000, 0, 250_000):
        sound = PartSound((8000, 1, 2), False, begins_us, bytes(8000))
        write_clip(tmp_path / "part.mkv", frames, len(frames), None, sound)
        with av.open(str(tmp_path / "part.mkv")) as container:
            first: dict[str, float] = {}
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    first.setdefault(packet.stream.type, float(packet.pts * packet.time_base))
        assert first["audio"] - first["video"] == pytest.approx(begins_us / 1_000_000, abs=0.0011)


def test_who_decodes_stands_behind_the_wall_and_ends_when_nobody_listens(tmp_path: Path) -> None:
    made = tmp_path / "film.mkv"
    frames = [native("yuv420p", at)[0] for at in range(40)]
    silence = PartSound((8000, 1, 2), False, 0, bytes(16_000))
    write_clip(made, frames, len(frames), native("yuv420p", 0)[1], silence)
    with decoded(made) as records:
        kinds = {type(record) for record in records}
    assert {Frame, Sound, Looks} <= kinds
    with decoded(made) as records:
        assert isinstance(next(records), Looks)
    nothing = tmp_path / "nothing.mkv"
    nothing.write_bytes(b"")
    with pytest.raises(EvaluationError) as refused, decoded(nothing) as records:
        list(records)
    assert refused.value.code == "media_empty"
