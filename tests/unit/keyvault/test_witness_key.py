"""The file of a witness's keys: private, whole, of one name, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyvault.release_key import ReleaseKey
from keyvault.witness_key import WitnessKey, WitnessKeyError
from provenance.errors import FormatError


def never() -> str:
    raise AssertionError("nobody has to be asked")


def test_a_key_reads_back_with_its_name_and_only_its_owner_can(tmp_path: Path) -> None:
    made = WitnessKey.generate("witness.test/w")
    made.write(tmp_path / "key", None)
    assert WitnessKey.read(tmp_path / "key", never) == made
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        made.write(tmp_path / "key", None)
    assert {key.name for key in made.signer.verifier_keys} == {"witness.test/w"}
    assert made.ed25519.hex() not in repr(made)
    assert repr(made.ed25519) not in repr(made)


def test_under_a_passphrase_another_one_does_not_open_it(tmp_path: Path) -> None:
    made = WitnessKey.generate("witness.test/w")
    made.write(tmp_path / "key", "correct horse")
    assert made.name.encode() not in (tmp_path / "key").read_bytes()
    assert WitnessKey.read(tmp_path / "key", lambda: "correct horse") == made
    with pytest.raises(WitnessKeyError):
        WitnessKey.read(tmp_path / "key", lambda: "battery staple")


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256, "line\nbreak"])
def test_a_name_that_no_key_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        WitnessKey.generate(name)
    WitnessKey.generate("witness.test/w").write(tmp_path / "key", None)
    content = {**json.loads((tmp_path / "key").read_bytes()), "name": name}
    (tmp_path / "key").write_text(json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n")
    with pytest.raises(WitnessKeyError):
        WitnessKey.read(tmp_path / "key", never)


def test_a_release_key_is_no_witness_s(tmp_path: Path) -> None:
    ReleaseKey.generate().write(tmp_path / "key", None)
    with pytest.raises(WitnessKeyError) as refused:
        WitnessKey.read(tmp_path / "key", never)
    assert refused.value.code == "witness_key_invalid"
