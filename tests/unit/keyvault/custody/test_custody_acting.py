"""What a custodian's process does when it is asked, and what it does for nobody."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.custodian_process import CustodianProcess
from console.custody import Custody
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity, SealWriter
from keyvault.custody.access import Access
from keyvault.custody.acting import act
from keyvault.custody.errors import CustodianError
from keyvault.custody.holding import Holding, part_for
from keyvault.custody.identity import make_custodian
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.resharing import new_sharing
from keyvault.custody.seals import approved_info, dealt_info, open_in_worker, seal_share
from keyvault.custody.sharing import Sharing, deal, job_context
from keyvault.key_file import write_key_file
from keyvault.release import OneJobKey
from provenance import canonical
from provenance.dsse import Envelope, sign_envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.statements import (
    ConsentFacts,
    DisclosureApprovalFacts,
    DisclosureCancellationFacts,
    DisclosureDenialFacts,
    ResharingFacts,
)
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    custodian_tables,
    custody_policy,
    custody_text,
    person,
    request_facts,
    signed_request,
)
from tests.unit.keyvault.custody.test_custody_identity import passphrase
from tests.unit.provenance.provenance_makers import hex_of

NOW = ASKED_AT + timedelta(minutes=5)
CHLOE = person("chloe")
DEALT = deal(custody_policy().rule, job_context(JOB_ID))
WORKER = OneJobKey.generate()
KEY = person("desk").signer.public
REQUEST = signed_request()
ONE_OF_TWO = custody_text(
    head='schema = "bauta.custody/v1"\nname = "two"\nsummary = "One of two."\nquorum = "some"\n',
    custodians=custodian_tables(("fay", "gus")),
    groups='[[groups]]\nname = "some"\nneed = 1\nof = ["fay", "gus"]\n',
)


def ask(task: Mapping[str, str | bytes], who: str = "chloe") -> dict[str, bytes]:
    told = {name: base64_text(part) if isinstance(part, bytes) else part for name, part in task.items()}
    answer = act(person(who), canonical.dumps(told), NOW)
    return {name: base64_bytes(part) for name, part in answer.items()}


def decision(do: str, by: Envelope = REQUEST, /, **more: str | bytes) -> dict[str, str | bytes]:
    asked: dict[str, str | bytes] = {
        "do": do,
        "policy": custody_text(),
        "request": by.to_bytes(),
        "requester": KEY.ed25519 + KEY.mldsa65,
    }
    return {**asked, **more}


def approval(**more: str | bytes) -> dict[str, str | bytes]:
    share = seal_share(
        DEALT.shares[CHLOE.digest], CHLOE.identity.recipient, dealt_info(DEALT.sharing, CHLOE.digest)
    )
    task: dict[str, str | bytes] = {
        "sharing": DEALT.sharing.to_bytes(),
        "share": share,
        "worker_key": WORKER.public_key,
    }
    return decision("approve", **{**task, **more})


def test_an_approval_hands_the_share_to_the_worker_and_to_nobody_else() -> None:
    answer = ask(approval())
    facts = DisclosureApprovalFacts.from_statement(
        Envelope.from_bytes(answer["envelope"]).verify(CHLOE.signer.public)
    )
    assert facts.custodian_key_sha256 == CHLOE.digest
    info = approved_info(DEALT.sharing, REQUEST.digest, CHLOE.digest)
    assert open_in_worker(answer["share"], WORKER, info) == DEALT.shares[CHLOE.digest]
    with pytest.raises(CustodianError):
        open_in_worker(answer["share"], OneJobKey.generate(), info)


def redealing(**more: str | bytes) -> dict[str, str | bytes]:
    """Chloe's part in handing on, out of the share that she was dealt."""
    share = approval()["share"]
    task: dict[str, str | bytes] = {
        "do": "redeal",
        "policy": custody_text(),
        "new_policy": ONE_OF_TWO,
        "job": JOB_ID,
        "sharing": DEALT.sharing.to_bytes(),
        "share": share,
    }
    return {**task, **more}


