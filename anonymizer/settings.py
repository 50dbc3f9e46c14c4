"""What is asked for (Settings), and how much is allowed (Limits).

Things are found by kind: faces, whole people, text, and the text that has the shape of a number plate. Each
kind that is asked for has its own cover.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from anonymizer.enrolled.person import MOST_PEOPLE, Enrolled
from anonymizer.errors import AnonymizerError
from anonymizer.modes import MODES
from anonymizer.sound.effects import (
    BY_STRENGTH as VOICE_EFFECTS,
)
from anonymizer.sound.effects import (
    MOST_WORD_CHARACTERS,
    MOST_WORDS,
    RECOGNIZERS,
    VoiceEffect,
)

Kind = Literal["face", "person", "text", "plate"]
Effect = Literal["warp", "blur", "swap", "generator", "persona", "mosaic", "remove", "silhouette", "solid"]
Shape = Literal["box", "ellipse"]

# Finds what moves, by no model (people/background.py).
STEADY_CAMERA: Final = "steady-camera"

# Who may look for what: our own detectors first, then the one that whoever runs the worker has added.
DETECTORS: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "face": ("centerface", "mediapipe-face", "custom-face"),
        "person": ("mediapipe-pose", STEADY_CAMERA, "custom-person"),
        "text": ("ppocr-text", "custom-text"),
        "plate": ("ppocr-text", "custom-plate"),
    }
)

# From the weakest to the strongest: where covers overlap, the strongest is put on last and stays.
BY_STRENGTH: Final[tuple[Effect, ...]] = (
    "warp",
    "blur",
    "swap",
    "generator",
    "persona",
    "mosaic",
    "remove",
    "silhouette",
    "solid",
)
_ON_ANYTHING: Final[tuple[Effect, ...]] = ("solid", "blur", "mosaic")
# What may cover what.
EFFECTS_OF: Final[Mapping[Kind, tuple[Effect, ...]]] = MappingProxyType(
    {
        "face": (*_ON_ANYTHING, "persona", "swap", "warp", "generator"),
        "person": (*_ON_ANYTHING, "remove", "silhouette"),
        "text": _ON_ANYTHING,
        "plate": _ON_ANYTHING,
    }
)


# The most careful search. Whoever asks for it wants every sighting believed, however faint.
MOST_PASSES: Final = 3


@dataclass(frozen=True)
class CoverSettings:
    """How the things of one kind are found and covered.

    Attributes:
        effect: what covers them.
        shape: the outline of the cover. An ellipse touches the scaled box from inside: with a scale under
            1.42 it leaves the corners of the detected box open.
        scale: the cover's size as a multiple of the detected box.
        threshold: detections scored below it are ignored.
        linger_seconds: how long a cover stays, growing, after a thing is lost.
        lookahead_seconds: how long before its first detection a thing is covered already.
        detectors: which of DETECTORS look; what any of them finds is covered. Empty stands for our own.
    """

    effect: Effect = "solid"
    shape: Shape = "ellipse"
    scale: float = 1.3
    threshold: float = 0.2
    linger_seconds: float = 0.5
    lookahead_seconds: float = 0.5
    detectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses values out of range.

        Raises:
            AnonymizerError: settings_invalid.
        """
        _require(self.shape in {"box", "ellipse"}, "shape: box or ellipse")
        _require(_within(self.scale, 1, 4), "scale: 1 to 4")
        _require(_within(self.threshold, 0.01, 0.9), "threshold: 0.01 to 0.9")
        _require(_within(self.linger_seconds, 0, 10), "linger_seconds: 0 to 10")
        _require(_within(self.lookahead_seconds, 0, 10), "lookahead_seconds: 0 to 10")


@dataclass(frozen=True)
class FaceSettings(CoverSettings):
    """How faces are found and covered. A threshold of 0.2 is where recall was measured.

    What was seen faintly and briefly only lingers for less (track/sighting.py), except with 3 passes.

    Attributes:
        passes: 1 looks as the mode says, 2 adds a larger scale at 0.7 of the threshold, 3 a mirrored look.
    """

    passes: int = 1

    def __post_init__(self) -> None:
        """Refuses values out of range.

        Raises:
            AnonymizerError: settings_invalid.
        """
        super().__post_init__()
        _require(1 <= self.passes <= MOST_PASSES, "passes: 1 to 3")


