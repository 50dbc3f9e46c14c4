"""Keys, facts and whole proofs for the tests of provenance: what the vault and the worker do in real life.

Everything comes from fixed seeds, so that a failing test fails again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from pqcrypto.sign import slh_dsa_sha2_128s

from provenance.checkpoint import assemble, message_to_sign, parse_checkpoint_text, signature_line
from provenance.dsse import Envelope, Signature, sign_envelope
from provenance.keys import ED25519, MLDSA65, SLHDSA128S, STATEMENT_SUITE, HybridPublicKey
from provenance.log import TransparencyLog
from provenance.note import VerifierKey, ed25519_vkey, mldsa44_cosigner_vkey, parse_vkey
from provenance.proof import ProofFile
from provenance.statements import FailureFacts, IntakeFacts, JobFacts, ReleaseFacts, WorkerReleaseFacts
from provenance.trust import Trust

ORIGIN = "bauta.test/log"
SIGNED_AT = 1_795_219_200
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RESULT = b"not really a video, but every byte of it counts" * 3


def seed(name: str) -> bytes:
    """32 bytes that belong to a name."""
    return hashlib.sha256(name.encode()).digest()


def hex_of(name: str) -> str:
    """A SHA-256 that belongs to a name."""
    return seed(name).hex()


@cache
def slhdsa_pair(_name: str) -> tuple[bytes, bytes]:
    """A name's SLH-DSA key pair, public and private; another in each run, since there is none from a seed."""
    return slh_dsa_sha2_128s.keygen()


class TestSigner:
    """A hybrid signer, as the vault's node key or a worker's one-job keys; `third`: with an SLH-DSA key."""

    __test__ = False

    def __init__(self, name: str, *, third: bool = False) -> None:
        self.ed25519 = Ed25519PrivateKey.from_private_bytes(seed(name + "/ed25519"))
        self.mldsa65 = MLDSA65PrivateKey.from_seed_bytes(seed(name + "/mldsa65"))
        self.public = HybridPublicKey(
            ed25519=self.ed25519.public_key().public_bytes_raw(),
            mldsa65=self.mldsa65.public_key().public_bytes_raw(),
            slhdsa128s=slhdsa_pair(name)[0] if third else None,
        )
        self._name = name

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> tuple[Signature, ...]:
        """Signs with each."""
        signed_with = {
            ED25519: self.ed25519.sign,
            MLDSA65: self.mldsa65.sign,
            SLHDSA128S: lambda signed: slh_dsa_sha2_128s.sign(slhdsa_pair(self._name)[1], signed),
        }
        key_ids = dict(zip(self.public.algorithms, self.public.key_ids, strict=True))
        return tuple(Signature(key_ids[name], signed_with[name](message)) for name in algorithms)


class TestLogKeys:
    """The two keys of a log."""

    __test__ = False

    def __init__(self, origin: str = ORIGIN, name: str = "log") -> None:
        self.origin = origin
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(seed(name + "/ed25519"))
        self._mldsa44 = MLDSA44PrivateKey.from_seed_bytes(seed(name + "/mldsa44"))
        self.vkeys = (
            ed25519_vkey(origin, self._ed25519.public_key().public_bytes_raw()),
            mldsa44_cosigner_vkey(origin, self._mldsa44.public_key().public_bytes_raw()),
        )

    @property
    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """The vkeys, parsed."""
        return tuple(parse_vkey(text) for text in self.vkeys)

    def sign_checkpoint(self, text: bytes, _prove_from: object = None) -> bytes:
        """Signs as the vault does."""
        parsed = parse_checkpoint_text(text)
        lines = [
            signature_line(key, private.sign(message_to_sign(key, parsed, SIGNED_AT)), SIGNED_AT)
            for key, private in zip(self.verifier_keys, (self._ed25519, self._mldsa44), strict=True)
        ]
        return assemble(parsed, lines)


RECIPIENT = "age1pq1" + "q" * 1952


def intake_facts(**changes: Any) -> IntakeFacts:
    """A sound intake."""
    values: dict[str, Any] = {
        "recipient": RECIPIENT,
        "valid_from": "2026-11-21T00:00:00Z",
        "valid_until": "2026-11-22T00:00:00Z",
        "worker_measurements": (hex_of("measurement"),),
    }
    return IntakeFacts(**{**values, **changes})


def release_facts(worker: HybridPublicKey, **changes: Any) -> ReleaseFacts:
    """A sound release."""
    values: dict[str, Any] = {
        "job_id": "0123456789abcdef" * 2,
        "tier": "process",
        "walls": ("landlock_fs", "net_namespace", "seccomp"),
        "measurement": hex_of("measurement"),
        "policy_sha256": hex_of("policy"),
        "terms_sha256": hex_of("terms"),
        "upload_header_sha256": hex_of("header"),
        "worker_ed25519": worker.ed25519,
        "worker_mldsa65": worker.mldsa65,
        "worker_slhdsa128s": worker.slhdsa128s,
        "released_at": "2026-11-21T10:00:01Z",
    }
    return ReleaseFacts(**{**values, **changes})


