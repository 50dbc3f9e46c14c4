"""The report that people read: what it says, what it admits, and that nothing in it can run or load."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from console.report import markup, program, words
from console.report.page import render
from console.report.saving import save
from console.report.verdict import Released, Verdict, check
from provenance.algorithms.registry import SIGNATURES
from provenance.anchors.checking import ANCHOR_STEPS
from provenance.checklist import Step
from provenance.committed import PIECES_STEPS
from provenance.proof import ProofFile
from provenance.statements import vocabulary
from provenance.verifier import OPENING_STEPS, RESULT_STEPS
from tests.time_authority import integer, sequence, time_authority
from tests.unit.provenance.provenance_makers import (
    ATTACKED,
    RESULT,
    House,
    TestSigner,
    job_facts,
    make_house,
)

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture(scope="module")
def verified(house: House, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    file = tmp_path_factory.mktemp("file") / "private-name.mp4"
    file.write_bytes(RESULT)
    return check(file, house.prove_job(), house.trust.to_bytes())


@pytest.fixture(scope="module")
def refused(house: House, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    file = tmp_path_factory.mktemp("file") / "private-name.mp4"
    file.write_bytes(RESULT + b"\0")
    return check(file, house.prove_job("other"), house.trust.to_bytes())


class Page(HTMLParser):
    """Reads a page: its tags, its attributes, its headings, and whether every tag is closed in its order."""

    _EMPTY = ("meta", "br", "hr", "link", "img")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self._EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)


def test_the_tables_of_words_are_complete() -> None:
    assert set(words.TIERS) == set(vocabulary.TIERS)
    assert set(words.WALLS) == set(vocabulary.WALLS)
    assert set(words.EFFECTS) == set(vocabulary.EFFECTS)
    assert set(words.AUDIO) == set(vocabulary.AUDIO)
    assert set(words.SENSOR_NOISE) == set(vocabulary.SENSOR_NOISE)
    assert set(words.QUALITY) == set(vocabulary.QUALITY)
    assert set(words.QUALITY_CHECKS) == set(vocabulary.QUALITY_CHECKS)
    assert set(words.DEVICES) == set(vocabulary.DEVICES)
    assert set(words.DECISIONS) == set(vocabulary.DECISIONS)
    assert set(words.RECOGNIZED) == set(vocabulary.RECOGNIZED)
    assert set(words.MATCHED) == set(vocabulary.MATCHED)
    assert set(words.ENGINES) == set(vocabulary.ENGINES)
    assert set(words.KINDS) == set(vocabulary.KINDS)
    assert set(words.MODES) == set(vocabulary.MODES)
    assert set(words.ALGORITHMS) == set(SIGNATURES)
    checked = {*RESULT_STEPS, *OPENING_STEPS, *ANCHOR_STEPS, *PIECES_STEPS}
    assert set(words.STEPS) == {*checked, "worker_released", "on_record"}
    assert set(words.ADVICE) == checked


@pytest.mark.parametrize("which", ["verified", "refused"])
def test_nothing_in_the_page_runs_or_loads(which: str, request: pytest.FixtureRequest) -> None:
    source = render(request.getfixturevalue(which), NOW)
    page = Page(source)
    assert not {"script", "img", "link", "iframe", "object", "form", "a", "svg", "base"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope"}
    assert "url(" not in source
    assert "@import" not in source
    assert "://" not in source
    style = source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(value for _, value in page.attributes if value and "default-src" in value)
    assert policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"


@pytest.mark.parametrize("which", ["verified", "refused"])
def test_the_page_is_built_for_every_reader(which: str, request: pytest.FixtureRequest) -> None:
    source = render(request.getfixturevalue(which), NOW)
    page = Page(source)
    assert source.startswith("<!DOCTYPE html>")
    assert ("lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("title") == 1
    assert page.tags.count("table") == page.tags.count("caption") == page.tags.count("thead")
    assert page.tags.count("h2") == page.tags.count("section") >= 4
    assert page.tags.count("th") == sum(name == "scope" for name, _ in page.attributes)


def test_every_colour_of_text_stands_out_from_its_ground() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; the greens and reds also on the tinted grounds."""
    from console.report.style import STYLE

    grounds = ["ffffff", *re.findall(r"background: #([0-9a-f]{6})", STYLE)]
    colours = re.findall(r"[ {]color: #([0-9a-f]{6})", STYLE)
    assert len(grounds) >= 3
    assert len(colours) >= 5
    for colour in colours:
        for ground in grounds:
            assert _contrast(colour, ground) >= 4.5, (colour, ground)


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def told_with(verified: Verdict, **changes: object) -> Verdict:
    """The same outcome with other facts."""
    assert verified.result is not None
    return replace(verified, result=replace(verified.result, facts=job_facts(RESULT, **changes)))


