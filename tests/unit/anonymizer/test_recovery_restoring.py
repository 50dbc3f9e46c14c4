"""Regions put back into an anonymized video: to the bit, for a while, and only where nobody else is."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from anonymizer import AnonymizerError, Limits
from anonymizer.effects import solid
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import apply
from anonymizer.recovery import beneath_of
from anonymizer.recovery.restoring import Restored, restore
from anonymizer.still import planes_of
from tests.disclosure_world import FPS, Clip, Pixels, clip, covers_at, frames_of, outline, two_people


def restored(
    made: Clip, tracks: Sequence[int], stretches: Sequence[tuple[int, int]]
) -> tuple[Restored, list[list[Pixels]]]:
    """What comes out when these are released."""
    sink = io.BytesIO()
    released = {track: iter([frame[track] for frame in made.beneath]) for track in tracks}
    done = restore(io.BytesIO(made.result), "video/mp4", sink, released, stretches, Limits())
    return done, frames_of(sink.getvalue())


def test_the_stretches_come_out_and_nothing_else() -> None:
    made = clip()
    done, frames = restored(made, (1,), ((200, 400), (1000, 1040)))
    assert (done.frames, done.frames_restored) == (6, 6)
    for number, planes in zip((5, 6, 7, 8, 9, 25), frames, strict=True):
        for plane, pixels in enumerate(planes):
            mask = outline(made.beneath[number][1], plane, pixels.shape)
            assert np.array_equal(pixels[mask], made.originals[number][plane][mask])


def test_where_covers_reach_into_each_other_both_must_be_released() -> None:
    made = clip(together=True)
    covered = frames_of(made.result)
    stretch = ((0, 400),)
    _, one = restored(made, (1,), stretch)
    _, both = restored(made, (1, 2), stretch)
    shared = 0
    for number in range(FPS * 400 // 1000):
        beneath = made.beneath[number]
        for plane, original in enumerate(made.originals[number]):
            first, second = (outline(beneath[track], plane, original.shape) for track in (1, 2))
            shared += int((first & second).sum())
            assert np.array_equal(one[number][plane][first & ~second], original[first & ~second])
            # What the second one's cover hides too stays as the result has it.
            assert np.array_equal(one[number][plane][second], covered[number][plane][second])
            assert np.array_equal(both[number][plane][first | second], original[first | second])
    assert shared > 10_000


def test_a_still_comes_out_as_png() -> None:
    original = np.ascontiguousarray(two_people(0)[:, :, ::-1])
    covered = original.copy()
    planes = planes_of(covered)
    scene = Scene(planes, covered.shape[1], covered.shape[0], 0.0, 0)
    covers = covers_at(0)
    beneath = beneath_of(scene, covers, 0)
    for cover in covers:
        apply(solid.cover, cover.region, planes)
    done, encoded = cv2.imencode(".png", covered)
    assert done
    sink = io.BytesIO()
    released = {1: iter([beneath[1]])}
    said = restore(io.BytesIO(bytes(encoded)), "image/png", sink, released, ((0, 1),), Limits())
    assert said == Restored("image/png", 1, 1)
    shown = cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    for channel in range(3):
        # A still's planes are all fine: a coarse sample is two by two of each.
        mask, other = (outline(beneath[track], 0, shown.shape[:2]) for track in (1, 2))
        assert np.array_equal(shown[:, :, channel][mask], original[:, :, channel][mask])
        assert (shown[:, :, channel][other] == 128).all()


@pytest.mark.parametrize(
    ("media_type", "stretches", "code"),
    [
        ("video/mp4", ((60_000, 61_000),), "media_empty"),
        ("audio/mp4", ((0, 1000),), "media_unsupported"),
        ("image/png", ((5, 1000),), "media_empty"),
    ],
)
def test_what_cannot_be_restored_is_refused(
    media_type: str, stretches: Sequence[tuple[int, int]], code: str
) -> None:
    with pytest.raises(AnonymizerError) as refused:
        restore(io.BytesIO(clip().result), media_type, io.BytesIO(), {}, stretches, Limits())
    assert refused.value.code == code
