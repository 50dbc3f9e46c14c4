"""`[anchors]`: the chain that the operator asks to remember this log's tree heads.

    [anchors]
    rpc = "https://node.example/KEY"             # JSON-RPC over HTTP; a service's key in it stays a secret
    chain_id = 1
    contract = "0x..."                           # `bauta anchors deploy`
    entries = 1000                               # an anchor after so many new entries...
    wait_seconds = 3600                          # ...or when the oldest has waited so long
    max_fee_wei = 100_000_000_000                # per gas; the vault holds to it, too
    confirmations = 12                           # blocks that must follow before a proof is gathered

Nothing here knows web3, which takes a second to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from provenance.anchors.address import parse_address
from provenance.anchors.place import MAX_CHAIN_ID
from provenance.errors import FormatError

MAX_GAS = 120_000
"""Of one anchor; measured 69,095 for the first of a line, 34,895 for each after."""

_MAX_URL_BYTES = 4 << 10
_NUMBERS = ("chain_id", "entries", "wait_seconds", "max_fee_wei", "confirmations")
_KEYS = {"rpc", "contract", *_NUMBERS}


class AnchorConfigError(ValueError):
    """A key of the table is not valid; the message names it."""


@dataclass(frozen=True)
class AnchorConfig:
    """Where to anchor, how often, and for how much.

    Attributes:
        rpc: the node's address, http or https.
        chain_id: which chain it must be.
        contract: address, 20 bytes.
        entries: so many new ones are anchored at once.
        wait_seconds: a new one waits so long at most.
        max_fee_wei: per gas, in all; when the chain asks more, nothing is sent.
        confirmations: blocks that must follow before a proof is gathered.
    """

    rpc: str = field(repr=False)
    chain_id: int
    contract: bytes
    entries: int = 1000
    wait_seconds: int = 3600
    max_fee_wei: int = 100_000_000_000
    confirmations: int = 12

    @property
    def max_wei(self) -> int:
        """What one anchor may cost."""
        return MAX_GAS * self.max_fee_wei


def read_anchors(table: object) -> AnchorConfig | None:
    """Reads the table; none, or an empty one, asks for no anchors.

    Args:
        table: as TOML gives it.

    Raises:
        AnchorConfigError: naming the key at fault.
    """
    if not isinstance(table, Mapping):
        raise AnchorConfigError("`anchors` must be a table")
    if not table:
        return None
    if unknown := sorted(table.keys() - _KEYS):
        shown = "".join(sign if sign.isprintable() else "?" for sign in unknown[0][:64])
        raise AnchorConfigError(f"unknown key `anchors.{shown}`")
    if missing := sorted({"rpc", "chain_id", "contract"} - table.keys()):
        raise AnchorConfigError(f"`anchors.{missing[0]}` is missing")
    for name in _NUMBERS:
        least = 0 if name == "confirmations" else 1
        if type(table.get(name, 1)) is not int or not least <= table.get(name, 1) <= MAX_CHAIN_ID:
            raise AnchorConfigError(f"`anchors.{name}` must be a whole number, {least} or more")
    if not is_address_of_a_node(table["rpc"]):
        raise AnchorConfigError("`anchors.rpc` must be an http or https address")
    try:
        contract = parse_address(table["contract"])
    except FormatError as error:
        raise AnchorConfigError(f"`anchors.contract` is wrong: {error}") from None
    numbers = {name: table[name] for name in _NUMBERS if name in table}
    return AnchorConfig(rpc=table["rpc"], contract=contract, **numbers)


def node_address(given: str) -> str:
    """Gives a node's address from a command line, or from the file that is named there.

    Providers put a key into addresses, and other users of a machine can read its command lines.

    Raises:
        AnchorConfigError: neither.
    """
    if not is_address_of_a_node(given):
        try:
            with Path(given).open("rb") as file:
                given = file.read(_MAX_URL_BYTES).decode("ascii").strip()
        except (OSError, ValueError):
            given = ""
    if not is_address_of_a_node(given):
        raise AnchorConfigError("a node is named by an http or https address, or by a file that holds one")
    return given


def is_address_of_a_node(url: object) -> bool:
    """Tells whether this is an address that can be asked; never says which."""
    # `urlsplit` leaves line ends and tabs out silently: what it takes is not what stands there.
    if not isinstance(url, str) or not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.username is None and parts.port != 0
        return parts.scheme in {"http", "https"} and named
    except ValueError:
        return False