@dataclass(frozen=True)
class TextSettings(CoverSettings):
    """How text is found and covered. The threshold is the mean probability that a box's pixels are text."""

    shape: Shape = "box"
    scale: float = 1.2
    threshold: float = 0.3


@dataclass(frozen=True)
class PeopleSettings(CoverSettings):
    """How whole people are found and covered.

    The threshold is that of a suspicion, which a second network then looks at closely (people/pose.py). What
    follows is for the effects "remove" and "silhouette" alone (effects/removal).

    Attributes:
        outline: under which part of a cover the picture is changed: all of it, or, where it is sure which
            pixels are the person's, those with a margin. A mask uncovers what it misses.
        overlay: what is drawn where somebody is, besides.
        smooth_outline: by which share of the body's size a silhouette's outline is smoothed.
        smooth_seconds: the time constant with which limbs and outlines follow what is seen.
    """

    shape: Shape = "box"
    scale: float = 1.1
    threshold: float = 0.3
    outline: Literal["box", "mask"] = "box"
    overlay: Literal["none", "skeleton"] = "none"
    smooth_outline: float = 0.04
    smooth_seconds: float = 0.3

    def __post_init__(self) -> None:
        """Refuses values out of range.

        Raises:
            AnonymizerError: settings_invalid.
        """
        super().__post_init__()
        _require(self.outline in {"box", "mask"}, "outline: box or mask")
        _require(self.overlay in {"none", "skeleton"}, "overlay: none or skeleton")
        _require(_within(self.smooth_outline, 0, 0.2), "smooth_outline: 0 to 0.2")
        _require(_within(self.smooth_seconds, 0, 5), "smooth_seconds: 0 to 5")


@dataclass(frozen=True)
class KeptRegion:
    """A part of the picture in which text may stay: a channel's logo, a clock.

    Attributes:
        left, top, right, bottom: shares of the picture's width and height, 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Refuses values out of range, and a region without a middle.

        Raises:
            AnonymizerError: settings_invalid.
        """
        _require(
            all(_within(edge, 0, 1) for edge in (self.left, self.top, self.right, self.bottom))
            and self.left < self.right
            and self.top < self.bottom,
            "keep: left before right and top before bottom, from 0 to 1",
        )


@dataclass(frozen=True)
class Role:
    """A role that somebody in the picture may have: what differs for them from what holds for everybody.

    Attributes:
        name: as decisions give it.
        covers: how their things are covered, by kind; None for a kind that stays visible. Kinds that are not
            named are covered as everybody's.
        audio: what becomes of their voice; None as of everybody's.
    """

    name: str
    covers: Mapping[Kind, CoverSettings | None]
    audio: VoiceEffect | None = None

    def __post_init__(self) -> None:
        """Refuses an effect that such a thing cannot have, and text: it has no role.

        Raises:
            AnonymizerError: settings_invalid.
        """
        for kind, cover in self.covers.items():
            _require(kind in {"face", "person"}, "roles: faces or people")
            _require(cover is None or cover.effect in EFFECTS_OF[kind], "roles: an effect of the kind")
        _require(self.audio is None or self.audio in VOICE_EFFECTS, "roles: an effect of a voice")


@dataclass(frozen=True)
class LeakSettings:
    """How the finished result is attacked, and what it must hold (anonymizer/leaks).

    That a frame was never looked at, or that the file tells something about itself, no policy can allow.

    Attributes:
        look: "sampled" looks at frames chosen by risk, for a tenth of the job's time; "exhaustive" at all.
        faces: at most so many of 1000 frames looked at in which a face is open.
        under: at most so many of 1000 covers of faces under which a face is found again.
        identities: at most so many of 1000 covers of faces matched to their own original.
        texts: at most so many of 1000 frames looked at in which text can be read.
        voices: at most so many of 1000 stretches matched to their own speaker, of the voice that is found
            again most often.
    """

    look: Literal["sampled", "exhaustive"] = "sampled"
    faces: int = 0
    under: int = 1000
    identities: int = 0
    texts: int = 0
    voices: int = 500

    def __post_init__(self) -> None:
        """Refuses values out of range.

        Raises:
            AnonymizerError: settings_invalid.
        """
        _require(self.look in {"sampled", "exhaustive"}, "leaks: look sampled or exhaustive")
        floors = (self.faces, self.under, self.identities, self.texts, self.voices)
        _require(all(0 <= floor <= 1000 for floor in floors), "leaks: floors from 0 to 1000 in 1000")


