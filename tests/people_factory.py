"""Made pictures of a room and of figures that move in it; and one photograph of a person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from anonymizer.models import PLACES, RECOGNIZER

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WIDTH, HEIGHT = 640, 360


def room(seed: int = 1) -> Pixels:
    """Returns (360, 640, 3) uint8 RGB: a wall, a floor, some furniture, each with a texture."""
    random = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), (200, 205, 215), np.uint8)
    picture[230:] = (150, 95, 60)
    for left in range(0, WIDTH, 40):
        picture[230:, left : left + 3] = (110, 65, 40)
    for _ in range(12):
        x, y = int(random.integers(0, WIDTH - 60)), int(random.integers(20, 200))
        colour = tuple(int(v) for v in random.integers(30, 220, 3))
        cv2.rectangle(picture, (x, y), (x + int(random.integers(15, 60)), y + 40), colour, -1)
    return picture


def figure(picture: Pixels, x: float, feet: float, height: float, seed: int = 7) -> Mask:
    """Paints a textured figure into a picture, in place; returns where it is."""
    random = np.random.default_rng(seed)
    mask = np.zeros(picture.shape[:2], np.uint8)
    head = height / 7
    cv2.circle(mask, (round(x), round(feet - height + head)), round(head), 1, -1)
    body = np.array([[-0.16, -0.75], [0.16, -0.75], [0.13, 0], [0.02, 0], [0, -0.4], [-0.02, 0], [-0.13, 0]])
    cv2.fillPoly(mask, [np.round(body * height + (x, feet)).astype(np.int32)], 1)
    cloth = random.integers(20, 110, (12, 8, 3)).astype(np.uint8)
    texture = cv2.resize(cloth, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_NEAREST)
    where = mask.astype(np.bool_)
    picture[where] = texture[where]
    return where


def noisy(picture: Pixels, seed: int, strength: float = 2.0) -> Pixels:
    """Returns a picture with a camera's noise, another one for every seed."""
    height, width = picture.shape[:2]
    noise = np.roll(_grain(height, width), (seed * 131 % height, seed * 257 % width), axis=(0, 1))
    return np.asarray(np.clip(picture + noise * strength, 0, 255), np.uint8)


@lru_cache(maxsize=4)
def _grain(height: int, width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 1, (height, width, 3)).astype(np.float32)


def walk(count: int, empty: int = 10, step: float = 6) -> Iterator[tuple[Pixels, Mask]]:
    """Yields frames of a steady room: first empty ones, then somebody who walks from left to right."""
    for index in range(count):
        picture = room()
        mask = np.zeros(picture.shape[:2], np.bool_)
        if index >= empty:
            mask = figure(picture, 60 + step * (index - empty), 330, 200)
        yield noisy(picture, index), mask


def shaken(count: int, pixels: float = 9) -> Iterator[Pixels]:
    """Yields frames of an empty room by a camera that somebody holds."""
    random = np.random.default_rng(3)
    for index in range(count):
        dx, dy = random.uniform(-pixels, pixels, 2)
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = cv2.warpAffine(room(), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        yield noisy(np.asarray(moved, np.uint8), index)


def with_person(
    width: int, height: int, left: int, top: int, side: int, degrees: float = 0
) -> tuple[Pixels, Mask]:
    """Returns a picture in which the astronaut of scikit-image stands, and where her photograph lies."""
    photo = data.astronaut()
    scale = side / photo.shape[0]
    matrix = cv2.getRotationMatrix2D((photo.shape[1] / 2, photo.shape[0] / 2), degrees, scale)
    matrix[:, 2] += np.array([left + side / 2, top + side / 2]) - np.array(photo.shape[1::-1]) / 2
    picture = np.full((height, width, 3), 128, np.uint8)
    placed = cv2.warpAffine(photo, matrix, (width, height), dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    where = cv2.warpAffine(np.ones(photo.shape[:2], np.uint8), matrix, (width, height))
    return np.asarray(placed, np.uint8), where.astype(np.bool_)


def somebody_is_there(index: int) -> bool:
    """Tells whether somebody is in a frame of the shared clip of a steady camera, up to number 400."""
    return 60 <= index <= 202 or index >= 228


def installed_models() -> list[str]:
    """The names of Bauta's own models whose packages are here: one of them has no wheel for every Python."""
    names = [name for name, (package, _) in PLACES.items() if find_spec(package) is not None]
    return sorted([*names, *((RECOGNIZER,) if find_spec(RECOGNIZER) is not None else ())])
