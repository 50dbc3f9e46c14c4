"""Which PKCS#11 modules are loaded at all: files that only root and the vault's own user can change."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from keyvault.vault.custody.errors import CustodyError


def trusted_module(path: Path) -> Path:
    """Follows links and gives the file itself, once it and every folder above it are out of others' reach.

    Raises:
        CustodyError: vault_token_module_unsafe.
    """
    if not path.is_absolute():
        raise _unsafe()
    try:
        file = path.resolve(strict=True)
        if not stat.S_ISREG(file.stat().st_mode):
            raise _unsafe()
        # The folders on the way to a link count as well: whoever can write there can point it elsewhere.
        for place in {file, *file.parents, *path.parent.resolve().parents, path.parent.resolve()}:
            _require_out_of_reach(place.stat())
        _require_out_of_reach(path.lstat())
    except (OSError, RuntimeError):
        raise _unsafe() from None
    return file


def _require_out_of_reach(facts: os.stat_result) -> None:
    if facts.st_uid not in (0, os.geteuid()):
        raise _unsafe()
    writable_by_others = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    # In a sticky folder (/tmp) others can add files but not replace ours; a link's own mode means nothing.
    is_sticky_folder = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
    if writable_by_others and not is_sticky_folder and not stat.S_ISLNK(facts.st_mode):
        raise _unsafe()


def _unsafe() -> CustodyError:
    return CustodyError("vault_token_module_unsafe")
