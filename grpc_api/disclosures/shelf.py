"""What the desk keeps besides statements and requests: consents, notices, policies, dealings, releases.

One SQLite file with the rest (`book`): every change one durable transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import grpc

from grpc_api.disclosures.kept import read_policy
from grpc_api.durable import open_database
from grpc_api.errors import ServiceError
from keyvault.custody.policy import CustodyPolicy
from provenance.dsse import Envelope


@dataclass(frozen=True)
class ConsentRecord:
    """A consent.

    Attributes:
        consent_sha256: hex digest of its envelope.
        job_id: 32 hex digits.
        giver: hex digest of the keys that signed it.
        is_withdrawn: a withdrawal is on record.
        is_erased: and its tracks are destroyed.
    """

    consent_sha256: str
    job_id: str
    giver: str
    is_withdrawn: bool = False
    is_erased: bool = False


@dataclass(frozen=True)
class Notice:
    """A sealed word to whoever handed a job in.

    Attributes:
        job_id: 32 hex digits.
        owner: the identity that handed it in.
        due_at: seconds since 1970; before that nobody is shown it.
        sealed: an age file.
    """

    job_id: str
    owner: str
    due_at: float
    sealed: bytes


_CONSENTS: dict[str, type] = {
    "consent_sha256": str,
    "job_id": str,
    "giver": str,
    "is_withdrawn": int,
    "is_erased": int,
}
_NOTICES: dict[str, type] = {"id": int, "job_id": str, "owner": str, "due_at": float, "sealed": bytes}


class Shelf:
    """Keeps them. Safe for threads.

    Args:
        path: of the SQLite file; made if absent.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self._db = open_database(path)
        self._consents = self._db.table("consents")
        self._consents.create(_CONSENTS, pk="consent_sha256", if_not_exists=True)
        self._notices = self._db.table("notices")
        self._notices.create(_NOTICES, pk="id", if_not_exists=True)
        self._policies = self._db.table("policies")
        self._policies.create({"sha256": str, "text": str}, pk="sha256", if_not_exists=True)
        self._dealings = self._db.table("dealings")
        self._dealings.create({"sha256": str, "redealt": bytes}, pk="sha256", if_not_exists=True)
        self._releases = self._db.table("worker_releases")
        self._releases.create({"measurement": str, "envelope": bytes}, pk="measurement", if_not_exists=True)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._db.conn.close()

    def keep_consent(self, consent: ConsentRecord) -> None:
        """Adds a consent, or changes what stands of it."""
        with self._lock:
            self._consents.upsert(asdict(consent), pk="consent_sha256")

    def consents(self, job_id: str) -> list[ConsentRecord]:
        """All consents about one job."""
        with self._lock:
            return [_consent(row) for row in self._consents.rows_where("job_id = ?", [job_id])]

    def consent(self, consent_sha256: str) -> ConsentRecord:
        """One consent.

        Raises:
            ServiceError: `consent_unknown`.
        """
        with self._lock:
            for row in self._consents.rows_where("consent_sha256 = ?", [consent_sha256]):
                return _consent(row)
        raise consent_unknown()

    def unerased_consents(self) -> list[ConsentRecord]:
        """Consents that are withdrawn and whose tracks are not destroyed yet."""
        with self._lock:
            return [_consent(row) for row in self._consents.rows_where("is_withdrawn and not is_erased")]

    def post(self, notice: Notice) -> None:
        """Puts a notice into somebody's mailbox."""
        with self._lock:
            self._notices.insert(asdict(notice))

    def notices(self, owner: str, limit: int = 200) -> list[Notice]:
        """Somebody's notices that are due, newest first."""
        with self._lock:
            rows = self._notices.rows_where(
                "owner = ? and due_at <= ?", [owner, self._clock()], order_by="due_at desc", limit=limit
            )
            return [Notice(row["job_id"], row["owner"], row["due_at"], row["sealed"]) for row in rows]

    def keep_policy(self, policy: CustodyPolicy) -> None:
        """Keeps the text of a custody policy: requests name it by its digest, also when their job is gone."""
        with self._lock:
            self._policies.upsert({"sha256": policy.digest.hex(), "text": policy.text}, pk="sha256")

    def policy(self, sha256: str) -> CustodyPolicy | None:
        """One custody policy under which something was asked for."""
        with self._lock:
            for row in self._policies.rows_where("sha256 = ?", [sha256]):
                return read_policy(row["text"])
        return None

    def policies(self) -> list[CustodyPolicy]:
        """All of them."""
        with self._lock:
            return [read_policy(row["text"]) for row in self._policies.rows]

    def keep_redealt(self, dealing: Envelope, redealt: bytes) -> None:
        """Keeps the public part of what a custodian dealt anew: workers, custodians and audits ask for it."""
        self._keep_sharing(dealing.digest.hex(), redealt)

    def keep_first_sharing(self, job_id: str, sharing: bytes) -> None:
        """Keeps the sharing that dealings of a job begin from: audits ask for it when the job is gone."""
        self._keep_sharing(job_id, sharing)

    def _keep_sharing(self, name: str, sharing: bytes) -> None:
        with self._lock:
            self._dealings.upsert({"sha256": name, "redealt": sharing}, pk="sha256")

    def redealt(self, dealing: Envelope) -> bytes | None:
        """The public part of one dealing."""
        with self._lock:
            for row in self._dealings.rows_where("sha256 = ?", [dealing.digest.hex()]):
                return bytes(row["redealt"])
        return None

    def sharings(self) -> list[bytes]:
        """Every public part that a dealing names, each once."""
        with self._lock:
            return [bytes(row["redealt"]) for row in self._db.query("select distinct redealt from dealings")]

    def keep_release(self, measurement: str, release: Envelope) -> None:
        """Keeps the release of a worker version: its jobs are asked about long after it is gone."""
        with self._lock:
            self._releases.upsert(
                {"measurement": measurement, "envelope": release.to_bytes()}, pk="measurement"
            )

    def release_of(self, measurement: str) -> Envelope | None:
        """The release of a worker version, if it ever ran here."""
        with self._lock:
            for row in self._releases.rows_where("measurement = ?", [measurement]):
                return Envelope.from_bytes(row["envelope"])
        return None


def consent_unknown() -> ServiceError:
    """The refusal of a consent that is not there."""
    return ServiceError("consent_unknown", "There is no such consent here.", grpc.StatusCode.NOT_FOUND)


def _consent(row: dict[str, Any]) -> ConsentRecord:
    flags = {name: bool(row[name]) for name in ("is_withdrawn", "is_erased")}
    return ConsentRecord(**{**row, **flags})
