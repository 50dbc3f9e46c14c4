"""Another's key, another's context, bytes that were cut off or changed: one clear error each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from keyvault.key_file import KeyFileError, write_key_file
from keyvault.templates.errors import TemplateError
from keyvault.templates.keys import OwnerKey, PublicContext
from keyvault.templates.matching import match
from keyvault.templates.package import TemplatePackage
from keyvault.templates.parameters import PRIMES
from keyvault.templates.scores import EncryptedScores, open_scores
from keyvault.templates.templates import EncryptedTemplate, enrol, open_template
from keyvault.templates.transform import transform_template
from tests.unit.keyvault.templates.template_makers import (
    SMALL,
    TRANSFORM,
    VOICES,
    enrolled,
    owner,
    stranger,
    vectors,
)

HEAD = len(b"bauta.template/v1\n") + 32 + 2


@cache
def scores() -> EncryptedScores:
    """Of two vectors."""
    return match(owner()[1], [enrolled(SMALL)], vectors(2, SMALL))


def posing() -> OwnerKey:
    """A stranger's key in a file that names this owner's context."""
    return dataclasses.replace(stranger()[0], context_id=owner()[0].context_id)


@cache
def transformed() -> EncryptedTemplate:
    return transform_template(owner()[1], enrolled(SMALL), TRANSFORM)


REFUSED: dict[str, tuple[str, Callable[[], object]]] = {
    "scores under a stranger's key": (
        "template_wrong_key",
        lambda: open_scores(*stranger(), scores()),
    ),
    "scores under a stranger's key that poses as the owner's": (
        "template_wrong_key",
        lambda: open_scores(posing(), owner()[1], scores()),
    ),
    "a template under a stranger's key": (
        "template_wrong_key",
        lambda: open_template(*stranger(), enrolled(SMALL)),
    ),
    "a template under a stranger's key that poses as the owner's": (
        "template_wrong_key",
        lambda: open_template(posing(), owner()[1], enrolled(SMALL)),
    ),
    "the owner's key with a stranger's context": (
        "template_wrong_key",
        lambda: open_scores(owner()[0], stranger()[1], scores()),
    ),
    "matching in a foreign context": (
        "template_foreign_context",
        lambda: match(stranger()[1], [enrolled(SMALL)], vectors(1, SMALL)),
    ),
    "transforming in a foreign context": (
        "template_foreign_context",
        lambda: transform_template(stranger()[1], enrolled(SMALL), TRANSFORM),
    ),
    "a package of two owners": (
        "template_foreign_context",
        lambda: TemplatePackage(stranger()[1], (enrolled(SMALL),)),
    ),
    "templates of two networks": (
        "template_other_network",
        lambda: match(owner()[1], [enrolled(SMALL), enrolled(VOICES)], vectors(1, SMALL)),
    ),
    "vectors of another length": (
        "template_other_network",
        lambda: match(owner()[1], [enrolled(SMALL)], vectors(1, VOICES)),
    ),
    "a transformed template without its transform": (
        "template_other_transform",
        lambda: match(owner()[1], [transformed()], vectors(1, SMALL)),
    ),
    "a template that was not transformed, with a transform": (
        "template_other_transform",
        lambda: match(owner()[1], [enrolled(SMALL)], vectors(1, SMALL), TRANSFORM),
    ),
    "transforming twice": (
        "template_other_transform",
        lambda: transform_template(owner()[1], transformed(), TRANSFORM),
    ),
    "no template": ("template_too_many", lambda: match(owner()[1], [], vectors(1, SMALL))),
    "nine templates": (
        "template_too_many",
        lambda: match(owner()[1], [enrolled(SMALL)] * 9, vectors(1, SMALL)),
    ),
    "too many vectors": (
        "template_too_many",
        lambda: match(owner()[1], [enrolled(SMALL)], vectors(1025, SMALL)),
    ),
    "a vector of zeros": (
        "template_vector_invalid",
        lambda: enrol(owner()[1], SMALL, np.zeros(SMALL.dimension)),
    ),
    "a vector with what is no number": (
        "template_vector_invalid",
        lambda: enrol(owner()[1], SMALL, np.full(SMALL.dimension, np.nan)),
    ),
    "no vector": (
        "template_vector_invalid",
        lambda: match(owner()[1], [enrolled(SMALL)], np.zeros((0, SMALL.dimension))),
    ),
    "a space of one number": ("template_malformed", lambda: dataclasses.replace(SMALL, dimension=1)),
    "a space of too many": ("template_malformed", lambda: dataclasses.replace(SMALL, dimension=513)),
    "a network without a digest": ("template_malformed", lambda: dataclasses.replace(SMALL, network="ab")),
}


@pytest.mark.parametrize(("code", "attempt"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(code: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(TemplateError) as caught:
        attempt()
    assert caught.value.code == code


def described(change: Callable[[bytes], bytes]) -> bytes:
    """A template with another description."""
    whole = enrolled(SMALL).to_bytes()
    end = HEAD + int.from_bytes(whole[HEAD - 2 : HEAD])
    said = change(whole[HEAD:end])
    return whole[: HEAD - 2] + len(said).to_bytes(2) + said + whole[end:]


def with_residue(number: int, where: int) -> bytes:
    """A template one residue of which is another: counted from the end, in eight bytes."""
    whole = enrolled(SMALL).to_bytes()
    at = len(whole) - 8 * where
    return whole[:at] + number.to_bytes(8, "little") + whole[at + 8 :]


def with_open_first_polynomial() -> bytes:
    """What is no ciphertext: its second polynomial is zero, its first one the plaintext."""
    whole = enrolled(SMALL).to_bytes()
    half = 3 * 8192 * 8
    return whole[:-half] + bytes(half)


SPOILED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "the label alone": lambda: b"bauta.template/v1\n",
    "the last byte missing": lambda: enrolled(SMALL).to_bytes()[:-1],
    "half of it": lambda: enrolled(SMALL).to_bytes()[:200_000],
    "no ciphertext": lambda: enrolled(SMALL).to_bytes()[: HEAD + 140],
    "a byte more": lambda: enrolled(SMALL).to_bytes() + b"\0",
    "without end": lambda: enrolled(SMALL).to_bytes() + bytes(1 << 20),
    "another label": lambda: b"bauta.template/v2\n" + enrolled(SMALL).to_bytes()[18:],
    "a residue as large as its prime": lambda: with_residue(PRIMES[2], 1),
    "a residue above the first prime": lambda: with_residue(PRIMES[0], 3 * 8192),
    "the largest number there is": lambda: with_residue((1 << 64) - 1, 5),
    "a plaintext that poses as a ciphertext": with_open_first_polynomial,
    "a description with a blank": lambda: described(lambda said: said.replace(b",", b", ")),
    "a description without a network": lambda: described(lambda said: said.replace(b"network", b"netwerk")),
    "a kind that nobody knows": lambda: described(lambda said: said.replace(b'"face"', b'"gait"')),
    "a dimension of zero": lambda: described(lambda said: said.replace(b":20,", b":0,")),
    "a dimension that is true": lambda: described(lambda said: said.replace(b":20,", b":true,")),
    "a transform that was not done": lambda: described(
        lambda said: said.replace(b'"transform":""', b'"transform":"' + b"0" * 32 + b'"')
    ),
    "no JSON": lambda: described(lambda said: said[:-1]),
    "a list": lambda: described(lambda _said: b"[]"),
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_a_template_that_was_cut_off_or_changed_is_refused(spoiled: Callable[[], bytes]) -> None:
    with pytest.raises(TemplateError) as caught:
        EncryptedTemplate.from_bytes(spoiled())
    assert caught.value.code == "template_malformed"


def package() -> TemplatePackage:
    """Of two templates."""
    return TemplatePackage(owner()[1], (enrolled(SMALL), enrolled(SMALL, 10)))


def key_bytes() -> bytes:
    """The owner's."""
    return owner()[0].to_bytes()


