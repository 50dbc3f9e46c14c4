"""Bech32 (BIP 173) as age uses it: no limit of 90 characters, one case, zero padding.

An upper-case string has an upper-case human-readable part; the checksum is over lower case either way.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyvault.age.errors import AgeError

MAX_CHARS = 2048
"""The longest age key, an `age1pq1…` recipient, has 1,959. A cap keeps the checksum cheap."""

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE_OF = {char: value for value, char in enumerate(_CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_CHARS = 6


class Bech32Error(ValueError):
    """Not a bech32 string; callers turn it into the error of what they were reading."""


def encode(hrp: str, payload: bytes) -> str:
    """Encodes bytes under a human-readable part, in that part's case.

    Args:
        hrp: all lower or all upper case ASCII.
        payload: any bytes.
    """
    lower = hrp.lower()
    values = _eights_to_fives(payload)
    checksum = _polymod([*_expand(lower), *values, *([0] * _CHECKSUM_CHARS)]) ^ 1
    values += [(checksum >> 5 * (5 - place)) & 31 for place in range(_CHECKSUM_CHARS)]
    text = lower + "1" + "".join(_CHARSET[value] for value in values)
    return text if hrp == lower else text.upper()


def decode(text: str) -> tuple[str, bytes]:
    """Decodes a bech32 string to its human-readable part, as written, and its bytes.

    Raises:
        Bech32Error: too long, mixed case, a strange character, a wrong checksum or padding.
    """
    if len(text) > MAX_CHARS:
        raise Bech32Error("too long")
    if not text.isascii() or text not in (text.lower(), text.upper()):
        raise Bech32Error("mixed case or not ASCII")
    hrp, separator, tail = text.rpartition("1")
    if not hrp or not separator or len(tail) < _CHECKSUM_CHARS:
        raise Bech32Error("no separator where one belongs")
    if not all("!" <= char <= "~" for char in hrp):
        raise Bech32Error("a strange character before the separator")
    values = [_VALUE_OF.get(char, -1) for char in tail.lower()]
    if -1 in values:
        raise Bech32Error("a strange character after the separator")
    if _polymod([*_expand(hrp.lower()), *values]) != 1:
        raise Bech32Error("wrong checksum")
    return hrp, _fives_to_eights(values[:-_CHECKSUM_CHARS])


def decode_key(text: str, hrp: str, kind: str, error: type[AgeError]) -> bytes:
    """Decodes a key in text, and insists on its kind and case.

    Args:
        text: what a person or a request gave.
        hrp: the human-readable part that it must have.
        kind: what it should be, for people: "an X25519 recipient".
        error: raised, without a word of the text in it.

    Raises:
        AgeError: of that class.
    """
    try:
        found, payload = decode(text)
    except Bech32Error as defect:
        raise error(f"this is not {kind}: {defect}") from None
    if found != hrp:
        raise error(f"this is not {kind}")
    return payload


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                checksum ^= term
    return checksum


def _expand(hrp: str) -> list[int]:
    return [ord(char) >> 5 for char in hrp] + [0] + [ord(char) & 31 for char in hrp]


def _eights_to_fives(payload: bytes) -> list[int]:
    pad_bits = -len(payload) * 8 % 5
    number = int.from_bytes(payload, "big") << pad_bits
    count = (len(payload) * 8 + pad_bits) // 5
    return [number >> 5 * place & 31 for place in range(count - 1, -1, -1)]


def _fives_to_eights(values: list[int]) -> bytes:
    pad_bits = len(values) * 5 % 8
    if pad_bits >= 5:
        raise Bech32Error("a character too many")
    number = 0
    for value in values:
        number = number << 5 | value
    if number & ((1 << pad_bits) - 1):
        raise Bech32Error("padding is not zero")
    return (number >> pad_bits).to_bytes(len(values) * 5 // 8, "big")