def test_a_share_is_divided_in_its_own_process_and_becomes_one_in_another() -> None:
    """From the newsroom to two people, and from them on to the newsroom again."""
    after = parse_custody_policy(ONE_OF_TWO)
    redealt, parts = {}, {}
    for name in ("ada", "chloe", "dan"):
        own = person(name)
        share = seal_share(
            DEALT.shares[own.digest], own.identity.recipient, dealt_info(DEALT.sharing, own.digest)
        )
        made = ask(redealing(share=share), who=name)
        facts = ResharingFacts.from_statement(Envelope.from_bytes(made["envelope"]).verify(own.signer.public))
        redealt[own.digest] = Sharing.from_bytes(made["redealt"])
        parts[own.digest] = part_for(made["parts"], after, person("fay").digest)
        assert facts.redealt_sha256 == redealt[own.digest].digest.hex()
        assert facts.custody_policy_sha256 == after.digest.hex()
    made_of_it = new_sharing(DEALT.sharing, redealt)
    holding = Holding(DEALT.sharing, redealt, parts)
    again = {
        "policy": ONE_OF_TWO,
        "new_policy": custody_text(),
        "job": JOB_ID,
        "do": "redeal",
        "sharing": made_of_it.to_bytes(),
        "holding": holding.to_bytes(),
    }
    answer = ask(again, who="fay")
    assert Sharing.from_bytes(answer["redealt"]).root == made_of_it.commitment_of(person("fay").digest)
    with pytest.raises(CustodianError) as refusal:
        ask(again, who="gus")
    assert refusal.value.code == "redeal_false"


def test_a_denial_names_its_reason() -> None:
    answer = ask(decision("deny", reason="scope_too_wide"))
    payload = Envelope.from_bytes(answer["envelope"]).verify(CHLOE.signer.public)
    assert DisclosureDenialFacts.from_statement(payload).reason == "scope_too_wide"


def test_a_question_is_signed_for_one_service_and_one_call() -> None:
    asked = Access.from_bytes(ask({"do": "access", "service": "log", "call": "List", "about": ""})["access"])
    asked.require("log", "List", "", NOW)
    assert asked.asker == CHLOE.digest


def consent(by: str) -> bytes:
    facts = ConsentFacts(JOB_ID.hex(), (2,), ("medical_care",), person(by).digest, "2026-11-21T12:00:00Z")
    return facts.to_statement()


def test_requests_and_consents_are_signed_in_ones_own_name() -> None:
    cancelled = DisclosureCancellationFacts(hex_of("request"), CHLOE.digest, "2026-11-21T12:00:00Z")
    own = replace(request_facts(), requester_key_sha256=CHLOE.digest)
    for payload in (own.to_statement(), cancelled.to_statement(), consent("chloe")):
        envelope = Envelope.from_bytes(ask({"do": "sign", "payload": payload})["envelope"])
        assert envelope.verify(CHLOE.signer.public) == payload


def test_what_is_sealed_to_the_keys_opens() -> None:
    assert ask({"do": "open", "sealed": sealed_to(CHLOE.identity)}) == {"opened": b"a sheet"}


def sealed_to(identity: HybridIdentity) -> bytes:
    sink = io.BytesIO()
    with SealWriter(sink, [identity.recipient]) as writer:
        writer.write(b"a sheet")
    return sink.getvalue()


def a_denial() -> bytes:
    facts = DisclosureDenialFacts(hex_of("request"), CHLOE.digest, "other", "2026-11-21T12:00:00Z")
    return facts.to_statement()


