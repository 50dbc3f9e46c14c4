"""`bauta proof`: have a proof stamped later on, and hand its parts to other people's tools.

Neither command verifies anything; `bauta verify` does.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.commands.options import JsonOption, load_trust
from console.report.verdict import read_proof
from grpc_api.config import load_config
from grpc_api.errors import invalid
from grpc_api.timestamps import Answer, TimeAuthorities, usable
from provenance.errors import ProvenanceError
from provenance.proof import MAX_TIMESTAMPS, ProofFile
from provenance.statements.fields import format_instant
from provenance.timestamps import with_timestamps
from provenance.tlog_proof import TlogProof
from provenance.tokens import Token, read_token

app = typer.Typer(no_args_is_help=True, help="Have a proof stamped later on; hand its parts to other tools.")

ProofArgument = Annotated[
    Path, typer.Argument(metavar="PROOF", help="A proof file.", exists=True, dir_okay=False)
]


@app.command()
def complete(
    proof: ProofArgument,
    tsa: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A time-stamping authority to ask; may be given several times."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="A service's configuration: ask the authorities that it names.", exists=True, dir_okay=False
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="A trust file: take no timestamp that leads to none of its roots.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Add the timestamps that a proof lacks, and change nothing else. Exit code 1 if one could not be had.

    An authority learns a hash, the time, and the address of this computer.
    """
    authorities = _authorities(tsa or [], config, trust)
    before = ProofFile.from_bytes(read_proof(proof))
    if not before.evidence:
        raise invalid("not_a_result", "Only the proof of a result is stamped, and this is another one.")
    answers = authorities.ask(before.statement)
    after = with_timestamps(before, [answer.token for answer in answers if answer.token is not None])
    if after != before:
        _replace(proof, after.to_bytes())
    added = len(after.timestamps) - len(before.timestamps)
    document = {
        "added": added,
        "timestamps": len(after.timestamps),
        "answers": [{"url": answer.url, "code": answer.code or None} for answer in answers],
    }
    lines = [*map(_told, answers), f"{added} added; the proof has {len(after.timestamps)}."]
    output.result(document, "\n".join(lines))
    return 1 if any(answer.code for answer in answers) else 0


@app.command()
def show(
    proof: ProofArgument,
    extract: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write its parts into a new folder, for other tools."),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Show what a proof claims, unverified: digests, its place in the log, its timestamps."""
    content = ProofFile.from_bytes(read_proof(proof))
    place = TlogProof.parse(content.log)
    tokens = [_read(token) for token in content.timestamps]
    evidence = [envelope.digest.hex() for envelope in content.evidence]
    document = {
        "statement_sha256": content.statement.digest.hex(),
        "evidence_sha256": evidence,
        "log_index": place.index,
        "timestamps": [_described(token) for token in tokens],
    }
    lines = [
        f"statement  sha256 {document['statement_sha256']}",
        *(f"evidence   sha256 {digest}" for digest in evidence),
        f"log        entry {place.index}",
        *(_line(token) for token in tokens),
    ]
    if extract is not None:
        lines += _extract(content, tokens, extract)
    output.result(document, "\n".join(lines))
    return 0


def _authorities(urls: list[str], config: Path | None, trust: Path | None) -> TimeAuthorities:
    outsiders = load_config(config).outsiders
    urls = list(dict.fromkeys([*urls, *outsiders.timestamp_urls]))
    if not urls:
        raise typer.BadParameter("Name whom to ask, with --tsa or --config.")
    if len(urls) > MAX_TIMESTAMPS or not usable(urls):
        raise typer.BadParameter(f"--tsa takes an http or https address, at most {MAX_TIMESTAMPS} of them.")
    roots = outsiders.timestamp_roots if trust is None else load_trust(trust).timestamp_roots
    if trust is not None and not roots:
        raise invalid("trust_without_roots", "The trust file names no root of a time-stamping authority.")
    return TimeAuthorities(tuple(urls), roots)


def _told(answer: Answer) -> str:
    return f"{answer.url}: {answer.code or 'a timestamp'}"


def _replace(path: Path, content: bytes) -> None:
    """Lets the new file take the old one's place, whole and with its mode, or not at all."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".bauta-", delete=False) as sink:
        temporary = Path(sink.name)
        try:
            sink.write(content)
            sink.flush()
            os.fchmod(sink.fileno(), target.stat().st_mode & 0o777)
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _read(der: bytes) -> Token | str:
    """A token, or the code of what is wrong with it."""
    try:
        return read_token(der)
    except ProvenanceError as error:
        return error.code


def _described(token: Token | str) -> dict[str, Any]:
    if isinstance(token, str):
        return {"code": token}
    return {
        "at": format_instant(token.at),
        "serial": f"{token.serial:x}",
        "imprint_sha256": token.imprint.hex(),
    }


def _line(token: Token | str) -> str:
    if isinstance(token, str):
        return f"timestamp  unreadable: {token}"
    return f"timestamp  {format_instant(token.at)}, serial {token.serial:x}"


def _extract(content: ProofFile, tokens: list[Token | str], folder: Path) -> list[str]:
    """Writes the parts; gives the commands with which other people's tools check them."""
    files = {
        "statement.dsse.json": content.statement.to_bytes(),
        "record.tlog-proof": content.log,
        **{
            _numbered("evidence", at, ".dsse.json"): item.to_bytes()
            for at, item in enumerate(content.evidence)
        },
        **{_numbered("timestamp", at, ".tst"): item for at, item in enumerate(content.timestamps)},
    }
    commands = []
    for at, found in enumerate(tokens):
        if isinstance(found, Token):
            response, chain = _numbered("timestamp", at, ".tsr"), _numbered("timestamp", at, ".pem")
            files |= {response: found.response, chain: found.chain_pem}
            # At its own time: a certificate that has ended since does not undo what it signed.
            words = ["openssl", "ts", "-verify", "-data", str(folder / "statement.dsse.json")]
            words += ["-in", str(folder / response)]
            words += ["-attime", str(int(found.at.timestamp())), "-CAfile", "ROOT.pem"]
            commands.append(shlex.join(words))
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise invalid("output_exists", "The folder is there already; name another.") from None
    for name, part in files.items():
        (folder / name).write_bytes(part)
    return [f"written    {len(files)} files", *commands]


def _numbered(what: str, at: int, suffix: str) -> str:
    return f"{what}-{at + 1}{suffix}"
