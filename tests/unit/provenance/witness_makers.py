"""Witnesses from fixed seeds, and policies that name them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from provenance.checkpoint import CheckpointText, message_to_sign, signature_line
from provenance.note import (
    SignatureLine,
    VerifierKey,
    ed25519_cosigner_vkey,
    mldsa44_cosigner_vkey,
    parse_note,
    parse_vkey,
)
from tests.unit.provenance.provenance_makers import SIGNED_AT, seed


class TestWitness:
    """A witness that signs whatever it is shown, with an Ed25519 and an ML-DSA-44 key."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(seed(name + "/ed25519"))
        self._mldsa44 = MLDSA44PrivateKey.from_seed_bytes(seed(name + "/mldsa44"))
        self.vkeys = (
            ed25519_cosigner_vkey(name, self._ed25519.public_key().public_bytes_raw()),
            mldsa44_cosigner_vkey(name, self._mldsa44.public_key().public_bytes_raw()),
        )

    @property
    def keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Both, parsed."""
        ed25519, mldsa44 = self.vkeys
        return parse_vkey(ed25519), parse_vkey(mldsa44)

    def lines(self, note: bytes, now: int = SIGNED_AT) -> tuple[SignatureLine, SignatureLine]:
        """The cosignatures on a note's text, Ed25519 first."""
        text = CheckpointText.parse_extended(parse_note(note).text.encode())
        ed25519, mldsa44 = self.keys
        return (
            signature_line(ed25519, self._ed25519.sign(message_to_sign(ed25519, text, now)), now),
            signature_line(mldsa44, self._mldsa44.sign(message_to_sign(mldsa44, text, now)), now),
        )


WITNESSES = tuple(TestWitness(f"witness.test/w{number}") for number in (1, 2, 3))


def with_lines(note: bytes, *lines: SignatureLine) -> bytes:
    """The note with further lines under those that it has."""
    return note + b"".join(line.to_text().encode() for line in lines)


def cosigned(note: bytes, witnesses: Sequence[TestWitness], now: int = SIGNED_AT) -> bytes:
    """The note with both lines of each witness."""
    return with_lines(note, *(line for witness in witnesses for line in witness.lines(note, now)))


def policy_text(
    threshold: str = "2",
    witnesses: Sequence[TestWitness] = WITNESSES,
    urls: Sequence[str] = (),
    algorithm: int = 0,
) -> str:
    """A policy that takes some of the witnesses by one of their keys: 0 Ed25519, 1 ML-DSA-44."""
    addresses = list(urls) or [""] * len(witnesses)
    lines = [
        f"witness w{number} {witness.vkeys[algorithm]} {url}".rstrip()
        for number, (witness, url) in enumerate(zip(witnesses, addresses, strict=True), 1)
    ]
    members = " ".join(f"w{number}" for number in range(1, len(witnesses) + 1))
    return "\n".join([*lines, f"group all-of-them {threshold} {members}", "quorum all-of-them", ""])
