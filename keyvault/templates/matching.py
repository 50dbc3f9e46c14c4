"""Vectors in the clear against encrypted templates: scores that the matcher cannot read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keyvault.templates.errors import TemplateError, foreign_context
from keyvault.templates.hiding import hide
from keyvault.templates.keys import PublicContext
from keyvault.templates.parameters import MATCHED_PRIMES, MAX_TEMPLATES, SCORE_NOISE
from keyvault.templates.product import multiply
from keyvault.templates.scores import EncryptedScores
from keyvault.templates.seal import residues_of
from keyvault.templates.templates import EncryptedTemplate
from keyvault.templates.transform import Transform, require_same_transform
from keyvault.templates.vectors import unit_rows


def match(
    context: PublicContext,
    templates: Sequence[EncryptedTemplate],
    vectors: npt.ArrayLike,
    transform: Transform | None = None,
) -> EncryptedScores:
    """Compares.

    Args:
        context: of the templates' owner.
        templates: 1 to 8, all of one space.
        vectors: (count, dimension), 1 to 1,024 of them, as the network gave them: in the clear.
        transform: that the templates were transformed with; None for templates that were not.

    Returns:
        The cosine of every vector with every template, encrypted, with noise of its own (`hiding`).

    Raises:
        TemplateError: template_foreign_context, template_other_network, template_other_transform,
            template_too_many, template_vector_invalid.
    """
    if not 0 < len(templates) <= MAX_TEMPLATES:
        raise TemplateError("template_too_many", f"1 to {MAX_TEMPLATES} templates are compared at once")
    space = templates[0].space
    for template in templates:
        if template.context_id != context.context_id:
            raise foreign_context()
        template.require_space(space)
        require_same_transform(template, transform)
    rows = unit_rows(vectors, space)
    if transform is not None:
        rows = transform.of_vectors(rows)
    filled = np.zeros((len(rows), space.padded))
    filled[:, : space.dimension] = rows
    seal = context.seal
    given = [seal.ciphertext(template.ciphertext, template.scale) for template in templates]
    for ciphertext in given:
        if ciphertext.coeff_modulus_size() > MATCHED_PRIMES:
            seal.evaluator.mod_switch_to_next_inplace(ciphertext)
    made = multiply(seal, filled, given)
    for ciphertext in made:
        hide(seal, ciphertext, SCORE_NOISE)
        seal.evaluator.rescale_to_next_inplace(ciphertext)
    return EncryptedScores(
        context.context_id,
        space,
        templates[0].transform,
        tuple(template.sha256 for template in templates),
        len(rows),
        tuple(residues_of(ciphertext) for ciphertext in made),
    )
