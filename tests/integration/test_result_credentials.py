"""Content credentials on results of real jobs: behind the real wall, and through a whole service."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from media_factory import MARKER, face_clip, face_image
from service_process import bauta_program, clean_environment
from worker_harness import LOG_ORIGIN, Answers, Nursery, honest, opened

from enclave.policy import Terms, shipped
from keyvault.age import HybridIdentity
from protos.bauta.internal.v1.release_pb2 import ClaimResponse, ReleaseRequest
from provenance.credentials.reading import CredentialsError, read_manifest
from provenance.dsse import Envelope
from provenance.statements import JobFacts, ReleaseFacts
from provenance.trust import Trust

MEDIA_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(autouse=True)
def honest_vault(nursery: Nursery) -> Iterator[None]:
    yield
    nursery.vault.twist = honest
    nursery.vault.claim_twist = lambda _response: None


@pytest.fixture(scope="module")
def me() -> HybridIdentity:
    return HybridIdentity.generate()


@pytest.fixture(scope="module")
def terms(me: HybridIdentity) -> Callable[[str], Terms]:
    return lambda policy: Terms(shipped()[policy], shipped()[policy].modes[0], (str(me.recipient),))


def original(suffix: str, folder: Path) -> bytes:
    file = folder / f"in{suffix}"
    if suffix == ".mp4":
        return face_clip(file, seconds=0.5, planted=True).read_bytes()
    return face_image(file, planted=True).read_bytes()


@pytest.mark.parametrize("suffix", MEDIA_TYPES)
def test_a_job_behind_the_wall_leaves_a_trusted_manifest(
    suffix: str, nursery: Nursery, me: HybridIdentity, terms: Callable[[str], Terms], tmp_path: Path
) -> None:
    asked, before = terms("street"), len(nursery.vault.claims)
    finished = nursery.run(nursery.seal(original(suffix, tmp_path), asked), asked.to_bytes())
    media = opened(finished.sealed, me)
    manifest = read_manifest(io.BytesIO(media), MEDIA_TYPES[suffix], [nursery.vault.claim_key.root])
    evidence = Envelope.from_bytes(finished.result.evidence)
    assert (manifest.evidence_sha256, manifest.log_origin) == (evidence.digest.hex(), LOG_ORIGIN)
    assert "c2pa.filtered" in manifest.actions
    assert ("c2pa.edited" in manifest.actions) == (suffix == ".mp4")
    release = ReleaseFacts.from_statement(evidence.verify(nursery.vault.node.public))
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(release.worker_key))
    assert (facts.credentials, facts.result_bytes) == ("c2pa", len(media))
    assert facts.result_sha256 == hashlib.sha256(media).hexdigest()
    assert len(nursery.vault.claims) == before + 1
    for trace in (MARKER, b"x264", b"Lavf", b"Exif", b"c2pa-rs", b"c2pa_rs", release.job_id.encode()):
        assert trace not in media
    assert finished.result.media_type == MEDIA_TYPES[suffix]


@pytest.mark.parametrize("policy", ["whistleblower", "telehealth"])
def test_a_policy_without_credentials_leaves_none_and_asks_nobody(
    policy: str, nursery: Nursery, me: HybridIdentity, terms: Callable[[str], Terms], tmp_path: Path
) -> None:
    asked, before = terms(policy), len(nursery.vault.claims)
    finished = nursery.run(nursery.seal(original(".jpg", tmp_path), asked), asked.to_bytes())
    media = opened(finished.sealed, me)
    with pytest.raises(CredentialsError) as reason:
        read_manifest(io.BytesIO(media), "image/jpeg", [nursery.vault.claim_key.root])
    assert reason.value.code == "credentials_missing"
    assert b"c2pa" not in media
    statement = Envelope.from_bytes(finished.result.statement).payload
    assert JobFacts.from_statement(statement).credentials == "none"
    assert len(nursery.vault.claims) == before


def _sign(change: Callable[[ClaimResponse], None]) -> Callable[[Nursery], None]:
    def twist(nursery: Nursery) -> None:
        nursery.vault.claim_twist = change

    return twist


def _flip(response: ClaimResponse) -> None:
    response.signature = bytes([response.signature[0] ^ 1]) + response.signature[1:]


def _say_nobody(_request: ReleaseRequest, answers: Answers) -> None:
    assert answers.response is not None
    answers.response.ClearField("claim_signer")


def _say_garbage(_request: ReleaseRequest, answers: Answers) -> None:
    assert answers.response is not None
    answers.response.claim_signer.chain[0] = b"no certificate"


def _twist(twist: Callable[[ReleaseRequest, Answers], None]) -> Callable[[Nursery], None]:
    def apply(nursery: Nursery) -> None:
        nursery.vault.twist = twist

    return apply


LYING_VAULTS: dict[str, tuple[Callable[[Nursery], None], str]] = {
    "a refusal": (_sign(lambda r: r.CopyFrom(ClaimResponse(error_code="x"))), "credentials_refused"),
    "no signature": (_sign(lambda response: response.Clear()), "credentials_refused"),
    "another signature": (_sign(_flip), "credentials_refused"),
    "nobody signs": (_twist(_say_nobody), "credentials_refused"),
    "a certificate that is none": (_twist(_say_garbage), "malformed"),
}


@pytest.mark.parametrize("name", LYING_VAULTS)
def test_without_a_good_signature_there_is_no_result(
    name: str, nursery: Nursery, terms: Callable[[str], Terms], tmp_path: Path
) -> None:
    apply, code = LYING_VAULTS[name]
    apply(nursery)
    asked = terms("street")
    finished = nursery.run(nursery.seal(original(".png", tmp_path), asked), asked.to_bytes())
    assert finished.failure_code == ("internal_error" if code == "malformed" else code)


def bauta(data: Path, *words: object, fails: bool = False) -> dict[str, object]:
    done = subprocess.run(
        [bauta_program(), *map(str, words), "--data", str(data), "--json"],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_what_c2pa_still_trusts_bauta_verify_refuses(tmp_path: Path) -> None:
    """A whole service: submit, verify, and a box appended where C2PA does not look."""
    data, result = tmp_path / "data", tmp_path / "result.mp4"
    data.mkdir(mode=0o700)
    clip = face_clip(tmp_path / "clip.mp4", seconds=0.5)
    bauta(data, "submit", clip, "-o", result, "--policy", "street", "--mode", "fast")
    verdict = bauta(data, "verify", result)
    steps = {step["step"]: step["status"] for step in verdict["steps"]}  # type: ignore[attr-defined]
    assert (verdict["verified"], steps["credentials_trusted"]) == (True, "ok")

    trust = Trust.from_bytes((data / "trust.json").read_bytes())
    with result.open("rb") as file:
        manifest = read_manifest(file, "video/mp4", trust.credential_roots)
    assert manifest.log_origin == trust.log_origin

    appended = struct.pack(">I4sI4sII", 24, b"mfra", 16, b"mfro", 0, 24)
    result.write_bytes(result.read_bytes() + appended)
    with result.open("rb") as file:
        assert read_manifest(file, "video/mp4", trust.credential_roots) == manifest
    verdict = bauta(data, "verify", result, fails=True)
    assert (verdict["verified"], verdict["failed_step"]) == (False, "result_matches")
