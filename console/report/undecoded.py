"""What the verifier alone says of files that take a decoder to check: that it did not check them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console.report.pieces import PiecesVerdict, shown_in_words
from console.report.verdict import Failure, Verdict
from provenance.checklist import VerificationError
from provenance.committed import Sources, verify_package
from provenance.timestamps import Remark


def without_decoder(untrusted_package: bytes, sources: Sources) -> PiecesVerdict:
    """Checks all of a part but the part itself. The outcome is never that it is verified."""
    try:
        verified = verify_package(sources, untrusted_package)
    except VerificationError as error:
        return PiecesVerdict.failed(error)
    why = (
        f"the package shows {shown_in_words(verified.package)} of what was committed to; whether the file is "
        "that, `bauta verify` finds out: this program has no decoder"
    )
    return PiecesVerdict(verified.steps, failure=Failure("part_matches", "decoder_missing", why))


def with_unread(verdict: Verdict, file: Path) -> Verdict:
    """Adds a remark about an untouched package that lies beside a file and is not looked at."""
    if verdict.result is None or not file.with_name(file.name + ".untouched").is_file():
        return verdict
    sentence = (
        "A package beside the file shows which share of its picture is the original's. It was not looked at: "
        "that takes `bauta verify`, which has a decoder."
    )
    remarks = (*verdict.result.remarks, Remark("untouched_unchecked", sentence))
    return replace(verdict, result=replace(verdict.result, remarks=remarks))
