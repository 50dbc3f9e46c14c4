"""Bech32 with age's own limits."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault.age import bech32

# The example identity and recipient of c2sp.org/age.
IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

REFUSED = {
    "empty": "",
    "no separator": RECIPIENT.replace("1", "q"),
    "nothing before the separator": RECIPIENT[3:],
    "shorter than its checksum": "age1qqqqq",
    "mixed case": RECIPIENT[:-1] + RECIPIENT[-1].upper(),
    "upper-case prefix alone": RECIPIENT.replace("age1", "AGE1"),
    "wrong checksum": RECIPIENT[:-1] + "q",
    "a character outside the alphabet": RECIPIENT.replace("z", "b", 1),
    "trailing newline": RECIPIENT + "\n",
    "leading space": " " + RECIPIENT,
    "not ASCII, but of one case": RECIPIENT.replace("z", "ż", 1),
    "a Kelvin sign that lowers to k": RECIPIENT.replace("k", "\u212a", 1),
    "too long": "age1" + "q" * bech32.MAX_CHARS,
}


def test_the_examples_of_the_specification_read_and_write_back() -> None:
    hrp, secret = bech32.decode(IDENTITY)
    assert (hrp, secret) == ("AGE-SECRET-KEY-", b"\x42" * 32)
    assert bech32.encode(hrp, secret) == IDENTITY
    assert bech32.encode(*bech32.decode(RECIPIENT)) == RECIPIENT


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(bech32.Bech32Error):
        bech32.decode(text)


@pytest.mark.parametrize("position", range(len(RECIPIENT)))
def test_one_changed_character_never_passes(position: int) -> None:
    for other in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1":
        if other != RECIPIENT[position]:
            with pytest.raises(bech32.Bech32Error):
                bech32.decode(RECIPIENT[:position] + other + RECIPIENT[position + 1 :])


@pytest.mark.parametrize("pad_bit", range(4))
def test_padding_that_is_not_zero_is_refused(pad_bit: int) -> None:
    # 32 bytes leave 4 spare bits; a checksum over set spare bits is valid, so only the padding rule is left.
    values = bech32._eights_to_fives(os.urandom(32))
    values[-1] |= 1 << pad_bit
    checksum = bech32._polymod([*bech32._expand("age"), *values, *([0] * 6)]) ^ 1
    values += [(checksum >> 5 * (5 - place)) & 31 for place in range(6)]
    text = "age1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)
    with pytest.raises(bech32.Bech32Error, match="padding"):
        bech32.decode(text)


@given(st.binary(max_size=1220))
def test_every_payload_comes_back(payload: bytes) -> None:
    assert bech32.decode(bech32.encode("age1pq", payload)) == ("age1pq", payload)
