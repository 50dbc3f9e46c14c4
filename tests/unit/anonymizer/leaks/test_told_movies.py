"""Each thing that is put into a finished video counts: boxes, tracks, tags, messages in what is coded."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

import av
import pytest

from anonymizer.leaks.metadata import metadata_left
from tests.media_factory import face_clip
from tests.media_probe import ffmpeg
from tests.security.metadata.stills import box
from tests.unit.anonymizer.leaks.finished import Made, Put, left


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


def inside(*path: bytes) -> Put:
    return lambda whole: grown(whole, path, box(b"uuid", bytes(16) + b"somebody"))


def swapped(before: bytes, after: bytes) -> Put:
    assert len(before) == len(after)
    return lambda whole: whole.replace(before, after, 1)


def timed(name: bytes) -> Put:
    def put(whole: bytes) -> bytes:
        at = whole.index(name) + 8
        return whole[:at] + struct.pack(">II", 3_600_000_000, 3_600_000_000) + whole[at + 8 :]

    return put


def told(whole: bytes) -> bytes:
    """Says a title in the user data, as FFmpeg would."""
    title = box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0) + b"somebody"))
    return grown(whole, (b"moov", b"udta"), title)


def leading(extra: bytes) -> Put:
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
MOVIES: Final[dict[str, Put]] = {
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
    """FFmpeg without our settings: its name in the user data, in the sound, x264's in a picture."""
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
