"""An audit of custody that changed hands: who dealt to whom, from when on, and what of it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from console.audit.outcome import Outcome
from console.audit.page import render
from keyvault.custody.auditing import check_whole
from keyvault.custody.handover import sign_dealing
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.record import policy_line, read_record, sharing_line
from keyvault.custody.resharing import redeal
from keyvault.custody.sharing import Dealt, deal
from keyvault.custody.stories import tell
from provenance.dsse import sign_envelope
from provenance.statements import DisclosureRequestFacts
from provenance.statements.fields import format_instant
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    custodian_tables,
    custody_policy,
    custody_text,
    person,
    request_facts,
)
from tests.unit.keyvault.custody.test_custody_audit import QUORUM, Story, straight

FIVE = ("ben", "chloe", "dan", "eve", "fay")


def five(need: int = 3) -> CustodyPolicy:
    """Whom they hand on to."""
    head = 'schema = "bauta.custody/v1"\nname = "five"\nsummary = "Some of five."\nquorum = "some"\n'
    groups = f'[[groups]]\nname = "some"\nneed = {need}\nof = ["ben", "chloe", "dan", "eve", "fay"]\n'
    return parse_custody_policy(custody_text(head=head, custodians=custodian_tables(FIVE), groups=groups))


class HandedOn(Story):
    """A story in which custodians hand on, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.dealt = self.case.dealt
        self.shown = [policy_line(five()), sharing_line(self.dealt.sharing.to_bytes())]

    def deal(self, *names: str, made: Dealt | None = None, signer: str = "") -> None:
        """They deal to the five, or something else."""
        for name in names:
            own, first = person(name), self.dealt
            one = made or redeal(first.sharing, own.digest, first.shares[own.digest], five().rule)
            envelope = sign_dealing(first.sharing, one.sharing, JOB_ID, five(), own, ASKED_AT, b"")
            self.case.log.prove(envelope, "resharing")
            self.signers[envelope.digest] = person(signer or name).signer.public
            self.shown.append(sharing_line(one.sharing.to_bytes()))

    def ask(self, policy: CustodyPolicy) -> None:
        """Somebody asks again."""
        later = ASKED_AT + timedelta(minutes=1)
        facts: DisclosureRequestFacts = request_facts(
            custody_policy_sha256=policy.digest.hex(), requested_at=format_instant(later)
        )
        envelope = sign_envelope(facts.to_statement(), person("desk").signer)
        self.case.log.prove(envelope, facts.kind())
        self.signers[envelope.digest] = person("desk").signer.public

    def lines(self) -> list[bytes]:
        return [*super().lines(), *self.shown]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[HandedOn]:
    made = HandedOn(tmp_path)
    yield made
    made.case.log.log.close()


def test_custody_changed_hands_by_whom_to_which_policy(story: HandedOn) -> None:
    straight(story)
    story.deal(*QUORUM)
    story.ask(five())
    record = read_record(story.lines())
    whole = check_whole(record, story.case.log.trust)
    told = tell(record, whole.placed, story.case.log.trust.node)
    assert (whole.findings, told.findings) == ((), [])
    outcome = Outcome(whole, told, ASKED_AT)
    assert "ada dealt anew, to policy five" in outcome.lines()
    assert "custody changed hands, by ada, chloe, dan, to policy five" in outcome.lines()
    assert "custody changed hands, by ada, chloe, dan, to policy five" in render(outcome)
    assert outcome.document()["others"][-1]["says"]["isInForce"] is True


def _released_after(story: HandedOn) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.deal("ada")
    story.count()
    story.release()


def _under_the_old_policy(story: HandedOn) -> None:
    story.deal(*QUORUM)
    story.ask(custody_policy())


def _with_an_old_share(story: HandedOn) -> None:
    story.admit()
    story.deal(*QUORUM)
    story.approve("ben")


def _by_nobody_of_the_policy(story: HandedOn) -> None:
    made = deal(five().rule, story.dealt.sharing.context, epoch=1)
    story.deal("fay", made=made)


def _of_something_else(story: HandedOn) -> None:
    story.deal("ada", made=deal(five().rule, story.dealt.sharing.context, epoch=1))


def _not_shown(story: HandedOn) -> None:
    story.deal("ada")
    story.shown.pop()


def _from_nowhere(story: HandedOn) -> None:
    story.deal("ada")
    story.shown.pop(1)


def _to_a_policy_that_is_not_shown(story: HandedOn) -> None:
    story.deal("ada")
    story.shown.pop(0)


def _twice(story: HandedOn) -> None:
    story.deal("ada", "ada")


def _too_late(story: HandedOn) -> None:
    story.deal(*QUORUM)
    story.deal("ben")


WAYS: dict[str, tuple[Callable[[HandedOn], None], str]] = {
    "a release of what was asked for before": (_released_after, "released_after_resharing"),
    "a request under the policy that was left": (_under_the_old_policy, "request_other_policy"),
    "an approval with a share that was left": (_with_an_old_share, "approval_other_sharing"),
    "a dealing by nobody of the policy": (_by_nobody_of_the_policy, "custodian_unknown"),
    "a dealing of something else than the share": (_of_something_else, "redeal_false"),
    "a dealing whose public part is left out": (_not_shown, "dealing_not_shown"),
    "a dealing of a sharing that is left out": (_from_nowhere, "dealing_not_shown"),
    "a dealing to a policy that is left out": (_to_a_policy_that_is_not_shown, "dealing_not_shown"),
    "a dealing twice": (_twice, "dealt_already"),
    "a dealing from shares that were handed on": (_too_late, "dealing_stale"),
    "a dealing signed by somebody else": (lambda story: story.deal("ada", signer="ben"), "decision_invalid"),
}


@pytest.mark.parametrize("name", WAYS)
def test_what_should_not_have_happened_is_found(story: HandedOn, name: str) -> None:
    way, code = WAYS[name]
    way(story)
    assert code in story.codes()
