"""Anonymizes bytes, by the anonymizer alone: what it does not write, nobody after it can."""

from __future__ import annotations

import io
from functools import cache
from typing import Literal

from anonymizer import Limits, Models, Settings, anonymize, load_models


@cache
def _models() -> Models:
    return load_models(device="cpu")


def anonymized(original: bytes, captured: Literal["remove", "month"] = "remove") -> bytes:
    """Returns the result, with sound."""
    sink = io.BytesIO()
    # One thread: with more, x264 may divide its work differently from run to run.
    settings = Settings(mode="fast", audio="keep", captured=captured, threads=1)
    anonymize(io.BytesIO(original), sink, settings=settings, models=_models(), limits=Limits())
    return sink.getvalue()
