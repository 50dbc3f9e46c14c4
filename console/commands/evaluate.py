"""`bauta evaluate`: attacks what Bauta made, on its user's own machine.

Originals and results are decoded here, outside the wall: whoever has both may as well learn how much of the
one is left in the other. Nothing is sent anywhere, and nothing is kept but the report that was asked for.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.commands.options import JsonOption, say
from console.report.saving import would_overwrite
from grpc_api.errors import invalid

EXIT_WEAK = 1
STAGES = {"listen": "listening", "compare": "comparing voices", "read": "reading the words"}
_LINE_SECONDS = 2.0


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
    voice: Annotated[
        bool, typer.Option("--voice", help="Attack the voices; the default where nothing is named.")
    ] = False,
    enrolment: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Other results of the same people, under other keys: for the lazily informed attacker.",
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
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Measure what is left of the words, too.")
    ] = True,
    floor: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Exit 1 where any attacker who tells people apart has a lower equal error rate.",
            min=0,
            max=50,
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
    # Only here: no other command needs the decoders and the attackers' networks.
    from evaluation.errors import EvaluationError
    from evaluation.report.page import render, save
    from evaluation.voice import telling
    from evaluation.voice.evaluating import evaluate_voice

    try:
        found = evaluate_voice(
            original, anonymized, enrolment=enrolment, training=training, words=words, on_progress=_Progress()
        )
    except EvaluationError as error:
        raise invalid(error.code, str(error)) from None
    for each in found.skipped:
        say(f"left out, {each.code}: {each.path}")
    if report is not None:
        save(report, render(telling.sections(found)))
    weakest = found.weakest()
    is_weak = floor is not None and weakest is not None and 100 * weakest.figures.eer.value < floor
    told = telling.lines(found)
    document: dict[str, Any] = {"voice": found.document()}
    if floor is not None and weakest is not None:
        document["floor"] = {
            "percent": floor,
            "met": not is_weak,
            "attacker": weakest.attacker,
            "ears": weakest.ears,
        }
        told.append(
            f"{'WEAK: under' if is_weak else 'No lower than'} {floor:g} %: the {weakest.attacker} attacker, "
            f"{weakest.ears}, has {100 * weakest.figures.eer.value:.1f} %."
        )
    if report is not None:
        document["report"] = str(report)
        told.append(str(report))
    output.result(document, "\n".join(told))
    return EXIT_WEAK if is_weak else 0


class _Progress:
    """Says on stderr how far it is: at each new stage, and every other second."""

    def __init__(self) -> None:
        self._stage = ""
        self._said_at = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._said_at >= _LINE_SECONDS:
            self._stage, self._said_at = stage, now
            say(f"{STAGES.get(stage, stage)}  {done}/{total}")
