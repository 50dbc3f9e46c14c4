"""Whose releases a vault takes is fixed when it is made, by files that hold public keys only."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import RunningVault

from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.__main__ import main
from keyvault.vault.process import open_store
from keyvault.vault.register import load_release_keys
from provenance.trust import format_public_key

NODE, REVIEWER, OTHER = (HybridSigner.generate().public for _ in range(3))


def test_the_keys_stay_what_they_were_at_the_beginning(folder: Path) -> None:
    open_store(folder, None, [REVIEWER, OTHER]).close()
    store = open_store(folder, None, [NODE])
    try:
        assert load_release_keys(store, NODE) == (REVIEWER, OTHER)
    finally:
        store.close()


def test_without_any_the_node_releases_for_itself(folder: Path) -> None:
    store = open_store(folder, None)
    try:
        assert load_release_keys(store, NODE) == (NODE,)
    finally:
        store.close()


def test_a_vault_that_was_made_with_other_keys_does_not_start(folder: Path, tmp_path: Path) -> None:
    open_store(folder, None, [REVIEWER]).close()
    (tmp_path / "other.json").write_bytes(format_public_key(OTHER))
    with RunningVault(folder, "--release-key", str(tmp_path / "other.json")) as vault:
        code, complaint = vault.stop()
    assert code == 1
    assert "release_keys_fixed" in complaint


@pytest.mark.parametrize("content", [b"", b"{}", None], ids=["empty", "no key", "absent"])
def test_a_file_that_is_no_public_key_is_refused(
    folder: Path, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "key.json").write_bytes(content)
    words = ["--front-fd", "0", "--worker-fd", "0", "--store", str(folder)]
    assert main([*words, "--release-key", str(tmp_path / "key.json")]) == 1
    assert "release_key_invalid" in capsys.readouterr().err
    assert not folder.exists()
