"""One call of a stranger's code, in a child process that lives for that call alone.

A PKCS#11 module is a vendor's shared library, and a cloud's client is a network program. Loaded into the
vault they could read every key for as long as it runs, and crash it. In the child there is nothing of the
store but what it is handed: it is forked before any entry is opened, keeps no descriptor but its answer's,
and whatever copies of a key it makes die with it. A key crosses in memory that both share
(`Secret(inheritable=True)`); the answer, a few hundred bytes without secrets, crosses on a pipe.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import time
from collections.abc import Callable

from keyvault.vault.custody.contract import MAX_PARAMETERS_BYTES, Parameters
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.hardening import harden_process
from provenance import canonical
from provenance.errors import ProvenanceError

DEFAULT_TIMEOUT_SECONDS = 60.0
"""A token that wants a touch, or a network service with its own retries."""

_STANDARD_DESCRIPTORS = 3


def call_apart(
    task: Callable[[], Parameters], *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> Parameters:
    """Runs a task in a child and gives what it returned.

    Only while the process has one thread and no entry of the store in its memory.

    Raises:
        CustodyError: the task's own, vault_custodian_died, vault_custodian_timeout, or
            vault_custodian_failed for any other exception and for an answer that is none.
    """
    answer_end, child_end = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _answer(task, child_end, parent)
    os.close(child_end)
    try:
        answer = _read_answer(answer_end, time.monotonic() + timeout_seconds)
    finally:
        os.close(answer_end)
        # Whatever it still does after its answer, or instead of one, nobody waits for.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return _parse(answer)


def _answer(task: Callable[[], Parameters], answer_fd: int, parent: int) -> None:
    """The child's whole life. Never returns, whatever happens in it."""
    try:
        # What the vault left to be collected is never collected here: no destructor of it may run.
        gc.freeze()
        _give_up_everything_but(answer_fd)
        # Also ends it with its parent, unless that is gone already.
        harden_process()
        if os.getppid() != parent:
            os._exit(1)
        try:
            encoded = canonical.dumps({"parameters": task()})
        except CustodyError as reason:
            encoded = canonical.dumps({"code": reason.code})
        except BaseException:
            # A stranger's code may raise anything, and none of it gets out.
            encoded = canonical.dumps({"code": "vault_custodian_failed"})
        while encoded:
            encoded = encoded[os.write(answer_fd, encoded) :]
    finally:
        # No destructor and no exit handler of the vault may run here.
        os._exit(0)


def _give_up_everything_but(answer_fd: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    # Output too: a library's own log can name keys and accounts.
    for number in range(_STANDARD_DESCRIPTORS):
        os.dup2(nothing, number)
    os.closerange(_STANDARD_DESCRIPTORS, answer_fd)
    os.closerange(answer_fd + 1, os.sysconf("SC_OPEN_MAX"))


def _read_answer(fd: int, deadline: float) -> bytes:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    answer = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise CustodyError("vault_custodian_timeout")
        part = os.read(fd, MAX_PARAMETERS_BYTES)
        if not part:
            return bytes(answer)
        answer += part
        if len(answer) > 2 * MAX_PARAMETERS_BYTES:
            raise CustodyError("vault_custodian_failed")


def _parse(untrusted_answer: bytes) -> Parameters:
    if not untrusted_answer:
        raise CustodyError("vault_custodian_died")
    try:
        answer = canonical.loads(untrusted_answer)
    except ProvenanceError:
        raise CustodyError("vault_custodian_failed") from None
    if isinstance(answer, dict) and answer.keys() == {"code"} and isinstance(answer["code"], str):
        raise CustodyError(answer["code"])
    if not isinstance(answer, dict) or answer.keys() != {"parameters"}:
        raise CustodyError("vault_custodian_failed")
    parameters = answer["parameters"]
    if not isinstance(parameters, dict) or len(untrusted_answer) > MAX_PARAMETERS_BYTES:
        raise CustodyError("vault_custodian_failed")
    return parameters
