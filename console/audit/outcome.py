"""What an audit found, as lines for a terminal and as one object for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyvault.custody.auditing import Finding, Whole
from keyvault.custody.stories import Event, Story, Told


@dataclass(frozen=True)
class Outcome:
    """One audit.

    Attributes:
        whole: the record against its checkpoint.
        told: what its statements say.
        audited_at: by the auditor's clock.
    """

    whole: Whole
    told: Told
    audited_at: datetime

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is missing or should not be as it is."""
        return (*self.whole.findings, *self.told.findings)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is."""
        return not self.findings

    def document(self) -> dict[str, Any]:
        """The JSON object."""
        head = self.whole.checkpoint
        return {
            "clean": self.is_clean,
            "log": head.origin,
            "entries": head.size,
            "root": head.root.hex(),
            "signed_at": head.signed_at,
            "witnessed_at": None if self.whole.witnessed_at is None else self.whole.witnessed_at.isoformat(),
            "findings": [
                {"code": one.code, "message": one.message, "log_index": one.log_index}
                for one in self.findings
            ],
            "requests": [_story_document(name, story) for name, story in self.told.stories.items()],
            "others": [_event_document(event) for event in self.told.others],
        }

    def lines(self) -> str:
        """For a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        head = self.whole.checkpoint
        yield f"log {head.origin}: {head.size} entries to the signed end, {len(self.whole.placed)} of custody"
        if self.whole.witnessed_at is not None:
            yield f"seen by enough witnesses, last at {self.whole.witnessed_at:%Y-%m-%d %H:%M:%S} UTC"
        for name, story in self.told.stories.items():
            yield ""
            yield from story_lines(name, story)
        if self.told.others:
            yield ""
        for event in self.told.others:
            what = handed_on(event) if event.kind == "resharing" else event.kind
            yield f"{event.log_index:>7}  {what}, {event.at}{_scope(event)}"
        yield ""
        for one in self.findings:
            where = "" if one.log_index is None else f" at entry {one.log_index}"
            yield f"FINDING{where}: {one.message} [{one.code}]"
        yield "CLEAN: nothing is missing." if self.is_clean else f"NOT CLEAN: {len(self.findings)} findings."


def story_lines(name: str, story: Story) -> Iterator[str]:
    """One request and what became of it."""
    says = story.asked.says
    stretches = ", ".join(f"{first / 1000:g}-{end / 1000:g} s" for first, end in says["stretches"])
    tracks = ", ".join(map(str, says["tracks"]))
    yield f"request {name}: {story.state}"
    yield f"  {story.asked.log_index:>5}  {story.asked.by} asked at {story.asked.at}"
    yield f"         for {says['purpose']} ({says['legalBasis']}), job {says['jobId']}"
    yield f"         track {tracks}, {stretches}, sealed to {says['recipient'][:23]}…"
    for event in story.events:
        yield f"  {event.log_index:>5}  {deed(event)}"
    if story.state == "released":
        yield f"         on the approval of {', '.join(story.approved_by)}"


def deed(event: Event) -> str:
    """What an event of a request's story was, in a few words."""
    words = {
        "disclosure-worker": "a worker was let in",
        "disclosure-approval": f"{event.by} approved",
        "disclosure-denial": f"{event.by} denied: {event.says.get('reason')}",
        "disclosure-cancellation": f"{event.by} took it back",
        "disclosure-count": "the worker counted",
        "disclosure-release": "the worker released it",
    }
    return words.get(event.kind, event.kind) + (f" at {event.at}" if event.at else "")


def handed_on(event: Event) -> str:
    """What a custodian's part in a re-sharing was, in a few words."""
    to = f"policy {event.says.get('policyName') or event.says['custodyPolicySha256']}"
    if not event.says.get("isInForce"):
        return f"{event.by} dealt anew, to {to}"
    dealers = ", ".join(event.says.get("handedOnBy", ()))
    return f"custody changed hands, by {dealers}, to {to}"


def _scope(event: Event) -> str:
    says = event.says
    parts = [f"job {says['jobId']}" if "jobId" in says else ""]
    parts.append(f"track {', '.join(map(str, says['tracks']))}" if "tracks" in says else "")
    parts.append(str(says.get("reason", "")))
    return "".join(f", {part}" for part in parts if part)


def _story_document(name: str, story: Story) -> dict[str, Any]:
    return {
        "request": name,
        "state": story.state,
        "custody_policy": story.policy,
        "approved_by": list(story.approved_by),
        "asked": _event_document(story.asked),
        "events": [_event_document(event) for event in story.events],
    }


def _event_document(event: Event) -> dict[str, Any]:
    return {
        "log_index": event.log_index,
        "kind": event.kind,
        "statement_sha256": event.sha256,
        "by": event.by,
        "at": event.at,
        "says": event.says,
    }
