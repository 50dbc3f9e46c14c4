"""What a finished file tells about itself: nothing of ours counts, and each thing that is put in does."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError, FaceSettings, Limits, Models, Settings, anonymize
from anonymizer.leaks.metadata import metadata_left
from anonymizer.modes import MODES
from anonymizer.video.picture import Picture
from anonymizer.video.writing import Mp4Writer
from tests.media_factory import face_clip, face_image, png_chunk, riff_chunk
from tests.media_probe import ffmpeg
from tests.security.metadata.needles import CAPTURED, iso, xmp
from tests.security.metadata.stills import box, jpeg_segment
from tests.security.metadata.tiff import exif
from tests.sound_factory import as_file

TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
MONTH: Final = "2019-08"


def left(content: bytes, suffix: str, month: str | None = None) -> int:
    return metadata_left(io.BytesIO(content), TYPES[suffix], month=month)


@dataclass(frozen=True)
class Made:
    """A result of every kind, by the anonymizer."""

    by_suffix: dict[str, bytes]

    def __getitem__(self, suffix: str) -> bytes:
        return self.by_suffix[suffix]


@pytest.fixture(scope="module")
def made(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    sources = {
        ".mp4": face_clip(folder / "in.mp4", 0.4, 10, (96, 64)),
        ".m4a": as_file(folder / "in.m4a", np.zeros(8000, np.float32)),
        **{suffix: face_image(folder / f"in{suffix}", (64, 48)) for suffix in (".jpg", ".png", ".webp")},
    }
    return Made({suffix: of(models, path.read_bytes()) for suffix, path in sources.items()})


def of(models: Models, original: bytes, **chosen: object) -> bytes:
    sink = io.BytesIO()
    settings = Settings(**({"mode": "fast", "audio": "keep", "threads": 1} | chosen))  # type: ignore[arg-type] # by name
    anonymize(io.BytesIO(original), sink, settings=settings, models=models, limits=Limits())
    return sink.getvalue()


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
    dated = of(models, path.read_bytes(), captured="month", faces=FaceSettings())
    assert MONTH.encode() in dated
    assert left(dated, suffix, MONTH) == 0
    assert left(dated, suffix) == 1
    assert left(dated, suffix, "2019-09") == 1
    assert left(dated.replace(MONTH.encode(), b"2019:08"), suffix, MONTH) >= 1 if suffix != ".png" else True


# --- Stills: one thing each.


def in_jpeg(marker: int, body: bytes) -> Callable[[bytes], bytes]:
    return lambda plain: plain[:20] + jpeg_segment(marker, body) + plain[20:]


def in_png(kind: bytes, body: bytes) -> Callable[[bytes], bytes]:
    return lambda plain: plain[:33] + png_chunk(kind, body) + plain[33:]


def in_webp(kind: bytes, body: bytes) -> Callable[[bytes], bytes]:
    def put(plain: bytes) -> bytes:
        inside = plain[8:] + riff_chunk(kind, body)
        return b"RIFF" + struct.pack("<I", len(inside)) + inside

    return put


PLANT_EXIF: Final[dict[str, Callable[[bytes], bytes]]] = {
    ".jpg": in_jpeg(0xE1, b"Exif\0\0" + exif("x")),
    ".png": in_png(b"eXIf", exif("x")),
    ".webp": in_webp(b"EXIF", exif("x")),
}


def behind_rows(plain: bytes) -> bytes:
    """Packs more behind the last row of a PNG."""
    at = plain.index(b"IDAT") - 4
    length = int.from_bytes(plain[at : at + 4], "big")
    rows = zlib.decompress(plain[at + 8 : at + 8 + length])
    return plain[:at] + png_chunk(b"IDAT", zlib.compress(rows + b"somebody")) + plain[at + 12 + length :]


def behind_packed(plain: bytes) -> bytes:
    """Adds bytes to the last chunk of a PNG's picture, behind what is packed."""
    ends = plain.rindex(b"IEND") - 4
    return plain[:ends] + png_chunk(b"IDAT", b"somebody") + plain[ends:]


