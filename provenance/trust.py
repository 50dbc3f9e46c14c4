"""The trust file: the few public keys that a person believes in, and checks every proof against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.algorithms.registry import SLHDSA128S, STATEMENT_SUITE, signature_set
from provenance.anchors.place import AnchorPlace
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.keys import ED25519, MLDSA65, HybridPublicKey
from provenance.note import ED25519_NOTE, MLDSA44_COSIGNATURE, VerifierKey, parse_vkey
from provenance.witness.policy import WitnessPolicy, parse_policy
from provenance.witness.quorum import require_own_log

TRUST_FORMAT = "bauta.trust/v1"
# Room for a witness policy of the largest size, which JSON may write with an escape here and there.
MAX_TRUST_BYTES = 256 << 10
MAX_RELEASE_KEYS = 8
MAX_ROOTS = 8
MAX_ROOT_BYTES = 8 << 10
MAX_ANCHOR_PLACES = 4
MAX_RECORDERS = 64

# Fields that a file need not have; they are written only where they say something.
_OPTIONAL = ("anchors", "recorders")


@dataclass(frozen=True)
class Trust:
    """Whose signatures count, and which of them a statement must carry.

    Attributes:
        node: the vault's node key; it signs intakes, failures and the evidence for workers.
        log_origin: the log's name.
        log_vkeys: the log's keys as c2sp.org/signed-note vkeys, one Ed25519 and one ML-DSA-44: both must
            sign, so that a proof stays good if either scheme falls.
        releases: whoever may say that a version of the worker is a released one.
        required_signatures: algorithms that every lasting statement (a job's, its evidence, a worker
            release) must be signed with, in the order of `STATEMENT_SIGNATURES`; never less than the two of
            `STATEMENT_SUITE`.
        witness_policy: a c2sp.org/tlog-policy text: which witnesses must have seen a checkpoint; "" for none.
        timestamp_roots: DER X.509 certificates, each the root of a
            time-stamping authority whose clock counts.
        required_timestamps: how many of those authorities must have stamped a result's proof.
        credential_roots: DER X.509 certificates that a result's content credentials (C2PA) lead to.
        anchors: chains, contracts and anchorers whose anchors of this log count.
        recorders: keys of devices and apps whose word about what they recorded counts (docs/pieces.md).

    Raises:
        FormatError: a vkey does not parse, or they are not one of each kind under the log's name; a release
            key stands twice, or there are too many; `signatures_too_weak` or `unknown_algorithm`; a key lacks
            an algorithm that is required (`key_missing`);
            the witness policy is not valid (`policy_invalid`) or `policy_of_another_log`.
    """

    node: HybridPublicKey
    log_origin: str
    log_vkeys: tuple[str, ...]
    releases: tuple[HybridPublicKey, ...] = ()
    required_signatures: tuple[str, ...] = STATEMENT_SUITE
    witness_policy: str = ""
    timestamp_roots: tuple[bytes, ...] = ()
    required_timestamps: int = 0
    credential_roots: tuple[bytes, ...] = ()
    anchors: tuple[AnchorPlace, ...] = ()
    recorders: tuple[HybridPublicKey, ...] = ()

    def __post_init__(self) -> None:
        keys = self.log_keys
        if sorted(key.algorithm for key in keys) != [ED25519_NOTE, MLDSA44_COSIGNATURE]:
            raise FormatError("the trust file must name one Ed25519 and one ML-DSA-44 key of the log")
        if any(key.name != self.log_origin for key in keys):
            raise FormatError("a key in the trust file is not of the log that it names")
        if len(self.releases) > MAX_RELEASE_KEYS or len(set(self.releases)) != len(self.releases):
            raise FormatError(
                f"the trust file names a release key twice, or more than {MAX_RELEASE_KEYS} of them"
            )
        if signature_set(self.required_signatures) != self.required_signatures:
            raise FormatError("the trust file's required signatures are out of order")
        for key in (self.node, *self.releases):
            if not set(self.required_signatures) <= set(key.algorithms):
                raise FormatError(
                    "the trust file requires a signature of an algorithm that a key in it lacks",
                    "key_missing",
                )
        if self.witnesses is not None:
            require_own_log(self.witnesses, keys)
        _check_roots(self.timestamp_roots)
        _check_roots(self.credential_roots)
        if len(self.anchors) > MAX_ANCHOR_PLACES or len(set(self.anchors)) != len(self.anchors):
            raise FormatError(
                f"the trust file names a place of anchors twice, or more than {MAX_ANCHOR_PLACES} of them"
            )
        if len(self.recorders) > MAX_RECORDERS or len(set(self.recorders)) != len(self.recorders):
            raise FormatError(f"the trust file names a recorder twice, or more than {MAX_RECORDERS} of them")
        if not 0 <= self.required_timestamps <= len(self.timestamp_roots):
            raise FormatError("the trust file requires more timestamps than it has roots for")

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The log's keys, parsed."""
        return tuple(parse_vkey(text) for text in self.log_vkeys)

    @property
    def witnesses(self) -> WitnessPolicy | None:
        """The witness policy, parsed; None where no witness is demanded."""
        return parse_policy(self.witness_policy.encode()) if self.witness_policy else None

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline."""
        return (
            canonical.dumps(
                {
                    "format": TRUST_FORMAT,
                    "node": _key_object(self.node),
                    "log": {"origin": self.log_origin, "vkeys": list(self.log_vkeys)},
                    "releases": [_key_object(key) for key in self.releases],
                    "required_signatures": list(self.required_signatures),
                    "witness_policy": self.witness_policy,
                    "timestamps": {
                        "required": self.required_timestamps,
                        "roots": [base64_text(root) for root in self.timestamp_roots],
                    },
                    "credentials": {"roots": [base64_text(root) for root in self.credential_roots]},
                    **({"anchors": [place.to_object() for place in self.anchors]} if self.anchors else {}),
                    **({"recorders": [_key_object(key) for key in self.recorders]} if self.recorders else {}),
                }
            )
            + b"\n"
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Trust:
        """Reads a trust file. Spacing and key order are free, since people copy these by hand.

        Raises:
            FormatError: not a trust file, or with a key that is missing, unknown or false.
        """
        content = _fields(
            canonical.loads_relaxed(data, MAX_TRUST_BYTES),
            "format",
            "node",
            "log",
            "releases",
            "required_signatures",
            "witness_policy",
            "timestamps",
            "credentials",
            optional=_OPTIONAL,
        )
        if content["format"] != TRUST_FORMAT:
            raise FormatError("the trust file is of another format or version")
        log = _fields(content["log"], "origin", "vkeys")
        vkeys, releases = log["vkeys"], content["releases"]
        if not isinstance(log["origin"], str) or not isinstance(vkeys, list):
            raise FormatError("the trust file's log part does not have its form")
        if not all(isinstance(vkey, str) for vkey in vkeys):
            raise FormatError("the trust file's log part does not have its form")
        if not isinstance(releases, list):
            raise FormatError("the trust file's release keys are not a list")
        if not isinstance(content["witness_policy"], str):
            raise FormatError("the trust file's witness policy is not text")
        timestamps = _fields(content["timestamps"], "required", "roots")
        credentials = _fields(content["credentials"], "roots")
        if type(timestamps["required"]) is not int:
            raise FormatError("the trust file's number of required timestamps is none")
        return cls(
            node=_read_key(content["node"]),
            log_origin=log["origin"],
            log_vkeys=tuple(vkeys),
            releases=tuple(_read_key(release) for release in releases),
            required_signatures=signature_set(content["required_signatures"]),
            witness_policy=content["witness_policy"],
            timestamp_roots=_read_roots(timestamps["roots"]),
            required_timestamps=timestamps["required"],
            credential_roots=_read_roots(credentials["roots"]),
            anchors=tuple(AnchorPlace.from_object(place) for place in _listed(content.get("anchors", []))),
            recorders=tuple(_read_key(key) for key in _listed(content.get("recorders", []))),
        )


def format_public_key(key: HybridPublicKey) -> bytes:
    """One key as it stands in a trust file, as a file of its own: canonical JSON and a newline."""
    return canonical.dumps(_key_object(key)) + b"\n"


def parse_public_key(data: bytes) -> HybridPublicKey:
    """Reads one key as it stands in a trust file. Spacing and key order are free.

    Raises:
        FormatError: it is none.
    """
    return _read_key(canonical.loads_relaxed(data, MAX_TRUST_BYTES))


def _key_object(key: HybridPublicKey) -> dict[str, str]:
    fields = {ED25519: base64_text(key.ed25519), MLDSA65: base64_text(key.mldsa65)}
    if key.slhdsa128s is not None:
        fields[SLHDSA128S] = base64_text(key.slhdsa128s)
    return fields


def _read_key(untrusted: Any) -> HybridPublicKey:
    with_third = isinstance(untrusted, dict) and SLHDSA128S in untrusted
    fields = _fields(untrusted, ED25519, MLDSA65, *((SLHDSA128S,) if with_third else ()))
    return HybridPublicKey(
        ed25519=base64_bytes(fields[ED25519]),
        mldsa65=base64_bytes(fields[MLDSA65]),
        slhdsa128s=base64_bytes(fields[SLHDSA128S]) if with_third else None,
    )


def _check_roots(roots: tuple[bytes, ...]) -> None:
    if len(roots) > MAX_ROOTS or len(set(roots)) != len(roots):
        raise FormatError(f"the trust file names a root twice, or more than {MAX_ROOTS} of them")
    if any(not 0 < len(root) <= MAX_ROOT_BYTES for root in roots):
        raise FormatError("a root in the trust file is empty or too large")


def _read_roots(untrusted: Any) -> tuple[bytes, ...]:
    if not isinstance(untrusted, list):
        raise FormatError("the trust file's roots are not a list")
    return tuple(base64_bytes(root) for root in untrusted)


def _listed(untrusted: Any) -> list[Any]:
    if not isinstance(untrusted, list):
        raise FormatError("a part of the trust file is not a list")
    return untrusted


def _fields(untrusted: Any, *names: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(untrusted, dict) or untrusted.keys() - set(optional) != set(names):
        raise FormatError("the trust file or the key does not have exactly its fields")
    return untrusted
