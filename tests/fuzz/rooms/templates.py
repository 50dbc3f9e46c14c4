"""Templates under encryption: what owners, matchers and submitters read of one another.

Whole files are up to seven megabytes of numbers. What is spoiled here is what has a structure: the frame and
its description, with good ciphertexts behind it, and the beginning of the numbers. Whatever is read goes on
into SEAL, which has to take it.
"""

from __future__ import annotations

from functools import cache

from keyvault.templates.errors import TemplateError
from keyvault.templates.keys import OwnerKey, PublicContext
from keyvault.templates.matching import match
from keyvault.templates.package import TemplatePackage
from keyvault.templates.parameters import PRIMES, SCORE_PRIMES
from keyvault.templates.residues import pack_residues, read_ciphertext
from keyvault.templates.scores import EncryptedScores
from keyvault.templates.templates import EncryptedTemplate
from tests.fuzz.target import Target
from tests.unit.keyvault.templates.template_makers import SMALL, enrolled, owner, vectors

SUBMITTER = "whoever submits, inside the seal"
NUMBERS = 256


@cache
def scores() -> bytes:
    """Of one vector."""
    return match(owner()[1], [enrolled(SMALL)], vectors(1, SMALL)).to_bytes()


@cache
def template() -> bytes:
    """Somebody's."""
    return enrolled(SMALL).to_bytes()


def _cut(whole: bytes, polynomials: bytes) -> tuple[bytes, bytes]:
    """Everything before the numbers, and the numbers."""
    return whole[: -len(polynomials)], polynomials


@cache
def parts_of_template() -> tuple[bytes, bytes]:
    return _cut(template(), pack_residues(enrolled(SMALL).ciphertext))


@cache
def parts_of_scores() -> tuple[bytes, bytes]:
    return _cut(scores(), pack_residues(EncryptedScores.from_bytes(scores()).ciphertexts[0]))


def read_template(untrusted: bytes) -> None:
    whole = untrusted + parts_of_template()[1]
    assert EncryptedTemplate.from_bytes(whole).to_bytes() == whole


def read_scores(untrusted: bytes) -> None:
    whole = untrusted + parts_of_scores()[1]
    assert EncryptedScores.from_bytes(whole).to_bytes() == whole


def read_numbers(untrusted: bytes) -> None:
    """A ciphertext of a score that begins with these bytes."""
    good = parts_of_scores()[1]
    residues = read_ciphertext(untrusted + good[len(untrusted) :], SCORE_PRIMES, "ciphertext")
    owner()[1].seal.ciphertext(residues, 1.0)


def read_context(untrusted: bytes) -> None:
    whole = untrusted + owner()[1].encoded[len(untrusted) :]
    assert PublicContext.from_bytes(whole).encoded == whole


def read_key(untrusted: bytes) -> None:
    whole = untrusted + owner()[0].to_bytes()[len(untrusted) :]
    assert OwnerKey.from_bytes(whole).to_bytes() == whole


def read_package(untrusted: bytes) -> None:
    """The templates of a package, behind a good context."""
    head = TemplatePackage(owner()[1], (enrolled(SMALL),)).to_bytes()[: -len(template()) - 4]
    assert TemplatePackage.from_bytes(head + untrusted).to_bytes() == head + untrusted


TARGETS = (
    Target(
        name="template",
        sender=SUBMITTER,
        parsers=(
            "keyvault.templates.templates.EncryptedTemplate.from_bytes",
            "keyvault.templates.framing.unframe",
            "keyvault.templates.vectors.Space.from_object",
            "keyvault.templates.residues.read_ciphertext",
            "keyvault.templates.residues.read_residues",
        ),
        parse=read_template,
        seeds=lambda: (parts_of_template()[0],),
        errors=(TemplateError,),
    ),
    Target(
        name="template_scores",
        sender="a matcher",
        parsers=(
            "keyvault.templates.scores.EncryptedScores.from_bytes",
            "keyvault.templates.framing.is_hex",
        ),
        parse=read_scores,
        seeds=lambda: (parts_of_scores()[0],),
        errors=(TemplateError,),
    ),
    Target(
        name="template_numbers",
        sender="a matcher, or whoever submits",
        parsers=("keyvault.templates.residues.read_ciphertext",),
        parse=read_numbers,
        seeds=lambda: (
            b"",
            bytes(NUMBERS),
            PRIMES[0].to_bytes(8, "big"),
            (PRIMES[0] - 1).to_bytes(8, "little"),
        ),
        errors=(TemplateError,),
        max_bytes=1 << 10,
    ),
    Target(
        name="template_context",
        sender=SUBMITTER,
        parsers=("keyvault.templates.keys.PublicContext.from_bytes",),
        parse=read_context,
        seeds=lambda: (owner()[1].encoded[:NUMBERS],),
        errors=(TemplateError,),
        examples=60,
        max_bytes=1 << 10,
    ),
    Target(
        name="template_owner_key",
        sender="a person's file",
        parsers=("keyvault.templates.keys.OwnerKey.from_bytes",),
        parse=read_key,
        seeds=lambda: (owner()[0].to_bytes()[:NUMBERS],),
        errors=(TemplateError,),
        max_bytes=1 << 10,
    ),
    Target(
        name="template_package",
        sender=SUBMITTER,
        parsers=("keyvault.templates.package.TemplatePackage.from_bytes",),
        parse=read_package,
        seeds=lambda: (len(template()).to_bytes(4) + template(),),
        errors=(TemplateError,),
        examples=40,
        max_bytes=1 << 20,
    ),
)
