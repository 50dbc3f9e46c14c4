"""edwards25519 in plain Python integers, from the formulas of RFC 8032, 5.1: a slow second opinion.

It shares no code with libsodium, and is used to check what our own code gets out of it.
"""

from __future__ import annotations

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Affine = tuple[int, int]
NEUTRAL: Affine = (0, 1)


def decode(encoded: bytes) -> Affine | None:
    """The point of a canonical encoding, None for anything else."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    sign = encoded[31] >> 7
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def encode(point: Affine) -> bytes:
    """32 bytes."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(first: Affine, second: Affine) -> Affine:
    """The twisted Edwards addition law, complete on this curve."""
    (x1, y1), (x2, y2) = first, second
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(number: int, point: Affine) -> Affine:
    """Double and add."""
    result = NEUTRAL
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


_base = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _base is not None
BASE: Affine = _base


def interpolate_at(points: dict[int, int], x: int) -> int:
    """The value at x of the polynomial of lowest degree through these points, modulo L."""
    total = 0
    for own, value in points.items():
        weight = 1
        for other in points:
            if other != own:
                weight = weight * (x - other) * pow(own - other, -1, L) % L
        total += value * weight
    return total % L
