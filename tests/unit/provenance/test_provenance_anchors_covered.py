"""An anchor beside a proof: whose anchors a trust file names, the file, and which step fails when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provenance import canonical
from provenance.anchors.address import format_address, parse_address
from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.checking import ANCHOR_STEPS, find_place, verify_anchored
from provenance.anchors.covered import COVERED_TYPE, MAX_CONSISTENCY, CoveredAnchor
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.checklist import VerificationError
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError, ProvenanceError
from provenance.merkle import consistency_proof, leaf_hash, node_hash, root_hash
from provenance.trust import Trust
from tests.unit.provenance.anchor_makers import event, proof, receipt
from tests.unit.provenance.provenance_makers import make_house

PLACE = AnchorPlace(31337, b"\x01" * 20, b"\x02" * 20)

# EIP-55's own examples.
CHECKSUMMED = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_addresses_are_written_as_the_standard_s_examples(text: str) -> None:
    address = parse_address(text)
    assert format_address(address) == text
    assert parse_address("0x" + text[2:].lower()) == parse_address("0x" + text[2:].upper()) == address


@pytest.mark.parametrize(
    "untrusted",
    [
        "",
        "0x",
        CHECKSUMMED[4][2:],
        CHECKSUMMED[4] + "0",
        CHECKSUMMED[4].replace("5aAe", "5aae"),
        CHECKSUMMED[4].replace("BeAed", "BeAEd"),
        "0x" + "g" * 40,
        "0x" + "١" * 40,
        CHECKSUMMED[2] + "\n",
        "0X" + CHECKSUMMED[2][2:],
        7,
        None,
    ],
)
def test_a_mistyped_address_is_none(untrusted: object) -> None:
    with pytest.raises(FormatError) as refused:
        parse_address(untrusted)
    assert refused.value.code == "anchor_address_malformed"


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    house = make_house(tmp_path_factory.mktemp("house"))
    house.log.close()
    return replace(house.trust, anchors=(PLACE,))


def test_a_trust_file_names_places_and_one_without_reads_as_before(trust: Trust) -> None:
    assert Trust.from_bytes(trust.to_bytes()) == trust
    bare = replace(trust, anchors=())
    assert b"anchors" not in bare.to_bytes()
    assert Trust.from_bytes(bare.to_bytes()) == bare


def test_a_place_twice_or_too_many_are_refused(trust: Trust) -> None:
    for places in ([PLACE, PLACE], [replace(PLACE, chain_id=number) for number in range(1, 6)]):
        with pytest.raises(FormatError):
            replace(trust, anchors=tuple(places))


GOOD = PLACE.to_object()
BAD_PLACES = [
    ("no list", GOOD),
    ("a field more", [GOOD | {"name": "x"}]),
    ("a field less", [{"chain_id": 1, "contract": GOOD["contract"]}]),
    ("chain 0", [GOOD | {"chain_id": 0}]),
    ("a chain in words", [GOOD | {"chain_id": "1"}]),
    ("true", [GOOD | {"chain_id": True}]),
    ("beyond what JSON counts", [GOOD | {"chain_id": 2**53}]),
    ("no address", [GOOD | {"contract": "0x00"}]),
    ("null", [None]),
]


@pytest.mark.parametrize(("name", "places"), BAD_PLACES, ids=[row[0] for row in BAD_PLACES])
def test_a_trust_file_with_another_place_is_none(trust: Trust, name: str, places: object) -> None:
    document = json.loads(trust.to_bytes())
    document["anchors"] = places
    with pytest.raises(FormatError):
        Trust.from_bytes(json.dumps(document).encode())


def test_a_place_s_folder_is_its_own_and_says_nothing_else(trust: Trust) -> None:
    origin = trust.log_origin
    text = f"31337\n{'01' * 20}\n{'02' * 20}\n{origin}\n"
    assert PLACE.folder(origin) == hashlib.sha256(text.encode()).hexdigest()[:32]
    others = [
        replace(PLACE, chain_id=1),
        replace(PLACE, contract=b"\x03" * 20),
        replace(PLACE, anchorer=b"\x03" * 20),
    ]
    assert len({PLACE.folder(origin), PLACE.folder("x.test"), *(one.folder(origin) for one in others)}) == 5


@dataclass(frozen=True)
class Tree:
    """A made-up log: real hashes over leaves that depend on the seed."""

    origin: str
    seed: bytes = b"leaf"

    def node(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(self.seed + index.to_bytes(8, "big"))
        return node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    def head(self, size: int) -> CheckpointText:
        return CheckpointText(self.origin, size, root_hash(size, self.node))

    def growth(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(old, new, self.node))


def anchor_of(line: AnchorLine, checkpoint: CheckpointText, status: int = 1) -> AnchorProof:
    return proof(0, 3, receipt([event(line, checkpoint)], status=status))


def block_hash(anchor: AnchorProof) -> bytes:
    return BlockHeader.from_bytes(anchor.header).block_hash


@dataclass(frozen=True)
class Case:
    """What a reader has in hand."""

    trust: Trust
    tree: Tree
    file: bytes
    checkpoint: CheckpointText
    believed: frozenset[bytes]


def case(trust: Trust) -> Case:
    """A proof at size five, anchored in a tree of twelve."""
    tree = Tree(trust.log_origin)
    anchor = anchor_of(PLACE.line(trust.log_origin), tree.head(12))
    file = CoveredAnchor(anchor, tree.growth(5, 12)).to_bytes()
    return Case(trust, tree, file, tree.head(5), frozenset({block_hash(anchor)}))


def with_anchor(one: Case, anchor: AnchorProof, consistency: tuple[bytes, ...]) -> Case:
    file = CoveredAnchor(anchor, consistency).to_bytes()
    return replace(one, file=file, believed=frozenset({block_hash(anchor)}))


def verified(one: Case) -> dict[str, str]:
    found = verify_anchored(one.file, one.trust, one.checkpoint, lambda _: one.believed)
    assert found.place == PLACE
    assert found.document()["size"] == found.anchor.checkpoint.size
    return {step.step: step.status for step in found.steps}


def test_a_proof_is_covered_by_the_anchor_of_a_later_tree(trust: Trust) -> None:
    assert verified(case(trust)) == dict.fromkeys(ANCHOR_STEPS, "ok")


def test_a_plain_anchor_file_covers_its_own_tree(trust: Trust) -> None:
    one = case(trust)
    anchor = anchor_of(PLACE.line(trust.log_origin), one.tree.head(5))
    plain = replace(one, file=anchor.to_bytes(), believed=frozenset({block_hash(anchor)}))
    assert verified(plain) == dict.fromkeys(ANCHOR_STEPS, "ok")
    later = replace(plain, checkpoint=one.tree.head(4))
    with pytest.raises(VerificationError) as refused:
        verified(later)
    assert refused.value.step == "anchor_covers"


def test_any_of_several_places_counts(trust: Trust) -> None:
    several = replace(trust, anchors=(replace(PLACE, chain_id=1, contract=b"\x07" * 20), PLACE))
    assert verified(replace(case(trust), trust=several)) == dict.fromkeys(ANCHOR_STEPS, "ok")


def _line(one: Case) -> AnchorLine:
    return PLACE.line(one.trust.log_origin)


FAILING: list[tuple[str, Callable[[Case], Case], str, str]] = [
    (
        "a trust file without chains",
        lambda one: replace(one, trust=replace(one.trust, anchors=())),
        "anchor_sound",
        "anchor_place_unknown",
    ),
    (
        "another anchorer's line",
        lambda one: with_anchor(
            one,
            anchor_of(replace(_line(one), anchorer=b"\x09" * 20), one.tree.head(12)),
            one.tree.growth(5, 12),
        ),
        "anchor_sound",
        "anchor_of_another",
    ),
    (
        "another contract",
        lambda one: with_anchor(
            one,
            anchor_of(replace(_line(one), contract=b"\x09" * 20), one.tree.head(12)),
            one.tree.growth(5, 12),
        ),
        "anchor_sound",
        "anchor_of_another",
    ),
    (
        "another log",
        lambda one: with_anchor(
            one, anchor_of(replace(_line(one), origin="x.test"), one.tree.head(12)), one.tree.growth(5, 12)
        ),
        "anchor_sound",
        "anchor_of_another",
    ),
    (
        "a transaction that was undone",
        lambda one: with_anchor(
            one, anchor_of(_line(one), one.tree.head(12), status=0), one.tree.growth(5, 12)
        ),
        "anchor_sound",
        "anchor_transaction_failed",
    ),
    (
        "a receipt of another block",
        lambda one: replace(
            one,
            file=CoveredAnchor(
                replace(anchor_of(_line(one), one.tree.head(12)), header=proof(3, 7).header),
                one.tree.growth(5, 12),
            ).to_bytes(),
        ),
        "anchor_sound",
        "anchor_proof_broken",
    ),
    ("a file cut short", lambda one: replace(one, file=one.file[:-2]), "anchor_sound", "malformed"),
    (
        "an older tree",
        lambda one: with_anchor(one, anchor_of(_line(one), one.tree.head(4)), ()),
        "anchor_covers",
        "anchor_of_another",
    ),
    (
        "no proof of growth",
        lambda one: with_anchor(one, anchor_of(_line(one), one.tree.head(12)), ()),
        "anchor_covers",
        "bad_merkle_proof",
    ),
    (
        "a log that the chain remembers otherwise",
        lambda one: with_anchor(
            one,
            anchor_of(_line(one), replace(one.tree, seed=b"fork").head(12)),
            replace(one.tree, seed=b"fork").growth(5, 12),
        ),
        "anchor_covers",
        "bad_merkle_proof",
    ),
    (
        "a fork at the same size",
        lambda one: with_anchor(one, anchor_of(_line(one), replace(one.tree, seed=b"fork").head(5)), ()),
        "anchor_covers",
        "bad_merkle_proof",
    ),
    (
        "nobody named the block",
        lambda one: replace(one, believed=frozenset()),
        "anchor_block_believed",
        "anchor_block_not_believed",
    ),
    (
        "another block",
        lambda one: replace(one, believed=frozenset({bytes(32)})),
        "anchor_block_believed",
        "anchor_block_not_believed",
    ),
]


@pytest.mark.parametrize(("name", "change", "step", "code"), FAILING, ids=[row[0] for row in FAILING])
def test_the_first_step_that_fails_is_named(
    trust: Trust, name: str, change: Callable[[Case], Case], step: str, code: str
) -> None:
    with pytest.raises(VerificationError) as refused:
        verified(change(case(trust)))
    assert (refused.value.step, refused.value.code) == (step, code), name


def test_nobody_is_asked_about_an_anchor_that_does_not_hold(trust: Trust) -> None:
    def asked(_: object) -> set[bytes]:
        raise AssertionError("a node was asked about a stranger's block")

    one = with_anchor(case(trust), anchor_of(_line(case(trust)), Tree("x.test").head(12)), ())
    with pytest.raises(VerificationError):
        verify_anchored(one.file, one.trust, one.checkpoint, asked)


def test_a_block_beyond_the_calendar_is_no_crash(trust: Trust) -> None:
    found = find_place(CoveredAnchor.from_bytes(case(trust).file).anchor, trust)
    late = replace(found, anchor=replace(found.anchor, block=replace(found.anchor.block, mined_at=2**63)))
    assert late.document()["mined_at"] is None


def content(one: Case) -> dict[str, object]:
    document = canonical.loads(one.file[:-1])
    assert isinstance(document, dict)
    return document


BAD_FILES: list[tuple[str, Callable[[Case], bytes]]] = [
    ("no end of line", lambda one: one.file[:-1]),
    ("two ends", lambda one: one.file + b"\n"),
    ("not canonical", lambda one: json.dumps(content(one), indent=1).encode() + b"\n"),
    ("a field more", lambda one: canonical.dumps(content(one) | {"x": 1}) + b"\n"),
    ("of another type", lambda one: canonical.dumps(content(one) | {"type": COVERED_TYPE + "0"}) + b"\n"),
    ("a list", lambda one: b"[]\n"),
    ("no list of hashes", lambda one: canonical.dumps(content(one) | {"consistency": "x"}) + b"\n"),
    ("a short hash", lambda one: canonical.dumps(content(one) | {"consistency": ["AA=="]}) + b"\n"),
    (
        "too many hashes",
        lambda one: (
            canonical.dumps(
                content(one)
                | {"consistency": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] * (MAX_CONSISTENCY + 1)}
            )
            + b"\n"
        ),
    ),
    ("no anchor in it", lambda one: canonical.dumps(content(one) | {"anchor": None}) + b"\n"),
    ("one inside another", lambda one: canonical.dumps(content(one) | {"anchor": content(one)}) + b"\n"),
    ("too large", lambda one: one.file[:-1] + b" " * (256 << 10) + b"\n"),
]


@pytest.mark.parametrize(("name", "spoil"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_file_has_one_form(trust: Trust, name: str, spoil: Callable[[Case], bytes]) -> None:
    one = case(trust)
    assert CoveredAnchor.from_bytes(one.file).to_bytes() == one.file
    with pytest.raises(ProvenanceError):
        CoveredAnchor.from_bytes(spoil(one))


def test_the_page_lists_the_steps_and_fields() -> None:
    """docs/anchors.md says what the code does."""
    text = (Path(__file__).parents[3] / "docs" / "anchors.md").read_text(encoding="utf-8")
    for name in (*ANCHOR_STEPS, COVERED_TYPE, *GOOD):
        assert f"`{name}`" in text, name
