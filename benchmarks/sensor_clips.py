"""Clips as one camera makes them: made scenes, seen through a sensor with a fixed pattern, coded with H.264.

The pattern multiplies the light (Chen, Fridrich, Goljan, Lukas 2008), each channel its own; shot and
read noise come on top. Two kinds of scenes: an evenly lit sky, from which a pattern is learnt best, and a
room with books, cloth and a portrait, which the camera pans over, as recordings are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.demo_clip import background, portrait

Floats = npt.NDArray[np.float32]

WIDTH, HEIGHT = 1280, 720
RATE: Final = 25
# About a hundredth is what phones have.
STRENGTH: Final = 0.01
READ_NOISE, SHOT_NOISE = 0.8, 0.12
SPARE: Final = 512


@dataclass(frozen=True)
class Sensor:
    """A sensor's fixed pattern.

    Attributes:
        luma: (HEIGHT, WIDTH), the share by which a pixel is too sensitive.
        colours: (2, HEIGHT/2, WIDTH/2), the same for the colour planes.
    """

    luma: Floats
    colours: Floats

    @classmethod
    def made(cls, number: int) -> Sensor:
        """Makes one of many."""
        random = np.random.default_rng(number)
        luma = random.normal(0, STRENGTH, (HEIGHT, WIDTH)).astype(np.float32)
        # Averaged over four pixels, and the difference of two channels.
        colours = random.normal(0, STRENGTH / 2, (2, HEIGHT // 2, WIDTH // 2)).astype(np.float32)
        return cls(luma, colours)


def sky(number: int) -> Callable[[float], npt.NDArray[np.uint8]]:
    """Returns what is seen at a time: light that changes slowly over the picture."""
    phases = np.random.default_rng(number).uniform(0, 2 * math.pi, 2)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)

    def at(time: float) -> npt.NDArray[np.uint8]:
        light = 150 + 50 * np.sin(x / WIDTH * 3 + phases[0] + time * 0.7) * np.cos(
            y / HEIGHT * 2 + phases[1] + time * 0.4
        )
        return np.stack([light * 0.95, light, light * 1.05], 2).astype(np.uint8)

    return at


def room(number: int) -> Callable[[float], npt.NDArray[np.uint8]]:
    """Returns what is seen at a time: a room, half of it papered, and somebody in it."""
    random = np.random.default_rng(number)
    phases = random.uniform(0, 2 * math.pi, 4)
    wide = cv2.resize(background((WIDTH, HEIGHT)), None, fx=1.2, fy=1.2, interpolation=cv2.INTER_CUBIC)
    wide[:, wide.shape[1] // 3 : 2 * wide.shape[1] // 3] = _cloth(
        random, wide[:, wide.shape[1] // 3 : 2 * wide.shape[1] // 3]
    )
    side = HEIGHT * 3 // 5
    face, oval = (cv2.resize(each, (side, side)) for each in portrait())

    def at(time: float) -> npt.NDArray[np.uint8]:
        swing = [
            0.5 + 0.45 * math.sin(time * speed + p)
            for speed, p in zip((0.5, 0.37, 0.4, 0.6), phases, strict=True)
        ]
        left, top = (wide.shape[1] - WIDTH) * swing[0], (wide.shape[0] - HEIGHT) * swing[1]
        seen = cv2.warpAffine(wide, np.array([[1, 0, -left], [0, 1, -top]], np.float32), (WIDTH, HEIGHT))
        x, y = int((WIDTH - side) * swing[2]), int((HEIGHT - side) * swing[3])
        share = oval[:, :, None]
        behind = seen[y : y + side, x : x + side]
        behind[:] = (behind * (1 - share) + face * share).astype(np.uint8)
        return np.asarray(seen, np.uint8)

    return at


def record(
    path: Path, scene: Callable[[float], npt.NDArray[np.uint8]], sensor: Sensor, frames: int, seed: int
) -> None:
    """Records a scene."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((HEIGHT + SPARE, WIDTH + SPARE), np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "19", "preset": "veryfast"}
        for index in range(frames):
            sheet = cv2.cvtColor(scene(index / RATE), cv2.COLOR_RGB2YUV_I420)
            top, left = (int(at) for at in random.integers(0, SPARE, 2))
            fresh = noise[top : top + HEIGHT, left : left + WIDTH]
            light = sheet[:HEIGHT].astype(np.float32)
            light = light * (1 + sensor.luma) + fresh * (READ_NOISE + SHOT_NOISE * np.sqrt(light))
            sheet[:HEIGHT] = np.clip(np.rint(light), 0, 255)
            for plane, pattern in enumerate(sensor.colours):
                begins = HEIGHT + plane * HEIGHT // 4
                colour = sheet[begins : begins + HEIGHT // 4].reshape(HEIGHT // 2, WIDTH // 2)
                moved = colour + 128 * pattern + fresh[::2, ::2] * READ_NOISE
                colour[:] = np.clip(np.rint(moved), 0, 255)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sheet, format="yuv420p")))
        container.mux(stream.encode(None))


def _cloth(random: np.random.Generator, under: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Lays texture of every fineness upon a part of a picture, as cloth, grass and hair have it."""
    height, width = under.shape[:2]
    texture = np.zeros((height, width), np.float32)
    for fineness in (1, 2, 4, 8, 16):
        coarse = random.normal(0, 1, (height // fineness + 1, width // fineness + 1)).astype(np.float32)
        texture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * (2.0 + fineness)
    return np.clip(under + texture[:, :, None], 0, 255).astype(np.uint8)
