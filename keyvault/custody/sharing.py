"""Dividing one secret among custodians, so that a lying share is found and named.

Shamir's polynomials at each gate of a rule (1979), Feldman's check of a share against public commitments to
the coefficients (1987), and Pedersen's blinding of these commitments (CRYPTO 1991). Feldman's own commitments
are the coefficients times the base point: whoever keeps them until there is a quantum computer reads the
secret out of them, without a custodian. Blinded ones tell nothing, whatever is computed; to break them
lets a custodian lie unnoticed, and the rebuilt key then opens nothing.

The gate at the root shares the secret; a gate below shares the share that its place would have had. Each has
a polynomial for the secret and one for the blinding, so that a share is two scalars, 64 bytes.

What this room cannot do: shares and secrets are immutable `bytes`, which Python frees and does not overwrite.
They belong into a process that ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from keyvault.custody.group import POINT_BYTES, SCALAR_BYTES
from keyvault.custody.rule import Gate, Path
from provenance import canonical
from provenance.errors import FormatError

FORMAT: Final = "bauta.sharing/v1"
JOB_ID_BYTES: Final = 16
CONTEXT_BYTES: Final = 32
SHARE_BYTES: Final = 2 * SCALAR_BYTES
MAX_SHARING_BYTES: Final = 64 << 10
MAX_EPOCH: Final = 1 << 31

_CONTEXT_LABEL = b"bauta.sharing-context/v1\0"
_KEY_LABEL = b"bauta.recovery-key/v1\0"


def job_context(job_id: bytes) -> bytes:
    """What a secret and its shares are bound to: 32 bytes that name one job."""
    if len(job_id) != JOB_ID_BYTES:
        raise ValueError(f"a job's number has {JOB_ID_BYTES} bytes")
    return hashlib.sha256(_CONTEXT_LABEL + job_id).digest()


@dataclass(frozen=True)
class Share:
    """What one custodian holds. Its repr shows nothing.

    Attributes:
        value: of the gate's polynomial at the custodian's place, a scalar.
        blinding: of the polynomial that hides it in the commitments, a scalar.

    Raises:
        CustodianError: scalar_invalid.
    """

    value: bytes = field(repr=False)
    blinding: bytes = field(repr=False)

    def __post_init__(self) -> None:
        group.parse_scalar(self.value)
        group.parse_scalar(self.blinding)

    def to_bytes(self) -> bytes:
        """64 bytes."""
        return self.value + self.blinding

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Share:
        """Reads what `to_bytes` gave.

        Raises:
            CustodianError: share_invalid.
        """
        try:
            return cls(untrusted[:SCALAR_BYTES], untrusted[SCALAR_BYTES:])
        except CustodianError:
            raise CustodianError("share_invalid", "a share is not two scalars of its group") from None


@dataclass(frozen=True)
class Sharing:
    """The public part: what shares are checked against. It tells nothing about the secret.

    Attributes:
        context: what the secret is bound to, 32 bytes.
        epoch: 0 for what the worker dealt, and one more with each re-sharing.
        rule: whose shares suffice.
        commitments: for each gate, by its path, as many points as it needs members.

    Raises:
        CustodianError: sharing_invalid, or point_invalid.
    """

    context: bytes
    epoch: int
    rule: Gate
    commitments: Mapping[Path, tuple[bytes, ...]]

    def __post_init__(self) -> None:
        if len(self.context) != CONTEXT_BYTES or not 0 <= self.epoch <= MAX_EPOCH:
            raise _wrong("its context or epoch is out of range")
        needs = {path: gate.need for gate, path in self.rule.gates()}
        if {path: len(points) for path, points in self.commitments.items()} != needs:
            raise _wrong("a gate has more commitments than it needs members, or fewer")
        for points in self.commitments.values():
            for point in points:
                group.parse_point(point)
        for path, points in self.commitments.items():
            if path and points[0] != self._commitment_at(path):
                raise _wrong("a gate shares something else than its own share")

    @property
    def root(self) -> bytes:
        """The commitment to the secret itself."""
        return self.commitments[()][0]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical form, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    def commitment_of(self, custodian: str) -> bytes:
        """The commitment to one custodian's share.

        Raises:
            CustodianError: custodian_unknown.
        """
        for seated, path in self.rule.seats():
            if seated == custodian:
                return self._commitment_at(path)
        raise CustodianError("custodian_unknown", "somebody who has no share comes with one")

    def require_true(self, custodian: str, share: Share) -> None:
        """Feldman's check: the share is the one that this custodian was given.

        Raises:
            CustodianError: share_false, naming the custodian; custodian_unknown.
        """
        if group.commit(share.value, share.blinding) != self.commitment_of(custodian):
            raise CustodianError(
                "share_false", "a custodian's share is not the one that the commitments name", custodian
            )

    def rebuild(self, shares: Mapping[str, Share]) -> bytes:
        """Puts the secret together.

        Args:
            shares: by custodian; each one is checked, also those that are not needed.

        Returns:
            The secret, a scalar.

        Raises:
            CustodianError: share_false, custodian_unknown or quorum_not_met.
        """
        for custodian, share in shares.items():
            self.require_true(custodian, share)
        secret = combine(self.rule.weights(shares), shares)
        if group.commit(secret.value, secret.blinding) != self.root:
            raise AssertionError("true shares always give the secret that was committed to")
        return secret.value

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "commitments": {
                    ".".join(map(str, path)): [point.hex() for point in points]
                    for path, points in self.commitments.items()
                },
                "context": self.context.hex(),
                "epoch": self.epoch,
                "format": FORMAT,
                "rule": self.rule.to_object(),
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Sharing:
        """Reads what `to_bytes` gave.

        Raises:
            CustodianError: sharing_invalid, rule_invalid or point_invalid.
        """
        try:
            content = canonical.loads(untrusted, MAX_SHARING_BYTES)
        except FormatError as defect:
            raise _wrong(str(defect)) from None
        keys = {"commitments", "context", "epoch", "format", "rule"}
        if not isinstance(content, dict) or content.keys() != keys or content["format"] != FORMAT:
            raise _wrong("it does not have exactly its fields")
        if type(content["epoch"]) is not int or not isinstance(content["commitments"], dict):
            raise _wrong("a field is of another type")
        rule = Gate.from_object(content["rule"])
        named = {".".join(map(str, path)): path for _, path in rule.gates()}
        if content["commitments"].keys() != named.keys():
            raise _wrong("the gates and those that have commitments differ")
        return cls(
            _hex(content["context"], CONTEXT_BYTES),
            content["epoch"],
            rule,
            {named[name]: _points(points) for name, points in content["commitments"].items()},
        )

    def _commitment_at(self, path: Path) -> bytes:
        return group.evaluate_points(self.commitments[path[:-1]], path[-1])


@dataclass(frozen=True)
class Dealt:
    """A secret that was divided. Its repr shows the public part alone.

    Attributes:
        sharing: the public part.
        shares: each custodian's, by the digest of their keys.
        secret: a scalar; to be forgotten once the recovery key is derived.
    """

    sharing: Sharing
    shares: Mapping[str, Share] = field(repr=False)
    secret: bytes = field(repr=False)


def deal(rule: Gate, context: bytes, secret: Share | None = None, epoch: int = 0) -> Dealt:
    """Divides a secret.

    Args:
        rule: whose shares suffice.
        context: see `job_context`.
        secret: and its blinding; fresh ones when absent. A re-sharing divides a share that is there.
        epoch: of the sharing.
    """
    whole = secret or Share(group.random_scalar(), group.random_scalar())
    commitments: dict[Path, tuple[bytes, ...]] = {}
    shares: dict[str, Share] = {}
    _deal_at(rule, (), whole, commitments, shares)
    return Dealt(Sharing(context, epoch, rule, commitments), shares, whole.value)


def combine(weights: Mapping[str, bytes], shares: Mapping[str, Share]) -> Share:
    """The weighted sum of shares, values and blindings each for themselves."""
    order = list(weights)
    factors = [weights[custodian] for custodian in order]
    return Share(
        group.weighted_sum(factors, [shares[custodian].value for custodian in order]),
        group.weighted_sum(factors, [shares[custodian].blinding for custodian in order]),
    )


def recovery_key(secret: bytes, context: bytes) -> bytes:
    """The key of a job's recovery package: HKDF-SHA256 of the secret, bound to the job; 32 bytes."""
    return HKDF(SHA256(), 32, salt=None, info=_KEY_LABEL + context).derive(secret)


