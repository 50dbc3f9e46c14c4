"""The custody policy: who together may open a recovery package, for whom, what for, how much, and how soon.

A TOML file whose digest is the SHA-256 of its text, as a job's policy is. The job's worker divides the
recovery key by it; a request names it by its digest; custodians and the disclosure worker decide by it.

    schema = "bauta.custody/v1"
    name = "newsroom"
    summary = "One editor and two of three lawyers."
    quorum = "both"                 # the group whose agreement opens

    [[custodians]]                  # what `bauta custodian show` prints
    name = "editor-ada"
    keys = "<64 hex digits>"
    recipient = "age1pq1…"

    [[groups]]
    name = "both"
    need = "all"                    # "all" (AND), "any" (OR), or a number
    of = ["editors", "lawyers"]     # custodians and groups; each has one place in the whole tree

    [[requesters]]
    name = "legal-desk"
    keys = "<64 hex digits>"
    purposes = ["court_order"]      # may be left out: all that the policy takes

    [requests]
    purposes = ["court_order", "safety_emergency"]
    legal_bases = ["court_order", "vital_interests"]
    longest_hours = 336             # how long one may stand
    cool_off_minutes = 1440         # between its record in the log and a release
    most_tracks = 2
    most_seconds = 60               # of the result, over all stretches

    [notice]
    tell = ["custodians", "submitter"]
    hold_back_days = 0              # how long the submitter is not told; a request cannot make it longer
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keyvault.age import AgeRecipientError, HybridRecipient
from keyvault.custody.errors import CustodianError
from keyvault.custody.fields import Table
from keyvault.custody.rule import MAX_CUSTODIANS, MAX_DEPTH, Gate
from provenance.keys import HybridPublicKey
from provenance.statements.vocabulary import LEGAL_BASES, PURPOSES

SCHEMA: Final = "bauta.custody/v1"
MAX_POLICY_BYTES: Final = 256 << 10
MAX_REQUESTERS: Final = 32
TOLD: Final = ("custodians", "submitter")

_MAX_DOTS_IN_LINE = 64
_KEYS = re.compile(r"[0-9a-f]{64}")
_RECIPIENT = re.compile(r"age1pq1[02-9ac-hj-np-z]{1952}")


def keys_sha256(key: HybridPublicKey) -> str:
    """How statements and policies name whoever holds these keys: the digest of the key ids, a line each."""
    return hashlib.sha256("\n".join(key.key_ids).encode()).hexdigest()


@dataclass(frozen=True)
class CustodianEntry:
    """One custodian.

    Attributes:
        name: in this policy, a role rather than a person's name.
        keys: hex digest of the signing keys, see `keys_sha256`.
        recipient: "age1pq1…", to which shares are sealed.
    """

    name: str
    keys: str
    recipient: str


@dataclass(frozen=True)
class Requester:
    """Somebody who may ask.

    Attributes:
        name: in this policy.
        keys: hex digest of the signing keys.
        purposes: what for.
    """

    name: str
    keys: str
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class RequestLimits:
    """What a request may ask for. Attributes: as in the TOML file's table `[requests]`."""

    purposes: tuple[str, ...]
    legal_bases: tuple[str, ...]
    longest_hours: int
    cool_off_minutes: int
    most_tracks: int
    most_seconds: int


@dataclass(frozen=True)
class CustodyPolicy:
    """One custody policy, checked.

    Attributes:
        name: short name.
        summary: one sentence for people.
        rule: whose agreement opens.
        custodians: by the hex digest of their keys.
        requesters: likewise.
        requests: what may be asked for.
        tell: who is told of a release.
        hold_back_days: how long the submitter is not.
        text: the whole TOML text that all of this came from.
    """

    name: str
    summary: str
    rule: Gate
    custodians: Mapping[str, CustodianEntry]
    requesters: Mapping[str, Requester]
    requests: RequestLimits
    tell: tuple[str, ...]
    hold_back_days: int
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text's UTF-8 bytes, 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()


