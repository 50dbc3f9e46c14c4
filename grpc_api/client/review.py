"""A review package on the submitter's side: fetched, opened, and its decisions held against it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from enclave.review.decisions import Decisions, OnSpeaker
from enclave.review.package import MAX_PACKAGE_BYTES, ReviewPackage, parse_package
from enclave.review.sheet import VOICE, Sheet
from grpc_api.client import transfer
from grpc_api.client.connection import Connection
from grpc_api.errors import invalid
from keyvault.age import HybridIdentity, open_sealed
from protos.bauta.v1 import jobs_pb2
from provenance.statements import JobFacts

# The seal adds a header, and 16 bytes to each chunk of 64 KiB.
MAX_SEALED_BYTES = MAX_PACKAGE_BYTES + MAX_PACKAGE_BYTES // 1024 + (64 << 10)


def fetch_package(
    connection: Connection, job: jobs_pb2.Job, facts: JobFacts, identity: HybridIdentity, sealed: Path
) -> ReviewPackage:
    """Fetches the package of a finished job, sealed as it is, and checks that it is that of this very job.

    The service can hand out what it likes; the verified statement, which the worker signed, says which one
    there is.

    Args:
        connection: to the service.
        job: as the service tells it.
        facts: the verified statement about it.
        identity: opens the package.
        sealed: a new file.

    Raises:
        ServiceError: `review_missing`, `review_too_large`, `review_of_other_job`, or the service's code.
        AgeError, ReviewError: it cannot be opened or read.
    """
    if facts.review_sha256 is None or not job.review_bytes:
        raise invalid("review_missing", "The service has no review package of this job.")
    if job.review_bytes > MAX_SEALED_BYTES:
        raise invalid("review_too_large", "The review package is larger than any can be.")
    transfer.download_review(connection, job, sealed)
    package = open_package(sealed, identity)
    _require_package_of(facts, sealed, package)
    return package


def require_no_package(facts: JobFacts) -> None:
    """Checks that a job which was not asked for a package made none.

    Raises:
        ServiceError: `review_not_asked`.
    """
    if facts.review_sha256 is not None:
        raise invalid("review_not_asked", "The worker made a review package that nobody asked for.")


def open_package(sealed: Path, identity: HybridIdentity) -> ReviewPackage:
    """Opens a sealed review package.

    Raises:
        ServiceError: `input_unreadable`, `review_too_large`.
        AgeError: it is sealed to somebody else, or damaged.
        ReviewError: what is inside is no review package.
    """
    try:
        with sealed.open("rb") as source:
            if source.seek(0, io.SEEK_END) > MAX_SEALED_BYTES:
                raise invalid("review_too_large", "The file is larger than any review package.")
            source.seek(0)
            plaintext = io.BytesIO()
            open_sealed(source, plaintext, [identity])
    except OSError as error:
        raise invalid("input_unreadable", f"The review package cannot be read: {error.strerror}.") from None
    return parse_package(plaintext.getvalue())


def require_allowed(decisions: Decisions, package: ReviewPackage) -> None:
    """Checks decisions against the package that they are about, before anything is uploaded.

    The worker checks again, and its word counts; this saves an upload and names what is wrong.

    Raises:
        ServiceError: `decisions_of_other_review`, `decision_not_allowed`, `decision_of_no_track`,
            `decision_of_no_speaker`.
    """
    sheet = package.sheet
    if decisions.record_sha256 != sheet.record_sha256:
        raise invalid("decisions_of_other_review", "These decisions were made on another sheet.")
    kinds = {track.track: track.kind for track in sheet.tracks}
    for decision in decisions.decisions:
        told = decision.to_object()
        if isinstance(decision, OnSpeaker):
            _require_allowed_of(decision, sheet)
            continue
        if told["do"] not in sheet.may:
            raise invalid("decision_not_allowed", f"The policy does not allow the decision `{told['do']}`.")
        if "track" in told and told["track"] not in kinds:
            raise invalid("decision_of_no_track", "A decision is about a track that is not on the sheet.")
        if told["do"] == "role" and told["role"] not in sheet.roles:
            raise invalid("decision_not_allowed", "The policy has no role of that name.")
        if told["do"] == "effect" and told["effect"] not in sheet.effects.get(kinds[told["track"]], ()):
            raise invalid("decision_not_allowed", "The policy does not allow that effect on such a track.")


def _require_allowed_of(decision: OnSpeaker, sheet: Sheet) -> None:
    if decision.speaker >= len(sheet.speakers):
        raise invalid("decision_of_no_speaker", "A decision is about a speaker who is not on the sheet.")
    if decision.do == "effect" and decision.name not in sheet.effects.get(VOICE, ()):
        raise invalid("decision_not_allowed", "The policy does not allow that effect on a voice.")
    if decision.do == "role" and not ("role" in sheet.may and decision.name in sheet.roles):
        raise invalid("decision_not_allowed", "The policy has no role of that name to give.")


def _require_package_of(facts: JobFacts, sealed: Path, package: ReviewPackage) -> None:
    with sealed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    sheet = package.sheet
    about = (facts.job_id, facts.policy_sha256, facts.mode, facts.media_type, facts.frames)
    told = (sheet.job, sheet.policy_sha256, sheet.mode, sheet.media_type, sheet.frames)
    if digest != facts.review_sha256 or told != about:
        raise invalid("review_of_other_job", "The review package is not the one that the proof names.")
