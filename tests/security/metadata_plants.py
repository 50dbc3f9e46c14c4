"""Plants a needle in every place of a file where a camera, a phone or an editor may leave something.

Each place has its own needle, so that what is found names where it came from. Three tools plant: exiftool what
it knows, FFmpeg (through PyAV and its program) streams and tags, and this module by hand whatever neither
writes: boxes, chunks, segments, elements of a coded stream.
"""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from tests.media_factory import face_clip, face_image, png_chunk, riff_chunk
from tests.media_probe import ffmpeg

# In every needle: what is searched for. Digits and capitals alone, so that no tool rewrites it.
STEM: Final = "NDL7Q"
CAPTURED: Final = "2019:08:17 14:23:51"
CAPTURED_ISO: Final = "2019-08-17T14:23:51"
LATITUDE, LONGITUDE = 47.376887, 8.541694
XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
FRAMES, RATE = 6, 10


def needle(place: str) -> str:
    """The needle of one place, letters and digits."""
    return STEM + "".join(c for c in place.upper() if c.isalnum())


def xmp(place: str) -> bytes:
    """An XMP packet with a needle, a place, a camera and a time of capture."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        f'exif:DateTimeOriginal="{CAPTURED_ISO}" aux:SerialNumber="{needle(place)}" '
        'exif:GPSLatitude="47,22.6132N"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def exif(place: str, orientation: int = 1) -> bytes:
    """A TIFF block with camera, serial numbers, times, a place, maker notes and a thumbnail (CIPA DC-008)."""
    thumbnail = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    thumbnail = thumbnail[:2] + jpeg_segment(0xFE, needle(f"{place} thumbnail").encode()) + thumbnail[2:]
    camera = [
        _text(0x9003, CAPTURED),
        _text(0x9004, CAPTURED),
        (0x927C, 7, b"MKRNOTE\0" + needle(f"{place} maker note").encode()),
        (0x9286, 7, b"UNICODE\0" + needle(f"{place} comment").encode("utf-16-le")),
        _text(0xA431, needle(f"{place} body serial")),
        _text(0xA435, needle(f"{place} lens serial")),
        (0xA420, 2, needle(f"{place} image id").encode().ljust(33, b"\0")),
    ]
    where = [
        _text(0x0001, "N"),
        (0x0002, 5, _degrees(LATITUDE)),
        _text(0x0003, "E"),
        (0x0004, 5, _degrees(LONGITUDE)),
        (0x001B, 7, b"ASCII\0\0\0" + needle(f"{place} gps method").encode()),
    ]
    main = [
        _text(0x010F, needle(f"{place} make")),
        _text(0x0110, needle(f"{place} model")),
        (0x0112, 3, struct.pack("<H", orientation)),
        _text(0x0131, needle(f"{place} software")),
        _text(0x0132, CAPTURED),
        _text(0x013B, needle(f"{place} artist")),
        (0x9C9B, 1, needle(f"{place} title").encode("utf-16-le") + b"\0\0"),
    ]
    return _tiff(main, camera, where, thumbnail)


Entry = tuple[int, int, bytes]
_UNIT: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}


def _text(tag: int, text: str) -> Entry:
    return tag, 2, text.encode() + b"\0"


def _degrees(value: float) -> bytes:
    minutes = value % 1 * 60
    return struct.pack("<6I", int(value), 1, int(minutes), 1, round(minutes % 1 * 60 * 1000), 1000)


def _tiff(main: list[Entry], camera: list[Entry], where: list[Entry], thumbnail: bytes) -> bytes:
    """Lays four directories out one after the other: the main one, the camera's, the place's, the thumbnail's."""

    def size(entries: int, bodies: list[Entry]) -> int:
        return 2 + 12 * entries + 4 + sum(len(body) + len(body) % 2 for _, _, body in bodies if len(body) > 4)

    main_at = 8
    camera_at = main_at + size(len(main) + 2, main)
    where_at = camera_at + size(len(camera), camera)
    small_at = where_at + size(len(where), where)
    jpeg_at = small_at + size(2, [])
    pointers = [(0x8769, 4, struct.pack("<I", camera_at)), (0x8825, 4, struct.pack("<I", where_at))]
    small = [
        (0x0201, 4, struct.pack("<I", jpeg_at)),
        (0x0202, 4, struct.pack("<I", len(thumbnail))),
    ]
    return b"II*\0" + struct.pack("<I", main_at) + b"".join(
        (
            _directory(main_at, [*main, *pointers], small_at),
            _directory(camera_at, camera, 0),
            _directory(where_at, where, 0),
            _directory(small_at, small, 0),
            thumbnail,
        )
    )  # fmt: skip


