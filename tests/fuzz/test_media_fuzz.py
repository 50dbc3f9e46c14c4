"""Damaged media gives a result or a code, never another exception, and never a result after an error."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymizer import AnonymizerError, Limits, Models, Settings, anonymize, load_models
from anonymizer.errors import MESSAGES
from tests.media_factory import KINDS, face_clip, face_image

SUFFIXES = [*KINDS, ".jpg", ".png", ".webp"]
QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@cache
def models() -> Models:
    return load_models("cpu")


@cache
def sample(suffix: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"in{suffix}"
        if suffix in KINDS:
            return face_clip(path, 0.3, 10, (64, 48)).read_bytes()
        return face_image(path, (64, 64), planted=True).read_bytes()


def attempt(content: bytes) -> None:
    sink, code = io.BytesIO(), ""
    limits = Limits(max_frame_pixels=256 * 256, max_frames=200, max_duration_seconds=60)
    chosen = Settings(mode="fast", audio="keep")
    try:
        anonymize(io.BytesIO(content), sink, settings=chosen, models=models(), limits=limits)
    except AnonymizerError as error:
        code = error.code
    assert code in MESSAGES or not code
    assert bool(sink.getvalue()) == (not code)


@pytest.mark.parametrize("suffix", SUFFIXES)
@QUICK
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_changed_bytes(suffix: str, changes: list[tuple[float, int]]) -> None:
    content = bytearray(sample(suffix))
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    attempt(bytes(content))


@pytest.mark.parametrize("suffix", SUFFIXES)
@QUICK
@given(start=st.floats(0, 1), length=st.integers(1, 2000), doubled=st.booleans())
def test_missing_and_doubled_parts(suffix: str, start: float, length: int, doubled: bool) -> None:
    content = sample(suffix)
    at = int(start * len(content))
    part = content[at : at + length]
    attempt(content[:at] + (part * 2 if doubled else b"") + content[at + length :])


@pytest.mark.parametrize("suffix", SUFFIXES)
@QUICK
@given(tail=st.binary(max_size=300), keep=st.integers(8, 64))
def test_a_true_beginning_and_anything_after(suffix: str, tail: bytes, keep: int) -> None:
    attempt(sample(suffix)[:keep] + tail)
