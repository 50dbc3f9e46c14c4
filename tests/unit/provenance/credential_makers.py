"""A signer of content credentials, small results of every kind, and a manifest in each."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from provenance.credentials.assertions import actions
from provenance.credentials.certificates import own_chain
from provenance.credentials.claim import Claim, to_be_signed
from provenance.credentials.embedding import with_credentials
from provenance.dsse import Envelope, sign_envelope
from provenance.trust import Trust
from provenance.verifier import VerifiedResult, verify_result
from tests.unit.provenance.provenance_makers import House, TestSigner, job_facts, make_house

EVIDENCE_SHA256 = bytes(range(32))
LOG_ORIGIN = "bauta.log/0123456789abcdef"
SINCE = datetime(2026, 11, 20, tzinfo=UTC)
SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
SOUND = "audio/mp4"
MEDIA_TYPES = (*SUFFIXES, "video/mp4", SOUND)
JOB_TYPE = "image/png"


@dataclass
class Signer:
    """Plays the vault."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    claims: list[Claim] = field(default_factory=list)

    def __post_init__(self) -> None:
        root_key = ec.generate_private_key(ec.SECP256R1())
        leaf, self.root = own_chain(root_key, self.key.public_key(), SINCE)
        self.chain = (leaf,)

    def __call__(self, claim: Claim) -> bytes:
        self.claims.append(claim)
        signature = self.key.sign(to_be_signed(claim, self.chain), ec.ECDSA(SHA256()))
        return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))


@cache
def plain(media_type: str, width: int = 131, height: int = 97, frames: int = 12) -> bytes:
    """A small result without a manifest, as the anonymizer writes one."""
    noise = np.random.default_rng(7).integers(0, 255, (height, width, 3), dtype=np.uint8)
    if media_type in SUFFIXES:
        done, encoded = cv2.imencode(SUFFIXES[media_type], noise)
        assert done
        return bytes(encoded)
    if media_type == SOUND:
        return _sound(frames)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 2 * (width // 2), 2 * (height // 2), "yuv420p"
        for number in range(frames):
            picture = np.roll(noise[: stream.height, : stream.width], number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _sound(frames: int) -> bytes:
    noise = np.random.default_rng(7).normal(0, 0.1, (1, 1024 * frames)).astype(np.float32)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def signed(
    media_type: str,
    signer: Signer,
    sign: Callable[[Claim], bytes] | None = None,
    content: bytes | None = None,
) -> bytes:
    """A result with a manifest."""
    file = io.BytesIO(plain(media_type) if content is None else content)
    done = actions({"face": "mosaic"}, "removed")
    evidence = (EVIDENCE_SHA256, LOG_ORIGIN)
    return b"".join(with_credentials(file, media_type, done, evidence, signer.chain, sign or signer))


def pixels(media_type: str, content: bytes) -> list[bytes]:
    """Every decoded picture, or every frame of sound."""
    if media_type in SUFFIXES:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert decoded is not None
        return [decoded.tobytes()]
    with av.open(io.BytesIO(content)) as container:
        if media_type == SOUND:
            return [frame.to_ndarray().tobytes() for frame in container.decode(audio=0)]
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


@dataclass
class Job:
    """One job whose result carries credentials: file, proof, and the trust file that believes both."""

    house: House
    signer: Signer
    evidence: Envelope
    result: bytes
    proof: bytes

    @property
    def trust(self) -> Trust:
        return replace(self.house.trust, credential_roots=(self.signer.root,))

    def verify(self, trust: Trust | None = None, result: bytes | None = None) -> VerifiedResult:
        content = self.result if result is None else result
        return verify_result(io.BytesIO(content), self.proof, self.trust if trust is None else trust)


Change = Callable[[bytes], bytes]


def make_job(
    folder: Path,
    *,
    about: bytes | None = None,
    log: str | None = None,
    signer: Signer | None = None,
    credentials: str = "c2pa",
    carried: bool = True,
    change: Change = lambda result: result,
) -> Job:
    """A whole job with a result of one picture; whatever it carries, its worker's statement is about it.

    Args:
        folder: for the service.
        about: what the manifest names in place of the job's own evidence.
        log: and in place of its log.
        signer: and who signs it, in place of the one whose root is believed.
        credentials: what the statement says of it.
        carried: whether there is one.
        change: what is done to the file before the worker hashes it.
    """
    house, believed = make_house(folder), Signer()
    worker = TestSigner("worker")
    evidence = house.release(worker)
    result = plain(JOB_TYPE)
    if carried:
        named = (about or evidence.digest, log or house.log_keys.origin)
        who = signer or believed
        done = actions({"face": "solid"}, "none")
        result = b"".join(with_credentials(io.BytesIO(result), JOB_TYPE, done, named, who.chain, who))
    result = change(result)
    facts = job_facts(result, media_type=JOB_TYPE, credentials=credentials)
    statement = sign_envelope(facts.to_statement(), worker, facts.signatures)
    return Job(house, believed, evidence, result, house.prove(statement, [evidence]))