def test_that_a_person_decided_is_told_and_what_follows(verified: Verdict) -> None:
    verdict = told_with(verified, decided={"draw": 2, "keep": 1}, decisions_commitment="ab" * 32)
    source = render(verdict, NOW)
    assert "2 drawn by hand and covered; 1 kept visible" in source
    assert "That everybody in it is covered: a person decided to keep 1 visible." in source
    assert "; by a person's decision 2 drawn by hand and covered, 1 kept visible; tier" in verdict.lines()


def test_a_review_without_a_decision_is_told_as_one(verified: Verdict) -> None:
    looked_over = told_with(verified, decisions_commitment="ab" * 32)
    assert "Somebody looked it over and left it as it was." in render(looked_over, NOW)
    assert "Nothing: nobody looked it over before it was made." in render(verified, NOW)
    for verdict in (looked_over, verified):
        assert "decision" not in verdict.lines()
        assert "a person decided" not in render(verdict, NOW)


def test_what_attackers_found_is_told_before_the_answer(verified: Verdict) -> None:
    attacked = told_with(verified, **ATTACKED)
    for verdict, line in (
        (attacked, "Attacked before it left, after it was covered again: 14 of 90 frames; "),
        (verified, "Not attacked: the worker made no leak report."),
    ):
        assert "What attackers found" in Page(render(verdict, NOW)).texts["h2"]
        assert verdict.lines().splitlines()[-2].startswith(line)
    assert words.LEAKS_LOOKS["none"] in render(verified, NOW)


def test_a_sound_proof_is_told_with_its_limits(verified: Verdict, house: House) -> None:
    source = render(verified, NOW)
    headings = Page(source).texts["h2"]
    assert headings[:2] == ["What is proven", "What is not proven"]
    assert verified.result is not None
    facts = verified.result.facts
    keys = [key_id.partition(":")[2] for key_id in house.node.public.key_ids]
    keys += [key_id.partition(":")[2] for key_id in TestSigner("worker").public.key_ids]
    keys += [hashlib.sha256(key.public_key).hexdigest() for key in house.trust.log_keys]
    for told in (facts.result_sha256, facts.measurement, facts.job_id, house.trust.log_origin, *keys):
        assert told in source
    assert all(f"<code>{wall}</code>" in source and words.WALLS[wall] in source for wall in facts.walls)
    assert words.TIERS["process"] in source
    assert f"{words.KINDS['plate']}, {words.EFFECTS['solid']}, in 12 frames" in source
    for admitted in ("Which original", "Who is in it", "That no face can be seen", "by any clock but"):
        assert admitted in source
    assert "21 November 2026, 12:30:00 UTC" in source
    assert "private-name" not in source


def test_a_failed_check_shows_nothing_that_was_not_checked(refused: Verdict) -> None:
    source = render(refused, NOW)
    headings = Page(source).texts["h2"]
    assert "What is proven" not in headings
    assert "What attackers found" not in headings
    assert "ttacked" not in refused.lines()
    assert "How the program was kept apart" not in headings
    assert "Anything that the proof or the file says" in source
    assert "<code>result_matches</code>" in source
    assert "<code>result_wrong_size</code>" in source
    assert words.ADVICE["result_matches"] in source
    assert source.count("✗ does not hold") == 1
    assert "private-name" not in source


