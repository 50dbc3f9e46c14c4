"""Makes test media on the spot, so that no test needs a file from elsewhere.

- `face_clip`     a video with a real moving face: any container, codec, timing, rotation, sound
- `face_image`    a still with a real face: JPEG, PNG or WebP, with EXIF and other planted metadata
- `MARKER`        what `planted=True` hides in every metadata field that the format has
- hostile files   `truncated`, `gif_bomb`, `endless_gif`, `sound_only_mp4`, `avi_claiming`, `png_claiming`
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from benchmarks import demo_clip

Pixels = npt.NDArray[np.uint8]

MARKER = b"PLANTED-d1f4c0ffee"


@dataclass(frozen=True)
class Kind:
    """What a container is filled with unless a test asks for something else."""

    container: str
    video_codec: str
    audio_codec: str
    pixel_format: str = "yuv420p"


KINDS = {
    ".mp4": Kind("mp4", "libx264", "aac"),
    ".mov": Kind("mov", "libx264", "pcm_s16le"),
    ".mkv": Kind("matroska", "libx264", "flac"),
    ".webm": Kind("webm", "libvpx-vp9", "libopus"),
    ".avi": Kind("avi", "mpeg4", "mp2"),
    ".gif": Kind("gif", "gif", "", "rgb8"),
}

FAST = {
    "libx264": {"preset": "ultrafast", "crf": "18"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "b:v": "2M"},
    "mpeg4": {"qscale": "3"},
    "mjpeg": {"qscale": "3"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
}


def face_frames(
    seconds: float = 2, fps: int | Fraction = 24, size: tuple[int, int] = (640, 360), *, still: bool = False
) -> list[Pixels]:
    """Returns frames, (H, W, 3) uint8 RGB, in which one real face moves; with `still`, it never leaves."""
    if not still:
        return list(demo_clip.frames(seconds, fps, size))
    count = max(1, round(seconds * fps))
    whole = list(demo_clip.frames(count * 3, 1, size))
    return whole[:count]


def face_clip(
    path: Path,
    seconds: float = 2,
    fps: int | Fraction = 24,
    size: tuple[int, int] = (640, 360),
    *,
    audio: bool = True,
    video_codec: str | None = None,
    audio_codec: str | None = None,
    pixel_format: str | None = None,
    b_frames: int = 0,
    times_ms: Sequence[int] | None = None,
    rotation: int = 0,
    hflip: bool = False,
    sample_aspect_ratio: Fraction | None = None,
    audio_rate: int = 48000,
    audio_layout: str = "mono",
    audio_seconds: float | None = None,
    audio_delay_seconds: float = 0,
    planted: bool = False,
    frames: Sequence[Pixels] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes a clip whose container follows the suffix of `path`, and returns `path`.

    Args:
        times_ms: the time of every frame, for a variable frame rate; sets the number of frames too.
        rotation: degrees counter-clockwise, written as a display matrix only.
        audio_seconds: length of the sound where it differs from the picture's.
        planted: put MARKER into all metadata.
        frames: pixels to use instead of the moving face.
    """
    kind = KINDS[path.suffix]
    codec = video_codec or kind.video_codec
    pictures = list(frames) if frames is not None else _pictures(seconds, fps, size, times_ms)
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", format=kind.container) as container:
        settings = dict(FAST.get(codec, {})) | ({"bf": str(b_frames)} if b_frames else {}) | (options or {})
        video = container.add_stream(codec, rate=fps, options=settings)
        video.width, video.height = width, height
        video.pix_fmt = pixel_format or kind.pixel_format
        video.codec_context.time_base = Fraction(1, 1000) if times_ms is not None else 1 / Fraction(fps)
        if sample_aspect_ratio is not None:
            video.codec_context.sample_aspect_ratio = sample_aspect_ratio
        if rotation or hflip:
            video.set_display_rotation(rotation, hflip=hflip)
        sound = None
        if audio and kind.audio_codec:
            sound = container.add_stream(
                audio_codec or kind.audio_codec, rate=audio_rate, layout=audio_layout
            )
        if planted:
            _plant(container)
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=video.pix_fmt)
            frame.time_base = video.codec_context.time_base
            frame.pts = times_ms[index] if times_ms is not None else index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            length = audio_seconds if audio_seconds is not None else float(len(pictures) / fps)
            _write_sound(container, sound, length, audio_delay_seconds)
    return path


