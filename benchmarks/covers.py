"""What ours and what deface covers of a clip, frame by frame, as masks.

Ours is known twice: from the covers that the anonymizer's trackers ask for, and from the pixels of the
result, where the effect is solid grey. deface's own functions run here as its command runs them, with its
defaults; it draws into a frame of noise, so that every pixel that it changes shows.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import av
import numpy as np

from anonymizer import FaceSettings, Limits, Settings, anonymize, load_models
from anonymizer.boxes import Box
from anonymizer.effects.region import region_of
from anonymizer.track.tracker import Tracker
from anonymizer.video.picture import NEUTRAL_CHROMA, NEUTRAL_LUMA, plane_array
from benchmarks.scoring import Mask

ModeName = Literal["original", "quality", "balanced", "fast"]

# What the encoder may change of solid grey, of 255.
GREY_TOLERANCE: Final = 8

DEFACE_THRESHOLD: Final = 0.2
DEFACE_SCALE: Final = 1.3
DEFACE_MOSAIC: Final = 20


def ours(clip: Path, mode: ModeName) -> tuple[int, Iterator[tuple[Mask, Mask]]]:
    """Anonymizes a clip with the defaults of a mode and a solid cover.

    Returns:
        The number of faces followed; and for each frame what the trackers asked for and what is grey in the
        result, both (H, W).
    """
    faces = FaceSettings(effect="solid")
    result = io.BytesIO()
    with _recorded_covers() as asked_for, clip.open("rb") as source:
        report = anonymize(
            source,
            result,
            settings=Settings(mode=mode, faces=faces),
            models=load_models(device="cpu"),
            limits=Limits(),
        )
    result.seek(0)
    return report.tracks, _masks(result, asked_for, faces)


def _masks(
    result: io.BytesIO, asked_for: dict[int, list[Box]], faces: FaceSettings
) -> Iterator[tuple[Mask, Mask]]:
    with av.open(result, "r") as container:
        for index, frame in enumerate(container.decode(video=0)):
            yield mask_of(asked_for[index], faces, frame.width, frame.height), grey_of(frame)


@contextlib.contextmanager
def _recorded_covers() -> Iterator[dict[int, list[Box]]]:
    """Writes down what every tracker asks to cover, by frame, while the block runs."""
    recorded: dict[int, list[Box]] = defaultdict(list)
    covers = Tracker.covers

    def recording(tracker: Tracker, index: int, time: float) -> list[tuple[int, Box]]:
        asked_for = covers(tracker, index, time)
        recorded[index] += [box for _, box in asked_for]
        return asked_for

    # A tracker is made deep inside a job, and the product needs no door to it.
    setattr(Tracker, "covers", recording)  # noqa: B010 - what it replaces stays typed
    try:
        yield recorded
    finally:
        setattr(Tracker, "covers", covers)  # noqa: B010 - as above


def mask_of(boxes: list[Box], faces: FaceSettings, width: int, height: int) -> Mask:
    """Returns what covers of these boxes, before any scaling, hide of a picture: (H, W)."""
    mask = np.zeros((height, width), np.bool_)
    for box in boxes:
        region = region_of(box, faces.scale, faces.shape, width, height)
        if region is not None:
            fine = region.coarse.repeat(2, axis=0).repeat(2, axis=1)
            top, left = region.top * 2, region.left * 2
            view = mask[top : top + fine.shape[0], left : left + fine.shape[1]]
            view |= fine[: view.shape[0], : view.shape[1]]
    return mask


def grey_of(frame: av.VideoFrame) -> Mask:
    """Returns what of a yuv420p frame is neutral grey: (H, W)."""
    luma, *colours = (plane_array(frame, i).astype(np.int16) for i in range(3))
    grey = np.abs(luma - NEUTRAL_LUMA) <= GREY_TOLERANCE
    for plane in colours:
        near = np.abs(plane - NEUTRAL_CHROMA) <= GREY_TOLERANCE
        grey &= near.repeat(2, axis=0).repeat(2, axis=1)[: grey.shape[0], : grey.shape[1]]
    return np.asarray(grey, np.bool_)


def deface(clip: Path) -> Iterator[Mask]:
    """Yields what deface changes in each frame with its defaults."""
    from deface.centerface import CenterFace
    from deface.deface import anonymize_frame

    with contextlib.redirect_stdout(io.StringIO()):
        network = CenterFace()
    noise = np.zeros((0, 0, 3), np.uint8)
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            pixels = frame.to_ndarray(format="rgb24")
            found, _ = network(pixels, threshold=DEFACE_THRESHOLD)
            if not noise.size:
                noise = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
            drawn = noise.copy()
            anonymize_frame(found, drawn, DEFACE_SCALE, "blur", True, False, None, DEFACE_MOSAIC)
            yield np.asarray((drawn != noise).any(axis=2), np.bool_)
