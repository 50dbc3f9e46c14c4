"""What one job does with a sound track: whether it listens, what it decides, and who speaks instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from anonymizer.errors import AnonymizerError
from anonymizer.keeping import Keeper
from anonymizer.leaks.voices import VoiceFindings, attack_voices
from anonymizer.models import Models
from anonymizer.recovery.voices import VoiceKeeper
from anonymizer.review.session import Session
from anonymizer.settings import Limits, Settings
from anonymizer.sound.effects import VoiceEffect
from anonymizer.sound.listening import Ears, Heard, listen
from anonymizer.sound.making import Maker
from anonymizer.sound.masks import Masks
from anonymizer.sound.plan import Plan, plan_of
from anonymizer.speakers import open_speakers
from anonymizer.speakers.finder import SpeakerFinder
from anonymizer.speakers.turns import Turns
from anonymizer.voice import VoiceMask, VoiceNetworks, convert, open_voice
from anonymizer.words import WordFinder, WordList

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SoundJob:
    """What stays the same for every track of one kind of job.

    Attributes:
        settings: what to do.
        limits: what it may cost.
        models: loaded and checked.
        reviewed: whether a person is shown who speaks when.
        replayed: who spoke when, by an earlier passage.
        collect: is given what each speaker sounds like; None where nobody wants it.
    """

    settings: Settings
    limits: Limits
    models: Models
    reviewed: bool
    replayed: Turns | None
    collect: Callable[[Samples], None] | None = None

    @property
    def listens(self) -> bool:
        """Whether a track is heard before anything is done to it."""
        if not self.settings.hears:
            return False
        if not self.settings.lets_sound_through or self.collect is not None:
            return True
        return self.replayed is not None or (self.reviewed and self.models.speakers is not None)

    def listen(self, frames: Iterator[AudioFrame], begins: Fraction) -> Heard | None:
        """Hears a whole track; None where there is not one sample.

        Raises:
            AnonymizerError: model_missing, and what listening.listen raises.
        """
        ears = self._ears()
        heard = listen(frames, begins, self.limits.max_duration_seconds, ears, self.replayed)
        if self.collect is not None and heard is not None and heard.voices is not None:
            self.collect(heard.voices)
        return heard

    def plan(self, heard: Heard, session: Session) -> Plan | None:
        """Decides what happens; None where all sound is let through as it is.

        Raises:
            AnonymizerError: record_refused, review_too_large.
        """
        session.hear(heard.turns)
        bleep: VoiceEffect = "bleep"
        words = [(begin, end, bleep) for begin, end in heard.words or ()]
        spans = [*session.muted, *words]
        plan = plan_of(heard.turns, self.settings.audio, session.voice_effect, spans, heard.begins)
        only_kept = all(stretch.effect == "keep" for stretch in plan.stretches)
        return None if only_kept and self.settings.lets_sound_through else plan

    def maker(self, heard: Heard, plan: Plan, keeper: Keeper | None = None) -> Maker:
        """Opens what makes the sound, and tells a keeper what it replaces.

        Raises:
            AnonymizerError: model_missing, model_unusable.
        """
        speaks = any(stretch.effect == "anonymize" for stretch in plan.stretches)
        voices = VoiceKeeper(keeper, plan, heard.rate, heard.begins_at) if keeper is not None else None
        return Maker(heard, plan, self._speaker(heard.turns) if speaks else _nobody_speaks, voices)

    def attack(
        self, result: BinaryIO, heard: Heard | None, plan: Plan | None
    ) -> Callable[[float], VoiceFindings | None] | None:
        """Returns what attacks the finished sound, for so many seconds; None where none was made anew."""
        if heard is None or plan is None:
            return None
        return partial(attack_voices, result, heard, plan, self.models, self.settings.threads)

    def _ears(self) -> Ears:
        push: list[Callable[[Samples], None]] = []
        finder: SpeakerFinder | None = None
        if self.replayed is None and self.models.speakers is None:
            raise AnonymizerError("model_missing", "It tells who speaks.")
        if self.models.speakers is not None:
            # Where it is known who speaks, voices are heard all the same: the result is compared with them.
            finder = SpeakerFinder(open_speakers(self.models.speakers, self.settings.threads))
            push.append(finder.push)
        words: WordFinder | None = None
        if self.settings.words:
            if self.models.recognizer is None:
                raise AnonymizerError("model_missing", "It finds spoken words.")
            words = WordFinder(self.models.recognizer, WordList.of(self.settings.words))
            push.append(words.push)
        return Ears(
            tuple(push),
            None if finder is None or self.replayed is not None else finder.finish,
            None if words is None else words.finish,
            None if finder is None else finder.voices_of,
        )

    def _speaker(self, turns: Turns) -> Callable[[int, Samples], Samples]:
        if self.models.voice is None:
            raise AnonymizerError("model_missing", "It changes voices.")
        networks = open_voice(self.models.voice, self.settings.threads)
        masks = Masks(self.settings, turns)
        return _Voices(networks, masks).speak


class _Voices:
    """Who speaks instead of whom."""

    def __init__(self, networks: VoiceNetworks, masks: Masks) -> None:
        self._networks = networks
        self._masks = masks
        self._known: dict[int, VoiceMask] = {}

    def speak(self, speaker: int, speech: Samples) -> Samples:
        """Lets the mask of a speaker say what was said; fails where anything else than speech comes back."""
        if speaker not in self._known:
            self._known[speaker] = VoiceMask.of(self._masks.seed_of(speaker))
        said = convert(self._networks, self._known[speaker], speech)
        if said.shape != speech.shape or not np.isfinite(said).all():
            raise AnonymizerError("detector_failed")
        return said


def _nobody_speaks(speaker: int, speech: Samples) -> Samples:
    raise AssertionError("the plan has nobody speak")
