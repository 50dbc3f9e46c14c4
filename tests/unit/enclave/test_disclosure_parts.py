"""Orders, materials and reports of a disclosure worker: what is out of its form, and what is held back."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enclave.disclosing import REFUSALS, DisclosureOrder
from enclave.disclosure.job import _refusal_of
from enclave.disclosure.materials import read_materials
from enclave.disclosure.sealing import seal_held_back
from enclave.errors import EnclaveError, HostError, OrderError, WorkerError
from enclave.host.disclosing import RunningDisclosure
from enclave.host.disclosure_reports import check_disclosure_report
from keyvault.age import AgeError, HybridIdentity, open_sealed
from keyvault.custody.errors import CustodianError
from keyvault.errors import KeyvaultError
from protos.bauta.internal.v1.disclosure_pb2 import (
    DisclosureRefusal,
    DisclosureReport,
    DisclosureResult,
    LoggedEntry,
    Proceed,
    PublicKey,
    Waiting,
)
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure
from protos.framing import write_message
from provenance import canonical
from provenance.disclosing import trust_digest
from provenance.errors import FormatError, ProvenanceError
from provenance.proof import MAX_PROOF_FILE_BYTES
from provenance.trust import Trust
from tests.unit.keyvault.custody.custody_makers import signed_request
from tests.unit.provenance.provenance_makers import TestLogKeys, TestSigner
from tests.unit.provenance.witness_makers import policy_text

KEYS = TestLogKeys()
TRUST = Trust(TestSigner("node").public, KEYS.origin, KEYS.vkeys)


def order(**changes: Any) -> RunDisclosure:
    values: dict[str, Any] = {
        "request": signed_request().to_bytes(),
        "trust": TRUST.to_bytes(),
        "max_memory_bytes": 1 << 30,
        "max_disclosure_bytes": 1 << 20,
        "max_wall_seconds": 60,
        "max_frame_pixels": 1 << 20,
        "max_frames": 100,
    }
    return RunDisclosure(**{**values, **changes})


def test_an_order_names_its_worker_by_the_request() -> None:
    read = DisclosureOrder.from_message(order())
    assert read.number == read.request.digest[:16]
    assert read.trust == TRUST


BAD_ORDERS: dict[str, dict[str, Any]] = {
    "no request": {"request": b""},
    "a request of another form": {"request": signed_request().to_bytes() + b" "},
    "a request too large": {"request": bytes(1 << 20)},
    "no trust file": {"trust": b""},
    "a trust file too large": {"trust": bytes(1 << 20)},
    "a trust file with other spacing": {"trust": TRUST.to_bytes().replace(b",", b", ", 1)},
    "no time": {"max_wall_seconds": 0},
    "no memory": {"max_memory_bytes": 0},
    "memory without end": {"max_memory_bytes": 1 << 60},
}


@pytest.mark.parametrize("name", BAD_ORDERS)
def test_an_order_is_refused_with(name: str) -> None:
    with pytest.raises(OrderError):
        DisclosureOrder.from_message(order(**BAD_ORDERS[name]))


BAD_MATERIALS: dict[str, Callable[[Proceed], object]] = {
    "a proof too large": lambda m: setattr(m, "job_proof", bytes(MAX_PROOF_FILE_BYTES + 1)),
    "an entry of no known kind": lambda m: m.entries.append(LoggedEntry(kind="gossip", sha256=bytes(32))),
    "an entry without a digest": lambda m: m.entries.append(LoggedEntry(kind="job", sha256=b"")),
    "a statement that is none": lambda m: m.statements.append(b"{}"),
    "a key that is none": lambda m: m.keys.append(PublicKey(ed25519=bytes(32), mldsa65=b"")),
    "a share of another length": lambda m: m.sealed_shares.append(bytes(1199)),
    "more shares than custodians": lambda m: m.sealed_shares.extend([bytes(1200)] * 65),
    "a policy too large": lambda m: m.custody_policies.append("#" * (1 << 19)),
    "more policies than re-sharings": lambda m: m.custody_policies.extend(["#"] * 18),
    "a sharing too large": lambda m: setattr(m, "sharing", bytes(1 << 17)),
    "a dealing too large": lambda m: m.redealt.append(bytes(1 << 17)),
    "keys without end": lambda m: m.keys.extend([PublicKey()] * 1025),
}


@pytest.mark.parametrize("name", BAD_MATERIALS)
def test_materials_are_refused_with(name: str) -> None:
    message = Proceed()
    assert read_materials(message).entries == ()
    BAD_MATERIALS[name](message)
    with pytest.raises(WorkerError) as refused:
        read_materials(message)
    assert refused.value.code == "materials_malformed"


BAD_REPORTS: dict[str, DisclosureReport] = {
    "nothing": DisclosureReport(),
    "no evidence": DisclosureReport(admitted=b""),
    "evidence too large": DisclosureReport(admitted=bytes(1 << 18)),
    "no count": DisclosureReport(counted=b""),
    "a word that is no code": DisclosureReport(refused=DisclosureRefusal(code="Ada said no")),
    "half a custodian": DisclosureReport(failure=DisclosureRefusal(code="share_false", custodian=b"half")),
    "no header": DisclosureReport(header=b""),
    "a header too large": DisclosureReport(header=bytes(1 << 17)),
    "no release": DisclosureReport(released=DisclosureResult(sealed_bytes=1, sealed_sha256=bytes(32))),
    "nothing sealed": DisclosureReport(released=DisclosureResult(statement=b"{}", sealed_sha256=bytes(32))),
    "no digest": DisclosureReport(released=DisclosureResult(statement=b"{}", sealed_bytes=1)),
    "too many to blame": DisclosureReport(
        released=DisclosureResult(
            statement=b"{}",
            sealed_bytes=1,
            sealed_sha256=bytes(32),
            blamed=[DisclosureRefusal(code="share_false")] * 65,
        )
    ),
}


@pytest.mark.parametrize("name", BAD_REPORTS)
def test_a_report_is_refused_with(name: str) -> None:
    with pytest.raises(HostError) as refused:
        check_disclosure_report(BAD_REPORTS[name])
    assert refused.value.code == "worker_reply_invalid"


def running(*reports: DisclosureReport) -> RunningDisclosure:
    """A worker that has said this, and is gone."""
    orders_end, orders_fd = os.pipe()
    reports_fd, reports_end = os.pipe()
    for report in reports:
        write_message(reports_end, report)
    os.close(reports_end)
    os.close(orders_end)
    return RunningDisclosure(bytes(16), orders_fd, reports_fd, 60.0, lambda: None)


def test_a_report_out_of_turn_is_no_answer() -> None:
    worker = running(DisclosureReport(waiting=Waiting()))
    with pytest.raises(HostError) as refused:
        worker.admission()
    assert refused.value.code == "worker_reply_invalid"
    worker.close()


def test_a_worker_that_ended_says_why() -> None:
    worker = running(DisclosureReport(failure=DisclosureRefusal(code="release_refused")))
    with pytest.raises(HostError) as refused:
        worker.count()
    assert refused.value.code == "release_refused"
    worker.close()
    assert not worker.is_there()


def test_a_worker_that_died_is_gone() -> None:
    worker = running()
    assert not worker.is_there()
    with pytest.raises(HostError) as refused:
        worker.admission()
    assert refused.value.code == "worker_died"
    worker.close()


# What leaves the wall of a refusal: a published word, and the digest of who is to blame.


@pytest.mark.parametrize(
    ("refusal", "code", "custodian"),
    [
        (CustodianError("share_false", "…", "ab" * 32), "share_false", bytes.fromhex("ab" * 32)),
        (CustodianError("custodian_file_invalid", "…"), "materials_malformed", b""),
        (FormatError("…"), "proof_invalid", b""),
        (ProvenanceError("…", "facts_disagree"), "facts_disagree", b""),
        (WorkerError("…", "package_changed"), "package_changed", b""),
    ],
)
def test_a_refusal_is_one_published_word(
    refusal: EnclaveError | KeyvaultError | ProvenanceError, code: str, custodian: bytes
) -> None:
    told = _refusal_of(refusal)
    assert (told.code, told.custodian) == (code, custodian)
    assert told.code in REFUSALS


def test_refusals_are_in_order_and_short() -> None:
    assert list(REFUSALS) == sorted(set(REFUSALS))


def test_the_header_stays_behind(tmp_path: Path) -> None:
    identity = HybridIdentity.generate()
    path = tmp_path / "disclosure"
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    writer, held = seal_held_back(fd, 1 << 20, str(identity.recipient))
    writer.write(b"a face" * 50_000)
    writer.close()
    os.close(fd)
    stored = path.read_bytes()
    assert held.size == len(stored) + len(held.header)
    with pytest.raises(AgeError):
        open_sealed(io.BytesIO(stored), io.BytesIO(), [identity])
    plaintext = io.BytesIO()
    open_sealed(io.BytesIO(held.header + stored), plaintext, [identity])
    assert plaintext.getvalue() == b"a face" * 50_000


def test_a_trust_file_has_one_form() -> None:
    # What custodians compare is a digest: of two spellings of one file only one can be in an order.
    assert canonical.dumps(canonical.loads(TRUST.to_bytes()[:-1])) + b"\n" == TRUST.to_bytes()


def test_clocks_and_roots_of_credentials_decide_nothing() -> None:
    """Who believes a clock besides is not at odds with the service; who believes other witnesses is."""
    more = dataclasses.replace(
        TRUST, timestamp_roots=(b"root",), required_timestamps=1, credential_roots=(b"ca",)
    )
    assert trust_digest(more) == trust_digest(TRUST)
    for other in (
        dataclasses.replace(TRUST, releases=(TestSigner("releaser").public,)),
        dataclasses.replace(TRUST, node=TestSigner("another node").public),
        dataclasses.replace(TRUST, witness_policy=policy_text("2")),
    ):
        assert trust_digest(other) != trust_digest(TRUST)
