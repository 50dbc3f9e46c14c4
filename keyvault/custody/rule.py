"""Whose approval suffices: a tree of thresholds, with custodians at its leaves.

"One editor and two of three lawyers" is a gate that needs both of two gates. AND is a gate that needs all of
its members, OR one that needs one. A custodian has one place in the tree, so nobody counts in two groups.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from keyvault.custody.errors import CustodianError
from keyvault.custody.group import lagrange_at_zero, multiply, small_scalar

MAX_CUSTODIANS: Final = 64
MAX_DEPTH: Final = 4
"""Of gates within gates."""

Path = tuple[int, ...]
"""The places from the root to a leaf or a gate, each counted from 1: what a polynomial is evaluated at."""

_CUSTODIAN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Gate:
    """So many of its members must agree.

    Attributes:
        need: from 1 to the number of members.
        members: custodians, each by the hex digest of their keys, and gates.

    Raises:
        CustodianError: rule_invalid; the bounds hold for whichever gate is made, so for the root too.
    """

    need: int
    members: tuple[Gate | str, ...]

    def __post_init__(self) -> None:
        if type(self.need) is not int or not 1 <= self.need <= len(self.members) <= MAX_CUSTODIANS:
            raise _wrong("a gate needs more members than it has, none, or has too many")
        if not all(isinstance(member, Gate) or _CUSTODIAN.fullmatch(member) for member in self.members):
            raise _wrong("a member of a gate is neither a gate nor a custodian's digest")
        seated = self.custodians
        if len(set(seated)) != len(seated) or len(seated) > MAX_CUSTODIANS:
            raise _wrong("a custodian has two places, or there are too many of them")
        if self.depth > MAX_DEPTH:
            raise _wrong("gates are nested too deep")

    @property
    def custodians(self) -> tuple[str, ...]:
        """All of them, in the order of the tree."""
        return tuple(custodian for custodian, _ in self.seats())

    @property
    def depth(self) -> int:
        """1 for a gate without gates."""
        return 1 + max((member.depth for member in self.members if isinstance(member, Gate)), default=0)

    def seats(self, above: Path = ()) -> Iterator[tuple[str, Path]]:
        """Every custodian and their place."""
        for place, member in enumerate(self.members, start=1):
            if isinstance(member, Gate):
                yield from member.seats((*above, place))
            else:
                yield member, (*above, place)

    def gates(self, above: Path = ()) -> Iterator[tuple[Gate, Path]]:
        """This gate and every one below, each before its members."""
        yield self, above
        for place, member in enumerate(self.members, start=1):
            if isinstance(member, Gate):
                yield from member.gates((*above, place))

    def is_met_by(self, present: Collection[str]) -> bool:
        """Whether these custodians suffice; strangers among them count for nothing."""
        agreeing = (
            member.is_met_by(present) if isinstance(member, Gate) else member in present
            for member in self.members
        )
        return sum(agreeing) >= self.need

    def weights(self, present: Collection[str]) -> dict[str, bytes]:
        """What each share counts in the sum that is the secret: Lagrange's coefficients along its path.

        Of more custodians than are needed the first in the order of the tree are taken.

        Returns:
            A scalar for each custodian who is taken.

        Raises:
            CustodianError: quorum_not_met.
        """
        if not self.is_met_by(present):
            raise CustodianError("quorum_not_met", "too few custodians, or not the right ones, agree")
        return self._weights(present, small_scalar(1))

    def _weights(self, present: Collection[str], own: bytes) -> dict[str, bytes]:
        agreeing = [
            (place, member)
            for place, member in enumerate(self.members, start=1)
            if (member.is_met_by(present) if isinstance(member, Gate) else member in present)
        ][: self.need]
        factors = lagrange_at_zero(place for place, _ in agreeing)
        weights: dict[str, bytes] = {}
        for place, member in agreeing:
            weight = multiply(own, factors[place])
            if isinstance(member, Gate):
                weights |= member._weights(present, weight)
            else:
                weights[member] = weight
        return weights

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        of = [member.to_object() if isinstance(member, Gate) else member for member in self.members]
        return {"need": self.need, "of": of}

    @classmethod
    def from_object(cls, untrusted: Any, depth: int = 1) -> Gate:
        """Reads what `to_object` gave.

        Raises:
            CustodianError: rule_invalid.
        """
        if not isinstance(untrusted, dict) or untrusted.keys() != {"need", "of"} or depth > MAX_DEPTH:
            raise _wrong("a gate does not have exactly its fields, or lies too deep")
        of = untrusted["of"]
        if not isinstance(of, list) or len(of) > MAX_CUSTODIANS:
            raise _wrong("a gate's members are no list of an accepted length")
        if not all(isinstance(member, dict | str) for member in of):
            raise _wrong("a member of a gate is neither a gate nor a custodian's digest")
        members = (member if isinstance(member, str) else cls.from_object(member, depth + 1) for member in of)
        return cls(untrusted["need"], tuple(members))


def _wrong(why: str) -> CustodianError:
    return CustodianError("rule_invalid", f"the rule of who must agree cannot be used: {why}")
