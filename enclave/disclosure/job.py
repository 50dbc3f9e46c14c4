"""One disclosure behind the wall: be admitted, wait, check, open, restore, seal, and hand out on record."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from anonymizer import Limits
from anonymizer.recovery.restoring import Released as Beneath
from anonymizer.recovery.restoring import restore
from enclave.disclosing import MAX_PROCEED_BYTES, REFUSALS, DisclosureOrder
from enclave.disclosure import handed_over as fds
from enclave.disclosure.admission import Admitted, ask_for_admission, ask_for_wrapped_keys
from enclave.disclosure.checking import Counting, Granted, check
from enclave.disclosure.materials import Materials, read_materials
from enclave.disclosure.scope import Released, open_scope, require_package
from enclave.disclosure.sealing import HeldBack, seal_held_back
from enclave.errors import EnclaveError, WallError, WorkerError
from enclave.worker.failures import published_code
from enclave.worker.handed_over import DescriptorReader
from enclave.worker.job import Warmth
from enclave.worker.scratch import EncryptedScratch
from enclave.worker.sealing import plain_result
from keyvault.custody.errors import CustodianError
from keyvault.custody.witnessed import require_witnessed
from keyvault.errors import KeyvaultError
from keyvault.recovery.reader import PackageReader
from protos.bauta.internal.v1.disclosure_pb2 import (
    DisclosureOrder as OrderMessage,
)
from protos.bauta.internal.v1.disclosure_pb2 import (
    DisclosureRefusal,
    DisclosureReport,
    DisclosureResult,
    Waiting,
)
from protos.framing import FramingError, read_message, write_message
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.statements import DisclosureCountFacts, DisclosureReleaseFacts
from provenance.statements.disclosure_worker import NONCE_BYTES
from provenance.statements.fields import format_instant

# Each try costs its caller two entries of the log.
_MOST_TRIES = 64


def run_disclosure(order: DisclosureOrder, warmth: Warmth, standing: Set[str]) -> None:
    """Does one disclosure with the six descriptors at their fixed numbers, behind a wall that is closed.

    The last thing that it reports is the header of what it sealed, or a code. It raises nothing.

    Args:
        order: what to do.
        warmth: what the warm parent prepared.
        standing: the walls around this process.
    """
    try:
        _Disclosure(order, warmth, standing).run()
    except BaseException as failure:
        with contextlib.suppress(OSError):
            fail_disclosure(fds.REPORTS_FD, _code_of(failure))


def fail_disclosure(reports_fd: int, code: str) -> None:
    """Says that a disclosure worker ends. Nothing may follow.

    Raises:
        OSError: nobody reads it.
    """
    write_message(reports_fd, DisclosureReport(failure=DisclosureRefusal(code=code)))


@dataclass(frozen=True)
class _Counted:
    """A count that was reported: its statement, and when its nonce was drawn, by this process's stopwatch."""

    statement: Envelope
    drawn_at: float


@dataclass(frozen=True)
class _Sealed:
    """What waits for its record."""

    statement: Envelope
    held: HeldBack = field(repr=False)


