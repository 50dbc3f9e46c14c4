"""The filter's program in an interpreter of classic BPF: its answer to every call, on both processors."""

from __future__ import annotations

import ctypes
import errno
import inspect
import os
import struct
from dataclasses import dataclass, replace

import pytest

from enclave.wall import kernel, syscall_list
from enclave.wall.kernel import Architecture
from enclave.wall.seccomp import assemble, install_filter

X86_64 = Architecture(name="x86_64", audit=0xC000003E, pivot_root=155, seccomp=317)
ARM64 = Architecture(name="aarch64", audit=0xC00000B7, pivot_root=41, seccomp=277)
BOTH = pytest.mark.parametrize("architecture", [X86_64, ARM64], ids=["x86_64", "arm64"])

KILL, ALLOW = "kill", "allow"
OWN_PID = 1
CLONE_THREAD_LIKE_GLIBC = 0x3D0F00


@dataclass(frozen=True)
class Call:
    number: int
    audit: int
    arguments: tuple[int, ...] = (0, 0, 0, 0, 0, 0)

    def with_argument(self, index: int, value: int) -> Call:
        arguments = list(self.arguments)
        arguments[index] = value
        return replace(self, arguments=tuple(arguments))


def answer(program: bytes, call: Call) -> str:
    """Interprets a program (linux/bpf_common.h); only the operations that ours uses are known."""
    memory = struct.pack("<IIQ6Q", call.number, call.audit, 0, *call.arguments)
    accumulator, position = 0, 0
    while True:
        operation, if_true, if_false, operand = struct.unpack_from("<HBBI", program, position * 8)
        position += 1
        if operation == 0x20:
            accumulator = int(struct.unpack_from("<I", memory, operand)[0])
        elif operation == 0x15:
            position += if_true if accumulator == operand else if_false
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x06:
            if operand & 0xFFFF_0000 == 0x0005_0000:
                return errno.errorcode[operand & 0xFFFF]
            return {0x8000_0000: KILL, 0x7FFF_0000: ALLOW}[operand]
        else:
            pytest.fail(f"unknown operation {operation:#x}")


def column(architecture: Architecture) -> int:
    return int(architecture is ARM64)


def expected(architecture: Architecture) -> dict[int, str]:
    """The answer to each number with arguments 0, by the published list."""
    side = column(architecture)
    answers = {numbers[side]: ALLOW for numbers in syscall_list.ALLOWED.values()}
    for number, calls in syscall_list.REFUSED.items():
        answers |= {numbers[side]: errno.errorcode[number] for numbers in calls.values()}
    # With every argument 0: memory that cannot be run, a clone that is no thread, a signal to process 0.
    answers |= {numbers[side]: ALLOW for numbers in (syscall_list.MMAP, syscall_list.MPROTECT)}
    return {number: text for number, text in answers.items() if number is not None}


@BOTH
def test_every_call_gets_the_answer_of_the_list_and_all_others_are_killed(architecture: Architecture) -> None:
    program, answers = assemble(architecture, OWN_PID), expected(architecture)
    assert len(answers) > 40
    for number in range(1024):
        call = Call(number, architecture.audit)
        assert answer(program, call) == answers.get(number, KILL), number


@BOTH
def test_no_call_is_listed_twice(architecture: Architecture) -> None:
    side = column(architecture)
    tables = [syscall_list.ALLOWED, *syscall_list.REFUSED.values()]
    numbers = [pair[side] for table in tables for pair in table.values() if pair[side] is not None]
    conditional = (syscall_list.MMAP, syscall_list.MPROTECT, syscall_list.CLONE, syscall_list.TGKILL)
    numbers += [pair[side] for pair in conditional]
    assert len(numbers) == len(set(numbers))


@BOTH
def test_another_processors_numbers_are_killed(architecture: Architecture) -> None:
    program = assemble(architecture, OWN_PID)
    i386 = 0x40000003
    read = syscall_list.ALLOWED["read"][column(architecture)]
    assert read is not None
    assert answer(program, Call(read, architecture.audit)) == ALLOW
    for foreign in (i386, (ARM64 if architecture is X86_64 else X86_64).audit, 0):
        assert answer(program, Call(read, foreign)) == KILL


def test_the_x32_numbers_are_killed() -> None:
    x32_bit = 0x4000_0000
    assert answer(assemble(X86_64, OWN_PID), Call(0 | x32_bit, X86_64.audit)) == KILL


PROTECTIONS = {0: ALLOW, 1: ALLOW, 3: ALLOW, 4: "EPERM", 5: "EPERM", 7: "EPERM"}


@BOTH
@pytest.mark.parametrize(("protection", "wanted"), PROTECTIONS.items())
def test_no_memory_can_be_run(architecture: Architecture, protection: int, wanted: str) -> None:
    for numbers in (syscall_list.MMAP, syscall_list.MPROTECT):
        number = numbers[column(architecture)]
        assert number is not None
        call = Call(number, architecture.audit).with_argument(2, protection)
        assert answer(assemble(architecture, OWN_PID), call) == wanted


CLONES = {
    "a thread": (CLONE_THREAD_LIKE_GLIBC, ALLOW),
    "a process": (17, KILL),
    "a process that shares memory (vfork)": (0x4100 | 17, KILL),
    "a thread in a new user namespace": (CLONE_THREAD_LIKE_GLIBC | 0x1000_0000, KILL),
    "a thread in a new network namespace": (CLONE_THREAD_LIKE_GLIBC | 0x4000_0000, KILL),
    "a thread in a new mount namespace": (CLONE_THREAD_LIKE_GLIBC | 0x0002_0000, KILL),
    "a thread without shared memory": (0x0001_0000, KILL),
}


