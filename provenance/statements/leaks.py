"""The leak report in a job statement: what attackers found in the result, and when such figures make sense.

What a statement says of its own attacks is the worker's word. These checks catch a worker that is wrong
about itself: figures that cannot all be true are never signed, and never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provenance.errors import FormatError

NO_LOOK: Final = "none"
EVERY_FRAME: Final = "exhaustive"
MOST_ROUNDS: Final = 2

# A part, and the whole that it is never larger than; those in _PAIRS make sense together alone.
_PARTS = (
    ("faces_open", "frames_attacked"),
    ("texts_open", "frames_attacked"),
    ("faces_under", "faces_attacked"),
    ("identities_matched", "identities_compared"),
    ("voice_matched", "voice_windows"),
)
_PAIRS = (("identities_matched", "identities_compared"), ("voice_matched", "voice_windows"))
_ALWAYS = ("metadata_left", "rounds", "seconds")
_OF_PICTURES = ("faces_attacked", "frames_attacked", "frames_unchecked")
# Found by a network each, which is then named.
_FOUND_IN_PICTURES = ("faces_open", "faces_under", "identities_matched", "texts_open")
_FOUND = (*_FOUND_IN_PICTURES, "voice_matched")
# One is too many under any policy: a job in which there is one ends without a result and without a statement.
_NEVER = ("frames_unchecked", "metadata_left")


@dataclass(frozen=True)
class LeakFigures:
    """The fields of a job statement that tell of attacks, each of its kind already.

    Attributes:
        figures: by word of `vocabulary.LEAKS`.
        look: word of `vocabulary.LEAKS_LOOKS`.
        attackers: digests by model.
        independent: models.
    """

    figures: Mapping[str, int]
    look: str
    attackers: Mapping[str, str]
    independent: tuple[str, ...]

    def require_sense(self, *, frames: int, models: Mapping[str, str], of_sound: bool) -> None:
        """Refuses figures that cannot all be true.

        Args:
            frames: in the result.
            models: digests of all models of the worker, by name.
            of_sound: whether the result has no picture at all.

        Raises:
            FormatError: they contradict themselves, each other or the rest of the statement.
        """
        if (self.look == NO_LOOK) != (not self.figures):
            raise FormatError("attacks have figures, and figures are of attacks")
        if not set(self.independent) <= self.attackers.keys():
            raise FormatError("somebody is independent who did not attack")
        if not self.attackers.items() <= models.items():
            raise FormatError("somebody attacked who is not among the models")
        if not self.figures and self.attackers:
            raise FormatError("somebody attacked, and nothing was attacked")
        if self.figures:
            self._require_all_there(of_sound=of_sound)
            self._require_parts(frames)

    def _require_all_there(self, *, of_sound: bool) -> None:
        wanted = {*_ALWAYS, *(() if of_sound else _OF_PICTURES)}
        if not wanted <= self.figures.keys():
            raise FormatError("a figure that every attack has is missing")
        if of_sound and any(word in self.figures for word in (*_OF_PICTURES, *_FOUND_IN_PICTURES)):
            raise FormatError("pictures were attacked where there are none")
        if any((one in self.figures) != (other in self.figures) for one, other in _PAIRS):
            raise FormatError("of what was compared and what was matched one is missing")
        if not self.attackers and any(word in self.figures for word in _FOUND):
            raise FormatError("something was found, and nobody looked")

    def _require_parts(self, frames: int) -> None:
        if not 1 <= self.figures["rounds"] <= MOST_ROUNDS:
            raise FormatError("a result is covered once, or once more")
        if any(self.figures[part] > self.figures[whole] for part, whole in _PARTS if part in self.figures):
            raise FormatError("a part of what was attacked is larger than the whole")
        attacked = self.figures.get("frames_attacked", 0)
        if attacked > frames:
            raise FormatError("more frames were attacked than there are")
        pictures = any(word in self.figures for word in _FOUND_IN_PICTURES)
        if self.look == EVERY_FRAME and pictures and attacked != frames:
            raise FormatError("every frame is attacked, and not every frame is")
        if any(self.figures.get(word, 0) for word in _NEVER):
            raise FormatError("a result with unchecked frames or with metadata is never delivered")
