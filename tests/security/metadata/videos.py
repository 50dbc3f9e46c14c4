"""Plants in videos: tags, chapters, further streams, attachments; messages in coded pictures and sound."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import av

from tests.media_factory import face_clip
from tests.media_probe import ffmpeg
from tests.security.metadata.boxes import in_boxes, in_elements
from tests.security.metadata.needles import CAPTURED, LATITUDE, LONGITUDE, STEM, iso, needle
from tests.security.metadata.stills import plain_still, planted_jpeg

VIDEOS: Final = (".mp4", ".mov", ".mkv")
FRAMES, RATE = 6, 10


def plain_video(path: Path) -> Path:
    """A video with a face, a voice and as little else as its muxer allows."""
    return face_clip(path, FRAMES / RATE, RATE, (160, 90), audio_codec="aac")


def planted_video(plain: Path, path: Path, work: Path, captured: str = CAPTURED) -> Path:
    """Everything that a video file may carry beside its picture and its sound.

    Args:
        plain: from plain_video, of the same kind.
        path: what to write.
        work: a folder for what goes into it.
        captured: when it says that it was.
    """
    coded = work / f"coded{path.suffix}"
    with av.open(str(plain)) as before, av.open(str(coded), "w", format=_muxer(path)) as after:
        _copy_with_messages(before, after)
    _add_streams(coded, path, work, captured)
    whole = path.read_bytes()
    by_hand = in_elements if path.suffix == ".mkv" else in_boxes
    path.write_bytes(by_hand(whole))
    return path


def _muxer(path: Path) -> str:
    return {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}[path.suffix]


def _copy_with_messages(before: av.container.InputContainer, after: av.container.OutputContainer) -> None:
    """Copies both streams; every picture gets supplemental messages, every piece of sound a data element."""
    picture, sound = before.streams.video[0], before.streams.audio[0]
    pictures, sounds = after.add_stream_from_template(picture), after.add_stream_from_template(sound)
    after.start_encoding()
    for packet in before.demux(picture, sound):
        if packet.dts is None:
            continue
        whole = bytes(packet)
        told = av.Packet(_messages() + whole if packet.stream is picture else _data_element() + whole)
        told.pts, told.dts, told.time_base = packet.pts, packet.dts, packet.time_base
        told.duration, told.is_keyframe = packet.duration, packet.is_keyframe
        told.stream = pictures if packet.stream is picture else sounds
        after.mux_one(told)


def _messages() -> bytes:
    """Supplemental messages (H.264 annex D): unregistered user data, captions, and a filler unit."""
    own = bytes(range(16)) + needle("sei user data").encode()
    words = needle("captions").encode().ljust(16, b"\0")
    pairs = b"".join(b"\xfc" + words[at : at + 2] for at in range(0, len(words), 2))
    captions = b"\xb5\x00\x31GA94\x03" + bytes([0xC0 | len(words) // 2]) + b"\xff" + pairs + b"\xff"
    registered = b"\xb5\x00\x99" + needle("sei registered").encode()
    told = ((5, own), (4, captions), (4, registered))
    units = [b"\x06" + bytes([kind, len(body)]) + body + b"\x80" for kind, body in told]
    units.append(b"\x0c" + b"\xff" * 8 + b"\x80")
    escaped = [unit.replace(b"\0\0\1", b"\0\0\3\1").replace(b"\0\0\2", b"\0\0\3\2") for unit in units]
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in escaped)


def _data_element() -> bytes:
    """A data stream element, to be put before the sound of an AAC frame (ISO/IEC 14496-3, 4.4.2.6).

    Three bits of its kind, four of its number, one that says that bytes are aligned: a whole byte.
    """
    hidden = needle("aac data element").encode()
    return bytes([0b1000_0001, len(hidden)]) + hidden


def _add_streams(coded: Path, path: Path, work: Path, captured: str) -> None:
    """Adds tags, chapters, subtitles, cover art, more pictures and sounds, timecode and attachments."""
    words = work / "words.srt"
    words.write_text(f"1\n00:00:00,000 --> 00:00:00,500\n{needle('subtitle')}\n", "utf-8")
    tags = work / "tags.txt"
    tags.write_text(
        f";FFMETADATA1\ntitle={needle('chapter file')}\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\n"
        f"title={needle('chapter')}\n",
        "utf-8",
    )
    cover = work / "cover.jpg"
    cover.write_bytes(planted_jpeg(plain_still(work / "still.jpg")))
    named = {
        key: needle(f"tag {key}")
        for key in ("title", "artist", "comment", "copyright", "make", "model", "description", "synopsis")
    } | {
        "creation_time": f"{iso(captured)}Z",
        "location": f"+{LATITUDE:08.5f}+{LONGITUDE:09.5f}/",
        "com.apple.quicktime.make": needle("apple make"),
        "com.apple.quicktime.creationdate": f"{iso(captured)}+0200",
        "com.apple.quicktime.content.identifier": needle("apple live photo"),
        "com.apple.quicktime.location.ISO6709": f"+{LATITUDE:08.5f}+{LONGITUDE:09.5f}/",
    }
    kind = path.suffix
    inputs = ["-i", str(coded), "-i", str(words), "-i", str(tags), "-i", str(coded)]
    maps = ["-map", "0:v", "-map", "0:a", "-map", "1:s", "-map", "3:a", "-map", "3:v"]
    options = ["-c", "copy", "-c:s", "srt" if kind == ".mkv" else "mov_text", "-map_metadata", "2"]
    options += ["-map_chapters", "2"]
    for key, value in named.items():
        options += ["-metadata", f"{key}={value}"]
    for stream in ("v:0", "a:0", "s:0", "a:1"):
        place = f"stream {stream}"
        said = (f"title={needle(place)}", f"handler_name={needle(place + ' handler')}", "language=rhe")
        for tag in said:
            options += [f"-metadata:s:{stream}", tag]
    if kind == ".mkv":
        letter = work / "letter.txt"
        letter.write_text(needle("attachment"), "utf-8")
        options += ["-attach", str(letter), "-metadata:s:t:0", "mimetype=text/plain"]
        options += ["-metadata:s:t:0", f"filename={needle('attachment name')}.txt"]
        options += ["-reserve_index_space", "300"]
    else:
        inputs += ["-i", str(cover)]
        maps += ["-map", "4:v"]
        options += ["-disposition:v:2", "attached_pic", "-timecode", "13:57:24:03"]
        options += ["-movflags", "use_metadata_tags" if kind == ".mov" else "+faststart"]
        options += ["-metadata:s:v:0", f"vendor_id={STEM[:4]}"] if kind == ".mov" else []
    ffmpeg("-y", *inputs, *maps, *options, str(path))
