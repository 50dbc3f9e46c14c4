"""What a policy bears, what is done about the rest, and what the second round changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    LeakSettings,
    Models,
    PeopleSettings,
    Role,
    Settings,
    TextSettings,
)
from anonymizer.errors import MESSAGES
from anonymizer.leaks import floors
from anonymizer.leaks.again import wider
from anonymizer.leaks.figures import Leaks
from anonymizer.leaks.floors import can_mend, misses
from anonymizer.models import BLAZEFACE, CENTERFACE

CLEAN = Leaks(
    rounds=1,
    frames_attacked=40,
    frames_unchecked=0,
    faces_open=0,
    faces_attacked=100,
    faces_under=0,
    identities_compared=100,
    identities_matched=0,
    texts_open=0,
    voice_windows=20,
    voice_matched=0,
    metadata_left=0,
    attackers=("a",),
    independent=("a",),
    exhaustive=False,
    seconds=1.0,
)
STRICT = LeakSettings(under=0, identities=0, voices=0)
FOUND: dict[str, tuple[dict[str, int | None], LeakSettings, tuple[str, ...]]] = {
    "nothing": ({}, STRICT, ()),
    "one open face": ({"faces_open": 1}, STRICT, (floors.FACES,)),
    "one of forty, where 25 of 1000 may be": ({"faces_open": 1}, LeakSettings(faces=25), ()),
    "one of forty, where 24 of 1000 may be": ({"faces_open": 1}, LeakSettings(faces=24), (floors.FACES,)),
    "a face under its cover": ({"faces_under": 1}, STRICT, (floors.FACES,)),
    "somebody recognized": ({"identities_matched": 1}, STRICT, (floors.IDENTITIES,)),
    "text": ({"texts_open": 1}, STRICT, (floors.TEXT,)),
    "a voice": ({"voice_matched": 11}, LeakSettings(), (floors.VOICES,)),
    "half a voice": ({"voice_matched": 10}, LeakSettings(), ()),
    "a frame that nobody looked at, with every floor open": (
        {"frames_unchecked": 1},
        LeakSettings(faces=1000, under=1000, identities=1000, texts=1000, voices=1000),
        (floors.UNCHECKED,),
    ),
    "metadata, with every floor open": (
        {"metadata_left": 1},
        LeakSettings(faces=1000, under=1000, identities=1000, texts=1000, voices=1000),
        (floors.METADATA,),
    ),
    "everything, the worst first": (
        {
            "frames_unchecked": 1,
            "metadata_left": 1,
            "faces_open": 1,
            "identities_matched": 1,
            "texts_open": 1,
            "voice_matched": 20,
        },
        STRICT,
        (floors.UNCHECKED, floors.METADATA, floors.FACES, floors.IDENTITIES, floors.TEXT, floors.VOICES),
    ),
    "what nobody could tell": (
        dict.fromkeys(
            (
                "faces_open",
                "faces_under",
                "identities_compared",
                "identities_matched",
                "texts_open",
                "voice_windows",
                "voice_matched",
            )
        ),
        STRICT,
        (),
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_policy_bears(case: str) -> None:
    found, settings, codes = FOUND[case]
    assert misses(replace(CLEAN, **found), settings) == codes
    assert set(codes) <= MESSAGES.keys()


def test_what_covering_again_cannot_mend_is_held_at_once() -> None:
    mended = {code for code in FOUND["everything, the worst first"][2] if can_mend(code, Settings())}
    assert mended == {floors.FACES, floors.IDENTITIES, floors.TEXT, floors.VOICES}
    assert not can_mend(floors.VOICES, Settings(personas=bytes(32), pseudonym="Kim")), (
        "it is always that voice"
    )


@pytest.mark.parametrize("chosen", [{"look": "all"}, {"faces": -1}, {"texts": 1001}])
def test_floors_out_of_range_are_refused(chosen) -> None:
    with pytest.raises(AnonymizerError) as caught:
        LeakSettings(**chosen)
    assert caught.value.code == "settings_invalid"


SETTINGS = Settings(
    faces=FaceSettings(effect="mosaic", scale=1.3),
    people=PeopleSettings(scale=3.5),
    text=TextSettings(),
    roles=(Role("actor", {"face": FaceSettings(effect="blur", scale=1.2), "person": None}),),
)
CENTERFACE_ALONE = Models({CENTERFACE: b""}, {}, "cpu")


def test_the_second_round_is_wider_and_more_sensitive() -> None:
    made = wider(SETTINGS, CENTERFACE_ALONE, "all", [floors.FACES])
    assert made.faces.scale > SETTINGS.faces.scale
    assert made.faces.linger_seconds > SETTINGS.faces.linger_seconds
    assert made.faces.lookahead_seconds > SETTINGS.faces.lookahead_seconds
    assert made.faces.passes == SETTINGS.faces.passes + 1
    assert made.faces.effect == "mosaic"
    assert made.people is not None
    assert made.people.scale == 4.0
    assert made.roles[0].covers["face"].scale > 1.2
    assert made.roles[0].covers["person"] is None, "who is to be visible stays so"
    assert made.text == SETTINGS.text, "nothing was wrong with text"
    assert made.leaks == SETTINGS.leaks


def test_every_installed_face_detector_joins_then_passes_then_a_lower_threshold(models: Models) -> None:
    made = wider(SETTINGS, models, "all", [floors.IDENTITIES])
    assert (
        made.faces.detectors == (CENTERFACE, BLAZEFACE)
        if models.blazeface is not None
        else made.faces.passes == 2
    )
    steps = [FaceSettings(passes=passes) for passes in (2, 3)]
    found = [wider(Settings(faces=step), models, "all", [floors.FACES]).faces for step in steps]
    assert [each.passes for each in found] == [3, 3]
    assert found[1].threshold < steps[1].threshold


def test_text_alone_is_covered_wider_where_text_was_read() -> None:
    made = wider(SETTINGS, CENTERFACE_ALONE, "all", [floors.TEXT])
    assert made.text is not None
    assert made.text.threshold < 0.3
    assert made.text.scale > 1.2
    assert made.faces == SETTINGS.faces


def test_voices_are_drawn_anew_and_nothing_else() -> None:
    made = wider(SETTINGS, CENTERFACE_ALONE, "all", [floors.VOICES])
    assert made == replace(SETTINGS, voices_drawn=1)


def test_a_job_with_a_record_leaves_the_times_and_one_that_replays_it_all_but_the_size() -> None:
    keeps = wider(SETTINGS, CENTERFACE_ALONE, "not the times", [floors.FACES, floors.TEXT])
    for made, before in ((keeps.faces, SETTINGS.faces), (keeps.text, SETTINGS.text)):
        assert (made.linger_seconds, made.lookahead_seconds) == (
            before.linger_seconds,
            before.lookahead_seconds,
        )
        assert made.scale > before.scale
    assert keeps.faces.passes == 2
    replays = wider(SETTINGS, CENTERFACE_ALONE, "covers alone", [floors.FACES, floors.TEXT])
    assert replays.faces == replace(SETTINGS.faces, scale=replays.faces.scale)
    assert replays.text == replace(SETTINGS.text, scale=replays.text.scale)
    assert replays.faces.scale > SETTINGS.faces.scale


def test_nothing_grows_over_what_is_allowed() -> None:
    most = FaceSettings(scale=4.0, linger_seconds=10, lookahead_seconds=10, passes=3, threshold=0.01)
    assert wider(Settings(faces=most), CENTERFACE_ALONE, "all", [floors.FACES]).faces == most
