"""What a submitter asks for, and what an operator configures: TOML and canonical JSON."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from enclave.dependencies import _digests
from enclave.errors import EnclaveError, PolicyError
from enclave.policy import (
    EnrolledPerson,
    Instructions,
    ReviewInstructions,
    Terms,
    parse_policy,
    parse_preamble,
    parse_terms,
    shipped,
    upload_preamble,
)
from enclave.policy.enrolment import pictures_of
from grpc_api.config import load_config
from grpc_api.errors import ServiceError
from keyvault.submitter.submission_key import SubmissionKey
from tests.fuzz.target import Target

RECIPIENT = "age1pq1" + "q" * 1952
KEYS = (
    "schema",
    "name",
    "summary",
    "modes",
    "locked",
    "scale",
    "threshold",
    "passes",
    "[faces]",
    "[audio]",
    "[proof]",
    "[leaks]",
    "under_permille",
    "[[roles]]",
    "[roles.faces]",
    "[review]",
    "[review.effects]",
    "[[keep_skin]]",
    "default_role",
    '"keep"',
)
VALUES = (
    "nan",
    "inf",
    "1e400",
    "-1",
    "true",
    "[]",
    "{}",
    '""',
    "1979-05-27",
    "2026-02-30",
    "0x7fffffffffffffffffff",
)
SHAPES = ("'''", '"\\u0000"', "a.b.c = 1\n", "[[x]]\n", "= ", "\n", "[" * 2000, "9" * 5000, "x." * 20)
TOML_TOKENS = tuple(token.encode() for token in (*KEYS, *VALUES, *SHAPES))
WHY_ECHOES = "names the key at fault, at most 64 characters of it: the author of the text needs it"


@cache
def terms() -> tuple[Terms, ...]:
    """Sound terms under every shipped policy, and some that name what knows their source."""
    plain = [Terms(policy, policy.modes[0], (RECIPIENT,)) for policy in shipped().values()]
    return (*plain, replace(plain[0], submitter=SubmissionKey.of_nobody()))


def read_policy(untrusted: bytes) -> None:
    """A policy that is read lies within its ranges."""
    policy = parse_policy(untrusted.decode("utf-8", "surrogateescape"))
    assert 1.0 <= policy.faces.scale <= 3.0
    assert 0.05 <= policy.faces.threshold <= 0.9
    assert policy.faces.passes in {1, 2, 3}
    assert {"ed25519", "mldsa65"} <= set(policy.proof.signatures)


def read_terms(untrusted: bytes) -> None:
    """Terms that are read encode back."""
    assert parse_terms(untrusted).to_bytes() == untrusted


def read_preamble(untrusted: bytes) -> None:
    """A preamble that is read encodes back, and the media begins right after it."""
    parsed = parse_preamble(untrusted)
    said = parsed.instructions
    assert upload_preamble(parsed.terms, parsed.salt, said) == untrusted[: parsed.header_bytes]
    announced = parsed.record_bytes + parsed.pictures_bytes + parsed.matching_bytes
    assert parsed.size == parsed.header_bytes + announced
    pictures = pictures_of(said.enrolled, untrusted[parsed.header_bytes + parsed.record_bytes : parsed.size])
    assert [len(each) for each in pictures] == [len(person.picture_bytes) for person in said.enrolled]


def preambles() -> tuple[bytes, ...]:
    """Without instructions, with a pseudonym, with a review before and after it, with people enrolled."""
    asked = terms()
    said = (
        Instructions("Pantalone", "the harbour"),
        Instructions(review=ReviewInstructions(bytes(32)), matching=7),
        Instructions("Pantalone", "the harbour", ReviewInstructions(bytes(32), 5, b"signed")),
        Instructions(
            enrolled=(EnrolledPerson("host", (2, 1)), EnrolledPerson("guest", embedding=bytes(range(64))))
        ),
    )
    plain = tuple(upload_preamble(item, bytes(32)) + b"media" for item in asked)
    return plain + tuple(upload_preamble(asked[0], bytes(32), item) + b"media" for item in said)


def read_config(untrusted: bytes) -> None:
    """A configuration holds no number below one."""
    file = os.memfd_create("config")
    try:
        os.write(file, untrusted)
        config = load_config(Path(f"/proc/self/fd/{file}"))
    finally:
        os.close(file)
    assert config.max_upload_bytes > 0


def read_record(untrusted: bytes) -> None:
    """No path of a RECORD leads out of its folder."""
    for path, digest in _digests(untrusted.decode("utf-8", "replace")).items():
        assert not path.startswith(("..", "/"))
        assert isinstance(digest, str)


CONFIG = (
    b'[service]\nmax_upload_bytes = 1000000\nmax_running_jobs = 2\nwall_floor = ["seccomp", "landlock_fs"]\n'
)
RECORDS = (
    b"bauta/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\nbauta-1.dist-info/RECORD,,\r\n",
    *(
        b'"a, b.py",sha256=AA,1\r\n',
        b'"unfinished',
        b'"a,b,c',
        b'"a\0",sha256=AA,1',
        b'"two\nlines',
        b",,\n,\n\n",
    ),
)
TARGETS = (
    Target(
        name="policy",
        sender="whoever submits: a policy of their own",
        parsers=("enclave.policy.document.parse_policy",),
        parse=read_policy,
        seeds=lambda: tuple(policy.text.encode() for policy in shipped().values()),
        errors=(PolicyError,),
        tokens=TOML_TOKENS,
        echoes=WHY_ECHOES,
        examples=800,
    ),
    Target(
        name="terms",
        sender="whoever submits, in the request",
        parsers=("enclave.policy.terms.parse_terms", "enclave.policy.terms.terms_from_object"),
        parse=read_terms,
        seeds=lambda: tuple(item.to_bytes() for item in terms()),
        errors=(EnclaveError,),
        json=True,
        tokens=TOML_TOKENS,
        echoes=WHY_ECHOES,
        examples=500,
    ),
    Target(
        name="preamble",
        sender="whoever submits, inside the seal",
        parsers=(
            "enclave.policy.preamble.parse_preamble",
            "enclave.policy.instructions.instructions_from_object",
            "enclave.policy.review.ReviewInstructions.from_object",
            "enclave.policy.enrolment.enrolled_from_object",
            "enclave.policy.enrolment.EnrolledPerson.from_object",
            "enclave.policy.enrolment.pictures_of",
        ),
        parse=read_preamble,
        seeds=preambles,
        errors=(EnclaveError,),
        tokens=(
            b"bauta.upload/v1\n",
            b'{"salt":"',
            b'{"instructions":{',
            b'"pseudonym":"',
            b'"record_bytes":',
            b'"enrolled":[{"pictures":[',
            b'"embedding":"',
        ),
        echoes=WHY_ECHOES,
    ),
    Target(
        name="service_config",
        sender="the operator",
        parsers=("grpc_api.config.load_config",),
        parse=read_config,
        seeds=lambda: (b"", b"[service]\n", CONFIG),
        errors=(ServiceError,),
        tokens=(*TOML_TOKENS, b"[service]\n", b"wall_floor = [", b"max_frames = "),
        echoes="names the key or the wall at fault, at most 64 characters of it: the operator wrote it",
        examples=500,
    ),
    Target(
        name="record",
        sender="an installed package",
        parsers=("enclave.dependencies._digests", "enclave.dependencies._quoted"),
        parse=read_record,
        seeds=lambda: RECORDS,
        errors=(),
    ),
)
