"""Every mechanism of the wall by the name that reports, evidence and `bauta doctor` use."""

from __future__ import annotations

from collections.abc import Iterable

from enclave.errors import WallError

UNPRIVILEGED_UID = "unprivileged_uid"
USER_NAMESPACE = "user_namespace"
MOUNT_NAMESPACE = "mount_namespace"
PID_NAMESPACE = "pid_namespace"
NETWORK_NAMESPACE = "net_namespace"
IPC_NAMESPACE = "ipc_namespace"
UTS_NAMESPACE = "uts_namespace"
CGROUP_NAMESPACE = "cgroup_namespace"
EMPTY_ROOT = "empty_root"
NO_CAPABILITIES = "no_capabilities"
NO_NEW_PRIVILEGES = "no_new_privs"
UNDUMPABLE = "undumpable"
NO_CORE = "no_core_dumps"
LIMITS = "limits"
LANDLOCK_FS = "landlock_fs"
LANDLOCK_NET = "landlock_net"
LANDLOCK_SCOPE = "landlock_scope"
SECCOMP = "seccomp"

ALL_WALLS = (
    UNPRIVILEGED_UID,
    USER_NAMESPACE,
    MOUNT_NAMESPACE,
    PID_NAMESPACE,
    NETWORK_NAMESPACE,
    IPC_NAMESPACE,
    UTS_NAMESPACE,
    CGROUP_NAMESPACE,
    EMPTY_ROOT,
    NO_CAPABILITIES,
    NO_NEW_PRIVILEGES,
    UNDUMPABLE,
    NO_CORE,
    LIMITS,
    LANDLOCK_FS,
    LANDLOCK_NET,
    LANDLOCK_SCOPE,
    SECCOMP,
)

# Without these there is no wall worth the name. seccomp's list holds no socket(), so that a child without a
# network namespace has no network either.
FLOOR = (SECCOMP, LANDLOCK_FS, NO_NEW_PRIVILEGES)


def in_order(walls: Iterable[str]) -> tuple[str, ...]:
    """Gives known names in the order of `ALL_WALLS`, each once."""
    standing = set(walls)
    return tuple(name for name in ALL_WALLS if name in standing)


def missing_walls(walls: Iterable[str]) -> tuple[str, ...]:
    """Gives the names of `ALL_WALLS` that are not among the walls."""
    standing = set(walls)
    return tuple(name for name in ALL_WALLS if name not in standing)


def require_floor(walls: Iterable[str]) -> None:
    """Refuses to go on behind too low a wall.

    Raises:
        WallError: `wall_floor_missing`; the message names what is missing.
    """
    standing = set(walls)
    lacking = [name for name in FLOOR if name not in standing]
    if lacking:
        raise WallError(
            f"this machine does not give {', '.join(lacking)}; it takes Linux 5.13 or later on x86-64 or "
            "arm64 with Landlock and seccomp turned on",
            "wall_floor_missing",
        )
