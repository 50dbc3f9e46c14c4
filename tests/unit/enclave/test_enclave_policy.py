"""Policies: what is read, what is refused, and that a refusal names the key and never the value."""

from __future__ import annotations

import hashlib

import pytest
from enclave_makers import POLICY_TEXT, a_policy

from enclave.errors import PolicyError
from enclave.policy import parse_policy, shipped

SECRET = "SECRET-7731"


def test_a_policy_says_what_its_text_says() -> None:
    policy = a_policy()
    assert (policy.name, policy.modes, policy.locked) == ("trial", ("balanced", "fast"), False)
    assert (policy.faces.effect, policy.faces.shape, policy.faces.scale) == ("solid", "box", 1.5)
    assert (policy.faces.threshold, policy.faces.passes) == (0.2, 2)
    assert (policy.faces.linger_seconds, policy.faces.lookahead_seconds) == (0.5, 1.0)
    assert policy.audio.effect == "remove"
    assert policy.text == POLICY_TEXT
    assert policy.digest == hashlib.sha256(POLICY_TEXT.encode()).digest()


def test_a_comment_changes_the_digest_because_people_read_it() -> None:
    assert a_policy(POLICY_TEXT + "# harmless\n").digest != a_policy().digest


def with_signatures(value: str) -> str:
    return POLICY_TEXT + f"[proof]\nsignatures = {value}\n"


@pytest.mark.parametrize(
    ("value", "signatures"),
    [
        ('["ed25519", "mldsa65"]', ("ed25519", "mldsa65")),
        ('["ed25519", "mldsa65", "slhdsa128s"]', ("ed25519", "mldsa65", "slhdsa128s")),
        ('["slhdsa128s", "mldsa65", "ed25519"]', ("ed25519", "mldsa65", "slhdsa128s")),
    ],
)
def test_a_policy_may_demand_a_third_signature_in_any_order(value: str, signatures: tuple[str, ...]) -> None:
    assert parse_policy(with_signatures(value)).proof.signatures == signatures


def test_a_policy_that_says_nothing_about_proofs_demands_two_signatures() -> None:
    assert a_policy().proof.signatures == ("ed25519", "mldsa65")
    assert {policy.proof.signatures for policy in shipped().values()} == {("ed25519", "mldsa65")}


@pytest.mark.parametrize(
    ("proof", "credentials", "signatures"),
    [
        ("", "none", ("ed25519", "mldsa65")),
        ('[proof]\ncredentials = "c2pa"\n', "c2pa", ("ed25519", "mldsa65")),
        ('[proof]\ncredentials = "none"\n', "none", ("ed25519", "mldsa65")),
        (
            '[proof]\ncredentials = "c2pa"\nsignatures = ["ed25519", "mldsa65", "slhdsa128s"]\n',
            "c2pa",
            ("ed25519", "mldsa65", "slhdsa128s"),
        ),
    ],
)
def test_a_policy_says_whether_a_result_carries_credentials(
    proof: str, credentials: str, signatures: tuple[str, ...]
) -> None:
    asked = parse_policy(POLICY_TEXT + proof).proof
    assert (asked.credentials, asked.signatures) == (credentials, signatures)
    assert asked.wants_credentials == (credentials == "c2pa")


@pytest.mark.parametrize(
    ("table", "captured"),
    [
        ("", "remove"),
        ('[metadata]\ncaptured = "remove"\n', "remove"),
        ('[metadata]\ncaptured = "month"\n', "month"),
    ],
)
def test_a_policy_says_whether_the_month_of_capture_stays(table: str, captured: str) -> None:
    assert parse_policy(POLICY_TEXT + table).metadata.captured == captured


def test_no_policy_that_comes_with_bauta_keeps_anything_of_a_files_own_words() -> None:
    assert {policy.metadata.captured for policy in shipped().values()} == {"remove"}


def test_no_result_of_a_person_in_danger_names_the_service() -> None:
    """A manifest says which service made a file and, through its log, when."""
    carrying = {name for name, policy in shipped().items() if policy.proof.wants_credentials}
    assert carrying == {"street", "classroom"}


