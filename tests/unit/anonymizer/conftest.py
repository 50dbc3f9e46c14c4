"""Makes the test media and the real models available to the anonymizer's tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    Limits,
    Models,
    Report,
    Settings,
    anonymize,
    load_models,
)

Process = Callable[..., Report]


@pytest.fixture(scope="session")
def models() -> Models:
    """The real CenterFace, on the CPU."""
    return load_models(device="cpu")


@pytest.fixture
def process(models: Models) -> Process:
    """Anonymizes a file or bytes into a file; settings by keyword, those of FaceSettings too."""

    def run(
        source: Path | bytes,
        result: Path,
        *,
        limits: Limits | None = None,
        on_progress: Any = None,
        **chosen: Any,
    ) -> Report:
        faces = {name: chosen.pop(name) for name in list(chosen) if name in FaceSettings.__dataclass_fields__}
        settings = Settings(**({"mode": "fast", "audio": "keep"} | chosen), faces=FaceSettings(**faces))
        original = source if isinstance(source, bytes) else source.read_bytes()
        sink = io.BytesIO()
        try:
            return anonymize(
                io.BytesIO(original),
                sink,
                settings=settings,
                models=models,
                limits=limits or Limits(),
                on_progress=on_progress,
            )
        finally:
            result.write_bytes(sink.getvalue())

    return run


@pytest.fixture
def refused(process: Process, tmp_path: Path) -> Callable[..., None]:
    """Asserts that a file is refused with a code, and that nothing of it is in the sink."""

    def check(code: str, source: Path | bytes, **chosen: Any) -> None:
        result = tmp_path / "refused"
        with pytest.raises(AnonymizerError) as caught:
            process(source, result, **chosen)
        assert caught.value.code == code
        assert result.read_bytes() == b""

    return check
