"""The step of `bauta verify` that reads content credentials: it holds, fails, is left, or cannot be done."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.checklist import VerificationError
from provenance.proof import ProofFile
from provenance.verifier import VerifiedResult, verify_result
from tests.unit.provenance.credential_makers import Signer, make_job

STEP = "credentials_trusted"


def status(verified: VerifiedResult) -> str:
    [step] = [step for step in verified.steps if step.step == STEP]
    return step.status


def test_credentials_that_hold_are_said_to(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    verified = job.verify()
    assert status(verified) == "ok"
    assert "credentials_unchecked" not in {remark.code for remark in verified.remarks}
    assert ProofFile.from_bytes(job.proof).evidence[0] == job.evidence


def _flip(result: bytes) -> bytes:
    return result[:-40] + bytes([result[-40] ^ 1]) + result[-39:]


REFUSED = {
    "none where the statement says so": ({"carried": False}, "credentials_missing"),
    "those of another job": ({"about": bytes(32)}, "credentials_disagree"),
    "those of another log": ({"log": "bauta.log/other"}, "credentials_disagree"),
    "by a signer of another root": ({"signer": Signer()}, "credentials_untrusted"),
    "over another picture": ({"change": _flip}, "credentials_untrusted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_credentials_that_do_not_hold_fail_the_check(name: str, tmp_path: Path) -> None:
    """The worker's statement is about the file as it is: no other step sees that something is wrong."""
    changes, code = REFUSED[name]
    with pytest.raises(VerificationError) as failure:
        make_job(tmp_path, **changes).verify()  # type: ignore[arg-type]  # a table of keywords
    assert (failure.value.step, failure.value.code) == (STEP, code)
    assert [step.status for step in failure.value.steps].count("failed") == 1


def test_a_root_that_is_no_certificate_is_not_believed(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    with pytest.raises(VerificationError) as failure:
        job.verify(replace(job.trust, credential_roots=(b"no certificate",)))
    assert failure.value.step == STEP


@pytest.mark.parametrize(
    ("changes", "roots"),
    [({}, ()), ({"credentials": "none"}, None), ({"credentials": "none", "carried": False}, None)],
    ids=["no root is believed", "the statement says none", "there are none"],
)
def test_what_nobody_asks_for_is_left(
    changes: dict[str, str], roots: tuple[bytes, ...] | None, tmp_path: Path
) -> None:
    job = make_job(tmp_path, **changes)  # type: ignore[arg-type]  # a table of keywords
    trust = job.trust if roots is None else replace(job.trust, credential_roots=roots)
    assert status(job.verify(trust)) == "not asked"


def test_without_the_library_the_step_is_told_as_not_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("provenance.credentials.reading.is_readable_here", lambda: False)
    verified = make_job(tmp_path).verify()
    assert status(verified) == "not checked"
    [remark] = [remark for remark in verified.remarks if remark.code == "credentials_unchecked"]
    assert "c2pa library is not installed" in remark.sentence


def test_a_file_that_can_be_read_only_once_is_verified_all_the_same(tmp_path: Path) -> None:
    job = make_job(tmp_path)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    verified = verify_result(Pipe(job.result), job.proof, job.trust)
    assert status(verified) == "not checked"
    assert {step.status for step in verified.steps if step.step == "result_matches"} == {"ok"}
