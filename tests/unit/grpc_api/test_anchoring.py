"""Anchoring in a service's parts: a real log, the vault's own desk, a chain over HTTP; and what is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from chain_node import ChainNode
from chain_world import ChainWorld, head

from console import output
from console.main import app
from grpc_api.anchors.asking import block_hash_at, line_state
from grpc_api.anchors.config import AnchorConfig, AnchorConfigError, node_address, read_anchors
from grpc_api.anchors.contract import compiled
from grpc_api.anchors.deploying import deploy
from grpc_api.anchors.keeping import KeptAnchors, is_anchor_path, open_anchors
from grpc_api.anchors.service import Anchoring
from grpc_api.anchors.transport import open_node
from grpc_api.errors import ServiceError
from grpc_api.ledger import Ledger
from keyvault.chain_key import ChainKey
from keyvault.signing.secp256k1 import ChainKeyError
from keyvault.vault.anchoring import AnchorDesk, AnchorOrders, load_anchor_desk
from keyvault.vault.identity import load_identity
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from provenance.anchors.address import format_address, parse_address
from provenance.anchors.anchor_proof import Anchor, require_anchored
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from provenance.errors import LogError
from provenance.log import TransparencyLog
from provenance.merkle import root_hash
from tests.unit.provenance.provenance_makers import seed

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def node() -> Iterator[ChainNode]:
    made = ChainNode(ChainWorld())
    made.begin()
    yield made
    made.close()


class Vault:
    """The vault's own desk, without its process."""

    def __init__(self, desk: AnchorDesk, ratchet: CheckpointRatchet) -> None:
        self.desk = desk
        self.ratchet = ratchet
        self.before_signing: Callable[[], None] = lambda: None

    def sign_checkpoint(self, text: bytes, prove_from: Callable[[int], list[bytes]]) -> bytes:
        return self.ratchet.sign(text, prove_from(self.ratchet.size))

    def sign_anchor(self, transaction: bytes, prove_to: Callable[[int], list[bytes]]) -> bytes:
        self.before_signing()
        return self.desk.sign(transaction, prove_to(self.ratchet.size))


@dataclass(frozen=True)
class House:
    """One service's parts."""

    folder: Path
    config: AnchorConfig
    place: AnchorPlace
    log: TransparencyLog
    vault: Vault
    anchoring: Anchoring

    @property
    def kept(self) -> KeptAnchors:
        return open_anchors(self.folder / "anchors", self.place, self.log_origin)

    @property
    def log_origin(self) -> str:
        return self.log.latest_checkpoint().decode().splitlines()[0]

    def grow(self, entries: int, name: str) -> int:
        """Appends; the log's size afterwards."""
        return 1 + max(self.log.append_all(("job", seed(f"{name} {number}")) for number in range(entries)))

    def again(self) -> Anchoring:
        """What a restart makes."""
        origin = self.log_origin
        return Anchoring(
            self.config, self.place, self.folder / "anchors", Ledger(self.log), self.vault, origin
        )


@pytest.fixture
def house(node: ChainNode, tmp_path: Path) -> Iterator[House]:
    store = open_store(tmp_path / "vault", None)
    log_keys = load_identity(store).log
    ratchet = CheckpointRatchet(store, log_keys)
    config = AnchorConfig(
        node.url,
        node.chain_id,
        node.world.contract,
        entries=1,
        wait_seconds=1,
        confirmations=0,
    )
    orders = AnchorOrders(config.chain_id, config.contract, config.max_wei)
    desk = load_anchor_desk(store, orders, ratchet, log_keys.origin)
    assert desk is not None
    vault = Vault(desk, ratchet)
    place = AnchorPlace(config.chain_id, config.contract, desk.anchorer)
    log = TransparencyLog(tmp_path / "log.sqlite", log_keys.origin, vault.sign_checkpoint)
    anchoring = Anchoring(config, place, tmp_path / "anchors", Ledger(log), vault, log_keys.origin)
    yield House(tmp_path, config, place, log, vault, anchoring)
    ended(anchoring)
    log.close()
    store.close()


