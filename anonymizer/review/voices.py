"""Decisions about voices applied: what becomes of each speaker, and what is shown of them.

How the effects are laid over a sound track, and what holds between turns, is anonymizer/sound's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

from anonymizer.errors import AnonymizerError
from anonymizer.review.decisions import Decisions, SpeakerDecision
from anonymizer.review.sheet import SheetSpeaker
from anonymizer.sound.effects import VoiceEffect
from anonymizer.speakers.turns import Turn, Turns

MAX_LISTED_TURNS: Final = 400
"""Turns of one speaker that a sheet shows: the longest."""
# Turns of one speaker that are so near each other are shown as one, seconds.
_NEAR: Final = 0.5

# What becomes of the voice of somebody who has a role (Settings.voice_as_role).
VoiceAsRole = Callable[[str], VoiceEffect]


class Voices:
    """The voices of one passage."""

    def __init__(
        self, decisions: Decisions, replayed: Turns | None, usual: VoiceEffect, as_role: VoiceAsRole
    ) -> None:
        """Takes what was decided.

        Args:
            decisions: about the passage that is replayed.
            replayed: who spoke in it; None where nothing is replayed, or nobody listened.
            usual: what becomes of every voice about which nothing is decided.
            as_role: what becomes of those of roles.

        Raises:
            AnonymizerError: decisions_invalid, for a speaker who was never heard, or a role there is not.
        """
        heard = replayed.speakers if replayed is not None else 0
        if not all(0 <= speaker < heard for speaker in decisions.speakers):
            raise AnonymizerError("decisions_invalid", "A decision is about somebody who was never heard.")
        self.muted = tuple((each.span.begins, each.span.ends, each.effect) for each in decisions.muted)
        self._usual = usual
        self._replayed = replayed
        self._decided = {
            speaker: _effect(decision, as_role) for speaker, decision in decisions.speakers.items()
        }
        self._turns: Turns | None = None

    def hear(self, turns: Turns) -> None:
        """Hears who speaks when: on a replay what the record says.

        Raises:
            AnonymizerError: record_refused, where it is something else.
        """
        if self._replayed is not None and turns != self._replayed:
            raise AnonymizerError("record_refused")
        self._turns = turns

    def effect(self, speaker: int) -> VoiceEffect | None:
        """Returns what was decided about a speaker; None for nothing."""
        return self._decided.get(speaker)

    def shown(self) -> tuple[SheetSpeaker, ...]:
        """Gives what a person is shown."""
        turns = self._turns
        if turns is None:
            return ()
        return tuple(
            _shown(speaker, self._decided.get(speaker, self._usual), turns.of(speaker))
            for speaker in range(turns.speakers)
        )


def _effect(decision: SpeakerDecision, as_role: VoiceAsRole) -> VoiceEffect:
    if decision.do == "role":
        return as_role(decision.role)
    if decision.effect is None:
        raise AnonymizerError("decisions_invalid", "An effect has a name.")
    return decision.effect


def _shown(speaker: int, effect: VoiceEffect, turns: tuple[Turn, ...]) -> SheetSpeaker:
    stretches: list[tuple[float, float]] = []
    for turn in turns:
        if stretches and turn.begin - stretches[-1][1] <= _NEAR:
            stretches[-1] = stretches[-1][0], turn.end
        else:
            stretches.append((turn.begin, turn.end))
    longest = sorted(stretches, key=lambda each: each[0] - each[1])
    return SheetSpeaker(
        speaker=speaker,
        effect=effect,
        seconds=sum(turn.seconds for turn in turns),
        unsure_seconds=sum(turn.seconds for turn in turns if not turn.sure),
        count=len(stretches),
        turns=tuple(sorted(itertools.islice(longest, MAX_LISTED_TURNS))),
    )
