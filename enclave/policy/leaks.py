"""What attackers may find in a result before it is held back: the table `[leaks]` of a policy.

A floor is a share in thousandths, a whole number, so that it means one thing only. Frames that no detector
looked at, and metadata, have no floor to set: one is too many under any policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.errors import PolicyError
from enclave.policy.fields import Table

SAMPLED = "sampled"
LOOKS = (SAMPLED, "exhaustive")
WHOLE = 1000


@dataclass(frozen=True)
class LeaksPolicy:
    """How much of a result is attacked, and what may be found. A floor that is None is left to the worker.

    Attributes:
        look: "sampled" attacks the frames of the highest risk, in at most a tenth of the job's time;
            "exhaustive" all of them.
        faces_permille: at most so many of 1,000 frames looked at with a face outside the covers.
        under_permille: at most so many of 1,000 covers of faces under which a face is found again.
        identities_permille: at most so many of 1,000 covers that a face recognizer takes for whom they hide.
        texts_permille: at most so many of 1,000 frames looked at with text that can be read.
        voices_permille: at most so many of 1,000 stretches of speech that are taken for the voice they had.
    """

    look: str = SAMPLED
    faces_permille: int | None = None
    under_permille: int | None = None
    identities_permille: int | None = None
    texts_permille: int | None = None
    voices_permille: int | None = None

    @property
    def floors(self) -> dict[str, int]:
        """What the policy says of floors, by the word before `_permille`."""
        named = {
            "faces": self.faces_permille,
            "under": self.under_permille,
            "identities": self.identities_permille,
            "texts": self.texts_permille,
            "voices": self.voices_permille,
        }
        return {what: permille for what, permille in named.items() if permille is not None}


def read_leaks(table: Table | None) -> LeaksPolicy:
    """Reads `[leaks]`, which may be left out; so may each key, but not all of them.

    Raises:
        PolicyError: it says nothing, or a key is unknown or wrong.
    """
    if table is None:
        return LeaksPolicy()
    floors = {
        name: table.count(name, 0, WHOLE)
        for name in (
            "faces_permille",
            "under_permille",
            "identities_permille",
            "texts_permille",
            "voices_permille",
        )
        if table.has(name)
    }
    if not floors and not table.has("look"):
        raise PolicyError("policy: leaks says nothing: leave it out, or name a look or a floor")
    leaks = LeaksPolicy(look=table.choice("look", LOOKS, SAMPLED), **floors)
    table.finish()
    return leaks
