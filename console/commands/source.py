"""`bauta source`: show that submissions, or a later message, come from one source; or never show it."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask_new_passphrase
from console.commands.options import DataOption, JsonOption, load_trust, say
from console.paths import data_folder
from console.report.saving import write_whole
from console.report.verdict import read_proof
from console.source_options import open_source, read_paper
from console.source_words import Shown, asked_in_words
from grpc_api.client.disclosures import read_kept_job
from grpc_api.errors import invalid
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.key_files import write_source
from keyvault.submitter.papers import Answer, Challenge
from keyvault.submitter.proofs import prove as prove_statement
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.spent import SpentStore
from keyvault.submitter.statements import NONCE_BYTES, Statement
from keyvault.submitter.submission_key import SubmissionKey
from provenance.proof import ProofFile
from provenance.statements import JobFacts

app = typer.Typer(
    no_args_is_help=True, help="Show that submissions come from one source, without saying who; or do not."
)

_BLOCK_BYTES = 1 << 20

_ProofsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PROOF", help="The submissions' proofs, at most 16.", exists=True, dir_okay=False),
]
_ChallengeOption = Annotated[
    Path, typer.Option("--challenge", help="The verifier's challenge.", exists=True, dir_okay=False)
]
_MessageOption = Annotated[
    Path | None,
    typer.Option("--message", help="A file that is handed in with the proof.", exists=True, dir_okay=False),
]


@app.command("init")
def init(
    target: Annotated[Path, typer.Option("--output", "-o", help="The secret's file to make.")],
    json: JsonOption = False,
) -> int:
    """Make a source's secret, under a passphrase from the terminal or stdin. Nobody else ever holds it."""
    if target.exists():
        raise typer.BadParameter("The file exists; a secret is never overwritten.")
    write_source(target, SubmitterSecret.generate(), ask_new_passphrase("source's secret"))
    say("`bauta submit --source` uses it. Whoever has it and its passphrase is you, for all that you sent.")
    output.result({"secret": str(target)}, str(target))
    return 0


@app.command("record")
def record_(
    target: Annotated[Path, typer.Argument(metavar="RECORD", help="The record's file to make.")],
    json: JsonOption = False,
) -> int:
    """Begin a verifier's record of answered challenges. Once: one that is lost is never replaced silently."""
    SpentStore.create(target).close()
    output.result({"record": str(target)}, str(target))
    return 0


@app.command("challenge")
def challenge(
    verifier: Annotated[
        str, typer.Option("--verifier", metavar="NAME", help="Who asks: a name that the source knows.")
    ],
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the challenge goes.")],
    json: JsonOption = False,
) -> int:
    """Ask a source for a proof, on one occasion. Good for one answer, whatever it is about."""
    if target.exists():
        raise typer.BadParameter(f"{target.name} is there already; name another.")
    drawn = Challenge(verifier, os.urandom(NONCE_BYTES))
    write_whole(target, drawn.to_bytes())
    output.result({"challenge": str(target), "verifier": verifier, "nonce": drawn.nonce.hex()}, str(target))
    return 0


@app.command("prove")
def prove(
    proofs: _ProofsArgument,
    source: Annotated[
        Path, typer.Option("--source", help="The source's secret.", exists=True, dir_okay=False)
    ],
    asked: _ChallengeOption,
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the answer goes.")],
    message: _MessageOption = None,
    json: JsonOption = False,
) -> int:
    """Answer a challenge: these submissions are of one source, and so is the message. Needs no service.

    Asks for the passphrase, or reads it from stdin. Every submission that is not named stays unlinked.
    """
    _require_apart(target, [*proofs, source, asked, *([message] if message is not None else [])])
    challenged = Challenge.from_bytes(read_paper(asked))
    named = [_claimed(path) for path in proofs]
    statement = _statement(named, challenged, message)
    say(asked_in_words(challenged.verifier, len(named), of_message=message is not None))
    proven = prove_statement(open_source(source), statement)
    write_whole(target, Answer(challenged.nonce, proven.to_bytes()).to_bytes())
    output.result(
        {
            "answer": str(target),
            "verifier": challenged.verifier,
            "submissions": [one.key.number for one in named],
            "message": message is not None,
        },
        str(target),
    )
    return 0


@app.command("check")
def check(
    proofs: _ProofsArgument,
    asked: _ChallengeOption,
    answer: Annotated[
        Path, typer.Option("--answer", help="The source's answer.", exists=True, dir_okay=False)
    ],
    record: Annotated[
        Path, typer.Option("--record", help="The record that `bauta source record` began.", dir_okay=False)
    ],
    message: _MessageOption = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Check a source's answer to your own challenge, once. Exit code 1 when it does not hold.

    The proofs are checked first: on record, certified, signed. Offline.
    """
    believed = load_trust(trust or data_folder(data) / "trust.json")
    challenged = Challenge.from_bytes(read_paper(asked))
    answered = Answer.from_bytes(read_paper(answer))
    if answered.nonce != challenged.nonce:
        raise invalid("challenge_differs", "The answer is to another challenge than this one.")
    named = [_named(read_kept_job(read_proof(path), believed)[0]) for path in proofs]
    statement = _statement(named, challenged, message)
    with closing(SpentStore(record)) as store:
        store.accept(answered.proof, statement)
    shown = Shown(
        challenged.verifier,
        tuple(one.facts for one in named),
        statement.occasion.message_sha256.hex() if message is not None else None,
    )
    output.result(shown.document(), shown.text())
    return 0


@dataclass(frozen=True)
class _Named:
    """A submission, and the key that its statement names.

    Attributes:
        facts: the job's statement.
        key: of the submission.
    """

    facts: JobFacts
    key: SubmissionKey


def _claimed(path: Path) -> _Named:
    """Reads a source's own proof; whether it holds is for the verifier to check."""
    return _named(JobFacts.from_statement(ProofFile.from_bytes(read_proof(path)).statement.payload))


def _named(facts: JobFacts) -> _Named:
    if facts.submitter_key is None or facts.submitter_number is None:
        raise invalid("source_not_named", "A proof names no key of a source: its job was submitted without.")
    return _Named(facts, SubmissionKey(facts.submitter_number, facts.submitter_key))


def _statement(named: list[_Named], challenged: Challenge, message: Path | None) -> Statement:
    """The one statement that prover and verifier each make by themselves."""
    try:
        return Statement.about([one.key.pseudonym for one in named], challenged.occasion(_digest_of(message)))
    except SubmitterError as error:
        if error.code != "statement_invalid":
            raise
        raise invalid("submissions_invalid", "Name 1 to 16 proofs of different submissions.") from None


def _digest_of(message: Path | None) -> bytes:
    """SHA-256 of the message; of nothing where there is none."""
    digest = hashlib.sha256()
    if message is not None:
        with message.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.digest()


def _require_apart(target: Path, others: list[Path]) -> None:
    if target.exists() and any(target.samefile(path) for path in others):
        raise typer.BadParameter("The answer would overwrite what it is made from.")
