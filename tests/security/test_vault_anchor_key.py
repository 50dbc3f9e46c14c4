"""Where the key that anchors is not: in no file, and nowhere that a reader of the vault's memory gets to."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyvault.signing.secp256k1 import address_of, load_chain_key
from keyvault.vault.anchoring import ENTRY
from keyvault.vault.process import open_store
from provenance.anchors.event import AnchorLine
from provenance.anchors.transaction import AnchorTransaction
from provenance.checkpoint import CheckpointText
from tests.security.test_vault_memory_readers import count, needs_secretmem, read_memory
from tests.security.test_vault_secrets import files_with
from tests.unit.keyvault.vault.harness import RunningVault, checkpoint_text

CONTRACT = b"\x0c" * 20
WORDS = ("--anchor-chain-id", "31337", "--anchor-contract", CONTRACT.hex(), "--anchor-max-wei", str(10**18))


@dataclass(frozen=True)
class Signed:
    """A vault's folder after it made the key, and after it signed with it in a second life."""

    folder: Path
    anchorer: bytes
    scalar: bytes
    finds_scalar: int
    finds_public: int


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder = tmp_path_factory.mktemp("anchoring") / "vault"
    with RunningVault(folder, *WORDS) as vault:
        assert len(vault.client.describe().anchorer) == 20
        vault.stop()
    store = open_store(folder)
    key = load_chain_key(store.read(ENTRY))
    store.close()
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    with RunningVault(folder, *WORDS) as vault:
        description = vault.client.describe()
        line = AnchorLine(CONTRACT, description.anchorer, description.log_origin)
        for size in (3, 4, 5):
            vault.sign(size)
            call = line.call_to_anchor(CheckpointText.parse(checkpoint_text(line.origin, size)))
            transaction = AnchorTransaction(31337, 0, 1, 10**9, 120_000, CONTRACT, call)
            assert len(vault.client.sign_anchor(transaction.to_sign(), lambda _: [])) == 65
        memory = read_memory(vault.process.pid)
        vault.stop()
    # OpenSSL keeps a large number from its lowest byte up.
    found = count(memory, scalar) + count(memory, scalar[::-1])
    return Signed(folder, description.anchorer, scalar, found, count(memory, description.anchorer))


def test_it_is_in_no_file(signed: Signed) -> None:
    key = ec.derive_private_key(int.from_bytes(signed.scalar, "big"), ec.SECP256K1())
    assert address_of(key.public_key()) == signed.anchorer, "the control: what is looked for is the key"
    assert files_with(signed.folder.parent, signed.scalar) == set()


HOLDS_A_KEY = """
import sys
from keyvault.signing.secp256k1 import load_chain_key
key = load_chain_key(bytes.fromhex(sys.stdin.readline()))
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_key_object_that_lives_is_found() -> None:
    """The control of the next: OpenSSL keeps a large number from its lowest byte up."""
    key = ec.generate_private_key(ec.SECP256K1())
    stored = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            holder.stdin.write(stored.hex() + "\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "held\n"
            memory = read_memory(holder.pid)
        finally:
            holder.kill()
    assert count(memory, key.private_numbers().private_value.to_bytes(32, "little")) > 0


@needs_secretmem
def test_root_does_not_find_it_in_a_vault_that_signed_with_it(signed: Signed) -> None:
    assert signed.finds_public > 0, "the control: what is not secret is found"
    assert signed.finds_scalar == 0
