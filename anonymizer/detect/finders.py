"""What is sought in a job, and how: one finder for each network, each with the kinds of things it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from anonymizer.boxes import Boxes
from anonymizer.detect.added_detector import AddedDetector
from anonymizer.detect.blazeface import BlazeFace
from anonymizer.detect.engines import open_detector
from anonymizer.detect.keeping import outside
from anonymizer.detect.looking import CopyAt, Looker
from anonymizer.detect.text import TextDetector, TextLooker
from anonymizer.detect.uniting import united
from anonymizer.errors import AnonymizerError
from anonymizer.manifest import added_name
from anonymizer.models import BLAZEFACE, CENTERFACE, POSE, TEXT, Models
from anonymizer.modes import MODES, STILL_PEOPLE_ROUNDS, STILL_PEOPLE_SCALE, STILL_SCALES, STILL_TEXT_SCALES
from anonymizer.people.moving import MovingLooker
from anonymizer.people.pose import PoseLooker
from anonymizer.settings import MOST_PASSES, STEADY_CAMERA, CoverSettings, Kind, Settings

# While nothing comes or goes, looks for faces may be this many times as far apart.
CALM = 2
# Two frames are less than a tenth of a second; looks for text cost more than looks for faces.
TEXT_MAY_SKIP = 2
# How long a picture that does not change goes without a look for text.
STILL_SECONDS = 1.0

# Looks at a frame: its width, its height and its copies to boxes in its pixels, for every kind sought.
Look = Callable[[int, int, CopyAt], Mapping[Kind, Boxes]]


@dataclass(frozen=True)
class Sought:
    """One kind of things.

    Attributes:
        kind: which.
        settings: how they are covered.
        believes_all: a single faint sighting is as good as a clear one.
    """

    kind: Kind
    settings: CoverSettings
    believes_all: bool = False


@dataclass(frozen=True)
class Finder:
    """One way of looking at frames.

    Attributes:
        sought: the kinds that it finds, each once.
        look: finds them in one frame.
        next_looks: take turns with it where looks are not alike: sizes in turn.
        stride: frames from one look to the next, at most.
        still_seconds: as long as the picture stays the same, looks may be this far apart instead.
        may_skip: so many frames between two looks need none of their own, whatever moves: what is followed is
            covered there as it moved.
        calm_stride: the stride while only what is followed moves, and not far (video/calm.py).
    """

    sought: tuple[Sought, ...]
    look: Look
    stride: int = 1
    still_seconds: float = 0.0
    may_skip: int = 0
    calm_stride: int = 0
    next_looks: tuple[Look, ...] = ()


def open_finders(models: Models, settings: Settings, *, is_still: bool) -> tuple[Finder, ...]:
    """Starts inference in this process, for what a job seeks. Call it after the fork.

    Args:
        models: from load_models.
        settings: what is sought.
        is_still: a still is looked at once, so at every scale; a video as its mode says.

    Raises:
        AnonymizerError: detector_failed, device_unavailable, model_unusable, or model_missing for a detector
            that is asked for and not installed; camera_not_steady where a still has no other detector.
    """
    for kind in settings.sought:
        for name in settings.detectors_of(kind):
            _require(name, models)
    opening = _Opening(models, settings, is_still=is_still)
    finders = [opening.faces()]
    if settings.people is not None:
        finders += opening.people(settings.people)
    read: list[Kind] = [
        kind for kind in ("text", "plate") if kind in settings.sought and TEXT in settings.detectors_of(kind)
    ]
    if read:
        finders.append(opening.text(read))
    finders += [
        opening.added(kind)
        for kind in settings.sought
        if kind in ("text", "plate") and added_name(kind) in settings.detectors_of(kind)
    ]
    return tuple(finders)


def _require(name: str, models: Models) -> None:
    if name == STEADY_CAMERA:
        return
    if name not in models.files:
        raise AnonymizerError("model_missing", f"The policy asks for {name}.")
    if (name == POSE and models.pose is None) or (name == BLAZEFACE and models.blazeface is None):
        raise AnonymizerError("model_missing", f"The policy asks for {name}, which needs OpenVINO.")


class _Opening:
    """Opens the detectors of one job."""

    def __init__(self, models: Models, settings: Settings, *, is_still: bool) -> None:
        self._models = models
        self._settings = settings
        self._mode = MODES[settings.mode]
        self._is_still = is_still

    def faces(self) -> Finder:
        """Every face detector that is asked for; what any of them sees is one thing for one tracker."""
        faces = self._settings.faces
        wanted = self._settings.detectors_of("face")
        added: list[Looker] = []
        turns: list[list[Looker]] = [[]]
        if CENTERFACE in wanted:
            detector = open_detector(self._models, faces.threshold, self._settings.threads)
            sizes, threads = self._sizes(faces.passes), self._settings.threads
            turns = [[Looker(detector, each, faces.threshold, faces.passes, threads)] for each in sizes]
        if BLAZEFACE in wanted and self._models.blazeface is not None:
            second = BlazeFace(self._models.blazeface, faces.threshold)
            # It looks at small and at large parts by itself, as the people's looker does: one copy is enough.
            scale = STILL_PEOPLE_SCALE if self._is_still else self._mode.people_scale
            added.append(Looker(second, (scale,), faces.threshold, faces.passes))
        if added_name("face") in wanted:
            added.append(self._added_looker("face", faces.threshold, faces.passes))
        look, *next_looks = (_look_united("face", [*lookers, *added]) for lookers in turns)
        sought = Sought("face", faces, believes_all=faces.passes == MOST_PASSES)
        stride = self._mode.stride
        calm_stride = stride * CALM if stride > 1 else 0
        return Finder((sought,), look, stride, calm_stride=calm_stride, next_looks=tuple(next_looks))

    def _sizes(self, passes: int) -> tuple[tuple[int, ...], ...]:
        """The sizes of each look for faces, in turn; with further passes every look takes all of them."""
        if self._is_still:
            return (STILL_SCALES,)
        if passes > 1:
            return (tuple({size for sizes in self._mode.scales for size in sizes}),)
        return self._mode.scales

    def people(self, people: CoverSettings) -> list[Finder]:
        """A finder for each way of finding people: each has its own cadence, and so its own tracks."""
        wanted = self._settings.detectors_of("person")
        sought = (Sought("person", people),)
        finders = []
        if POSE in wanted and self._models.pose is not None:
            scale = STILL_PEOPLE_SCALE if self._is_still else self._mode.people_scale
            rounds = STILL_PEOPLE_ROUNDS if self._is_still else self._mode.people_rounds
            looker = PoseLooker(self._models.pose, scale, rounds, people.threshold)
            finders.append(Finder(sought, _look_for("person", looker.look), self._mode.stride))
        if added_name("person") in wanted:
            added = self._added_looker("person", people.threshold, passes=1)
            finders.append(Finder(sought, _look_for("person", added.look), self._mode.stride))
        if STEADY_CAMERA in wanted and not self._is_still:
            moving = MovingLooker(alone=len(wanted) == 1)
            finders.append(Finder(sought, _look_for("person", moving.look)))
        if not finders:
            raise AnonymizerError("camera_not_steady", "A still has nothing that moves.")
        return finders

    def text(self, kinds: Sequence[Kind]) -> Finder:
        """Text, plates or both by one network."""
        sought = tuple(Sought(kind, self._settings.sought[kind]) for kind in kinds)
        looker = TextLooker(
            TextDetector(self._models.files[TEXT], self._settings.threads, self._models.compiled_text),
            STILL_TEXT_SCALES if self._is_still else (self._mode.text_scale,),
            {each.kind: each.settings.threshold for each in sought},
            self._settings.keep,
        )
        return Finder(sought, looker.look, self._mode.text_stride, STILL_SECONDS, TEXT_MAY_SKIP)

    def added(self, kind: Kind) -> Finder:
        """Text or plates by a detector that was added."""
        sought = Sought(kind, self._settings.sought[kind])
        looker = self._added_looker(kind, sought.settings.threshold, passes=1)
        keep = self._settings.keep

        def look(width: int, height: int, copy_at: CopyAt) -> Mapping[Kind, Boxes]:
            return {kind: outside(looker.look(width, height, copy_at), keep, width, height)}

        return Finder((sought,), look, self._mode.text_stride, STILL_SECONDS, TEXT_MAY_SKIP)

    def _added_looker(self, kind: Kind, threshold: float, passes: int) -> Looker:
        name = added_name(kind)
        manifest = self._models.added[name]
        detector = AddedDetector(self._models.files[name], manifest, threshold, self._settings.threads)
        side = max(manifest.layout.width, manifest.layout.height)
        return Looker(detector, (side,), threshold, passes)


def _look_united(kind: Kind, lookers: Sequence[Looker]) -> Look:
    def look(width: int, height: int, copy_at: CopyAt) -> Mapping[Kind, Boxes]:
        return {kind: united([looker.look(width, height, copy_at) for looker in lookers])}

    return look


def _look_for(kind: Kind, look: Callable[[int, int, CopyAt], Boxes]) -> Look:
    return lambda width, height, copy_at: {kind: look(width, height, copy_at)}
