"""Ways to take more than a job's share: space, memory, threads, descriptors, time."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import time
from functools import partial

from attempt import DIED, EFBIG, EINVAL, EPERM, FILTER, KILLED, NO_MEMORY, NO_THREAD, TOO_LATE, Attempt, rows
from raw_calls import call

from enclave.wall.limits import MAX_THREADS
from enclave.worker.handed_over import (
    REPORTS_FD,
    RESULT_FD,
    REVIEW_FD,
    SCORES_FD,
    SCRATCH_FD,
    UNTOUCHED_FD,
    UPLOAD_FD,
)

# More than any file that the tests' order allows, and less than any disk.
TOO_MANY_BYTES = 64 << 20
RLIMIT_AS, RLIMIT_FSIZE = 9, 1


def write_too_much(fd: int) -> None:
    """Writes on and on."""
    block = bytes(1 << 20)
    for _ in range(TOO_MANY_BYTES // len(block)):
        os.write(fd, block)


def write_far_out() -> None:
    """One byte, an exbibyte away: a sparse file that fills a backup."""
    os.pwrite(RESULT_FD, b"x", 1 << 60)


def stretch_result(name: str) -> None:
    """Length without a byte written."""
    if name == "ftruncate":
        call("ftruncate", RESULT_FD, 1 << 40)
    else:
        call("fallocate", RESULT_FD, 0, 0, 1 << 40)


def read_before_the_upload() -> None:
    """What lies in front of the first byte."""
    os.pread(UPLOAD_FD, 1, -4096)


def pump(name: str) -> None:
    """Moves bytes between descriptors inside the kernel, past every look at them."""
    call(name, UPLOAD_FD, 0, RESULT_FD, 0, 4096, 0)


def take_memory() -> None:
    """More than the job may have, page by page."""
    taken = []
    while True:
        taken.append(bytearray(64 << 20))


def take_memory_at_once() -> None:
    """A single mapping larger than the machine."""
    bytearray(1 << 46)


def take_threads() -> None:
    """A thread bomb."""
    wait = threading.Event()
    for _ in range(2 * MAX_THREADS):
        threading.Thread(target=wait.wait, daemon=True).start()


def take_descriptors(name: str) -> None:
    """As many as there are."""
    while True:
        if name == "dup":
            call("dup", REPORTS_FD)
        else:
            call("dup3", REPORTS_FD, 1000, 0)


def raise_limit(which: int) -> None:
    """Lifts a limit (RLIM_INFINITY)."""
    call(
        "prlimit64",
        0,
        which,
        ctypes.create_string_buffer(struct.pack("=QQ", (1 << 64) - 1, (1 << 64) - 1)),
        0,
    )


def close_everything() -> None:
    """Closes what the warden might listen on."""
    call("close_range", 0, 0xFFFF_FFFF, 0)


def sleep_on() -> None:
    """Never ends, without using anything."""
    time.sleep(10_000)


def spin() -> None:
    """Never ends, on one processor."""
    while True:
        pass


def spin_on_every_processor() -> None:
    """Never ends, on all of them: four threads that hash without holding Python's lock."""
    import hashlib

    def burn() -> None:
        block = bytes(8 << 20)
        while True:
            hashlib.sha256(block)

    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()
    burn()


def corrupt_scratch() -> None:
    """Leaves an enormous scratch file behind."""
    write_too_much(SCRATCH_FD)


def end_without_a_word() -> None:
    """Closes its reports and leaves as if all were well."""
    os._exit(0)


def crash() -> None:
    """Reads where nothing is."""
    ctypes.string_at(0)


ATTEMPTS = [
    *rows(
        EFBIG,
        "the limit on file sizes",
        {
            "write more than its result may hold": partial(write_too_much, RESULT_FD),
            "fill the disk through the scratch file": partial(write_too_much, SCRATCH_FD),
            "fill the disk through the review package": partial(write_too_much, REVIEW_FD),
            "fill the disk through the untouched package": partial(write_too_much, UNTOUCHED_FD),
            "fill the disk through the scores": partial(write_too_much, SCORES_FD),
            "write a byte an exbibyte away": write_far_out,
        },
    ),
    *rows(
        KILLED,
        FILTER,
        {
            "stretch the result": partial(stretch_result, "ftruncate"),
            "reserve the disk": partial(stretch_result, "fallocate"),
            "move bytes inside the kernel (sendfile)": partial(pump, "sendfile"),
            "move bytes inside the kernel (splice)": partial(pump, "splice"),
            "move bytes inside the kernel (vmsplice)": partial(pump, "vmsplice"),
            "move bytes inside the kernel (tee)": partial(pump, "tee"),
            "copy the upload into the result": partial(pump, "copy_file_range"),
            "multiply descriptors (dup)": partial(take_descriptors, "dup"),
            "multiply descriptors (dup3)": partial(take_descriptors, "dup3"),
            "close every descriptor at once": close_everything,
        },
    ),
    *rows(
        NO_MEMORY,
        "the limit on address space",
        {
            "take more memory than it may, bit by bit": take_memory,
            "take 64 TiB at once": take_memory_at_once,
        },
    ),
    *rows(
        EPERM,
        "seccomp: refused",
        {
            "raise its limit on memory": partial(raise_limit, RLIMIT_AS),
            "raise its limit on file sizes": partial(raise_limit, RLIMIT_FSIZE),
        },
    ),
    Attempt(
        "start threads without end",
        take_threads,
        NO_THREAD,
        "the limit on threads, or on memory",
    ),
    Attempt(
        "read what lies before the upload",
        read_before_the_upload,
        EINVAL,
        "the kernel: a file begins at 0",
    ),
    *rows(
        TOO_LATE,
        "the warden: time is up",
        {
            "never end, asleep": sleep_on,
            "never end, on one processor": spin,
            "never end, on every processor": spin_on_every_processor,
        },
    ),
    Attempt("end without a word", end_without_a_word, DIED, "the front desk: no last report"),
    Attempt("crash", crash, DIED, "the front desk: no last report"),
]
