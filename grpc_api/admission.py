"""Who may hand a job in at all: whoever brings a token that one of the operator's issuers signed blind.

    [admission]
    issuers = ["members_2026_q4.pem"]            # public keys, as `bauta token init` writes them

The front desk learns "one of ours", and no more: a token says neither whom it was given to nor when. It is
spent on the disk before its job is; and it belongs to the creation of one job, so that a client whose
answer was lost asks again, also after a crash between the two, and is let in without a second token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from grpc_api.errors import ServiceError, precondition, unavailable
from grpc_api.jobs.states import JobRecord
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import MAX_PEM_BYTES, IssuerKey
from keyvault.submitter.spent import SpentStore
from keyvault.submitter.tokens import Token

MAX_ISSUERS: Final = 64

_HOLDER_LABEL = b"bauta.admission.holder/v1\0"


class AdmissionError(ValueError):
    """The table is not valid; the message names the key."""


def read_admission(table: object, folder: Path) -> tuple[IssuerKey, ...]:
    """Reads `[admission]`.

    Args:
        table: as TOML gives it; None where it is absent, and nobody is asked for a token.
        folder: what paths are relative to.

    Raises:
        AdmissionError: naming the key at fault.
    """
    if table is None:
        return ()
    if not isinstance(table, Mapping):
        raise AdmissionError("`admission` must be a table")
    names = table.get("issuers")
    if table.keys() != {"issuers"}:
        raise AdmissionError("`admission` holds the key `issuers` and no other")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AdmissionError("`admission.issuers` must be a list of paths")
    # An empty list would let everybody in where the operator meant to let nobody in.
    if not 0 < len(names) <= MAX_ISSUERS:
        raise AdmissionError(f"`admission.issuers` names 1 to {MAX_ISSUERS} files")
    keys = tuple(_read_key(folder / name) for name in names)
    if len(set(keys)) != len(keys):
        raise AdmissionError("`admission.issuers` names one key twice")
    return keys


class Admission:
    """The door. Safe for threads.

    Args:
        issuers: whose tokens count.
        record: of the tokens that were used.
    """

    def __init__(self, issuers: Iterable[IssuerKey], record: SpentStore) -> None:
        self._issuers = {key.id: key for key in issuers}
        self._record = record

    def admit(self, untrusted_token: bytes, holder: bytes) -> None:
        """Takes a token, durably, for the creation of one job.

        Args:
            untrusted_token: as it came; empty if none did.
            holder: of `holder_of`. Until `settle`, the same holder is let in again by the same token.

        Raises:
            ServiceError: `token_required`, `token_invalid`, `token_spent`, or `spent_store_unavailable`.
        """
        if not untrusted_token:
            raise precondition(
                "token_required",
                "This service takes a job only with a token of admission; ask whoever issues them.",
            )
        try:
            key = self._issuers.get(Token.from_bytes(untrusted_token).issuer)
            if key is None:
                raise precondition(
                    "token_invalid", "The token is of an issuer, or of a period, that does not count here."
                )
            self._record.redeem(untrusted_token, key, holder)
        except SubmitterError as refusal:
            raise _refused(refusal) from None

    def settle(self, holder: bytes) -> None:
        """The job is there: from now on nobody is let in by its token, not even its holder.

        Raises:
            ServiceError: `spent_store_unavailable`; to settle again is safe.
        """
        try:
            self._record.settle(holder)
        except SubmitterError as refusal:
            raise _refused(refusal) from None

    def settle_all(self, jobs: Iterable[JobRecord]) -> None:
        """Does it for every job that there is, as a service does that starts after it was killed.

        Raises:
            ServiceError: `spent_store_unavailable`.
        """
        for job in jobs:
            self.settle(holder_of(job.owner, bytes.fromhex(job.client_token)))

    def close(self) -> None:
        """Closes the record."""
        self._record.close()


def holder_of(owner: str, client_token: bytes) -> bytes:
    """What the creation of one job is known by, 32 bytes: whoever asks, and the 16 random bytes it chose."""
    return hashlib.sha256(_HOLDER_LABEL + client_token + owner.encode()).digest()


def _read_key(path: Path) -> IssuerKey:
    try:
        with path.open("rb") as file:
            return IssuerKey.from_pem(file.read(MAX_PEM_BYTES + 1))
    except (OSError, SubmitterError):
        raise AdmissionError(
            "`admission.issuers` names a file that is no public key of an issuer in PEM"
        ) from None


def _refused(refusal: SubmitterError) -> ServiceError:
    if refusal.code == "spent_store_unavailable":
        return unavailable(refusal.code, "The record of used tokens cannot be written; try again later.")
    if refusal.code == "token_spent":
        return precondition(refusal.code, "This token was used before; each one admits one job.")
    if refusal.code == "realm_retired":
        return precondition("token_invalid", "The period of this token has ended; ask for a new one.")
    return precondition("token_invalid", "This is no token that an issuer of this service signed.")
