"""What the commands around a disclosure share: the way to a service with somebody's keys, and the words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands.custodian import protection_of
from console.custodian_process import CustodianProcess
from console.paths import data_folder
from console.sending import service
from grpc_api.client.connection import Connection
from grpc_api.client.disclosures import Asked, DisclosureClient, KeptJob
from grpc_api.errors import invalid
from protos.bauta.v1 import disclosures_pb2
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.statements import DisclosureApprovalFacts, DisclosureDenialFacts, DisclosureRequestFacts
from provenance.trust import Trust

_STRETCH = re.compile(r"(\d{1,5})(?:\.(\d{1,3}))?-(\d{1,5})(?:\.(\d{1,3}))?")
_NAME = re.compile(r"[0-9a-f]{64}")

KeysOption = Annotated[
    Path,
    typer.Option("--keys", help="Your keys: a file of `bauta custodian init`.", exists=True, dir_okay=False),
]
ModuleOption = Annotated[
    Path | None, typer.Option("--pkcs11-module", help="The module of the token that protects them.")
]
TokenOption = Annotated[str | None, typer.Option("--pkcs11-token", help="That token's label.")]
ServerOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="A remote service, by mutual TLS.")
]
TlsOption = Annotated[
    Path | None,
    typer.Option(help="The client bundle that the operator made.", show_default="client/ in the data folder"),
]
TrustOption = Annotated[
    Path | None,
    typer.Option(help="Your own trust file.", show_default="that of the bundle or data folder"),
]
NameArgument = Annotated[
    str, typer.Argument(metavar="REQUEST", help="The request's name: 64 hexadecimal digits.")
]

STATES = {
    disclosures_pb2.DISCLOSURE_STATE_WAITING: "waiting",
    disclosures_pb2.DISCLOSURE_STATE_READY: "ready",
    disclosures_pb2.DISCLOSURE_STATE_RELEASED: "released",
    disclosures_pb2.DISCLOSURE_STATE_DENIED: "denied",
    disclosures_pb2.DISCLOSURE_STATE_CANCELLED: "cancelled",
    disclosures_pb2.DISCLOSURE_STATE_EXPIRED: "expired",
    disclosures_pb2.DISCLOSURE_STATE_LOST: "lost",
}

UNWITNESSED = (
    "The trust file names no witnesses. The record can be checked for what it shows, but its operator could "
    "show somebody else another one, or an older one, and nobody would notice."
)
"""What is then not protected; said wherever it is true."""


@dataclass(frozen=True)
class Where:
    """Which service, and what of it is believed. Attributes: as the options are called."""

    server: str | None
    tls: Path | None
    trust: Path | None
    data: Path | None


@dataclass(frozen=True)
class Seat:
    """Somebody with keys at a service.

    Attributes:
        keys: the process that has them.
        client: of the service, asking with these keys.
        connection: to the service.
        trust: what of it is believed.
    """

    keys: CustodianProcess
    client: DisclosureClient
    connection: Connection
    trust: Trust

    def show(self, name: str) -> tuple[Asked, KeptJob]:
        """One request, with everything about it checked.

        Raises:
            typer.BadParameter: that is no name.
        """
        return self.client.show(read_name(name), self.client.custody)


@contextmanager
def seated(keys: Path, module: Path | None, token: str | None, where: Where) -> Iterator[Seat]:
    """Unlocks somebody's keys once, and connects.

    Raises:
        ServiceError: the keys do not open, or the service does not answer.
    """
    protection = protection_of(module, token)
    with (
        CustodianProcess(keys, protection) as process,
        service(data_folder(where.data), where.server, where.tls, where.trust) as (connection, trust),
    ):
        yield Seat(process, DisclosureClient(connection, trust, process), connection, trust)


def read_name(text: str) -> bytes:
    """A request's name.

    Raises:
        typer.BadParameter: it is none.
    """
    if _NAME.fullmatch(text) is None:
        raise typer.BadParameter(
            "A request is named by 64 hexadecimal digits; `bauta disclose list` has them."
        )
    return bytes.fromhex(text)


def read_stretches(texts: list[str]) -> tuple[tuple[int, int], ...]:
    """Stretches of time: "5-15" or "5.25-15", seconds of the result.

    Raises:
        typer.BadParameter: one is none.
    """
    found = []
    for text in texts:
        match = _STRETCH.fullmatch(text)
        if match is None:
            raise typer.BadParameter("A stretch of time is SECONDS-SECONDS, such as 5-15 or 5.25-15.")
        first, first_ms, end, end_ms = match.groups(default="0")
        found.append(
            (int(first) * 1000 + int(first_ms.ljust(3, "0")), int(end) * 1000 + int(end_ms.ljust(3, "0")))
        )
    return tuple(sorted(found))


def document_of(disclosure: disclosures_pb2.Disclosure) -> dict[str, Any]:
    """A request as one JSON object."""
    facts = facts_of(disclosure)
    return {
        "request": disclosure.request_sha256.hex(),
        "state": STATES.get(disclosure.state, "unknown"),
        "error": disclosure.error_code,
        "job": facts.job_id,
        "tracks": list(facts.tracks),
        "stretches_ms": [list(stretch) for stretch in facts.stretches],
        "purpose": facts.purpose,
        "legal_basis": facts.legal_basis,
        "recipient": facts.recipient,
        "requester": facts.requester_key_sha256,
        "requested_at": facts.requested_at,
        "expires_at": facts.expires_at,
        "recorded_at": datetime.fromtimestamp(
            disclosure.recorded_at.ToMilliseconds() / 1000, UTC
        ).isoformat(),
        "worker_waits": disclosure.is_attended,
        "decisions": [decision_of(one.decision) for one in disclosure.decisions],
        "disclosure_bytes": disclosure.disclosure_bytes,
        "disclosure_sha256": disclosure.disclosure_sha256.hex(),
    }


def decision_of(untrusted: bytes) -> dict[str, str]:
    """What a decision says, unchecked: the worker checks it, and an audit does."""
    try:
        payload = Envelope.from_bytes(untrusted).payload
    except ProvenanceError:
        raise _unreadable() from None
    try:
        approved = DisclosureApprovalFacts.from_statement(payload)
        return {"custodian": approved.custodian_key_sha256, "says": "approve", "at": approved.approved_at}
    except ProvenanceError:
        pass
    try:
        denied = DisclosureDenialFacts.from_statement(payload)
    except ProvenanceError:
        raise _unreadable() from None
    return {
        "custodian": denied.custodian_key_sha256,
        "says": "deny",
        "reason": denied.reason,
        "at": denied.denied_at,
    }


def facts_of(disclosure: disclosures_pb2.Disclosure) -> DisclosureRequestFacts:
    """What a request says, as the service shows it.

    Raises:
        ServiceError: `service_answer_unknown`.
    """
    try:
        return DisclosureRequestFacts.from_statement(Envelope.from_bytes(disclosure.request).payload)
    except ProvenanceError:
        raise _unreadable() from None


def line_of(disclosure: disclosures_pb2.Disclosure) -> str:
    """A request on one line."""
    told = document_of(disclosure)
    tracks = ", ".join(map(str, told["tracks"]))
    stands = told["state"] + (f" ({told['error']})" if told["error"] else "")
    return f"{told['request']}  {stands:<10}  {told['purpose']}, track {tracks}, until {told['expires_at']}"


def lines_of(disclosure: disclosures_pb2.Disclosure, kept: KeptJob | None) -> list[str]:
    """A request, a line for each thing that it says; people by their name in the policy, if that is known."""
    told = document_of(disclosure)
    names = {} if kept is None else {keys: entry.name for keys, entry in kept.policy.custodians.items()}
    who = {} if kept is None else {keys: entry.name for keys, entry in kept.policy.requesters.items()}
    seconds = ", ".join(f"{first / 1000:g}-{end / 1000:g} s" for first, end in told["stretches_ms"])
    lines = [
        f"request      {told['request']}",
        f"state        {told['state']}{' ' + told['error'] if told['error'] else ''}",
        f"asked by     {who.get(told['requester'], told['requester'])} at {told['requested_at']}",
        f"stands until {told['expires_at']}",
        f"job          {told['job']}",
        f"tracks       {', '.join(map(str, told['tracks']))}, {seconds}",
        f"for          {told['purpose']}, on the legal basis of {told['legal_basis']}",
        f"sealed to    {told['recipient'][:24]}…",
    ]
    for one in told["decisions"]:
        why = f" ({one['reason']})" if "reason" in one else ""
        lines.append(
            f"decision     {names.get(one['custodian'], one['custodian'])}: {one['says']}{why}, {one['at']}"
        )
    return lines


def _unreadable() -> Exception:
    return invalid("service_answer_unknown", "The service shows a statement that is none.")
