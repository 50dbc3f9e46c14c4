"""Whoever hands over a part hands over a folder, and it is looked at in there: nothing of it may run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.pieces.decoding import decoded
from evaluation.pieces.records import Frame


@pytest.mark.parametrize("search", ["", ":", "{folder}:"])
def test_the_decoder_imports_nothing_from_the_working_folder(
    search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, planted = tmp_path / "elsewhere", tmp_path / "unpacked"
    trap = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"
    for name in ("av.py", "cv2.py", "evaluation/__init__.py", "anonymizer/__init__.py", "struct.py"):
        module = planted / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(trap)
    elsewhere.mkdir()
    cv2.imwrite(str(planted / "part.png"), np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setenv("PYTHONPATH", search.format(folder=elsewhere))
    monkeypatch.chdir(planted)
    with decoded(Path("part.png")) as records:
        told = list(records)
    assert not (tmp_path / "ran").exists()
    assert [type(record) for record in told] == [Frame]
