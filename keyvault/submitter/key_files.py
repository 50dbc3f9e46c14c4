"""The secrets of a source and of an issuer as files: mode 0600, never overwritten, under a passphrase each.

    {"format":"bauta.source/v1","secret":"<32 bytes, base64>"}
    {"format":"bauta.issuer/v1","p":"<192 bytes, base64>","q":"<192 bytes, base64>"}

Sealed as age files (scrypt). Whoever has a source's secret is that source, for every submission that was
ever made with it; whoever has an issuer's primes makes tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from keyvault.key_file import KeyFileError, key_object, key_parts, read_key_file, write_key_file
from keyvault.submitter.issuer_keys import NEW_KEY_BITS, PUBLIC_EXPONENT
from keyvault.submitter.pseudonyms import SECRET_BYTES, SubmitterSecret

SOURCE_FORMAT: Final = "bauta.source/v1"
ISSUER_FORMAT: Final = "bauta.issuer/v1"

_PRIME_BYTES = NEW_KEY_BITS // 16


class SourceFileError(KeyFileError):
    """A file is no source's secret, or the passphrase is not its own."""

    code = "source_file_invalid"


class IssuerFileError(KeyFileError):
    """A file is no issuer's private key, or the passphrase is not its own."""

    code = "issuer_file_invalid"


def write_source(path: Path, secret: SubmitterSecret, passphrase: str) -> None:
    """Writes a new file with a source's secret.

    Raises:
        FileExistsError: the path is taken.
        OSError: it could not be written, and nothing is left behind.
        AgeRecipientError: the passphrase is empty.
    """
    write_key_file(path, key_object(SOURCE_FORMAT, {"secret": secret.secret}), passphrase)


def read_source(path: Path, ask_passphrase: Callable[[], str]) -> SubmitterSecret:
    """Reads what `write_source` wrote.

    Raises:
        SourceFileError: no such file, or another passphrase.
        OSError: it cannot be read.
    """
    try:
        parts, _ = key_parts(read_key_file(path, ask_passphrase), SOURCE_FORMAT, {"secret": SECRET_BYTES})
    except KeyFileError as error:
        raise SourceFileError(f"the source's secret cannot be used: {error}") from None
    return SubmitterSecret(parts["secret"])


def write_issuer(path: Path, key: rsa.RSAPrivateKey, passphrase: str) -> None:
    """Writes a new file with an issuer's private key of 3072 bits.

    Raises:
        FileExistsError: the path is taken.
        OSError: it could not be written, and nothing is left behind.
        AgeRecipientError: the passphrase is empty.
    """
    numbers = key.private_numbers()
    primes = {name: getattr(numbers, name).to_bytes(_PRIME_BYTES, "big") for name in ("p", "q")}
    write_key_file(path, key_object(ISSUER_FORMAT, primes), passphrase)


def read_issuer(path: Path, ask_passphrase: Callable[[], str]) -> rsa.RSAPrivateKey:
    """Reads what `write_issuer` wrote.

    Raises:
        IssuerFileError: no such file, or another passphrase.
        OSError: it cannot be read.
    """
    lengths = {"p": _PRIME_BYTES, "q": _PRIME_BYTES}
    try:
        parts, _ = key_parts(read_key_file(path, ask_passphrase), ISSUER_FORMAT, lengths)
        return _private_key(int.from_bytes(parts["p"], "big"), int.from_bytes(parts["q"], "big"))
    except KeyFileError as error:
        raise IssuerFileError(f"the issuer's key cannot be used: {error}") from None


def _private_key(p: int, q: int) -> rsa.RSAPrivateKey:
    try:
        exponent = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
        return rsa.RSAPrivateNumbers(
            p=p,
            q=q,
            d=exponent,
            dmp1=rsa.rsa_crt_dmp1(exponent, p),
            dmq1=rsa.rsa_crt_dmq1(exponent, q),
            iqmp=rsa.rsa_crt_iqmp(p, q),
            public_numbers=rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q),
        ).private_key()
    # Two numbers that are no primes of a key; the message of the library says no more.
    except (ValueError, ZeroDivisionError):
        raise KeyFileError("the file holds no key of an issuer") from None
