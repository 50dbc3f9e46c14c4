"""When to anchor which tree head: a state machine without a clock, a network or a disk.

Tree heads are offered as the log grows. One is anchored when enough entries have come, or when the oldest
entry that is not anchored has waited long enough; only the newest, since it stands for all before it.
What does not succeed is tried again, each time later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from provenance.checkpoint import CheckpointText


@dataclass(frozen=True)
class AnchorPolicy:
    """How often.

    Attributes:
        entries: so many new ones are anchored at once.
        wait_seconds: a new one waits so long at most.
        confirm_seconds: what was sent and is not confirmed by then is sent again, for a higher fee.
        retry_seconds: after the first failure; doubled with each.
        longest_retry_seconds: never longer than this.

    Raises:
        ValueError: a limit that is none.
    """

    entries: int = 1000
    wait_seconds: float = 3600.0
    confirm_seconds: float = 900.0
    retry_seconds: float = 30.0
    longest_retry_seconds: float = 3600.0

    def __post_init__(self) -> None:
        times = (self.wait_seconds, self.confirm_seconds, self.retry_seconds)
        if self.entries < 1 or min(times) <= 0 or self.longest_retry_seconds < self.retry_seconds:
            raise ValueError("an anchoring limit is not above zero, or the longest is not the longest")


@dataclass(frozen=True)
class AnchorState:
    """Where anchoring stands. All times are seconds on one clock that does not go back.

    Attributes:
        anchored_size: entries that a confirmed anchor covers.
        newest: the newest tree head that is not confirmed; None when all are.
        waiting_since: when the oldest entry came that is not anchored.
        in_flight: what was sent last and is not confirmed.
        sent_at: when.
        failures: in a row.
        not_before: no attempt before then.
    """

    anchored_size: int = 0
    newest: CheckpointText | None = None
    waiting_since: float = 0.0
    in_flight: CheckpointText | None = None
    sent_at: float = 0.0
    failures: int = 0
    not_before: float = float("-inf")

    def offered(self, checkpoint: CheckpointText, now: float) -> AnchorState:
        """A tree head came; one that is no larger than what is known changes nothing."""
        known = self.newest.size if self.newest is not None else self.anchored_size
        if checkpoint.size <= known:
            return self
        since = now if self.newest is None else self.waiting_since
        return replace(self, newest=checkpoint, waiting_since=since)

    def due(self, policy: AnchorPolicy, now: float) -> CheckpointText | None:
        """Says what is to be sent now, if anything."""
        if self.newest is None or self.in_flight is not None or now < self.not_before:
            return None
        enough = self.newest.size - self.anchored_size >= policy.entries
        return self.newest if enough or now - self.waiting_since >= policy.wait_seconds else None

    def sent(self, checkpoint: CheckpointText, now: float) -> AnchorState:
        """It was handed to the chain."""
        return replace(self, in_flight=checkpoint, sent_at=now)

    def lapsed(self, policy: AnchorPolicy, now: float) -> bool:
        """Says whether what was sent should have been confirmed by now."""
        return self.in_flight is not None and now - self.sent_at >= policy.confirm_seconds

    def failed(self, policy: AnchorPolicy, now: float) -> AnchorState:
        """An attempt came to nothing, or nobody knows to what."""
        # Doubling ends long before a float does.
        pause = policy.retry_seconds * 2.0 ** min(self.failures, 32)
        return replace(
            self,
            in_flight=None,
            failures=self.failures + 1,
            not_before=now + min(pause, policy.longest_retry_seconds),
        )

    def confirmed(self, size: int, now: float) -> AnchorState:
        """A proof was gathered for a tree of this size, sent now or in an earlier attempt."""
        if size <= self.anchored_size:
            return self
        newest = self.newest if self.newest is not None and self.newest.size > size else None
        # Entries that came meanwhile wait from now on: when the oldest of them came is not kept. What else
        # was sent had the same nonce, and is dead; if not, it is anchored twice, which does no harm.
        return AnchorState(anchored_size=size, newest=newest, waiting_since=now)
