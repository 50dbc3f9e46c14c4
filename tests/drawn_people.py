"""Faces of nobody, for tests: people with a look each, drawn again and again in other poses and light.

A person is the looks of a persona (anonymizer/effects/persona), which come from a seed; so there are as many
people as a test wants, and a detector finds them. With them comes a recognizer of a page that knows them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects.persona.identity import look_of
from anonymizer.effects.persona.portrait import Portrait
from anonymizer.landmarks.expression import AT_REST, Pose
from evaluation.faces.gathering import Sample
from evaluation.faces.recognizers import Cut, Vectors, unit_rows

Pixels = npt.NDArray[np.uint8]
SIDE = 160
# Where the face stands in every picture, but for what its pose shifts.
BOX = Box(44, 46, 116, 136)
CHIP = 48
ROOM = 100
GRID = 6


@cache
def photograph(person: int, number: int) -> Pixels:
    """Returns somebody as (160, 160, 3) uint8 RGB: each number another pose, light and background."""
    generator = np.random.default_rng(1000 * person + number)
    look = look_of(hashlib.sha256(f"made {person}".encode()).digest())
    yaw, pitch, roll = generator.uniform(-0.12, 0.12, 3)
    x, y = generator.uniform(-1.5, 1.5, 2)
    pose = Pose(SIDE / 2 + x, SIDE / 2 + 8 + y, 78, yaw, pitch, roll)
    drawn = Portrait(look).draw(pose, AT_REST, 1.0, SIDE, SIDE).astype(np.float32)
    behind = np.full((SIDE, SIDE, 3), generator.uniform(60, 200, 3), np.float32)
    picture = drawn[:, :, :3] + behind * (1 - drawn[:, :, 3:] / 255)
    picture = picture * generator.uniform(0.85, 1.1) + generator.normal(0, 3, picture.shape)
    return np.asarray(picture.clip(0, 255), np.uint8)


def write_people(folder: Path, people: int, pictures: int) -> None:
    """Writes PERSON/PICTURE.png of everybody."""
    for person in range(people):
        for number in range(pictures):
            path = folder / f"somebody-{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            # Detectors want some room around a face.
            roomy = cv2.copyMakeBorder(photograph(person, number), *(ROOM,) * 4, cv2.BORDER_REPLICATE)
            cv2.imwrite(str(path), cv2.resize(roomy, None, fx=1.5, fy=1.5)[:, :, ::-1])


def write_film(path: Path, pictures: Sequence[Pixels]) -> None:
    """Writes an MP4 of ten pictures a second, of even sizes."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=10, options={"crf": "12", "preset": "veryfast"})
        video.height, video.width, video.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    path.write_bytes(made.getvalue())


class MadeRecognizer:
    """Knows made people by a coarse picture of their face, whatever the light."""

    name = "made"
    sha256 = "0" * 64
    same_above = 0.8

    def place(self, original: Pixels, box: Box) -> Cut | None:
        inner = box.scaled(0.85)

        def cut(picture: Pixels) -> Pixels:
            assert picture.shape == original.shape
            rows, columns = (
                slice(max(0, round(first)), round(last))
                for first, last in ((inner.y1, inner.y2), (inner.x1, inner.x2))
            )
            part = np.ascontiguousarray(picture[rows, columns])
            return np.asarray(cv2.resize(part, (CHIP, CHIP), interpolation=cv2.INTER_AREA), np.uint8)

        return cut

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        small = [cv2.resize(chip, (GRID, GRID), interpolation=cv2.INTER_AREA) for chip in chips]
        values = np.array(small, np.float64).reshape(len(chips), -1)
        shades = values / np.maximum(values.mean(axis=1, keepdims=True), 1) - 1
        # What is even all over still has a direction: the same one for everybody.
        return unit_rows(np.concatenate([shades, np.ones((len(chips), 1))], axis=1))


def samples(people: int, pictures: int, effect: Callable[[Pixels], Pixels]) -> list[Sample]:
    """Returns made people as samples; the effect is given the whole picture."""
    recognizer, made = MadeRecognizer(), []
    for person in range(people):
        for number in range(pictures):
            original = photograph(person, number)
            cut = recognizer.place(original, BOX)
            assert cut is not None
            chips = {("made", "original"): cut(original), ("made", "anonymized"): cut(effect(original))}
            made.append(Sample(f"{person}/{number}", f"p{person:02}", 0.0, BOX.width, chips))
    return made


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Hears of progress, and says nothing."""
