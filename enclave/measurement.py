"""The SHA-256 that names the code behind the wall: what a vault releases keys to and a proof shows.

It covers the sources and policies of every package that runs there, the lock file beside them when there is
one (a source checkout), and the digests of the models. Anyone with the same tree computes the same value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

PACKAGES = ("anonymizer", "enclave", "keyvault", "protos", "provenance")
LOCK_FILE = "constraints.txt"

_DOMAIN = b"bauta.measurement/v1\n"
_SUFFIXES = (".py", ".toml")


def measure(model_digests: Mapping[str, bytes]) -> bytes:
    """Measures the code that is running.

    Args:
        model_digests: SHA-256 of each model file, by name.

    Returns:
        32 bytes.

    Raises:
        OSError: a source file cannot be read.
    """
    return measure_tree(_install_root(), model_digests)


def measure_tree(root: Path, model_digests: Mapping[str, bytes]) -> bytes:
    """Measures the packages under a folder.

    Every entry is hashed as its kind, its path or name, and the SHA-256 of its bytes, one line each, sorted:
    `file anonymizer/__init__.py <hex>`, `model centerface <hex>`.

    Raises:
        OSError: a source file cannot be read.
    """
    lines = [f"file {path} {hashlib.sha256(content).hexdigest()}\n" for path, content in _sources(root)]
    lines += [f"model {name} {digest.hex()}\n" for name, digest in model_digests.items()]
    return hashlib.sha256(_DOMAIN + "".join(sorted(lines)).encode()).digest()


def _sources(root: Path) -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        for path in (root / package).rglob("*"):
            if path.suffix in _SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_bytes()
    lock = root / LOCK_FILE
    if lock.is_file():
        yield LOCK_FILE, lock.read_bytes()


def _install_root() -> Path:
    with resources.as_file(resources.files("enclave")) as package:
        return package.parent