REFUSED: dict[str, tuple[Callable[[], Mapping[str, Any]], str]] = {
    "no task": (lambda: {}, "task_invalid"),
    "another task": (lambda: {"do": "export"}, "task_invalid"),
    "a task without its fields": (lambda: {"do": "open"}, "task_invalid"),
    "bytes that are none": (lambda: {"do": "open", "sealed": "?"}, "task_invalid"),
    "an envelope that is none": (
        lambda: decision("deny") | {"request": b"x", "reason": "other"},
        "task_invalid",
    ),
    "a reason that there is not": (lambda: decision("deny", reason="because"), "task_invalid"),
    "somebody else's request": (
        lambda: {"do": "sign", "payload": request_facts().to_statement()},
        "statement_not_own",
    ),
    "somebody else's consent": (lambda: {"do": "sign", "payload": consent("dan")}, "statement_not_own"),
    "a decision without its task": (lambda: {"do": "sign", "payload": a_denial()}, "statement_not_own"),
    "no statement at all": (lambda: {"do": "sign", "payload": b"{}"}, "statement_not_own"),
    "sealed to somebody else": (
        lambda: {"do": "open", "sealed": sealed_to(person("dan").identity)},
        "sealed_for_others",
    ),
    "a request under another policy": (
        lambda: approval(
            policy=custody_text(head=custody_text().split("[[")[0].replace("newsroom", "other"))
        ),
        "request_other_policy",
    ),
    "a request of somebody who may not ask": (
        lambda: decision(
            "approve",
            signed_request("ben"),
            **{
                name: value
                for name, value in approval().items()
                if name in {"sharing", "share", "worker_key"}
            },
        ),
        "request_invalid",
    ),
    "another custodian's share": (
        lambda: approval(
            share=seal_share(
                DEALT.shares[CHLOE.digest],
                person("dan").identity.recipient,
                dealt_info(DEALT.sharing, CHLOE.digest),
            )
        ),
        "share_seal_broken",
    ),
    "a share divided by somebody without one": (
        lambda: redealing(policy=ONE_OF_TWO, new_policy=custody_text()),
        "sharing_invalid",
    ),
    "a share divided for another job": (lambda: redealing(job=bytes(16)), "sharing_invalid"),
    "a share divided for a job without a number": (lambda: redealing(job=b"x"), "task_invalid"),
    "a share divided by no policy": (lambda: redealing(new_policy="x"), "custody_policy_invalid"),
    "somebody else's share divided": (
        lambda: redealing(
            share=seal_share(
                DEALT.shares[person("dan").digest],
                CHLOE.identity.recipient,
                dealt_info(DEALT.sharing, CHLOE.digest),
            )
        ),
        "share_false",
    ),
    "parts that are none": (lambda: redealing(holding=b"{}"), "holding_invalid"),
    "parts of somebody who has no name": (
        lambda: redealing(holding=Holding(DEALT.sharing, {}, {"x": b""}).to_bytes()),
        "holding_invalid",
    ),
    "no parts at all": (
        lambda: redealing(holding=Holding(DEALT.sharing, {}, {}).to_bytes()),
        "redeal_incomplete",
    ),
    "shares of another job": (
        lambda: approval(sharing=deal(custody_policy().rule, job_context(bytes(16))).sharing.to_bytes()),
        "sharing_invalid",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_process_does_for_nobody(name: str) -> None:
    make, code = REFUSED[name]
    with pytest.raises(CustodianError) as refusal:
        ask(make())
    assert refusal.value.code == code


def test_the_process_does_one_task_after_the_other(tmp_path: Path) -> None:
    """The real one: its own program, a passphrase on a descriptor, and lines."""
    path = tmp_path / "custodian.json"
    made = make_custodian(passphrase())
    write_key_file(path, made.to_bytes(), None)
    with pytest.raises(ServiceError) as wrong:
        CustodianProcess(path, Custody((), "--passphrase-fd", b"four words are bitter"))
    assert wrong.value.code == "custodian_unlock_failed"
    with CustodianProcess(path, Custody((), "--passphrase-fd", b"four words are better")) as keys:
        assert keys.card == made.card
        asked = keys.access("log", "List")
        assert asked.asker == made.card.keys
        with pytest.raises(ServiceError) as refused:
            keys.sign(consent("dan"))
        assert refused.value.code == "statement_not_own"
        sink = io.BytesIO()
        with SealWriter(sink, [made.card.recipient]) as writer:
            writer.write(bytes(3 << 20))
        assert keys.open(sink.getvalue()) == bytes(3 << 20)
        with pytest.raises(ServiceError) as unknown:
            keys.deny(custody_text(), REQUEST, KEY, "other")
        assert unknown.value.code == "custodian_unknown"
        assert sign_envelope(b"{}", person("dan").signer)
