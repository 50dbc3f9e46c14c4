"""Roles of the shipped policies, given in a review: consent in `telehealth`, none for people in danger."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import media_factory
import numpy as np
import numpy.typing as npt
import pytest
from service_process import Service, clean_environment

from enclave.review.decisions import Decision, Decisions, OnTrack
from enclave.review.sheet import sheet_from_object

Pixels = npt.NDArray[np.uint8]


class Desk:
    """A command line, one running service, and a picture."""

    def __init__(self, program: list[str], folder: Path) -> None:
        self._program = program
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        self.picture = media_factory.face_image(folder / "face.png")

    def json(self, *words: object) -> dict[str, Any]:
        """Runs one command and reads its JSON, whatever it says."""
        done = subprocess.run(
            [*self._program, *map(str, words), "--json"],
            capture_output=True,
            text=True,
            env={**clean_environment(), "BAUTA_DATA": str(self.data)},
            timeout=240,
            check=False,
        )
        return dict(json.loads(done.stdout))

    def submitted(self, policy: str) -> Path:
        """The result of a job that is to be reviewed."""
        result = self.folder / f"{policy}.png"
        told = self.json("submit", self.picture, "-o", result, "--policy", policy, "--review")
        assert told["tracks"] >= 1, told
        return result

    def decided(self, result: Path, target: Path, *decisions: Decision) -> dict[str, Any]:
        """What the command says that carries decisions out."""
        package = result.with_name(result.name + ".review")
        sheet = sheet_from_object(self.json("review", package))
        document = Decisions(sheet.record_sha256, decisions).to_object()
        chosen = self.folder / "decisions.json"
        chosen.write_text(json.dumps(document))
        return self.json("review", package, "--decide", chosen, "--original", self.picture, "-o", target)


@pytest.fixture(scope="module")
def desk(bauta: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(bauta, tmp_path_factory.mktemp("roles"))
    with Service(made.data):
        yield made


def pixels(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)


def changed(desk: Desk, result: Path) -> npt.NDArray[np.bool_]:
    """Which pixels are not those of the original: PNG loses none."""
    return np.asarray((pixels(result) != pixels(desk.picture)).any(axis=2))


def test_consent_shows_more_of_one_person_and_the_proof_says_so(desk: Desk, tmp_path: Path) -> None:
    full = desk.submitted("telehealth")
    sheet = sheet_from_object(desk.json("review", full.with_name("telehealth.png.review")))
    assert sheet.roles == ("full", "partial")
    [track] = [each.track for each in sheet.tracks if each.kind == "face"]

    partial, kept, back = (tmp_path / f"{name}.png" for name in ("partial", "kept", "back"))
    assert desk.decided(full, partial, OnTrack("role", track, "partial"))["decided"] == {"role": 1}
    assert desk.decided(full, kept, OnTrack("keep", track))["decided"] == {"keep": 1}
    assert desk.decided(full, back, OnTrack("role", track, "full"))["decided"] == {"role": 1}

    whole, some = changed(desk, full), changed(desk, partial)
    assert some.any()
    assert (whole | some == whole).all(), "what consent covers lies within what is covered without it"
    assert some.sum() < 0.6 * whole.sum()
    # The name on the suit stays covered: nobody decided about it.
    assert 0 < changed(desk, kept).sum() < some.sum()
    assert (pixels(back) == pixels(full)).all()

    told = desk.json("verify", partial, "--data", desk.data)
    assert told["verified"]
    assert told["statement"]["decided"] == {"role": 1}
    assert "partial" not in json.dumps(told["statement"]), "which role is between those who looked"


@pytest.mark.parametrize("decision", [("role", "teacher"), ("keep", ""), ("effect", "blur")])
def test_for_people_in_danger_nobody_shows_more(
    desk: Desk, tmp_path: Path, decision: tuple[str, str]
) -> None:
    result = desk.folder / "whistleblower.png"
    if not result.exists():
        desk.submitted("whistleblower")
    word, name = decision
    told = desk.decided(result, tmp_path / "out.png", OnTrack(word, 0, name))
    assert told["error"]["code"] == "decision_not_allowed"
    assert not (tmp_path / "out.png").exists()
