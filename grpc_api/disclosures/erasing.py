"""Forgetting for good, and consents, whose end is that.

An erasure is the one thing that has its effect before its record: the vault destroys the wrapped keys and
signs that it did in one step, and keeps the statement until it is shown in the log. The other way round a log
could say that something is gone which is still there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from grpc_api.disclosures import states
from grpc_api.disclosures.book import Book, Written
from grpc_api.disclosures.checks import claimed_subject
from grpc_api.disclosures.consents import read_consent, read_withdrawal
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.disclosures.recording import Recorder
from grpc_api.disclosures.shelf import ConsentRecord, consent_unknown
from grpc_api.disclosures.states import State
from grpc_api.errors import ServiceError, exhausted, invalid, precondition
from keyvault.client import VaultClient, VaultRefusedError
from keyvault.errors import KeyvaultError
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import ConsentFacts, ConsentWithdrawalFacts, DisclosureRequestFacts, ErasureFacts
from provenance.statements.vocabulary import ERASURE_REASONS

log = logging.getLogger("bauta.grpc_api")

MAX_CONSENTS = 256
"""Of one job."""

TRACKS_AT_ONCE = 64
"""What one statement holds."""

_NOTHING_LEFT = {"nothing_kept", "ring_unknown", "track_erased", "track_unknown"}


class Eraser:
    """Erases, and keeps consents. Safe for threads.

    Args:
        vault: has the rings.
        kept, book, recorder: the desk's.
        close_door: ends a request's worker.
    """

    def __init__(
        self,
        vault: VaultClient,
        kept: KeptStore,
        book: Book,
        recorder: Recorder,
        close_door: Callable[[str], None],
    ) -> None:
        self._vault = vault
        self._kept = kept
        self._book = book
        self._recorder = recorder
        self._close_door = close_door
        self._lock = threading.RLock()

    def erased(self, job_id: str) -> set[int]:
        """The tracks of a job that nobody can uncover any more, as far as the log says."""
        found = self._book.about(job_id, ErasureFacts.kind())
        return {track for one in found for track in ErasureFacts.from_statement(one.envelope.payload).tracks}

    def erase(self, kept: Kept, tracks: Sequence[int], reason: str) -> list[bytes]:
        """Destroys the wrapped keys of some tracks, or of all that are left and everything that lies here.

        Args:
            kept: of the job.
            tracks: none for everything.
            reason: a word of `vocabulary.ERASURE_REASONS`.

        Returns:
            Proof files of the erasures, one for each 64 tracks.

        Raises:
            ServiceError: `erasure_reason_unknown`; or the log's code: they are gone, and the record follows.
            VaultRefusedError: ring_unknown, track_unknown or track_erased; nothing was destroyed.
        """
        if reason not in ERASURE_REASONS:
            raise invalid(
                "erasure_reason_unknown", f"The reason is one of: {', '.join(sorted(ERASURE_REASONS))}."
            )
        proofs = []
        with self._lock:
            for statement in self._destroyed(kept.job_id, sorted(set(tracks)), reason):
                self._end_requests(kept.job_id, ErasureFacts.from_statement(statement.payload).tracks)
                index = self._record(statement, kept.job_id)
                proofs.append(self._recorder.proof(statement, index))
            if not tracks:
                self._kept.drop(kept.job_id)
        return proofs

    def _destroyed(self, job_id: str, tracks: Sequence[int], reason: str) -> Iterator[Envelope]:
        number = bytes.fromhex(job_id)
        if tracks:
            for first in range(0, len(tracks), TRACKS_AT_ONCE):
                raw, _ = self._vault.erase_tracks(number, tracks[first : first + TRACKS_AT_ONCE], reason)
                yield Envelope.from_bytes(raw)
            return
        left = 1
        while left:
            raw, left = self._vault.erase_tracks(number, (), reason)
            yield Envelope.from_bytes(raw)

    def catch_up(self) -> None:
        """Records erasures that a crash kept from the log, and erases what withdrawn consents are about."""
        try:
            for raw in self._vault.announce_erasures():
                statement = Envelope.from_bytes(raw)
                self._record(statement, ErasureFacts.from_statement(statement.payload).job_id)
            for consent in self._book.unerased_consents():
                self._erase_withdrawn(consent)
        except (KeyvaultError, ProvenanceError, ServiceError) as error:
            log.error("an erasure waits: %s", error.code)

    def give(self, kept: Kept, untrusted: Envelope, giver: HybridPublicKey) -> bytes:
        """Records a consent; its proof file.

        Raises:
            CustodianError: consent_invalid.
            ServiceError: `track_unknown`, `too_many_consents`; or the log's code.
        """
        facts = read_consent(untrusted, giver, kept.job_id)
        require_tracks(self._kept, kept.job_id, facts.tracks)
        if len(self._book.consents(kept.job_id)) >= MAX_CONSENTS:
            raise exhausted("too_many_consents", f"A job has at most {MAX_CONSENTS} consents.")
        index = self._recorder.record(Written(ConsentFacts.kind(), untrusted, giver, kept.job_id))
        return self._recorder.proof(untrusted, index)

    def withdraw(self, untrusted: Envelope) -> tuple[bytes, list[bytes]]:
        """Records that a consent is taken back, and erases its tracks.

        Returns:
            The withdrawal's proof file, and those of the erasures, one a track; none where nothing was left.

        Raises:
            CustodianError: consent_invalid, it is not by who gave the consent.
            ServiceError: `consent_unknown`; or the log's code.
        """
        given = self._book.statement(claimed_subject(untrusted))
        if given is None or given.kind != ConsentFacts.kind() or given.signer is None:
            raise consent_unknown()
        facts = read_withdrawal(untrusted, given.signer)
        written = Written(ConsentWithdrawalFacts.kind(), untrusted, given.signer, facts.consent_sha256)
        index = self._recorder.record(written)
        erased = self._erase_withdrawn(self._book.consent(facts.consent_sha256))
        return self._recorder.proof(untrusted, index), erased

    def take_consent(self, statement: Written) -> None:
        """Puts a recorded consent in force."""
        facts = ConsentFacts.from_statement(statement.envelope.payload)
        self._book.keep_consent(
            ConsentRecord(statement.envelope.digest.hex(), facts.job_id, facts.giver_key_sha256)
        )

    def take_withdrawal(self, statement: Written) -> None:
        """Puts a recorded withdrawal in force; the erasure follows, now or at the next sweep."""
        consent = self._book.consent(statement.about)
        self._book.keep_consent(replace(consent, is_withdrawn=True))

    def standing_consents(self, job_id: str) -> list[Written]:
        """Consents about a job that nobody has taken back."""
        standing = {
            consent.consent_sha256 for consent in self._book.consents(job_id) if not consent.is_withdrawn
        }
        return [
            one
            for one in self._book.about(job_id, ConsentFacts.kind())
            if one.envelope.digest.hex() in standing
        ]

    def _erase_withdrawn(self, consent: ConsentRecord) -> list[bytes]:
        given = self._book.statement(consent.consent_sha256)
        proofs: list[bytes] = []
        if given is not None and not consent.is_erased:
            wanted = ConsentFacts.from_statement(given.envelope.payload).tracks
            for track in sorted(set(wanted) - self.erased(consent.job_id)):
                try:
                    proofs += self.erase(self._kept.get(consent.job_id), [track], "consent_withdrawn")
                except (VaultRefusedError, ServiceError) as error:
                    # Nothing is kept of the job any more, or never was of this track.
                    if error.code not in _NOTHING_LEFT:
                        raise
        self._book.keep_consent(replace(consent, is_withdrawn=True, is_erased=True))
        return proofs

    def _record(self, statement: Envelope, job_id: str) -> int:
        index = self._recorder.record(Written(ErasureFacts.kind(), statement, None, job_id))
        # The vault forgets the statement only now.
        self._vault.confirm_erasure(statement.digest, self._recorder.inclusion(index))
        return index

    def _end_requests(self, job_id: str, tracks: Sequence[int]) -> None:
        for record in self._book.requests(State.WAITING, State.READY):
            written = self._book.statement(record.request_sha256)
            if record.job_id != job_id or written is None:
                continue
            asked = DisclosureRequestFacts.from_statement(written.envelope.payload).tracks
            if set(asked) & set(tracks):
                self._book.change(record.request_sha256, lambda before: states.lose(before, "request_erased"))
                self._close_door(record.request_sha256)


def require_tracks(store: KeptStore, job_id: str, tracks: Collection[int]) -> None:
    """Checks that a job has these tracks, as far as its package says.

    Raises:
        ServiceError: `track_unknown`, `nothing_kept`.
    """
    if not set(tracks) <= store.tracks(job_id):
        raise precondition("track_unknown", "The job has kept nothing under a number that is named.")
