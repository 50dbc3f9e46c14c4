"""`bauta-verify`: the check alone, for people who have no service. It needs `provenance` and this package."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from console.report.anchored import named_blocks, with_anchor
from console.report.pieces import PiecesVerdict
from console.report.saving import save, would_overwrite
from console.report.undecoded import with_unread, without_decoder
from console.report.verdict import Verdict, check, read_proof, read_trust
from provenance.committed import Sources
from provenance.errors import FormatError
from provenance.pieces.reveal import MAX_REVEAL_BYTES

EXIT_NO = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; 0 if every check held, 1 if one did not, 2 for wrong usage or a missing file."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    file: Path = asked.file
    proof: Path = asked.proof or file.with_name(file.name + ".proof")
    html: Path | None = asked.html
    anchor: Path | None = asked.anchor
    if anchor is None and (asked.block or asked.header):
        parser.error("--block and --header go with --anchor")
    beside = [*asked.header, *([anchor] if anchor is not None else [])]
    if html is not None and would_overwrite(html, [file, proof, asked.trust, *beside]):
        parser.error("the report would overwrite what is checked")
    package = file.with_name(file.name + ".reveal")
    try:
        if package.is_file():
            sources = Sources(read_trust(asked.trust), read_proof(proof))
            return _part(package, sources, as_json=asked.json)
        verdict = with_unread(check(file, read_proof(proof), read_trust(asked.trust)), file)
        if anchor is not None:
            named = named_blocks(asked.block, asked.header)
            verdict = with_anchor(verdict, anchor, lambda _: named)
        if html is not None:
            save(html, verdict, file)
    except OSError as error:
        parser.error(f"a file cannot be read or written: {error.strerror}")
    except FormatError as error:
        parser.error(str(error))
    _tell(verdict, as_json=asked.json)
    return 0 if verdict.failure is None else EXIT_NO


def run() -> None:
    """Runs the program and exits."""
    raise SystemExit(main())


def _part(package: Path, sources: Sources, *, as_json: bool) -> int:
    """Checks what can be checked of a part without a decoder, which is never enough."""
    with package.open("rb") as stream:
        verdict = without_decoder(stream.read(MAX_REVEAL_BYTES + 1), sources)
    _tell(verdict, as_json=as_json)
    return EXIT_NO


def _tell(verdict: Verdict | PiecesVerdict, *, as_json: bool) -> None:
    shown = json.dumps(verdict.document(), indent=2, ensure_ascii=False) if as_json else verdict.lines()
    sys.stdout.write(shown + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bauta-verify",
        description="Verify an anonymized file against its proof. Offline; names each step.",
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the anonymized file")
    parser.add_argument("--proof", type=Path, help="its proof; FILE.proof unless named")
    parser.add_argument(
        "--trust",
        type=Path,
        required=True,
        help="the trust file: whose keys you believe; not from whoever sent the file",
    )
    parser.add_argument("--anchor", type=Path, help="also check an anchor of the proof's record on a chain")
    parser.add_argument(
        "--block",
        metavar="HASH",
        action="append",
        default=[],
        help="with --anchor: the hash of a block that you believe; may be repeated",
    )
    parser.add_argument(
        "--header",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="with --anchor: a saved header of such a block; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", metavar="OUT", type=Path, help="also write a report for people")
    return parser
