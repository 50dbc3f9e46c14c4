"""Makes a clip with a real, moving face on the spot: `python -m benchmarks.demo_clip OUT.mp4 [--seconds 8]`.

The face is NASA's portrait of Eileen Collins (public domain), which scikit-image ships. It drifts and grows,
leaves the frame on the right, comes back from the left, and shrinks, so that a tracker has something to do.
The sound is speech that nobody spoke: the fable of the north wind and the sun, by a voice of espeak-ng's.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly
from skimage import data

from anonymizer.voice import SPEECH_RATE
from evaluation.voice_training.speaking import by_espeak

Pixels = npt.NDArray[np.uint8]

PORTRAIT_ROWS = slice(0, 310)
PORTRAIT_COLUMNS = slice(70, 380)
SAMPLE_RATE = 48000
FABLE = (
    "the north wind and the sun were arguing which of them was the stronger",
    "when a traveller came along wrapped in a warm cloak",
    "they agreed that the one who first made him take it off should be considered stronger than the other",
)


def portrait() -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Returns the head and shoulders, (310, 310, 3) RGB, and a soft oval mask in 0..1 of the same size."""
    picture = np.ascontiguousarray(data.astronaut()[PORTRAIT_ROWS, PORTRAIT_COLUMNS])
    height, width = picture.shape[:2]
    oval = np.zeros((height, width), np.float32)
    cv2.ellipse(oval, (width // 2, height // 2), (width // 2 - 24, height // 2 - 24), 0, 0, 360, 1.0, -1)
    return picture, cv2.GaussianBlur(oval, (0, 0), 9)


def background(size: tuple[int, int]) -> Pixels:
    """Returns a plain room with shelves, half again as wide as the picture so that the camera can pan."""
    width, height = size[0] * 3 // 2, size[1]
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    room = (np.array([196, 205, 214]) * (1 - ramp) + np.array([96, 104, 120]) * ramp).repeat(width, axis=1)
    image = room.astype(np.uint8)
    colours = np.random.default_rng(7).integers(60, 200, (400, 3))
    book = max(4, width // 90)
    for shelf in (height // 5, height // 2):
        cv2.rectangle(image, (0, shelf), (width, shelf + max(2, height // 60)), (92, 70, 52), -1)
        for i, left in enumerate(range(0, width, book + 2)):
            top = shelf - height // 12 - (i * 37 % max(1, height // 20))
            colour = tuple(int(c) for c in colours[(i + shelf) % 400])
            cv2.rectangle(image, (left, top), (left + book, shelf - 1), colour, -1)
    return image


def place(share: float) -> tuple[float, float, float]:
    """Returns centre x, centre y and height of the portrait, as shares of the frame, at a share of the clip.

    Before 0.55 it drifts to the right and grows; it is fully outside between about 0.55 and 0.65.
    """
    if share < 0.6:
        part = share / 0.6
        return 0.3 + 1.1 * part**2, 0.52 - 0.06 * math.sin(5 * part), 0.55 + 0.35 * part
    part = (share - 0.6) / 0.4
    return -0.3 + 0.9 * math.sqrt(part), 0.5 + 0.05 * math.sin(6 * part), 0.95 - 0.45 * part


def frames(seconds: float, fps: int | Fraction, size: tuple[int, int]) -> Iterator[Pixels]:
    """Yields every frame, (H, W, 3) uint8 RGB."""
    width, height = size
    picture, oval = portrait()
    room = background(size)
    count = max(1, round(seconds * fps))
    for index in range(count):
        share = index / count
        pan = int((room.shape[1] - width) * (0.5 + 0.5 * math.sin(2 * math.pi * share)))
        frame = room[:, pan : pan + width].astype(np.float32)
        centre_x, centre_y, tall = place(share)
        zoom = tall * height / picture.shape[0]
        matrix = np.array(
            [
                [zoom, 0, centre_x * width - zoom * picture.shape[1] / 2],
                [0, zoom, centre_y * height - zoom * picture.shape[0] / 2],
            ]
        )
        mask = cv2.warpAffine(oval, matrix, size)[:, :, None]
        frame = frame * (1 - mask) + cv2.warpAffine(picture, matrix, size).astype(np.float32) * mask
        yield frame.clip(0, 255).astype(np.uint8)


def voice(seconds: float, rate: int = SAMPLE_RATE) -> npt.NDArray[np.float32]:
    """Returns mono samples in -1..1 that sound like somebody mumbling."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * np.cumsum(130 + 25 * np.sin(2 * np.pi * 0.7 * time)) / rate
    sound = sum(np.sin(k * pitch) * math.exp(-(((k * 130 - 600) / 700) ** 2)) for k in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * 3.7 * time), 0, 1) * np.clip(
        np.sin(2 * np.pi * 0.45 * time + 1), 0, 1
    )
    loud = np.asarray(sound * envelope, np.float32)
    return loud / max(1e-6, float(np.abs(loud).max())) * np.float32(0.5)


def speech(seconds: float, rate: int = SAMPLE_RATE) -> npt.NDArray[np.float32]:
    """Returns mono samples in -1..1 of somebody who tells the fable, again and again."""
    told = np.concatenate([by_espeak("m3", sentence, pitch=40).speech for sentence in FABLE])
    told = resample_poly(told, rate, SPEECH_RATE)
    return np.resize(told / np.abs(told).max() / 2, round(seconds * rate)).astype(np.float32)


def write_clip(path: Path, seconds: float = 8, fps: int = 25, size: tuple[int, int] = (1280, 720)) -> None:
    """Writes the clip as H.264 and AAC in an MP4."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "20", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = size[0], size[1], "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for index, pixels in enumerate(frames(seconds, fps, size)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(speech(seconds)[None], format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))


def main() -> None:
    """Reads the command line and writes the clip."""
    parser = argparse.ArgumentParser(description="Make a clip with a moving face, for demonstrations.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=8)
    chosen = parser.parse_args()
    write_clip(chosen.out, chosen.seconds)


if __name__ == "__main__":
    main()
