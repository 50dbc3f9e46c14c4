"""`bauta evaluate`: attacks what Bauta made, on its user's own machine.

Originals and results are decoded here, outside the wall: whoever has both may as well learn how much of the
one is left in the other. Nothing is sent anywhere, and nothing is kept but the report that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.commands.evaluating import PARTS, Asked, Part, Verdict, ceiling_verdict, floor_verdict
from console.commands.options import JsonOption, say
from console.report.saving import would_overwrite
from grpc_api.errors import invalid

EXIT_WEAK = 1


def evaluate(
    original: Annotated[
        Path,
        typer.Argument(
            metavar="ORIGINAL",
            help="What was handed in: a file, or a folder of folders, one a person.",
            exists=True,
        ),
    ],
    anonymized: Annotated[
        Path,
        typer.Argument(
            metavar="ANONYMIZED",
            help="What came of it, under the same names; endings may differ.",
            exists=True,
        ),
    ],
    voice: Annotated[bool, typer.Option("--voice", help="Attack the voices.")] = False,
    faces: Annotated[bool, typer.Option("--faces", help="Attack the faces.")] = False,
    people: Annotated[
        bool, typer.Option("--people", help="Attack whole people; needs a --recognizer of people.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Measure what is left of the pictures. All, if none is named.")
    ] = False,
    enrolment: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Other results of the same people, under other keys: for whoever has the same system.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Results of other people, for the semi-informed attacker to learn from; needs --enrolment.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    known_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Results of the same originals under one pseudonym: for who knows its key. Not for voices.",
            exists=True,
        ),
    ] = None,
    recognizer: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.toml",
            help="A recognizer by its manifest, of faces (kind face-embedding) or of whole people "
            "(person-embedding). May be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    distance: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="A network that tells how far two pictures are apart, by its manifest (picture-distance); "
            "by default LPIPS, where its files are.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="A network that tells what is done in a film, by its manifest (kind action).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness/--no-robustness",
            help="Let attackers on faces and people deblur, average and learn first; takes a minute.",
        ),
    ] = True,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Measure what is left of the words, too.")
    ] = True,
    floor: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Exit 1 where any attacker who tells voices apart has a lower equal error rate.",
            min=0,
            max=50,
        ),
    ] = None,
    ceiling: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Exit 1 where any attacker names more people by their faces, or bodies (Rank-1).",
            min=0,
            max=100,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write the findings as one page, too.", dir_okay=False),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Attack anonymized recordings as others would, and tell how far that got."""
    if training is not None and enrolment is None:
        raise typer.BadParameter("--training needs --enrolment: the attacker compares results with results.")
    if floor is not None and original.is_file():
        raise typer.BadParameter("--floor needs folders of several people: two files hold no attack.")
    if report is not None and not report.absolute().parent.is_dir():
        raise typer.BadParameter("The folder of the report does not exist.")
    if report is not None and would_overwrite(report, [original, anonymized]):
        raise typer.BadParameter("The report would overwrite what is evaluated.")
    asked = Asked(
        original=original,
        anonymized=anonymized,
        enrolment=enrolment,
        training=training,
        known_key=known_key,
        recognizers=tuple(recognizer or ()),
        distance=distance,
        classifier=classifier,
        words=words,
        robustness=robustness,
    )
    parts = {"faces": faces, "people": people, "voice": voice, "pictures": pictures}
    named = [part for part, is_named in parts.items() if is_named]
    # What a limit is set for has to be there.
    named += ["voice"] if floor is not None and "voice" not in named else []
    named += ["faces"] if ceiling is not None and not {"faces", "people"} & set(named) else []
    found = _found(asked, named)
    limits: list[Verdict | None] = []
    if floor is not None:
        limits.append(floor_verdict(found["voice"], floor))
    if ceiling is not None:
        limited = [found[name] for name in ("faces", "people") if name in found]
        limits.append(ceiling_verdict(limited, ceiling))
    verdicts = [verdict for verdict in limits if verdict is not None]
    document: dict[str, Any] = {name: part.document for name, part in found.items()}
    told = [line for part in found.values() for line in part.lines]
    for verdict in verdicts:
        document |= verdict.document
        told.append(verdict.line)
    if report is not None:
        # Only here: no other command needs it.
        from evaluation.report.page import render, save

        save(report, render(section for part in found.values() for section in part.sections))
        document["report"] = str(report)
        told.append(str(report))
    output.result(document, "\n".join(told))
    return EXIT_WEAK if any(not verdict.is_met for verdict in verdicts) else 0


def _found(asked: Asked, named: Sequence[str]) -> dict[str, Part]:
    """Evaluates what was named, or where nothing was, all of it but what the recordings have none of.

    Raises:
        ServiceError: with one of the codes of `evaluation` or of media.
    """
    # Only here: no other command needs the decoders and the attackers' networks.
    from evaluation.errors import EvaluationError

    found: dict[str, Part] = {}
    refused: list[EvaluationError] = []
    for name, evaluated in PARTS.items():
        if named and name not in named:
            continue
        try:
            found[name] = evaluated(asked)
        except EvaluationError as error:
            if named:
                raise invalid(error.code, str(error)) from None
            refused.append(error)
            say(f"{name}: nothing evaluated, {error.code}: {error}")
    if not found:
        raise invalid(refused[0].code, str(refused[0]))
    return found
