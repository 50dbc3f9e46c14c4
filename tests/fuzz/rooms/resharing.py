"""Custody that changes hands: what dealers hand in, what a service shows of it, what a custodian holds."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import cast

from google.protobuf.message import DecodeError

from grpc_api.client.resharing import follow, holding_of
from grpc_api.disclosures.book import Book
from grpc_api.disclosures.checks import claimed_job, read_envelope, read_keys
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.disclosures.succession import Successions
from grpc_api.errors import ServiceError
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import sign_dealing
from keyvault.custody.holding import Holding, part_digests, part_for, seal_parts
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.resharing import redeal
from keyvault.custody.sharing import Dealt, Share, deal, job_context
from keyvault.custody.succession import Succession
from protos.bauta.v1.disclosures_pb2 import GetResharingsResponse, RedealRequest, SigningKeys
from provenance.errors import ProvenanceError
from tests.fuzz.target import Target
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    WitnessedLog,
    custodian_tables,
    custody_text,
    job_statement,
    person,
)


def policy(name: str, *people: str) -> CustodyPolicy:
    """All but one of these people, together."""
    head = f'schema = "bauta.custody/v1"\nname = "{name}"\nsummary = "Some."\nquorum = "some"\n'
    members = ", ".join(f'"{one}"' for one in people)
    groups = f'[[groups]]\nname = "some"\nneed = {len(people) - 1}\nof = [{members}]\n'
    return parse_custody_policy(custody_text(head=head, custodians=custodian_tables(people), groups=groups))


BEFORE = policy("before", "ada", "ben")
AFTER = policy("after", "chloe", "dan")


@cache
def dealt() -> Dealt:
    """Either of two people opens the job."""
    return deal(BEFORE.rule, job_context(JOB_ID))


@cache
def handed_in() -> RedealRequest:
    """Ada's part: alone she is a quorum."""
    ada, first = person("ada"), dealt()
    made = redeal(first.sharing, ada.digest, first.shares[ada.digest], AFTER.rule)
    key = ada.signer.public
    parts = seal_parts(made, ada.digest, AFTER)
    return RedealRequest(
        dealing=sign_dealing(first.sharing, made.sharing, JOB_ID, AFTER, ada, ASKED_AT, parts).to_bytes(),
        dealer=SigningKeys(ed25519=key.ed25519, mldsa65=key.mldsa65),
        redealt=made.sharing.to_bytes(),
        custody_policy=AFTER.text,
        sealed_parts=parts,
    )


@cache
def shown() -> tuple[bytes, WitnessedLog]:
    """The same, on record, as Chloe is shown it."""
    given = handed_in()
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        log = WitnessedLog(Path(folder))
        try:
            proof = log.prove(read_envelope(given.dealing), "resharing")
        finally:
            log.log.close()
    part = part_for(given.sealed_parts, AFTER, person("chloe").digest)
    answer = GetResharingsResponse(
        proof=proof,
        dealer=given.dealer,
        redealt=given.redealt,
        custody_policy=given.custody_policy,
        sealed_part=part,
        part_digests=part_digests(given.sealed_parts),
    )
    return answer.SerializeToString(), log


@cache
def held() -> Holding:
    """What Chloe makes of that."""
    data, log = shown()
    succession = Succession(BEFORE, dealt().sharing, JOB_ID)
    parts = follow(succession, [GetResharingsResponse.FromString(data)], log.trust, person("chloe").digest)
    made = holding_of(succession.steps[-1], parts)
    assert made is not None
    return made


@cache
def kept() -> Kept:
    """The job, as the desk keeps it."""
    return Kept(
        job_id=JOB_ID.hex(),
        owner="local",
        terms=b"{}",
        custody_policy=BEFORE.text,
        sharing=dealt().sharing.to_bytes(),
        shares={},
        statement=job_statement().to_bytes(),
        evidence=job_statement().to_bytes(),
        log_index=0,
        kept_at=0.0,
    )


class _Nothing:
    """A book in which nobody has dealt yet."""

    def about(self, _subject: str, *_kinds: str) -> list[object]:
        return []

    def unplaced(self) -> list[object]:
        return []


def hand_in(untrusted: bytes) -> None:
    """As the desk takes one: what is taken is Ada's, to the policy that she signed."""
    try:
        given = RedealRequest.FromString(untrusted)
    except DecodeError:
        return
    envelope, key = read_envelope(given.dealing), read_keys(given.dealer)
    claimed_job(envelope)
    successions = Successions(cast("Book", _Nothing()), cast("KeptStore", None))
    to = successions.check(kept(), envelope, key, given.redealt, given.custody_policy, given.sealed_parts)
    assert (to, key) == (AFTER, person("ada").signer.public)


def show(untrusted: bytes) -> None:
    """Whatever a service shows: custody goes to whom Ada dealt, or nowhere."""
    try:
        answer = GetResharingsResponse.FromString(untrusted)
    except DecodeError:
        return
    succession = Succession(BEFORE, dealt().sharing, JOB_ID)
    follow(succession, [answer], shown()[1].trust, person("chloe").digest)
    assert (succession.policy, succession.sharing.epoch) in [(BEFORE, 0), (AFTER, 1)]


def hold(untrusted: bytes) -> None:
    """What becomes a share is the true one."""
    chloe = person("chloe")
    assert isinstance(Holding.from_bytes(untrusted).share(chloe.identity, chloe.digest), Share)


TARGETS = (
    Target(
        name="dealing_handed_in",
        sender="whoever says that they are a custodian",
        parsers=(
            "grpc_api.disclosures.succession.Successions.check",
            "keyvault.custody.holding.require_parts",
        ),
        parse=hand_in,
        seeds=lambda: (handed_in().SerializeToString(),),
        errors=(ServiceError, CustodianError),
        message=RedealRequest,
        echoes="a custody policy's error names its key",
        examples=60,
    ),
    Target(
        name="dealings_shown",
        sender="the service, to a custodian",
        parsers=("grpc_api.client.resharing.follow", "keyvault.custody.holding.require_own_part"),
        parse=show,
        seeds=lambda: (shown()[0],),
        errors=(ServiceError, CustodianError, ProvenanceError),
        message=GetResharingsResponse,
        echoes="a custody policy's error names its key",
        examples=60,
    ),
    Target(
        name="held_parts",
        sender="the service, to a custodian's own process",
        parsers=(
            "keyvault.custody.holding.Holding.from_bytes",
            "keyvault.custody.holding._bytes_of",
            "keyvault.custody.holding._text",
        ),
        parse=hold,
        seeds=lambda: (held().to_bytes(),),
        errors=(CustodianError,),
        json=True,
        examples=100,
    ),
)
