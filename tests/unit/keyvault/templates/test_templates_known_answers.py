"""Known answers: what comes out of an encryption is what NumPy says in the clear."""

from __future__ import annotations

import numpy as np
import pytest

from keyvault.templates.matching import match
from keyvault.templates.scores import EncryptedScores, open_scores
from keyvault.templates.templates import EncryptedTemplate, enrol, open_template
from keyvault.templates.transform import transform_template
from keyvault.templates.vectors import Kind, Space
from tests.unit.keyvault.templates.template_makers import (
    FACES,
    NETWORK,
    SMALL,
    TRANSFORM,
    VOICES,
    cosines,
    enrolled,
    owner,
    vectors,
)

# The bound of the issue. The noise that hides is 9e-8 wide: eleven times narrower.
BOUND = 1e-6

SIZES = {
    "one vector of two numbers": (1, Space(Kind.FACE, NETWORK, 2)),
    "fewer numbers than a step": (3, SMALL),
    "a voice": (1, VOICES),
    "no power of two": (5, Space(Kind.FACE, NETWORK, 300)),
    "the most there may be": (1024, FACES),
}


@pytest.mark.parametrize(("count", "space"), SIZES.values(), ids=SIZES)
def test_scores_are_the_cosines(count: int, space: Space) -> None:
    key, context = owner()
    compared = vectors(count, space)
    told = EncryptedScores.from_bytes(match(context, [enrolled(space)], compared).to_bytes())
    scores = open_scores(key, context, told)
    assert scores.shape == (1, count)
    assert np.abs(scores - cosines(vectors(1, space, 9), compared)).max() < BOUND


def test_somebody_is_known_and_somebody_else_is_not() -> None:
    key, context = owner()
    person = vectors(1, VOICES, 9)
    compared = np.concatenate([person * 7, -person, vectors(2, VOICES)])
    (scores,) = open_scores(key, context, match(context, [enrolled(VOICES)], compared))
    assert np.abs(scores[:2] - [1, -1]).max() < BOUND
    assert np.abs(scores[2:]).max() < 0.5


def test_several_templates_are_compared_at_once() -> None:
    key, context = owner()
    templates = [enrolled(SMALL), enrolled(SMALL, 10)]
    compared = vectors(4, SMALL)
    told = match(context, templates, compared)
    assert told.templates == tuple(template.sha256 for template in templates)
    people = np.concatenate([vectors(1, SMALL, 9), vectors(1, SMALL, 10)])
    assert np.abs(open_scores(key, context, told) - cosines(people, compared)).max() < BOUND


def test_a_vector_with_a_single_number_leaves_diagonals_empty() -> None:
    """SEAL refuses products with zero; what is all zero is left out of the sum."""
    key, context = owner()
    compared = np.zeros((1, SMALL.dimension))
    compared[0, 3] = -2
    (scores,) = open_scores(key, context, match(context, [enrolled(SMALL)], compared))
    assert np.abs(scores - cosines(vectors(1, SMALL, 9), compared)).max() < BOUND


def test_the_owner_opens_a_template() -> None:
    key, context = owner()
    template = EncryptedTemplate.from_bytes(enrolled(VOICES).to_bytes())
    vector = vectors(1, VOICES, 9)[0]
    assert np.abs(open_template(key, context, template) - vector / np.linalg.norm(vector)).max() < BOUND


def test_a_transform_is_done_without_a_look_and_changes_no_score() -> None:
    key, context = owner()
    first = enrolled(VOICES)
    changed = EncryptedTemplate.from_bytes(transform_template(context, first, TRANSFORM).to_bytes())
    vector = vectors(1, VOICES, 9)[0]
    expected = TRANSFORM.matrix(VOICES.dimension) @ (vector / np.linalg.norm(vector))
    assert np.abs(open_template(key, context, changed) - expected).max() < BOUND
    compared = vectors(6, VOICES)
    told = EncryptedScores.from_bytes(match(context, [changed], compared, TRANSFORM).to_bytes())
    assert told.transform == TRANSFORM.transform_id
    assert np.abs(open_scores(key, context, told) - cosines(vector[None], compared)).max() < BOUND


def test_the_same_template_is_encrypted_anew_each_time() -> None:
    context = owner()[1]
    vector = vectors(1, SMALL, 9)[0]
    one, other = (enrol(context, SMALL, vector) for _ in range(2))
    # Single residues of the smallest prime, 22 bits, are equal by chance; a whole polynomial is not.
    assert not (one.ciphertext == other.ciphertext).all(axis=2).any(), "a seed was used twice"
