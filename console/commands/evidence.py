"""`bauta evidence`: what hardware or a vault says about who runs the code. Offline; collateral is files."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import JsonOption, load_trust
from console.paths import data_folder
from console.report import words
from enclave.attest import (
    MAX_BYTES,
    Collateral,
    EvidenceError,
    EvidenceRefusedError,
    Expected,
    VerifiedEvidence,
    read_regular_file,
    show_evidence,
    verify_evidence,
)
from provenance.checklist import Step
from provenance.trust import Trust

app = typer.Typer(no_args_is_help=True, help="Verify or show evidence of who runs the code.")

_REPORT_DATA_BYTES = 64


class Format(StrEnum):
    """The formats, one word each."""

    SNP = "snp"
    TDX = "tdx"
    NITRO = "nitro"
    PROCESS = "process"


FileArgument = Annotated[Path, typer.Argument(help="The document.", exists=True, dir_okay=False)]
FormatOption = Annotated[Format, typer.Option("--format", help="What kind of document it is.")]


@app.command("verify")
def verify(
    file: FileArgument,
    format_: FormatOption,
    collateral: Annotated[
        Path | None,
        typer.Option(
            help="A folder of the vendor's files: certificates, revocation lists, TCB info, QE identity.",
            exists=True,
            file_okay=False,
            show_default="for snp, the certificates beside FILE",
        ),
    ] = None,
    at_document_time: Annotated[
        bool,
        typer.Option("--at-document-time", help="Judge certificates at the document's own time, not now."),
    ] = False,
    allow_debug: Annotated[
        bool, typer.Option("--allow-debug", help="Accept a machine that can be read from outside.")
    ] = False,
    nonce: Annotated[
        str | None,
        typer.Option(
            metavar="HEX", help="Expected nonce; for snp and tdx the report data, zeros after it left out."
        ),
    ] = None,
    measurement: Annotated[
        str | None, typer.Option(metavar="HEX", help="Expected measurement; for tdx MRTD, for nitro PCR0.")
    ] = None,
    min_tcb: Annotated[
        str | None,
        typer.Option(metavar="NAME=N,...", help="Lowest patch levels, such as snp=8,microcode=115."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="The trust file, for process.", dir_okay=False, show_default="that of the data folder"
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Verify evidence offline. Exit code 1 when any step fails, which is then named."""
    expected = _expected(format_, at_document_time, allow_debug, nonce, measurement, min_tcb)
    believed = _trust(format_, trust)
    try:
        untrusted = read_regular_file(file, MAX_BYTES[format_])
        verified = verify_evidence(
            format_, untrusted, expected, _collateral(format_, collateral, file), believed
        )
    except EvidenceRefusedError as error:
        if error.code == "evidence_expectation_unfit":
            raise typer.BadParameter(f"{error}.") from None
        verdict = {"verified": False, "format": str(format_), "failed_step": error.step, "code": error.code}
        last_line = f"NOT VERIFIED at {error.step} ({error.code}): {error}."
        _print(error.steps, {**verdict, "message": str(error)}, last_line)
        return 1
    except EvidenceError as error:
        if error.code == "evidence_expectation_unfit":
            raise typer.BadParameter(f"{error}.") from None
        raise
    _print(verified.steps, _document(verified), _summary(verified))
    return 0


@app.command("show")
def show(file: FileArgument, format_: FormatOption, json: JsonOption = False) -> int:
    """Print what a document claims. NOT verified: anybody can write anything into one."""
    facts = show_evidence(format_, read_regular_file(file, MAX_BYTES[format_]))
    lines = ["NOT VERIFIED: this is what the document claims.", *_lines(facts)]
    output.result({"verified": False, "format": str(format_), "claims": facts}, "\n".join(lines))
    return 0


def _expected(
    format_: Format,
    at_document_time: bool,
    allow_debug: bool,
    nonce: str | None,
    measurement: str | None,
    min_tcb: str | None,
) -> Expected:
    nonce_bytes = _hexadecimal(nonce, "--nonce")
    in_report_data = format_ in {Format.SNP, Format.TDX} and nonce_bytes is not None
    return Expected(
        at=None if at_document_time else datetime.now(UTC),
        report_data=nonce_bytes.ljust(_REPORT_DATA_BYTES, b"\0") if in_report_data and nonce_bytes else None,
        nonce=None if in_report_data else nonce_bytes,
        measurement=_hexadecimal(measurement, "--measurement"),
        min_tcb=_levels(min_tcb),
        allow_debug=allow_debug,
    )


def _trust(format_: Format, path: Path | None) -> Trust | None:
    if format_ is Format.PROCESS:
        return load_trust(path or data_folder(None) / "trust.json")
    if path is not None:
        raise typer.BadParameter(
            "A trust file belongs to --format process; hardware is checked against pinned roots."
        )
    return None


def _collateral(format_: Format, folder: Path | None, file: Path) -> Collateral:
    if folder is not None:
        return Collateral.from_folder(folder)
    return Collateral.beside(file) if format_ is Format.SNP else Collateral()


def _hexadecimal(text: str | None, option: str) -> bytes | None:
    if text is None:
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise typer.BadParameter(f"{option} takes hexadecimal digits.") from None
    if not value:
        raise typer.BadParameter(f"{option} is empty.")
    return value


def _levels(text: str | None) -> dict[str, int]:
    levels: dict[str, int] = {}
    for item in [] if text is None else text.split(","):
        name, equals, number = item.partition("=")
        if not equals or not number.isdecimal() or name in levels or len(number) > 5:
            raise typer.BadParameter("--min-tcb takes NAME=N,NAME=N with a whole number for each name.")
        levels[name] = int(number)
    return levels


def _document(verified: VerifiedEvidence) -> dict[str, object]:
    return {
        "verified": True,
        "format": verified.evidence_format,
        "tier": verified.tier,
        "moment": verified.moment.isoformat(timespec="seconds"),
        "moment_is": verified.moment_is,
        "measurement": verified.measurement.hex(),
        "report_data": verified.report_data.hex(),
        "tcb": dict(verified.tcb),
        "debug": verified.debug,
        "facts": dict(verified.facts),
        "warnings": list(verified.warnings),
    }


def _summary(verified: VerifiedEvidence) -> str:
    lines = [f"! {warning}" for warning in verified.warnings]
    if verified.tcb:
        levels = " ".join(f"{name}={level}" for name, level in verified.tcb.items())
        lines.append(f"patch levels  {levels}")
    lines.append(f"measurement   {verified.measurement.hex()}")
    if verified.report_data:
        lines.append(f"report data   {verified.report_data.hex()}")
    lines.append(
        f"VERIFIED: {verified.evidence_format} evidence for tier {verified.tier}, "
        f"judged at {verified.moment:%Y-%m-%d %H:%M:%S} UTC ({verified.moment_is})."
    )
    return "\n".join(lines)


def _lines(facts: dict[str, object]) -> list[str]:
    def text(value: object) -> str:
        if isinstance(value, dict):
            return " ".join(f"{key}={item}" for key, item in value.items())
        if isinstance(value, list | tuple):
            return " ".join(str(item) for item in value)
        return "none" if value is None else str(value)

    return [f"{name:<18} {text(value)}" for name, value in facts.items()]


def _print(steps: tuple[Step, ...], verdict: dict[str, object], last_line: str) -> None:
    lines = [f"{words.MARKS[step.status]} {step.sentence}" for step in steps]
    output.result({**verdict, "steps": [asdict(step) for step in steps]}, "\n".join([*lines, last_line]))
