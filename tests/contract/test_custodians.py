"""One contract, every custodian: key file, passphrase, PKCS#11 token, and an installed package."""

from __future__ import annotations

import base64
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from contract import kms_double
from soft_token import SoftToken

from keyvault.vault.custody.contract import MAX_PARAMETERS_BYTES, Custodian, Parameters
from keyvault.vault.custody.errors import MESSAGES, CustodyError
from keyvault.vault.custody.installed import InstalledCustodian
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.custody.passphrase import Argon2Cost, Passphrase
from keyvault.vault.custody.token import Token
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret
from provenance import canonical

STORE, OTHER_STORE = bytes(range(16)), bytes(range(1, 17))
# Never waited for: a library that has just been read from a slow disk is in nobody's way.
PATIENCE_SECONDS = 240.0


class CustodianContract(ABC):
    """What a backend must keep to. A subclass says how one is made."""

    forms_of_0_1_0: frozenset[str] = frozenset()

    @abstractmethod
    def make(self) -> Custodian:
        """A custodian with the right credentials; each call a new object, as after a restart."""

    @abstractmethod
    def make_stranger(self) -> Custodian:
        """One of the same kind with credentials of its own."""

    @pytest.fixture
    def custodian(self) -> Iterator[Custodian]:
        custodian = self.make()
        yield custodian
        custodian.close()

    @pytest.fixture
    def master_key(self) -> bytes:
        return secrets.token_bytes(32)

    def test_a_key_comes_back_after_a_restart(self, custodian: Custodian, master_key: bytes) -> None:
        stored = canonical.dumps(custodian.wrap(memoryview(master_key), STORE))
        assert unwrap(self.make(), canonical.loads(stored)) == master_key

    def test_wrapping_changes_nothing_and_repeats_nothing(
        self, custodian: Custodian, master_key: bytes
    ) -> None:
        given = bytearray(master_key)
        first, second = (custodian.wrap(memoryview(given), STORE) for _ in range(2))
        assert given == master_key
        assert first != second
        assert unwrap(custodian, first) == unwrap(custodian, second) == master_key

    def test_what_lies_on_the_disk_holds_no_key(self, custodian: Custodian, master_key: bytes) -> None:
        stored = canonical.dumps(custodian.wrap(memoryview(master_key), STORE))
        assert len(stored) <= MAX_PARAMETERS_BYTES
        for spelling in (master_key.hex().encode(), base64.b64encode(master_key)[:-4]):
            assert spelling not in stored

    def test_it_does_not_open_for_another_store(self, custodian: Custodian, master_key: bytes) -> None:
        parameters = custodian.wrap(memoryview(master_key), STORE)
        with pytest.raises(CustodyError) as refusal:
            unwrap(custodian, parameters, OTHER_STORE)
        assert refusal.value.code in MESSAGES

    def test_a_stranger_does_not_open_it(self, custodian: Custodian, master_key: bytes) -> None:
        parameters = custodian.wrap(memoryview(master_key), STORE)
        stranger = self.make_stranger()
        with pytest.raises(CustodyError) as refusal:
            unwrap(stranger, parameters)
        assert refusal.value.code in MESSAGES
        stranger.close()

    def test_any_change_on_the_disk_is_refused(self, custodian: Custodian, master_key: bytes) -> None:
        parameters = custodian.wrap(memoryview(master_key), STORE)
        changes = list(changed(parameters))
        assert len(changes) >= 3
        for name, change in changes:
            if name in self.forms_of_0_1_0:
                # That form authenticates nothing; the store's own check value does.
                assert unwrap(custodian, change) != master_key, name
                continue
            with pytest.raises(CustodyError):
                pytest.fail(f"{name}: {unwrap(custodian, change) == master_key}")

    def test_its_repr_shows_no_secret(self, custodian: Custodian) -> None:
        shown = repr(custodian) + repr(vars(custodian))
        assert not any(secret in shown for secret in ("words of a passphrase", "445566"))

    def test_a_store_lives_under_it(self, tmp_path: Path) -> None:
        for _ in range(2):
            custodian = self.make()
            store = Keystore.open(tmp_path / "vault", custodian, lambda: {"one": bytearray(b"a secret")})
            assert store.read("one") == b"a secret"
            store.close()
            custodian.close()
        stranger = self.make_stranger()
        with pytest.raises(CustodyError):
            Keystore.open(tmp_path / "vault", stranger, lambda: {})
        header = json.loads((tmp_path / "vault" / "keystore" / "header.json").read_bytes())
        assert header["unlock"]["kind"] == stranger.kind


def unwrap(custodian: Custodian, parameters: Parameters, store_id: bytes = STORE) -> bytes:
    with Secret(32) as into:
        custodian.unwrap(parameters, store_id, into.view)
        return bytes(into.view)


