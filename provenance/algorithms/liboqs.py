"""Imports liboqs-python only where its C library is.

Without the library its import counts down on standard output, clones a git repository, compiles it, and ends
the process when that fails. So the library is looked for first, and loaded, in the places that the package
itself looks in.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import importlib
import io
import os
from functools import cache
from pathlib import Path
from types import ModuleType

_PLACES = ("lib/liboqs.so", "lib64/liboqs.so", "lib/liboqs.dylib")


@cache
def load_liboqs() -> ModuleType | None:
    """Gives the `oqs` package, or None where it or its C library is not installed."""
    if not _is_c_library_here():
        return None
    # The package greets on standard output as it is imported; that belongs to whoever called us.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return importlib.import_module("oqs")
        except (ImportError, OSError):
            return None


def _is_c_library_here() -> bool:
    folder = os.environ.get("OQS_INSTALL_PATH")
    home = Path(folder) if folder else Path.home() / "_oqs"
    candidates = [ctypes.util.find_library("oqs"), *(str(home.absolute() / place) for place in _PLACES)]
    return any(candidate is not None and _loads(candidate) for candidate in candidates)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
