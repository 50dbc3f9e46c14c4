"""What the worker has loaded besides its own packages: installed distributions, and what no one installed.

An installer keeps, beside each distribution, a RECORD of its files and their SHA-256 ("Recording installed
projects", packaging.python.org). A distribution is measured by the digest of that list, not of the files:
half a gigabyte takes longer to read than a worker to start. `check_lock` reads them all, when somebody asks.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from enclave.errors import MeasurementError

# Installed from this tree, whose files are measured themselves; what it installs beside them only leads here.
_OURS = "bauta"
# Loaded by a .pth file at the start of every Python that has setuptools, whatever then runs.
_START_UP_HOOKS = frozenset({"_distutils_hack"})
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;#]+)")
_ALGORITHM = "sha256="


@dataclass(frozen=True)
class Distribution:
    """One installed distribution.

    Attributes:
        site: the folder that it is installed in.
        name: normalised (PEP 503).
        version: without a local part ("+cpu"), as a lock names it.
        digests: SHA-256 (unpadded URL-safe base64) of each installed file, by path.
    """

    site: str
    name: str
    version: str
    digests: Mapping[str, str]

    def line(self) -> str:
        """Its line in a measurement."""
        listed = "".join(f"{path} {digest}\n" for path, digest in sorted(self.digests.items()))
        return f"distribution {self.name}-{self.version} {hashlib.sha256(listed.encode()).hexdigest()}"


def dependency_lines(modules: Iterable[ModuleType], packages: Sequence[str]) -> list[str]:
    """Gives a line for each distribution that a module came from, and for each module that came from none.

    A module that no RECORD lists (a file put beside the installed ones) counts by its own bytes. The standard
    library is not covered, nor is Python.

    Args:
        modules: what is loaded.
        packages: folders that are measured otherwise, with a separator at their end.

    Raises:
        MeasurementError: a module has the file of another one, or a name with odd characters.
        OSError: a file cannot be read.
    """
    files = {module.__name__: path for module in modules if (path := _origin(module, packages)) is not None}
    owners: dict[str, Distribution] = {}
    for distribution in _installed({name.partition(".")[0] for name in files}):
        owners.update({f"{distribution.site}{os.sep}{path}": distribution for path in distribution.digests})
    lines, used = [], {}
    for name, path in files.items():
        owner = owners.get(path)
        if owner is None:
            lines.append(f"module {_printable(name)} {_sha256(Path(path)).hex()}")
        elif owner.name != _OURS and name not in _START_UP_HOOKS:
            used[owner.name] = owner
    return sorted([*lines, *(owner.line() for owner in used.values())])


def check_lock(lock: str) -> int:
    """Compares every installed distribution that a lock names, file by file, with what was published.

    Where two of them list the same path (some bring a folder `docs`, and the last one installed wins), the
    file may be that of either.

    Args:
        lock: `name==version` lines, as in constraints.txt.

    Returns:
        How many files were read.

    Raises:
        MeasurementError: `dependency_not_locked`, one has another version; `dependency_changed`, a file is
            not the one that was installed.
        OSError: a file cannot be read.
    """
    pins = {_normal(match[1]): match[2] for line in lock.splitlines() if (match := _PIN.match(line))}
    locked = [distribution for distribution in _installed(None) if distribution.name in pins]
    listed: dict[Path, set[str]] = {}
    for distribution in locked:
        for path, digest in distribution.digests.items():
            listed.setdefault(Path(distribution.site, path), set()).add(digest)
    files = 0
    for distribution in locked:
        if distribution.version != pins[distribution.name]:
            raise MeasurementError(
                f"{distribution.name} is not installed in the version that the lock names",
                "dependency_not_locked",
            )
        for path in distribution.digests:
            files += 1
            if _recorded_form(Path(distribution.site, path)) not in listed[Path(distribution.site, path)]:
                raise MeasurementError(
                    f"a file of {distribution.name} is not the one that was installed", "dependency_changed"
                )
    return files


def _installed(top_names: set[str] | None) -> Iterator[Distribution]:
    """Distributions with a RECORD; only those that hold one of these top-level names, unless None."""
    for folder in _sites():
        for info in sorted(Path(folder).glob("*.dist-info")):
            name, _, version = info.name.removesuffix(".dist-info").partition("-")
            try:
                record = (info / "RECORD").read_text(encoding="utf-8")
            except FileNotFoundError:
                continue  # Its modules then count one by one.
            if top_names is None or any(
                f"\n{top}/" in record or f"\n{top}." in record or record.startswith((f"{top}/", f"{top}."))
                for top in top_names
            ):
                yield Distribution(folder, _normal(name), version.partition("+")[0], _digests(record))


def _digests(record: str) -> dict[str, str]:
    """What a RECORD lists, without what depends on the installer or the place.

    Left out are scripts outside the folder (their first line names the place), caches, which have no digest,
    and the distribution's own metadata.
    """
    digests = {}
    for line in record.splitlines():
        path, _, rest = line.rpartition(",")[0].rpartition(",")
        if path.startswith('"'):
            path, rest = _quoted(line)
        if (
            rest.startswith(_ALGORITHM)
            and not path.startswith(("..", "/"))
            and not path.endswith(".pyc")
            and ".dist-info/" not in path
        ):
            digests[path] = rest.removeprefix(_ALGORITHM)
    return digests


def _quoted(line: str) -> tuple[str, str]:
    try:
        path, digest, _ = next(csv.reader([line], strict=True))
    except (ValueError, csv.Error):
        return "", ""  # A line of no form lists nothing: its file then counts by its own bytes.
    return path, digest


def _origin(module: ModuleType, packages: Sequence[str]) -> str | None:
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or path.startswith(tuple(packages)):
        return None
    in_site = path.startswith(tuple(f"{folder}{os.sep}" for folder in _sites()))
    if not in_site and path.startswith(_standard_library()):
        return None
    return path


@cache
def _sites() -> tuple[str, ...]:
    """Where distributions are: what Python searches, without the standard library's own folders."""
    library = tuple(folder for folder in sys.path if f"{folder}{os.sep}".startswith(_standard_library()))
    own = {folder for folder in library if not folder.endswith("-packages")}
    return tuple(folder for folder in dict.fromkeys(sys.path) if folder and folder not in own)


@cache
def _standard_library() -> tuple[str, ...]:
    # In a virtual environment the platform's path names the environment, where no library lies.
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return tuple(f"{folder}{os.sep}" for folder in sorted(folders) if Path(folder, "os.py").is_file())


def _printable(name: str) -> str:
    if not name.isprintable() or " " in name:
        raise MeasurementError("a loaded module has a name with odd characters")
    return name


def _recorded_form(path: Path) -> str | None:
    """A file's digest as a RECORD writes it; None where there is no such file."""
    try:
        return base64.urlsafe_b64encode(_sha256(path)).rstrip(b"=").decode()
    except FileNotFoundError:
        return None


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
