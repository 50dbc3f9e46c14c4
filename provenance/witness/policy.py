"""Witness policies (c2sp.org/tlog-policy): the witnesses that a reader believes, and how many it takes.

A policy is text that people write and hand on, so every rule of the specification is kept to the letter; what
it leaves open is capped. Names are octets and mean nothing outside the file.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from provenance.checkpoint import parse_decimal
from provenance.encoding import base64_bytes
from provenance.errors import FormatError
from provenance.note import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, VerifierKey, check_name, parse_vkey

MAX_POLICY_BYTES = 128 << 10
# The specification asks for room for 32 of each kind; a witness with two keys takes two lines.
MAX_LOGS = 64
MAX_WITNESSES = 64
MAX_GROUPS = 64
MAX_URL_BYTES = 2048

_NONE = b"none"
_SPACE = re.compile(rb"[ \t]+")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_COSIGNERS = (ED25519_COSIGNATURE, MLDSA44_COSIGNATURE)


@dataclass(frozen=True)
class PolicyLog:
    """A log that the policy lists.

    Attributes:
        origin: the key's name.
        vkey: as it stands; perhaps of an algorithm that only its readers know.
        url: "" for none.
    """

    origin: str
    vkey: str
    url: str


@dataclass(frozen=True)
class PolicyWitness:
    """One key of a witness.

    Attributes:
        name: inside the policy, opaque octets.
        key: an Ed25519 or ML-DSA-44 cosigner.
        url: its submission prefix; "" for none.
    """

    name: bytes
    key: VerifierKey
    url: str


@dataclass(frozen=True)
class PolicyGroup:
    """Holds if enough of its members do.

    Attributes:
        name: inside the policy.
        threshold: how many members it takes, at least 1.
        members: names of witnesses and of groups that stand before this one.
    """

    name: bytes
    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True)
class WitnessPolicy:
    """A policy that is in order: every name that it uses is defined, and before it is used.

    Attributes:
        logs: perhaps none.
        witnesses: perhaps none.
        groups: in the order of the file.
        quorum: a witness, a group, or `none`.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: bytes

    @property
    def asks_nobody(self) -> bool:
        """Whether it takes no witness at all: `quorum none`."""
        return self.quorum == _NONE

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The keys of all witnesses."""
        return tuple(witness.key for witness in self.witnesses)

    def is_met_by(self, signers: Set[VerifierKey]) -> bool:
        """Says whether cosignatures by these keys, already verified, make the quorum."""
        holds = {_NONE} | {witness.name for witness in self.witnesses if witness.key in signers}
        for group in self.groups:
            if len(holds.intersection(group.members)) >= group.threshold:
                holds.add(group.name)
        return self.quorum in holds


def parse_policy(untrusted: bytes) -> WitnessPolicy:
    """Reads a policy; a last line without its newline is let pass.

    Raises:
        FormatError: `policy_invalid`, naming the line; or `too_large`.
    """
    if len(untrusted) > MAX_POLICY_BYTES:
        raise FormatError("the witness policy is too large", "too_large")
    reader = _Reader()
    for number, line in enumerate(untrusted.split(b"\n"), 1):
        try:
            if _FORBIDDEN.search(line):
                raise FormatError("it holds a control character")
            reader.read([word for word in _SPACE.split(line) if word])
        except FormatError as error:
            raise FormatError(
                f"the witness policy is not valid in line {number}: {error}", "policy_invalid"
            ) from None
    return reader.policy()


class _Reader:
    """What the lines so far have defined."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[PolicyGroup] = []
        self._quorum: bytes | None = None
        # Names that may still become a member, of groups and witnesses alike.
        self._free: set[bytes] = set()
        self._defined: set[bytes] = {_NONE}
        self._log_keys: set[bytes] = set()
        self._witness_keys: set[bytes] = set()

    def read(self, words: list[bytes]) -> None:
        match words:
            case []:
                pass
            case [first, *_] if first.startswith(b"#"):
                pass
            case [b"log", vkey, *url] if len(url) <= 1:
                self._read_log(vkey, url)
            case [b"witness", name, vkey, *url] if len(url) <= 1:
                self._read_witness(name, vkey, url)
            case [b"group", name, threshold, *members] if members:
                self._read_group(name, threshold, members)
            case [b"quorum", name]:
                self._read_quorum(name)
            case _:
                raise FormatError("it is none of the lines of a policy")

    def policy(self) -> WitnessPolicy:
        if self._quorum is None:
            raise FormatError("the witness policy has no line `quorum`", "policy_invalid")
        return WitnessPolicy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _read_log(self, vkey: bytes, url: list[bytes]) -> None:
        if len(self._logs) == MAX_LOGS:
            raise FormatError("there are too many logs")
        text = _text(vkey)
        origin, _, rest = text.partition("+")
        check_name(origin)
        # Only readers of that log need to know its algorithm, so any will do.
        material = base64_bytes(rest.partition("+")[2])
        _require_new(material[1:], self._log_keys)
        self._logs.append(PolicyLog(origin, text, _url(url)))

    def _read_witness(self, name: bytes, vkey: bytes, url: list[bytes]) -> None:
        if len(self._witnesses) == MAX_WITNESSES:
            raise FormatError("there are too many witnesses")
        key = parse_vkey(_text(vkey))
        if key.algorithm not in _COSIGNERS:
            raise FormatError("the key is no cosigner's: types 0x04 and 0x06 are")
        _require_new(key.public_key, self._witness_keys)
        self._define(name)
        self._witnesses.append(PolicyWitness(name, key, _url(url)))

    def _read_group(self, name: bytes, threshold: bytes, members: list[bytes]) -> None:
        if len(self._groups) == MAX_GROUPS:
            raise FormatError("there are too many groups")
        for member in members:
            if member not in self._free:
                raise FormatError("a member is not defined above, or is a member already")
            self._free.discard(member)
        self._define(name)
        words = {b"any": 1, b"all": len(members)}
        least = words[threshold] if threshold in words else parse_decimal(_text(threshold))
        if not 1 <= least <= len(members):
            raise FormatError("the number is not between 1 and the number of members")
        self._groups.append(PolicyGroup(name, least, tuple(members)))

    def _read_quorum(self, name: bytes) -> None:
        if self._quorum is not None:
            raise FormatError("it is a second line `quorum`")
        if name not in self._defined:
            raise FormatError("the quorum is not defined above")
        self._quorum = name

    def _define(self, name: bytes) -> None:
        if name in self._defined:
            raise FormatError("the name is taken")
        self._defined.add(name)
        self._free.add(name)


def _require_new(public_key: bytes, seen: set[bytes]) -> None:
    """Two vkeys are the same if they wrap the same key, whatever their names."""
    if not public_key or public_key in seen:
        raise FormatError("the key is empty, or stands in the policy already")
    seen.add(public_key)


def _text(word: bytes) -> str:
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("a key or an address is not UTF-8") from None


def _url(words: list[bytes]) -> str:
    if words and len(words[0]) > MAX_URL_BYTES:
        raise FormatError("the address is too long")
    return _text(words[0]) if words else ""
