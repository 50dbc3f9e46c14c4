"""The plan of a track: nothing that is not decided to be kept is kept, and every moment has one effect."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.sound.effects import BY_STRENGTH, VoiceEffect, strength
from anonymizer.sound.plan import CELLS_PER_SECOND, LEAST_CELLS, Plan, Stretch, Timed, plan_of
from anonymizer.speakers.turns import Turn, Turns


def planned(
    turns: list[tuple[float, float, int]],
    policy: VoiceEffect,
    decided: dict[int, VoiceEffect] | None = None,
    spans: list[Timed] | None = None,
    *,
    seconds: float = 10.0,
    unsure: tuple[int, ...] = (),
    begins: float = 0.0,
) -> list[tuple[float, float, str, int]]:
    """Plans a track, and tells its stretches in seconds."""
    heard = Turns(tuple(Turn(b, e, s, at not in unsure) for at, (b, e, s) in enumerate(turns)), seconds)
    plan = plan_of(heard, policy, (decided or {}).get, spans or [], begins)
    return [(s.begin / 100, s.end / 100, s.effect, s.speaker) for s in plan.stretches]


ONE = [(2.0, 6.0, 0)]
TWO = [(1.0, 4.0, 0), (4.2, 8.0, 1)]
CASES = {
    "nobody is heard, and all is masked": (planned([], "anonymize"), [(0, 10, "anonymize", 0)]),
    "one voice, and what is around it": (planned(ONE, "anonymize"), [(0, 10, "anonymize", 0)]),
    "a bleep is for voices, not for a room": (
        planned(ONE, "bleep"),
        [(0, 2, "remove", 0), (2, 6, "bleep", 0), (6, 10, "remove", 0)],
    ),
    "two voices part in the middle between them": (
        planned(TWO, "anonymize"),
        [(0, 4.1, "anonymize", 0), (4.1, 10, "anonymize", 1)],
    ),
    "one is kept, but not the room, nor near the other": (
        planned(TWO, "anonymize", {0: "keep"}),
        [(0, 1, "anonymize", 0), (1, 3.85, "keep", 0), (3.85, 10, "anonymize", 1)],
    ),
    "nobody unsure is kept": (
        planned(TWO, "anonymize", {0: "keep"}, unsure=(0,)),
        [(0, 4.1, "anonymize", 0), (4.1, 10, "anonymize", 1)],
    ),
    "who is removed is removed around the turn as well": (
        planned(TWO, "anonymize", {1: "remove"}),
        [(0, 3.85, "anonymize", 0), (3.85, 10, "remove", 1)],
    ),
    "a span that is silenced": (
        planned(ONE, "anonymize", spans=[(3.0, 4.0, "remove")]),
        [(0, 3, "anonymize", 0), (3, 4, "remove", 0), (4, 10, "anonymize", 0)],
    ),
    "a word within what is removed stays removed": (
        planned(ONE, "remove", spans=[(3.0, 4.0, "bleep")]),
        [(0, 10, "remove", 0)],
    ),
    "a word in a policy that keeps": (
        planned([], "keep", spans=[(3.0, 4.0, "bleep")]),
        [(0, 3, "keep", 0), (3, 4, "bleep", 0), (4, 10, "keep", 0)],
    ),
    "a span of a moment has a length": (
        planned([], "anonymize", spans=[(3.0, 3.001, "bleep")]),
        [(0, 3, "anonymize", 0), (3, 3.08, "bleep", 0), (3.08, 10, "anonymize", 0)],
    ),
    "a span of a moment at the very end": (
        planned([], "anonymize", spans=[(9.99, 9.995, "bleep")]),
        [(0, 9.92, "anonymize", 0), (9.92, 10, "bleep", 0)],
    ),
    "a policy that keeps, and one voice that is changed": (
        planned(TWO, "keep", {1: "anonymize"}),
        [(0, 3.85, "keep", 0), (3.85, 10, "anonymize", 1)],
    ),
    "a turn too short to be kept": (
        planned([(2.0, 2.05, 0)], "anonymize", {0: "keep"}),
        [(0, 10, "anonymize", 0)],
    ),
    "a track that begins late": (
        planned([(4.0, 6.0, 0)], "bleep", begins=3.0),
        [(0, 1, "remove", 0), (1, 3, "bleep", 0), (3, 7, "remove", 0)],
    ),
    "a track of nothing": (planned([], "anonymize", seconds=0.0), [(0, 0.01, "anonymize", 0)]),
}


@pytest.mark.parametrize(("plan", "expected"), CASES.values(), ids=CASES)
def test_what_happens_when(
    plan: list[tuple[float, float, str, int]], expected: list[tuple[float, float, str, int]]
) -> None:
    assert plan == expected


def test_how_long_what_happens() -> None:
    plan = Plan((Stretch(0, 150, "keep", 0), Stretch(150, 200, "bleep", 0), Stretch(200, 300, "keep", 1)))
    assert plan.seconds == {"keep": 2.5, "bleep": 0.5}


@st.composite
def _conversations(draw: st.DrawFn) -> tuple[Turns, dict[int, VoiceEffect], VoiceEffect, list[Timed]]:
    at, turns, known = 0, [], 0
    for _ in range(draw(st.integers(0, 8))):
        begin = at + draw(st.sampled_from([0, 10, 30, 200, 1500]))
        at = begin + draw(st.sampled_from([10, 50, 90, 800, 3000]))
        speaker = draw(st.integers(0, min(known, 3)))
        known = max(known, speaker + 1)
        turns.append(Turn(begin / 1000, at / 1000, speaker, draw(st.booleans())))
    effects = st.sampled_from(BY_STRENGTH)
    decided = draw(st.dictionaries(st.integers(0, 3), effects))
    spans: list[Timed] = [
        (begin / 100, (begin + length) / 100, draw(st.sampled_from(["bleep", "remove"])))
        for begin, length in draw(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), max_size=3))
    ]
    return Turns(tuple(turns), at / 1000 + 1.0), decided, draw(effects), spans


@given(_conversations())
@settings(max_examples=150, deadline=None)
def test_no_moment_has_less_than_what_is_decided_for_it(
    case: tuple[Turns, dict[int, VoiceEffect], VoiceEffect, list[Timed]],
) -> None:
    turns, decided, policy, spans = case
    plan = plan_of(turns, policy, decided.get, spans, 0.0)
    stretches = plan.stretches
    assert stretches[0].begin == 0
    assert stretches[-1].end == round(turns.seconds * CELLS_PER_SECOND)
    assert all(a.end == b.begin for a, b in itertools.pairwise(stretches))
    assert len(stretches) == 1 or all(s.end - s.begin >= LEAST_CELLS for s in stretches)
    done = np.concatenate([np.full(s.end - s.begin, strength(s.effect)) for s in stretches])
    least = np.full(len(done), strength(policy))
    for turn in turns.turns:
        effect = decided.get(turn.speaker, policy)
        if not turn.sure:
            effect = max(effect, policy, key=strength)
        least[round(turn.begin * 100) : round(turn.end * 100)] = strength(effect)
    for begin, end, effect in spans:
        here = slice(round(begin * 100), round(end * 100))
        least[here] = np.maximum(least[here], strength(effect))
    assert (done >= least).all()
