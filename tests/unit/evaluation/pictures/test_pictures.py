"""Likeness, flicker and motion of pictures, against what they are by definition."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from evaluation.errors import EvaluationError
from evaluation.pictures import likeness, perceptual, telling
from evaluation.pictures.evaluating import evaluate_pictures
from evaluation.pictures.motion import flicker, motion_agreement
from tests.drawn_people import photograph, quiet, write_film

Pixels = npt.NDArray[np.uint8]


def noisy(picture: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 12, picture.shape)
    return np.asarray((picture + noise).clip(0, 255), np.uint8)


def test_figures_are_scikit_images() -> None:
    original = photograph(0, 0)
    result = noisy(original)
    theirs = structural_similarity(
        likeness.luma(original).astype(float), likeness.luma(result).astype(float),
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
    )  # fmt: skip
    assert likeness.structural_similarity(original, result) == pytest.approx(theirs, abs=2e-3)
    assert likeness.signal_to_noise(original, result) == pytest.approx(
        peak_signal_noise_ratio(original, result)
    )
    assert likeness.signal_to_noise(original, original) == math.inf
    assert likeness.structural_similarity(original, original) == 1.0
    assert likeness.structural_similarity(original[:8], original[:8]) is None


def shifted(picture: Pixels, across: int) -> Pixels:
    return np.asarray(np.roll(picture, across, axis=1), np.uint8)


def test_what_moves_alike_agrees_and_what_stands_does_not() -> None:
    grey = np.asarray(cv2.resize(likeness.luma(photograph(0, 0)), (320, 320)), np.uint8)
    moved = shifted(grey, 3)
    assert motion_agreement((grey, grey), (grey, moved)) is None
    same = motion_agreement((grey, moved), (grey, moved))
    standing = motion_agreement((grey, moved), (grey, grey))
    against = motion_agreement((grey, moved), (moved, grey))
    assert same == pytest.approx(1)
    assert standing is not None
    assert standing < 0.1
    assert against is not None
    assert against < 0.2


def test_flicker_is_what_the_original_does_not_do() -> None:
    grey = likeness.luma(photograph(0, 0))
    brighter = np.asarray(np.minimum(grey, 245) + 10, np.uint8)
    assert flicker((grey, brighter), (grey, grey)) == 0
    assert flicker((grey, brighter), (grey, brighter)) == 0
    assert flicker((grey, grey), (grey, brighter)) == pytest.approx(10, abs=0.5)


def test_a_folder_of_stills_and_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, change in (("before", 0), ("after", 40)):
        folder = tmp_path / name
        folder.mkdir()
        frames = [shifted(photograph(1, 0), 2 * number) for number in range(12)]
        for number, frame in enumerate(frames):
            # Every other frame is darker in the result: that flickers.
            frame[40:120, 40:120] -= np.minimum(frame[40:120, 40:120], change * (number % 2))
        write_film(folder / "film.mp4", frames)
        cv2.imwrite(str(folder / "still.png"), photograph(2, 0))
    (tmp_path / "before" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "after" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    monkeypatch.setattr(perceptual, "BACKBONE", "not-there-0.pth")
    found = evaluate_pictures(tmp_path / "before", tmp_path / "after", poses=False, on_progress=quiet)
    assert (found.files, found.unreadable, found.unchanged) == (2, 1, 1)
    assert found.ssim is not None
    assert found.ssim_worst is not None
    assert found.ssim_worst < 0.99
    assert found.ssim_worst <= found.ssim.mean.within.low <= found.ssim.mean.value < 1
    assert found.ssim.mean.within.high == 1, "drawn twice, the still is all there is"
    assert found.flicker is not None
    assert found.flicker.mean.value > 3
    assert found.flicker.drawn == 1
    assert found.motion is not None
    told = "\n".join(telling.lines(found))
    assert "Of one recording: intervals" in told
    for what in ("LPIPS", "Poses", "Actions"):
        assert f"{what}: not measured" in told
    document = found.document()
    assert document["distance"] == document["poses"] == document["actions"] == "not measured"
    assert document["ssim"]["small_sample"] is True
    with pytest.raises(EvaluationError) as refused:
        evaluate_pictures(
            tmp_path / "before" / "film.mp4", tmp_path / "before" / "still.png", on_progress=quiet
        )
    assert refused.value.code == "comparison_mismatch"
