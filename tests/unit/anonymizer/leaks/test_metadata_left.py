"""In no finished file of ours anything is left, whatever was asked for; what cannot be read is an error."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError, Models
from anonymizer.leaks.metadata import metadata_left
from anonymizer.modes import MODES
from anonymizer.video.picture import Picture
from anonymizer.video.writing import Mp4Writer
from tests.media_factory import face_clip, face_image
from tests.media_probe import ffmpeg
from tests.security.metadata.needles import CAPTURED, iso
from tests.sound_factory import as_file
from tests.unit.anonymizer.leaks.finished import PLANT_EXIF, TYPES, Made, Put, left, result_of

MONTH: Final = "2019-08"


@pytest.mark.parametrize("suffix", TYPES)
def test_nothing_is_left_in_what_is_made(made: Made, suffix: str) -> None:
    assert left(made[suffix], suffix) == 0
    assert left(made[suffix], suffix, MONTH) == 0


@pytest.mark.parametrize("mode", [*MODES, "lossless"])
def test_nothing_is_left_in_any_mode(models: Models, tmp_path: Path, mode: str) -> None:
    clip = face_clip(tmp_path / "in.mkv", 0.3, 10, (64, 48), sample_aspect_ratio=Fraction(4, 3), rotation=90)
    writing = MODES["fast"].lossless() if mode == "lossless" else MODES[mode]
    sink = io.BytesIO()
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        writer = Mp4Writer(
            sink, frames[0], writing, source=video, rate=Fraction(10), sound=None, threads=1, transposed=False
        )
        for index, frame in enumerate(frames):
            writer.write(Picture(frame, index * 72_000, 72_000, index / 10))
        writer.finish()
    assert left(sink.getvalue(), ".mp4") == 0


def test_nothing_is_left_in_a_video_of_hours() -> None:
    """Times that need 64 bits: an hour and a half of 720,000 ticks a second is more than 32 hold."""
    sink, hour = io.BytesIO(), 3600 * 720_000
    frame = av.VideoFrame(64, 48, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    with av.open(io.BytesIO(), "w", format="mp4") as other:
        writer = Mp4Writer(
            sink, frame, MODES["fast"], source=other.add_stream("libx264"), rate=Fraction(1), sound=None,
            threads=1, transposed=False,
        )  # fmt: skip
        for index in range(60):
            writer.write(Picture(frame, index * hour // 30, hour // 30, index * 120.0))
        writer.finish()
    assert b"mvhd\x01" in sink.getvalue()
    assert left(sink.getvalue(), ".mp4") == 0


@pytest.mark.parametrize("suffix", [".mp4", ".m4a", ".jpg", ".png", ".webp"])
def test_a_month_counts_where_it_may_not_be_said(models: Models, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    if suffix == ".mp4":
        plain = face_clip(tmp_path / "plain.mp4", 0.3, 10, (64, 48))
        ffmpeg("-i", str(plain), "-c", "copy", "-metadata", f"creation_time={iso(CAPTURED)}Z", str(path))
    elif suffix == ".m4a":
        as_file(path, np.zeros(8000, np.float32), "-metadata", f"creation_time={iso(CAPTURED)}Z")
    else:
        path.write_bytes(PLANT_EXIF[suffix](face_image(path, (64, 48)).read_bytes()))
    dated = result_of(models, path.read_bytes(), captured="month")
    assert MONTH.encode() in dated
    assert left(dated, suffix, MONTH) == 0
    assert left(dated, suffix) == 1
    assert left(dated, suffix, "2019-09") == 1


REFUSED: Final[dict[str, tuple[str, Put]]] = {
    "nothing": (".mp4", lambda whole: b""),
    "no index": (".mp4", lambda whole: whole[: whole.rindex(b"moov") - 4]),
    "a box beyond its parent": (".mp4", lambda whole: whole.replace(b"\x5ctkhd", b"\xfctkhd", 1)),
    "samples elsewhere": (".mp4", lambda whole: whole.replace(b"\0\0\0\x30", b"\0\0\0\x31")),
    "a jpeg that ends early": (".jpg", lambda whole: whole[:-2]),
    "a png with a wrong check": (".png", lambda whole: whole[:-1] + b"\0"),
    "a png that ends early": (".png", lambda whole: whole[:-12]),
    "a webp that ends early": (".webp", lambda whole: whole[:-2]),
    "another format": (".png", lambda whole: b"\xff\xd8\xff\xd9"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_an_error(made: Made, name: str) -> None:
    suffix, spoil = REFUSED[name]
    with pytest.raises(AnonymizerError) as caught:
        left(spoil(made[suffix]), suffix)
    assert caught.value.code == "result_unreadable"


def test_an_unknown_type_is_an_error() -> None:
    with pytest.raises(AnonymizerError):
        metadata_left(io.BytesIO(b"GIF89a"), "image/gif", month=None)
