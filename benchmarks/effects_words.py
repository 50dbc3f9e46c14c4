"""The page that goes with the pictures of every effect: what each does, what is left, what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NOT_MEASURED: Final = "–"

# Of 100 people, how many `bauta evaluate` named whose gallery was treated alike, with the 95 % interval
# (docs/evaluating.md; `python -m benchmarks.face_attack`).
STRENGTH: Final = {
    "face-solid": "13 (3 to 24) at 1.3 of the face; 27 (14 to 40) at 1.0",
    "face-mosaic": "10 (5 to 16)",
    "face-persona": "6 (1 to 12)",
    "face-swap": "14 to 15, measured before",
    "face-blur": "16 (9 to 24)",
    "face-warp": "**82 (72 to 90)**",
}

ABOUT: Final = {
    "face-solid": "Neutral grey. Nothing under it comes from the face; the cover's place and size do.",
    "face-persona": (
        "A drawn head, plainly nobody's. It turns, looks, blinks and speaks as the face does, and has "
        "nothing else of it. Who somebody is drawn as comes from a seed: the same pseudonym has the "
        "same persona in every video, and another scope has others."
    ),
    "face-swap": (
        "Another face in the light that is there: one that an operator has added, of somebody who "
        "agreed, or a painted one. Pose and expression come through, as with a persona."
    ),
    "face-generator": (
        "What a network of the operator's own draws from a seed and the place of the features. The one that "
        "is pictured was made on the spot and has a page of code: it shows the way, not the art."
    ),
    "face-mosaic": (
        "A few large blocks, each the mean of what it hides: their size follows the face's, so a "
        "small face has no more of them than a large one."
    ),
    "face-blur": (
        "A blur whose reach is 0.4 of the face's width. Weak: an attacker who blurs his gallery alike"
        " knows one in five."
    ),
    "face-warp": (
        "The same face with its features moved. Weak by its nature: every pixel of it is an original "
        "one, somewhere else. It misleads a glance, and no recognizer that looks for somebody."
    ),
    "person-solid": "Neutral grey over the whole person.",
    "person-remove": (
        "The room behind, as it was seen before and after. Where it never was, it is guessed from "
        "what lies around. The camera must stand still."
    ),
    "person-remove-skeleton": (
        "Removed, and the body's joints drawn in its place: what was done stays readable, who did it "
        "does not. A gait still says something about somebody; it is smoothed."
    ),
    "person-silhouette": "Removed, and a flat, smoothed outline drawn in its place.",
    "person-mosaic": ("The blocks of the face's mosaic, as large as a body is. The colours of clothes stay."),
    "person-blur": (
        "The blur, as far as a body is large. The colours of clothes stay, and so does the gait. Weak."
    ),
}

TITLES: Final = {"remove-skeleton": 'remove, with `overlay = "skeleton"`'}

_HEAD: Final = """\
# Every effect, on one clip

Made by `make pictures`; do not edit. Somebody (NASA's portrait of Eileen Collins, public domain, as
scikit-image ships it) walks through a room; each effect covers the same clip of {frames} frames at {size}. A
policy picks one for each kind of thing: [policies.md](policies.md). Covers are 1.3 times the face, in an
ellipse, and 1.1 times the person: what lies beside them, such as hair, stays under every effect.

**Cost** is what covering takes of a frame in which something is covered: the median of {rounds} rounds, in
each of which every effect had its turn, on a machine with two cores and other work to do. Finding,
following and encoding come on top and are the same for all. Of times the ratios count.

**Named** is how many of 100 people `bauta evaluate` named by dlib's recognizer in a gallery that was treated
alike, with the 95 % interval: photographs of 22 people, chance 4.5 ([evaluating.md](evaluating.md), which
has other attackers too). {dash} means: not measured. Until it is, take the effect for
pleasant and not for safe. "No detector fires on it" is no strength.
"""

_FACES_TOO: Final = """
Faces are sought beside people, always, and covered by an effect of their own: here a solid one.
"""

_TABLE: Final = """
| effect on {whom} | cost, ms a frame | of solid's | named, of 100 |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Words:
    """One row of the page.

    Attributes:
        name: of the look, such as face-solid.
        kind: what is covered.
        milliseconds: for each frame in which something is covered.
    """

    name: str
    kind: str
    milliseconds: float

    @property
    def title(self) -> str:
        """The effect as a heading."""
        effect = self.name.removeprefix(f"{self.kind}-")
        return TITLES.get(effect, effect)


def document(rows: Sequence[Words], *, frames: int, size: tuple[int, int], rounds: int) -> str:
    """Returns the page.

    Args:
        rows: what was shown and measured, faces first, the strongest first.
        frames: of the clip.
        size: of the clip, in pixels.
        rounds: how often each was timed.
    """
    shape = f"{size[0]}×{size[1]}"
    text = _HEAD.format(frames=frames, size=shape, rounds=rounds, dash=NOT_MEASURED)
    for kind, whom, heading in (("face", "faces", "Faces"), ("person", "people", "Whole people")):
        chosen = [row for row in rows if row.kind == kind]
        if not chosen:
            continue
        text += f"\n## {heading}\n{_FACES_TOO if kind == 'person' else ''}" + _TABLE.format(whom=whom)
        solid = next((row.milliseconds for row in chosen if row.name == f"{kind}-solid"), 0.0)
        for row in chosen:
            times = f"{row.milliseconds / solid:.0f} ×" if solid else NOT_MEASURED
            strength = STRENGTH.get(row.name, NOT_MEASURED)
            text += f"| {row.title} | {row.milliseconds:.1f} | {times} | {strength} |\n"
        text += f"\n### The original\n\n![The original](effects/{kind}-original.jpg)\n"
        for row in chosen:
            text += f"\n### {row.title}\n\n![{row.name}](effects/{row.name}.jpg)\n\n{ABOUT[row.name]}\n"
            if row.name == "face-persona":
                text += "\n![Other personas](effects/personas.jpg)\n\nThe same moment with six other seeds.\n"
    return text