def test_an_original_that_is_shown_is_told(verified: Verdict) -> None:
    opened = verified.with_steps(Step("commitment_opens", "", "ok"))
    assert "Which original it was made from" in render(verified, NOW)
    assert "Which original it was made from" not in render(opened, NOW)


def test_every_value_is_escaped(verified: Verdict) -> None:
    hostile = '</p><script>alert(1)</script>"\u202e\x00'
    source = render(replace(verified, released=Released(hostile, hostile)), NOW)
    assert "<script" not in source
    assert "&lt;script&gt;" in source
    assert "\u202e" not in source
    assert "\x00" not in source
    Page(source)
    assert markup.text("<&\"'\n") == "&lt;&amp;&quot;&#x27;?"


def test_the_report_is_whole_private_and_names_the_file_that_failed(refused: Verdict, tmp_path: Path) -> None:
    file, report = tmp_path / "private-name.mp4", tmp_path / "report.html"
    file.write_bytes(RESULT + b"\0")
    save(report, refused, file)
    source = report.read_text(encoding="utf-8")
    assert hashlib.sha256(RESULT + b"\0").hexdigest() in source
    assert "private-name" not in source
    assert report.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private-name.mp4", "report.html"]
    with pytest.raises(OSError, match="No such file"):
        save(tmp_path / "nowhere" / "report.html", refused, file)


@pytest.mark.parametrize("victim", ["result.mp4", "result.mp4.proof", "trust.json"])
def test_the_report_never_replaces_what_is_checked(house: House, tmp_path: Path, victim: str) -> None:
    file = tmp_path / "result.mp4"
    content = {
        file.name: RESULT,
        "result.mp4.proof": house.prove_job("x"),
        "trust.json": house.trust.to_bytes(),
    }
    for name, written in content.items():
        (tmp_path / name).write_bytes(written)
    asked = [str(file), "--trust", str(tmp_path / "trust.json"), "--html", str(tmp_path / victim)]
    with pytest.raises(SystemExit) as ended:
        program.main(asked)
    assert ended.value.code == program.EXIT_USAGE
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == content


def test_the_program_believes_nobody_unless_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main([str(tmp_path / "result.mp4")])
    assert ended.value.code == program.EXIT_USAGE
    with pytest.raises(SystemExit) as ended:
        program.main([str(tmp_path / "result.mp4"), "--trust", str(tmp_path / "trust.json")])
    assert ended.value.code == program.EXIT_USAGE


def test_the_document_names_every_step_and_option(repository: Path) -> None:
    text = (repository / "docs" / "verifying.md").read_text()
    assert re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE) == list(RESULT_STEPS)
    assert all(f"`{step}`" in text for step in OPENING_STEPS)
    options = {option for action in program._parser()._actions for option in action.option_strings}
    assert set(re.findall(r"^\| `(--[a-z]+)", text, re.MULTILINE)) == options - {"-h", "--help"}


def test_the_clocks_of_others_stand_beside_the_service_s_own(house: House, tmp_path: Path) -> None:
    proof = ProofFile.from_bytes(house.prove_job())
    believed, stranger = time_authority(), time_authority("other")
    accuracy = sequence(integer(2))
    tokens = tuple(each.stamp(proof.statement.digest, accuracy=accuracy) for each in (believed, stranger))
    trust = replace(house.trust, timestamp_roots=(believed.root_der,), required_timestamps=1)
    file = tmp_path / "file"
    file.write_bytes(RESULT)
    verdict = check(file, replace(proof, timestamps=tokens).to_bytes(), trust.to_bytes())
    source = render(verdict, NOW)
    assert source.count("21 November 2026, 10:00:18 UTC, within 2 seconds") == 1
    assert "a time-stamping authority under CN=Test root time" in source
    assert hashlib.sha256(believed.root_der).hexdigest() in source
    assert "Test root other" not in source, "nobody vouches for that one"
    assert "by nobody you believe" in source
    assert "by any clock but the service" not in source
    assert "! The proof carries a timestamp by nobody you believe." in verdict.lines()
    plain = render(check(file, house.prove_job(), house.trust.to_bytes()), NOW)
    assert "by any clock but the service" in plain
    assert "No clock but the service" in plain