@pytest.mark.parametrize(
    ("tables", "noise", "lossless"),
    [
        ("", "keep", False),
        ('[camera]\nnoise = "keep"\n', "keep", False),
        ('[camera]\nnoise = "suppress"\n', "suppress", False),
        ("[encoding]\nlossless = true\n", "keep", True),
        ('[encoding]\nlossless = false\n[camera]\nnoise = "suppress"\n', "suppress", False),
    ],
)
def test_a_policy_says_what_becomes_of_the_picture_outside_the_covers(
    tables: str, noise: str, lossless: bool
) -> None:
    policy = parse_policy(POLICY_TEXT + tables)
    assert (policy.camera.noise, policy.encoding.lossless) == (noise, lossless)


def test_a_camera_betrays_no_person_in_danger() -> None:
    suppressing = {name for name, policy in shipped().items() if policy.camera.noise == "suppress"}
    assert suppressing == {"whistleblower"}


ANONYMIZED = POLICY_TEXT.replace('"remove"', '"anonymize"')


def test_a_policy_says_what_attackers_may_find() -> None:
    unsaid = a_policy().leaks
    assert (unsaid.look, unsaid.floors) == ("sampled", {})
    said = parse_policy(
        ANONYMIZED
        + TEXT_TABLE
        + '[leaks]\nlook = "exhaustive"\nfaces_permille = 0\nunder_permille = 1000\n'
        + "identities_permille = 50\ntexts_permille = 7\nvoices_permille = 300\n"
    ).leaks
    assert said.look == "exhaustive"
    assert said.floors == {"faces": 0, "under": 1000, "identities": 50, "texts": 7, "voices": 300}
    plates = parse_policy(WITH_PLATES + "[leaks]\ntexts_permille = 3\n")
    assert plates.leaks.floors == {"texts": 3}
    assert parse_policy(POLICY_TEXT + "[leaks]\nunder_permille = 20\n").leaks.floors == {"under": 20}
    assert parse_policy(POLICY_TEXT + '[leaks]\nlook = "sampled"\n').leaks == unsaid
    bleeped = POLICY_TEXT.replace('"remove"', '"bleep"')
    assert parse_policy(bleeped + "[leaks]\nvoices_permille = 9\n").leaks.floors == {"voices": 9}


TEXT_TABLE = """
[text]
effect = "mosaic"
shape = "box"
scale = 1.25
threshold = 0.4
linger_seconds = 1
lookahead_seconds = 2.5
"""
KEEP = """
[[keep]]
left = 0.1
top = 0
right = 0.25
bottom = 1
"""
WITH_TEXT = POLICY_TEXT + TEXT_TABLE
WITH_PLATES = POLICY_TEXT + TEXT_TABLE.replace("[text]", "[plates]")
WITH_PEOPLE = POLICY_TEXT + TEXT_TABLE.replace("[text]", "[people]")


def test_a_policy_may_cover_text_or_plates_or_both_and_keep_a_region() -> None:
    assert (a_policy().text_cover, a_policy().plates, a_policy().keep) == (None, None, ())
    cover = parse_policy(WITH_TEXT).text_cover
    assert cover is not None
    assert (cover.effect, cover.shape, cover.scale, cover.threshold) == ("mosaic", "box", 1.25, 0.4)
    assert (cover.linger_seconds, cover.lookahead_seconds) == (1.0, 2.5)
    assert cover.detectors == ("ppocr-text",)
    assert parse_policy(WITH_PLATES).plates == cover
    assert parse_policy(WITH_PLATES).text_cover is None
    (region,) = parse_policy(WITH_PLATES + KEEP).keep
    assert (region.left, region.top, region.right, region.bottom) == (0.1, 0.0, 0.25, 1.0)
    assert len(parse_policy(WITH_TEXT + KEEP * 16).keep) == 16


def with_detectors(names: str, text: str = POLICY_TEXT, after: str = "passes = 2") -> str:
    return text.replace(after, f"{after}\ndetectors = {names}")


def test_a_policy_may_choose_who_looks() -> None:
    assert a_policy().faces.detectors == ("centerface",)
    both = parse_policy(with_detectors('["centerface", "custom-face"]'))
    assert both.faces.detectors == ("centerface", "custom-face")
    plates = parse_policy(with_detectors('["custom-plate"]', WITH_PLATES, "scale = 1.25")).plates
    assert plates is not None
    assert plates.detectors == ("custom-plate",)


