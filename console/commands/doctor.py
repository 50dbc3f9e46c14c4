"""`bauta doctor`: what protects an upload on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import platform
import shutil
from importlib import metadata

from console import output
from console.commands.options import DataOption, JsonOption
from console.paths import data_folder
from console.supervisor import lone_worker
from enclave.errors import EnclaveError
from enclave.host import WorkerHost
from enclave.wall import require_floor

# What a missing wall means, and what a person can do.
REMEDIES = {
    "user_namespace": "allow unprivileged user namespaces (sysctl user.max_user_namespaces, AppArmor's "
    "restriction on them, or the container's seccomp profile)",
    "mount_namespace": "needs user_namespace",
    "empty_root": "needs mount_namespace",
    "pid_namespace": "needs user_namespace",
    "net_namespace": "needs user_namespace; without it, seccomp alone keeps the network out",
    "ipc_namespace": "needs user_namespace",
    "uts_namespace": "needs user_namespace",
    "cgroup_namespace": "needs user_namespace and Linux 4.6",
    "landlock_fs": "needs Linux 5.13 with Landlock among the security modules (boot with lsm=landlock,...)",
    "landlock_net": "needs Linux 6.7 with Landlock",
    "landlock_scope": "needs Linux 6.12 with Landlock",
    "seccomp": "needs a kernel with seccomp filters, on x86-64 or 64-bit Arm",
    "unprivileged_uid": "start the service as root, to be dropped, or as a plain user",
}
PACKAGES = ("av", "cryptography", "grpcio", "onnxruntime", "opencv-python", "torch")


def doctor(data: DataOption = None, json: JsonOption = False) -> int:
    """Start a worker as the service does and ask what protects it. Exit code 1 when that is too little."""
    folder = data_folder(data)
    with lone_worker() as channel:
        hello = WorkerHost(channel).hello()
    try:
        require_floor(hello.walls)
        floor_error = ""
    except EnclaveError as error:
        floor_error = str(error)
    missing = {wall: REMEDIES.get(wall, "see SECURITY.md") for wall in hello.missing_walls}
    document = {
        "ready": not floor_error,
        "tier": "process",
        "walls": sorted(hello.walls),
        "missing_walls": missing,
        "device": hello.device,
        "models": {model.name: model.sha256.hex() for model in hello.models},
        "measurement": hello.measurement.hex(),
        "kernel": platform.release(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "data": str(folder),
        "data_free_bytes": shutil.disk_usage(folder).free,
        "initialized": (folder / "trust.json").exists(),
    }
    lines = [
        "tier         process: a taken-over decoder is kept in; root on this host is not kept out",
        f"walls up     {', '.join(sorted(hello.walls))}",
        *(f"MISSING      {wall}: {remedy}" for wall, remedy in missing.items()),
        f"device       {hello.device}",
        *(f"model        {model.name} sha256 {model.sha256.hex()}" for model in hello.models),
        f"measurement  {hello.measurement.hex()}",
        f"kernel       {platform.release()}",
        f"data         {folder}",
        f"NOT READY    {floor_error}" if floor_error else "ready",
    ]
    output.result(document, "\n".join(lines))
    return 1 if floor_error else 0
