"""`python -m keyvault.vault.custody --store DIR`: one JSON line of facts about a store; opens nothing.

A process of its own, because the console may not import the vault, and because trying the memory
protections hardens whoever tries.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from keyvault.vault.custody.facts import store_facts
from keyvault.vault.errors import VaultStartError


def main(arguments: list[str] | None = None) -> int:
    """Prints the facts; 1 when this system refuses the vault's protections."""
    parser = argparse.ArgumentParser(prog="python -m keyvault.vault.custody", allow_abbrev=False)
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="the vault's own folder")
    try:
        facts = store_facts(parser.parse_args(arguments).store)
    except VaultStartError as reason:
        sys.stderr.write(f"bauta vault: {reason.code}: {reason}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(facts), sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