def ended(anchoring: Anchoring) -> None:
    """Stops it, and waits for what a service does not: the step under way, here over a log that is closed."""
    anchoring.stop()
    for thread in threading.enumerate():
        if thread.name == "anchors":
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "it does not end"


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def checked(house: House, covered: bytes, size: int) -> Anchor:
    """What a reader makes of it."""
    one = CoveredAnchor.from_bytes(covered)
    anchor = one.anchor.check(house.place.line(house.log_origin))
    root = root_hash(size, house.log._storage.node)
    require_anchored(anchor, CheckpointText(house.log_origin, size, root), one.consistency)
    return anchor


def test_a_log_is_anchored_by_the_vault_s_key_and_each_size_is_covered(node: ChainNode, house: House) -> None:
    node.give(house.place.anchorer)
    size = house.grow(5, "first")
    house.anchoring.start()
    until(lambda: house.kept.largest >= size)
    anchor = checked(house, house.anchoring.covered(size), size)
    assert anchor.checkpoint.size == size
    assert checked(house, house.anchoring.covered(1), 1).checkpoint.size == size
    block = BlockHeader.from_bytes(CoveredAnchor.from_bytes(house.anchoring.covered(1)).anchor.header)
    asked = open_node(node.url, PATIENCE_SECONDS)
    assert block_hash_at(asked, house.config.chain_id, block.number) == block.block_hash
    assert block_hash_at(asked, house.config.chain_id, 10**6) is None
    balance, latest = line_state(asked, house.place, house.log_origin)
    assert balance > 0
    assert latest is not None
    assert latest.size == size


def test_the_log_may_grow_between_offering_and_signing(node: ChainNode, house: House) -> None:
    node.give(house.place.anchorer)
    size = house.grow(3, "before")
    grown: list[int] = []
    house.vault.before_signing = lambda: grown.append(house.grow(2, f"meanwhile {len(grown)}"))
    house.anchoring.start()
    until(lambda: bool(house.kept.sizes))
    assert grown[0] > size
    assert house.kept.sizes[0] < house.vault.ratchet.size


def test_after_a_restart_what_was_kept_is_there_and_nothing_is_anchored_twice(
    node: ChainNode, house: House
) -> None:
    node.give(house.place.anchorer)
    size = house.grow(4, "kept")
    house.anchoring.start()
    until(lambda: house.kept.largest >= size)
    ended(house.anchoring)
    again = house.again()
    assert again.covered(size) == house.anchoring.covered(size)
    later = house.grow(1, "later")
    again.start()
    until(lambda: house.kept.largest >= later)
    ended(again)
    assert house.kept.sizes == (size, later)


def test_without_money_or_a_chain_the_log_goes_on_and_nothing_is_promised(house: House) -> None:
    house.anchoring.start()
    assert house.grow(2, "unpaid") == 2
    with pytest.raises(ServiceError) as refused:
        house.anchoring.covered(1)
    assert refused.value.code == "anchor_not_there"


def place_of(node: ChainNode) -> AnchorPlace:
    """The chain's own line."""
    return AnchorPlace(node.chain_id, node.world.contract, node.world.line.anchorer)


@pytest.fixture
def kept(node: ChainNode, tmp_path: Path) -> KeptAnchors:
    """Two anchors of the chain's own line."""
    world = node.world
    place = place_of(node)
    made = open_anchors(tmp_path / "anchors", place, world.line.origin)
    with node.lock:
        chain = world.chain()
        base = 0 if (last := chain.latest()) is None else last.size
        for more in (10, 20):
            sent = chain.send(head(base + more))
            world.mine()
            proof = chain.settled(sent.transaction_hash)
            assert proof is not None
            made.keep(base + more, proof)
    return made


def test_kept_anchors_are_found_by_the_smallest_tree_that_covers(kept: KeptAnchors, tmp_path: Path) -> None:
    small, large = kept.sizes
    for size, found in ((1, small), (small, small), (small + 1, large), (large, large)):
        covering = kept.covering(size)
        assert covering is not None
        assert covering[0] == found
    assert kept.covering(large + 1) is None
    assert kept.largest == large


def _folder(tmp_path: Path) -> Path:
    (folder,) = (tmp_path / "anchors").iterdir()
    return folder


