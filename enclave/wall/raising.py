"""The wall goes up in three steps, by three processes; each step reports what stands.

1. The warm parent, once its models are loaded: an unprivileged user in namespaces with an empty root, under
   Landlock.
2. The warden of one job: namespaces that no other job shares, the pid namespace among them.
3. The child, its descriptors in hand: no capabilities, limits, locked memory, Landlock of its own, and last
   the seccomp filter.

A mechanism that the kernel refuses is missing from the report, never silently assumed; `require_floor`
decides whether the rest is enough.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from enclave.errors import WallError
from enclave.wall import (
    identity,
    landlock,
    limits,
    locking,
    names,
    namespaces,
    process,
    processor,
    root,
    seccomp,
)

_LANDLOCK = {names.LANDLOCK_FS, names.LANDLOCK_NET, names.LANDLOCK_SCOPE}


def raise_outer_wall() -> set[str]:
    """Step 1: around the warm parent and all that it will ever fork. Gives the names of what stands."""
    standing: set[str] = set()
    _try(standing, names.NO_CORE, process.forbid_core_files)
    # Only a privileged process may raise this limit; each child uses it, and says whether it was enough.
    with contextlib.suppress(OSError, ValueError):
        locking.allow_locking()
    _try(standing, names.UNPRIVILEGED_UID, identity.become_unprivileged)
    if not identity.is_unprivileged():
        standing.discard(names.UNPRIVILEGED_UID)
    _try(standing, names.NO_NEW_PRIVILEGES, process.forbid_new_privileges)
    standing |= namespaces.enter_around_parent()
    if names.MOUNT_NAMESPACE in standing:
        _try(standing, names.EMPTY_ROOT, root.enter_empty_root)
    _try(standing, names.UNDUMPABLE, lambda: process.set_dumpable(False))
    _try(standing, names.WRITE_XOR_EXECUTE, processor.forbid_new_code)
    _try(standing, names.BRANCH_ISOLATION, processor.isolate_branch_predictions)
    # After the mounts: a process under Landlock may not change them any more.
    return standing | _landlock()


def raise_job_wall() -> set[str]:
    """Step 2: around the next child of this process. Gives the names of what was added."""
    return namespaces.enter_for_one_job()


def raise_child_wall(standing: set[str], child_limits: limits.ChildLimits, inherited_bytes: int) -> set[str]:
    """Step 3: closes the wall around this process. From here on it can only compute and use its descriptors.

    Args:
        standing: what the first two steps gave.
        child_limits: what this child may use.
        inherited_bytes: address space of the warm parent.

    Gives the names of everything that stands.
    """
    standing = set(standing)
    _try(standing, names.NO_CAPABILITIES, identity.drop_capabilities)
    _try(standing, names.NO_CORE, process.forbid_core_files)
    _try(standing, names.NO_NEW_PRIVILEGES, process.forbid_new_privileges)
    own_user_namespace = names.USER_NAMESPACE in standing
    _try(
        standing,
        names.LIMITS,
        lambda: limits.limit_this_process(
            child_limits, inherited_bytes, own_user_namespace=own_user_namespace
        ),
    )
    _try(standing, names.LOCKED_MEMORY, locking.lock_memory)
    # The warm parent's ruleset lets its processes signal each other; only the child's own closes it in.
    standing = (standing - _LANDLOCK) | _landlock()
    _try(standing, names.UNDUMPABLE, lambda: process.set_dumpable(False))
    if process.is_dumpable():
        standing.discard(names.UNDUMPABLE)
    _try(standing, names.SECCOMP, seccomp.install_filter)
    return standing


def _landlock() -> set[str]:
    try:
        return landlock.forbid_everything()
    except OSError:
        return set()


def _try(standing: set[str], name: str, mechanism: Callable[[], None]) -> None:
    try:
        mechanism()
    except (OSError, ValueError, WallError):
        standing.discard(name)
    else:
        standing.add(name)
