"""The secret transform: orthogonal, drawn evenly, and of no use under another key."""

from __future__ import annotations

import math
from hashlib import shake_256

import numpy as np
import pytest

from keyvault.key_file import KeyFileError
from keyvault.templates.errors import TemplateError
from keyvault.templates.transform import Transform
from tests.unit.keyvault.templates.template_makers import TRANSFORM, cosines

OTHER = Transform(bytes(32))
DIMENSION = 128


@pytest.mark.parametrize("dimension", [2, 20, DIMENSION])
def test_the_matrix_is_orthogonal_and_the_same_again(dimension: int) -> None:
    matrix = TRANSFORM.matrix(dimension)
    assert np.abs(matrix @ matrix.T - np.eye(dimension)).max() < 1e-12
    assert np.array_equal(Transform(TRANSFORM.seed).matrix(dimension), matrix)


def test_the_matrix_of_a_seed_stays_what_it_is() -> None:
    """Templates outlive versions: another matrix for an old seed would match nobody, silently.

    Worked out again in plain Python: a QR with a positive diagonal is Gram and Schmidt's, column by column.
    """
    stream = shake_256(b"bauta.template-transform-matrix/v1\0" + OTHER.seed + b"\0\3").digest(2 * 9 * 8)
    words = [int.from_bytes(stream[at : at + 8], "little") >> 11 for at in range(0, len(stream), 8)]
    even = [(word + 0.5) / 2**53 for word in words]
    normal = [
        math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b)
        for a, b in zip(even[:9], even[9:], strict=True)
    ]
    columns: list[list[float]] = []
    for place in range(3):
        column = normal[place::3]
        for before in columns:
            along = sum(a * b for a, b in zip(column, before, strict=True))
            column = [a - along * b for a, b in zip(column, before, strict=True)]
        columns.append([a / math.hypot(*column) for a in column])
    assert np.abs(OTHER.matrix(3) - np.array(columns).T).max() < 1e-12


def test_rotations_and_reflections_are_as_likely() -> None:
    """Haar's measure knows both; QR without the signs of R's diagonal is not drawn evenly."""
    drawn = [Transform(bytes([number] * 32)).matrix(2) for number in range(64)]
    reflections = sum(np.linalg.det(matrix) < 0 for matrix in drawn)
    first_signs = sum(matrix[0, 0] < 0 for matrix in drawn)
    assert 16 < reflections < 48
    assert 16 < first_signs < 48


def test_what_leaked_under_one_transform_matches_nothing_under_another() -> None:
    person = np.random.default_rng(5).normal(size=(1, DIMENSION))
    one, other = TRANSFORM.of_vectors(person), OTHER.of_vectors(person)
    assert abs(cosines(one, one) - 1) < 1e-12
    assert abs(cosines(one, other)) < 0.4
    assert abs(cosines(one, person)) < 0.4


def test_the_file_of_a_transform() -> None:
    assert Transform.from_bytes(TRANSFORM.to_bytes()) == TRANSFORM
    assert TRANSFORM.seed.hex() not in repr(TRANSFORM)
    assert TRANSFORM.transform_id != OTHER.transform_id
    with pytest.raises(KeyFileError):
        Transform.from_bytes(TRANSFORM.to_bytes()[:-3])
    with pytest.raises(TemplateError) as caught:
        Transform(bytes(31))
    assert caught.value.code == "template_malformed"