def test_a_crash_between_file_and_list_leaves_a_list_that_holds(
    node: ChainNode, kept: KeptAnchors, tmp_path: Path
) -> None:
    (_folder(tmp_path) / "99999999").write_bytes(b"half an ancho")
    again = open_anchors(tmp_path / "anchors", place_of(node), node.world.line.origin)
    assert again.sizes == kept.sizes
    assert again.covering(99999999) is None
    elsewhere = replace(place_of(node), chain_id=1)
    assert open_anchors(tmp_path / "anchors", elsewhere, node.world.line.origin).sizes == ()


def _cut(path: Path) -> None:
    _write(path, path.read_bytes()[:-2])


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _swap(folder: Path, size: int) -> None:
    _write(folder / str(size), (folder / str(size + 10)).read_bytes())


DAMAGE: list[tuple[str, Callable[[Path, int], None]]] = [
    ("an anchor is gone", lambda folder, size: (folder / str(size)).unlink()),
    ("an anchor is cut short", lambda folder, size: _cut(folder / str(size))),
    ("an anchor is empty", lambda folder, size: _write(folder / str(size), b"")),
    ("another tree's stands there", _swap),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGE, ids=[row[0] for row in DAMAGE])
def test_a_damaged_anchor_is_not_handed_out(
    kept: KeptAnchors, tmp_path: Path, name: str, damage: Callable[[Path, int], None]
) -> None:
    damage(_folder(tmp_path), kept.sizes[0])
    with pytest.raises(LogError) as refused:
        kept.covering(1)
    assert refused.value.code == "log_damaged", name


@pytest.mark.parametrize(
    "content", [b"2\n1\n", b"0\n", b"1\n1\n", b"-1\n", b"01\n", b"x\n", b"\xff\n", b"1 2\n"]
)
def test_a_damaged_list_is_not_read(tmp_path: Path, content: bytes) -> None:
    place = AnchorPlace(1, b"\x01" * 20, b"\x02" * 20)
    folder = tmp_path / place.folder("x.test")
    folder.mkdir()
    (folder / "sizes").write_bytes(content)
    with pytest.raises(LogError) as refused:
        open_anchors(tmp_path, place, "x.test")
    assert refused.value.code == "log_damaged"


def test_paths_of_anchors_have_one_spelling() -> None:
    name = "0123456789abcdef" * 2
    assert all(is_anchor_path(f"{name}/{last}") for last in ("sizes", "1", "9223372036854775807"))
    wrong = ["", name, f"{name}/", f"{name}/0", f"{name}/01", f"{name}/1/", f"/{name}/1", f"{name}/../1"]
    wrong += [f"{name.upper()}/1", f"{name}/sizes.new", f"{name}/.new", f"{name}/1\n", f"{name}//1"]
    assert not any(map(is_anchor_path, wrong))


def test_the_contract_is_deployed_by_a_key_of_its_own_and_looked_at(node: ChainNode, tmp_path: Path) -> None:
    ChainKey.generate().write(tmp_path / "payer", None)
    key = ChainKey.read(tmp_path / "payer", lambda: "")
    assert (tmp_path / "payer").stat().st_mode & 0o777 == 0o600
    url, chain_id = node.url, node.chain_id
    limits = {"max_fee_wei": 10**11, "wait_seconds": float(PATIENCE_SECONDS)}
    with pytest.raises(ServiceError) as poor:
        deploy(open_node(url, PATIENCE_SECONDS), chain_id, key.address, key.sign, **limits)
    assert poor.value.code == "anchor_unfunded"
    assert format_address(key.address) in str(poor.value)
    node.give(key.address)
    done = deploy(open_node(url, PATIENCE_SECONDS), chain_id, key.address, key.sign, **limits)
    again = deploy(open_node(url, PATIENCE_SECONDS), chain_id, key.address, key.sign, **limits)
    assert done.contract != again.contract
    assert done.gas < 400_000
    for change, code in (
        ({"chain_id": 1}, "anchor_wrong_chain"),
        ({"max_fee_wei": 1}, "anchor_fee_too_high"),
    ):
        asked = {"chain_id": chain_id, **limits, **change}
        with pytest.raises(ServiceError) as refused:
            deploy(open_node(url, PATIENCE_SECONDS), payer=key.address, sign=key.sign, **asked)
        assert refused.value.code == code


