"""Ways to a file: the disk, /proc, and whatever an inherited descriptor might lead to."""

from __future__ import annotations

import ctypes
import os
from functools import partial

from attempt import EBADF, EPERM, FILTER, KILLED, NOWHERE, Attempt, rows
from raw_calls import call

from enclave.wall.descriptors import FIRST_FREE
from enclave.worker.handed_over import RESULT_FD, VAULT_FD

AT_FDCWD = -100
# Of the process that loads this module: the warm parent, before its first job.
PARENT_PID = os.getpid()


def open_path(path: bytes, flags: int = os.O_RDONLY, folder: int = AT_FDCWD) -> None:
    """Opens and reads; nothing less than a byte counts as success."""
    os.read(call("openat", folder, path, flags, 0o600), 1)


def open_by_path_only() -> None:
    """O_PATH asks for no right to read."""
    call("openat", AT_FDCWD, b"/", os.O_PATH)


def openat2() -> None:
    """struct open_how of zeros: read only."""
    how = ctypes.create_string_buffer(24)
    call("openat2", AT_FDCWD, b"/etc/passwd", how, 24)


def open_beneath_descriptors() -> None:
    """Any of the descriptors that it has might be a folder, or become one."""
    for fd in range(VAULT_FD + 1):
        open_path(b".", os.O_RDONLY, fd)


def open_by_handle() -> None:
    """A handle goes around every path (the "shocker" exploit)."""
    handle = ctypes.create_string_buffer(b"\x08\0\0\0\x01\0\0\0" + bytes(64))
    call("open_by_handle_at", 0, handle, os.O_RDONLY)


def list_descriptors() -> None:
    """Reads every descriptor as a folder."""
    entries = ctypes.create_string_buffer(4096)
    for fd in range(VAULT_FD + 1):
        call("getdents64", fd, entries, 4096)


def stat_path() -> None:
    """Only asks whether it is there."""
    call("newfstatat", AT_FDCWD, b"/etc/passwd", ctypes.create_string_buffer(256), 0)


def statx_path() -> None:
    """The same by the newer call."""
    call("statx", AT_FDCWD, b"/etc/passwd", 0, 0xFFF, ctypes.create_string_buffer(512))


def read_link() -> None:
    """Where a descriptor points says a path of the host."""
    call("readlinkat", AT_FDCWD, b"/proc/self/fd/3", ctypes.create_string_buffer(256), 256)


def plant() -> None:
    """Leaves a file behind."""
    open_path(b"/tmp/planted", os.O_WRONLY | os.O_CREAT)


def change_folder() -> None:
    """The first half of many a way out of a root."""
    call("chdir", b"/")


def unlink() -> None:
    """Removes a name."""
    call("unlinkat", AT_FDCWD, b"/tmp/x", 0)


def rename() -> None:
    """Replaces a name."""
    call("renameat2", AT_FDCWD, b"/tmp/x", AT_FDCWD, b"/tmp/y", 0)


def link_result() -> None:
    """Gives the nameless scratch file a name, so that it outlives the job (AT_EMPTY_PATH)."""
    call("linkat", RESULT_FD, b"", AT_FDCWD, b"/tmp/kept", 0x1000)


def symlink() -> None:
    """A name for others to stumble over."""
    call("symlinkat", b"/etc/passwd", AT_FDCWD, b"/tmp/trap")


def make_folder() -> None:
    """A covert message to another job: a name that is there or not."""
    call("mkdirat", AT_FDCWD, b"/tmp/signal", 0o777)


def change_mode() -> None:
    """Opens the result to everybody."""
    call("fchmod", RESULT_FD, 0o4777)


def read_others_descriptors() -> None:
    """Tries every number that is not its own: other jobs, the channels of the warm parent, the models."""
    for fd in range(VAULT_FD + 1, 4096):
        try:
            os.read(fd, 1)
        except OSError as refused:
            last = refused
        else:
            return
    raise last


def write_to_standard_output() -> None:
    """0, 1 and 2 lead to /dev/null: it reads back nothing, and nobody else does."""
    for fd in range(FIRST_FREE):
        os.write(fd, b"PLANTED")
    if os.read(0, 1) == b"":
        raise EOFError


def watch_files() -> None:
    """Learns what others do."""
    call("inotify_init1", 0)


def watch_file_system() -> None:
    """The same for a whole file system."""
    call("fanotify_init", 0, 0)


ATTEMPTS = [
    *rows(
        EPERM,
        "seccomp: every path is refused",
        {
            "open a file by an absolute path": partial(open_path, b"/etc/passwd"),
            "open a file by a relative path": partial(open_path, b"etc/passwd"),
            "climb out with ..": partial(open_path, b"../../../../etc/passwd"),
            "open a path without asking to read it (O_PATH)": open_by_path_only,
            "open a file by openat2": openat2,
            "open a file beneath an inherited descriptor": open_beneath_descriptors,
            "read its own memory map in /proc": partial(open_path, b"/proc/self/maps"),
            "write its own memory through /proc": partial(open_path, b"/proc/self/mem", 2),
            "reopen a descriptor through /proc": partial(open_path, b"/proc/self/fd/3", 2),
            "read the environment of process 1": partial(open_path, b"/proc/1/environ"),
            "read the memory of the warm parent": partial(open_path, b"/proc/%d/mem" % PARENT_PID),
            "open a disk": partial(open_path, b"/dev/sda"),
            "open a terminal": partial(open_path, b"/dev/tty"),
            "make a file": plant,
            "ask whether a file is there": stat_path,
            "ask by statx": statx_path,
            "read where a descriptor points": read_link,
        },
    ),
    *rows(
        KILLED,
        FILTER,
        {
            "open a file by its handle": open_by_handle,
            "list a descriptor as a folder": list_descriptors,
            "change the folder": change_folder,
            "remove a file": unlink,
            "rename a file": rename,
            "give the result a second name": link_result,
            "make a symbolic link": symlink,
            "make a folder": make_folder,
            "change the mode of the result": change_mode,
            "watch files (inotify)": watch_files,
            "watch a file system (fanotify)": watch_file_system,
        },
    ),
    Attempt(
        "read the descriptors of other jobs and of the warm parent",
        read_others_descriptors,
        EBADF,
        "the child holds ten descriptors; all others are closed",
    ),
    Attempt(
        "speak through standard output and error",
        write_to_standard_output,
        NOWHERE,
        "they are /dev/null",
    ),
]
