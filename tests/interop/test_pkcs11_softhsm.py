"""The vault's master key on a PKCS#11 token (SoftHSM2), and what happens to tokens."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from soft_token import SoftToken

from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.token import Token
from keyvault.vault.memory import Secret
from tests.unit.keyvault.vault.harness import RunningVault

STORE = bytes(16)
MASTER_KEY = bytes(range(32))


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """A fresh token, read and written by this test alone."""
    return SoftToken(tmp_path / "softhsm", monkeypatch)


def custodian(token: SoftToken, *, pin: bytes | None = None, **other: Any) -> Token:
    secret = Secret(len(pin or token.pin), inheritable=True)
    secret.view[:] = pin or token.pin
    return Token(**{"module": token.module, "label": token.label, "pin": secret, **other})


def unwrap(token: Token, parameters: dict[str, Any]) -> bytes:
    with Secret(32) as into:
        token.unwrap(parameters, STORE, into.view)
        return bytes(into.view)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(CustodyError) as reason:
        call()
    return reason.value.code


@contextmanager
def session(token: SoftToken) -> Iterator[Any]:
    """A session of somebody who has the PIN, in this process."""
    module = pkcs11.lib(str(token.module))
    # The library remembers the tokens of the test before this one.
    module.reinitialize()
    with module.get_token(token_label=token.label).open(rw=True, user_pin=token.pin.decode()) as opened:
        yield opened
    module.finalize()


def keys_of(opened: Any) -> list[Any]:
    return list(opened.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))


def test_the_key_is_made_on_the_token_and_cannot_leave_it(token: SoftToken) -> None:
    parameters = custodian(token).wrap(memoryview(MASTER_KEY), STORE)
    assert parameters.keys() == {"iv", "key_id", "locked", "wrapped"}
    with session(token) as opened:
        (key,) = keys_of(opened)
        assert (key.key_type, key.key_length) == (KeyType.AES, 256)
        assert key.id.hex() == parameters["key_id"]
        facts = {
            Attribute.SENSITIVE: True,
            Attribute.ALWAYS_SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.NEVER_EXTRACTABLE: True,
            Attribute.LOCAL: True,
            Attribute.PRIVATE: True,
            Attribute.WRAP: False,
            Attribute.UNWRAP: False,
            Attribute.DERIVE: False,
        }
        assert {name: key[name] for name in facts} == facts
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
    assert unwrap(custodian(token), parameters) == MASTER_KEY


def _remove_token(token: SoftToken) -> None:
    shutil.rmtree(token.folder)
    token.folder.mkdir()


def _second_token(token: SoftToken) -> None:
    token.add(token.label, token.pin)


def _delete_key(token: SoftToken) -> None:
    with session(token) as opened:
        keys_of(opened)[0].destroy()


def _put_key(token: SoftToken, *, extractable: bool = False, beside: bool = False) -> None:
    """Another key under the same identity."""
    with session(token) as opened:
        (key,) = keys_of(opened)
        key_id = key.id
        if not beside:
            key.destroy()
        opened.generate_key(
            KeyType.AES,
            256,
            id=key_id,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template={Attribute.SENSITIVE: not extractable, Attribute.EXTRACTABLE: extractable},
        )


ACCIDENTS: list[tuple[str, str, Callable[[SoftToken], None]]] = [
    ("the token is removed", "vault_token_missing", _remove_token),
    ("two tokens have its label", "vault_token_ambiguous", _second_token),
    ("the key is deleted", "vault_token_key_missing", _delete_key),
    ("the key is exchanged", "vault_token_key_changed", _put_key),
    ("a second key is put beside it", "vault_token_key_changed", lambda it: _put_key(it, beside=True)),
    ("the key can leave the token", "vault_token_key_exposed", lambda it: _put_key(it, extractable=True)),
]


@pytest.mark.parametrize(("name", "code", "happen"), ACCIDENTS, ids=[row[0] for row in ACCIDENTS])
def test_what_happens_to_a_token_is_named(
    token: SoftToken, name: str, code: str, happen: Callable[[SoftToken], None]
) -> None:
    parameters = custodian(token).wrap(memoryview(MASTER_KEY), STORE)
    happen(token)
    assert refusal(lambda: unwrap(custodian(token), parameters)) == code


@pytest.mark.parametrize("pin", [b"445567-a-pin", b"4", b"x" * 300, b"\xff\xfe\x00 not text"])
def test_a_wrong_pin_is_named_and_makes_no_key(token: SoftToken, pin: bytes) -> None:
    assert refusal(lambda: custodian(token, pin=pin).wrap(memoryview(MASTER_KEY), STORE)) == (
        "vault_token_pin_wrong"
    )
    with session(token) as opened:
        assert keys_of(opened) == []


def test_a_token_that_does_not_exist_is_missing(token: SoftToken) -> None:
    assert refusal(lambda: custodian(token, label="no such token").wrap(memoryview(MASTER_KEY), STORE)) == (
        "vault_token_missing"
    )


def test_a_file_that_is_no_module_is_unusable(token: SoftToken) -> None:
    no_module = Path(next(line for line in Path("/proc/self/maps").read_text().split() if "/libc.so" in line))
    assert refusal(lambda: custodian(token, module=no_module).wrap(memoryview(MASTER_KEY), STORE)) == (
        "vault_token_module_unusable"
    )


class VaultOnToken(RunningVault):
    """A vault process that reads the PIN from descriptor 9."""

    def __init__(self, folder: Path, token: SoftToken, pin: bytes) -> None:
        pin_file = folder.parent / "pin"
        pin_file.touch(0o600)
        pin_file.write_bytes(pin)
        super().__init__(
            folder,
            *("--pkcs11-module", str(token.module), "--pkcs11-token", token.label, "--pkcs11-pin-fd", "9"),
            prefix=("bash", "-c", 'exec 9<"$0"; exec "$@"', str(pin_file)),
        )


def test_a_vault_lives_on_a_token_and_never_loads_its_module(tmp_path: Path, token: SoftToken) -> None:
    described = []
    for _ in range(2):
        with VaultOnToken(tmp_path / "vault", token, token.pin) as vault:
            described.append(vault.client.describe())
            process = Path(f"/proc/{vault.process.pid}")
            assert "softhsm" not in (process / "maps").read_text()
            assert "_pkcs11" not in (process / "maps").read_text()
            visible = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            assert token.pin not in visible
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            assert status["NoNewPrivs"].strip() == "1"
            assert (process / "task" / str(vault.process.pid) / "children").read_text() == ""
            assert vault.stop() == (0, "")
    assert described[0] == described[1]
    assert not (tmp_path / "vault" / "master.key").exists()


@pytest.mark.parametrize(
    ("code", "happen"),
    [("vault_token_missing", _remove_token), ("vault_token_key_missing", _delete_key)],
)
def test_a_vault_without_its_key_says_so_in_one_line(
    tmp_path: Path, token: SoftToken, code: str, happen: Callable[[SoftToken], None]
) -> None:
    with VaultOnToken(tmp_path / "vault", token, token.pin) as vault:
        vault.client.describe()
        vault.stop()
    happen(token)
    with VaultOnToken(tmp_path / "vault", token, token.pin) as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert re.fullmatch(rf"bauta vault: {code}: [^\n]+\n".encode(), errors)


def test_a_token_without_aes_cbc_is_unsuitable(tmp_path: Path, token: SoftToken) -> None:
    settings = token.folder.parent / "softhsm2.conf"
    settings.write_text(settings.read_text() + "slots.mechanisms = CKM_RSA_PKCS,CKM_AES_KEY_GEN\n")
    with VaultOnToken(tmp_path / "vault", token, token.pin) as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert errors.startswith(b"bauta vault: vault_token_unsuitable: ")


def test_a_wrong_pin_is_one_line_without_the_pin(tmp_path: Path, token: SoftToken) -> None:
    began = time.monotonic()
    with VaultOnToken(tmp_path / "vault", token, b"a wrong one 7781") as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert re.fullmatch(rb"bauta vault: vault_token_pin_wrong: [^\n]+\n", errors)
    assert b"7781" not in errors
    assert time.monotonic() - began < 20
    # Nothing half-made is left, and the right PIN still founds the store.
    assert not (tmp_path / "vault" / "keystore").exists()
    with VaultOnToken(tmp_path / "vault", token, token.pin) as vault:
        assert vault.client.describe().log_origin
