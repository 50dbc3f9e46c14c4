"""What sources, verifiers and issuers hand one another, as small files: canonical JSON and a newline, in hex.

    verifier -> source    {"format":"bauta.source-challenge/v1","nonce":...,"verifier":"portal.example"}
    source -> verifier    {"format":"bauta.source-answer/v1","nonce":...,"proof":...}
    source -> issuer      {"blinded":...,"format":"bauta.token-request/v1","issuer":...}
    issuer -> source      {"format":"bauta.token-reply/v1","signed":...}
    source -> portal      {"format":"bauta.token/v1","token":...}

And what a source keeps between asking and getting, which is secret:

    {"blinded":...,"format":"bauta.token-pending/v1","inverse":...,"issuer":...,"prefix":...,"serial":...}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault.submitter import blind_rsa
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import KEY_BITS, KEY_ID_BYTES, MAX_KEY_BYTES, IssuerKey
from keyvault.submitter.proofs import MAX_PROOF_BYTES
from keyvault.submitter.pseudonyms import scope_bytes
from keyvault.submitter.statements import NONCE_BYTES, Occasion
from keyvault.submitter.tokens import MAX_TOKEN_BYTES, SERIAL_BYTES, TokenRequest
from provenance import canonical
from provenance.errors import FormatError

MAX_PAPER_BYTES: Final = 16 << 10
_MAX_MODULUS_BYTES = max(KEY_BITS) // 8


@dataclass(frozen=True)
class Challenge:
    """What a verifier asks a source: to prove something on this one occasion.

    Attributes:
        verifier: the verifier's name, of a scope's shape.
        nonce: 32 bytes, drawn for this challenge.

    Raises:
        SubmitterError: scope_invalid or occasion_invalid.
    """

    verifier: str
    nonce: bytes = field(repr=False)

    def __post_init__(self) -> None:
        scope_bytes(self.verifier)
        if len(self.nonce) != NONCE_BYTES:
            raise SubmitterError("occasion_invalid", "a challenge's nonce has 32 bytes")

    def occasion(self, message_sha256: bytes) -> Occasion:
        """The occasion, once it is known what is handed in.

        Raises:
            SubmitterError: occasion_invalid.
        """
        return Occasion(self.verifier, self.nonce, message_sha256)

    def to_bytes(self) -> bytes:
        """The file."""
        return _paper("source-challenge", {"nonce": self.nonce.hex(), "verifier": self.verifier})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Challenge:
        """Reads one.

        Raises:
            SubmitterError: paper_invalid, scope_invalid or occasion_invalid.
        """
        said = _read(untrusted, "source-challenge", "nonce", "verifier")
        return cls(said["verifier"], _raw(said["nonce"], NONCE_BYTES))


@dataclass(frozen=True)
class Answer:
    """A source's answer to a challenge; not verified.

    Attributes:
        nonce: of the challenge, 32 bytes.
        proof: as `proofs.prove` makes it.
    """

    nonce: bytes = field(repr=False)
    proof: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The file."""
        return _paper("source-answer", {"nonce": self.nonce.hex(), "proof": self.proof.hex()})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Answer:
        """Reads one.

        Raises:
            SubmitterError: paper_invalid.
        """
        said = _read(untrusted, "source-answer", "nonce", "proof")
        return cls(_raw(said["nonce"], NONCE_BYTES), _raw(said["proof"], 1, MAX_PROOF_BYTES))


@dataclass(frozen=True)
class BlindRequest:
    """What an issuer is asked to sign, and under which key; it says nothing about the token.

    Attributes:
        issuer: id of the key, 32 bytes.
        blinded: as long as the modulus.
    """

    issuer: bytes
    blinded: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The file."""
        return _paper("token-request", {"blinded": self.blinded.hex(), "issuer": self.issuer.hex()})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> BlindRequest:
        """Reads one.

        Raises:
            SubmitterError: paper_invalid.
        """
        said = _read(untrusted, "token-request", "blinded", "issuer")
        return cls(_raw(said["issuer"], KEY_ID_BYTES), _raw(said["blinded"], 1, _MAX_MODULUS_BYTES))


def reply_to_bytes(signed: bytes) -> bytes:
    """An issuer's answer, as a file."""
    return _paper("token-reply", {"signed": signed.hex()})


def reply_from_bytes(untrusted: bytes) -> bytes:
    """Reads an issuer's answer: a blind signature, not verified.

    Raises:
        SubmitterError: paper_invalid.
    """
    return _raw(_read(untrusted, "token-reply", "signed")["signed"], 1, _MAX_MODULUS_BYTES)


def token_to_bytes(token: bytes) -> bytes:
    """A token, as a file. Whoever has it can use it."""
    return _paper("token", {"token": token.hex()})


def token_from_bytes(untrusted: bytes) -> bytes:
    """Reads a token's file: its encoding, not verified.

    Raises:
        SubmitterError: paper_invalid.
    """
    return _raw(_read(untrusted, "token", "token")["token"], 1, MAX_TOKEN_BYTES)


def pending_to_bytes(request: TokenRequest) -> bytes:
    """What a source keeps between asking and getting. Secret: it ties the token to the request."""
    size = request.key.size
    return _paper(
        "token-pending",
        {
            "blinded": request.blinded.message.hex(),
            "inverse": request.blinded.inverse.to_bytes(size, "big").hex(),
            "issuer": request.key.to_der().hex(),
            "prefix": request.prefix.hex(),
            "serial": request.serial.hex(),
        },
    )


def pending_from_bytes(untrusted: bytes) -> TokenRequest:
    """Reads what a source kept.

    Raises:
        SubmitterError: paper_invalid or issuer_key_invalid.
    """
    said = _read(untrusted, "token-pending", "blinded", "inverse", "issuer", "prefix", "serial")
    key = IssuerKey.from_der(_raw(said["issuer"], 1, MAX_KEY_BYTES))
    inverse = int.from_bytes(_raw(said["inverse"], key.size), "big")
    if not 0 < inverse < key.modulus:
        raise _invalid()
    return TokenRequest(
        key,
        _raw(said["prefix"], blind_rsa.PREFIX_BYTES),
        _raw(said["serial"], SERIAL_BYTES),
        blind_rsa.Blinded(_raw(said["blinded"], key.size), inverse),
    )


def _paper(kind: str, said: Mapping[str, str]) -> bytes:
    return canonical.dumps({"format": f"bauta.{kind}/v1", **said}) + b"\n"


def _read(untrusted: bytes, kind: str, *names: str) -> dict[str, str]:
    try:
        content: Any = canonical.loads(untrusted.removesuffix(b"\n"), MAX_PAPER_BYTES)
    except FormatError:
        raise _invalid() from None
    if not untrusted.endswith(b"\n") or not isinstance(content, dict):
        raise _invalid()
    if content.keys() != {"format", *names} or content["format"] != f"bauta.{kind}/v1":
        raise _invalid()
    if not all(isinstance(text, str) for text in content.values()):
        raise _invalid()
    return content


def _raw(text: str, least: int, most: int | None = None) -> bytes:
    """Bytes out of lower-case hex, the only spelling; of one length, or of `least` to `most`."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise _invalid() from None
    if raw.hex() != text or not least <= len(raw) <= (least if most is None else most):
        raise _invalid()
    return raw


def _invalid() -> SubmitterError:
    return SubmitterError("paper_invalid", "the file is not of the kind that this command reads")
