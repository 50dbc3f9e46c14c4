"""The desk's database of disclosures: every statement for good, and the requests that stand because of them.

SQLite as the job store has it: every change one durable transaction, every change announced. A statement is
written before it goes into the log and keeps its place in it from then on; there is no way to remove one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import grpc

from grpc_api.disclosures.shelf import Shelf
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.errors import ServiceError
from provenance.dsse import Envelope
from provenance.keys import HybridPublicKey

# What SQLite takes as parameters of one query, with room to spare.
_AT_ONCE = 500


@dataclass(frozen=True)
class Written:
    """One statement as it is kept.

    Attributes:
        kind: of its entry in the log.
        envelope: the statement.
        signer: who signed it; None for what the node or a worker signed.
        about: hex digest of the request or the consent that it is about, or the job's number.
        sealed_share: of an approval; all parts of a dealing.
        log_index: its place in the log; None while that is not known.
    """

    kind: str
    envelope: Envelope
    signer: HybridPublicKey | None
    about: str
    sealed_share: bytes = b""
    log_index: int | None = None


_STATEMENTS: dict[str, type] = {
    "sha256": str,
    "kind": str,
    "envelope": bytes,
    "signer": bytes,
    "about": str,
    "sealed_share": bytes,
    "log_index": int,
}
_REQUESTS: dict[str, type] = {
    **dict.fromkeys([field.name for field in fields(DisclosureRecord)], str),
    "recorded_at": float,
    "expires_at": float,
    "updated_at": float,
    "disclosure_bytes": int,
    "proof": bytes,
    "release_proof": bytes,
}
_ED25519_BYTES = 32


class Book(Shelf):
    """Statements and requests, with a change counter; what else is kept is the shelf's. Safe for threads.

    Args:
        path: of the SQLite file; made if absent.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path, clock)
        self._changed = threading.Condition(self._lock)
        self._version = 0
        self._statements = self._db.table("statements")
        self._statements.create(_STATEMENTS, pk="sha256", if_not_exists=True)
        self._statements.create_index(["about"], if_not_exists=True)
        self._requests = self._db.table("requests")
        self._requests.create(_REQUESTS, pk="request_sha256", if_not_exists=True)
        self._requests.create_index(["job_id"], if_not_exists=True)

    # Statements

    def write(self, statement: Written) -> bool:
        """Makes a statement durable, before it goes into the log; whether it was new."""
        with self._lock:
            name = statement.envelope.digest.hex()
            if self._rows("select 1 from statements where sha256 = ?", name):
                return False
            self._statements.insert(
                {
                    "sha256": name,
                    "kind": statement.kind,
                    "envelope": statement.envelope.to_bytes(),
                    "signer": _key_bytes(statement.signer),
                    "about": statement.about,
                    "sealed_share": statement.sealed_share,
                    "log_index": None,
                }
            )
            return True

    def place(self, envelope: Envelope, log_index: int) -> None:
        """Notes where the log has a statement."""
        with self._lock:
            self._statements.update(envelope.digest.hex(), {"log_index": log_index})

    def statement(self, sha256: str) -> Written | None:
        """One statement, by the hex digest of its envelope."""
        with self._lock:
            found = self._written("sha256 = ?", [sha256])
            return found[0] if found else None

    def about(self, subject: str, *kinds: str) -> list[Written]:
        """Recorded statements about a request, a consent or a job, in the order of the log."""
        marks = ",".join("?" * len(kinds))
        where = f"about = ? and log_index is not null and kind in ({marks})"
        with self._lock:
            return self._written(where, [subject, *kinds])

    def of_kinds(self, *kinds: str) -> list[Written]:
        """Recorded statements of these kinds, in the order of the log."""
        marks = ",".join("?" * len(kinds))
        with self._lock:
            return self._written(f"log_index is not null and kind in ({marks})", list(kinds))

    def unplaced(self) -> list[Written]:
        """Statements of which it is not known whether the log has them: a crash came between."""
        with self._lock:
            return self._written("log_index is null", [])

    def named(self, digests: Iterable[str]) -> list[Written]:
        """Those of these statements that are here, in the order of the log."""
        wanted = list(digests)
        found: list[Written] = []
        with self._lock:
            for first in range(0, len(wanted), _AT_ONCE):
                part = wanted[first : first + _AT_ONCE]
                found += self._written(f"sha256 in ({','.join('?' * len(part))})", part)
        return sorted(found, key=lambda one: one.log_index or 0)

    def forget_shares(self, request_sha256: str) -> None:
        """Removes the sealed shares of a request that has ended; the statements stay."""
        with self._lock:
            self._db.execute("update statements set sealed_share = x'' where about = ?", [request_sha256])

    def forget_parts(self, dealing: Envelope) -> None:
        """Removes what a dealer sealed to custodians who have handed on, or never came to decide."""
        with self._lock:
            self._statements.update(dealing.digest.hex(), {"sealed_share": b""})

    # Requests

    def open_request(self, record: DisclosureRecord) -> DisclosureRecord:
        """Adds a request that is on record; one that is there already stays as it is."""
        with self._changed:
            for row in self._requests.rows_where("request_sha256 = ?", [record.request_sha256]):
                return _record(row)
            self._requests.insert(_row(replace(record, updated_at=self._clock())))
            self._announce()
            return record

    def request(self, request_sha256: str) -> DisclosureRecord:
        """One request.

        Raises:
            ServiceError: `request_unknown`.
        """
        with self._lock:
            for row in self._requests.rows_where("request_sha256 = ?", [request_sha256]):
                return _record(row)
        raise request_unknown()

    def change(
        self, request_sha256: str, transition: Callable[[DisclosureRecord], DisclosureRecord]
    ) -> DisclosureRecord:
        """Applies a transition of `states` to the newest record, in one transaction."""
        with self._changed:
            before = self.request(request_sha256)
            after = transition(before)
            if after != before:
                after = replace(after, updated_at=self._clock())
                self._requests.upsert(_row(after), pk="request_sha256")
                self._announce()
            return after

    def requests(self, *states: State, limit: int = 200) -> list[DisclosureRecord]:
        """Requests in these states, or all of them, newest first."""
        marks = ",".join("?" * len(states))
        where = f"state in ({marks})" if states else "1"
        with self._lock:
            rows = self._requests.rows_where(
                where, [state.value for state in states], order_by="recorded_at desc", limit=limit
            )
            return [_record(row) for row in rows]

    def made_since(self, requester: str, since: float) -> int:
        """How many requests somebody has made since then."""
        query = "select count(*) from requests where requester = ? and recorded_at >= ?"
        with self._lock:
            return int(self._rows(query, requester, since)[0][0])

    # Changes

    @property
    def version(self) -> int:
        """Grows with every change of a request."""
        with self._lock:
            return self._version

    def wait_for_change(self, seen_version: int, timeout_seconds: float) -> int:
        """Waits until something changed after `seen_version`; returns the newest version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen_version, timeout_seconds)
            return self._version

    def announce(self) -> None:
        """Wakes watchers for a decision, which changes no request."""
        with self._changed:
            self._announce()

    def _announce(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _written(self, where: str, values: list[Any]) -> list[Written]:
        rows = self._statements.rows_where(where, values, order_by="log_index")
        return [
            Written(
                kind=row["kind"],
                envelope=Envelope.from_bytes(row["envelope"]),
                signer=_key(row["signer"]),
                about=row["about"],
                sealed_share=row["sealed_share"],
                log_index=row["log_index"],
            )
            for row in rows
        ]

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self._db.execute(query, values).fetchall())


def request_unknown() -> ServiceError:
    """The refusal of a request that is not there; one that the asker may not see looks the same."""
    return ServiceError(
        "request_unknown", "There is no such request, or it is not for these keys.", grpc.StatusCode.NOT_FOUND
    )


def _row(record: DisclosureRecord) -> dict[str, Any]:
    return {**asdict(record), "state": record.state.value}


def _record(row: dict[str, Any]) -> DisclosureRecord:
    return DisclosureRecord(**{**row, "state": State(row["state"])})


def _key_bytes(key: HybridPublicKey | None) -> bytes:
    return b"" if key is None else key.ed25519 + key.mldsa65


def _key(stored: bytes) -> HybridPublicKey | None:
    return HybridPublicKey(stored[:_ED25519_BYTES], stored[_ED25519_BYTES:]) if stored else None
