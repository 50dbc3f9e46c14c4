"""What the processor is told about one process: no memory is both data and program, no shared predictions."""

from __future__ import annotations

from enclave.wall import kernel

# linux/prctl.h
_PR_GET_SPECULATION_CTRL = 52
_PR_SET_SPECULATION_CTRL = 53
_PR_SPEC_INDIRECT_BRANCH = 1
_PR_SPEC_NOT_AFFECTED = 0
_PR_SPEC_DISABLE = 1 << 2
_PR_SPEC_FORCE_DISABLE = 1 << 3
_PR_SET_MDWE = 65
_PR_MDWE_REFUSE_EXEC_GAIN = 1


def forbid_new_code() -> None:
    """No memory of this process or its forks is writable and runnable, and none becomes runnable later.

    Linux 6.3 (PR_SET_MDWE). The seccomp filter refuses PROT_EXEC as well; this holds without the filter, and
    around the warm parent too.

    Raises:
        OSError: the kernel is older, or refused.
    """
    kernel.prctl(_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN)


def isolate_branch_predictions() -> None:
    """What this process teaches the branch predictor steers no other process, and the other way round.

    The kernel then clears the predictor whenever it switches between this process and another (Spectre
    variant 2, docs.kernel.org/userspace-api/spec_ctrl). Variant 4, store bypass, is left alone: it lets code
    read its own process's memory, which a taken-over decoder reads anyway, and shutting it costs decoding.

    Raises:
        OSError: the kernel or the processor cannot, or an administrator has switched mitigations off.
    """
    if _state() == _PR_SPEC_NOT_AFFECTED:
        return
    kernel.prctl(_PR_SET_SPECULATION_CTRL, _PR_SPEC_INDIRECT_BRANCH, _PR_SPEC_FORCE_DISABLE)
    if not _state() & (_PR_SPEC_DISABLE | _PR_SPEC_FORCE_DISABLE):
        raise OSError("the kernel did not take the setting")


def _state() -> int:
    return kernel.prctl(_PR_GET_SPECULATION_CTRL, _PR_SPEC_INDIRECT_BRANCH)
