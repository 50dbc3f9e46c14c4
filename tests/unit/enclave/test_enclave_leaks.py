"""The leak report behind the wall: what a policy asks of the anonymizer, and what a worker states of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from enclave_makers import POLICY_TEXT, some_terms

from anonymizer import Leaks, LeakSettings
from enclave.policy import Terms, parse_policy, shipped
from enclave.worker.leaks import leak_facts
from enclave.worker.settings import settings_of
from provenance.statements import vocabulary
from tests.unit.provenance.provenance_makers import hex_of, job_facts

MODELS = {name: hex_of(name) for name in ("centerface", "mediapipe-face-full-range", "ppocr-reader")}
FOUND = Leaks(
    rounds=1,
    frames_attacked=12,
    frames_unchecked=0,
    faces_open=0,
    faces_attacked=20,
    faces_under=1,
    identities_compared=None,
    identities_matched=None,
    texts_open=None,
    voice_windows=None,
    voice_matched=None,
    metadata_left=0,
    attackers=("mediapipe-face-full-range", "ppocr-reader"),
    independent=("mediapipe-face-full-range",),
    exhaustive=False,
    seconds=0.25,
)
OF_SOUND = replace(
    FOUND,
    frames_attacked=0,
    faces_open=None,
    faces_attacked=0,
    faces_under=None,
    attackers=(),
    independent=(),
)


def told(leaks: Leaks | None, **settings: Any) -> dict[str, Any]:
    return leak_facts(leaks, MODELS, **settings)


def test_what_nobody_could_count_is_left_out_and_never_told_as_none() -> None:
    assert told(FOUND) == {
        "leaks": {
            "faces_attacked": 20,
            "faces_open": 0,
            "faces_under": 1,
            "frames_attacked": 12,
            "frames_unchecked": 0,
            "metadata_left": 0,
            "rounds": 1,
            "seconds": 1,
        },
        "leaks_look": "sampled",
        "attackers": {name: MODELS[name] for name in ("mediapipe-face-full-range", "ppocr-reader")},
        "independent": ("mediapipe-face-full-range",),
    }


def test_a_job_that_was_not_attacked_says_nothing_of_it() -> None:
    assert told(None) == {}
    assert job_facts(**told(None)).leaks_look == "none"


def test_every_figure_that_was_taken_has_its_word() -> None:
    figures = set(vars(FOUND)) - {"attackers", "independent", "exhaustive"}
    ones: dict[str, Any] = dict.fromkeys(figures, 1)
    everything = told(replace(FOUND, **ones, exhaustive=True))
    assert everything["leaks"] == dict.fromkeys(figures, 1)
    assert figures == set(vocabulary.LEAKS)
    assert everything["leaks_look"] == "exhaustive"


@pytest.mark.parametrize("leaks", [FOUND, replace(FOUND, exhaustive=True, frames_attacked=90)], ids=str)
def test_a_report_fits_into_a_statement(leaks: Leaks) -> None:
    assert job_facts(models=MODELS, **told(leaks)).leaks == told(leaks)["leaks"]


def test_a_file_of_sound_alone_has_no_figures_of_pictures() -> None:
    facts = told(OF_SOUND, of_pictures=False)
    assert facts["leaks"] == {"metadata_left": 0, "rounds": 1, "seconds": 1}
    silent: dict[str, Any] = {"frames": 0, "frames_with_faces": 0, "quality": {}, "also_covered": {}}
    assert (
        job_facts(media_type="audio/mp4", frames_also_covered={}, **silent, **facts).leaks == facts["leaks"]
    )


FLOORS: dict[str, tuple[str, LeakSettings]] = {
    "nothing is said": ("", LeakSettings()),
    "every frame": ('[leaks]\nlook = "exhaustive"\n', LeakSettings(look="exhaustive")),
    "a floor": ("[leaks]\nunder_permille = 20\n", LeakSettings(under=20)),
    "all floors": (
        "[leaks]\nfaces_permille = 1\nunder_permille = 2\nidentities_permille = 3\ntexts_permille = 4\n"
        "voices_permille = 5\n",
        LeakSettings(faces=1, under=2, identities=3, texts=4, voices=5),
    ),
}


@pytest.mark.parametrize(("table", "asked"), FLOORS.values(), ids=FLOORS.keys())
def test_the_anonymizer_is_told_what_attackers_may_find(table: str, asked: LeakSettings) -> None:
    text = POLICY_TEXT.replace('"remove"', '"anonymize"') + table
    if "texts" in table:
        text += "[text]\neffect = 'solid'\nshape = 'box'\nscale = 1.2\nthreshold = 0.3\n"
        text += "linger_seconds = 1.0\nlookahead_seconds = 1.0\n"
    policy = parse_policy(text)
    assert settings_of(Terms(policy, policy.modes[0], some_terms().recipients)).leaks == asked


@pytest.mark.parametrize("name", list(shipped()))
def test_every_shipped_policy_says_all_that_it_bears(name: str) -> None:
    policy = shipped()[name]
    said = {"faces", "under", "identities"}
    said |= {"texts"} if policy.text_cover is not None else set()
    said |= {"voices"} if policy.anonymizes_voices else set()
    assert set(policy.leaks.floors) == said
    assert policy.leaks.floors["faces"] == 0, "a face that is open is one too many"


def test_who_is_in_danger_is_attacked_most_strictly() -> None:
    for what, permille in shipped()["whistleblower"].leaks.floors.items():
        assert all(permille <= other.leaks.floors.get(what, 1000) for other in shipped().values())
