"""The table of `docs/fuzzing.md`, made from the registry: `python -m tests.fuzz.table` prints it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def table() -> str:
    """One row a target."""
    from tests.fuzz.targets import TARGETS

    rows = ["| target | reads | the bytes come from | errors that may come out |", "|---|---|---|---|"]
    for target in TARGETS.values():
        parsers = ", ".join(f"`{_short(parser)}`" for parser in target.parsers)
        errors = ", ".join(f"`{error.__name__}`" for error in target.errors) or "none"
        mark = "¹" if target.echoes else ""
        rows.append(f"| `{target.name}` | {parsers} | {target.sender} | {errors}{mark} |")
    return "\n".join(rows)


def _short(parser: str) -> str:
    """Without the package: `age.header.parse_header` says enough."""
    parts = parser.split(".")
    return ".".join(parts[-3:] if parts[-2][:1].isupper() else parts[-2:])


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    print(table())