def _deal_at(
    gate: Gate,
    path: Path,
    secret: Share,
    commitments: dict[Path, tuple[bytes, ...]],
    shares: dict[str, Share],
) -> None:
    further = [Share(group.random_scalar(), group.random_scalar()) for _ in range(gate.need - 1)]
    coefficients = [secret, *further]
    commitments[path] = tuple(group.commit(item.value, item.blinding) for item in coefficients)
    for place, member in enumerate(gate.members, start=1):
        share = Share(
            group.evaluate([item.value for item in coefficients], place),
            group.evaluate([item.blinding for item in coefficients], place),
        )
        if isinstance(member, Gate):
            _deal_at(member, (*path, place), share, commitments, shares)
        else:
            shares[member] = share


def _points(untrusted: Any) -> tuple[bytes, ...]:
    if not isinstance(untrusted, list):
        raise _wrong("a gate's commitments are no list")
    return tuple(_hex(item, POINT_BYTES) for item in untrusted)


def _hex(untrusted: Any, size: int) -> bytes:
    if not isinstance(untrusted, str) or len(untrusted) != 2 * size:
        raise _wrong("a field is not hex of its length")
    if not set(untrusted) <= set("0123456789abcdef"):
        raise _wrong("a field is not lower-case hex")
    return bytes.fromhex(untrusted)


def _wrong(why: str) -> CustodianError:
    return CustodianError("sharing_invalid", f"the public part of a sharing cannot be used: {why}")
