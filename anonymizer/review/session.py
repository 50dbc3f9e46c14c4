"""One passage of a video or still: who looks or remembers, what was decided, and what is kept of it.

A job without a review has one too; it looks, decides nothing and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Boxes
from anonymizer.detect.finders import Finder
from anonymizer.effects.operator import Scene
from anonymizer.enrolled.recognizing import Recognition
from anonymizer.enrolled.remembering import Remembering
from anonymizer.errors import AnonymizerError
from anonymizer.leaks.checked import Looks, Recorded, Shown
from anonymizer.review.deciding import AsRole, Decided, Decider, Numbers, Seen
from anonymizer.review.decisions import Decisions
from anonymizer.review.filming import Filmer
from anonymizer.review.recording import Record, Recorder
from anonymizer.review.replaying import Replay, ReplayedCuts, found_in_still
from anonymizer.review.sheet import Sheet
from anonymizer.review.voices import VoiceAsRole, Voices
from anonymizer.settings import CoverSettings, Effect, Kind
from anonymizer.sound.effects import VoiceEffect
from anonymizer.speakers.turns import Turns
from anonymizer.track.scene import SceneCuts
from anonymizer.video.copies import Copies
from anonymizer.video.following import Following
from anonymizer.video.searching import Search


class Session:
    """One passage. Frames come in order, and once.

    Attributes:
        finders: what is looked for; those of a replay cannot look.
        numbers: gives each thing its number in the job.
        record: everything that was seen, once it is finished; None where none is kept.
        sheet: what a person is shown; likewise.
        looks: who looked at which frame; asked for once, as frames leave.
    """

    def __init__(
        self,
        finders: Sequence[Finder],
        *,
        keeps: bool = False,
        replayed: Record | None = None,
        decisions: Decisions | None = None,
        as_role: AsRole | None = None,
        recognition: Recognition | None = None,
        roles: Collection[str] = (),
        voice: VoiceEffect = "remove",
        voice_as_role: VoiceAsRole | None = None,
    ) -> None:
        """Takes what to look with.

        Args:
            finders: of a replay those that `finders_of` gave.
            keeps: whether a record and a sheet are made.
            replayed: the record of an earlier passage, to be told again instead of looking.
            decisions: about that record.
            as_role: how those who have a role are covered; needed where decisions or faces give one.
            recognition: says whose face is that of somebody who is enrolled; of a replay the record does.
            roles: that it may give.
            voice: what becomes of every voice about which nothing is decided.
            voice_as_role: what becomes of those of roles; needed where decisions give one.

        Raises:
            AnonymizerError: decisions_invalid, also where they name what was never followed or heard.
        """
        shown = Shown(finders)
        self.looks: Looks = shown if replayed is None else Recorded(replayed)
        self.finders = shown.watched
        self._copies: Copies = shown.copies
        self.numbers = Numbers([[sought.kind for sought in finder.sought] for finder in finders])
        self.record: Record | None = None
        self.sheet: Sheet | None = None
        self._replayed = replayed
        decisions = decisions or Decisions()
        self._require_followed(decisions)
        usual = {sought.kind: sought.settings for finder in finders for sought in finder.sought}
        if replayed is not None:
            recognition, roles = Remembering(replayed.recognized), {r.role for r in replayed.recognized}
        self._recognition = recognition
        self._decider = Decider(decisions, usual, self.numbers, as_role or _no_role, roles)
        spoken = replayed.spoken if replayed is not None else None
        self._voices = Voices(decisions, spoken, voice, voice_as_role or _no_voice_of_role)
        self._recorder = Recorder(finders) if keeps and replayed is None else None
        self._filmer = Filmer() if keeps else None
        self._painted: tuple[Scene, Decided] | None = None
        self._scene_cuts = SceneCuts()
        self._known_cuts = ReplayedCuts(replayed) if replayed is not None else None

    @property
    def wanted(self) -> set[tuple[Effect, Kind]]:
        """The effects that decisions and roles ask for, besides the policy's."""
        return self._decider.wanted

    @property
    def recognized(self) -> tuple[int, int]:
        """Frames and tracks that are covered otherwise, or not at all, because somebody was recognized."""
        return self._decider.recognized_frames, len(self._decider.recognized_tracks)

    @property
    def muted(self) -> tuple[tuple[float, float, VoiceEffect], ...]:
        """When nothing may be understood: begin and end in seconds, and what is heard instead."""
        return self._voices.muted

    def hear(self, turns: Turns) -> None:
        """Hears who speaks when, before the first frame.

        Raises:
            AnonymizerError: record_refused, where that is not what the record says; review_too_large.
        """
        self._voices.hear(turns)
        if self._recorder is not None:
            self._recorder.hear(turns)

    def voice_effect(self, speaker: int) -> VoiceEffect | None:
        """Returns what was decided about a speaker's voice; None for nothing."""
        return self._voices.effect(speaker)

    def searches(self) -> list[Following]:
        """Opens what follows things through a video: one for each finder."""
        if self._replayed is not None:
            return [
                Replay(self._replayed, search, finder.sought) for search, finder in enumerate(self.finders)
            ]
        recorder = self._recorder
        return [
            Search(finder, self._copies, partial(recorder.look, search) if recorder is not None else None)
            for search, finder in enumerate(self.finders)
        ]

    def found_in_still(self, look: Callable[[Finder], Mapping[Kind, Boxes]]) -> list[Mapping[Kind, Boxes]]:
        """Returns what each finder sees in a still, or saw.

        Raises:
            AnonymizerError: detector_failed, record_refused or review_too_large.
        """
        if self._replayed is not None:
            return [found_in_still(self._replayed, search) for search in range(len(self.finders))]
        found = [look(finder) for finder in self.finders]
        if self._recorder is not None:
            for search, boxes in enumerate(found):
                self._recorder.look(search, 0, boxes)
        return found

    def is_cut(self, index: int, luma: npt.NDArray[np.uint8]) -> bool:
        """Takes the next frame of a video; tells whether a new shot begins with it.

        Raises:
            AnonymizerError: review_too_large.
        """
        if self._known_cuts is not None:
            return self._known_cuts.is_cut(index)
        is_cut = self._scene_cuts.is_cut(luma)
        if self._recorder is not None:
            self._recorder.now = index
            if is_cut:
                self._recorder.cut(index)
        return is_cut

    def flush(self, frames: int) -> None:
        """Hears that there were so many frames: what is looked at from now on is looked at after them all."""
        if self._recorder is not None:
            self._recorder.now = frames

    def decide(self, seen: Sequence[Seen], scene: Scene) -> Decided:
        """Returns what becomes of what was seen in a frame, which is uncovered yet (`Decider.decide`).

        Raises:
            AnonymizerError: detector_failed, record_refused or review_too_large.
        """
        if self._recognition is not None:
            faces = {each.track: each.box for each in seen if each.kind == "face"}
            roles = self._recognition.roles(scene, faces)
            if self._recorder is not None:
                self._recorder.recognized(roles)
            seen = [replace(each, role=roles.get(each.track, "")) for each in seen]
        return self._decider.decide(seen, scene.width, scene.height, scene.time)

    def painted(self, scene: Scene, decided: Decided) -> None:
        """Hears that everything is painted in a frame; `film` is called before the next one."""
        self._painted = scene, decided

    def film(self) -> None:
        """Takes the sheet's pictures of the frame that was painted last, once it is as it will be encoded."""
        if self._filmer is not None and self._painted is not None:
            self._filmer.film(*self._painted)
        self._painted = None

    def finish(self, width: int, height: int, frames: int, begun: Sequence[tuple[int, ...]]) -> None:
        """Hears what the whole was.

        Args:
            width, height: pixels.
            frames: how many there were.
            begun: how many numbers were given, for each search and kind.

        Raises:
            AnonymizerError: record_refused, where the record is not of this; review_too_large.
        """
        if self._replayed is not None:
            was = (self._replayed.width, self._replayed.height, self._replayed.frames)
            then = [searched.begun for searched in self._replayed.searches]
            if was != (width, height, frames) or then != list(begun):
                raise AnonymizerError("record_refused")
            self.record = self._replayed
        elif self._recorder is not None:
            self.record = self._recorder.finish(width, height, frames, begun)
        if self._filmer is not None:
            self.sheet = replace(self._filmer.sheet(), speakers=self._voices.shown())

    def _require_followed(self, decisions: Decisions) -> None:
        if not (decisions.tracks or decisions.drawn or decisions.whole_frames):
            return
        searches = self._replayed.searches if self._replayed is not None else ()
        begun = [number for searched in searches for number in searched.begun]
        if not all(self.numbers.is_given(track, begun) for track in decisions.tracks):
            raise AnonymizerError("decisions_invalid", "A decision is about something that was never seen.")


def _no_role(name: str, kind: Kind) -> CoverSettings | None:
    raise AnonymizerError("decisions_invalid", "There is no role of that name.")


def _no_voice_of_role(name: str) -> VoiceEffect:
    raise AnonymizerError("decisions_invalid", "There is no role of that name.")
