"""What must be set before the first native library loads: one thread, and no calls home.

A fork copies one thread only. A library that started others in the warm parent would wait in the child for
threads that are not there; so the pools start in the child, where they are wanted.
"""

from __future__ import annotations

import os

_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # ONNX Runtime 1.31 on Linux carries a client that reports usage to its maker over HTTPS, and starts its
    # thread on import.
    "ORT_DISABLE_TELEMETRY": "1",
}


def prepare_environment() -> None:
    """Sets what native libraries read when they are loaded."""
    os.environ.update(_SETTINGS)
