"""Content credentials for the result of one job, made behind the wall and signed by the vault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast

from anonymizer import Report
from enclave.errors import WorkerError
from enclave.policy import Terms
from enclave.worker import vault_channel
from enclave.worker.release import Release, ask_for_claim_signature
from enclave.worker.scratch import EncryptedScratch
from provenance.credentials.assertions import actions
from provenance.credentials.certificates import MAX_CERTIFICATES, parse_certificate
from provenance.credentials.embedding import with_credentials
from provenance.dsse import Envelope


def prepare_credentials(vault_fd: int, terms: Terms, release: Release) -> None:
    """Makes sure, before the work begins, that a manifest can be made at its end where one is wanted.

    Where none is, and nothing is kept for custodians either, the vault's channel is closed.

    Raises:
        WorkerError: `credentials_refused`, the vault did not say who would sign.
        FormatError: what it said is no certificate.
    """
    if not terms.policy.proof.wants_credentials:
        if terms.custody is None:
            vault_channel.close(vault_fd)
        return
    if not 1 <= len(release.claim_chain) < MAX_CERTIFICATES or not release.log_origin:
        raise WorkerError("the vault does not say who signs claims", "credentials_refused")
    for certificate in release.claim_chain:
        parse_certificate(certificate)


def result_with_credentials(
    vault_fd: int, scratch: EncryptedScratch, terms: Terms, release: Release, report: Report
) -> Iterator[bytes]:
    """Gives the result with its manifest, in pieces.

    Args:
        vault_fd: this job's own channel to the vault; asked once.
        scratch: the finished result.
        terms: of the job.
        release: names the evidence and the signer.
        report: what was done.

    Raises:
        WorkerError: `credentials_refused`, `vault_unavailable`, `scratch_corrupt`.
        FormatError: `credentials_unplaceable`, `credentials_refused`.
    """
    return with_credentials(
        # typeshed does not count raw streams among BinaryIO; they do all that it asks for.
        cast("BinaryIO", scratch),
        report.media_type,
        actions(_covered(terms, report), report.audio, month_stays=terms.policy.metadata.captured == "month"),
        (Envelope.from_bytes(release.evidence).digest, release.log_origin),
        release.claim_chain,
        lambda claim: ask_for_claim_signature(vault_fd, claim),
    )


def _covered(terms: Terms, report: Report) -> dict[str, str]:
    shown = {kind for kind, frames in report.frames_with.items() if frames}
    return {kind: effect for kind, effect in terms.policy.effects.items() if kind in shown}