def _pictures(
    seconds: float, fps: int | Fraction, size: tuple[int, int], times_ms: Sequence[int] | None
) -> list[Pixels]:
    if times_ms is None:
        return face_frames(seconds, fps, size)
    return list(demo_clip.frames(len(times_ms), 1, size))


def _plant(container: av.container.OutputContainer) -> None:
    text = MARKER.decode()
    for key in ("title", "artist", "comment", "location", "copyright", "encoder", "make", "model"):
        container.metadata[key] = text
    container.metadata["creation_time"] = "2021-03-04T05:06:07Z"
    for stream in container.streams:
        stream.metadata["handler_name"] = text
        stream.metadata["title"] = text
        stream.metadata["encoder"] = text
    container.set_chapters(
        [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": text}}]
    )


def _write_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, seconds: float, delay: float
) -> None:
    rate = stream.codec_context.sample_rate
    mono = demo_clip.voice(seconds, rate)[None]
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=stream.codec_context.layout)
    start = round(delay * rate)
    for offset in range(0, mono.shape[1], 4096):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(mono[:, offset : offset + 4096]), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start + offset, Fraction(1, rate)
        for ready in resampler.resample(frame):
            container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


def exif_block(orientation: int = 1, text: bytes = MARKER) -> bytes:
    """Returns a TIFF block (little-endian) with an orientation, a camera make, and a GPS-like comment."""
    value = text + b"\0"
    entries = 2
    data_at = 8 + 2 + entries * 12 + 4
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", entries)
        + struct.pack("<HHII", 0x010F, 2, len(value), data_at)
        + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
        + b"\0\0\0\0"
        + value
    )


