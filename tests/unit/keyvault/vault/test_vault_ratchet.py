"""The log moves forwards only, across restarts and full disks too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keyvault.signing.log import LogSigner
from keyvault.vault import durable
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import ENTRY, CheckpointRatchet
from provenance.checkpoint import CheckpointText, verify_checkpoint
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import checkpoint_text, growth

ORIGIN = "bauta.log/00112233445566778899aabbccddeeff"
SIGNER = LogSigner.generate(ORIGIN)


def sign(ratchet: CheckpointRatchet, size: int) -> bytes:
    """Signs the made-up tree at this size, with an honest proof."""
    return ratchet.sign(checkpoint_text(ORIGIN, size), growth(ratchet.size, size))


def refusal(ratchet: CheckpointRatchet, text: bytes, size: int = 11) -> str:
    with pytest.raises(VaultRequestError) as reason:
        ratchet.sign(text, growth(ratchet.size, size))
    return reason.value.code


def test_a_growing_log_is_signed_and_each_note_verifies(store: Keystore, clock: Clock) -> None:
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    for size in (0, 1, 2, 500):
        note = sign(ratchet, size)
        checkpoint = verify_checkpoint(note, ORIGIN, SIGNER.verifier_keys)
        assert (checkpoint.size, checkpoint.signed_at) == (size, 1_800_000_000)


def test_the_same_checkpoint_may_be_signed_again(store: Keystore, clock: Clock) -> None:
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    sign(ratchet, 5)
    clock.now += 60
    note = sign(ratchet, 5)
    assert verify_checkpoint(note, ORIGIN, SIGNER.verifier_keys).signed_at == 1_800_000_060


REFUSED = [
    ("one leaf less", checkpoint_text(ORIGIN, 9), "checkpoint_shrinks"),
    ("back to the empty tree", checkpoint_text(ORIGIN, 0), "checkpoint_shrinks"),
    ("another root at the same size", checkpoint_text(ORIGIN, 10, b"fork"), "checkpoint_forks"),
    ("another origin", checkpoint_text("example.com/log", 11), "checkpoint_wrong_origin"),
    ("a longer origin", checkpoint_text(ORIGIN + "0", 11), "checkpoint_wrong_origin"),
    ("an extension line", checkpoint_text(ORIGIN, 11) + b"more\n", "checkpoint_malformed"),
    ("a signature line", checkpoint_text(ORIGIN, 11) + "\n— x AAAAAAA=\n".encode(), "checkpoint_malformed"),
    ("no final newline", checkpoint_text(ORIGIN, 11)[:-1], "checkpoint_malformed"),
    ("a leading zero", checkpoint_text(ORIGIN, 11).replace(b"\n11\n", b"\n011\n"), "checkpoint_malformed"),
    ("a minus", checkpoint_text(ORIGIN, 11).replace(b"\n11\n", b"\n-11\n"), "checkpoint_malformed"),
    (
        "2^64",
        checkpoint_text(ORIGIN, 11).replace(b"\n11\n", b"\n18446744073709551616\n"),
        "checkpoint_malformed",
    ),
    ("nothing", b"", "checkpoint_malformed"),
    ("not UTF-8", b"\xff\n1\nAAAA\n", "checkpoint_malformed"),
]


@pytest.mark.parametrize(("name", "text", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_not_signed_after_size_ten(
    folder: Path, clock: Clock, name: str, text: bytes, code: str
) -> None:
    store = open_store(folder, None)
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    sign(ratchet, 10)
    assert refusal(ratchet, text) == code
    store.close()
    store = open_store(folder, None)
    again = CheckpointRatchet(store, SIGNER, clock)
    assert refusal(again, text) == code, "a restart must not make it forget"
    sign(again, 11)
    store.close()


FORGETFUL = [
    ("a tree that forgets a leaf", checkpoint_text(ORIGIN, 12, b"fork"), growth(10, 12, b"fork")),
    ("another tree, and the true one's proof", checkpoint_text(ORIGIN, 12, b"fork"), growth(10, 12)),
    ("no proof", checkpoint_text(ORIGIN, 12), []),
    ("the proof from another size", checkpoint_text(ORIGIN, 12), growth(9, 12)),
    ("the proof to another size", checkpoint_text(ORIGIN, 12), growth(10, 13)),
    ("a proof with one hash more", checkpoint_text(ORIGIN, 12), [*growth(10, 12), bytes(32)]),
    ("a proof of short hashes", checkpoint_text(ORIGIN, 12), [item[:31] for item in growth(10, 12)]),
]


@pytest.mark.parametrize(("name", "text", "proof"), FORGETFUL, ids=[row[0] for row in FORGETFUL])
def test_a_tree_that_does_not_begin_with_the_last_one_is_not_signed(
    store: Keystore, clock: Clock, name: str, text: bytes, proof: list[bytes]
) -> None:
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    sign(ratchet, 10)
    with pytest.raises(VaultRequestError) as reason:
        ratchet.sign(text, proof)
    assert reason.value.code == "checkpoint_forgets"
    assert ratchet.size == 10
    sign(ratchet, 12)


def test_the_empty_tree_has_one_root(store: Keystore, clock: Clock) -> None:
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    assert refusal(ratchet, CheckpointText(ORIGIN, 0, bytes(32)).to_bytes()) == "checkpoint_malformed"


def test_no_signature_leaves_before_the_disk_has_it(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(folder, None)
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    sign(ratchet, 10)

    def full_disk(_fd: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", full_disk)
        assert refusal(ratchet, checkpoint_text(ORIGIN, 20), 20) == "vault_store_unwritable"
    sign(ratchet, 15)
    store.close()
    store = open_store(folder, None)
    assert (
        refusal(CheckpointRatchet(store, SIGNER, clock), checkpoint_text(ORIGIN, 14)) == "checkpoint_shrinks"
    )
    store.close()


def test_a_stored_form_of_another_length_is_corrupt(store: Keystore, clock: Clock) -> None:
    store.write(ENTRY, bytes(39))
    with pytest.raises(VaultStartError) as reason:
        CheckpointRatchet(store, SIGNER, clock)
    assert reason.value.code == "vault_store_corrupt"
