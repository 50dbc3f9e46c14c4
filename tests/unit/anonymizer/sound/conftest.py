"""The real networks, and made speech, for tests of sound."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anonymizer import Limits, Models, Report, Settings, anonymize, load_models

Made = tuple[Report, bytes]
Make = Callable[..., Made]


@pytest.fixture(scope="session")
def models() -> Models:
    """All networks that are installed, on the CPU."""
    return load_models(device="cpu")


@pytest.fixture(scope="session")
def make(models: Models) -> Make:
    """Anonymizes a file; settings by keyword."""

    def run(source: Path | bytes, *, limits: Limits | None = None, **chosen: Any) -> Made:
        review = chosen.pop("review", None)
        original = source if isinstance(source, bytes) else source.read_bytes()
        sink = io.BytesIO()
        # What is measured is measured on the same masks each time; that others are drawn is shown elsewhere.
        usual = {"mode": "fast", "audio": "anonymize", "threads": 1, "personas": bytes(range(32))}
        settings = Settings(**(usual | chosen))
        report = anonymize(
            io.BytesIO(original),
            sink,
            settings=settings,
            models=models,
            limits=limits or Limits(),
            review=review,
        )
        return report, sink.getvalue()

    return run