def face_picture(size: tuple[int, int] = (512, 512)) -> Pixels:
    """Returns the whole portrait, (H, W, 3) uint8 RGB; smooth below, lest an emblem be taken for a face."""
    portrait = data.astronaut().copy()
    portrait[280:] = cv2.GaussianBlur(portrait[280:], (0, 0), 16)
    return cv2.resize(portrait, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def head_picture(size: tuple[int, int] = (360, 360)) -> Pixels:
    """Returns head and shoulders only, (H, W, 3) uint8 RGB."""
    return cv2.resize(demo_clip.portrait()[0], size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def face_image(
    path: Path,
    size: tuple[int, int] = (512, 512),
    *,
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None = None,
    orientation: int | None = None,
    planted: bool = False,
) -> Path:
    """Writes a still whose format follows the suffix.

    Args:
        pixels: RGB, RGBA or grey, instead of the portrait.
        orientation: EXIF orientation, 1 to 8.
        planted: put MARKER into all metadata.
    """
    image = face_picture(size) if pixels is None else pixels
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(path.suffix, image, _image_quality(path.suffix))[1].tobytes()
    if orientation is not None or planted:
        encoded = _with_metadata(path.suffix, encoded, orientation or 1, image.shape[1], image.shape[0])
    path.write_bytes(encoded)
    return path


def _image_quality(suffix: str) -> list[int]:
    if suffix == ".webp":
        return [int(cv2.IMWRITE_WEBP_QUALITY), 95]
    return [int(cv2.IMWRITE_JPEG_QUALITY), 95] if suffix in {".jpg", ".jpeg"} else []


def _with_metadata(suffix: str, encoded: bytes, orientation: int, width: int, height: int) -> bytes:
    exif = exif_block(orientation)
    if suffix in {".jpg", ".jpeg"}:
        app1 = b"Exif\0\0" + exif
        xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + MARKER + b"</x:xmpmeta>"
        blocks = b"".join(
            b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
            for marker, body in ((0xE1, app1), (0xE1, xmp), (0xFE, MARKER))
        )
        return encoded[:2] + blocks + encoded[2:] + MARKER
    if suffix == ".png":
        head, rest = encoded[:33], encoded[33:]
        return head + png_chunk(b"eXIf", exif) + png_chunk(b"tEXt", b"Comment\0" + MARKER) + rest + MARKER
    chunks = encoded[12:]
    vp8x = b"VP8X" + struct.pack("<I", 10) + bytes([0x0C, 0, 0, 0])
    vp8x += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    if chunks[:4] == b"VP8X":
        vp8x = chunks[:8] + bytes([chunks[8] | 0x0C]) + chunks[9:18]
        chunks = chunks[18:]
    body = b"WEBP" + vp8x + chunks + riff_chunk(b"EXIF", exif) + riff_chunk(b"XMP ", MARKER)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_chunk(name: bytes, body: bytes) -> bytes:
    """Returns one PNG chunk with its length and CRC."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def riff_chunk(name: bytes, body: bytes) -> bytes:
    """Returns one RIFF chunk, padded to an even size."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def truncated(path: Path, share: float = 0.6) -> bytes:
    """Returns the first part of a file."""
    whole = path.read_bytes()
    return whole[: int(len(whole) * share)]


def gif_bomb(width: int = 65535, height: int = 65535) -> bytes:
    """Returns a few bytes that claim one GIF frame of the given size."""
    screen = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0" + b"\x02\x02\x4c\x01\0"
    return screen + image + b";"


def endless_gif(frames: int, size: int = 64) -> bytes:
    """Returns a GIF with very many tiny frames on a small screen."""
    screen = b"GIF89a" + struct.pack("<HH", size, size) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    control = b"\x21\xf9\x04\0\x02\0\0\0"
    image = control + b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0" + b"\x02\x02\x4c\x01\0"
    return screen + image * frames + b";"


def sound_only_mp4(path: Path, seconds: float = 1) -> Path:
    """Writes an MP4 with an AAC track and nothing else."""
    with av.open(str(path), "w", format="mp4") as container:
        _write_sound(container, container.add_stream("aac", rate=48000, layout="mono"), seconds, 0)
    return path


def avi_claiming(path: Path, width: int, height: int) -> bytes:
    """Returns an AVI of uncompressed frames whose headers claim another size."""
    face_clip(path, 0.2, 10, (64, 48), audio=False, video_codec="rawvideo")
    whole = bytearray(path.read_bytes())
    main_header = whole.index(b"avih") + 8
    struct.pack_into("<II", whole, main_header + 32, width, height)
    stream_format = whole.index(b"strf") + 8
    struct.pack_into("<ii", whole, stream_format + 4, width, height)
    return bytes(whole)


def png_claiming(width: int, height: int) -> bytes:
    """Returns a PNG whose header claims a size that its data does not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 64)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def referring_mov(path: Path, target: Path) -> bytes:
    """Returns a MOV without samples of its own, whose data reference is an alias of `target` beside it."""
    content = bytearray(target.read_bytes())
    samples_at = content.index(b"mdat") + 4
    samples_end = samples_at - 8 + int.from_bytes(content[samples_at - 8 : samples_at - 4], "big")
    content[samples_at:samples_end] = bytes(samples_end - samples_at)
    entry_at = content.index(b"url ", content.index(b"dref")) - 4
    name, whole_path = target.name.encode(), str(target).encode()
    padded = whole_path + b"\0" * (len(whole_path) % 2)
    alias = bytes(10) + bytes([1]) + b"v".ljust(27, b"\0") + bytes(12)
    alias += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    alias += (
        struct.pack(">hh", 2, len(whole_path)) + padded + struct.pack(">hh", 18, len(whole_path)) + padded
    )
    alias += struct.pack(">hh", -1, 0)
    entry = struct.pack(">I", 12 + len(alias)) + b"alis" + bytes(4) + alias
    grown = len(entry) - 12
    content[entry_at : entry_at + 12] = entry
    for name_of_box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = content.rindex(name_of_box, 0, entry_at) - 4
        size = int.from_bytes(content[at : at + 4], "big") + grown
        content[at : at + 4] = size.to_bytes(4, "big")
    path.write_bytes(content)
    return bytes(content)
