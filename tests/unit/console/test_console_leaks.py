"""What a reader is told of attacks: in plain units, and never that nothing was found where nobody looked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.report import words
from console.report.leaks import attacked, attacked_in_a_line
from provenance.statements import JobFacts, vocabulary
from tests.unit.provenance.provenance_makers import ATTACKED, hex_of, job_facts
from tests.unit.provenance.provenance_makers import attacked as with_leaks

NOBODY: dict[str, Any] = {"attackers": {}, "independent": ()}
OF_PICTURES = dict.fromkeys(set(vocabulary.LEAKS) - {"metadata_left", "rounds", "seconds"}, None)
SOUND: dict[str, Any] = {"media_type": "audio/mp4", "frames": 0, "frames_with_faces": 0, "quality": {}}
SOUND |= {"also_covered": {}, "frames_also_covered": {}}


def cells(facts: JobFacts) -> dict[str, str]:
    """Each row of the section, by its head."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td>', attacked(facts).source)
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def test_every_word_has_a_sentence() -> None:
    assert set(words.LEAKS) == set(vocabulary.LEAKS)
    assert set(words.LEAKS_LOOKS) == set(vocabulary.LEAKS_LOOKS)


def test_the_figures_stand_in_plain_units() -> None:
    told = cells(job_facts(**with_leaks(frames_attacked=1400), **{"frames": 9000}))
    assert told["Pictures that were attacked"] == "1,400 of 9,000"
    assert told["Pictures with a face that is not covered"] == "1 of 1,400 pictures looked at"
    assert told["Covers of faces under which a face is found again"] == "2 of 21 covers looked at"
    assert told["Covers of faces that still tell who it is"] == "3 of 20 covers compared"
    assert told["Pictures with text that can still be read"] == "4 of 1,400 pictures looked at"
    assert told[words.LEAKS["voice_matched"]] == "5 of 60 stretches listened to"
    assert told["Pictures that no detector had looked at, of all"] == "0 of 9,000"
    assert told["Things in the file that tell where it comes from"] == "0"
    assert told["How often it was covered"].startswith("Twice: ")
    assert cells(job_facts(**with_leaks(rounds=1)))["How often it was covered"] == "Once."


def test_what_nobody_tried_is_told_as_that() -> None:
    unseen = dict.fromkeys(("faces_open", "faces_under", "identities_compared", "identities_matched"), None)
    unseen |= dict.fromkeys(("texts_open", "voice_windows", "voice_matched"), None)
    facts = job_facts(**{**with_leaks(**unseen), **NOBODY})
    told = cells(facts)
    for what in ("faces_open", "faces_under", "identities_matched", "texts_open", "voice_matched"):
        assert told[words.LEAKS[what]].startswith("Nobody tried: "), what
    assert "no attacker but the search for metadata" in attacked(facts).source
    line = attacked_in_a_line(facts)
    for word in ("face", "somebody", "text", "voice"):
        assert word not in line


def test_who_attacked_is_named_and_who_covered_too_is_told() -> None:
    source = attacked(job_facts(**with_leaks())).source
    for name, digest in ATTACKED["attackers"].items():
        row = re.search(rf'<tr><th scope="row">{name}</th><td>(.*?)</td><td><code>(.*?)</code>', source)
        assert row is not None
        assert row[2] == digest == hex_of(name)
        assert row[1].startswith("No:" if name in ATTACKED["independent"] else "Yes:")


def test_sound_alone_has_no_rows_of_pictures() -> None:
    figures = {**OF_PICTURES, "voice_matched": 0, "voice_windows": 7}
    told = cells(job_facts(**{**with_leaks(**figures), **SOUND}))
    assert told[words.LEAKS["voice_matched"]] == "0 of 7 stretches listened to"
    assert not [head for head in told if head.startswith(("Pictures", "Covers"))]


def test_a_job_by_a_worker_that_attacked_nothing_says_so() -> None:
    facts = job_facts()
    assert "did not attack its own result" in attacked(facts).source
    assert cells(facts) == {}
    assert attacked_in_a_line(facts) == "Not attacked: the worker made no leak report."


def test_what_was_not_attacked_at_all_stands_below() -> None:
    source = attacked(job_facts(**with_leaks())).source
    for admitted in (
        "how somebody walks",
        "learned from other results",
        "the secret from which",
        "Others may",
    ):
        assert admitted in source


@pytest.mark.parametrize(("rounds", "look"), [(1, "sampled"), (2, "sampled"), (2, "exhaustive")], ids=str)
def test_one_line_says_it_on_a_terminal(rounds: int, look: str) -> None:
    frames = 90 if look == "exhaustive" else 14
    facts = job_facts(**{**with_leaks(rounds=rounds, frames_attacked=frames), "leaks_look": look})
    line = attacked_in_a_line(facts)
    assert line.startswith(
        f"Attacked before it left{', after it was covered again' * (rounds - 1)}: {frames} of 90 frames; "
        "a face open in 1, a face found again under 2 of 21 covers, "
    )
    assert line.endswith("a voice known again in 5 of 60 stretches, metadata left: 0.")
    assert words.LEAKS_LOOKS[look] in attacked(facts).source
