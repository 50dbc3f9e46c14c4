"""The vault signs anchors of its own log, on the operator's chain, at the operator's price; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_keys.datatypes import Signature
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.client import VaultRefusedError
from keyvault.signing.log import LogSigner
from keyvault.vault.anchoring import ENTRY, AnchorDesk, AnchorOrders, load_anchor_desk
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from provenance.anchors.event import AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.anchors.transaction import AnchorTransaction, contract_creation
from provenance.checkpoint import CheckpointText
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import RunningVault, checkpoint_text, growth

ORIGIN = "bauta.log/00112233445566778899aabbccddeeff"
OTHER_LOG = "bauta.log/ffeeddccbbaa99887766554433221100"
SIGNER = LogSigner.generate(ORIGIN)
CONTRACT = b"\x0c" * 20
ORDERS = AnchorOrders(chain_id=31337, contract=CONTRACT, max_wei=120_000 * 10**11)
SIGNED_SIZE = 10


class Scene:
    """A vault that has signed the made-up tree at size ten."""

    def __init__(self, store: Keystore, clock: Clock) -> None:
        self.ratchet = CheckpointRatchet(store, SIGNER, clock)
        self.ratchet.sign(checkpoint_text(ORIGIN, SIGNED_SIZE), [])
        desk = load_anchor_desk(store, ORDERS, self.ratchet, ORIGIN)
        assert desk is not None
        self.desk: AnchorDesk = desk
        self.line = AnchorLine(CONTRACT, desk.anchorer, ORIGIN)

    def transaction(self, size: int = SIGNED_SIZE, seed: bytes = b"root") -> AnchorTransaction:
        call = self.line.call_to_anchor(CheckpointText.parse(checkpoint_text(ORIGIN, size, seed)))
        return AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, CONTRACT, call)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    store = open_store(tmp_path_factory.mktemp("scene") / "vault", None)
    yield Scene(store, Clock())
    store.close()


def test_what_the_vault_signed_as_a_checkpoint_it_signs_as_an_anchor(scene: Scene) -> None:
    transaction = scene.transaction()
    signature = scene.desk.sign(transaction.to_sign(), [])
    digest = keccak256(transaction.to_sign())
    sender = Signature(signature).recover_public_key_from_msg_hash(digest).to_canonical_address()
    assert sender == scene.desk.anchorer


def test_the_beginning_of_a_signed_tree_is_signed_with_the_proof(scene: Scene) -> None:
    """The log grew between offering and sending."""
    for size in (1, 7, 8):
        assert scene.desk.sign(scene.transaction(size).to_sign(), growth(size, SIGNED_SIZE))


def anchoring(line: AnchorLine, origin: str, size: int) -> bytes:
    elsewhere = replace(line, origin=origin)
    return elsewhere.call_to_anchor(CheckpointText.parse(checkpoint_text(origin, size)))


Change = Callable[[Scene], tuple[bytes, list[bytes]]]
REFUSED: list[tuple[str, Change, str]] = [
    ("nothing", lambda _: (b"", []), "anchor_malformed"),
    ("a hash to sign blindly", lambda _: (bytes(32), []), "anchor_malformed"),
    ("a legacy transaction", lambda s: (s.transaction().to_sign()[1:], []), "anchor_malformed"),
    ("a byte more", lambda s: (s.transaction().to_sign() + b"\0", []), "anchor_malformed"),
    (
        "a contract's creation",
        lambda _: (
            contract_creation(
                chain_id=31337, nonce=0, priority_wei=1, max_fee_wei=1, gas=1, code=b"\x60"
            ).to_sign(),
            [],
        ),
        "anchor_malformed",
    ),
    (
        "money along with it",
        lambda s: (s.transaction().to_sign().replace(CONTRACT + b"\x80", CONTRACT + b"\x05", 1), []),
        "anchor_malformed",
    ),
    ("another chain", lambda s: (replace(s.transaction(), chain_id=1).to_sign(), []), "anchor_wrong_chain"),
    (
        "another contract",
        lambda s: (replace(s.transaction(), contract=b"\x0d" * 20).to_sign(), []),
        "anchor_of_another",
    ),
    (
        "a token's transfer",
        lambda s: (replace(s.transaction(), call=bytes.fromhex("a9059cbb") + bytes(64)).to_sign(), []),
        "anchor_of_another",
    ),
    (
        "another log",
        lambda s: (replace(s.transaction(), call=anchoring(s.line, OTHER_LOG, SIGNED_SIZE)).to_sign(), []),
        "anchor_of_another",
    ),
    (
        "a word more",
        lambda s: (replace(s.transaction(), call=s.transaction().call + bytes(32)).to_sign(), []),
        "anchor_of_another",
    ),
    (
        "a wei per gas too dear",
        lambda s: (replace(s.transaction(), max_fee_wei=10**11 + 1).to_sign(), []),
        "anchor_too_dear",
    ),
    (
        "much gas, cheaply",
        lambda s: (replace(s.transaction(), gas=2**40, max_fee_wei=10**5).to_sign(), []),
        "anchor_too_dear",
    ),
    (
        "another root at the size",
        lambda s: (s.transaction(seed=b"fork").to_sign(), []),
        "checkpoint_not_signed",
    ),
    ("a larger tree", lambda s: (s.transaction(11).to_sign(), growth(10, 11)), "checkpoint_not_signed"),
    ("an older tree without proof", lambda s: (s.transaction(7).to_sign(), []), "checkpoint_not_signed"),
    (
        "a fork's older tree with the true proof",
        lambda s: (s.transaction(7, b"fork").to_sign(), growth(7, 10)),
        "checkpoint_not_signed",
    ),
    (
        "the fork's own proof",
        lambda s: (s.transaction(7, b"fork").to_sign(), growth(7, 10, b"fork")),
        "checkpoint_not_signed",
    ),
    (
        "a proof of short hashes",
        lambda s: (s.transaction(7).to_sign(), [item[:31] for item in growth(7, 10)]),
        "checkpoint_not_signed",
    ),
    (
        "the empty tree",
        lambda s: (
            replace(s.transaction(), call=s.transaction().call[:36] + bytes(64)).to_sign(),
            [],
        ),
        "checkpoint_not_signed",
    ),
]


@pytest.mark.parametrize(("name", "change", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_it_signs_nothing_else(scene: Scene, name: str, change: Change, code: str) -> None:
    transaction, consistency = change(scene)
    with pytest.raises(VaultRequestError) as refused:
        scene.desk.sign(transaction, consistency)
    assert refused.value.code == code, name


@settings(max_examples=150, deadline=None)
@given(
    size=st.integers(0, 14),
    seed=st.sampled_from((b"root", b"fork")),
    proven=st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from((b"root", b"fork"))),
)
def test_it_signs_the_beginnings_of_its_tree_and_no_other(
    scene: Scene, size: int, seed: bytes, proven: tuple[int, int, bytes]
) -> None:
    text = CheckpointText.parse(checkpoint_text(ORIGIN, size, seed))
    call = scene.line.call_to_anchor(replace(text, size=1))[:36] + size.to_bytes(32, "big") + text.root
    transaction = replace(scene.transaction(), call=call).to_sign()
    consistency = growth(*proven)
    is_beginning = seed == b"root" and 0 < size <= SIGNED_SIZE and consistency == growth(size, SIGNED_SIZE)
    if is_beginning:
        assert scene.desk.sign(transaction, consistency)
        return
    with pytest.raises(VaultRequestError) as refused:
        scene.desk.sign(transaction, consistency)
    assert refused.value.code == "checkpoint_not_signed"


def test_the_address_outlives_a_restart_and_is_another_in_another_vault(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    def address(of: Path) -> bytes:
        store = open_store(of, None)
        try:
            return Scene(store, clock).desk.anchorer
        finally:
            store.close()

    first = address(folder)
    assert address(folder) == first
    assert address(tmp_path / "other") != first


def test_no_key_is_made_for_a_chain_that_nobody_asked_for(store: Keystore, clock: Clock) -> None:
    ratchet = CheckpointRatchet(store, SIGNER, clock)
    assert load_anchor_desk(store, None, ratchet, ORIGIN) is None
    assert not store.has(ENTRY)


def test_a_stored_key_of_another_form_is_corrupt(store: Keystore, clock: Clock) -> None:
    store.write(ENTRY, bytes(32))
    with pytest.raises(VaultStartError) as refused:
        load_anchor_desk(store, ORDERS, CheckpointRatchet(store, SIGNER, clock), ORIGIN)
    assert refused.value.code == "vault_store_corrupt"


@pytest.mark.parametrize(
    "wrong", [{"chain_id": 0}, {"max_wei": 0}, {"contract": bytes(19)}, {"contract": b""}, {"chain_id": -1}]
)
def test_orders_that_allow_nothing_sensible_are_refused(wrong: dict[str, int | bytes]) -> None:
    with pytest.raises(VaultStartError):
        replace(ORDERS, **wrong)  # type: ignore[arg-type]  # the table mixes fields of two types


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    words = ["--anchor-chain-id", "31337", "--anchor-contract", CONTRACT.hex()]
    folder = tmp_path_factory.mktemp("anchoring") / "vault"
    with RunningVault(folder, *words, "--anchor-max-wei", str(ORDERS.max_wei)) as vault:
        yield vault


def test_the_front_desk_gets_a_signature_through_the_channel(running: RunningVault) -> None:
    description = running.client.describe()
    line = AnchorLine(CONTRACT, description.anchorer, description.log_origin)
    running.sign(5)
    running.sign(9)
    anchored = CheckpointText.parse(checkpoint_text(line.origin, 5))
    transaction = AnchorTransaction(31337, 0, 1, 10**9, 120_000, CONTRACT, line.call_to_anchor(anchored))
    asked: list[int] = []

    def prove_to(size: int) -> list[bytes]:
        asked.append(size)
        return growth(5, size)

    signature = running.client.sign_anchor(transaction.to_sign(), prove_to)
    assert asked == [9]
    digest = keccak256(transaction.to_sign())
    sender = Signature(signature).recover_public_key_from_msg_hash(digest).to_canonical_address()
    assert sender == description.anchorer
    with pytest.raises(VaultRefusedError) as refused:
        running.client.sign_anchor(replace(transaction, chain_id=1).to_sign(), prove_to)
    assert refused.value.code == "anchor_wrong_chain"


def test_a_vault_without_orders_has_no_address_and_signs_no_anchor(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        assert vault.client.describe().anchorer == b""
        with pytest.raises(VaultRefusedError) as refused:
            vault.client.sign_anchor(b"\x02", lambda _: [])
        assert refused.value.code == "anchors_not_asked"


@pytest.mark.parametrize(
    "words",
    [
        ("--anchor-chain-id", "1"),
        ("--anchor-contract", "00" * 20, "--anchor-max-wei", "1"),
        ("--anchor-chain-id", "1", "--anchor-contract", "zz", "--anchor-max-wei", "1"),
    ],
)
def test_half_an_order_stops_the_start(words: tuple[str, ...]) -> None:
    from keyvault.vault.__main__ import _options

    with pytest.raises(VaultStartError) as refused:
        _options(["--front-fd", "3", "--worker-fd", "4", "--store", "unused", *words])
    assert refused.value.code == "vault_config_invalid"
