"""`bauta token`: "one of ours", and nothing about which one. Made blind, used once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask, ask_new_passphrase
from console.commands.options import JsonOption, say
from console.report.saving import write_whole
from console.source_options import read_paper
from grpc_api.errors import invalid
from keyvault.key_file import write_key_file
from keyvault.submitter import papers
from keyvault.submitter.issuer_keys import MAX_PEM_BYTES, IssuerKey, generate_issuer_key
from keyvault.submitter.key_files import read_issuer, write_issuer
from keyvault.submitter.tokens import TokenRequest, issue, verify_token

app = typer.Typer(no_args_is_help=True, help="Make, issue and check one-use tokens of admission.")

_IssuerArgument = Annotated[
    Path,
    typer.Argument(metavar="ISSUER", help="The issuer's public key, PEM.", exists=True, dir_okay=False),
]


@app.command("init")
def init(
    target: Annotated[Path, typer.Option("--output", "-o", help="The private key's file to make.")],
    public: Annotated[
        Path, typer.Option("--public", help="Where the public key goes, PEM, for everybody.", dir_okay=False)
    ],
    json: JsonOption = False,
) -> int:
    """Make an issuer's key, under a passphrase from the terminal or stdin.

    One for each group of people and each period, and for nothing else: all who are admitted under one key
    look alike.
    """
    _require_free(target, public)
    key = generate_issuer_key()
    write_issuer(target, key, ask_new_passphrase("issuer's key"))
    issuer = IssuerKey.of(key.public_key())
    write_whole(public, issuer.to_pem())
    say("hand the public key to the portal and to everybody who may have tokens, where all see the same one")
    output.result(
        {"issuer": issuer.id.hex(), "key": str(target), "public": str(public)},
        f"{target}\n{public}\nissuer {issuer.id.hex()}",
    )
    return 0


@app.command("request")
def request(
    issuer: _IssuerArgument,
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the request goes, for the issuer.")],
    keep: Annotated[
        Path, typer.Option("--keep", help="What you keep until the reply is there; secret.", dir_okay=False)
    ],
    json: JsonOption = False,
) -> int:
    """Draw a token and ask for its signature. The issuer will not see what it signs."""
    _require_free(target, keep)
    key = _read_issuer(issuer)
    drawn = TokenRequest.draw(key)
    write_key_file(keep, papers.pending_to_bytes(drawn), None)
    write_whole(target, papers.BlindRequest(key.id, drawn.blinded.message).to_bytes())
    say("compare the issuer's number with what others were told: a key for you alone would tell you apart")
    output.result(
        {"issuer": key.id.hex(), "request": str(target), "kept": str(keep)},
        f"{target}\n{keep}\nissuer {key.id.hex()}",
    )
    return 0


@app.command("issue")
def issue_(
    key: Annotated[
        Path,
        typer.Argument(metavar="KEY", help="The issuer's private key.", exists=True, dir_okay=False),
    ],
    asked: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="What somebody asks for.", exists=True, dir_okay=False)
    ],
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the reply goes.")],
    json: JsonOption = False,
) -> int:
    """Sign a request, once you know who asks and that they may have a token.

    Put on record first who got how many: nothing about it can be seen in a token.
    """
    wanted = papers.BlindRequest.from_bytes(read_paper(asked))
    private = read_issuer(key, lambda: ask("Passphrase of the issuer's key: "))
    own = IssuerKey.of(private.public_key()).id
    if wanted.issuer != own:
        raise invalid(
            "token_other_issuer", "The request is for another key, of another group or another period."
        )
    write_whole(target, papers.reply_to_bytes(issue(private, wanted.blinded)))
    output.result({"issuer": own.hex(), "reply": str(target)}, str(target))
    return 0


@app.command("finish")
def finish(
    kept: Annotated[
        Path,
        typer.Argument(
            metavar="KEPT", help="What `bauta token request --keep` wrote.", exists=True, dir_okay=False
        ),
    ],
    reply: Annotated[
        Path, typer.Argument(metavar="REPLY", help="The issuer's reply.", exists=True, dir_okay=False)
    ],
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the token goes; secret until used.")],
    json: JsonOption = False,
) -> int:
    """Make the token out of the issuer's reply."""
    _require_free(target)
    drawn = papers.pending_from_bytes(read_paper(kept))
    token = drawn.finish(papers.reply_from_bytes(read_paper(reply)))
    write_key_file(target, papers.token_to_bytes(token.to_bytes()), None)
    say(
        f"delete {kept.name}: it ties the token to the request. Wait before you use the token: one that "
        "comes back at once can be told by its time."
    )
    output.result({"issuer": token.issuer.hex(), "token": str(target)}, str(target))
    return 0


@app.command("check")
def check(
    token: Annotated[Path, typer.Argument(metavar="TOKEN", help="A token.", exists=True, dir_okay=False)],
    issuer: _IssuerArgument,
    json: JsonOption = False,
) -> int:
    """Check that this issuer signed a token. Whether it was used, only the service's record says."""
    key = _read_issuer(issuer)
    verify_token(papers.token_from_bytes(read_paper(token)), key)
    output.result(
        {"signed": True, "issuer": key.id.hex()},
        f"signed by issuer {key.id.hex()}; whether it was used before, only the service knows",
    )
    return 0


def _read_issuer(path: Path) -> IssuerKey:
    with path.open("rb") as file:
        return IssuerKey.from_pem(file.read(MAX_PEM_BYTES + 1))


def _require_free(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise typer.BadParameter(f"{path.name} is there already; name another.")
