"""Measures anchors: `python -m benchmarks.anchors [--json FILE]`.

Gas of deploying the contract and of anchoring, on a chain inside the process (eth-tester, py-evm: the rules
of a public one); the size of a proof file, and the time of one check, for blocks of several sizes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from provenance.anchors.anchor_proof import verify_anchor
from provenance.anchors.header import BlockHeader
from tests.chain_world import ChainWorld, head
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


def main() -> None:
    """Prints tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = {"gas": gas(), "checks": checks()}
    table = Table("anchoring", "gas")
    for name, used in result["gas"].items():
        table.add_row(name, f"{used:,}")
    Console().print(table)
    table = Table("transactions in the block", "proof file, bytes", "check, ms")
    for row in result["checks"]:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