def parse_custody_policy(untrusted_text: str) -> CustodyPolicy:
    """Reads a custody policy.

    Args:
        untrusted_text: TOML, at most 256 KiB.

    Raises:
        CustodianError: custody_policy_invalid: not TOML, or not exactly the keys of `bauta.custody/v1` with
            values in range, or groups that are no tree over all custodians.
    """
    root = Table(_load(untrusted_text))
    if root.text("schema", 64) != SCHEMA:
        raise root.wrong("schema", f"must be {SCHEMA}")
    custodians = [_custodian(table) for table in root.tables("custodians", MAX_CUSTODIANS)]
    _require_distinct("custodians", [item.name for item in custodians])
    _require_distinct("custodians", [item.keys for item in custodians])
    _require_distinct("custodians", [item.recipient for item in custodians])
    rule = _rule(root.name("quorum"), root.tables("groups", MAX_CUSTODIANS), custodians)
    requests = _requests(root.table("requests"))
    requesters = [_requester(table, requests) for table in root.tables("requesters", MAX_REQUESTERS)]
    _require_distinct("requesters", [item.name for item in requesters])
    _require_distinct("requesters", [item.keys for item in requesters])
    notice = root.table("notice")
    policy = CustodyPolicy(
        name=root.name("name"),
        summary=root.text("summary", 300),
        rule=rule,
        custodians={item.keys: item for item in custodians},
        requesters={item.keys: item for item in requesters},
        requests=requests,
        tell=notice.words("tell", TOLD),
        hold_back_days=notice.number("hold_back_days", 0, 3650),
        text=untrusted_text,
    )
    if policy.hold_back_days and "submitter" not in policy.tell:
        raise notice.wrong("hold_back_days", "has no meaning where the submitter is not told")
    for table in (notice, root):
        table.finish()
    return policy


def _custodian(table: Table) -> CustodianEntry:
    entry = CustodianEntry(
        table.name("name"),
        table.shaped("keys", _KEYS, "64 hex digits"),
        table.shaped("recipient", _RECIPIENT, "a post-quantum age recipient, age1pq1…"),
    )
    table.finish()
    try:
        HybridRecipient.parse(entry.recipient)
    except AgeRecipientError:
        raise table.wrong("recipient", "is no key that can be sealed to") from None
    return entry


def _requester(table: Table, requests: RequestLimits) -> Requester:
    entry = Requester(
        table.name("name"),
        table.shaped("keys", _KEYS, "64 hex digits"),
        table.words("purposes", requests.purposes, otherwise=requests.purposes),
    )
    table.finish()
    return entry


def _requests(table: Table) -> RequestLimits:
    limits = RequestLimits(
        purposes=table.words("purposes", PURPOSES),
        legal_bases=table.words("legal_bases", LEGAL_BASES),
        longest_hours=table.number("longest_hours", 1, 24 * 366),
        cool_off_minutes=table.number("cool_off_minutes", 0, 60 * 24 * 90),
        most_tracks=table.number("most_tracks", 1, 64),
        most_seconds=table.number("most_seconds", 1, 24 * 3600),
    )
    table.finish()
    if limits.cool_off_minutes >= 60 * limits.longest_hours:
        raise table.wrong("cool_off_minutes", "outlasts every request: nothing could ever be released")
    return limits


def _rule(quorum: str, tables: list[Table], custodians: list[CustodianEntry]) -> Gate:
    """Builds the tree, each name taken once: so there is no cycle, and nobody counts twice."""
    groups: dict[str, tuple[int | str, tuple[str, ...]]] = {}
    for table in tables:
        name, of = table.name("name"), table.names("of", MAX_CUSTODIANS)
        if name in groups:
            raise table.wrong("name", "is the name of another group")
        groups[name] = (table.count("need", 1, len(of), words=("all", "any")), of)
        table.finish()
    keys = {item.name: item.keys for item in custodians}
    if groups.keys() & keys.keys():
        raise _bad("a group and a custodian have one name")
    waiting = {**dict.fromkeys(groups), **dict.fromkeys(keys)}

    def build(name: str, depth: int) -> Gate | str:
        if name not in waiting:
            raise _bad("a member of a group is unknown, or has two places")
        del waiting[name]
        if name in keys:
            return keys[name]
        if depth > MAX_DEPTH:
            raise _bad(f"groups are nested deeper than {MAX_DEPTH}")
        need, of = groups[name]
        counted = {"all": len(of), "any": 1}.get(str(need), need)
        return Gate(int(counted), tuple(build(member, depth + 1) for member in of))

    if quorum not in groups:
        raise _bad("quorum must be the name of a group")
    rule = build(quorum, 1)
    if waiting or isinstance(rule, str):
        raise _bad("a custodian or a group has no place under the quorum")
    return rule


def _require_distinct(key: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise _bad(f"two of the {key} have one name, or the same keys")


def _bad(what: str) -> CustodianError:
    return CustodianError("custody_policy_invalid", f"custody policy: {what}")


def _load(text: str) -> dict[str, object]:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _bad("the text is not valid Unicode") from None
    if size > MAX_POLICY_BYTES:
        raise _bad(f"the text is larger than {MAX_POLICY_BYTES} bytes")
    # tomllib takes a key's parts in quadratic time: seconds for one key of 64 KiB.
    if any(line.count(".") > _MAX_DOTS_IN_LINE for line in text.split("\n")):
        raise _bad(f"a line has more than {_MAX_DOTS_IN_LINE} dots")
    try:
        return tomllib.loads(text)
    # ValueError: tomllib lets it out for impossible dates; RecursionError: deep nesting.
    except (ValueError, RecursionError):
        raise _bad("the text is not TOML") from None
