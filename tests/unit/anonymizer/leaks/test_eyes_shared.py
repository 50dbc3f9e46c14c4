"""The eyes on real media: real people are found, and cars are nobody."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import Models, Settings
from anonymizer.leaks.eyes import Attackers, open_attackers
from anonymizer.settings import TextSettings

pytestmark = pytest.mark.shared

LONG_SIDE = 640
FRAMES_APART = 75


@pytest.fixture(scope="module")
def attackers(models: Models) -> Attackers:
    if models.full_range is None or models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return open_attackers(models, Settings(plates=TextSettings()), threads=1)


def picture_of(path: Path) -> npt.NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None
    share = LONG_SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, :, ::-1], np.uint8)


def test_nearly_everybody_who_is_not_covered_is_found(shared_media: Path, attackers: Attackers) -> None:
    people = sorted(folder for folder in (shared_media / "faces").iterdir() if folder.is_dir())
    assert len(people) > 15
    found = [
        attackers.look(np.ascontiguousarray(picture_of(sorted(folder.glob("*.jpg"))[0])), (), ()).faces_open
        for folder in people[::2]
    ]
    assert np.mean([bool(each) for each in found]) >= 0.9


def test_cars_from_above_are_nobody(shared_media: Path, attackers: Attackers) -> None:
    with av.open(str(shared_media / "video" / "cars_from_above_432p.mp4")) as container:
        frames = [
            frame.to_ndarray(format="rgb24")
            for place, frame in enumerate(container.decode(video=0))
            if place % FRAMES_APART == 0
        ]
    assert len(frames) > 4
    for frame in frames:
        found = attackers.look(frame, (), ())
        assert (found.faces_open, found.texts_open) == (0, 0)
