"""The registry is whole and true: no parser is missing, no corpus is empty, every seed is a good one."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.fuzz.table import table
from tests.fuzz.target import Target, attempt
from tests.fuzz.targets import ROOMS, TARGETS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("anonymizer", "console", "enclave", "evaluation", "grpc_api", "keyvault", "protos", "provenance")
NOT_REACHED = {
    "enclave.attest.verifying.verify_evidence": "hands on to verify_snp and its like, which are reached",
    "enclave.nursery.parent.Nursery._disclose": "forks; what it reads is DisclosureOrder.from_message",
    "enclave.nursery.parent.Nursery._start": "forks; what it reads is JobOrder.from_message",
    "evaluation.pieces.checking.check_copy": "starts a process; what it reads is verify_copy, read_records",
    "evaluation.pieces.checking.check_part": "starts a process; what it reads is verify_part, read_records",
    "evaluation.pieces.checking.untouched_share": "the same, and verify_untouched",
    "grpc_api.disclosures.desk.DisclosureDesk.ask": "records; what it reads is check_asked",
    "grpc_api.disclosures.desk.DisclosureDesk.cancel": "records; what it reads is check_cancellation",
    "grpc_api.disclosures.desk.DisclosureDesk.decide": "records; what it reads is check_decision",
    "grpc_api.disclosures.desk.DisclosureDesk.redeal": "records; what it reads is Successions.check",
    "grpc_api.disclosures.doors.Doors._commit": "writes files; it compares a digest and reads nothing",
    "grpc_api.disclosures.erasing.Eraser.give": "records; what it reads is read_consent",
    "grpc_api.disclosures.erasing.Eraser.withdraw": "records; what it reads is read_withdrawal",
    "grpc_api.services.disclosures._name": "32 bytes, or not",
    "grpc_api.jobs.dispatcher.Dispatcher._complete": "writes files; what it reads is check_reply",
    "grpc_api.jobs.dispatcher.Dispatcher._kept_review": "the same",
    "grpc_api.jobs.dispatcher.Dispatcher._kept_scores": "the same",
    "grpc_api.jobs.dispatcher.Dispatcher._kept_untouched": "the same",
    "grpc_api.jobs.dispatcher._kept": "the same",
}


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_taken(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds, "a fuzzer without seeds stays at the door"
    assert any(seeds), "all seeds are empty"
    for seed in seeds:
        assert len(seed) <= TARGETS[name].max_bytes
        assert attempt(TARGETS[name], seed) is None


def test_no_two_targets_share_a_name() -> None:
    assert sum(len(room.TARGETS) for room in ROOMS) == len(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_reach_the_parsers_that_the_target_names(name: str) -> None:
    assert set(TARGETS[name].parsers) <= reached_by(TARGETS[name])


def test_every_function_that_takes_something_untrusted_is_reached() -> None:
    """Whatever the house calls `untrusted` is under attack, or stands in `NOT_REACHED` with its reason."""
    named = set(untrusted_functions())
    assert len(named) > 70
    reached = set().union(*map(reached_by, TARGETS.values()))
    assert named - reached == set(NOT_REACHED)


def untrusted_functions() -> Iterator[str]:
    """Functions with a parameter called `untrusted`, or beginning with it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield from _untrusted_in(ast.parse(path.read_text(encoding="utf-8")), f"{module}.")


def _untrusted_in(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            if isinstance(child, ast.FunctionDef) and any(
                argument.arg.startswith("untrusted")
                for argument in [*child.args.args, *child.args.kwonlyargs]
            ):
                yield prefix + child.name
            yield from _untrusted_in(child, f"{prefix}{child.name}.")


def reached_by(target: Target) -> set[str]:
    """Every function of ours that a target's seeds run, as module and qualified name."""
    seen: set[str] = set()

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            seen.add(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}")

    seeds = target.seeds()
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        for seed in seeds:
            attempt(target, seed)
    finally:
        sys.setprofile(before)
    return seen


def test_the_manual_lists_every_target_as_it_is() -> None:
    assert table() in (ROOT / "docs" / "fuzzing.md").read_text(encoding="utf-8")