def test_a_policy_may_cover_whole_people_by_several_detectors() -> None:
    assert a_policy().people is None
    people = parse_policy(WITH_PEOPLE).people
    assert people is not None
    assert (people.effect, people.detectors) == ("mosaic", ("mediapipe-pose",))
    chosen = with_detectors('["steady-camera", "custom-person"]', WITH_PEOPLE, "scale = 1.25")
    people = parse_policy(chosen).people
    assert people is not None
    assert people.detectors == ("steady-camera", "custom-person")


def test_a_policy_says_what_stays_readable_of_people_who_are_removed() -> None:
    unsaid = parse_policy(WITH_PEOPLE).people
    assert unsaid is not None
    # Where nothing is said the whole cover is painted, and nothing is drawn on it.
    assert (unsaid.outline, unsaid.overlay) == ("box", "none")
    said = parse_policy(
        WITH_PEOPLE.replace('effect = "mosaic"', 'effect = "remove"')
        + 'outline = "mask"\noverlay = "skeleton"\nsmooth_outline = 0.1\nsmooth_seconds = 2\n'
    ).people
    assert said is not None
    assert (said.effect, said.outline, said.overlay) == ("remove", "mask", "skeleton")
    assert (said.smooth_outline, said.smooth_seconds) == (0.1, 2.0)


TOO_MANY_WORDS = ["a" * length + letter for length in range(39) for letter in "bcdefghijklmnopqrstuvwxyz"] + [
    "x" * length for length in range(1, 41)
]

