"""Times custody: `python -m benchmarks.custody [--rounds 20] [--json FILE]`.

Dividing a recovery key, sealing the shares, one custodian's approval, the disclosure worker's count and
rebuilding, and a re-sharing to the same group, for 3 of 5 and 20 of 30; without the log, whose proofs cost
what `benchmarks.log` says. Then a recovery package: how fast it is written and opened, and what it adds.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keyvault.age import HybridIdentity
from keyvault.custody.decisions import Approval, approve
from keyvault.custody.history import History, Recorded
from keyvault.custody.policy import CustodyPolicy, keys_sha256, parse_custody_policy
from keyvault.custody.requests import Request, check_request
from keyvault.custody.resharing import new_share, new_sharing, redeal
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, deal, job_context, recovery_key
from keyvault.custody.tally import Moment, Tally
from keyvault.custody.witnessed import Witnessed
from keyvault.recovery.reader import PackageReader
from keyvault.recovery.writer import PackageWriter
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from provenance.dsse import Envelope, sign_envelope
from provenance.statements import DisclosureRequestFacts
from provenance.statements.fields import format_instant

GROUPS = ((3, 5), (20, 30))
ASKED_AT = datetime(2026, 11, 21, tzinfo=UTC)
JOB_ID = bytes(16)
# A face of 160 pixels, 30 frames a second, YUV 4:2:0, kept at 1.5 times its size; two people for a minute.
FRAME_BYTES = 240 * 240 * 3 // 2
FRAMES = 30 * 60
TRACKS = (1, 2)


@dataclass(frozen=True)
class Person:
    """A custodian or a requester."""

    identity: HybridIdentity
    signer: HybridSigner

    @classmethod
    def draw(cls) -> Person:
        """With fresh keys."""
        return cls(HybridIdentity.generate(), HybridSigner.generate())


class Case:
    """Everybody and everything around one request."""

    def __init__(self, need: int, of: int) -> None:
        self.need = need
        self.people = {keys_sha256(one.signer.public): one for one in (Person.draw() for _ in range(of))}
        desk = Person.draw()
        self.policy = self._policy(keys_sha256(desk.signer.public))
        self.worker = OneJobKey.generate()
        self.dealt = self.divide()
        self.sealed = self.seal()
        # Any envelope: what it says of the job is nothing that is timed here.
        self.job = sign_envelope(b"{}", desk.signer)
        facts = DisclosureRequestFacts(
            job_id=JOB_ID.hex(),
            job_statement_sha256=self.job.digest.hex(),
            custody_policy_sha256=self.policy.digest.hex(),
            tracks=(1,),
            stretches=((0, 10_000),),
            purpose="court_order",
            legal_basis="court_order",
            recipient=str(desk.identity.recipient),
            requester_key_sha256=keys_sha256(desk.signer.public),
            requested_at=format_instant(ASKED_AT),
            expires_at=format_instant(ASKED_AT + timedelta(days=1)),
        )
        self.asked = sign_envelope(facts.to_statement(), desk.signer)
        self.request: Request = check_request(self.policy, self.asked, desk.signer.public)
        self.approvals = {name: self.approve(name) for name in list(self.people)[:need]}

    def divide(self) -> Dealt:
        """What the job's worker does once."""
        return deal(self.policy.rule, job_context(JOB_ID))

    def seal(self) -> dict[str, bytes]:
        """The shares, to all custodians."""
        return {
            name: seal_share(
                self.dealt.shares[name], one.identity.recipient, dealt_info(self.dealt.sharing, name)
            )
            for name, one in self.people.items()
        }

    def approve(self, name: str) -> Approval:
        """One custodian: opens, checks, seals again, signs."""
        keys, key = self.people[name], self.worker.public_key
        return approve(self.policy, self.dealt.sharing, self.request, keys, self.sealed[name], key, ASKED_AT)

    def rebuild(self) -> bytes:
        """The worker: counts a quorum of approvals, opens and checks their shares, puts the key together."""
        seen = _witnessed(self.asked, "disclosure-request", 1)
        taken = [seen]
        tally = Tally(self.policy, self.dealt.sharing, self.request, seen, self.worker)
        for index, (name, approval) in enumerate(self.approvals.items(), start=2):
            recorded = _witnessed(approval.envelope, "disclosure-approval", index)
            taken.append(recorded)
            tally.take_approval(recorded, self.people[name].signer.public, approval.sealed_share)
        later = ASKED_AT + timedelta(hours=1)
        statements = tuple(Recorded(one.log_index, one.kind, one.statement) for one in taken)
        history = History(_witnessed(self.job, "job", 0), statements)
        secret = tally.rebuild(history, Moment(later, later))
        if secret != self.dealt.secret:
            raise AssertionError("the secret that came out is not the one that went in")
        return recovery_key(secret, job_context(JOB_ID))

    def reshare(self) -> None:
        """All dealers' work and one new holder's, to the same group."""
        old, rule = self.dealt.sharing, self.policy.rule
        dealers = {name: self.dealt.shares[name] for name in list(self.people)[: self.need]}
        redealt = {name: redeal(old, name, share, rule) for name, share in dealers.items()}
        public = {name: one.sharing for name, one in redealt.items()}
        new_sharing(old, public)
        holder = next(iter(self.people))
        new_share(old, public, holder, {name: one.shares[holder] for name, one in redealt.items()})

    def _policy(self, requester: str) -> CustodyPolicy:
        names = [f"c{number}" for number in range(len(self.people))]
        custodians = "".join(
            f'[[custodians]]\nname = "{name}"\nkeys = "{keys}"\nrecipient = "{one.identity.recipient}"\n'
            for name, (keys, one) in zip(names, self.people.items(), strict=True)
        )
        return parse_custody_policy(
            'schema = "bauta.custody/v1"\nname = "bench"\nsummary = "A benchmark."\nquorum = "all"\n'
            + custodians
            + f'[[groups]]\nname = "all"\nneed = {self.need}\nof = {json.dumps(names)}\n'
            + f'[[requesters]]\nname = "desk"\nkeys = "{requester}"\n'
            + '[requests]\npurposes = ["court_order"]\nlegal_bases = ["court_order"]\nlongest_hours = 24\n'
            + "cool_off_minutes = 0\nmost_tracks = 1\nmost_seconds = 10\n"
            + '[notice]\ntell = ["custodians"]\nhold_back_days = 0\n'
        )


