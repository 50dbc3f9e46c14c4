"""Loaded code is compiled source: Python runs a cached `.pyc` without looking into the `.py` beside it.

A cache that matches its source in time and size, or that says it needs no check, runs instead of the source
(PEP 3147, PEP 552). The measurement covers sources, so each cache that was used must be what its source
gives.
"""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType, ModuleType

from enclave.errors import MeasurementError

_HEADER_BYTES = 16
_HASH_BASED, _CHECKED = 0b01, 0b10


def check_bytecode(modules: Iterable[ModuleType], packages: Sequence[str]) -> None:
    """Checks the cache of every loaded module whose source lies under one of these folders.

    Args:
        modules: what is loaded.
        packages: folders, with a separator at their end.

    Raises:
        MeasurementError: `bytecode_differs`.
        OSError: a source file cannot be read.
    """
    for module in modules:
        spec = module.__spec__
        if spec is None or not spec.origin or not spec.origin.startswith(tuple(packages)):
            continue
        if spec.cached and spec.origin.endswith(".py"):
            _check(Path(spec.origin), Path(spec.cached))


def _check(source: Path, cache: Path) -> None:
    try:
        cached = cache.read_bytes()
    except FileNotFoundError:
        return
    text = source.read_bytes()
    if not _was_used(cached, source, text):
        return
    try:
        code = marshal.loads(cached[_HEADER_BYTES:])  # noqa: S302  # this process has run it already
    except (EOFError, ValueError, TypeError):
        code = None
    if not isinstance(code, CodeType) or code != compile(text, str(source), "exec", dont_inherit=True):
        raise MeasurementError(
            "a cached module is not what its source compiles to; delete the __pycache__ folders",
            "bytecode_differs",
        )


def _was_used(cached: bytes, source: Path, text: bytes) -> bool:
    """Says whether Python takes this cache for this source; it compiles the source anew otherwise."""
    if cached[:4] != importlib.util.MAGIC_NUMBER or len(cached) < _HEADER_BYTES:
        return False
    flags = int.from_bytes(cached[4:8], "little")
    if flags & _HASH_BASED:
        return not flags & _CHECKED or cached[8:16] == importlib.util.source_hash(text)
    modified_at = int(source.stat().st_mtime) & 0xFFFFFFFF
    size = len(text) & 0xFFFFFFFF
    return cached[8:16] == modified_at.to_bytes(4, "little") + size.to_bytes(4, "little")
