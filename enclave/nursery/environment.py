"""What must be set before the first native library loads: one thread, and no calls home.

A fork copies one thread only. A library that started others in the warm parent would wait in the child for
threads that are not there; so the pools start in the child, where they are wanted.
"""

from __future__ import annotations

import ctypes
import os

_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # ONNX Runtime 1.31 on Linux carries a client that reports usage to its maker over HTTPS, and starts its
    # thread on import.
    "ORT_DISABLE_TELEMETRY": "1",
}


# malloc.h. Each arena reserves 64 MiB of address space, which a child's memory limit counts; glibc would make
# eight for every processor.
_M_ARENA_MAX = -8
_ARENAS = 4


def give_back_memory() -> None:
    """Returns to the system what loading and compiling took and freed: every child would inherit it."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def prepare_environment() -> None:
    """Sets what native libraries read when they are loaded, and bounds what malloc reserves."""
    os.environ.update(_SETTINGS)
    libc = ctypes.CDLL(None)
    # musl has no such knob, and no arenas.
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
