"""`bauta template`: people who agreed to be known are matched under encryption (docs/templates.md).

Everything happens on its user's own machine; nothing is sent anywhere. Who holds which file: the owner has
the key and reads scores, a matcher has context, templates and recordings and reads none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask, ask_new_passphrase
from console.commands.options import JsonOption, say
from console.commands.template_vectors import vectors_in
from keyvault.key_file import read_key_file, write_key_file
from keyvault.templates.keys import OwnerKey, PublicContext, make_keys
from keyvault.templates.matching import match as match_vectors
from keyvault.templates.scores import MAX_SCORES_BYTES, EncryptedScores, open_scores
from keyvault.templates.templates import MAX_TEMPLATE_BYTES, EncryptedTemplate, enrol
from keyvault.templates.transform import Transform, transform_template
from keyvault.templates.vectors import Kind, Space

app = typer.Typer(no_args_is_help=True, help="Match people who agreed to it, under encryption.")

EXIT_NOBODY = 1

_ContextArgument = Annotated[
    Path, typer.Argument(metavar="CONTEXT", help="The owner's public context.", exists=True, dir_okay=False)
]
_OutputOption = Annotated[Path, typer.Option("--output", "-o", help="The file to make.", dir_okay=False)]
_FaceOption = Annotated[
    list[Path] | None,
    typer.Option("--face", help="A picture or a film. May be repeated.", exists=True, dir_okay=False),
]
_VoiceOption = Annotated[
    list[Path] | None,
    typer.Option("--voice", help="A recording of one voice. May be repeated.", exists=True, dir_okay=False),
]
_RecognizerOption = Annotated[
    Path | None,
    typer.Option(
        "--recognizer",
        metavar="FILE.toml",
        help="A recognizer of faces by its manifest; by default dlib's, of bauta[evaluation].",
        exists=True,
        dir_okay=False,
    ),
]


@app.command("init")
def init(target: _OutputOption, json: JsonOption = False) -> int:
    """Make an owner's key under a passphrase, and beside it FILE.context, for those who match."""
    context_file = context_beside(target)
    _require_new(target, context_file)
    owner, context = make_keys()
    owner.write(target, ask_new_passphrase("owner's key"))
    write_key_file(context_file, context.encoded, None)
    say("Whoever has the key and its passphrase reads every score and every template.")
    told = {"key": str(target), "context": str(context_file), "context_id": context.context_id.hex()}
    output.result(told, f"{target}\n{context_file}")
    return 0


@app.command("enroll")
def enroll(
    context: _ContextArgument,
    target: _OutputOption,
    face: _FaceOption = None,
    voice: _VoiceOption = None,
    recognizer: _RecognizerOption = None,
    json: JsonOption = False,
) -> int:
    """Encrypt the template of one person, who agreed: from pictures with one face, or recordings."""
    _require_new(target)
    found = vectors_in(face or (), voice or (), recognizer, one_each=True)
    opened = PublicContext.read(context)
    space = Space(Kind(found.kind), found.network, found.vectors.shape[1])
    template = enrol(opened, space, found.mean())
    write_key_file(target, template.to_bytes(), None)
    told = {
        "template": str(target),
        **space.to_object(),
        "sha256": template.sha256,
        "from": len(found.places),
    }
    output.result(told, str(target))
    return 0


