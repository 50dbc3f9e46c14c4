"""`bauta doctor`: what protects an upload on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import json as json_module
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption
from console.paths import data_folder
from console.supervisor import lone_worker
from enclave.attest import tier_here
from enclave.host import WorkerHost
from enclave.wall import ALL_WALLS, LOWEST_FLOOR, lacking_walls
from enclave.wall.locking import swap_areas
from grpc_api.config import load_config

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
    "locked_memory": "let the service lock memory: LimitMEMLOCK=infinity in its systemd unit, `ulimit -l "
    "unlimited`, or start it as root with CAP_SYS_RESOURCE; until then use encrypted swap or none",
    "write_xor_execute": "needs Linux 6.3",
    "branch_isolation": "needs x86-64 with the kernel's Spectre mitigations left on",
    "no_network": "needs net_namespace or landlock_net beside seccomp",
}
TIER = (
    "process: the same kernel as everything else on this host. A decoder taken over by hostile media is kept "
    "in; root on this host is not kept out"
)
PACKAGES = ("av", "cryptography", "grpcio", "onnxruntime", "opencv-python", "torch")


def doctor(
    config: Annotated[
        Path | None, typer.Option(help="The service's TOML file, for its floor.", exists=True, dir_okay=False)
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Start a worker as the service does and ask what protects it. Exit code 1 when the floor is not met."""
    folder = data_folder(data)
    wall_floor = load_config(config).wall_floor
    with lone_worker() as channel:
        hello = WorkerHost(channel).hello()
    lacking = lacking_walls(hello.walls, wall_floor)
    floor = [*LOWEST_FLOOR, *(name for name in wall_floor if name not in LOWEST_FLOOR)]
    swaps = swap_areas()
    hardware = tier_here()
    vault = _vault_facts(folder)
    document = {
        "ready": not lacking,
        "tier": "process",
        "hardware_evidence": hardware.evidence_format,
        "vault": vault,
        "walls": sorted(hello.walls),
        "missing_walls": {wall: _remedy(wall) for wall in hello.missing_walls},
        "floor": floor,
        "floor_missing": list(lacking),
        "swap_areas": swaps,
        "device": hello.device,
        "engine": hello.engine,
        "models": {model.name: model.sha256.hex() for model in hello.models},
        "measurement": hello.measurement.hex(),
        "kernel": platform.release(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "data": str(folder),
        "data_free_bytes": shutil.disk_usage(folder).free,
        "initialized": (folder / "trust.json").exists(),
    }
    lines = [
        f"tier         {TIER}",
        f"hardware     {hardware.reason}",
        *_wall_lines(hello.walls),
        f"floor        {', '.join(floor)}",
        f"swap         {_swap_line(swaps, hello.walls)}",
        f"vault        {_vault_line(vault)}",
        f"device       {hello.device}, faces by {hello.engine}",
        *(f"model        {model.name} sha256 {model.sha256.hex()}" for model in hello.models),
        f"measurement  {hello.measurement.hex()}",
        f"kernel       {platform.release()}",
        f"data         {folder}",
        *(f"NOT READY    wall_floor_missing: {name}; {_remedy(name)}" for name in lacking),
        *([] if lacking else ["ready"]),
    ]
    output.result(document, "\n".join(lines))
    return 1 if lacking else 0


def _wall_lines(standing: Iterable[str]) -> list[str]:
    up = set(standing)
    return [f"wall on      {n}" if n in up else f"wall OFF     {n}: {_remedy(n)}" for n in ALL_WALLS]


def _swap_line(areas: int, standing: Iterable[str]) -> str:
    if "locked_memory" in set(standing):
        return "a job's memory is locked: none of it can be swapped out"
    if areas == 0:
        return "none on this machine now; a job's memory is not locked against one that is added later"
    return f"{areas} in use, and a job's memory is not locked: plaintext can be written there"


def _vault_facts(folder: Path) -> dict[str, object]:
    """Who keeps the vault's master key, and what protects its memory; the vault's own code says so."""
    words = [sys.executable, "-I", "-m", "keyvault.vault.custody", "--store", str(folder / "vault")]
    answer = subprocess.run(words, capture_output=True, check=False)
    facts: dict[str, object] = json_module.loads(answer.stdout) if answer.returncode == 0 else {}
    return facts


def _vault_line(facts: dict[str, object]) -> str:
    if not facts:
        return "this system refuses the vault's protections: the service will not start"
    keeper = "none has been made here yet" if facts["custody"] == "none" else f"custody {facts['custody']}"
    return f"{keeper}; secrets in memory: {facts['vault_memory']}"


def _remedy(wall: str) -> str:
    return REMEDIES.get(wall, "docs/wall.md says what it takes")