STILLS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "jpeg exif": (".jpg", PLANT_EXIF[".jpg"]),
    "jpeg xmp": (".jpg", in_jpeg(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("x"))),
    "jpeg colour profile": (".jpg", in_jpeg(0xE2, b"ICC_PROFILE\0\1\1" + bytes(128))),
    "jpeg photoshop": (".jpg", in_jpeg(0xED, b"Photoshop 3.0\0")),
    "jpeg adobe": (".jpg", in_jpeg(0xEE, b"Adobe\0\x64\0\0\0\0\0")),
    "jpeg content credentials": (".jpg", in_jpeg(0xEB, b"JP\0\1\0\0\0\1" + box(b"jumb", b""))),
    "jpeg comment": (".jpg", in_jpeg(0xFE, b"somebody")),
    "jpeg empty comment": (".jpg", in_jpeg(0xFE, b"")),
    "jpeg thumbnail": (".jpg", lambda jpeg: jpeg.replace(b"\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", b"\0\x13JFIF\0\1\1\0\0\1\0\1\1\1abc")),
    "jpeg dots an inch": (".jpg", lambda jpeg: jpeg.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1\0\x48\0\x48")),
    "jpeg second header": (".jpg", in_jpeg(0xE0, b"JFXX\0\x10abc")),
    "jpeg bytes in a table": (".jpg", in_jpeg(0xDB, b"\3" + bytes(64) + b"somebody")),
    "jpeg fill byte": (".jpg", lambda jpeg: jpeg[:-2] + b"\xff" + jpeg[-2:]),
    "jpeg trailer": (".jpg", lambda jpeg: jpeg + b"\0"),
    "png exif": (".png", PLANT_EXIF[".png"]),
    "png text": (".png", in_png(b"tEXt", b"Author\0somebody")),
    "png packed text": (".png", in_png(b"zTXt", b"Author\0\0" + zlib.compress(b"somebody"))),
    "png xmp": (".png", in_png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("x"))),
    "png time": (".png", in_png(b"tIME", struct.pack(">HBBBBB", 2019, 8, 17, 14, 23, 51))),
    "png colour profile": (".png", in_png(b"iCCP", b"x\0\0" + zlib.compress(bytes(128)))),
    "png gamma": (".png", in_png(b"gAMA", struct.pack(">I", 45455))),
    "png dots a metre": (".png", in_png(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))),
    "png private": (".png", in_png(b"prVt", b"")),
    "png second header": (".png", lambda png: png[:33] + png[8:33] + png[33:]),
    "png behind the rows": (".png", behind_rows),
    "png behind what is packed": (".png", behind_packed),
    "png trailer": (".png", lambda png: png + b"\0"),
    "webp exif": (".webp", PLANT_EXIF[".webp"]),
    "webp xmp": (".webp", in_webp(b"XMP ", xmp("x"))),
    "webp colour profile": (".webp", in_webp(b"ICCP", bytes(128))),
    "webp private": (".webp", in_webp(b"prVt", b"")),
    "webp second picture": (".webp", lambda webp: in_webp(b"VP8 ", webp[20:])(webp)),
    "webp trailer": (".webp", lambda webp: webp + b"\0"),
}  # fmt: skip


@pytest.mark.parametrize("name", STILLS)
def test_each_thing_in_a_still_counts(made: Made, name: str) -> None:
    suffix, put = STILLS[name]
    planted = put(made[suffix])
    assert planted != made[suffix]
    assert left(planted, suffix) == 1


# --- MP4: one thing each.


def grown(whole: bytes, path: tuple[bytes, ...], added: bytes) -> bytes:
    """Adds bytes at the end of a box; the index is the last box of a file, so no sample moves."""
    content, at, ends = bytearray(whole), 0, len(whole)
    for name in path:
        while whole[at + 4 : at + 8] != name:
            at += int.from_bytes(whole[at : at + 4], "big")
        size = int.from_bytes(whole[at : at + 4], "big")
        struct.pack_into(">I", content, at, size + len(added))
        at, ends = at + 8, at + size
    return bytes(content[:ends]) + added + bytes(content[ends:])


def inside(*path: bytes) -> Callable[[bytes], bytes]:
    return lambda whole: grown(whole, path, box(b"uuid", bytes(16) + b"somebody"))


def swapped(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    assert len(before) == len(after)
    return lambda whole: whole.replace(before, after, 1)


def timed(name: bytes) -> Callable[[bytes], bytes]:
    def put(whole: bytes) -> bytes:
        at = whole.index(name) + 8
        return whole[:at] + struct.pack(">II", 3_600_000_000, 3_600_000_000) + whole[at + 8 :]

    return put


def told(whole: bytes) -> bytes:
    """Says a title in the user data, as FFmpeg would."""
    title = box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0) + b"somebody"))
    for path in ((b"moov", b"udta"),):
        whole = grown(whole, path, title)
    return whole


