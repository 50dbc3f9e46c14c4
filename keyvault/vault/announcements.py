"""What the vault says of its intake keys: where to seal, until when, for which worker; what is destroyed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.retirements import Retired
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.statements.fields import format_instant
from provenance.statements.intake import IntakeFacts
from provenance.statements.key_rotation import KeyRotationFacts

# In one answer.
MAX_ROTATIONS = 16


@dataclass(frozen=True)
class WorkerFacts:
    """What the worker host says about itself, checked for its form.

    Attributes:
        measurement: SHA-256 over code, lock, dependencies, models and policies, 32 bytes.
        walls: the names of the walls that this machine gives.
        version: of the package; with the next three, what a release says besides the measurement.
        models, policies: hex SHA-256 by name.
        lock_sha256: hex.
    """

    measurement: bytes
    walls: frozenset[str]
    version: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)
    lock_sha256: str = ""


class WorkerPresence:
    """The worker host: warming up, ready, or gone for good. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._facts: WorkerFacts | None = None
        self._is_gone = False

    def arrive(self, facts: WorkerFacts) -> None:
        """The host is ready."""
        with self._changed:
            self._facts = facts
            self._changed.notify_all()

    def leave(self) -> None:
        """The host is gone; its channel cannot come back."""
        with self._changed:
            self._is_gone = True
            self._changed.notify_all()

    def wait(self, timeout_seconds: float) -> WorkerFacts:
        """Waits for a host that is warming up.

        Raises:
            VaultRequestError: worker_not_ready, it was not ready in time or is gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._facts is not None or self._is_gone, timeout_seconds)
            if self._facts is None or self._is_gone:
                raise VaultRequestError("worker_not_ready", "no worker host is ready")
            return self._facts


class Announcer:
    """Signs one statement for each intake key, and gives the same bytes for as long as it is current.

    ML-DSA signatures differ each time they are made; a new one for each request would put a new entry in
    the log for each.

    Args:
        node: signs.
        keys: the intake keys.
        wait_for_worker: gives the worker host, or raises.
        require_released: raises for a worker version that nobody has released.
    """

    def __init__(
        self,
        node: HybridSigner,
        keys: IntakeKeys,
        wait_for_worker: Callable[[], WorkerFacts],
        require_released: Callable[[bytes], None],
    ) -> None:
        self._node = node
        self._keys = keys
        self._wait_for_worker = wait_for_worker
        self._require_released = require_released
        # By recipient, not by key: a destroyed key must not live on here.
        self._last = ("", b"")
        self._rotations: dict[bytes, Envelope] = {}

    def rotations(self) -> list[bytes]:
        """Gives the DSSE envelopes (JSON) of destroyed keys that are not known to be in the log.

        Oldest first, at most `MAX_ROTATIONS`; the same bytes for the same key until the vault ends.
        """
        return [self._rotation(item).to_bytes() for item in self._keys.retired()[:MAX_ROTATIONS]]

    def confirm_rotation(self, retired_sha256: bytes, require_recorded: Callable[[bytes], None]) -> None:
        """Forgets a destroyed key that is in the log.

        Args:
            retired_sha256: of its recipient string.
            require_recorded: raises for a leaf that is not shown to be in this vault's log.

        Raises:
            VaultRequestError: rotation_unknown, or what require_recorded raises.
        """
        envelope = self._rotations.get(retired_sha256)
        if envelope is None:
            raise VaultRequestError("rotation_unknown", "no destroyed key of that name waits for the log")
        require_recorded(Entry(KeyRotationFacts.kind(), envelope.digest).leaf)
        self._keys.forget_retired(retired_sha256)
        del self._rotations[retired_sha256]

    def _rotation(self, retired: Retired) -> Envelope:
        known = self._rotations.get(retired.recipient_sha256)
        if known is None:
            facts = KeyRotationFacts(
                retired_sha256=retired.recipient_sha256.hex(),
                successor_sha256=retired.successor_sha256.hex() or None,
                made_at=instant(retired.made_at),
                destroyed_at=instant(retired.destroyed_at),
            )
            known = sign_envelope(facts.to_statement(), self._node)
            self._rotations[retired.recipient_sha256] = known
        return known

    def announce(self) -> bytes:
        """Gives the DSSE envelope (JSON) of the current intake statement.

        Raises:
            VaultRequestError: worker_not_ready, worker_not_released, intake_keys_exhausted or
                vault_store_unwritable.
        """
        worker = self._wait_for_worker()
        self._require_released(worker.measurement)
        key = self._keys.current(worker.measurement)
        if self._last[0] != key.recipient:
            facts = IntakeFacts(
                recipient=key.recipient,
                valid_from=instant(key.created_at),
                valid_until=instant(key.expires_at),
                worker_measurements=(key.measurement.hex(),),
            )
            self._last = key.recipient, sign_envelope(facts.to_statement(), self._node).to_bytes()
        return self._last[1]


def instant(seconds: float) -> str:
    """Writes seconds since the epoch the way statements do."""
    return format_instant(datetime.fromtimestamp(seconds, UTC))
