"""Namespaces: a kernel's way of giving a process its own network, processes, mounts and users.

An unprivileged process gets them through a user namespace (user_namespaces(7)). Where that is refused, as in
many containers, the others are missing too and Landlock, seccomp and limits have to do.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from enclave.wall import kernel, names
from enclave.wall.process import set_dumpable

# linux/sched.h
CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

_AROUND_THE_PARENT = {
    names.MOUNT_NAMESPACE: CLONE_NEWNS,
    names.NETWORK_NAMESPACE: CLONE_NEWNET,
    names.IPC_NAMESPACE: CLONE_NEWIPC,
    names.UTS_NAMESPACE: CLONE_NEWUTS,
    names.CGROUP_NAMESPACE: CLONE_NEWCGROUP,
}
_ALL_AT_ONCE = CLONE_NEWUSER | CLONE_NEWPID | sum(_AROUND_THE_PARENT.values())


def enter_around_parent() -> set[str]:
    """Moves this process into a user namespace of its own, then into one of each other kind but pid.

    Gives the names of those that the kernel allowed.
    """
    try:
        kernel.unshare(CLONE_NEWUSER)
    except OSError:
        return set()
    _map_own_ids()
    entered = {names.USER_NAMESPACE}
    for name, flag in _AROUND_THE_PARENT.items():
        # Some distributions allow the user namespace and refuse what it is for (AppArmor): ask for each.
        with contextlib.suppress(OSError):
            kernel.unshare(flag)
            entered.add(name)
    return entered


def enter_for_one_job() -> set[str]:
    """Gives the next child of this process namespaces that it shares with no other job.

    The pid namespace holds only children born from now on, and a process can make one only once in its
    life: that is why a warden stands between the warm parent and each job.
    """
    try:
        kernel.unshare(_ALL_AT_ONCE)
    except OSError:
        pass
    else:
        return {names.USER_NAMESPACE, names.PID_NAMESPACE, *_AROUND_THE_PARENT}
    try:
        kernel.unshare(CLONE_NEWPID)
    except OSError:
        return set()
    return {names.PID_NAMESPACE}


def _map_own_ids() -> None:
    # A dropped uid makes a process undumpable, and then /proc/self belongs to root: open it for a moment.
    uid, gid = os.geteuid(), os.getegid()
    set_dumpable(True)
    try:
        # Without a map every id reads as 65534; that is no hole, only inconvenient, so a refusal is no error.
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    finally:
        set_dumpable(False)
