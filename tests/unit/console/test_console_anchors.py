"""`bauta verify --anchor` and `bauta-verify --anchor`, offline: words, pages, and every way to be refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from console import output
from console.main import app
from console.report import program
from console.report.anchored import hash_of_saved_header, named_blocks, parse_block_hash, with_anchor
from console.report.page import render
from console.report.verdict import Verdict, check
from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.covered import MAX_COVERED_BYTES, CoveredAnchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError, ProvenanceError
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from tests.unit.provenance.anchor_makers import event, proof, receipt
from tests.unit.provenance.provenance_makers import RESULT, House, make_house, seed

PLACE = AnchorPlace(31337, b"\x01" * 20, b"\x02" * 20)
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


class Files:
    """What a reader has: a result, its proof, an anchor of a later tree, a trust file, a saved header."""

    def __init__(self, house: House, folder: Path) -> None:
        self.result = folder / "result.mp4"
        self.result.write_bytes(RESULT)
        self.proof = folder / "result.mp4.proof"
        self.proof.write_bytes(house.prove_job())
        size = self.head(house).size
        house.log.append_all(("job", seed(f"later {number}")) for number in range(7))
        self.anchored = CheckpointText.parse(parse_note(house.log.latest_checkpoint()).text.encode())
        line = PLACE.line(house.trust.log_origin)
        anchor: AnchorProof = proof(0, 3, receipt([event(line, self.anchored)]))
        growth = house.log.consistency_proof(size, self.anchored.size)
        self.anchor = folder / "result.mp4.proof.anchor"
        self.anchor.write_bytes(CoveredAnchor(anchor, tuple(growth)).to_bytes())
        self.header = folder / "header.rlp"
        self.header.write_bytes(anchor.header)
        self.block = BlockHeader.from_bytes(anchor.header)
        self.trust = folder / "trust.json"
        self.trust.write_bytes(replace(house.trust, anchors=(PLACE,)).to_bytes())
        self.bare_trust = folder / "bare.json"
        self.bare_trust.write_bytes(house.trust.to_bytes())

    def head(self, _house: House) -> CheckpointText:
        place = TlogProof.parse(ProofFile.from_bytes(self.proof.read_bytes()).log)
        return CheckpointText.parse(parse_note(place.checkpoint).text.encode())

    @property
    def block_hash(self) -> str:
        return "0x" + self.block.block_hash.hex()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    house = make_house(tmp_path_factory.mktemp("house"))
    yield Files(house, tmp_path_factory.mktemp("files"))
    house.log.close()


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setattr(output.MODE, "as_json", False)
    code = app([*map(str, words), "--json"], standalone_mode=False)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("how", ["--block", "--header", "hex header"])
def test_a_proof_and_its_anchor_verify(
    files: Files,
    how: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_text = tmp_path / "header.txt"
    as_text.write_text("0x" + files.header.read_bytes().hex() + "\n")
    believed = {
        "--block": ("--block", files.block_hash),
        "--header": ("--header", files.header),
        "hex header": ("--header", as_text),
    }[how]
    words = ("verify", files.result, "--trust", files.trust, "--anchor", files.anchor, *believed)
    code, told = run(capsys, monkeypatch, *words)
    assert (code, told["verified"]) == (0, True)
    assert told["anchor"] == {
        **PLACE.to_object(),
        "size": files.anchored.size,
        "root": files.anchored.root.hex(),
        "block": files.block.number,
        "block_hash": files.block_hash,
        "mined_at": "2023-11-14T22:13:20Z",
    }
    assert [step["status"] for step in told["steps"][-3:]] == ["ok"] * 3


REFUSED = [
    ("nobody named a block", (), "anchor_block_believed", "anchor_block_not_believed"),
    ("another block", ("--block", "0x" + "11" * 32), "anchor_block_believed", "anchor_block_not_believed"),
]


@pytest.mark.parametrize(("name", "words", "step", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_an_unknown_block_is_named_as_the_failing_step(
    files: Files,
    name: str,
    words: tuple[str, ...],
    step: str,
    code: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ("verify", files.result, "--trust", files.trust, "--anchor", files.anchor, *words)
    exit_code, told = run(capsys, monkeypatch, *asked)
    assert exit_code == 1, name
    assert (told["verified"], told["failed_step"], told["code"]) == (False, step, code)
    assert "anchor" not in told


def test_a_trust_file_without_chains_believes_no_anchor(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("verify", files.result, "--trust", files.bare_trust, "--anchor", files.anchor)
    code, told = run(capsys, monkeypatch, *words, "--block", files.block_hash)
    assert (code, told["failed_step"], told["code"]) == (1, "anchor_sound", "anchor_place_unknown")


@pytest.mark.parametrize(
    "words",
    [
        ("--block", "0x" + "11" * 32),
        ("--header", "HEADER"),
        ("--rpc", "http://127.0.0.1:9"),
        ("--anchor", "ANCHOR", "--rpc", "ftp://node.test"),
        ("--anchor", "ANCHOR", "--html", "ANCHOR"),
    ],
)
def test_wrong_usage_is_told(files: Files, words: tuple[str, ...]) -> None:
    given = [str({"HEADER": files.header, "ANCHOR": files.anchor}.get(word, word)) for word in words]
    with pytest.raises(typer.BadParameter):
        app(["verify", str(files.result), "--trust", str(files.trust), *given], standalone_mode=False)


def verdict(files: Files) -> Verdict:
    return check(files.result, files.proof.read_bytes(), files.trust.read_bytes())


def test_words_and_page_say_what_is_anchored_and_by_whose_clock(files: Files) -> None:
    held = with_anchor(verdict(files), files.anchor, lambda _: {files.block.block_hash})
    assert held.failure is None
    assert "anchored by 2023-11-14T22:13:20Z in block 7 of chain 31337" in held.lines()
    page = render(held, NOW)
    told = ["on a public chain already", "14 November 2023", files.block_hash, "Whoever checked said so"]
    for part in (*told, str(PLACE.to_object()["contract"]), str(PLACE.to_object()["anchorer"])):
        assert part in page
    without = render(verdict(files), NOW)
    assert "public chain" not in without


def test_a_page_tells_why_an_anchor_does_not_hold_and_what_to_do(files: Files) -> None:
    failed = with_anchor(verdict(files), files.anchor, lambda _: set())
    assert failed.failure is not None
    page = render(failed, NOW)
    assert "block 7" in page
    assert "ask a node that you run" in page
    assert "public chain already" not in page


def test_nothing_is_asked_beside_a_proof_that_does_not_hold(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(RESULT + b"x")
    refused = check(other, files.proof.read_bytes(), files.trust.read_bytes())

    def asked(_: object) -> set[bytes]:
        raise AssertionError("a node was asked")

    assert with_anchor(refused, files.anchor, asked) == refused


def test_the_small_verifier_checks_an_anchor_too(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(files.result), "--trust", str(files.trust), "--json", "--anchor", str(files.anchor)]
    assert program.main([*words, "--header", str(files.header)]) == 0
    assert json.loads(capsys.readouterr().out)["anchor"]["block"] == 7
    assert program.main([*words, "--block", "0x" + "00" * 32]) == 1
    assert json.loads(capsys.readouterr().out)["failed_step"] == "anchor_block_believed"
    for wrong in (["--block", "7"], ["--header", str(files.result)]):
        with pytest.raises(SystemExit) as usage:
            program.main([*words, *wrong])
        assert usage.value.code == 2
    with pytest.raises(SystemExit) as usage:
        program.main([str(files.result), "--trust", str(files.trust), "--block", files.block_hash])
    assert usage.value.code == 2


@pytest.mark.parametrize(
    "text", ["", "0x", "0x" + "1" * 63, "0x" + "1" * 65, "0x" + "g" * 64, "1" * 64 + "\n", "0x" + "١" * 64]
)
def test_a_block_s_hash_has_64_digits(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse_block_hash(text)
    assert refused.value.code == "block_hash_malformed"


@pytest.mark.parametrize("content", [b"", b"0x", b"0xzz", b"hello", bytes(5000), b"0x" + b"00" * 5000])
def test_what_is_no_header_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "header").write_bytes(content)
    with pytest.raises(ProvenanceError):
        hash_of_saved_header(tmp_path / "header")


def test_blocks_are_named_by_hash_and_by_header(files: Files) -> None:
    other = "22" * 32
    assert named_blocks([other], [files.header]) == {bytes.fromhex(other), files.block.block_hash}


def test_a_huge_anchor_is_not_read_to_its_end(files: Files, tmp_path: Path) -> None:
    huge = tmp_path / "huge.anchor"
    with huge.open("wb") as sink:
        sink.truncate(MAX_COVERED_BYTES * 1000)
    failed = with_anchor(verdict(files), huge, lambda _: set())
    assert failed.failure is not None
    assert failed.failure.step == "anchor_sound"
