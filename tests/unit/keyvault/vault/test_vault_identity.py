"""The installation's keys: the same after every start, and never without the third."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.identity import ALL_SEEDS_BYTES, ENTRY, IDENTITY_BYTES, load_identity, new_seeds
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from provenance.keys import STATEMENT_SIGNATURES


def as_before_the_third_key(store: Keystore) -> bytes:
    """Puts the store into its older form; the four seeds."""
    with new_seeds() as seeds:
        old = bytes(seeds.view[:ALL_SEEDS_BYTES])
    store.write(ENTRY, old)
    return old


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


def test_an_older_store_gains_the_third_key_once_and_keeps_the_others(store: Keystore, folder: Path) -> None:
    old = as_before_the_third_key(store)
    gained = load_identity(store)
    assert gained.node.public.algorithms == STATEMENT_SIGNATURES
    store.close()
    again = open_store(folder, None)
    stored = bytes(again.read(ENTRY))
    assert (len(stored), stored[:ALL_SEEDS_BYTES]) == (IDENTITY_BYTES, old)
    kept = load_identity(again)
    again.close()
    assert kept.node.public == gained.node.public
    assert kept.log.vkeys == gained.log.vkeys


def test_an_older_store_on_a_full_disk_does_not_start_with_a_key_that_it_would_forget(
    store: Keystore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = as_before_the_third_key(store)

    def full(*_arguments: object, **_options: object) -> None:
        raise VaultRequestError("vault_store_unwritable", "full")

    with monkeypatch.context() as disk:
        disk.setattr(store, "write", full)
        with pytest.raises(VaultStartError) as caught:
            load_identity(store)
    assert caught.value.code == "vault_store_unwritable"
    assert bytes(store.read(ENTRY)) == old
    assert load_identity(store).node.public.algorithms == STATEMENT_SIGNATURES


@pytest.mark.parametrize("length", [0, 64, 127, 129, 160, 191, 193])
def test_an_identity_of_another_form_is_refused(store: Keystore, length: int) -> None:
    store.write(ENTRY, bytes(length))
    with pytest.raises(VaultStartError) as caught:
        load_identity(store)
    assert caught.value.code == "vault_store_corrupt"