class _Disclosure:
    def __init__(self, order: DisclosureOrder, warmth: Warmth, standing: Set[str]) -> None:
        self._order = order
        self._warmth = warmth
        self._standing = standing

    def run(self) -> None:
        if not self._standing >= self._warmth.promised_walls:
            raise WallError("a wall that stood in the rehearsal does not stand around this worker")
        admitted = ask_for_admission(
            fds.VAULT_FD,
            self._order,
            self._standing,
            lambda evidence: _report(DisclosureReport(admitted=evidence)),
        )
        if admitted.facts.measurement != self._warmth.measurement.hex():
            raise WorkerError("the evidence is about another worker", "release_refused")
        _report(DisclosureReport(waiting=Waiting()))
        materials, granted = self._wait_until_granted(admitted)
        sealed = self._disclose(admitted, materials, granted)
        _report(
            DisclosureReport(
                released=DisclosureResult(
                    statement=sealed.statement.to_bytes(),
                    sealed_bytes=sealed.held.size,
                    sealed_sha256=sealed.held.digest,
                    blamed=[
                        DisclosureRefusal(code=code, custodian=bytes.fromhex(custodian))
                        for custodian, code in sorted(granted.blamed.items())
                    ],
                )
            )
        )
        self._hand_out(sealed)

    def _wait_until_granted(self, admitted: Admitted) -> tuple[Materials, Granted]:
        """Counts as often as it is asked to, until everything holds. What does not hold costs nothing."""
        counted: _Counted | None = None
        for order in _orders():
            match order.WhichOneof("order"):
                case "count":
                    counted = self._count(admitted)
                case "proceed" if counted is not None:
                    # A count is good for one try: what is shown later has to be newer.
                    last, counted = counted, None
                    try:
                        return self._check(admitted, last, order)
                    except (EnclaveError, KeyvaultError, ProvenanceError) as refusal:
                        _report(DisclosureReport(refused=_refusal_of(refusal)))
                case _:
                    raise WorkerError("the front desk does not keep to the protocol", "materials_malformed")
        raise WorkerError("the front desk tried too often", "materials_malformed")

    def _count(self, admitted: Admitted) -> _Counted:
        facts = DisclosureCountFacts(
            request_sha256=self._order.request.digest.hex(), nonce=os.urandom(NONCE_BYTES)
        )
        counted = _Counted(sign_envelope(facts.to_statement(), admitted.signer), time.monotonic())
        _report(DisclosureReport(counted=counted.statement.to_bytes()))
        return counted

    def _check(self, admitted: Admitted, counted: _Counted, order: OrderMessage) -> tuple[Materials, Granted]:
        materials = read_materials(order.proceed)
        counting = Counting(
            self._order,
            admitted.one_job_key,
            counted.statement,
            seconds_since=time.monotonic() - counted.drawn_at,
        )
        granted = check(counting, materials)
        require_package(_package(), granted)
        return materials, granted

    def _disclose(self, admitted: Admitted, materials: Materials, granted: Granted) -> _Sealed:
        limits = self._order.limits
        ring = ask_for_wrapped_keys(fds.VAULT_FD, self._order, admitted, materials.request_proof)
        released = open_scope(_package(), ring, granted)
        with EncryptedScratch(fds.SCRATCH_FD, limits.max_disclosure_bytes) as scratch:
            self._restore(released, granted, cast("BinaryIO", scratch))
            writer, held = seal_held_back(
                fds.DISCLOSURE_FD, limits.max_disclosure_bytes, granted.request.recipient
            )
            for piece in plain_result(scratch):
                writer.write(piece)
            writer.close()
        facts = DisclosureReleaseFacts(
            request_sha256=self._order.request.digest.hex(),
            approvals_sha256=granted.approvals_sha256,
            tracks=granted.request.tracks,
            stretches=granted.request.stretches,
            disclosure_sha256=held.digest.hex(),
            measurement=admitted.facts.measurement,
            tier=admitted.facts.tier,
            walls=admitted.facts.walls,
            released_at=format_instant(granted.now.latest),
        )
        facts.require_within(granted.request)
        return _Sealed(sign_envelope(facts.to_statement(), admitted.signer), held)

    def _restore(self, released: Released, granted: Granted, sink: BinaryIO) -> None:
        limits = self._order.limits
        restore(
            released.result,
            granted.job.media_type,
            sink,
            Beneath(released.seen(), released.heard()),
            granted.request.stretches,
            Limits(max_frame_pixels=limits.max_frame_pixels, max_frames=limits.max_frames),
            threads=len(os.sched_getaffinity(0)),
        )

    def _hand_out(self, sealed: _Sealed) -> None:
        """Waits for the proof that the release is in the witnessed log; only then the header leaves."""
        for order in _orders():
            if order.WhichOneof("order") != "hand_out":
                raise WorkerError("the front desk does not keep to the protocol", "materials_malformed")
            try:
                seen = require_witnessed(
                    order.hand_out.release_proof, self._order.trust, DisclosureReleaseFacts.kind()
                )
                if seen.statement.digest != sealed.statement.digest:
                    raise WorkerError("the proof is of another release", "facts_disagree")
            except (EnclaveError, ProvenanceError) as refusal:
                _report(DisclosureReport(refused=_refusal_of(refusal)))
                continue
            _report(DisclosureReport(header=sealed.held.header))
            return
        raise WorkerError("the front desk tried too often", "materials_malformed")


def _orders() -> Iterator[OrderMessage]:
    for _ in range(2 * _MOST_TRIES):
        try:
            order = read_message(fds.ORDERS_FD, OrderMessage, MAX_PROCEED_BYTES)
        except (OSError, FramingError):
            order = None
        if order is None:
            raise WorkerError("the front desk has gone, or broke the protocol", "worker_lost")
        yield order


def _package() -> PackageReader:
    # typeshed does not count raw streams among BinaryIO; they do all that it asks for.
    return PackageReader(cast("BinaryIO", io.BufferedReader(DescriptorReader(fds.PACKAGE_FD))))


def _report(report: DisclosureReport) -> None:
    write_message(fds.REPORTS_FD, report)


def _refusal_of(refusal: EnclaveError | KeyvaultError | ProvenanceError) -> DisclosureRefusal:
    """What of a refusal may leave: all that proofs and statements lack is one word."""
    code = refusal.code
    if code not in REFUSALS:
        code = "proof_invalid" if isinstance(refusal, ProvenanceError) else "materials_malformed"
    custodian = refusal.custodian if isinstance(refusal, CustodianError) else None
    return DisclosureRefusal(code=code, custodian=bytes.fromhex(custodian or ""))


def _code_of(failure: BaseException) -> str:
    code = getattr(failure, "code", "")
    return code if code in REFUSALS else published_code(failure)
