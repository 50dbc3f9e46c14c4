"""Shows every effect, and what it costs: `python -m benchmarks.effects_pictures` writes docs/effects.md anew.

Which effects there are is asked of the anonymizer's registry. All of them cover the same clip, in turns, so
that what a frame costs can be compared within one run.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

import av
import cv2
import numpy as np

from anonymizer import FaceSettings, Limits, Models, PeopleSettings, Report, Settings, anonymize, load_models
from anonymizer.effects import EFFECTS
from anonymizer.errors import AnonymizerError
from anonymizer.settings import BY_STRENGTH, EFFECTS_OF, STEADY_CAMERA, Effect, Kind
from benchmarks.effects_clip import FPS, SECONDS, SIZE, Pixels, clip, frame_at, head_at
from benchmarks.effects_network import with_a_generator
from benchmarks.effects_words import Words, document

MOMENTS: Final = (3.75, 4.75, 6.0)
HEAD_CROP: Final = 330
PANEL: Final = {"face": (300, 300), "person": (400, 225)}
ROUNDS: Final = 3
JPEG_QUALITY: Final = 84
PERSONAS: Final = 6


@dataclass(frozen=True)
class Look:
    """One way to cover one kind of things.

    Attributes:
        kind: what is covered.
        effect: by what.
        overlay: what is drawn besides, for people.
    """

    kind: Kind
    effect: Effect
    overlay: str = "none"

    @property
    def name(self) -> str:
        """For files: face-solid, person-remove-skeleton."""
        return "-".join([self.kind, self.effect, *([self.overlay] if self.overlay != "none" else [])])

    def settings(self) -> Settings:
        """What the anonymizer is asked for; every look finds and follows the same things alike."""
        if self.kind == "face":
            faces = FaceSettings(effect=self.effect)
            return Settings(mode="quality", faces=faces, personas=bytes(range(32)))
        people = PeopleSettings(
            effect=self.effect,
            overlay="skeleton" if self.overlay == "skeleton" else "none",
            detectors=("mediapipe-pose", STEADY_CAMERA),
        )
        return Settings(mode="quality", people=people, personas=bytes(range(32)))


def looks() -> Iterator[Look]:
    """Every effect in the registry on faces and on people, from the strongest to the weakest."""
    for kind in ("face", "person"):
        for effect in reversed(BY_STRENGTH):
            if effect in EFFECTS and effect in EFFECTS_OF[kind]:
                yield Look(kind, effect)
                if effect == "remove":
                    yield Look(kind, effect, "skeleton")


@cache
def _models() -> Models:
    return with_a_generator(load_models(device="cpu"))


def covered(look: Look) -> tuple[bytes, Report]:
    """Covers the clip.

    Raises:
        AnonymizerError: model_missing, where the effect needs what this machine has not.
    """
    sink = io.BytesIO()
    report = anonymize(io.BytesIO(clip()), sink, settings=look.settings(), models=_models(), limits=Limits())
    return sink.getvalue(), report


def cost(report: Report, kind: Kind) -> float:
    """Milliseconds that covering took for each frame in which something was covered."""
    return 1000 * report.stage_seconds["cover"] / max(1, report.frames_with[kind])


def strip(shown: Sequence[Pixels], kind: Kind) -> Pixels:
    """The moments of a clip beside each other: heads alone for faces, whole frames for people."""
    panels = []
    for seconds, frame in zip(MOMENTS, shown, strict=True):
        part = frame
        if kind == "face":
            across, down = head_at(seconds)
            left = min(max(0, across - HEAD_CROP // 2), SIZE[0] - HEAD_CROP)
            top = min(max(0, down - HEAD_CROP // 2), SIZE[1] - HEAD_CROP)
            part = frame[top : top + HEAD_CROP, left : left + HEAD_CROP]
        panels.append(cv2.resize(part, PANEL[kind], interpolation=cv2.INTER_AREA))
    return np.asarray(np.hstack(panels), np.uint8)


def at_moments(encoded: bytes) -> list[Pixels]:
    """The frames of a video at MOMENTS."""
    wanted = {round(seconds * FPS) for seconds in MOMENTS}
    with av.open(io.BytesIO(encoded), "r") as container:
        decoded = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for n, frame in decoded if n in wanted]


def personas() -> Pixels:
    """The same moment with other seeds: who else might have stood there."""
    seconds, heads = MOMENTS[1], []
    picture = cv2.imencode(".png", cv2.cvtColor(frame_at(seconds), cv2.COLOR_RGB2BGR))[1].tobytes()
    for seed in range(1, PERSONAS + 1):
        sink = io.BytesIO()
        settings = Settings(faces=FaceSettings(effect="persona"), personas=bytes([seed] * 32))
        anonymize(io.BytesIO(picture), sink, settings=settings, models=_models(), limits=Limits())
        shown = cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)
        across, down = head_at(seconds)
        top, left = max(0, down - HEAD_CROP // 2), max(0, across - HEAD_CROP // 2)
        head = shown[top : top + HEAD_CROP, left : left + HEAD_CROP]
        heads.append(cv2.resize(head, (200, 200), interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.cvtColor(np.hstack(heads), cv2.COLOR_BGR2RGB), np.uint8)


def save(path: Path, picture: Pixels) -> None:
    """Writes a picture, small enough for a page that shows many."""
    quality = [int(cv2.IMWRITE_JPEG_QUALITY), JPEG_QUALITY, int(cv2.IMWRITE_JPEG_PROGRESSIVE), 1]
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Show every effect and measure what it costs.")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where effects.md and effects/ go")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each effect is timed, in turns")
    chosen = parser.parse_args()
    folder = chosen.docs / "effects"
    folder.mkdir(exist_ok=True)
    for kind in ("face", "person"):
        save(folder / f"{kind}-original.jpg", strip([frame_at(s) for s in MOMENTS], kind))
    costs: dict[Look, list[float]] = {}
    for look in looks():
        try:
            encoded, report = covered(look)
        except AnonymizerError as error:
            if error.code != "model_missing":
                raise
            print(f"{look.name}: not on this machine, model_missing")
            continue
        save(folder / f"{look.name}.jpg", strip(at_moments(encoded), look.kind))
        costs[look] = [cost(report, look.kind)]
    if any(look.effect == "persona" for look in costs):
        save(folder / "personas.jpg", personas())
    for _ in range(1, chosen.rounds):
        for look, found in costs.items():
            found.append(cost(covered(look)[1], look.kind))
    rows = [Words(look.name, look.kind, median(found)) for look, found in costs.items()]
    page = document(rows, frames=round(SECONDS * FPS), size=SIZE, rounds=chosen.rounds)
    (chosen.docs / "effects.md").write_text(page, "utf-8")
    for row in rows:
        print(f"{row.name:<24} {row.milliseconds:7.2f} ms")


if __name__ == "__main__":
    main()