@dataclass(frozen=True)
class Settings:
    """One job's settings.

    Attributes:
        mode: a name in MODES.
        faces: how faces are found and covered.
        people: the same for whole people; None where they stay, but for their faces.
        text: the same for text of any kind, plates among it; None where text stays.
        plates: the same for text that has the shape of a number plate.
        keep: where text and plates may stay. A face or a person is covered wherever it is.
        keep_skin: where a person's cover leaves the picture as it is, to the last bit. Faces, text and plates
            are covered there all the same.
        roles: that somebody may be given.
        enrolled: who has one of them wherever their face is recognized (anonymizer/enrolled).
        labels: "letters" writes a letter on each cover of a face, in order of appearance.
        audio: what becomes of every voice for which nothing else is decided. "keep" lets all of the sound
            through as it is; under every other effect nothing passes that is not decided to be kept.
        words: spoken words that are bleeped, where a recognizer is named.
        recognizer: who looks for them (sound/effects.py); empty for nobody.
        captured: whether the result says in which month it was captured, where the original does. All else
            that a file tells about itself is removed, always.
        sensor_noise: whether the camera's own noise is suppressed, in the whole picture.
        lossless: a video stays outside the covers what it was, bit for bit. A still does where its format
            does, without being asked.
        evidence: a video is lossless, and its picture that of the decoder, not turned or otherwise brought
            into another form: where that cannot be, there is no result.
        threads: threads each of the decoder, the detector and the encoder may use.
        personas: 32 bytes that every synthetic face and voice comes from; None draws new ones for this job
            alone.
        pseudonym: which of them the first person of the job has, and whoever speaks longest; empty for none
            in particular.
        voices_drawn: how often voices were drawn for this job before: those that have no pseudonym differ
            from time to time.
        leaks: how the finished result is attacked, and what it must hold.
    """

    mode: Literal["original", "quality", "balanced", "fast"] = "balanced"
    faces: FaceSettings = field(default_factory=FaceSettings)
    people: PeopleSettings | None = None
    text: TextSettings | None = None
    plates: TextSettings | None = None
    keep: tuple[KeptRegion, ...] = ()
    keep_skin: tuple[KeptRegion, ...] = ()
    roles: tuple[Role, ...] = ()
    enrolled: tuple[Enrolled, ...] = field(default=(), repr=False)
    labels: Literal["none", "letters"] = "none"
    audio: VoiceEffect = "remove"
    words: tuple[str, ...] = field(default=(), repr=False)
    recognizer: str = ""
    captured: Literal["remove", "month"] = "remove"
    sensor_noise: Literal["keep", "suppress"] = "keep"
    lossless: bool = False
    evidence: bool = False
    threads: int = 2
    personas: bytes | None = field(default=None, repr=False)
    pseudonym: str = field(default="", repr=False)
    voices_drawn: int = 0
    leaks: LeakSettings = field(default_factory=LeakSettings)

    def __post_init__(self) -> None:
        """Refuses values out of range.

        Raises:
            AnonymizerError: settings_invalid.
        """
        _require(self.mode in MODES, "mode: " + ", ".join(MODES))
        _require(self.audio in VOICE_EFFECTS, "audio: " + ", ".join(VOICE_EFFECTS))
        _require(self.recognizer in RECOGNIZERS, "recognizer: one that is known")
        _require(bool(self.words) == bool(self.recognizer), "words need a recognizer, and it needs words")
        _require(len(self.words) <= MOST_WORDS, f"words: at most {MOST_WORDS}")
        _require(
            all(0 < len(word) <= MOST_WORD_CHARACTERS for word in self.words), "words: each of a usual length"
        )
        _require(self.captured in {"remove", "month"}, "captured: remove or month")
        _require(self.sensor_noise in {"keep", "suppress"}, "sensor_noise: keep or suppress")
        _require(not (self.lossless and self.sensor_noise == "suppress"), "lossless keeps the sensor's noise")
        _require(self.lossless or not self.evidence, "evidence is lossless")
        _require(self.labels in {"none", "letters"}, "labels: none or letters")
        _require(not (self.keep_skin and self.sensor_noise == "suppress"), "keep_skin keeps the noise")
        _require(len({role.name for role in self.roles}) == len(self.roles), "roles: one name each")
        _require(
            all(role.covers.keys() <= self.sought.keys() for role in self.roles), "roles: what is sought"
        )
        _require(len(self.enrolled) <= MOST_PEOPLE, f"enrolled: up to {MOST_PEOPLE}")
        _require(
            {person.role for person in self.enrolled} <= {role.name for role in self.roles},
            "enrolled: one of the roles",
        )
        _require(1 <= self.threads <= 64, "threads: 1 to 64")
        _require(self.personas is None or len(self.personas) == 32, "personas: 32 bytes")
        for kind, cover in self.sought.items():
            _require(cover.effect in EFFECTS_OF[kind], f"effect: {', '.join(EFFECTS_OF[kind])}")
            known = set(cover.detectors) <= set(DETECTORS[kind])
            _require(known, f"detectors: {', '.join(DETECTORS[kind])}")

    @property
    def sought(self) -> Mapping[Kind, CoverSettings]:
        """What is covered, by kind."""
        chosen: dict[Kind, CoverSettings] = {"face": self.faces}
        if self.people is not None:
            chosen["person"] = self.people
        if self.text is not None:
            chosen["text"] = self.text
        if self.plates is not None:
            chosen["plate"] = self.plates
        return chosen

    def as_role(self, name: str, kind: Kind) -> CoverSettings | None:
        """How a thing of somebody who has a role is covered; None where it stays visible.

        Raises:
            AnonymizerError: decisions_invalid, there is no such role.
        """
        for role in self.roles:
            if role.name == name:
                return role.covers.get(kind, self.sought[kind])
        raise AnonymizerError("decisions_invalid", "There is no role of that name.")

    @property
    def hears(self) -> bool:
        """Whether any sound can leave: a job for which none can never decodes it."""
        voices = (self.audio, *(role.audio or self.audio for role in self.roles))
        return any(effect != "remove" for effect in voices)

    @property
    def lets_sound_through(self) -> bool:
        """Whether all sound leaves as it is, unless somebody decides otherwise: nobody need listen to it."""
        voices = (self.audio, *(role.audio or self.audio for role in self.roles))
        return not self.words and all(effect == "keep" for effect in voices)

    def voice_as_role(self, name: str) -> VoiceEffect:
        """What becomes of the voice of somebody who has a role.

        Raises:
            AnonymizerError: decisions_invalid, there is no such role.
        """
        for role in self.roles:
            if role.name == name:
                return role.audio or self.audio
        raise AnonymizerError("decisions_invalid", "There is no role of that name.")

    @property
    def roles_enrolled(self) -> frozenset[str]:
        """The roles that somebody has wherever their face is recognized."""
        return frozenset(person.role for person in self.enrolled)

    def detectors_of(self, kind: Kind) -> tuple[str, ...]:
        """Which detectors look for a kind that is sought."""
        return self.sought[kind].detectors or DETECTORS[kind][:1]


@dataclass(frozen=True)
class Limits:
    """What one job may cost.

    Attributes:
        max_frame_pixels: width times height of one frame or still.
        max_frames: frames of one video.
        max_duration_seconds: time from the first frame to the last.
        max_still_bytes: size of the file of a still, which is read whole.
        max_buffer_bytes: decoded frames that wait for the tracker's look-ahead.
    """

    max_frame_pixels: int = 8192 * 4320
    max_frames: int = 1_000_000
    max_duration_seconds: float = 6 * 3600
    max_still_bytes: int = 256 * 1024 * 1024
    max_buffer_bytes: int = 192 * 1024 * 1024


def _require(holds: bool, detail: str) -> None:
    if not holds:
        raise AnonymizerError("settings_invalid", detail)


def _within(value: float, low: float, high: float) -> bool:
    return math.isfinite(value) and low <= value <= high
