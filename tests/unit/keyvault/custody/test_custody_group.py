"""The group's arithmetic against published vectors and plain integers; what is no member stays out."""

from __future__ import annotations

import hashlib

import pytest

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from tests.unit.keyvault.custody import plain_group as plain

# RFC 8032, 7.1, TEST 1, 2 and 3: secret key and public key.
RFC_8032 = {
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    ),
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    ),
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    ),
}
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def scalar(name: str) -> bytes:
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "little") % plain.L
    return number.to_bytes(32, "little")


def number(of: bytes) -> int:
    return int.from_bytes(of, "little")


@pytest.mark.parametrize("secret", RFC_8032)
def test_the_public_keys_of_rfc_8032_come_out(secret: str) -> None:
    clamped = bytearray(hashlib.sha512(bytes.fromhex(secret)).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    reduced = (number(bytes(clamped)) % plain.L).to_bytes(32, "little")
    base = plain.encode(plain.BASE)
    assert group.scale(reduced, base).hex() == RFC_8032[secret]
    assert plain.encode(plain.times(number(reduced), plain.BASE)).hex() == RFC_8032[secret]


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_scalars_and_points_are_those_of_plain_integers(name: str) -> None:
    a, b = scalar(name), scalar(name + "'")
    assert number(group.add(a, b)) == (number(a) + number(b)) % plain.L
    assert number(group.subtract(a, b)) == (number(a) - number(b)) % plain.L
    assert number(group.multiply(a, b)) == number(a) * number(b) % plain.L
    assert number(group.evaluate([a, b, a], 7)) == (number(a) + 7 * number(b) + 49 * number(a)) % plain.L
    h = plain.decode(group.second_base())
    assert h is not None
    expected = plain.add(plain.times(number(a), plain.BASE), plain.times(number(b), h))
    assert group.commit(a, b) == plain.encode(expected)


def test_lagrange_weights_are_those_of_plain_integers() -> None:
    places = [1, 2, 5, 64]
    weights = group.lagrange_at_zero(places)
    for own in places:
        unit = {place: int(place == own) for place in places}
        assert number(weights[own]) == plain.interpolate_at(unit, 0)


def test_the_second_base_is_the_first_hash_that_is_a_point_of_the_group() -> None:
    for counter in range(256):
        candidate = hashlib.sha256(b"bauta.sharing/v1 second base point" + bytes([counter])).digest()
        point = plain.decode(candidate)
        if point is not None and plain.times(plain.L, point) == plain.NEUTRAL and point != plain.NEUTRAL:
            break
    assert group.second_base() == candidate


def _mixed() -> bytes:
    """A point of the group plus one of order 8: on the curve, canonical, and in no prime-order group."""
    small = plain.decode(bytes.fromhex(ORDER_8))
    assert small is not None
    assert plain.times(8, small) == plain.NEUTRAL
    return plain.encode(plain.add(plain.BASE, small))


NO_POINTS = {
    "the neutral element": plain.encode(plain.NEUTRAL),
    "order 2": plain.encode((0, plain.P - 1)),
    "order 4": bytes(32),
    "order 8": bytes.fromhex(ORDER_8),
    "a sum with order 8": _mixed(),
    "y = p + 1, not canonical": (plain.P + 1).to_bytes(32, "little"),
    "the neutral element with a sign": bytes([1]) + bytes(30) + b"\x80",
    "off the curve": (2).to_bytes(32, "little"),
    "too short": plain.encode(plain.BASE)[:31],
    "too long": plain.encode(plain.BASE) + b"\0",
    "empty": b"",
}


@pytest.mark.parametrize("name", NO_POINTS)
def test_what_is_no_point_of_the_group_is_refused(name: str) -> None:
    with pytest.raises(CustodianError) as refused:
        group.parse_point(NO_POINTS[name])
    assert refused.value.code == "point_invalid"


def test_a_point_of_the_group_is_taken() -> None:
    assert group.parse_point(plain.encode(plain.BASE)) == plain.encode(plain.BASE)


NO_SCALARS = {
    "zero": bytes(32),
    "L": plain.L.to_bytes(32, "little"),
    "L + 1": (plain.L + 1).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    "too short": b"\x01" * 31,
    "too long": b"\x01" + bytes(32),
    "empty": b"",
}


@pytest.mark.parametrize("name", NO_SCALARS)
def test_what_is_no_scalar_is_refused(name: str) -> None:
    with pytest.raises(CustodianError) as refused:
        group.parse_scalar(NO_SCALARS[name])
    assert refused.value.code == "scalar_invalid"


def test_the_largest_scalar_is_taken() -> None:
    largest = (plain.L - 1).to_bytes(32, "little")
    assert group.parse_scalar(largest) == largest


def test_commitments_chosen_to_cancel_out_are_refused_by_name() -> None:
    point = group.commit(scalar("a"), scalar("b"))
    negated = group.scale((plain.L - 1).to_bytes(32, "little"), point)
    with pytest.raises(CustodianError) as refused:
        # At x = 1 the two highest coefficients meet the neutral element.
        group.evaluate_points([point, point, negated, point], 1)
    assert refused.value.code == "point_invalid"
    with pytest.raises(CustodianError) as refused:
        group.weighted_sum_of_points([group.small_scalar(1)] * 2, [point, negated])
    assert refused.value.code == "point_invalid"
