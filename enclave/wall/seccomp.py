"""The last gate: a seccomp filter, assembled here, that knows the calls a job needs and kills on any other.

A filter is a classic BPF program over `struct seccomp_data` (docs.kernel.org/userspace-api/seccomp_filter):
number, architecture, instruction pointer, six 64-bit arguments. It can only jump forward, compare and return.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator

from enclave.wall import kernel, syscall_list

# linux/seccomp.h
_SET_MODE_FILTER = 1
_FLAG_TSYNC = 1
_KILL_PROCESS = 0x8000_0000
_ERRNO = 0x0005_0000
_ALLOW = 0x7FFF_0000

# linux/bpf_common.h
_LOAD = 0x20
_JUMP_IF_EQUAL = 0x15
_AND = 0x54
_RETURN = 0x06

# struct seccomp_data; low halves of the arguments, both processors are little-endian.
_AT_NUMBER = 0
_AT_ARCHITECTURE = 4
_AT_ARGUMENT = (16, 24, 32, 40, 48, 56)

_ALL_BITS = 0xFFFF_FFFF


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install_filter() -> None:
    """Closes the gate of a CPU job for this process and all its threads. Needs no-new-privileges first.

    There is no way to ask for another list.

    Raises:
        WallError: `architecture_unsupported`.
        OSError: the kernel refused.
    """
    program = assemble(kernel.architecture(), own_pid=os.getpid())
    instructions = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(instructions))
    # With TSYNC the kernel answers the id of a thread that it could not close in.
    if kernel.syscall(kernel.architecture().seccomp, _SET_MODE_FILTER, _FLAG_TSYNC, header) != 0:
        raise OSError("a thread stayed outside the filter")


def assemble(
    architecture: kernel.Architecture, own_pid: int, calls: syscall_list.CallList = syscall_list.JOB
) -> bytes:
    """Gives the BPF program, 8 bytes an instruction.

    Args:
        architecture: the processor that it will run on; calls of any other kill.
        own_pid: the process that will run it, the only one that it may signal.
        calls: what it answers.
    """
    column = 0 if architecture.name == "x86_64" else 1
    code = [
        _instruction(_LOAD, _AT_ARCHITECTURE),
        _instruction(_JUMP_IF_EQUAL, architecture.audit, if_true=1),
        _return(_KILL_PROCESS),
        _instruction(_LOAD, _AT_NUMBER),
    ]
    for numbers in calls.allowed.values():
        code += _answer(numbers[column], _ALLOW)
    for number, refused in calls.refused.items():
        for numbers in refused.values():
            code += _answer(numbers[column], _ERRNO | number)
    for condition in calls.conditional.values():
        code += _answer_if(condition, column)
    # abort() signals its own thread; no signal leaves the process.
    code += _answer_if(
        syscall_list.Condition(syscall_list.TGKILL, argument=0, accepted=((_ALL_BITS, own_pid),)), column
    )
    code.append(_return(_KILL_PROCESS))
    return b"".join(code)


def _answer(number: int | None, action: int) -> Iterator[bytes]:
    if number is not None:
        yield _instruction(_JUMP_IF_EQUAL, number, if_false=1)
        yield _return(action)


def _answer_if(condition: syscall_list.Condition, column: int) -> Iterator[bytes]:
    number = condition.numbers[column]
    if number is None:
        return
    tests: list[bytes] = []
    for mask, wanted in condition.accepted:
        tests += [
            _instruction(_LOAD, _AT_ARGUMENT[condition.argument]),
            _instruction(_AND, mask),
            _instruction(_JUMP_IF_EQUAL, wanted, if_false=1),
            _return(_ALLOW),
        ]
    yield _instruction(_JUMP_IF_EQUAL, number, if_false=len(tests) + 1)
    yield from tests
    yield _return(_KILL_PROCESS if condition.otherwise is None else _ERRNO | condition.otherwise)


def _return(action: int) -> bytes:
    return _instruction(_RETURN, action)


def _instruction(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", operation, if_true, if_false, operand)