OTHERS: dict[str, tuple[Callable[[], bytes], Callable[[bytes], object]]] = {
    "context": (lambda: owner()[1].encoded, PublicContext.from_bytes),
    "key": (key_bytes, OwnerKey.from_bytes),
    "scores": (lambda: scores().to_bytes(), EncryptedScores.from_bytes),
    "package": (lambda: package().to_bytes(), TemplatePackage.from_bytes),
}


@pytest.mark.parametrize(("make", "read"), OTHERS.values(), ids=OTHERS)
def test_all_else_is_refused_where_it_was_cut_off(
    make: Callable[[], bytes], read: Callable[[bytes], object]
) -> None:
    whole = make()
    read(whole)
    for spoiled in (
        whole[:-1],
        whole[: len(whole) // 2],
        whole + b"\0",
        whole[:-8] + b"\xff" * 8,
        b"x" + whole,
    ):
        with pytest.raises(TemplateError) as caught:
            read(spoiled)
        assert caught.value.code == "template_malformed"


def test_everything_encodes_back() -> None:
    assert PublicContext.from_bytes(owner()[1].encoded).context_id == owner()[1].context_id
    assert OwnerKey.from_bytes(owner()[0].to_bytes()).to_bytes() == owner()[0].to_bytes()
    assert EncryptedTemplate.from_bytes(enrolled(SMALL).to_bytes()).to_bytes() == enrolled(SMALL).to_bytes()
    made = scores().to_bytes()
    assert EncryptedScores.from_bytes(made).to_bytes() == made
    assert TemplatePackage.from_bytes(package().to_bytes()).to_bytes() == package().to_bytes()


def test_the_file_of_a_key_is_private_and_sealed(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    key = owner()[0]
    key.write(path, "a passphrase")
    assert path.stat().st_mode & 0o777 == 0o600
    assert key.to_bytes()[:200] not in path.read_bytes()
    assert OwnerKey.read(path, lambda: "a passphrase").to_bytes() == key.to_bytes()
    with pytest.raises(FileExistsError):
        key.write(path, "a passphrase")
    lying_open = tmp_path / "open.key"
    write_key_file(lying_open, key.to_bytes(), None)
    with pytest.raises(KeyFileError, match="sealed by a passphrase"):
        OwnerKey.read(lying_open, lambda: "")


def test_nothing_secret_is_shown() -> None:
    shown = repr(owner()[0]) + repr(enrolled(SMALL)) + repr(TRANSFORM)
    assert "array" not in shown
    assert TRANSFORM.seed.hex() not in shown
