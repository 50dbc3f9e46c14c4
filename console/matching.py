"""With whom everybody in a submission is compared, from the command line: encrypted templates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from enclave.policy import Policy
from grpc_api.client.matching import Matching
from keyvault.templates.keys import PublicContext
from keyvault.templates.package import TemplatePackage
from keyvault.templates.templates import MAX_TEMPLATE_BYTES, EncryptedTemplate

MatchOption = Annotated[
    Path | None,
    typer.Option(
        "--match",
        metavar="CONTEXT",
        help="Compare everybody with --template, under encryption: writes OUTPUT.scores, which only the "
        "templates' owner can read (see `bauta template`).",
        exists=True,
        dir_okay=False,
    ),
]
TemplateOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--template", help="An encrypted template; repeat it for up to 8.", exists=True, dir_okay=False
    ),
]


def matching_for(context: Path | None, templates: Sequence[Path] | None, policy: Policy) -> Matching:
    """Gives what is handed in to be compared with.

    Raises:
        typer.BadParameter: one option comes without the other, or the policy allows none of it.
        TemplateError: a file is not what it should be, or they do not go together.
        OSError: one cannot be read.
    """
    if context is None and not templates:
        return Matching()
    if context is None or not templates:
        raise typer.BadParameter("--match and --template go together.")
    read: list[EncryptedTemplate] = []
    for path in templates:
        with path.open("rb") as file:
            read.append(EncryptedTemplate.from_bytes(file.read(MAX_TEMPLATE_BYTES + 1)))
    package = TemplatePackage(PublicContext.read(context), tuple(read))
    if package.space.kind.value not in policy.matching:
        raise typer.BadParameter(
            "This policy lets nobody be compared with templates of that kind (docs/policies.md, matching)."
        )
    return Matching(package.to_bytes())
