"""`bauta policy`: what may be asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import JsonOption, find_policy
from enclave.policy import Policy, parse_policy, shipped
from grpc_api.errors import invalid

app = typer.Typer(no_args_is_help=True, help="List, show and check policies.")


@app.command("list")
def list_(json: JsonOption = False) -> int:
    """List the policies that come with Bauta."""
    policies = sorted(shipped().values(), key=lambda policy: policy.name)
    output.result(
        {"policies": [_document(policy) for policy in policies]},
        "\n".join(f"{policy.name:<15} {policy.summary}" for policy in policies),
    )
    return 0


@app.command("show")
def show(policy: Annotated[str, typer.Argument(metavar="NAME|FILE")], json: JsonOption = False) -> int:
    """Print a policy."""
    found = find_policy(policy)
    if output.MODE.as_json:
        output.result({**_document(found), "text": found.text}, "")
    else:
        sys.stdout.write(found.text)
    return 0


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A TOML file.", exists=True, dir_okay=False)],
    json: JsonOption = False,
) -> int:
    """Check a policy file; exit code 1 names the key at fault."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise invalid("policy_invalid", "The policy is not UTF-8 text.") from None
    found = parse_policy(text)
    output.result(_document(found), f"ok: {found.name} {found.digest.hex()}")
    return 0


def _document(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "summary": policy.summary,
        "sha256": policy.digest.hex(),
        "modes": list(policy.allowed_modes),
        "effect": policy.faces.effect,
        "also_covered": {kind: effect for kind, effect in policy.effects.items() if kind != "face"},
        "audio": policy.audio.effect,
        "spoken_words": len(policy.audio.words),
        "roles": list(policy.role_names),
        "reviewer_may": list(policy.review.may),
        "leaks": {"look": policy.leaks.look, "permille": policy.leaks.floors},
    }