@BOTH
@pytest.mark.parametrize(("flags", "wanted"), CLONES.values(), ids=CLONES.keys())
def test_only_threads_are_made(architecture: Architecture, flags: int, wanted: str) -> None:
    number = syscall_list.CLONE[column(architecture)]
    assert number is not None
    call = Call(number, architecture.audit).with_argument(0, flags)
    assert answer(assemble(architecture, OWN_PID), call) == wanted


@BOTH
def test_a_signal_goes_to_oneself_only(architecture: Architecture) -> None:
    number = syscall_list.TGKILL[column(architecture)]
    assert number is not None
    for own_pid in (1, 4711):
        program = assemble(architecture, own_pid)
        to_itself = Call(number, architecture.audit).with_argument(0, own_pid)
        assert answer(program, to_itself) == ALLOW
        for other in (0, own_pid + 1, 0xFFFF_FFFF):
            assert answer(program, to_itself.with_argument(0, other)) == KILL


def gpu_program(architecture: Architecture) -> bytes:
    return assemble(architecture, OWN_PID, syscall_list.GPU_JOB)


GPU_MORE = {"poll": (7, None), "ppoll": (271, 73), "eventfd2": (290, 19)}


@BOTH
def test_the_list_for_gpu_jobs_adds_what_it_names_and_nothing_else(architecture: Architecture) -> None:
    job, gpu = assemble(architecture, OWN_PID), gpu_program(architecture)
    side = column(architecture)
    wider = {
        number
        for number in range(1024)
        if answer(job, Call(number, architecture.audit)) != answer(gpu, Call(number, architecture.audit))
    }
    # ioctl 0 is a bare number, as unified memory's commands are.
    added = {pair[side] for pair in GPU_MORE.values()} | {syscall_list.IOCTL[side]}
    assert wider == added - {None}


# request numbers: nv_escape.h, uvm_ioctl.h; asm-generic/ioctls.h, linux/fs.h, linux/kvm.h, linux/tty.h
IOCTLS = {
    "allocate on the device": (0xC020462B, ALLOW),
    "control of the device": (0xC020462A, ALLOW),
    "unified memory: begin": (0x30000001, ALLOW),
    "unified memory: map": (33, ALLOW),
    "type into a terminal (TIOCSTI)": (0x5412, "ENOTTY"),
    "paste into a console (TIOCLINUX)": (0x541C, "ENOTTY"),
    "own a socket (FIOSETOWN)": (0x8901, "ENOTTY"),
    "list interfaces (SIOCGIFCONF)": (0x8912, "ENOTTY"),
    "clone a file (FICLONE)": (0x40049409, "ENOTTY"),
    "make a machine (KVM_CREATE_VM)": (0xAE01, "ENOTTY"),
}


@BOTH
@pytest.mark.parametrize(("request_number", "wanted"), IOCTLS.values(), ids=IOCTLS.keys())
def test_a_gpu_job_commands_its_device_and_no_other(
    architecture: Architecture, request_number: int, wanted: str
) -> None:
    number = syscall_list.IOCTL[column(architecture)]
    assert number is not None
    call = Call(number, architecture.audit).with_argument(1, request_number)
    assert answer(gpu_program(architecture), call) == wanted
    # A job on the CPU has no device to command.
    assert answer(assemble(architecture, OWN_PID), call) == "ENOTTY"


# asm/unistd_64.h, asm-generic/unistd.h
NEVER = {
    "socket": (41, 198),
    "connect": (42, 203),
    "sendmsg": (46, 211),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "memfd_create": (319, 279),
    "kill": (62, 129),
    "dup3": (292, 24),
}


@BOTH
@pytest.mark.parametrize("numbers", NEVER.values(), ids=NEVER.keys())
def test_neither_list_lets_a_job_out(architecture: Architecture, numbers: tuple[int, int]) -> None:
    call = Call(numbers[column(architecture)], architecture.audit)
    assert answer(gpu_program(architecture), call) == KILL
    assert answer(assemble(architecture, OWN_PID), call) == KILL


@BOTH
def test_a_gpu_job_makes_no_runnable_memory_and_no_process(architecture: Architecture) -> None:
    program, side = gpu_program(architecture), column(architecture)
    mmap, clone = syscall_list.MMAP[side], syscall_list.CLONE[side]
    assert mmap is not None
    assert clone is not None
    assert answer(program, Call(mmap, architecture.audit).with_argument(2, 7)) == "EPERM"
    assert answer(program, Call(clone, architecture.audit).with_argument(0, 17)) == KILL


def test_what_is_installed_is_the_list_of_cpu_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[bytes] = []

    def record(_number: int, _mode: int, _flags: int, program: object) -> int:
        length, address = getattr(program, "length", 0), getattr(program, "instructions", 0)
        installed.append(ctypes.string_at(address, length * 8))
        return 0

    monkeypatch.setattr(kernel, "syscall", record)
    install_filter()
    assert installed == [assemble(kernel.architecture(), os.getpid(), syscall_list.JOB)]
    assert not inspect.signature(install_filter).parameters


@BOTH
def test_the_program_fits_the_kernel(architecture: Architecture) -> None:
    most_instructions = 4096
    for calls in (syscall_list.JOB, syscall_list.GPU_JOB):
        assert len(assemble(architecture, OWN_PID, calls)) // 8 < most_instructions
