"""A job that a person looks over: the record and decisions that come in, the package that goes out."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from anonymizer import Report, Review
from anonymizer.review import decisions as told
from enclave.errors import ReviewError, WorkerError
from enclave.policy import Policy, Terms
from enclave.review.decisions import Decision, Decisions, Draw, Mute, OnSpeaker, OnTrack, WholeFrame
from enclave.review.package import ReviewPackage
from enclave.review.sheet import VOICE, Sheet, SheetTrack, Thumbnail, View
from enclave.review.signed import parse_signed_decisions
from enclave.review.speakers import SheetSpeaker
from enclave.worker.opening import MediaStream, OpenedUpload
from enclave.worker.record import About, open_record, seal_record

_READ_BYTES = 1 << 20
_WHOLE = 10_000
_PERSONAS = b"bauta.review-personas/v1"


@dataclass(frozen=True)
class ReviewedJob:
    """One job with a review.

    Attributes:
        review: for the anonymizer.
        decisions: what was decided before; None in a first run.
        about: what the record is about.
        record_key: seals it, 32 bytes.
    """

    review: Review
    decisions: Decisions | None
    about: About
    record_key: bytes = field(repr=False)

    @property
    def personas(self) -> bytes:
        """What synthetic faces come from where the submitter names no scope: the same in every run."""
        return hmac.digest(self.record_key, _PERSONAS, "sha256")

    def decided_facts(self, salt: bytes) -> dict[str, Any]:
        """Gives what the statement says of the decisions: how often which, and a commitment."""
        if self.decisions is None:
            return {}
        return {
            "decided": self.decisions.counts,
            "decisions_commitment": self.decisions.commitment(salt).hex(),
        }

    def package(self, job_id: bytes, terms: Terms, report: Report) -> bytes:
        """Makes the review package, to be sealed.

        Raises:
            AnonymizerError: review_too_large.
            ReviewError: the same.
        """
        record = seal_record(self.review.record, self.record_key, self.about)
        sheet = _sheet(self, job_id, terms, report, hashlib.sha256(record).hexdigest())
        try:
            return ReviewPackage(sheet, record).to_bytes()
        except ReviewError:
            raise ReviewError("more was found than a review can hold", "review_too_large") from None


def begin_review(
    opened: OpenedUpload, terms: Terms, measurement: bytes, record_key: bytes | None
) -> ReviewedJob | None:
    """Reads what an upload says of a review; None where it wants none.

    Args:
        opened: the upload.
        terms: of the job.
        measurement: of this worker, 32 bytes.
        record_key: what the vault derived for this review.

    Raises:
        WorkerError: `record_refused`; `decision_not_allowed`.
        ReviewError: `decisions_invalid`, `review_signature_invalid`.
        AnonymizerError: `record_refused`.
    """
    asked = opened.instructions.review
    if asked is None:
        return None
    if record_key is None:
        raise WorkerError("the vault derived no key for the record", "release_refused")
    about = About(
        _sha256_of(opened.media), terms.policy.digest, terms.mode, measurement, review_key=asked.key
    )
    if not asked.decisions:
        return ReviewedJob(Review(), None, about, record_key)
    decisions = parse_signed_decisions(asked.decisions).verify(asked.key)
    if decisions.record_sha256 != hashlib.sha256(opened.untrusted_record).hexdigest():
        raise ReviewError("the decisions are about another record", "decisions_invalid")
    record = open_record(opened.untrusted_record, record_key, about)
    review = Review(record, told.Decisions.of(map(_told, decisions.decisions)))
    _require_allowed(decisions, review, terms.policy)
    return ReviewedJob(review, decisions, about, record_key)


def _sha256_of(media: MediaStream) -> bytes:
    digest = hashlib.sha256()
    media.seek(0)
    while piece := media.read(_READ_BYTES):
        digest.update(piece)
    media.seek(0)
    return digest.digest()


def _require_allowed(decisions: Decisions, review: Review, policy: Policy) -> None:
    for decision in decisions.decisions:
        word = decision.to_object()["do"]
        allowed = word in policy.review.may
        if isinstance(decision, OnTrack) and decision.do == "effect":
            allowed &= decision.name in policy.review.effects.get(review.kind_of(decision.track), ())
        if isinstance(decision, OnSpeaker) and decision.do == "effect":
            allowed = decision.name in policy.review.voice_effects(policy.audio.effect)
        if isinstance(decision, OnTrack | OnSpeaker) and decision.do == "role":
            allowed &= decision.name in policy.role_names
        if not allowed:
            raise WorkerError("the policy does not allow one of the decisions", "decision_not_allowed")


def _told(decision: Decision) -> told.Decision:
    match decision:
        case OnTrack(do, track, name, span):
            given: dict[str, Any] = {"do": do}
            if do in {"role", "effect"}:
                given[do] = name
            return track, told.TrackDecision(**given, span=_span(*span) if span is not None else None)
        case OnSpeaker(do, speaker, name):
            said: dict[str, Any] = {"do": do, do: name}
            return speaker, told.SpeakerDecision(**said)
        case Mute(from_ms, to_ms, effect):
            heard: dict[str, Any] = {"effect": effect}
            return told.Muted(_span(from_ms, to_ms), **heard)
        case WholeFrame(from_ms, to_ms):
            return _span(from_ms, to_ms)
        case Draw(from_ms, to_ms, keys):
            moved = tuple(told.Key(key.at_ms / 1000, *(edge / _WHOLE for edge in key.box)) for key in keys)
            return told.Drawn(_span(from_ms, to_ms), moved)


def _span(from_ms: int, to_ms: int) -> told.Span:
    return told.Span(from_ms / 1000, to_ms / 1000)


def _sheet(job: ReviewedJob, job_id: bytes, terms: Terms, report: Report, record_sha256: str) -> Sheet:
    policy, shown = terms.policy, job.review.sheet
    return Sheet(
        job=job_id.hex(),
        policy=policy.name,
        policy_sha256=policy.digest.hex(),
        mode=terms.mode,
        media_type=report.media_type,
        width=report.width,
        height=report.height,
        frames=report.frames,
        duration_ms=_ms(report.duration_seconds),
        record_sha256=record_sha256,
        may=tuple(sorted(policy.review.may)),
        effects=_effects(policy, heard=bool(shown.speakers)),
        roles=policy.role_names if "role" in policy.review.may else (),
        decisions=job.decisions.decisions if job.decisions is not None else (),
        tracks=tuple(
            SheetTrack(
                track=track.track,
                kind=track.kind,
                effect=track.effect,
                first_ms=_ms(track.first),
                last_ms=_ms(track.last),
                frames=track.frames,
                width=track.width,
                height=track.height,
                strip=tuple(
                    Thumbnail(_ms(one.time), _box(one.left, one.top, one.right, one.bottom), one.jpeg)
                    for one in track.strip
                ),
            )
            for track in shown.tracks
        ),
        unlisted={str(kind): count for kind, count in shown.unlisted.items()},
        views=tuple(View(_ms(view.time), view.jpeg) for view in shown.views),
        speakers=tuple(
            SheetSpeaker(
                speaker=speaker.speaker,
                effect=speaker.effect,
                spoken_ms=_ms(speaker.seconds),
                unsure_ms=_ms(speaker.unsure_seconds),
                count=speaker.count,
                turns=tuple((_ms(begin), max(_ms(begin) + 1, _ms(end))) for begin, end in speaker.turns),
            )
            for speaker in shown.speakers
        ),
    )


def _effects(policy: Policy, heard: bool) -> dict[str, tuple[str, ...]]:
    effects = {kind: of for kind, of in policy.review.effects.items() if kind != VOICE}
    return {**effects, VOICE: policy.review.voice_effects(policy.audio.effect)} if heard else effects


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    """Gives ten-thousandths; a box always has a middle."""
    x1, y1 = (min(int(edge * _WHOLE), _WHOLE - 1) for edge in (left, top))
    x2, y2 = (max(before + 1, round(edge * _WHOLE)) for before, edge in ((x1, right), (y1, bottom)))
    return x1, y1, x2, y2
