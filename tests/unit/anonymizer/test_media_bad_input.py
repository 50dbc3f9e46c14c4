"""Bad input gives one clear code, in little time, and nothing in the sink."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError, FaceSettings, Limits, Models, Settings, anonymize
from tests.media_factory import (
    KINDS,
    avi_claiming,
    endless_gif,
    face_clip,
    face_image,
    gif_bomb,
    png_claiming,
    referring_mov,
    sound_only_mp4,
    truncated,
)
from tests.media_probe import ffmpeg

UNKNOWN = {
    "a text file": b"Dear diary, nobody knows my name.\n" * 100,
    "one byte": b"\0",
    "zeros": bytes(5000),
    "a program": b"\x7fELF" + bytes(500),
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a DASH manifest": b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/</BaseURL></MPD>",
    "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "a MIDI file": b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk" + bytes(100),
    "an MPEG stream": b"\x47" + bytes(187) + b"\x47" + bytes(187),
}


@pytest.mark.parametrize("content", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_media_is_refused(refused, content: bytes) -> None:
    refused("media_unknown_format", content)


def test_an_empty_file(refused) -> None:
    refused("media_empty", b"")


@pytest.mark.parametrize("suffix", [*KINDS, ".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file(refused, tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"in{suffix}"
    if suffix in KINDS:
        face_clip(path, 1, 10, (160, 90))
    else:
        face_image(path, (128, 128))
    refused("media_truncated", truncated(path, share))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_whose_index_came_first_and_whose_end_is_missing(refused, tmp_path: Path, suffix: str) -> None:
    plain = face_clip(tmp_path / "plain.mp4", 2, 25, (320, 180))
    original = tmp_path / f"in{suffix}"
    ffmpeg("-i", str(plain), "-c", "copy", "-movflags", "+faststart", str(original))
    refused("media_truncated", truncated(original, 0.7))


@pytest.mark.parametrize("code", ["media_corrupt", "media_truncated"])
def test_a_frame_that_cannot_be_decoded_is_never_concealed(process, tmp_path: Path, code: str) -> None:
    original = bytearray(face_clip(tmp_path / "in.mp4", 2, 25, (320, 180), audio=False).read_bytes())
    at = original.index(b"mdat") + 4
    middle = at + (original.index(b"moov") - at) // 2
    rng = np.random.default_rng(1)
    if code == "media_corrupt":
        original[middle : middle + 3000] = rng.bytes(3000)
    else:
        # The frames' sizes in the index say more than there is.
        sizes = original.index(b"stsz") + 16
        original[sizes + 40 * 4 : sizes + 41 * 4] = (1 << 28).to_bytes(4, "big")
    with pytest.raises(AnonymizerError) as caught:
        process(bytes(original), tmp_path / "out")
    assert caught.value.code in {"media_corrupt", "media_truncated"}
    assert (tmp_path / "out").read_bytes() == b""


def test_an_mp4_of_sound_alone_where_all_sound_goes(refused, tmp_path: Path) -> None:
    refused("media_no_video", sound_only_mp4(tmp_path / "in.mp4"), audio="remove")


def test_cover_art_is_no_picture(refused, process, tmp_path: Path) -> None:
    sound = sound_only_mp4(tmp_path / "sound.mp4")
    cover = face_image(tmp_path / "cover.png", (64, 64))
    original = tmp_path / "in.mp4"
    inputs = ["-i", str(sound), "-i", str(cover), "-map", "0", "-map", "1", "-c", "copy"]
    ffmpeg(*inputs, "-disposition:v", "attached_pic", str(original))
    refused("media_no_video", original, audio="remove")
    result = tmp_path / "out.m4a"
    assert process(original, result).media_type == "audio/mp4"
    assert [stream.type for stream in av.open(str(result)).streams] == ["audio"]


SIZES = {
    "a GIF bomb": (gif_bomb(), "media_too_large"),
    "a GIF of no size": (gif_bomb(0, 0), "media_corrupt"),
    "a PNG of 20,000 x 20,000": (png_claiming(20_000, 20_000), "media_too_large"),
    "a PNG of no size": (png_claiming(0, 0), "media_corrupt"),
}


@pytest.mark.parametrize(("content", "code"), SIZES.values(), ids=SIZES)
def test_absurd_sizes(refused, content: bytes, code: str) -> None:
    refused(code, content)


@pytest.mark.parametrize(
    ("width", "height", "code"), [(20_000, 20_000, "media_too_large"), (0, 0, "media_corrupt")]
)
def test_absurd_sizes_in_a_video_header(refused, tmp_path: Path, width: int, height: int, code: str) -> None:
    refused(code, avi_claiming(tmp_path / "in.avi", width, height))


def test_a_real_frame_over_the_limit(refused, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 0.3, 10, (320, 180))
    refused("media_too_large", original, limits=Limits(max_frame_pixels=320 * 180 - 1))
    still = face_image(tmp_path / "in.png", (64, 64))
    refused("media_too_large", still, limits=Limits(max_frame_pixels=64 * 64 - 1))
    refused("media_too_large", still, limits=Limits(max_still_bytes=still.stat().st_size - 1))


def test_too_many_frames(refused, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 25, (160, 90))
    refused("media_too_long", original, limits=Limits(max_frames=24))
    refused("media_too_long", endless_gif(5000), limits=Limits(max_frames=4999))


def test_too_long(refused, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mkv", times_ms=[0, 40, 80, 86_400_000], size=(160, 90), audio=False)
    refused("media_too_long", original)


def test_a_tiny_gif_with_many_frames_is_fine_within_the_limits(process, tmp_path: Path) -> None:
    assert process(endless_gif(300), tmp_path / "out.mp4").frames == 300


@pytest.mark.parametrize("name", ["heic", "avif"])
def test_stills_in_an_mp4_like_box_are_refused(refused, name: str) -> None:
    content = b"\0\0\0\x18ftyp" + name.encode() + bytes(12)
    refused("media_unsupported", content)


def test_a_codec_that_is_not_on_the_list(refused, tmp_path: Path) -> None:
    original = tmp_path / "in.mkv"
    plain = face_clip(tmp_path / "plain.mp4", 0.3, 10, (160, 90), audio=False)
    ffmpeg("-i", str(plain), "-c:v", "png", str(original))
    refused("media_unsupported", original)


def test_a_mov_that_refers_to_another_file_cannot_reach_it(refused, tmp_path: Path) -> None:
    secret = face_clip(tmp_path / "secret.mov", 0.5, 10, (160, 90), audio=False)
    trap = tmp_path / "in.mov"
    content = referring_mov(trap, secret)
    opened = ffmpeg("-enable_drefs", "1", "-i", str(trap), "-f", "framecrc", "-")
    assert opened.count(b"\n0,") == 5, "the trap would not work on anybody"
    refused("media_no_video", content)


def test_a_failing_source_shows_its_own_error(models: Models, tmp_path: Path) -> None:
    content = face_clip(tmp_path / "in.mp4", 1, 25, (320, 180)).read_bytes()

    class SealBrokenError(Exception):
        pass

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > len(content) // 3 and (size or 0) > 64:
                raise SealBrokenError
            return super().read(size)

    with pytest.raises(SealBrokenError):
        anonymize(Broken(content), io.BytesIO(), settings=Settings(), models=models, limits=Limits())


@pytest.mark.parametrize("after_bytes", [0, 100, 20_000])
def test_a_full_disk_shows_its_own_error(models: Models, tmp_path: Path, after_bytes: int) -> None:
    content = face_clip(tmp_path / "in.mp4", 2, 25, (320, 180)).read_bytes()

    class Full(io.BytesIO):
        def write(self, chunk: bytes) -> int:  # type: ignore[override]  # a buffer is all that comes
            if self.tell() + len(chunk) > after_bytes:
                raise OSError(28, "No space left on device")
            return super().write(chunk)

    with pytest.raises(OSError, match="No space left"):
        anonymize(
            io.BytesIO(content), Full(), settings=Settings(mode="original"), models=models, limits=Limits()
        )


BAD_SETTINGS = [
    {"scale": 0.5},
    {"scale": float("nan")},
    {"threshold": 0},
    {"passes": 4},
    {"effect": "emoji"},
    {"shape": "star"},
    {"linger_seconds": -1},
    {"lookahead_seconds": float("inf")},
]


@pytest.mark.parametrize("chosen", BAD_SETTINGS, ids=str)
def test_settings_out_of_range(chosen: dict[str, object]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        Settings(faces=FaceSettings(**chosen))  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.code == "settings_invalid"


def test_an_unknown_mode() -> None:
    with pytest.raises(AnonymizerError) as caught:
        Settings(mode="turbo")  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.code == "settings_invalid"


def test_nothing_is_written_to_the_terminal(
    process, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    original = bytearray(face_clip(tmp_path / "in.mp4", 1, 25, (320, 180)).read_bytes())
    original[3000:4000] = bytes(1000)
    with pytest.raises(AnonymizerError):
        process(bytes(original), tmp_path / "out")
    broken = face_image(tmp_path / "in.jpg").read_bytes()
    broken = broken[:5000] + broken[9000:]
    with pytest.raises(AnonymizerError):
        process(broken, tmp_path / "out")
    with av.open(io.BytesIO(endless_gif(3))):
        pass
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == ""
