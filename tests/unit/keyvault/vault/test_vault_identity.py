"""The installation's keys: the same after every start, and never without the third."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault.vault.errors import VaultStartError
from keyvault.vault.identity import ENTRY, load_identity
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from provenance.keys import STATEMENT_SIGNATURES


def test_a_new_installation_has_all_three_keys_and_keeps_them(store: Keystore, folder: Path) -> None:
    first = load_identity(store)
    assert first.node.public.algorithms == STATEMENT_SIGNATURES
    store.close()
    again = open_store(folder, None)
    second = load_identity(again)
    again.close()
    assert second.node.public == first.node.public
    assert second.log.vkeys == first.log.vkeys


def test_two_installations_share_no_key(store: Keystore, tmp_path: Path) -> None:
    other_store = open_store(tmp_path / "other", None)
    ours, theirs = load_identity(store), load_identity(other_store)
    other_store.close()
    assert not set(ours.node.public.key_ids) & set(theirs.node.public.key_ids)
    assert not set(ours.log.vkeys) & set(theirs.log.vkeys)


@pytest.mark.parametrize("length", [0, 64, 128, 160, 191, 193])
def test_an_identity_of_another_form_is_refused(store: Keystore, length: int) -> None:
    store.write(ENTRY, bytes(length))
    with pytest.raises(VaultStartError) as caught:
        load_identity(store)
    assert caught.value.code == "vault_store_corrupt"