REFUSED = {
    "an unknown look": (POLICY_TEXT + f"[leaks]\nlook = '{SECRET}'\n", "leaks.look"),
    "leaks that say nothing": (POLICY_TEXT + "[leaks]\n", "leaks"),
    "a floor of metadata": (POLICY_TEXT + "[leaks]\nmetadata_permille = 1\n", "leaks"),
    "a floor of metadata beside another": (
        POLICY_TEXT + "[leaks]\nfaces_permille = 1\nmetadata_permille = 1\n",
        "leaks.metadata_permille",
    ),
    "a floor below none": (POLICY_TEXT + "[leaks]\nfaces_permille = -1\n", "leaks.faces_permille"),
    "a floor above all": (POLICY_TEXT + "[leaks]\nunder_permille = 1001\n", "leaks.under_permille"),
    "half a thousandth": (POLICY_TEXT + "[leaks]\nfaces_permille = 0.5\n", "leaks.faces_permille"),
    "a floor as a flag": (POLICY_TEXT + "[leaks]\nfaces_permille = true\n", "leaks.faces_permille"),
    "leaks as text": (POLICY_TEXT.replace("locked", 'leaks = "none"\nlocked'), "leaks"),
    "a floor of text that stays": (
        POLICY_TEXT + "[leaks]\ntexts_permille = 0\n",
        "leaks.texts_permille has no meaning",
    ),
    "a floor of voices where none is heard": (
        POLICY_TEXT + "[leaks]\nvoices_permille = 0\n",
        "leaks.voices_permille has no meaning",
    ),
    "a floor of voices that stay": (
        POLICY_TEXT.replace('"remove"', '"keep"') + "[leaks]\nvoices_permille = 0\n",
        "leaks.voices_permille has no meaning",
    ),
    "an unknown word for noise": (POLICY_TEXT + f"[camera]\nnoise = '{SECRET}'\n", "camera.noise"),
    "a camera that says nothing": (POLICY_TEXT + "[camera]\n", "camera.noise"),
    "an unknown key in camera": (POLICY_TEXT + "[camera]\nnoise = 'keep'\nlens = 1\n", "camera.lens"),
    "lossless as a word": (POLICY_TEXT + "[encoding]\nlossless = 'yes'\n", "encoding.lossless"),
    "an encoding that says nothing": (POLICY_TEXT + "[encoding]\n", "encoding.lossless"),
    "evidence of another kind": ("evidence = 'ffv1'\n" + POLICY_TEXT, "evidence"),
    "evidence without the noise": (
        "evidence = 'lossless'\n" + POLICY_TEXT + "[camera]\nnoise = 'suppress'\n",
        "lossless",
    ),
    "lossless without the noise": (
        POLICY_TEXT + "[encoding]\nlossless = true\n[camera]\nnoise = 'suppress'\n",
        "choose one of the two",
    ),
    "unknown credentials": (POLICY_TEXT + f"[proof]\ncredentials = '{SECRET}'\n", "proof.credentials"),
    "credentials as a flag": (POLICY_TEXT + "[proof]\ncredentials = true\n", "proof.credentials"),
    "unknown key in text": (WITH_TEXT + "passes = 1\n", "text.passes"),
    "missing text.scale": (WITH_TEXT.replace("scale = 1.25\n", ""), "text.scale"),
    "matching as text": (POLICY_TEXT.replace("locked", 'matching = "face"\nlocked'), "matching"),
    "matching of nothing": (POLICY_TEXT.replace("locked", "matching = []\nlocked"), "matching"),
    "matching of gaits": (POLICY_TEXT.replace("locked", 'matching = ["gait"]\nlocked'), "matching"),
    "matching where it is locked": (
        POLICY_TEXT.replace("locked = false", 'matching = ["face"]\nlocked = true'),
        "matching",
    ),
    "text as text": (POLICY_TEXT.replace("locked", 'text = "all"\nlocked'), "text"),
    "a face detector for people": (
        with_detectors('["centerface"]', WITH_PEOPLE, "scale = 1.25"),
        "people.detectors",
    ),
    "passes for people": (WITH_PEOPLE + "passes = 1\n", "people.passes"),
    "an outline of no kind": (WITH_PEOPLE + 'outline = "hull"\n', "people.outline"),
    "an overlay of no kind": (WITH_PEOPLE + 'overlay = "bones"\n', "people.overlay"),
    "a time constant beyond five seconds": (WITH_PEOPLE + "smooth_seconds = 5.1\n", "people.smooth_seconds"),
    "an outline smoothed into nothing": (WITH_PEOPLE + "smooth_outline = 0.3\n", "people.smooth_outline"),
    "an overlay on text": (POLICY_TEXT + TEXT_TABLE + 'overlay = "skeleton"\n', "text.overlay"),
    "people who may stay": (WITH_PEOPLE + KEEP, "keep"),
    "a threshold of plates": (WITH_PLATES.replace("0.4", "0.95"), "plates.threshold"),
    "keep with nothing to keep": (POLICY_TEXT + KEEP, "keep"),
    "keep as one table": (WITH_TEXT + KEEP.replace("[[keep]]", "[keep]"), "keep"),
    "keep of numbers": (POLICY_TEXT.replace("locked", "keep = [1]\nlocked") + TEXT_TABLE, "keep"),
    "an empty keep": (POLICY_TEXT.replace("locked", "keep = []\nlocked") + TEXT_TABLE, "keep"),
    "too many kept regions": (WITH_TEXT + KEEP * 17, "keep"),
    "a kept region inside out": (WITH_TEXT + KEEP.replace("0.25", "0.05"), "keep"),
    "a kept region beyond the picture": (WITH_TEXT + KEEP.replace("= 1\n", "= 1.5\n"), "keep.bottom"),
    "an unknown key in keep": (WITH_TEXT + KEEP + "what = 'logo'\n", "keep.what"),
    "an unknown detector": (with_detectors(f'["{SECRET}"]'), "faces.detectors"),
    "a detector of another kind": (with_detectors('["ppocr-text"]'), "faces.detectors"),
    "no detector": (with_detectors("[]"), "faces.detectors"),
    "a detector twice": (with_detectors('["centerface", "centerface"]'), "faces.detectors"),
    "unknown key at the top": (POLICY_TEXT.replace("locked", "colour = 1\nlocked"), "colour"),
    "unknown key in faces": (POLICY_TEXT.replace("passes", "pases = 1\npasses"), "faces.pases"),
    "unknown table": (POLICY_TEXT + "[voice]\neffect = 'remove'\n", "voice"),
    "missing schema": (POLICY_TEXT.replace('schema = "bauta.policy/v1"\n', ""), "schema"),
    "missing faces.scale": (POLICY_TEXT.replace("scale = 1.5\n", ""), "faces.scale"),
    "missing audio": (POLICY_TEXT.split("[audio]", maxsplit=1)[0], "audio"),
    "another schema": (POLICY_TEXT.replace("policy/v1", "policy/v2"), "schema"),
    "name with a capital": (POLICY_TEXT.replace('"trial"', f'"{SECRET}"'), "name"),
    "name too long": (POLICY_TEXT.replace("trial", "a" * 33), "name"),
    "name with a newline": (POLICY_TEXT.replace("trial", "trial\\n"), "name"),
    "summary of two lines": (POLICY_TEXT.replace("tests.", "tests.\\nmore"), "summary"),
    "no modes": (POLICY_TEXT.replace('["balanced", "fast"]', "[]"), "modes"),
    "a mode twice": (POLICY_TEXT.replace('"fast"', '"balanced"'), "modes"),
    "an unknown mode": (POLICY_TEXT.replace('"fast"', f'"{SECRET}"'), "modes"),
    "modes of numbers": (POLICY_TEXT.replace('"fast"', "7"), "modes"),
    "locked as a word": (POLICY_TEXT.replace("locked = false", 'locked = "no"'), "locked"),
    "locked as a number": (POLICY_TEXT.replace("locked = false", "locked = 0"), "locked"),
    "warp where it is locked": (
        POLICY_TEXT.replace("locked = false", "locked = true").replace('"solid"', '"warp"'),
        "warp",
    ),
    "an unknown effect": (POLICY_TEXT.replace('"solid"', f'"{SECRET}"'), "faces.effect"),
    "an unknown shape": (POLICY_TEXT.replace('"box"', '"star"'), "faces.shape"),
    "scale below 1": (POLICY_TEXT.replace("1.5", "0.99"), "faces.scale"),
    "scale above 3": (POLICY_TEXT.replace("1.5", "3.01"), "faces.scale"),
    "scale as text": (POLICY_TEXT.replace("1.5", f'"{SECRET}"'), "faces.scale"),
    "scale not a number": (POLICY_TEXT.replace("1.5", "nan"), "faces.scale"),
    "scale infinite": (POLICY_TEXT.replace("1.5", "inf"), "faces.scale"),
    "scale true": (POLICY_TEXT.replace("1.5", "true"), "faces.scale"),
    "threshold 0": (POLICY_TEXT.replace("0.2", "0"), "faces.threshold"),
    "threshold 1": (POLICY_TEXT.replace("0.2", "1"), "faces.threshold"),
    "no passes": (POLICY_TEXT.replace("passes = 2", "passes = 0"), "faces.passes"),
    "too many passes": (POLICY_TEXT.replace("passes = 2", "passes = 4"), "faces.passes"),
    "half a pass": (POLICY_TEXT.replace("passes = 2", "passes = 1.5"), "faces.passes"),
    "negative linger": (POLICY_TEXT.replace("= 0.5", "= -1"), "faces.linger_seconds"),
    "endless look-ahead": (POLICY_TEXT.replace("_seconds = 1", "_seconds = 11"), "faces.lookahead_seconds"),
    "words nobody looks for": (POLICY_TEXT + 'words = ["name"]\n', "audio.recognizer"),
    "a recognizer without words": (POLICY_TEXT + 'recognizer = "pocketsphinx"\n', "audio.words"),
    "words in silence": (POLICY_TEXT + 'words = ["x"]\nrecognizer = "pocketsphinx"\n', "no meaning"),
    "a word twice": (POLICY_TEXT + 'words = ["x", "x"]\n', "audio.words"),
    "a word of two lines": (POLICY_TEXT + 'words = ["x\\ny"]\n', "audio.words"),
    "a word that is two": (
        POLICY_TEXT + 'words = ["new york"]\nrecognizer = "pocketsphinx"\n',
        "single words",
    ),
    "no word": (POLICY_TEXT + "words = []\n", "audio.words"),
    "too many words": (POLICY_TEXT + f"words = {TOO_MANY_WORDS}\n", "audio.words"),
    "an unknown recognizer": (POLICY_TEXT + 'recognizer = "ears"\n', "audio.recognizer"),
    "a role's voice changed": (
        POLICY_TEXT + '[[roles]]\nname = "guest"\n[roles.audio]\neffect = "whisper"\n',
        "roles.audio.effect",
    ),
    "a role's voice and more": (
        POLICY_TEXT + '[[roles]]\nname = "guest"\n[roles.audio]\neffect = "keep"\nwords = ["x"]\n',
        "roles.audio.words",
    ),
    "audio changed": (POLICY_TEXT.replace('"remove"', '"whisper"'), "audio.effect"),
    "faces as text": (POLICY_TEXT.split("[faces]", maxsplit=1)[0] + 'faces = "all"\n', "faces"),
    "not TOML": (SECRET + " = = =", "TOML"),
    "a key twice": (POLICY_TEXT + 'effect = "keep"\n', "TOML"),
    "an impossible date": ("d = 2026-02-31\n" + POLICY_TEXT, "TOML"),
    "nested too deep": ("x = " + "[" * 5000 + "]" * 5000, "TOML"),
    "too large": (POLICY_TEXT + "#" * (64 << 10), "larger"),
    "not Unicode": (POLICY_TEXT + "# \ud800", "Unicode"),
    "empty": ("", "schema"),
    "proof as text": (POLICY_TEXT.replace("locked", 'proof = "strong"\nlocked'), "proof"),
    "a day of capture": (POLICY_TEXT + "[metadata]\ncaptured = 'day'\n", "metadata.captured"),
    "metadata that says nothing": (POLICY_TEXT + "[metadata]\n", "metadata.captured"),
    "metadata beside the month": (
        POLICY_TEXT + "[metadata]\ncaptured = 'month'\nplace = 'country'\n",
        "metadata.place",
    ),
    "proof that says nothing": (POLICY_TEXT + "[proof]\n", "proof.signatures"),
    "unknown key in proof": (with_signatures('["ed25519", "mldsa65"]\nyears = 30'), "proof.years"),
    "an unknown signature": (with_signatures(f'["ed25519", "mldsa65", "{SECRET}"]'), "proof.signatures"),
    "a signature of the log": (with_signatures('["ed25519", "mldsa65", "mldsa44"]'), "proof.signatures"),
    "a signature twice": (with_signatures('["ed25519", "mldsa65", "mldsa65"]'), "proof.signatures"),
    "no signatures": (with_signatures("[]"), "proof.signatures"),
    "one signature as text": (with_signatures('"ed25519"'), "proof.signatures"),
    "without ML-DSA": (with_signatures('["ed25519", "slhdsa128s"]'), "must hold ed25519 and mldsa65"),
    "without Ed25519": (with_signatures('["mldsa65", "slhdsa128s"]'), "must hold ed25519 and mldsa65"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text: str, named: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert caught.value.code == "policy_invalid"
    assert named in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_unknown_key_is_named_on_one_short_line() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy('"' + "k" * 500 + '\\n\\u001b[2J" = 1\n' + POLICY_TEXT)
    assert len(str(caught.value)) < 120
    assert str(caught.value).isprintable()


def test_the_five_shipped_policies_are_there() -> None:
    assert list(shipped()) == ["classroom", "evidence", "street", "telehealth", "whistleblower"]
    for name, policy in shipped().items():
        assert policy.name == name


def test_telehealth_is_the_strictest() -> None:
    policy = shipped()["telehealth"]
    assert policy.allowed_modes == policy.modes == ("original",)
    assert (policy.faces.effect, policy.faces.scale, policy.faces.passes) == ("solid", 1.5, 3)
    assert policy.audio.effect == "anonymize"
    for other in shipped().values():
        assert policy.faces.threshold <= other.faces.threshold
        assert policy.faces.linger_seconds >= other.faces.linger_seconds
        assert policy.faces.lookahead_seconds >= other.faces.lookahead_seconds


def test_whistleblower_covers_solidly_and_makes_voices() -> None:
    policy = shipped()["whistleblower"]
    assert (policy.faces.effect, policy.faces.scale, policy.audio.effect) == ("solid", 1.5, "anonymize")
    assert "fast" not in policy.modes


def test_a_weaker_effect_says_so_in_its_own_file() -> None:
    for name, policy in shipped().items():
        weaker = {policy.faces.effect} | {role.covers["face"].effect for role in policy.roles} != {"solid"}
        weaker |= "keep" in {policy.audio.effect, *(role.audio for role in policy.roles)}
        assert weaker == ("in danger uses" in policy.text), name
