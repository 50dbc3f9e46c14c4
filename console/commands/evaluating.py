"""The parts of `bauta evaluate`: faces, people, voices and pictures, each with its limit where it has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.commands.evaluation_progress import Progress
from console.commands.options import say
from evaluation.report.markup import Markup

if TYPE_CHECKING:
    # Every part is imported where it runs: no other command needs the attackers' networks.
    from evaluation.faces.findings import RecognitionFindings


@dataclass(frozen=True)
class Asked:
    """What is to be evaluated, and how. See `bauta evaluate --help`."""

    original: Path
    anonymized: Path
    enrolment: Path | None
    training: Path | None
    known_key: Path | None
    recognizers: tuple[Path, ...]
    distance: Path | None
    classifier: Path | None
    words: bool
    robustness: bool

    def of_kind(self, is_person: bool) -> tuple[Path, ...]:
        """Returns the recognizers of people, or the others, which are of faces or of no known kind.

        Raises:
            EvaluationError: model_manifest_invalid.
        """
        from evaluation.networks.manifests import PersonEmbedding
        from evaluation.networks.opening import kind_of

        return tuple(
            path for path in self.recognizers if (kind_of(path) == PersonEmbedding.kind) is is_person
        )


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


def ceiling_verdict(parts: Sequence[Part], ceiling: float) -> Verdict | None:
    """Says whether no attacker on faces, or bodies, names more people than this; None without attackers."""
    tried = [part.worst for part in parts if part.worst is not None]
    if not tried:
        return None
    worst = max(tried, key=lambda each: each.percent)
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

    with Progress() as progress:
        found = evaluate_faces(
            asked.original,
            asked.anonymized,
            enrolment=asked.enrolment,
            known_key=asked.known_key,
            manifests=asked.of_kind(is_person=False),
            is_robust=asked.robustness,
            on_progress=progress,
        )
    return Part(found.document(), telling.lines(found), telling.sections(found), _worst(found))


def people_part(asked: Asked) -> Part:
    """Attacks the bodies.

    Raises:
        EvaluationError: see evaluate_people.
    """
    from evaluation.faces import telling
    from evaluation.people.evaluating import evaluate_people

    with Progress() as progress:
        found = evaluate_people(
            asked.original,
            asked.anonymized,
            manifests=asked.of_kind(is_person=True),
            enrolment=asked.enrolment,
            known_key=asked.known_key,
            is_robust=asked.robustness,
            on_progress=progress,
        )
    return Part(found.document(), telling.lines(found), telling.sections(found), _worst(found))


def _worst(found: RecognitionFindings) -> Worst | None:
    """The attack on faces or bodies that named most."""
    strongest = found.strongest()
    if strongest is None:
        return None
    labels = {
        "knowledge": strongest.knowledge,
        "preparation": strongest.preparation,
        "recognizer": strongest.recognizer,
    }
    name = f"with {strongest.recognizer}, {strongest.preparation},"
    return Worst(100 * strongest.figures.rank_1.value, name, labels)


def voice_part(asked: Asked) -> Part:
    """Attacks the voices.

    Raises:
        EvaluationError: see evaluate_voice.
    """
    from evaluation.voice import telling
    from evaluation.voice.evaluating import evaluate_voice

    with Progress() as progress:
        found = evaluate_voice(
            asked.original,
            asked.anonymized,
            enrolment=asked.enrolment,
            training=asked.training,
            words=asked.words,
            on_progress=progress,
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

    with Progress() as progress:
        found = evaluate_pictures(
            asked.original,
            asked.anonymized,
            distance=asked.distance,
            classifier=asked.classifier,
            on_progress=progress,
        )
    return Part(found.document(), telling.lines(found), telling.sections(found))


PARTS: Final[Mapping[str, Callable[[Asked], Part]]] = {
    "voice": voice_part,
    "faces": faces_part,
    "people": people_part,
    "pictures": pictures_part,
}
