"""Measures anchors: `python -m benchmarks.anchors [--json FILE]`.

Gas of deploying the contract and of anchoring, on a chain inside the process (eth-tester, py-evm: the rules
of a public one); the size of a proof file, and the time of one check, for blocks of several sizes; the time
that the vault takes to read and sign one.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from keyvault.signing.log import LogSigner
from keyvault.vault.anchoring import AnchorOrders, load_anchor_desk
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from provenance.anchors.anchor_proof import verify_anchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.transaction import AnchorTransaction
from provenance.checkpoint import CheckpointText
from tests.chain_world import ChainWorld, head
from tests.unit.keyvault.vault.harness import checkpoint_text, growth
from tests.unit.provenance.anchor_makers import LINE, proof

CHECKS = 200
BLOCKS = (1, 20, 200, 1000)


def gas() -> dict[str, int]:
    """Gas by what is done."""
    world = ChainWorld()
    used = {"deploy": int(world.deployed["gasUsed"])}
    heads = {"first": head(5), "later": head(1 << 40), "same again": head(1 << 40)}
    for name, checkpoint in heads.items():
        sent = world.chain().send(checkpoint)
        world.mine()
        used[name] = int(world.node.eth.get_transaction_receipt(sent.transaction_hash)["gasUsed"])
    return used


def checks() -> list[dict[str, float]]:
    """Bytes of a file and milliseconds of a check, by transactions in the block."""
    found = []
    for transactions in BLOCKS:
        one = proof(transactions // 2, transactions)
        file, believed = one.to_bytes(), {BlockHeader.from_bytes(one.header).block_hash}
        begin = time.perf_counter()
        for _ in range(CHECKS):
            verify_anchor(file, LINE, believed)
        spent = (time.perf_counter() - begin) / CHECKS
        found.append(
            {"transactions": transactions, "file_bytes": len(file), "check_ms": round(spent * 1e3, 3)}
        )
    return found


def vault() -> dict[str, float]:
    """Milliseconds until the vault has read, compared and signed one."""
    orders = AnchorOrders(31337, LINE.contract, 10**18)
    with TemporaryDirectory(prefix="bauta-anchors-") as folder:
        store = open_store(Path(folder) / "vault", None)
        ratchet = CheckpointRatchet(store, LogSigner.generate(LINE.origin))
        ratchet.sign(checkpoint_text(LINE.origin, 1_000), [])
        desk = load_anchor_desk(store, orders, ratchet, LINE.origin)
        assert desk is not None
        call = LINE.call_to_anchor(CheckpointText.parse(checkpoint_text(LINE.origin, 700)))
        to_sign = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, LINE.contract, call).to_sign()
        consistency = growth(700, 1_000)
        begin = time.perf_counter()
        for _ in range(CHECKS):
            desk.sign(to_sign, consistency)
        spent = (time.perf_counter() - begin) / CHECKS
        store.close()
    return {"sign_ms": round(spent * 1e3, 2)}


def main() -> None:
    """Prints tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result: dict[str, Any] = {"gas": gas(), "checks": checks(), "vault": vault()}
    table = Table("anchoring", "gas")
    for name, used in result["gas"].items():
        table.add_row(name, f"{used:,}")
    Console().print(table)
    table = Table("transactions in the block", "proof file, bytes", "check, ms")
    for row in result["checks"]:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
    Console().print(f"the vault reads and signs one in {result['vault']['sign_ms']} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