def custody_ms(need: int, of: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every step, by what it is."""
    case = Case(need, of)
    first = next(iter(case.people))
    steps: dict[str, Callable[[], object]] = {
        "divide": case.divide,
        "seal all shares": case.seal,
        "one approval": lambda: case.approve(first),
        "count and rebuild": case.rebuild,
        "re-share, all dealers and one holder": case.reshare,
    }
    return {f"{need} of {of}: {what}": [_ms(step) for _ in range(rounds)] for what, step in steps.items()}


def package_facts() -> dict[str, float]:
    """A recovery package in memory: MB a second to write and to open ten seconds of, and what it adds."""
    frame, key, context = os.urandom(FRAME_BYTES), bytes(32), job_context(JOB_ID)
    sink, began = io.BytesIO(), time.perf_counter()
    writer = PackageWriter(sink, key, context)
    for number in range(FRAMES):
        for track in TRACKS:
            writer.add(track, number * 1000 // 30, "pixels", frame)
    written = writer.close()
    wrote = time.perf_counter() - began
    reader, began = PackageReader(sink), time.perf_counter()
    scope = reader.narrow(1, written.ring.track_key(key, 1), [(20_000, 30_000)])
    opened = sum(len(entry.plaintext) for entry in reader.open(scope))
    read = time.perf_counter() - began
    plain = FRAME_BYTES * FRAMES * len(TRACKS)
    return {
        "entries_megabytes": round(plain / 1e6, 1),
        "write_megabytes_a_second": round(plain / 1e6 / wrote),
        "open_ten_seconds_megabytes_a_second": round(opened / 1e6 / read),
        "added_percent": round(100 * (written.size - plain) / plain, 3),
        "ring_bytes": len(written.ring.to_bytes()),
    }


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    timings = {
        what: taken for group in GROUPS for what, taken in custody_ms(*group, arguments.rounds).items()
    }
    package = package_facts()
    table = Table(title=f"{arguments.rounds} rounds")
    for heading in ("what", "median ms", "95 % below"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    report: dict[str, object] = {"package": package}
    for what, taken in timings.items():
        median, high = statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]
        table.add_row(what, f"{median:.2f}", f"{high:.2f}")
        report[what] = {"median_ms": round(median, 3), "p95_ms": round(high, 3), "rounds": len(taken)}
    Console().print(table)
    Console().print(package)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def _witnessed(envelope: Envelope, kind: str, index: int) -> Witnessed:
    return Witnessed(envelope, kind, index, ASKED_AT, ASKED_AT)


def _ms(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
