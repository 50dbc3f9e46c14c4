"""A figure in a word, and whether an effect counts as weak.

The bands are those in which de-identification is usually published: Rank-1 under 10 % is excellent, to 25 %
good, to 50 % moderate, and above poor. They mean something where guessing would be right in fewer than one
case of ten; with fewer people there is no word.
"""

from __future__ import annotations

from typing import Final, Literal

from evaluation.figures.attacked import Attacked

Band = Literal["excellent", "good", "moderate", "poor"]

EXCELLENT_BELOW: Final = 0.10
GOOD_BELOW: Final = 0.25
MODERATE_BELOW: Final = 0.50
MOST_CHANCE: Final = 0.10
WEAK_ABOVE: Final = 0.30


def band(figures: Attacked) -> Band | None:
    """Returns the word for an attack's Rank-1; None where there are too few people for one."""
    if figures.chance_rank_1 > MOST_CHANCE:
        return None
    share = figures.rank_1.value
    if share < EXCELLENT_BELOW:
        return "excellent"
    if share < GOOD_BELOW:
        return "good"
    return "moderate" if share < MODERATE_BELOW else "poor"


def is_weak(figures: Attacked) -> bool:
    """Tells whether an attack shows the effect to be weak: Rank-1 above 30 %, and no guess.

    With few people chance alone is above; then the whole interval must be above chance.
    """
    first, chance = figures.rank_1, figures.chance_rank_1
    return first.value > WEAK_ABOVE and (chance <= MOST_CHANCE or first.within.low > chance)
