"""Whatever bytes come, reading a proof ends in a value or in a ProvenanceError, never in anything else."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provenance import canonical
from provenance.checkpoint import (
    CheckpointText,
    assemble,
    message_to_sign,
    signature_line,
    verify_checkpoint,
)
from provenance.dsse import Envelope, Signature, sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.keys import ED25519, MLDSA65, HybridPublicKey, key_id
from provenance.merkle import verify_consistency, verify_inclusion
from provenance.note import ED25519_NOTE, MLDSA44_COSIGNATURE, VerifierKey, parse_note, parse_vkey
from provenance.proof import ProofFile
from provenance.statements import FailureFacts, IntakeFacts, JobFacts, ReleaseFacts
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.verifier import VerificationError, verify_result

ORIGIN = "bauta.test/log"
RESULT = b"the result"
FAST = settings(max_examples=150, deadline=None)


class Signer:
    """Two private keys."""

    def __init__(self, letter: bytes) -> None:
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(letter * 32)
        self._mldsa65 = MLDSA65PrivateKey.from_seed_bytes(letter * 32)
        self.public = HybridPublicKey(
            self._ed25519.public_key().public_bytes_raw(), self._mldsa65.public_key().public_bytes_raw()
        )

    def sign(self, message: bytes, _algorithms: Sequence[str] = ()) -> tuple[Signature, ...]:
        return (
            Signature(key_id(ED25519, self.public.ed25519), self._ed25519.sign(message)),
            Signature(key_id(MLDSA65, self.public.mldsa65), self._mldsa65.sign(message)),
        )


def hex_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def make_proof() -> tuple[bytes, Trust]:
    """A sound proof, in a log of one entry."""
    node, worker = Signer(b"n"), Signer(b"w")
    shared: dict[str, Any] = {
        "job_id": "0" * 32,
        "measurement": hex_of(b"code"),
        "policy_sha256": hex_of(b"policy"),
        "terms_sha256": hex_of(b"terms"),
        "tier": "process",
        "walls": ("seccomp",),
    }
    release = ReleaseFacts(
        **shared,
        upload_header_sha256=hex_of(b"header"),
        worker_ed25519=worker.public.ed25519,
        worker_mldsa65=worker.public.mldsa65,
        released_at="2026-11-21T00:00:00Z",
    )
    job = JobFacts(
        **shared,
        result_sha256=hex_of(RESULT),
        result_bytes=len(RESULT),
        media_type="video/mp4",
        original_commitment=hex_of(b"commitment"),
        mode="fast",
        effect="solid",
        audio="none",
        models={"centerface": hex_of(b"model")},
        device="cpu",
        frames=1,
        frames_with_faces=1,
        tracks=1,
        started_at="2026-11-21T00:00:00Z",
        finished_at="2026-11-21T00:00:01Z",
    )
    statement = sign_envelope(job.to_statement(), worker)
    head = CheckpointText(ORIGIN, 1, Entry("job", statement.digest).leaf)
    private = (Ed25519PrivateKey.from_private_bytes(b"l" * 32), MLDSA44PrivateKey.from_seed_bytes(b"l" * 32))
    keys = (
        VerifierKey(ORIGIN, ED25519_NOTE, private[0].public_key().public_bytes_raw()),
        VerifierKey(ORIGIN, MLDSA44_COSIGNATURE, private[1].public_key().public_bytes_raw()),
    )
    lines = [
        signature_line(key, secret.sign(message_to_sign(key, head, 1)), 1)
        for key, secret in zip(keys, private, strict=True)
    ]
    log = TlogProof(0, (), assemble(head, lines)).to_bytes()
    proof = ProofFile(statement, (sign_envelope(release.to_statement(), node),), log).to_bytes()
    return proof, Trust(node.public, ORIGIN, tuple(key.to_text() for key in keys))


PROOF, TRUST = make_proof()
READERS: list[Callable[[bytes], object]] = [
    canonical.loads,
    canonical.loads_relaxed,
    Envelope.from_bytes,
    ProofFile.from_bytes,
    Trust.from_bytes,
    TlogProof.parse,
    CheckpointText.parse,
    parse_note,
    JobFacts.from_statement,
    ReleaseFacts.from_statement,
    IntakeFacts.from_statement,
    FailureFacts.from_statement,
    lambda data: parse_vkey(data.decode("utf-8", "surrogateescape")),
    lambda data: verify_checkpoint(data, ORIGIN, TRUST.log_keys),
]
WHOLE = ProofFile.from_bytes(PROOF)
SEEDS = [
    PROOF,
    TRUST.to_bytes(),
    WHOLE.log,
    WHOLE.statement.to_bytes(),
    WHOLE.statement.payload,
    WHOLE.evidence[0].payload,
    TlogProof.parse(WHOLE.log).checkpoint,
    TRUST.log_vkeys[0].encode(),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def refuses(data: bytes) -> None:
    """A changed proof of the same result must not verify, and must say where it failed."""
    with pytest.raises(VerificationError) as caught:
        verify_result(io.BytesIO(RESULT), data, TRUST)
    assert [step.status for step in caught.value.steps].count("failed") == 1


def test_the_seed_is_sound() -> None:
    assert verify_result(io.BytesIO(RESULT), PROOF, TRUST).facts.frames == 1


@FAST
@given(st.binary(max_size=400))
@example(b"")
@example(b"[" * 50_000)
@example(b"\x00" * 1000)
def test_any_bytes(data: bytes) -> None:
    for reader in READERS:
        with suppress(ProvenanceError):
            reader(data)
    refuses(data)


@FAST
@given(JSON)
def test_any_json(value: Any) -> None:
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for reader in READERS:
        with suppress(ProvenanceError):
            reader(data.encode("utf-8", "surrogatepass"))


@FAST
@given(st.sampled_from(SEEDS), st.data())
def test_sound_bytes_with_a_part_replaced(seed: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(seed)))
    length = data.draw(st.integers(0, 40))
    changed = seed[:start] + data.draw(st.binary(max_size=40)) + seed[start + length :]
    for reader in READERS:
        with suppress(ProvenanceError):
            reader(changed)
    if seed is PROOF and changed != PROOF:
        refuses(changed)


def every_path(value: Any) -> list[tuple[Any, ...]]:
    """The way to each value inside a JSON document."""
    paths: list[tuple[Any, ...]] = [()]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        paths += [(key, *path) for path in every_path(inner)]
    return paths


@FAST
@given(st.data())
def test_a_sound_proof_with_one_value_replaced(data: st.DataObject) -> None:
    """Canonical again after the change, so that the parts behind the JSON are reached."""
    content = json.loads(PROOF)
    path = data.draw(st.sampled_from(every_path(content)[1:]))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    replacement = data.draw(JSON)
    if replacement == inner[path[-1]]:
        return
    inner[path[-1]] = replacement
    with suppress(ProvenanceError):
        refuses(canonical.dumps(content) + b"\n")


@FAST
@given(st.data())
def test_a_sound_statement_with_one_value_replaced(data: st.DataObject) -> None:
    kind, seed = data.draw(
        st.sampled_from([(JobFacts, WHOLE.statement.payload), (ReleaseFacts, WHOLE.evidence[0].payload)])
    )
    content = json.loads(seed)
    path = data.draw(st.sampled_from(every_path(content)[1:]))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(JSON)
    with suppress(ProvenanceError):
        changed = canonical.dumps(content)
        assert kind.from_statement(changed).to_statement() == changed


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=66)
NUMBERS = st.integers(-2, 1 << 64)


@FAST
@given(NUMBERS, NUMBERS, HASHES, st.binary(min_size=32, max_size=32))
def test_no_merkle_proof_is_found_by_chance(
    first: int, second: int, hashes: list[bytes], node: bytes
) -> None:
    root = hashlib.sha256(b"a root that nobody can aim at").digest()
    with pytest.raises(ProvenanceError):
        verify_inclusion(node, first, second, hashes, root)
    with pytest.raises(ProvenanceError):
        verify_consistency(first, second, hashes, node, root)
