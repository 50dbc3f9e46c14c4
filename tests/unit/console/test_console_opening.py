"""The opening of a job: what it holds, who can read it, and what is no opening."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from media_factory import face_image

from console.commands import recording
from console.commands.reveal import _time
from console.opening import Opening, Recorded, read_opening
from grpc_api.errors import ServiceError
from keyvault.recorder_key import RecorderKey, RecorderKeyError
from provenance.canonical import dumps
from provenance.encoding import base64_text
from provenance.errors import FormatError
from provenance.pieces.errors import PiecesError
from provenance.pieces.recording import sign_recording
from provenance.pieces.secrets import secret_of_upload
from provenance.register import fingerprint
from provenance.trust import MAX_RECORDERS, Trust
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, make_house

SALT, SECRET = bytes(range(32)), bytes(range(32, 64))


def test_it_is_read_back_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "opening.json"
    file.write_bytes(b"there before")
    file.chmod(0o644)
    opening = Opening(SALT, SECRET, "ab" * 16, "bauta.log/test")
    opening.write(file)
    assert read_opening(file) == opening
    assert file.stat().st_mode & 0o777 == 0o600
    assert opening.pieces_secret == SECRET
    assert Opening(SALT).pieces_secret == secret_of_upload(SALT)
    assert base64_text(SALT) not in repr(opening)


def test_the_first_version_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "opening.json"
    file.write_bytes(dumps({"format": "bauta.opening/v1", "salt": base64_text(SALT)}) + b"\n")
    assert read_opening(file) == Opening(SALT)


NO_OPENINGS = {
    "nothing": b"",
    "not JSON": b"{",
    "another format": dumps({"format": "bauta.opening/v3", "salt": base64_text(SALT)}),
    "a list": b"[]",
    "no secret at all": dumps({"format": "bauta.opening/v2", "job": "ab" * 16}),
    "a short salt": dumps({"format": "bauta.opening/v2", "salt": base64_text(SALT[1:])}),
    "a number": dumps({"format": "bauta.opening/v2", "salt": 7}),
    "a field too many": dumps({"format": "bauta.opening/v2", "more": "", "salt": base64_text(SALT)}),
    "a secret in the first version": dumps(
        {"format": "bauta.opening/v1", "salt": base64_text(SALT), "secret": base64_text(SECRET)}
    ),
    "too large": b" " * 5000,
}


@pytest.mark.parametrize("name", NO_OPENINGS)
def test_what_is_no_opening(name: str, tmp_path: Path) -> None:
    file = tmp_path / "opening.json"
    file.write_bytes(NO_OPENINGS[name])
    with pytest.raises(ServiceError) as refused:
        read_opening(file)
    assert refused.value.code == "opening_invalid"


def test_a_recording_goes_with_its_opening_and_with_the_workers_commitment(tmp_path: Path) -> None:
    recording = tmp_path / "film.mp4.recording"
    recording.write_bytes(sign_recording(SECRET, TestSigner("camera")).to_bytes() + b"\n")
    with pytest.raises(ServiceError) as refused:
        Recorded.read(recording)
    assert refused.value.code == "opening_missing"
    Opening(SALT).write(tmp_path / "film.mp4.opening")
    with pytest.raises(ServiceError):
        Recorded.read(recording)
    Opening(secret=SALT).write(tmp_path / "film.mp4.opening")
    recorded = Recorded.read(recording)
    assert (recorded.root, recorded.secret) == (SECRET, SALT)
    recorded.require_same(job_facts(pieces=SECRET.hex()))
    for pieces in (SALT.hex(), None):
        with pytest.raises(ServiceError) as refused:
            recorded.require_same(job_facts(pieces=pieces))
        assert refused.value.code == "recording_differs"


def test_a_recording_key_under_a_passphrase_signs_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = RecorderKey.generate()
    key.write(tmp_path / "camera.key", "a passphrase")
    assert (tmp_path / "camera.key").stat().st_mode & 0o077 == 0
    assert base64_text(key.ed25519) not in repr(key)
    with pytest.raises(FileExistsError):
        key.write(tmp_path / "camera.key", None)
    with pytest.raises(RecorderKeyError):
        RecorderKey.read(tmp_path / "camera.key", lambda: "another")
    film = face_image(tmp_path / "picture.png")
    monkeypatch.setattr(recording, "ask", lambda _: "a passphrase")
    assert recording.sign(film, tmp_path / "camera.key") == 0
    with pytest.raises(typer.BadParameter, match="signed before"):
        recording.sign(film, tmp_path / "camera.key")
    house = make_house(tmp_path)
    trust = tmp_path / "trust.json"
    trust.write_bytes(replace(house.trust, recorders=(key.signer.public,)).to_bytes())
    capsys.readouterr()
    signed = tmp_path / "picture.png.recording"
    assert recording.show(signed, trust) == 0
    assert f"signed by recorder {fingerprint(key.signer.public)}" in capsys.readouterr().out
    trust.write_bytes(house.trust.to_bytes())
    house.log.close()
    with pytest.raises(PiecesError) as refused:
        recording.show(signed, trust)
    assert refused.value.code == "pieces_not_signed"


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("83", 83_000_000),
        ("1:23", 83_000_000),
        ("0:01:23.25", 83_250_000),
        ("0.000001", 1),
        ("90:00", 5_400_000_000),
    ],
)
def test_times_as_people_write_them(text: str, time_us: int) -> None:
    assert _time(text) == time_us


def test_a_trust_file_names_recorders_and_old_ones_name_none(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    old = house.trust
    house.log.close()
    assert "recorders" not in json.loads(old.to_bytes())
    assert Trust.from_bytes(old.to_bytes()).recorders == ()
    cameras = tuple(TestSigner(f"camera {at}").public for at in range(2))
    fields = {name: getattr(old, name) for name in ("node", "log_origin", "log_vkeys")}
    assert Trust.from_bytes(Trust(**fields, recorders=cameras).to_bytes()).recorders == cameras
    for wrong in ((cameras[0], cameras[0]), tuple([cameras[0]] * (MAX_RECORDERS + 1))):
        with pytest.raises(FormatError):
            Trust(**fields, recorders=wrong)
    broken = json.loads(old.to_bytes()) | {"recorders": {}}
    with pytest.raises(FormatError):
        Trust.from_bytes(json.dumps(broken).encode())