def leading(extra: bytes) -> Callable[[bytes], bytes]:
    """Puts a unit, or an element, before each piece of coded pictures, or sound, and writes the file anew."""

    def put(whole: bytes) -> bytes:
        sink = io.BytesIO()
        options = {"movie_timescale": "720000"}
        with (
            av.open(io.BytesIO(whole)) as before,
            av.open(sink, "w", format="mp4", container_options=options) as after,
        ):
            after.flags |= av.container.core.Flags.bitexact.value
            kind = "audio" if len(extra) < 5 else "video"
            streams = {s.index: after.add_stream_from_template(s) for s in before.streams}
            after.start_encoding()
            for packet in before.demux():
                if packet.dts is None:
                    continue
                new = av.Packet((extra if packet.stream.type == kind else b"") + bytes(packet))
                new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
                new.duration, new.is_keyframe = packet.duration, packet.is_keyframe
                new.stream = streams[packet.stream.index]
                after.mux_one(new)
        return sink.getvalue()

    return put


def with_ffmpeg(*options: str) -> Callable[[bytes, Path], bytes]:
    def put(whole: bytes, folder: Path) -> bytes:
        (folder / "in.mp4").write_bytes(whole)
        (folder / "words.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\nsomebody\n", "utf-8")
        (folder / "chapters.txt").write_text(
            ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=somebody\n", "utf-8"
        )
        ffmpeg("-i", str(folder / "in.mp4"), *(o.format(folder=folder) for o in options), "-c", "copy",
               "-c:s", "mov_text", "-movie_timescale", "720000", "-fflags", "+bitexact",
               str(folder / "out.mp4"))  # fmt: skip
        return (folder / "out.mp4").read_bytes()

    return put


def unit(kind: int, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 1) + bytes([kind]) + body


MESSAGE: Final = b"\x05\x18" + bytes(range(16)) + b"somebody" + b"\x80"
TRACK: Final = (b"moov", b"trak")
MEDIA: Final = (*TRACK, b"mdia")
TABLES: Final = (*MEDIA, b"minf", b"stbl")
MOVIES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "box after the end": lambda whole: whole + box(b"uuid", bytes(16)),
    "bytes after the end": lambda whole: whole + b"somebody",
    "one byte after the end": lambda whole: whole + b"\0",
    "free space with content": lambda whole: whole + box(b"free", b"somebody"),
    "second free space": lambda whole: whole + box(b"free", b""),
    "second sample data": lambda whole: whole + box(b"mdat", b"somebody"),
    "second index": lambda whole: whole + whole[whole.rindex(b"moov") - 4 :],
    "other brand": swapped(b"isomiso2", b"qt  iso2"),
    "other version of the brand": swapped(b"isom\0\0\2\0", b"isom\0\0\2\1"),
    "box in the index": inside(b"moov"),
    "metadata in the index": lambda whole: grown(whole, (b"moov",), box(b"meta", bytes(4))),
    "title in the user data": told,
    "box in the user data": inside(b"moov", b"udta"),
    "second user data": lambda whole: grown(whole, (b"moov",), box(b"udta", b"")),
    "box in a track": inside(*TRACK),
    "user data of a track": lambda whole: grown(whole, TRACK, box(b"udta", box(b"name", b"somebody"))),
    "reference of a track": lambda whole: grown(whole, TRACK, box(b"tref", box(b"chap", bytes(4)))),
    "box in the media": inside(*MEDIA),
    "box in the media's information": inside(*MEDIA, b"minf"),
    "box among the tables": inside(*TABLES),
    "bytes in a table": lambda whole: grown(whole, (*TABLES, b"stts"), b"somebody"),
    "bytes in an edit list": lambda whole: grown(whole, (*TRACK, b"edts", b"elst"), b"somebody"),
    "groups of samples": lambda whole: grown(whole, TABLES, box(b"sdtp", bytes(8))),
    "time of the movie": timed(b"mvhd"),
    "time of a track": timed(b"tkhd"),
    "time of the media": timed(b"mdhd"),
    "handler's name": swapped(b"VideoHandler", b"VidioHandler"),
    "longer handler's name": lambda whole: grown(whole, (*MEDIA, b"hdlr"), b"somebody"),
    "handler's maker": lambda whole: whole.replace(b"vide" + bytes(12), b"videappl" + bytes(8), 1),
    "compressor's name": lambda whole: whole.replace(
        b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\1" + bytes(8), b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\1\x08somebod", 1
    ),
    "language": swapped(b"\x55\xc4\0\0", b"\x15\xc7\0\0"),
    "turned picture": swapped(struct.pack(">2I", 1 << 30, 96 << 16), struct.pack(">2I", 1 << 29, 96 << 16)),
    "user data in pictures": leading(unit(6, MESSAGE)),
    "captions in pictures": leading(unit(6, b"\x04\x05\xb5\x00\x31GA\x80")),
    "filling in pictures": leading(unit(12, b"\xff\xff\xff\x80")),
    "private unit in pictures": leading(unit(24, b"somebody")),
    "parameters among pictures": leading(unit(8, b"\xef\x9f\x2c\xfd")),
    "data in sound": leading(bytes([0b1000_0001, 1, 65])),
    "encoder's name in sound": leading(bytes([0b1100_0100, 0, 0])),
}
REMUXED: Final = {
    "chapters": with_ffmpeg("-f", "ffmetadata", "-i", "{folder}/chapters.txt", "-map_chapters", "1"),
    "subtitles": with_ffmpeg("-i", "{folder}/words.srt", "-map", "0", "-map", "1"),
    "timecode": with_ffmpeg("-timecode", "13:57:24:03"),
    "second sound": with_ffmpeg("-map", "0", "-map", "0:a"),
    "second picture": with_ffmpeg("-map", "0", "-map", "0:v"),
    "title": with_ffmpeg("-metadata", "title=somebody"),
    "time": with_ffmpeg("-metadata", "creation_time=2019-08-17T14:23:51Z"),
    "handler": with_ffmpeg("-metadata:s:v", "handler_name=somebody"),
    "language": with_ffmpeg("-metadata:s:a", "language=deu"),
}


