"""One job behind the wall: authenticate, anonymize, seal, prove; and whatever happens, one last report."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from anonymizer import Models, Progress, Report, anonymize
from enclave.errors import WallError, WorkerError
from enclave.order import JobOrder
from enclave.policy import Terms, parse_terms
from enclave.policy.results import SUPPRESS
from enclave.worker import handed_over as fds
from enclave.worker.credentials import prepare_credentials, result_with_credentials
from enclave.worker.derived import DerivedKeys, ask_for_derived_keys
from enclave.worker.enrolment import enrolled_in, recognized_facts
from enclave.worker.failures import published_code
from enclave.worker.keeping import KeptJob, PackageKeeper, keeper_for
from enclave.worker.leaks import leak_facts
from enclave.worker.matching import MatchingJob, matching_in
from enclave.worker.opening import OpenedUpload, open_upload
from enclave.worker.quality import quality_facts, sound_facts
from enclave.worker.release import Release, ask_for_file_key
from enclave.worker.reporting import Reporter
from enclave.worker.review import ReviewedJob, begin_review
from enclave.worker.scratch import EncryptedScratch
from enclave.worker.sealing import SealedResult, plain_result, seal_result
from enclave.worker.settings import limits_of, settings_of
from enclave.worker.untouched import SealedUntouched, UntouchedPackage
from keyvault.age import PayloadReader, read_header
from protos.bauta.internal.v1.worker_pb2 import WorkerResult
from provenance.dsse import sign_envelope
from provenance.statements import JobFacts
from provenance.statements.fields import format_instant


@dataclass(frozen=True)
class Warmth:
    """What a child inherits from the warm parent.

    Attributes:
        models: loaded and checked.
        measurement: SHA-256 that names the code behind the wall, 32 bytes.
        promised_walls: those that the rehearsal had; a job that has fewer does not start.
    """

    models: Models = field(repr=False)
    measurement: bytes
    promised_walls: frozenset[str]


def run_job(order: JobOrder, warmth: Warmth, standing: Set[str]) -> None:
    """Does one job with the ten descriptors at their fixed numbers, behind a wall that is already closed.

    The last thing it writes to the reports descriptor is a result or a code. It raises nothing.

    Args:
        order: what to do.
        warmth: what the warm parent prepared.
        standing: the walls around this process.
    """
    reporter = Reporter(fds.REPORTS_FD)
    try:
        result = _Job(order, warmth, standing, reporter).run()
    except BaseException as failure:
        with contextlib.suppress(OSError):
            reporter.failure(published_code(failure))
    else:
        with contextlib.suppress(OSError):
            reporter.result(result)


class _Job:
    def __init__(self, order: JobOrder, warmth: Warmth, standing: Set[str], reporter: Reporter) -> None:
        self._order = order
        self._warmth = warmth
        self._standing = standing
        self._reporter = reporter
        self._started_at = datetime.now(UTC)
        self._seconds: dict[str, float] = {}

    def run(self) -> WorkerResult:
        if not self._standing >= self._warmth.promised_walls:
            raise WallError("a wall that stood in the rehearsal does not stand around this job")
        self._reporter.progress("open")
        terms = parse_terms(self._order.terms)
        upload = io.BufferedReader(fds.DescriptorReader(fds.UPLOAD_FD))
        header = read_header(upload)
        with self._stage("release"):
            release = ask_for_file_key(
                fds.VAULT_FD, self._order, terms, header.raw, self._standing, self._reporter.evidence
            )
        if release.facts.measurement != self._warmth.measurement.hex():
            raise WorkerError("the evidence is about another worker", "release_refused")
        with self._stage("decrypt"):
            payload = PayloadReader(upload, release.file_key, payload_offset=len(header.raw))
            opened = open_upload(payload, self._order.terms)
        with self._stage("release"):
            derived = ask_for_derived_keys(
                fds.VAULT_FD,
                self._order.job_id,
                header.raw,
                release,
                opened.instructions,
                keeps=terms.custody is not None,
            )
        prepare_credentials(fds.VAULT_FD, terms, release)
        reviewed = begin_review(opened, terms, self._warmth.measurement, derived.record)
        keeper = keeper_for(terms, self._order.job_id, self._order.limits.max_recovery_bytes)
        untouched = self._untouched(opened, terms)
        matching = matching_in(opened, terms.policy, self._warmth.models.sha256)
        with EncryptedScratch(fds.SCRATCH_FD, self._order.limits.max_result_bytes) as scratch:
            report = self._anonymize(opened, scratch, terms, derived, reviewed, keeper, untouched, matching)
            self._reporter.progress("seal", report.frames, report.frames)
            with self._stage("keep"):
                kept = keeper.close(scratch) if keeper is not None else None
            with self._stage("seal"):
                result = (
                    result_with_credentials(fds.VAULT_FD, scratch, terms, release, report)
                    if terms.policy.proof.wants_credentials
                    else plain_result(scratch)
                )
                sink = fds.DescriptorSink(fds.RESULT_FD, self._order.limits.max_result_bytes)
                sealed = seal_result(result, sink, terms.recipients)
                package = self._seal_package(reviewed, terms, report)
                opened.trees.finish()
                proven = untouched.close(opened.trees) if untouched is not None else None
            scores: SealedResult | None = None
            matched: dict[str, int] = {}
            if matching is not None:
                with self._stage("match"):
                    scores, matched = matching.close(terms.recipients)
        self._reporter.progress("prove", report.frames, report.frames)
        with self._stage("prove"):
            told: dict[str, Any] = reviewed.decided_facts(opened.salt) if reviewed is not None else {}
            if package is not None:
                told["review_sha256"] = package.sealed_sha256.hex()
            told |= _pieces_facts(opened, proven)
            told["matched"] = matched
            told["scores_sha256"] = scores.sealed_sha256.hex() if scores is not None else None
            statement = self._statement(terms, release, opened, report, sealed, kept, told)
        return WorkerResult(
            sealed_bytes=sealed.sealed_bytes,
            sealed_sha256=sealed.sealed_sha256,
            media_type=report.media_type,
            statement=statement,
            evidence=release.evidence,
            stage_seconds=self._seconds,
            review_bytes=package.sealed_bytes if package is not None else 0,
            review_sha256=package.sealed_sha256 if package is not None else b"",
            recovery=kept.report if kept is not None else None,
            untouched_bytes=proven.sealed_bytes if proven is not None else 0,
            untouched_sha256=proven.sealed_sha256 if proven is not None else b"",
            scores_bytes=scores.sealed_bytes if scores is not None else 0,
            scores_sha256=scores.sealed_sha256 if scores is not None else b"",
        )

    def _untouched(self, opened: OpenedUpload, terms: Terms) -> UntouchedPackage | None:
        if not terms.policy.evidence:
            return None
        most = self._order.limits.max_untouched_bytes
        sink = fds.DescriptorSink(fds.UNTOUCHED_FD, most, "untouched_too_large")
        return UntouchedPackage(opened.secret, sink, terms.recipients)

    def _anonymize(
        self,
        opened: OpenedUpload,
        scratch: EncryptedScratch,
        terms: Terms,
        derived: DerivedKeys,
        reviewed: ReviewedJob | None,
        keeper: PackageKeeper | None,
        untouched: UntouchedPackage | None,
        matching: MatchingJob | None,
    ) -> Report:
        self._reporter.progress("anonymize")
        personas = derived.personas
        if personas is None and reviewed is not None:
            personas = reviewed.personas
        settings = settings_of(terms, opened.instructions, personas)
        report = anonymize(
            # typeshed does not count raw streams among BinaryIO; they do all that it asks for.
            cast("BinaryIO", opened.media),
            cast("BinaryIO", scratch),
            settings=replace(settings, enrolled=enrolled_in(opened, terms.policy)),
            models=self._warmth.models,
            limits=limits_of(self._order.limits),
            on_progress=self._pass_on,
            review=reviewed.review if reviewed is not None else None,
            keeper=keeper,
            committer=opened.trees,
            untouched=untouched,
            collector=matching,
        )
        self._seconds.update(report.stage_seconds)
        # Reading the media decrypts it, inside what the anonymizer counts as decoding.
        self._seconds["decrypt"] += opened.media.seconds
        self._seconds["decode"] = max(0.0, self._seconds.get("decode", 0.0) - opened.media.seconds)
        return report

    def _seal_package(
        self, reviewed: ReviewedJob | None, terms: Terms, report: Report
    ) -> SealedResult | None:
        if reviewed is None:
            return None
        most = self._order.limits.max_review_bytes
        sink = fds.DescriptorSink(fds.REVIEW_FD, most, "review_too_large")
        return seal_result([reviewed.package(self._order.job_id, terms, report)], sink, terms.recipients)

    def _pass_on(self, progress: Progress) -> None:
        self._reporter.progress(
            "anonymize", progress.frames_done, progress.frames_total, progress.frames_per_second
        )

    def _statement(
        self,
        terms: Terms,
        release: Release,
        opened: OpenedUpload,
        report: Report,
        sealed: SealedResult,
        kept: KeptJob | None,
        of_parts: Mapping[str, Any],
    ) -> bytes:
        facts = JobFacts(
            job_id=self._order.job_id.hex(),
            result_sha256=sealed.media_sha256.hex(),
            result_bytes=sealed.media_bytes,
            media_type=report.media_type,
            original_commitment=opened.commitment.hex(),
            policy_sha256=terms.policy.digest.hex(),
            terms_sha256=terms.digest.hex(),
            mode=terms.mode,
            effect=terms.policy.faces.effect,
            audio=report.audio,
            models=self._warmth.models.sha256,
            measurement=self._warmth.measurement.hex(),
            tier=release.facts.tier,
            walls=tuple(sorted(self._standing)),
            device=report.device,
            engine=self._warmth.models.engine,
            frames=report.frames,
            frames_with_faces=report.frames_with_faces,
            tracks=report.tracks,
            also_covered={kind: effect for kind, effect in terms.policy.effects.items() if kind != "face"},
            frames_also_covered={kind: n for kind, n in report.frames_with.items() if kind != "face"},
            quality=quality_facts(report.quality, of_pictures=report.frames > 0),
            quality_short=report.quality.short if report.quality else (),
            recognized=recognized_facts(report),
            sensor_noise="suppressed" if terms.policy.camera.noise == SUPPRESS else "kept",
            started_at=format_instant(self._started_at),
            finished_at=format_instant(datetime.now(UTC)),
            signatures=terms.policy.proof.signatures,
            credentials=terms.policy.proof.credentials,
            recovery=kept.facts if kept is not None else {},
            submitter_key=terms.submitter.key if terms.submitter is not None else None,
            submitter_number=terms.submitter.number if terms.submitter is not None else None,
            **sound_facts(report.sound),
            **leak_facts(report.leaks, self._warmth.models.sha256, of_pictures=report.frames > 0),
            **of_parts,
        )
        return sign_envelope(facts.to_statement(), release.signer, facts.signatures).to_bytes()

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started


def _pieces_facts(opened: OpenedUpload, proven: SealedUntouched | None) -> dict[str, Any]:
    if proven is None:
        return {"pieces": opened.trees.commitment().root.hex()}
    return {
        "pieces": proven.commitment.root.hex(),
        "untouched": proven.figures,
        "untouched_sha256": proven.sealed_sha256.hex(),
    }
