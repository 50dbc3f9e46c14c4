"""The file of a release key: private, whole, and nothing else is taken for one."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from keyvault.release_key import ReleaseKey, ReleaseKeyError
from provenance.errors import FormatError
from provenance.keys import STATEMENT_SIGNATURES
from provenance.trust import format_public_key, parse_public_key


def never() -> str:
    raise AssertionError("nobody has to be asked")


@pytest.fixture(scope="module")
def key() -> ReleaseKey:
    return ReleaseKey.generate()


def test_a_key_reads_back_and_signs_with_all_three(key: ReleaseKey, tmp_path: Path) -> None:
    key.write(tmp_path / "key", None)
    again = ReleaseKey.read(tmp_path / "key", never)
    assert again == key
    signer = again.signer
    assert signer.public == key.signer.public
    signatures = signer.sign(b"message", STATEMENT_SIGNATURES)
    signer.public.verify(b"message", signatures, STATEMENT_SIGNATURES)


def test_the_file_is_private_and_never_overwritten(key: ReleaseKey, tmp_path: Path) -> None:
    key.write(tmp_path / "key", None)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(FileExistsError):
        ReleaseKey.generate().write(tmp_path / "key", None)
    assert (tmp_path / "key").read_bytes() == before


def test_a_key_shows_nothing_of_itself(key: ReleaseKey) -> None:
    shown = repr(key) + str(key) + repr(key.signer)
    for part in (key.ed25519, key.mldsa65, key.slhdsa128s):
        assert part.hex() not in shown
        assert base64.b64encode(part).decode() not in shown
        assert repr(part)[2:-1] not in shown


def changed(key: ReleaseKey, tmp_path: Path, **changes: Any) -> bytes:
    key.write(tmp_path / "sound", None)
    content = {**json.loads((tmp_path / "sound").read_text()), **changes}
    kept = {name: value for name, value in content.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "bauta.release-key/v2"},
        {"format": None},
        {"slhdsa128s": None},
        {"ed25519": "AAAA"},
        {"ed25519": 7},
        {"ed25519": "not base64"},
        {"extra": "AAAA"},
    ],
    ids=str,
)
def test_what_is_no_key_is_refused(key: ReleaseKey, tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / "key").write_bytes(changed(key, tmp_path, **changes))
    with pytest.raises(ReleaseKeyError):
        ReleaseKey.read(tmp_path / "key", never)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"age-encryption.org/v1\n", b"x" * 20_000])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ReleaseKeyError):
        ReleaseKey.read(tmp_path / "key", lambda: "passphrase")


def test_a_public_key_is_a_file_of_its_own(key: ReleaseKey) -> None:
    public = key.signer.public
    assert parse_public_key(format_public_key(public)) == public
    assert parse_public_key(json.dumps(json.loads(format_public_key(public)), indent=2).encode()) == public
    for wrong in (b"", b"{}", b"[]", format_public_key(public)[:-3]):
        with pytest.raises(FormatError):
            parse_public_key(wrong)