@app.command("match")
def match(
    context: _ContextArgument,
    templates: Annotated[
        list[Path], typer.Argument(metavar="TEMPLATE...", help="Up to 8.", exists=True, dir_okay=False)
    ],
    target: _OutputOption,
    face: _FaceOption = None,
    voice: _VoiceOption = None,
    recognizer: _RecognizerOption = None,
    transform: Annotated[
        Path | None,
        typer.Option(help="The transform that the templates were made with.", exists=True, dir_okay=False),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Compare everybody in pictures or recordings with encrypted templates; their owner reads the scores."""
    _require_new(target)
    opened = PublicContext.read(context)
    read = [EncryptedTemplate.from_bytes(_read(path, MAX_TEMPLATE_BYTES)) for path in templates]
    same = _read_transform(transform) if transform is not None else None
    found = vectors_in(face or (), voice or (), recognizer)
    space = Space(Kind(found.kind), found.network, found.vectors.shape[1])
    for template in read:
        template.require_space(space)
    scores = match_vectors(opened, read, found.vectors, same)
    write_key_file(target, scores.to_bytes(), None)
    files = list(face or voice or ())
    rows = [
        {"row": row, "file": str(files[place.file]), "seconds": round(place.seconds, 3)}
        for row, place in enumerate(found.places)
    ]
    lines = [f"{each['row']:>4}  {each['seconds']:>9.3f} s  {each['file']}" for each in rows]
    output.result({"scores": str(target), "rows": rows}, "\n".join([*lines, str(target)]))
    return 0


@app.command("transform")
def transform(
    context: _ContextArgument,
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE", help="As it was enrolled.", exists=True, dir_okay=False)
    ],
    key: Annotated[Path, typer.Option("--key", help="The transform's file.", dir_okay=False)],
    target: _OutputOption,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make that file first, under a passphrase.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Make a cancelable template of an encrypted one: the same matches, until the transform is replaced."""
    _require_new(target, *([key] if new_key else []))
    opened = PublicContext.read(context)
    read = EncryptedTemplate.from_bytes(_read(template, MAX_TEMPLATE_BYTES))
    if new_key:
        made = Transform.generate()
        write_key_file(key, made.to_bytes(), ask_new_passphrase("transform"))
    else:
        made = _read_transform(key)
    changed = transform_template(opened, read, made)
    write_key_file(target, changed.to_bytes(), None)
    told = {"template": str(target), "transform": changed.transform, "sha256": changed.sha256}
    output.result(told, str(target))
    return 0


@app.command("open")
def open_(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="The owner's key.", exists=True, dir_okay=False)],
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="What a matcher made.", exists=True, dir_okay=False)
    ],
    threshold: Annotated[
        float | None,
        typer.Option(help="Mark cosines from here on; exit 1 where there is none.", min=-1, max=1),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Read encrypted scores: the cosine of each row with each template."""
    context = PublicContext.read(context_beside(key))
    read = EncryptedScores.from_bytes(_read(scores, MAX_SCORES_BYTES))
    owner = OwnerKey.read(key, lambda: ask("Passphrase of the owner's key: "))
    opened = open_scores(owner, context, read)
    known = threshold is not None and bool((opened >= threshold).any())
    lines = []
    for sha256, row in zip(read.templates, opened, strict=True):
        lines.append(f"template {sha256}")
        for number, score in enumerate(row):
            mark = "  <-" if threshold is not None and score >= threshold else ""
            lines.append(f"{number:>4}  {score:+.7f}{mark}")
    told = [
        {"template": sha256, "scores": row.tolist()}
        for sha256, row in zip(read.templates, opened, strict=True)
    ]
    reached = {} if threshold is None else {"reached": known}
    document = {"kind": read.space.kind.value, "transform": read.transform, "templates": told, **reached}
    output.result(document, "\n".join(lines))
    return EXIT_NOBODY if threshold is not None and not known else 0


def context_beside(key: Path) -> Path:
    """Where the public context of an owner's key lies."""
    return key.with_name(key.name + ".context")


def _require_new(*targets: Path) -> None:
    for target in targets:
        if target.exists():
            raise typer.BadParameter("The file exists; nothing is overwritten.")
        if not target.absolute().parent.is_dir():
            raise typer.BadParameter("The folder of the file does not exist.")


def _read(path: Path, most: int) -> bytes:
    """A file, up to one byte more than there may be: whoever parses it refuses that."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _read_transform(path: Path) -> Transform:
    return Transform.from_bytes(read_key_file(path, lambda: ask("Passphrase of the transform: ")))
