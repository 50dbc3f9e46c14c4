"""Files cross in both directions: npm age-encryption for every kind of key, pyrage for X25519."""

from __future__ import annotations

import io
import json
import os

import pyrage
import pytest
from age_npm import HERE, PeerJob, run_peer

from keyvault.age import (
    HybridIdentity,
    Identity,
    PassphraseIdentity,
    PassphraseRecipient,
    Recipient,
    X25519Identity,
    open_sealed,
    parse_identity,
    seal,
)

SIZES = (0, 1, 65535, 65536, 65537, 200_000)
KINDS = {"x25519": X25519Identity, "hybrid": HybridIdentity}

ARMOR = pytest.mark.parametrize("armor", [False, True], ids=["binary", "armored"])


def sealed_by_us(plaintext: bytes, recipient: Recipient, armor: bool = False) -> bytes:
    sealed = io.BytesIO()
    seal(io.BytesIO(plaintext), sealed, [recipient], armor)
    return sealed.getvalue()


def opened_by_us(sealed: bytes, identity: Identity) -> bytes:
    opened = io.BytesIO()
    open_sealed(io.BytesIO(sealed), opened, [identity])
    return opened.getvalue()


def test_the_peers_are_the_pinned_ones_and_the_lock_names_no_registry() -> None:
    manifest = json.loads((HERE / "package.json").read_text())
    assert manifest["dependencies"] == {"age-encryption": "0.3.1", "cctv-age": "0.2.0"}
    lock_text = (HERE / "package-lock.json").read_text()
    packages = json.loads(lock_text)["packages"]
    assert packages["node_modules/age-encryption"]["version"] == "0.3.1"
    assert packages["node_modules/cctv-age"]["version"] == "0.2.0"
    assert all(package["integrity"].startswith("sha512-") for place, package in packages.items() if place)
    assert "resolved" not in lock_text
    assert "registry" not in lock_text


@ARMOR
@pytest.mark.parametrize("kind", KINDS)
def test_npm_opens_what_we_seal(kind: str, armor: bool) -> None:
    identity = KINDS[kind].generate()
    plaintexts = [os.urandom(size) for size in SIZES]
    opened = run_peer(
        [
            PeerJob(
                "open", identity.encode(), sealed_by_us(plaintext, identity.recipient, armor), armor=armor
            )
            for plaintext in plaintexts
        ]
    )
    assert opened == plaintexts


@ARMOR
@pytest.mark.parametrize("kind", KINDS)
def test_we_open_what_npm_seals(kind: str, armor: bool) -> None:
    identity = KINDS[kind].generate()
    plaintexts = [os.urandom(size) for size in SIZES]
    sealed = run_peer(
        [PeerJob("seal", str(identity.recipient), plaintext, armor=armor) for plaintext in plaintexts]
    )
    assert [opened_by_us(each, identity) for each in sealed] == plaintexts
    assert all(each.startswith(b"-----BEGIN") == armor for each in sealed)


@pytest.mark.parametrize("kind", KINDS)
def test_npm_and_we_read_the_same_keys(kind: str) -> None:
    ours = KINDS[kind].generate()
    theirs = run_peer([PeerJob("generate", kind)])[0].decode()
    named = run_peer([PeerJob("recipient", ours.encode()), PeerJob("recipient", theirs)])
    parsed = parse_identity(theirs)
    assert isinstance(parsed, KINDS[kind])
    assert parsed.encode() == theirs
    assert [str(ours.recipient), str(parsed.recipient)] == [name.decode() for name in named]


def test_passphrases_cross_both_ways() -> None:
    passphrase = "correct horse, Bärenklau"
    ours = sealed_by_us(b"from us", PassphraseRecipient(passphrase, work_factor=4))
    sealed, opened = run_peer(
        [
            PeerJob("seal", passphrase, b"from npm", kind="passphrase"),
            PeerJob("open", passphrase, ours, kind="passphrase"),
        ]
    )
    assert opened == b"from us"
    assert opened_by_us(sealed, PassphraseIdentity(passphrase)) == b"from npm"


@ARMOR
@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_what_we_seal(size: int, armor: bool) -> None:
    identity = X25519Identity.generate()
    plaintext = os.urandom(size)
    theirs = pyrage.x25519.Identity.from_str(identity.encode())
    assert str(theirs.to_public()) == str(identity.recipient)
    assert pyrage.decrypt(sealed_by_us(plaintext, identity.recipient, armor), [theirs]) == plaintext


@ARMOR
@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_pyrage_seals(size: int, armor: bool) -> None:
    theirs = pyrage.x25519.Identity.generate()
    plaintext = os.urandom(size)
    sealed = pyrage.encrypt(plaintext, [theirs.to_public()], armored=armor)
    assert opened_by_us(sealed, parse_identity(str(theirs))) == plaintext