@pytest.mark.parametrize("name", MOVIES)
def test_each_thing_in_a_movie_counts(made: Made, name: str) -> None:
    planted = MOVIES[name](made[".mp4"])
    assert planted != made[".mp4"]
    assert left(planted, ".mp4") >= 1


def test_a_copy_by_the_same_muxer_tells_nothing(made: Made) -> None:
    """The control of what is put into coded pictures and sound: writing anew alone does not count."""
    again = leading(b"")(made[".mp4"])
    assert left(again, ".mp4") == 0


@pytest.mark.parametrize("name", REMUXED)
def test_what_ffmpeg_adds_counts(made: Made, tmp_path: Path, name: str) -> None:
    assert left(REMUXED[name](made[".mp4"], tmp_path), ".mp4") >= 1


def test_an_encoder_that_signs_its_work_counts(tmp_path: Path) -> None:
    """FFmpeg without our settings: its name in the user data, x264's in the first picture, its own in sound."""
    path = face_clip(tmp_path / "plain.mp4", 0.4, 10, (96, 64))
    assert left(path.read_bytes(), ".mp4") >= 3


def test_pictures_in_what_is_sound_alone_count(made: Made) -> None:
    assert left(made[".m4a"], ".m4a") == 0
    assert metadata_left(io.BytesIO(made[".mp4"]), "audio/mp4", month=None) >= 2


def test_data_that_belongs_to_no_sample_counts(made: Made) -> None:
    """Behind the last sample, within the box of sample data, as an editor leaves it."""
    whole = made[".mp4"]
    at = whole.index(b"mdat") - 4
    ends = at + int.from_bytes(whole[at : at + 4], "big")
    planted = (
        whole[:at] + struct.pack(">I", ends - at + 8) + whole[at + 4 : ends] + b"somebody" + whole[ends:]
    )
    assert left(planted, ".mp4") == 1


REFUSED: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "nothing": (".mp4", lambda whole: b""),
    "no index": (".mp4", lambda whole: whole[: whole.rindex(b"moov") - 4]),
    "a box beyond its parent": (".mp4", lambda whole: whole.replace(b"\0\0\0\x5ctkhd", b"\0\xff\0\x5ctkhd", 1)),
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
