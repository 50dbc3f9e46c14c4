"""Everything that is done once: imports, models, measurement; then the outer wall, and the rehearsal."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import threading
from dataclasses import dataclass
from pathlib import Path

from anonymizer import load_models
from enclave import wall
from enclave.errors import WallError
from enclave.measurement import describe, measure
from enclave.nursery.environment import give_back_memory
from enclave.nursery.rehearsal import rehearse
from enclave.wall import names
from enclave.wall.limits import address_space_bytes
from enclave.worker.job import Warmth
from protos.bauta.internal.v1.worker_pb2 import ModelDigest, PolicyDigest, WorkerHello, WorkerVersion

_LATE_MODULES = ("_strptime", "cryptography.hazmat.backends.openssl.backend")
# PyAV loads a module for each kind of stream and codec when it meets the first one.
_LATE_PACKAGES = ("av",)
_NOT_FOR_IMPORT = (".__main__", ".datasets")


@dataclass(frozen=True)
class WarmParent:
    """This process, ready to fork.

    Attributes:
        warmth: what every child inherits.
        outer_wall: the walls around this process, by name.
        null_fd: an open /dev/null.
        address_space_bytes: what a child inherits of memory.
        hello: what the vault and the front desk are told.
    """

    warmth: Warmth
    outer_wall: frozenset[str]
    null_fd: int
    address_space_bytes: int
    hello: WorkerHello


def warm_up() -> WarmParent:
    """Loads all, raises the outer wall, rehearses the inner one.

    Raises:
        AnonymizerError: a model is missing or not the pinned one.
        WallError: `parent_not_single` when a library started threads, so that a fork would not be safe;
            `wall_failed` when memory stays writable and runnable.
        OSError: a file cannot be read.
    """
    # A GPU's driver opens files and makes calls that have no place behind this wall, so jobs run on the CPU,
    # and the hello says so.
    models = load_models("cpu")
    _import_what_loads_late()
    digests = {name: bytes.fromhex(digest) for name, digest in models.sha256.items()}
    measurement = measure(digests)
    version = describe()
    null_fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    _require_one_thread()
    inherited_bytes = address_space_bytes()
    # The inference engine wrote code for this processor; from here on nobody changes it.
    wall.close_code_pages()
    # What is in memory now stays: children share its pages instead of copying them.
    gc.collect()
    give_back_memory()
    gc.freeze()
    outer_wall = frozenset(wall.raise_outer_wall())
    walls = rehearse(outer_wall, null_fd, inherited_bytes)
    return WarmParent(
        warmth=Warmth(models=models, measurement=measurement, promised_walls=walls),
        outer_wall=outer_wall,
        null_fd=null_fd,
        address_space_bytes=inherited_bytes,
        hello=WorkerHello(
            measurement=measurement,
            walls=names.in_order(walls),
            missing_walls=names.missing_walls(walls),
            device=models.device,
            engine=models.engine,
            models=[ModelDigest(name=name, sha256=digest) for name, digest in sorted(digests.items())],
            version=WorkerVersion(
                version=version.version,
                policies=[
                    PolicyDigest(name=word, sha256=sha) for word, sha in sorted(version.policies.items())
                ],
                lock_sha256=version.lock_sha256 or b"",
            ),
        ),
    )


def _import_what_loads_late() -> None:
    # A child can import nothing: what Python or a library would load on first use is loaded here.
    late = list(_LATE_MODULES)
    for name in _LATE_PACKAGES:
        package = importlib.import_module(name)
        found = pkgutil.walk_packages(package.__path__, prefix=f"{name}.")
        late += [module.name for module in found if not module.name.endswith(_NOT_FOR_IMPORT)]
    for module_name in late:
        importlib.import_module(module_name)


def _require_one_thread() -> None:
    # The first process of a pid namespace is number 1 in every job. OpenSSL reseeds its generator after a
    # fork when the process number has changed: it must not be 1 here too.
    threads = max(threading.active_count(), len(list(Path("/proc/self/task").iterdir())))
    if threads != 1 or os.getpid() == 1:
        raise WallError("the warm parent must have one thread and not be process 1", "parent_not_single")
