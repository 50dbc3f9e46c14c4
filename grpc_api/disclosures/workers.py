"""What the desk expects of a disclosure worker: `enclave.host` has one, and the tests have a double."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.keys import HybridPublicKey


@dataclass(frozen=True)
class Materials:
    """All that a worker is shown. Attributes: as in `Proceed` (protos/bauta/internal/v1/disclosure.proto)."""

    job_proof: bytes
    job_release: bytes
    history_proof: bytes
    entries: tuple[Entry, ...]
    statements: tuple[Envelope, ...]
    request_proof: bytes
    keys: tuple[HybridPublicKey, ...]
    sealed_shares: tuple[bytes, ...]
    custody_policies: tuple[str, ...]
    sharing: bytes
    redealt: tuple[bytes, ...]


class Worker(Protocol):
    """One disclosure worker. Nothing that it says is believed."""

    @property
    def ward_id(self) -> bytes:
        """What the vault calls it: the first 16 bytes of the SHA-256 of the request's envelope."""

    def admission(self) -> bytes:
        """The vault's evidence for it, an envelope; waits for it."""

    def count(self) -> bytes:
        """A fresh count statement, an envelope, which must be in the log before `proceed`."""

    def proceed(self, materials: Materials) -> bytes:
        """Has it check everything and disclose; the release, an envelope.

        Raises:
            EnclaveError: it does not: with the code of why, and it still waits; or it is gone.
        """

    def confirm(self, release_proof: bytes) -> bytes:
        """Shows that the release is recorded; the header that goes before what it wrote."""

    def is_there(self) -> bool:
        """Whether it still waits."""

    def stop(self) -> None:
        """Ends it."""
