"""Whom the operator asks to vouch beside the service: witnesses of its log, others' clocks, a public chain.

Two tables of the service's TOML file, each of which may be absent; paths are relative to that file.

    [witnesses]
    policy = "witnesses.policy"                  # c2sp.org/tlog-policy

    [timestamps]
    urls = ["https://tsa.example/tsr"]           # RFC 3161 over HTTP
    roots = ["tsa_root.pem"]
    required = 1                                 # how many a verifier shall insist on

The third, `[anchors]`, is read in `grpc_api/anchors/config.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.anchors.config import AnchorConfig, AnchorConfigError, read_anchors

MAX_TIMESTAMP_URLS = 4
_MAX_FILE_BYTES = 64 << 10


class OutsidersError(ValueError):
    """A key of one of the tables is not valid; the message names it."""


@dataclass(frozen=True)
class Outsiders:
    """Nobody, unless the operator names them.

    Attributes:
        witness_policy: a c2sp.org/tlog-policy text; "" for no witnesses.
        timestamp_urls: time-stamping authorities, asked for every result.
        timestamp_roots: DER certificates of their roots, for the trust file.
        required_timestamps: how many a verifier shall insist on, for the trust file.
        anchors: the chain that remembers the log's tree heads; None for no chain.
    """

    witness_policy: str = ""
    timestamp_urls: tuple[str, ...] = ()
    timestamp_roots: tuple[bytes, ...] = ()
    required_timestamps: int = 0
    anchors: AnchorConfig | None = None


def read_outsiders(tables: Mapping[str, object], folder: Path) -> Outsiders:
    """Reads `[witnesses]`, `[timestamps]` and `[anchors]`.

    Args:
        tables: the three of them, by name, as TOML gives them.
        folder: what paths are relative to.

    Raises:
        OutsidersError: naming the key at fault.
    """
    witnesses = _table(tables, "witnesses", "policy")
    timestamps = _table(tables, "timestamps", "urls", "roots", "required")
    roots = tuple(
        _certificate(folder / name, "timestamps.roots")
        for name in _strings(timestamps, "timestamps", "roots")
    )
    required = timestamps.get("required", 0)
    if type(required) is not int or not 0 <= required <= len(roots):
        raise OutsidersError("`timestamps.required` must be a whole number, at most one for each root")
    policy = witnesses.get("policy", "")
    if not isinstance(policy, str):
        raise OutsidersError("`witnesses.policy` must be the path of a file")
    try:
        anchors = read_anchors(tables.get("anchors", {}))
    except AnchorConfigError as error:
        raise OutsidersError(str(error)) from None
    return Outsiders(
        witness_policy=_text(folder / policy, "witnesses.policy") if policy else "",
        timestamp_urls=_urls(_strings(timestamps, "timestamps", "urls")),
        timestamp_roots=roots,
        required_timestamps=required,
        anchors=anchors,
    )


def _table(tables: Mapping[str, object], name: str, *keys: str) -> dict[str, object]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise OutsidersError(f"`{name}` must be a table")
    if unknown := sorted(table.keys() - set(keys)):
        shown = "".join(sign if sign.isprintable() else "?" for sign in unknown[0][:64])
        raise OutsidersError(f"unknown key `{name}.{shown}`")
    return table


def _strings(table: Mapping[str, object], name: str, key: str) -> list[str]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise OutsidersError(f"`{name}.{key}` must be a list of strings")
    return found


def _urls(found: list[str]) -> tuple[str, ...]:
    if len(found) > MAX_TIMESTAMP_URLS or len(set(found)) != len(found):
        raise OutsidersError(f"`timestamps.urls` must be at most {MAX_TIMESTAMP_URLS} different addresses")
    for url in found:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        except ValueError:
            usable = False
        if not usable:
            raise OutsidersError("`timestamps.urls` holds something that is no http or https address")
    return tuple(found)


def _certificate(path: Path, key: str) -> bytes:
    try:
        return x509.load_pem_x509_certificate(_text(path, key).encode()).public_bytes(Encoding.DER)
    except ValueError:
        raise OutsidersError(f"`{key}` names a file that is no PEM certificate") from None


def _text(path: Path, key: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
        if len(content) > _MAX_FILE_BYTES:
            raise OutsidersError(f"`{key}` names a file that is too large")
        return content.decode("utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, OutsidersError):
            raise
        raise OutsidersError(f"`{key}` names a file that cannot be read as text") from None