def worker_release_facts(**changes: Any) -> WorkerReleaseFacts:
    """A sound release of a worker version."""
    values: dict[str, Any] = {
        "measurement": hex_of("measurement"),
        "version": "0.1.0",
        "models": {"centerface": hex_of("centerface")},
        "policies": {"street": hex_of("street"), "telehealth": hex_of("telehealth")},
        "lock_sha256": hex_of("lock"),
        "released_at": "2026-11-20T09:00:00Z",
    }
    return WorkerReleaseFacts(**{**values, **changes})


def job_facts(result: bytes = RESULT, **changes: Any) -> JobFacts:
    """A sound job."""
    values: dict[str, Any] = {
        "job_id": "0123456789abcdef" * 2,
        "result_sha256": hashlib.sha256(result).hexdigest(),
        "result_bytes": len(result),
        "media_type": "video/mp4",
        "original_commitment": hex_of("commitment"),
        "policy_sha256": hex_of("policy"),
        "terms_sha256": hex_of("terms"),
        "mode": "balanced",
        "effect": "solid",
        "audio": "removed",
        "models": {"centerface": hex_of("centerface")},
        "measurement": hex_of("measurement"),
        "tier": "process",
        "walls": ("landlock_fs", "net_namespace", "seccomp"),
        "device": "cpu",
        "engine": "onnxruntime",
        "frames": 90,
        "frames_with_faces": 81,
        "also_covered": {"plate": "solid"},
        "frames_also_covered": {"plate": 12},
        "tracks": 2,
        "quality": {"encodings": 1, "frames_missing": 0, "frames_read": 11, "ssim_permille": 954},
        "quality_short": (),
        "sensor_noise": "kept",
        "started_at": "2026-11-21T10:00:00Z",
        "finished_at": "2026-11-21T10:00:09Z",
        "signatures": STATEMENT_SUITE,
    }
    return JobFacts(**{**values, **changes})


# What attackers found in the job of `job_facts`: independent ones in pictures, and one that covers, too.
ATTACKED: dict[str, Any] = {
    "models": {name: hex_of(name) for name in ("centerface", "mediapipe-face", "ppocr-text", "resemblyzer")},
    "leaks": {
        "faces_attacked": 21,
        "faces_open": 1,
        "faces_under": 2,
        "frames_attacked": 14,
        "frames_unchecked": 0,
        "identities_compared": 20,
        "identities_matched": 3,
        "metadata_left": 0,
        "rounds": 2,
        "seconds": 1,
        "texts_open": 4,
        "voice_matched": 5,
        "voice_windows": 60,
    },
    "leaks_look": "sampled",
    "attackers": {name: hex_of(name) for name in ("mediapipe-face", "ppocr-text", "resemblyzer")},
    "independent": ("mediapipe-face", "resemblyzer"),
}


def attacked(**changes: int | None) -> dict[str, Any]:
    """Changes for `job_facts`: a job that was attacked, with other figures; None takes one away."""
    figures = {**ATTACKED["leaks"], **changes}
    return {**ATTACKED, "leaks": {word: figure for word, figure in figures.items() if figure is not None}}


def failure_facts(**changes: Any) -> FailureFacts:
    """A sound failure."""
    values: dict[str, Any] = {
        "job_id": "0123456789abcdef" * 2,
        "code": "media_corrupt",
        "failed_at": "2026-11-21T10:00:09Z",
    }
    return FailureFacts(**{**values, **changes})


@dataclass
class House:
    """One service: a node, a log and the trust file that names both."""

    log: TransparencyLog
    log_keys: TestLogKeys
    node: TestSigner

    @property
    def trust(self) -> Trust:
        """What a person believes in."""
        return Trust(self.node.public, self.log_keys.origin, self.log_keys.vkeys)

    def prove(self, statement: Envelope, evidence: Sequence[Envelope] = (), kind: str = "job") -> bytes:
        """Records a statement; its proof file."""
        index = self.log.append(kind, statement.digest)
        return ProofFile(statement, tuple(evidence), self.log.proof_for(index)).to_bytes()

    def release(self, worker: TestSigner, **changes: Any) -> Envelope:
        """The vault's evidence for a worker, signed with as many schemes as the worker has keys."""
        facts = release_facts(worker.public, **changes)
        return sign_envelope(facts.to_statement(), self.node, facts.signatures)

    def prove_job(
        self, name: str = "worker", result: bytes = RESULT, *, third: bool = False, **changes: Any
    ) -> bytes:
        """A whole job; its proof file. `third`: under a policy that demands a hash-based signature."""
        worker = TestSigner(name, third=third)
        signatures = worker.public.algorithms
        shared = {key: value for key, value in changes.items() if key == "job_id"}
        facts = job_facts(result, **{"signatures": signatures, **changes})
        statement = sign_envelope(facts.to_statement(), worker, signatures)
        return self.prove(statement, [self.release(worker, **shared)])

    def prove_intake(self, **changes: Any) -> bytes:
        """An intake announcement."""
        return self.prove(sign_envelope(intake_facts(**changes).to_statement(), self.node), kind="intake")


def make_house(folder: Path, origin: str = ORIGIN, name: str = "") -> House:
    """Builds one; some strangers' entries are in its log already."""
    log_keys = TestLogKeys(origin, name + "log")
    log = TransparencyLog(folder / "log.sqlite", origin, log_keys.sign_checkpoint)
    for stranger in range(5):
        log.append("failure", seed(f"stranger {stranger}"))
    return House(log, log_keys, TestSigner(name + "node", third=True))
