"""The list of algorithms: its lengths are the libraries', and a provider is asked only if it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from pqcrypto.sign import slh_dsa_sha2_128s

from keyvault import release
from keyvault.age import hybrid, passphrase, x25519
from keyvault.vault import sealing
from provenance import note
from provenance.algorithms import providers
from provenance.algorithms.providers import PROVIDERS, ProviderMissingError
from provenance.algorithms.registry import (
    CRYPTOGRAPHY,
    ED25519,
    KEMS,
    LIBOQS,
    MLDSA44,
    MLDSA65,
    PQCRYPTO,
    SIGNATURES,
    SLHDSA128S,
    SUITES,
    signature_set,
)
from provenance.algorithms.verifying import check_signature
from provenance.errors import FormatError, SignatureError

MESSAGE = b"a message"
DOCUMENT = (Path(__file__).parents[3] / "docs" / "algorithms.md").read_text()


def _sign(private: Any) -> tuple[bytes, bytes]:
    return private.public_key().public_bytes_raw(), private.sign(MESSAGE)


def _sign_slhdsa() -> tuple[bytes, bytes]:
    public_key, private_key = slh_dsa_sha2_128s.keygen()
    return public_key, slh_dsa_sha2_128s.sign(private_key, MESSAGE)


SIGNED: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    ED25519: lambda: _sign(Ed25519PrivateKey.generate()),
    MLDSA44: lambda: _sign(MLDSA44PrivateKey.generate()),
    MLDSA65: lambda: _sign(MLDSA65PrivateKey.generate()),
    SLHDSA128S: _sign_slhdsa,
}


def test_every_algorithm_is_walked() -> None:
    assert set(SIGNED) == set(SIGNATURES)


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_has_the_lengths_of_the_list_and_is_checked(name: str) -> None:
    public_key, signature = SIGNED[name]()
    row = SIGNATURES[name]
    assert (len(public_key), len(signature)) == (row.public_key_bytes, row.signature_bytes)
    check_signature(name, public_key, MESSAGE, signature)
    for false in (
        (public_key, MESSAGE + b"!", signature),
        (public_key, MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1])),
        (SIGNED[name]()[0], MESSAGE, signature),
        (bytes(row.public_key_bytes), MESSAGE, signature),
        (public_key, MESSAGE, bytes(row.signature_bytes)),
    ):
        with pytest.raises(SignatureError) as caught:
            check_signature(name, *false)
        assert caught.value.code == "bad_signature"
    for malformed in (
        (public_key[:-1], MESSAGE, signature),
        (public_key, MESSAGE, signature + b"\0"),
        (b"", MESSAGE, b""),
    ):
        with pytest.raises(FormatError):
            check_signature(name, *malformed)


def test_the_lengths_of_the_kems_are_those_in_use() -> None:
    kem = KEMS[hybrid.KIND]
    assert kem.seals_for_bauta
    assert kem.public_key_bytes == hybrid.PUBLIC_KEY_BYTES == release.PUBLIC_KEY_BYTES
    assert kem.encapsulation_bytes == hybrid.ENCAPSULATED_BYTES
    assert kem.encapsulation_bytes + release.FILE_KEY_BYTES + 16 == release.SEALED_FILE_KEY_BYTES
    classic = KEMS[x25519.KIND]
    assert not classic.seals_for_bauta
    assert classic.public_key_bytes == classic.encapsulation_bytes == x25519.POINT_BYTES


def test_the_lengths_of_the_logs_keys_are_those_in_use() -> None:
    assert {
        note.ED25519_NOTE: SIGNATURES[ED25519].public_key_bytes,
        note.ED25519_COSIGNATURE: SIGNATURES[ED25519].public_key_bytes,
        note.MLDSA44_COSIGNATURE: SIGNATURES[MLDSA44].public_key_bytes,
    } == note.PUBLIC_KEY_BYTES


def test_every_suite_is_the_one_in_use_under_its_name() -> None:
    assert sealing._MAGIC == b"bauta.sealed/v1\n"
    assert release._LABEL == b"bauta.release.v1"
    in_use = {
        hybrid.KIND,
        x25519.KIND,
        passphrase.KIND,
        sealing._MAGIC.decode().strip(),
        release._LABEL.decode(),
    }
    assert in_use == set(SUITES)
    assert {suite.kem for suite in SUITES.values()} == {None, *KEMS}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of docs/algorithms.md, without its head."""
    section = DOCUMENT.split(f"### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_document_lists_the_algorithms_and_no_others() -> None:
    assert rows("Signatures") == [
        [
            row.name,
            row.title,
            row.standard,
            row.rests_on,
            str(row.public_key_bytes),
            str(row.signature_bytes),
            ", ".join(row.providers),
        ]
        for row in SIGNATURES.values()
    ]
    assert rows("KEMs") == [
        [
            kem.name,
            kem.title,
            kem.rests_on,
            str(kem.public_key_bytes),
            str(kem.encapsulation_bytes),
            "yes" if kem.seals_for_bauta else "no",
        ]
        for kem in KEMS.values()
    ]
    assert rows("Sealing suites") == [
        [suite.name, suite.kem or "–", suite.kdf, suite.aead] for suite in SUITES.values()
    ]


@pytest.mark.parametrize("name", ["", "rsa", "ED25519", "mldsa87", "slhdsa128f", "none"])
def test_an_unknown_algorithm_is_refused_by_name(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_signature(name, b"", MESSAGE, b"")
    assert caught.value.code == "unknown_algorithm"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["ed25519"], "signatures_too_weak"),
        (["mldsa65", "slhdsa128s"], "signatures_too_weak"),
        ([], "signatures_too_weak"),
        (["ed25519", "mldsa65", "rsa"], "unknown_algorithm"),
        (["ed25519", "mldsa65", "mldsa44"], "unknown_algorithm"),
        (["ed25519", "mldsa65", "ed25519"], "malformed"),
        ("ed25519", "malformed"),
        (None, "malformed"),
        ([["ed25519"]], "malformed"),
        ({"ed25519": 1, "mldsa65": 1}, "malformed"),
    ],
)
def test_a_demand_that_is_too_weak_or_unknown_is_refused(names: object, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        signature_set(names)
    assert caught.value.code == code


def test_a_demand_is_put_in_order() -> None:
    assert signature_set(["slhdsa128s", "mldsa65", "ed25519"]) == ("ed25519", "mldsa65", "slhdsa128s")


def missing(*_arguments: object) -> bool:
    raise ProviderMissingError


def forbidden(*_arguments: object) -> bool:
    pytest.fail("a second provider was asked about a signature that the first has judged")


def test_the_next_provider_is_asked_where_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    public_key, signature = SIGNED[MLDSA65]()
    monkeypatch.setitem(PROVIDERS, CRYPTOGRAPHY, missing)
    monkeypatch.setitem(PROVIDERS, LIBOQS, forbidden)
    check_signature(MLDSA65, public_key, MESSAGE, signature)
    with pytest.raises(SignatureError) as caught:
        check_signature(MLDSA65, public_key, b"another", signature)
    assert caught.value.code == "bad_signature"


def test_a_false_signature_gets_no_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    public_key, signature = SIGNED[MLDSA65]()
    for provider in (PQCRYPTO, LIBOQS):
        monkeypatch.setitem(PROVIDERS, provider, forbidden)
    with pytest.raises(SignatureError):
        check_signature(MLDSA65, public_key, b"another", signature)


def test_without_any_provider_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    public_key, signature = SIGNED[SLHDSA128S]()
    for provider in PROVIDERS:
        monkeypatch.setitem(PROVIDERS, provider, missing)
    with pytest.raises(SignatureError) as caught:
        check_signature(SLHDSA128S, public_key, MESSAGE, signature)
    assert caught.value.code == "unsupported_algorithm"


def test_an_installation_without_pqcrypto_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(providers._PQCRYPTO_MODULES, SLHDSA128S, None)
    with pytest.raises(ProviderMissingError):
        PROVIDERS[PQCRYPTO](SLHDSA128S, bytes(32), MESSAGE, bytes(7856))


@pytest.mark.parametrize("library", [None, b"", b"not a library"], ids=["absent", "empty", "no library"])
def test_liboqs_is_not_imported_without_its_c_library(tmp_path: Path, library: bytes | None) -> None:
    """Its import would count down, clone a repository and end the process."""
    (tmp_path / "lib").mkdir()
    if library is not None:
        (tmp_path / "lib" / "liboqs.so").write_bytes(library)
    commands = tmp_path / "commands"
    commands.mkdir()
    for command in ("git", "cmake"):
        (commands / command).write_text(f"#!/bin/sh\ntouch {tmp_path}/compiled\nexit 1\n")
        (commands / command).chmod(0o755)
    script = (
        "import ctypes.util, sys; ctypes.util.find_library = lambda name: None;"
        "from provenance.algorithms.liboqs import load_liboqs;"
        "print(load_liboqs(), 'oqs' in sys.modules)"
    )
    environment = {
        **os.environ,
        "OQS_INSTALL_PATH": str(tmp_path),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=True,
    )
    assert ran.stdout == "None False\n"
    assert not (tmp_path / "compiled").exists()
