"""Signatures for chains, held against eth-keys and eth-account, which others wrote."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from eth_account import Account
from eth_keys import keys
from eth_keys.datatypes import Signature

from keyvault.signing import secp256k1
from keyvault.signing.secp256k1 import ChainKeyError, address_of, load_chain_key, new_chain_key, sign_digest
from provenance.anchors.keccak import keccak256
from provenance.anchors.transaction import AnchorTransaction, contract_creation, signed_hash

HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
TRANSACTION = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, b"\x01" * 20, b"\x02" * 100)


@dataclass(frozen=True)
class Pair:
    """One key in both libraries."""

    ours: ec.EllipticCurvePrivateKey
    theirs: keys.PrivateKey


def pair(number: int) -> Pair:
    ours = ec.derive_private_key(number, ec.SECP256K1())
    return Pair(ours, keys.PrivateKey(number.to_bytes(32, "big")))


PAIRS = [pair(number) for number in (1, 2, 3, 2 * HALF_ORDER, HALF_ORDER)]
PAIRS += [pair(int.from_bytes(keccak256(b"key %d" % number), "big")) for number in range(10)]
DIGESTS = [bytes(32), b"\xff" * 32, *(keccak256(b"digest %d" % number) for number in range(4))]


def test_every_byte_is_that_of_another_implementation() -> None:
    parities = set()
    for one in PAIRS:
        for digest in DIGESTS:
            signature = sign_digest(one.ours, digest)
            assert signature == one.theirs.sign_msg_hash(digest).to_bytes()
            assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
            parities.add(signature[64])
    assert parities == {0, 1}


def test_the_address_is_the_one_that_a_chain_computes_from_the_signature() -> None:
    for one in PAIRS:
        signature = Signature(sign_digest(one.ours, DIGESTS[2]))
        sender = signature.recover_public_key_from_msg_hash(DIGESTS[2]).to_canonical_address()
        assert address_of(one.ours.public_key()) == one.theirs.public_key.to_canonical_address() == sender


@pytest.mark.parametrize(
    "transaction",
    [
        TRANSACTION,
        contract_creation(chain_id=1, nonce=0, priority_wei=1, max_fee_wei=2, gas=3, code=b"\x60" * 900),
    ],
    ids=["a call", "a creation"],
)
def test_a_signed_transaction_is_read_by_others_as_ours(transaction: AnchorTransaction) -> None:
    key = PAIRS[7]
    signed = transaction.signed(sign_digest(key.ours, keccak256(transaction.to_sign())))
    assert Account.recover_transaction(signed) == key.theirs.public_key.to_checksum_address()
    assert len(signed_hash(signed)) == 32


def test_a_drawn_key_is_read_back_and_signs() -> None:
    one, other = new_chain_key(), new_chain_key()
    assert one != other
    signature = sign_digest(load_chain_key(one), DIGESTS[0])
    assert len(signature) == secp256k1.SIGNATURE_BYTES
    assert signature == sign_digest(load_chain_key(bytes(one)), DIGESTS[0])
    assert signature != sign_digest(load_chain_key(other), DIGESTS[0])


def _pkcs8(curve: ec.EllipticCurve) -> bytes:
    return ec.generate_private_key(curve).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("stored", [b"", b"\x30\x00", bytes(135), _pkcs8(ec.SECP256R1())])
def test_what_is_no_key_on_this_curve_is_refused(stored: bytes) -> None:
    with pytest.raises(ChainKeyError):
        load_chain_key(stored)


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_only_a_digest_is_signed(digest: bytes) -> None:
    with pytest.raises(ChainKeyError):
        sign_digest(PAIRS[0].ours, digest)


def test_a_spoilt_signature_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = secp256k1.decode_dss_signature

    def spoilt(signature: bytes) -> tuple[int, int]:
        r, s = decoded(signature)
        return r, s ^ 2

    monkeypatch.setattr(secp256k1, "decode_dss_signature", spoilt)
    with pytest.raises(ChainKeyError):
        sign_digest(PAIRS[0].ours, DIGESTS[2])
