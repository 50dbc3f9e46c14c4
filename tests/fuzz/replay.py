"""One input again, without a fuzzer: `python -m tests.fuzz.replay TARGET FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(name: str, file: Path) -> None:
    """Prints the parser's own refusal; anything else comes out as it is.

    Raises:
        Exception: the finding.
    """
    from tests.fuzz.target import attempt
    from tests.fuzz.targets import TARGETS

    refusal = attempt(TARGETS[name], file.read_bytes())
    print("taken" if refusal is None else f"refused: {type(refusal).__name__}: {refusal}")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    main(sys.argv[1], Path(sys.argv[2]))