def changed(parameters: Parameters) -> Iterator[tuple[str, Parameters]]:
    """Each value altered, left out, of another type; and one more beside them."""
    for path in leaves(parameters):
        for name, alter in (
            ("altered", lambda old: old + 1 if isinstance(old, int) else flip(old)),
            ("another type", lambda _: None),
        ):
            copy = deepcopy(parameters)
            place = copy
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = alter(place[path[-1]])
            yield f"{path} {name}", copy
    for name in parameters:
        yield f"{name} left out", {key: value for key, value in parameters.items() if key != name}
    yield "one more", {**parameters, "more": "1"}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield path
        return
    for name in value:
        yield from leaves(value[name], (*path, name))


def flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


class TestKeyFile(CustodianContract):
    forms_of_0_1_0 = frozenset({"wrapped left out"})

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> Custodian:
        return KeyFile(self.folder / "master.key")

    def make_stranger(self) -> Custodian:
        other = KeyFile(self.folder / "other.key")
        other.wrap(memoryview(bytes(32)), STORE)
        return other


class TestPassphrase(CustodianContract):
    forms_of_0_1_0 = frozenset({"wrapped left out"})
    cheap = Argon2Cost(memory_kib=8 << 10, iterations=1, lanes=1)

    def make(self) -> Custodian:
        return Passphrase(Secret.moved_from(bytearray(b"words of a passphrase")), self.cheap)

    def make_stranger(self) -> Custodian:
        return Passphrase(Secret.moved_from(bytearray(b"words of another passphrase")), self.cheap)


class TestToken(CustodianContract):
    @pytest.fixture(autouse=True)
    def _token(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.token = SoftToken(tmp_path / "softhsm", monkeypatch)
        self.token.add("another token", b"998877")

    def make(self) -> Custodian:
        return Token(self.token.module, self.token.label, pin(self.token.pin), PATIENCE_SECONDS)

    def make_stranger(self) -> Custodian:
        return Token(self.token.module, "another token", pin(b"998877"), PATIENCE_SECONDS)


class TestKmsDouble(CustodianContract):
    """The double itself, in this process: as `docs/key_custody.md` tells an operator to test a backend."""

    @pytest.fixture(autouse=True)
    def _service(self, tmp_path: Path) -> None:
        self.config = kms_double.make_service(tmp_path / "kms")
        self.other_config = kms_double.make_service(tmp_path / "other kms")

    def make(self) -> Custodian:
        return kms_double.make(self.config)

    def make_stranger(self) -> Custodian:
        return kms_double.make(self.other_config)

    def test_any_change_on_the_disk_is_refused(self, custodian: Custodian, master_key: bytes) -> None:
        """In a process of its own a wrong type may raise anything: see TestInstalled."""
        parameters = custodian.wrap(memoryview(master_key), STORE)
        with pytest.raises(CustodyError):
            unwrap(custodian, {**parameters, "ciphertext": flip(parameters["ciphertext"])})


class TestInstalled(CustodianContract):
    """A package made and installed on the spot, found by its entry point, run in a process of its own."""

    @pytest.fixture(autouse=True)
    def _installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        site = tmp_path / "site"
        site.mkdir()
        kms_double.install(site)
        monkeypatch.syspath_prepend(str(site))
        self.config = kms_double.make_service(tmp_path / "kms")
        self.other_config = kms_double.make_service(tmp_path / "other kms")

    def make(self) -> Custodian:
        return InstalledCustodian("test-kms", self.config, PATIENCE_SECONDS)

    def make_stranger(self) -> Custodian:
        return InstalledCustodian("test-kms", self.other_config, PATIENCE_SECONDS)

    @pytest.mark.parametrize("word", ["unreachable", "denied"])
    def test_what_the_service_answers_is_named(
        self, custodian: Custodian, master_key: bytes, word: str
    ) -> None:
        parameters = custodian.wrap(memoryview(master_key), STORE)
        (self.config.parent / word).touch()
        with pytest.raises(CustodyError) as refusal:
            unwrap(custodian, parameters)
        assert refusal.value.code == f"vault_custodian_{word}"
        (self.config.parent / word).unlink()
        (self.config.parent / "main.key").unlink()
        with pytest.raises(CustodyError) as refusal:
            unwrap(custodian, parameters)
        assert refusal.value.code == "vault_custodian_key_missing"

    def test_a_name_that_nobody_offers_is_refused(self) -> None:
        with pytest.raises(CustodyError) as refusal:
            InstalledCustodian("nobody").wrap(memoryview(bytes(32)), STORE)
        assert refusal.value.code == "vault_custodian_unknown"

    def test_another_custodian_is_not_handed_what_it_did_not_wrap(
        self, custodian: Custodian, master_key: bytes
    ) -> None:
        parameters = custodian.wrap(memoryview(master_key), STORE)
        with pytest.raises(CustodyError) as refusal:
            unwrap(InstalledCustodian("another", self.config), parameters)
        assert refusal.value.code == "vault_unlock_failed"


def pin(words: bytes) -> Secret:
    secret = Secret(len(words), inheritable=True)
    secret.view[:] = words
    return secret
