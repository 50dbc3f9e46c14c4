"""The parts of `bauta evaluate`: faces, voices and pictures, each with its limit where it has one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from console.commands.options import say
from evaluation.report.markup import Markup

STAGES: Final = {
    "listen": "listening",
    "compare": "comparing voices",
    "read": "reading the words",
    "faces": "looking for faces",
    "attacks": "attacking faces",
    "pictures": "comparing pictures",
}
_LINE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Asked:
    """What is to be evaluated, and how. See `bauta evaluate --help`."""

    original: Path
    anonymized: Path
    enrolment: Path | None
    training: Path | None
    known_key: Path | None
    recognizers: tuple[Path, ...]
    words: bool
    robustness: bool


@dataclass(frozen=True)
class Worst:
    """The attack that got furthest.

    Attributes:
        percent: of what a limit is set for.
        attacker: which of them, as it is told.
        labels: the same for programs.
    """

    percent: float
    attacker: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """What one part found.

    Attributes:
        document: for programs.
        lines: for a terminal.
        sections: for a page.
        worst: the attack that got furthest; None where none was tried.
    """

    document: Mapping[str, Any]
    lines: Sequence[str]
    sections: Sequence[Markup]
    worst: Worst | None = field(default=None)


@dataclass(frozen=True)
class Verdict:
    """Whether a limit is met."""

    is_met: bool
    document: Mapping[str, Any]
    line: str


def floor_verdict(part: Part, floor: float) -> Verdict | None:
    """Says whether every attacker on voices has an equal error rate as high; None without attackers."""
    worst = part.worst
    if worst is None:
        return None
    is_met = worst.percent >= floor
    told = (
        f"{'No lower than' if is_met else 'WEAK: under'} {floor:g} %: the {worst.attacker}, "
        f"has {worst.percent:.1f} %."
    )
    return Verdict(is_met, {"floor": {"percent": floor, "met": is_met, **worst.labels}}, told)


def ceiling_verdict(part: Part, ceiling: float) -> Verdict | None:
    """Says whether no attacker on faces names more people than this; None without attackers."""
    worst = part.worst
    if worst is None:
        return None
    is_met = worst.percent <= ceiling
    told = (
        f"{'No more than' if is_met else 'WEAK: over'} {ceiling:g} %: the attacker {worst.attacker} "
        f"names {worst.percent:.1f} %."
    )
    return Verdict(is_met, {"ceiling": {"percent": ceiling, "met": is_met, **worst.labels}}, told)


def faces_part(asked: Asked) -> Part:
    """Attacks the faces.

    Raises:
        EvaluationError: see evaluate_faces.
    """
    from evaluation.faces import telling
    from evaluation.faces.evaluating import evaluate_faces

    found = evaluate_faces(
        asked.original,
        asked.anonymized,
        enrolment=asked.enrolment,
        known_key=asked.known_key,
        manifests=asked.recognizers,
        is_robust=asked.robustness,
        on_progress=Progress(),
    )
    strongest = found.strongest()
    worst = None
    if strongest is not None:
        labels = {
            "knowledge": strongest.knowledge,
            "preparation": strongest.preparation,
            "recognizer": strongest.recognizer,
        }
        name = f"with {strongest.recognizer}, {strongest.preparation},"
        worst = Worst(100 * strongest.figures.rank_1.value, name, labels)
    return Part(found.document(), telling.lines(found), telling.sections(found), worst)


def voice_part(asked: Asked) -> Part:
    """Attacks the voices.

    Raises:
        EvaluationError: see evaluate_voice.
    """
    from evaluation.voice import telling
    from evaluation.voice.evaluating import evaluate_voice

    found = evaluate_voice(
        asked.original,
        asked.anonymized,
        enrolment=asked.enrolment,
        training=asked.training,
        words=asked.words,
        on_progress=Progress(),
    )
    for each in found.skipped:
        say(f"left out, {each.code}: {each.path}")
    weakest = found.weakest()
    worst = None
    if weakest is not None:
        labels = {"attacker": weakest.attacker, "ears": weakest.ears}
        name = f"{weakest.attacker} attacker, {weakest.ears}"
        worst = Worst(100 * weakest.figures.eer.value, name, labels)
    return Part(found.document(), telling.lines(found), telling.sections(found), worst)


def pictures_part(asked: Asked) -> Part:
    """Measures what is left of the pictures.

    Raises:
        EvaluationError: see evaluate_pictures.
    """
    from evaluation.pictures import telling
    from evaluation.pictures.evaluating import evaluate_pictures

    found = evaluate_pictures(asked.original, asked.anonymized, on_progress=Progress())
    return Part(found.document(), telling.lines(found), telling.sections(found))


PARTS: Final[Mapping[str, Callable[[Asked], Part]]] = {
    "voice": voice_part,
    "faces": faces_part,
    "pictures": pictures_part,
}


class Progress:
    """Says on stderr how far it is: at each new stage, and every other second."""

    def __init__(self) -> None:
        """Has said nothing yet."""
        self._stage = ""
        self._said_at = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Takes a stage, how much of it is done, and of how much; 0 where nobody knows."""
        now = time.monotonic()
        if stage != self._stage or now - self._said_at >= _LINE_SECONDS:
            self._stage, self._said_at = stage, now
            say(f"{STAGES.get(stage, stage)}  {done}{f'/{total}' if total else ''}")
