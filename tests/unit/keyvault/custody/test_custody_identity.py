"""A custodian's own keys: protected or not at all, and shown without being opened."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import typer

from console.main import app
from console.output import MODE
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity
from keyvault.custody.__main__ import main
from keyvault.custody.card import CustodianCard
from keyvault.custody.errors import CustodianError
from keyvault.custody.identity import CustodianIdentity, make_custodian, open_custodian
from keyvault.custody.identity_file import CustodianFile
from keyvault.custody.policy import parse_custody_policy
from keyvault.vault.custody.contract import Custodian
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.passphrase import Argon2Cost, Passphrase
from keyvault.vault.custody.token import Token
from keyvault.vault.memory import Secret
from provenance.dsse import sign_envelope
from tests.soft_token import SoftToken
from tests.unit.keyvault.custody.custody_makers import custodian_tables, custody_text, request_facts

CHEAP = Argon2Cost(memory_kib=8 << 10, iterations=1, lanes=1)


def passphrase(text: bytes = b"four words are better") -> Custodian:
    secret = Secret(len(text))
    secret.view[:] = text
    return Passphrase(secret, CHEAP)


def token(soft: SoftToken, pin: bytes | None = None) -> Custodian:
    text = pin or soft.pin
    secret = Secret(len(text), inheritable=True)
    secret.view[:] = text
    return Token(soft.module, soft.label, secret)


def reread(file: CustodianFile) -> CustodianFile:
    assert CustodianFile.from_bytes(file.to_bytes()) == file
    return CustodianFile.from_bytes(file.to_bytes())


def test_keys_come_back_under_their_passphrase_and_work() -> None:
    file = reread(make_custodian(passphrase()))
    opened = open_custodian(file, passphrase())
    assert opened.card == file.card
    sealed = file.card.recipient.seal(b"a share", b"info")
    assert opened.identity.open(sealed, b"info") == b"a share"
    envelope = sign_envelope(request_facts().to_statement(), opened.signer)
    assert envelope.verify(file.card.key)


def test_two_files_are_two_people() -> None:
    first, second = make_custodian(passphrase()), make_custodian(passphrase())
    assert first.card.keys != second.card.keys
    assert first.card.recipient != second.card.recipient


def test_another_passphrase_opens_nothing() -> None:
    file = make_custodian(passphrase())
    with pytest.raises(CustodianError) as refused:
        open_custodian(file, passphrase(b"four words are bitter"))
    assert refused.value.code == "custodian_unlock_failed"


def test_keys_on_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soft = SoftToken(tmp_path, monkeypatch)
    file = reread(make_custodian(token(soft)))
    assert file.custody["kind"] == "pkcs11"
    assert open_custodian(file, token(soft)).card == file.card
    with pytest.raises(CustodyError) as wrong:
        open_custodian(file, token(soft, b"111111-wrong"))
    assert wrong.value.code == "vault_token_pin_wrong"
    with pytest.raises(CustodianError) as refused:
        open_custodian(file, passphrase())
    assert refused.value.code == "custodian_unlock_failed"


def _with(file: CustodianFile, **changes: object) -> bytes:
    content = {**json.loads(file.to_bytes()), **changes}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_a_card_exchanged_for_another_is_found() -> None:
    """Who can write the file puts in a recipient of their own: shares would be sealed to them."""
    file, other = make_custodian(passphrase()), make_custodian(passphrase())
    card = {**file.card.to_object(), "recipient": str(other.card.recipient)}
    swapped = CustodianFile.from_bytes(_with(file, card=card))
    with pytest.raises(CustodianError) as refused:
        open_custodian(swapped, passphrase())
    assert refused.value.code == "custodian_file_invalid"


BAD_FILES = {
    "another format": {"format": "bauta.custodian/v2"},
    "one field more": {"more": 1},
    "a short id": {"id": "00"},
    "an id in capitals": {"id": "A" * 32},
    "no kind": {"custody": {}},
    "custody of text": {"custody": "none"},
    "a seal of half a byte": {"sealed": "0"},
    "no card": {"card": {}},
    "a card of numbers": {"card": {"ed25519": 1, "mldsa65": 2, "recipient": 3}},
    "a recipient that is not post-quantum": {
        "card": {"ed25519": "", "mldsa65": "", "recipient": "age1" + "q" * 58}
    },
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_not_exactly_one_is_refused(name: str) -> None:
    good = make_custodian(passphrase())
    with pytest.raises(CustodianError) as refused:
        CustodianFile.from_bytes(_with(good, **BAD_FILES[name]))
    assert refused.value.code == "custodian_file_invalid"
    with pytest.raises(CustodianError):
        CustodianFile.from_bytes(good.to_bytes()[:-1])


@pytest.mark.parametrize(
    "custody",
    [
        {"kind": "argon2id"},
        {"kind": "argon2id", "memory_kib": 1 << 40, "iterations": 1, "lanes": 1, "salt": "00" * 16},
    ],
    ids=["no parameters", "a petabyte of Argon2id"],
)
def test_parameters_out_of_all_reason_are_refused(custody: dict[str, object]) -> None:
    changed = CustodianFile.from_bytes(_with(make_custodian(passphrase()), custody=custody))
    with pytest.raises(CustodianError) as refused:
        open_custodian(changed, passphrase())
    assert refused.value.code == "custodian_file_invalid"


def test_nothing_secret_is_shown() -> None:
    seeds = bytes(range(96))
    opened = CustodianIdentity.from_seeds(memoryview(seeds))
    shown = repr(opened) + repr(make_custodian(passphrase()))
    assert repr(seeds[:32]) not in shown
    assert HybridIdentity(seeds[:32]).encode() not in shown


def test_the_card_goes_into_a_policy() -> None:
    card = make_custodian(passphrase()).card
    assert CustodianCard.from_object(card.to_object()) == card
    lines = card.policy_lines().replace("…", "fay") + "\n"
    group = '[[groups]]\nname = "both"\nneed = "any"\nof = ["ada", "fay"]\n'
    policy = parse_custody_policy(custody_text(custodians=custodian_tables(["ada"]) + lines, groups=group))
    assert policy.custodians[card.keys].recipient == str(card.recipient)


# The command line, down to the process of the keys.


def run(*words: str) -> int:
    MODE.as_json = False
    return int(app([*words], standalone_mode=False) or 0)


def test_init_and_show_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["good words", "good words", "bad words"])
    monkeypatch.setattr("console.asking.ask", lambda _prompt: next(answers))
    monkeypatch.setattr("console.commands.custodian.ask", lambda _prompt: next(answers))
    path = tmp_path / "ada.custodian"
    assert run("custodian", "init", "-o", str(path)) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = capsys.readouterr().out
    assert run("custodian", "show", str(path)) == 0
    assert capsys.readouterr().out == made
    assert CustodianFile.read(path).card.keys in made
    assert run("custodian", "show", str(path), "--unlock") == 0
    with pytest.raises(ServiceError) as refused:
        run("custodian", "show", str(path), "--unlock")
    assert refused.value.code == "custodian_unlock_failed"
    with pytest.raises(typer.BadParameter):
        run("custodian", "init", "-o", str(path))
    assert b"good words" not in path.read_bytes()


def test_a_custodian_without_protection_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyvault.custody.__main__.harden_process", lambda: False)
    assert main(["init", str(tmp_path / "f")]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "custodian_unprotected"
    read_end, write_end = os.pipe()
    os.close(write_end)
    assert main(["init", str(tmp_path / "f"), "--passphrase-fd", str(read_end)]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "vault_unlock_failed"
    assert not (tmp_path / "f").exists()
