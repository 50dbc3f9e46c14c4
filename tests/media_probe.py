"""Reads results back with other decoders than ours: the ffmpeg that imageio-ffmpeg ships, and dlib."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import dlib
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def ffmpeg(*arguments: str, stdin: bytes | None = None) -> bytes:
    """Runs ffmpeg, which must find no fault, and returns what it writes to stdout."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-xerror", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert not done.stderr, done.stderr.decode(errors="replace")
    return done.stdout


def describe(path: Path) -> str:
    """Returns ffmpeg's description of a file, with every line of metadata it finds."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@dataclass(frozen=True)
class Timed:
    """One decoded frame: when, for how long, in seconds."""

    time: Fraction
    duration: Fraction


def times(path: Path, stream: str = "v:0") -> list[Timed]:
    """Returns the time of every decoded frame of one stream, exactly."""
    kind = ["-c:v", "rawvideo"] if stream.startswith("v") else ["-c:a", "pcm_s16le"]
    text = ffmpeg(
        "-noautorotate", "-i", str(path), "-map", f"0:{stream}", *kind, "-fps_mode", "passthrough",
        "-enc_time_base", "demux", "-copyts", "-f", "framecrc", "-",
    ).decode()  # fmt: skip
    tick = Fraction(re.findall(r"#tb 0: (\d+/\d+)", text)[0])
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return [Timed(int(row[2]) * tick, int(row[3]) * tick) for row in rows]


def pictures(path: Path) -> list[Pixels]:
    """Returns every frame as (H, W, 3) uint8 RGB, turned as the container says."""
    width, height = size_of(path)
    raw = ffmpeg(
        "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough",
        "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
    )  # fmt: skip
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def size_of(path: Path) -> tuple[int, int]:
    """Returns width and height as shown."""
    netpbm = ffmpeg(
        "-i", str(path), "-map", "0:v:0", "-frames:v", "1", "-c:v", "ppm", "-f", "image2pipe", "-"
    )
    head = io.BytesIO(netpbm).read(64).split()
    return int(head[1]), int(head[2])


def samples(path: Path, rate: int = 48000) -> npt.NDArray[np.float32]:
    """Returns the sound as mono samples, the container's start and holes included as silence."""
    raw = ffmpeg(
        "-i", str(path), "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0",
        "-ac", "1", "-ar", str(rate), "-f", "f32le", "-",
    )  # fmt: skip
    return np.frombuffer(raw, np.float32)


@cache
def _frontal_detector() -> dlib.fhog_object_detector:
    return dlib.get_frontal_face_detector()


def dlib_faces(picture: Pixels, upsample: int = 0) -> int:
    """Returns how many faces dlib's HOG detector, which shares nothing with ours, finds."""
    return len(_frontal_detector()(np.ascontiguousarray(picture), upsample))
