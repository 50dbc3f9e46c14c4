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
LOCKED_MEMORY = "locked_memory"
WRITE_XOR_EXECUTE = "write_xor_execute"
BRANCH_ISOLATION = "branch_isolation"
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
    LOCKED_MEMORY,
    WRITE_XOR_EXECUTE,
    BRANCH_ISOLATION,
    LANDLOCK_FS,
    LANDLOCK_NET,
    LANDLOCK_SCOPE,
    SECCOMP,
)

# Not a mechanism but what several give: see `has_no_network`. A floor may ask for it by this name.
NO_NETWORK = "no_network"
FLOOR_NAMES = (*ALL_WALLS, NO_NETWORK)

# Without these there is no wall worth the name: no configuration goes below them.
LOWEST_FLOOR = (SECCOMP, LANDLOCK_FS, NO_NEW_PRIVILEGES)
# What a service asks for when nobody has configured it.
DEFAULT_FLOOR = (*LOWEST_FLOOR, NO_NETWORK)


def in_order(walls: Iterable[str]) -> tuple[str, ...]:
    """Gives known names in the order of `ALL_WALLS`, each once."""
    standing = set(walls)
    return tuple(name for name in ALL_WALLS if name in standing)


def missing_walls(walls: Iterable[str]) -> tuple[str, ...]:
    """Gives the names of `ALL_WALLS` that are not among the walls."""
    standing = set(walls)
    return tuple(name for name in ALL_WALLS if name not in standing)


def has_no_network(walls: Iterable[str]) -> bool:
    """Says whether two independent mechanisms keep the network out.

    seccomp's list holds no socket(); beside it stands a network namespace of the child's own, or Landlock's
    refusal of TCP.
    """
    standing = set(walls)
    return SECCOMP in standing and bool(standing & {NETWORK_NAMESPACE, LANDLOCK_NET})


def lacking_walls(walls: Iterable[str], floor: Iterable[str] = DEFAULT_FLOOR) -> tuple[str, ...]:
    """Gives the names that a floor asks for and these walls do not give, in the order of `FLOOR_NAMES`.

    Args:
        walls: what stands.
        floor: names out of `FLOOR_NAMES`; `LOWEST_FLOOR` is always asked for as well.
    """
    given = set(walls) & set(ALL_WALLS)
    if has_no_network(given):
        given.add(NO_NETWORK)
    wanted = {*floor, *LOWEST_FLOOR}
    return tuple(name for name in FLOOR_NAMES if name in wanted - given)


def require_floor(walls: Iterable[str], floor: Iterable[str] = DEFAULT_FLOOR) -> None:
    """Refuses to go on behind too low a wall.

    Args:
        walls: what stands.
        floor: names out of `FLOOR_NAMES`; `LOWEST_FLOOR` is always asked for as well.

    Raises:
        WallError: `wall_floor_missing`; the message names what is missing.
    """
    lacking = lacking_walls(walls, floor)
    if lacking:
        raise WallError(
            f"this machine does not give {', '.join(lacking)}; `bauta doctor` says what each one takes",
            "wall_floor_missing",
        )
