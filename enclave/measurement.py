"""The SHA-256 that names the code behind the wall: what a vault releases keys to and a proof shows.

It covers every file of the packages that run there, the lock file beside them, the digests of the models, and
the installed dependencies that the process has loaded (`enclave.dependencies`). Anyone with the same commit,
the same lock and the same wheels computes the same value. It is software's own word about itself: what that
is worth on each tier stands in docs/releases.md, and why it is made like this in ADR 7.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from types import ModuleType

from enclave.bytecode import check_bytecode
from enclave.dependencies import dependency_lines
from enclave.errors import MeasurementError
from enclave.policy import shipped

PACKAGES = ("anonymizer", "enclave", "keyvault", "protos", "provenance")
LOCK_FILE = "constraints.txt"

_DOMAIN = b"bauta.measurement/v2\n"
_CACHE = "__pycache__"
# No import statement reaches a file of such a name; a plain "x.pyc" in the same folder it would.
_CACHED = re.compile(r".+\.[a-z]+-[0-9]+(\.opt-[0-9a-z]+)?\.pyc(\.[0-9]+)?")


@dataclass(frozen=True)
class WorkerVersion:
    """What went into a measurement, for people and for a release.

    Attributes:
        version: what the package calls itself.
        policies: SHA-256 of the text of each shipped policy, by name.
        lock_sha256: SHA-256 of the lock file, None where none lies beside the packages.
    """

    version: str
    policies: Mapping[str, bytes]
    lock_sha256: bytes | None


def measure(model_digests: Mapping[str, bytes]) -> bytes:
    """Measures the code that is running. To be called when everything that a job needs is imported.

    Args:
        model_digests: SHA-256 of each model file, by name.

    Returns:
        32 bytes.

    Raises:
        MeasurementError: the code cannot be measured, or what was loaded is not what lies there.
        OSError: a file cannot be read.
    """
    root = _install_root()
    loaded = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
    packages = [f"{root / package}{os.sep}" for package in PACKAGES]
    check_bytecode(loaded, packages)
    return measure_tree(root, model_digests, dependency_lines(loaded, packages))


def measure_tree(root: Path, model_digests: Mapping[str, bytes], dependencies: Iterable[str] = ()) -> bytes:
    """Measures the packages under a folder.

    Everything is one line, its kind, its path or name, and the SHA-256 of its bytes; the lines are sorted:
    `file anonymizer/__init__.py <hex>`, `model centerface <hex>`, `distribution numpy-2.4.1 <hex>`.

    Raises:
        MeasurementError: there is a link, a device, or a name with odd characters among the files.
        OSError: a file cannot be read.
    """
    lines = [f"file {path} {_sha256(root / path).hex()}\n" for path in _files(root)]
    lines += [f"model {name} {digest.hex()}\n" for name, digest in model_digests.items()]
    lines += [f"{line}\n" for line in dependencies]
    return hashlib.sha256(_DOMAIN + "".join(sorted(lines)).encode()).digest()


def describe() -> WorkerVersion:
    """Says what a measurement of this installation covers, besides the code.

    Raises:
        OSError: the lock file cannot be read.
    """
    lock = _install_root() / LOCK_FILE
    return WorkerVersion(
        version=metadata.version("bauta"),
        policies={name: policy.digest for name, policy in shipped().items()},
        lock_sha256=_sha256(lock) if lock.is_file() else None,
    )


def lock_text() -> str | None:
    """The lock file of this installation, None where there is none.

    Raises:
        OSError: it cannot be read.
    """
    lock = _install_root() / LOCK_FILE
    return lock.read_text(encoding="utf-8") if lock.is_file() else None


def _files(root: Path) -> Iterator[str]:
    for package in PACKAGES:
        yield from _walk(root, package)
    if os.path.lexists(root / LOCK_FILE):
        _require_plain((root / LOCK_FILE).is_file() and not (root / LOCK_FILE).is_symlink())
        yield LOCK_FILE


def _walk(root: Path, folder: str) -> Iterator[str]:
    _require_plain(not (root / folder).is_symlink())
    with os.scandir(root / folder) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}"
            # A line break in a name could pass for another line; an undecodable one has no line at all.
            _require_plain(entry.name.isprintable())
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, path)
                continue
            _require_plain(entry.is_file(follow_symlinks=False))
            if not (folder.endswith(f"/{_CACHE}") and _CACHED.fullmatch(entry.name)):
                yield path


def _require_plain(is_plain: bool) -> None:
    # What a link leads to can change without this tree; a folder behind one would not be walked at all.
    if not is_plain:
        raise MeasurementError(
            "a link, a special file or an unprintable name is among the packages; install them as plain files"
        )


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _install_root() -> Path:
    with resources.as_file(resources.files("enclave")) as package:
        return package.parent