def bauta(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = app([*map(str, words), "--json"], standalone_mode=False)
    return code, json.loads(capsys.readouterr().out)


def test_the_command_deploys_once_its_key_has_money(
    node: ChainNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.MODE, "as_json", False)
    words = ("anchors", "deploy", "--rpc", node.url, "--chain-id", node.chain_id, "--key", tmp_path / "payer")
    code, told = bauta(capsys, *words)
    assert (code, told["deployed"]) == (1, False)
    node.give(parse_address(told["payer"]))
    code, told = bauta(capsys, *words)
    assert (code, told["deployed"]) == (0, True)
    table = {"rpc": node.url, "chain_id": told["chain_id"], "contract": told["contract"]}
    assert read_anchors(table) is not None
    with node.lock:
        code_there = bytes(node.world.node.eth.get_code(told["contract"]))
    assert code_there == compiled().runtime_code


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"format":"bauta.chain-key/v1","secp256k1":"AA=="}\n'])
def test_another_file_is_no_chain_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ChainKeyError):
        ChainKey.read(tmp_path / "key", lambda: "")


def test_a_chain_key_shows_nothing(tmp_path: Path) -> None:
    key = ChainKey.generate()
    assert repr(key) == "ChainKey()"
    with pytest.raises(ChainKeyError):
        replace(key, secp256k1=bytes(135))


TABLE = {"rpc": "https://node.test/secret", "chain_id": 1, "contract": "0x" + "0c" * 20}
BAD_TABLES = [
    ("no table", [], "`anchors` must be a table"),
    ("a key more", TABLE | {"urls": 1}, "`anchors.urls`"),
    ("no node", {"chain_id": 1, "contract": TABLE["contract"]}, "`anchors.rpc`"),
    ("no contract", {"rpc": TABLE["rpc"], "chain_id": 1}, "`anchors.contract`"),
    ("a file", TABLE | {"rpc": "file:///etc/passwd"}, "`anchors.rpc`"),
    ("a password in it", TABLE | {"rpc": "https://me:secret@node.test"}, "`anchors.rpc`"),
    ("a number", TABLE | {"rpc": 1}, "`anchors.rpc`"),
    ("two lines", TABLE | {"rpc": "http://node.test\nx"}, "`anchors.rpc`"),
    ("a space", TABLE | {"rpc": "http://node.test/a b"}, "`anchors.rpc`"),
    ("none", TABLE | {"rpc": "http://["}, "`anchors.rpc`"),
    ("chain 0", TABLE | {"chain_id": 0}, "`anchors.chain_id`"),
    ("a chain's name", TABLE | {"chain_id": "mainnet"}, "`anchors.chain_id`"),
    ("true", TABLE | {"entries": True}, "`anchors.entries`"),
    ("half a second", TABLE | {"wait_seconds": 0.5}, "`anchors.wait_seconds`"),
    ("less than no blocks", TABLE | {"confirmations": -1}, "`anchors.confirmations`"),
    ("a mistyped address", TABLE | {"contract": "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}, "checksum"),
]


@pytest.mark.parametrize(("name", "table", "named"), BAD_TABLES, ids=[row[0] for row in BAD_TABLES])
def test_a_wrong_table_is_refused_by_its_key(name: str, table: object, named: str) -> None:
    with pytest.raises(AnchorConfigError, match=named) as refused:
        read_anchors(table)
    assert "secret" not in str(refused.value), name


def test_a_node_is_named_by_an_address_or_by_a_file_that_holds_one(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("https://node.test/secret\n")
    for given in ("https://node.test/secret", str(tmp_path / "node")):
        assert node_address(given) == "https://node.test/secret"
    (tmp_path / "two").write_text("https://node.test/secret\nhttps://other.test\n")
    (tmp_path / "huge").write_bytes(b"x" * 100_000)
    for wrong in ("", "two", "huge", "nowhere", ".", "ftp://node.test/secret"):
        with pytest.raises(AnchorConfigError) as refused:
            node_address(str(tmp_path / wrong) if wrong else "")
        assert "secret" not in str(refused.value)


def test_a_table_is_read_and_its_address_is_shown_to_nobody() -> None:
    config = read_anchors(TABLE | {"confirmations": 0, "max_fee_wei": 7})
    assert config is not None
    assert (config.chain_id, config.contract, config.confirmations) == (1, b"\x0c" * 20, 0)
    assert config.max_wei == 120_000 * 7
    assert "secret" not in repr(config)
    assert read_anchors({}) is None