def _directory(at: int, entries: list[Entry], following: int) -> bytes:
    rows, bodies = b"", b""
    bodies_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, body in sorted(entries):
        rows += struct.pack("<HHI", tag, kind, len(body) // _UNIT[kind])
        if len(body) <= 4:
            rows += body.ljust(4, b"\0")
        else:
            rows += struct.pack("<I", bodies_at + len(bodies))
            bodies += body + b"\0" * (len(body) % 2)
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", following) + bodies


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """Returns one segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def box(name: bytes, body: bytes) -> bytes:
    """Returns one box of an MP4."""
    return struct.pack(">I4s", len(body) + 8, name) + body


# ---- stills ----


def plain_still(path: Path) -> bytes:
    """A still with a face and nothing else."""
    return face_image(path, (320, 320)).read_bytes()


def planted_jpeg(plain: bytes) -> bytes:
    """Every segment that a JPEG may carry before its picture, and what may follow its end."""
    iptc = b"\x1c\x02\x78" + struct.pack(">H", len(needle("iptc caption"))) + needle("iptc caption").encode()
    photoshop = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    profile = b"ICC_PROFILE\0\1\1" + needle("icc").encode()
    head = [
        (0xE0, b"JFIF\0\1\2\1\1\x2c\1\x2c\2\1" + needle("jfif thumb").encode()[:6]),
        (0xE0, b"JFXX\0\x10" + needle("jfxx").encode()),
        (0xE1, b"Exif\0\0" + exif("jpeg exif")),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("jpeg xmp")),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + needle("long xmp").encode()),
        (0xE2, profile),
        (0xE2, b"MPF\0" + needle("mpf").encode()),
        (0xE2, b"FPXR\0" + needle("flashpix").encode()),
        (0xE3, b"Meta\0\0" + needle("kodak").encode()),
        (0xE4, needle("app4").encode()),
        (0xE8, needle("app8").encode()),
        (0xEB, b"JP\0\1\0\0\0\1" + box(b"jumb", needle("c2pa").encode())),
        (0xEC, b"Ducky" + needle("ducky").encode()),
        (0xED, b"Photoshop 3.0\0" + photoshop),
        (0xEF, needle("app15").encode()),
        (0xFE, needle("comment").encode()),
        (0xFE, needle("wide comment").encode("utf-16-be")),
    ]
    trailer = box(b"ftyp", b"mp42") + box(b"mdat", needle("motion photo").encode()) + plain
    segments = b"".join(jpeg_segment(marker, body) for marker, body in head)
    return plain[:2] + segments + plain[2:] + trailer + needle("trailer").encode()


def planted_png(plain: bytes) -> bytes:
    """Every ancillary chunk, compressed ones too, private ones, and what may follow the end."""

    def deflated(place: str) -> bytes:
        return zlib.compress(needle(place).encode() * 20)

    early = [
        (b"iCCP", b"profile\0\0" + deflated("iccp")),
        (b"sPLT", b"sample\0\x08" + needle("splt").encode()[:6] + b"\0\1\0\1\0\1\0\1\0\1"),
        (b"pHYs", struct.pack(">IIB", 0x4E444C37, 0x4E444C37, 1)),
        (b"oFFs", struct.pack(">iiB", 0x4E444C, 0x37, 0)),
        (b"bKGD", struct.pack(">3H", 78, 68, 76)),
        (b"gAMA", struct.pack(">I", 47113)),
        (b"eXIf", exif("png exif")),
        (b"tIME", struct.pack(">HBBBBB", 2019, 8, 17, 14, 23, 51)),
        (b"tEXt", b"Author\0" + needle("text").encode()),
        (b"tEXt", b"Raw profile type exif\0\nexif\n 4\n" + needle("hex profile").encode().hex().encode()),
        (b"zTXt", b"Comment\0\0" + deflated("ztxt")),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("png xmp")),
        (b"iTXt", b"Description\0\1\0en\0\0" + deflated("itxt")),
        (b"prVt", needle("private").encode()),
        (b"caBX", box(b"jumb", needle("c2pa").encode())),
    ]
    late = [(b"tEXt", b"Software\0" + needle("late text").encode()), (b"prVt", needle("late").encode())]
    ends = plain.rindex(b"IEND") - 4
    return (
        plain[:33]
        + b"".join(png_chunk(*chunk) for chunk in early)
        + plain[33:ends]
        + b"".join(png_chunk(*chunk) for chunk in late)
        + plain[ends:]
        + needle("trailer").encode()
    )


def planted_webp(plain: bytes) -> bytes:
    """EXIF, XMP, a profile, unknown chunks and content credentials (RFC 9649)."""
    extended = b"\x2c\0\0\0" + (319).to_bytes(3, "little") * 2
    chunks = [
        (b"VP8X", extended),
        (b"ICCP", needle("iccp").encode()),
        (b"prVt", needle("private").encode()),
    ]
    after = [
        (b"EXIF", exif("webp exif")),
        (b"XMP ", xmp("webp xmp")),
        (b"C2PA", box(b"jumb", needle("c2pa").encode())),
        (b"prVu", zlib.compress(needle("late private").encode() * 20)),
    ]
    body = b"WEBP" + b"".join(riff_chunk(*chunk) for chunk in chunks) + plain[12:]
    body += b"".join(riff_chunk(*chunk) for chunk in after)
    return b"RIFF" + struct.pack("<I", len(body)) + body + needle("trailer").encode()


PLANTED_STILLS: Final[dict[str, Callable[[bytes], bytes]]] = {
    ".jpg": planted_jpeg,
    ".png": planted_png,
    ".webp": planted_webp,
}


# ---- videos ----

VIDEOS: Final = (".mp4", ".mov", ".mkv")


def plain_video(path: Path) -> Path:
    """A video with a face, a voice and as little else as its muxer allows."""
    return face_clip(path, FRAMES / RATE, RATE, (160, 90), audio_codec="aac")


def planted_video(plain: Path, path: Path, work: Path) -> Path:
    """Everything that a video file may carry beside its picture and its sound.

    Args:
        plain: from plain_video, of the same kind.
        path: what to write.
        work: a folder for what goes into it.
    """
    coded = work / f"coded{path.suffix}"
    with av.open(str(plain)) as before, av.open(str(coded), "w", format=_muxer(path)) as after:
        _copy_with_messages(before, after)
    _add_streams(coded, path, work)
    whole = path.read_bytes()
    by_hand = _matroska_by_hand if path.suffix == ".mkv" else _boxes_by_hand
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
        told = _packet(_messages() + bytes(packet) if packet.stream is picture else _told(bytes(packet)))
        told.pts, told.dts, told.time_base = packet.pts, packet.dts, packet.time_base
        told.duration, told.is_keyframe = packet.duration, packet.is_keyframe
        told.stream = pictures if packet.stream is picture else sounds
        after.mux_one(told)


def _packet(content: bytes) -> av.Packet:
    return av.Packet(content)


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


def _told(access_unit: bytes) -> bytes:
    """Puts a data stream element before the sound of an AAC frame (ISO/IEC 14496-3, 4.4.2.6).

    Three bits of its kind, four of its number, one that says that bytes are aligned: a whole byte.
    """
    hidden = needle("aac data element").encode()
    return bytes([0b1000_0001, len(hidden)]) + hidden + access_unit


def _add_streams(coded: Path, path: Path, work: Path) -> None:
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
        "creation_time": f"{CAPTURED_ISO}Z",
        "location": f"+{LATITUDE:08.5f}+{LONGITUDE:09.5f}/",
        "com.apple.quicktime.make": needle("apple make"),
        "com.apple.quicktime.creationdate": f"{CAPTURED_ISO}+0200",
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
        options += [f"-metadata:s:{stream}", f"title={needle(place)}", f"-metadata:s:{stream}",
                    f"handler_name={needle(place + ' handler')}", f"-metadata:s:{stream}", "language=rhe"]  # fmt: skip
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


def _boxes_by_hand(whole: bytes) -> bytes:
    """Adds boxes at the end: XMP, a maker's own, filled padding, a GoPro-like and a C2PA one, and a tail."""
    extra = [
        box(b"uuid", XMP_UUID + xmp("box xmp")),
        box(b"uuid", b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48" + needle("canon").encode()),
        box(b"free", needle("free box").encode()),
        box(b"skip", needle("skip box").encode("utf-16-le")),
        box(b"wide", needle("wide box").encode()),
        box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdta" + needle("meta box").encode())),
        box(b"mdat", needle("unused sample data").encode()),
        box(b"prvt", zlib.compress(needle("private box").encode() * 20)),
        box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + needle("c2pa box").encode()),
    ]  # fmt: skip
    user = box(b"udta", b"".join(
        box(name, needle(f"udta {name.decode('latin-1')}").encode())
        for name in (b"GPMF", b"CAME", b"SNum", b"\xa9mak", b"\xa9mod", b"\xa9xyz", b"SDLN", b"thmb")
    ))  # fmt: skip
    return _into_movie(whole, user) + b"".join(extra)


def _into_movie(whole: bytes, added: bytes) -> bytes:
    """Puts boxes at the end of the movie box; where samples follow it, their offsets grow."""
    at = 0
    while whole[at + 4 : at + 8] != b"moov":
        at += int.from_bytes(whole[at : at + 4], "big")
    size = int.from_bytes(whole[at : at + 4], "big")
    movie = bytearray(whole[at : at + size])
    if whole.find(b"mdat", at + size) > 0:
        place = 0
        while (place := movie.find(b"stco", place + 1)) > 0:
            (count,) = struct.unpack_from(">I", movie, place + 8)
            offsets = struct.unpack_from(f">{count}I", movie, place + 12)
            struct.pack_into(f">{count}I", movie, place + 12, *(o + len(added) for o in offsets))
    return whole[:at] + struct.pack(">I", size + len(added)) + bytes(movie[4:]) + added + whole[at + size :]


def _matroska_by_hand(whole: bytes) -> bytes:
    """Fills the reserved padding (a Void element), and appends tags of a kind that no muxer writes."""
    content = bytearray(whole)
    at = content.index(b"\xec\x01", 40)
    hidden = needle("void element").encode()
    content[at + 9 : at + 9 + len(hidden)] = hidden
    return bytes(content)


def frame_times(path: Path) -> list[Fraction]:
    """When each picture of a video is shown, in seconds."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.video if not s.disposition)
        return [frame.pts * frame.time_base for frame in container.decode(stream) if frame.pts is not None]


def places(planted: bytes) -> Iterator[str]:
    """The places whose needles are in a file as they are, in ASCII."""
    at = -1
    while (at := planted.find(STEM.encode(), at + 1)) >= 0:
        text = planted[at : at + 64]
        yield "".join(chr(c) for c in text[: next((i for i, c in enumerate(text) if not chr(c).isalnum()), 64)])


def exiftool(path: Path, *options: str) -> str:
    """What exiftool tells about a file, unknown tags and embedded documents too."""
    command = ["exiftool", "-a", "-u", "-U", "-G1", "-ee3", "-b", "-n", *options, str(path)]
    return subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "replace")
