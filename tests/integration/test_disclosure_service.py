"""A whole service with a witness: a job keeps its covers, a quorum uncovers one person, the log tells it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from media_factory import face_clip
from service_process import Service
from witness_process import WitnessProcess

from console.main import app
from console.output import MODE
from enclave.policy import Terms, parse_policy
from grpc_api.client import submission
from grpc_api.client.disclosures import DisclosureClient, KeptJob
from grpc_api.client.erasures import erase_job, give_consent, withdraw_consent
from grpc_api.client.notices import read_notices
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity, open_sealed
from keyvault.custody.access import Access, sign_access
from keyvault.custody.acting import act
from keyvault.custody.card import CustodianCard
from keyvault.custody.decisions import approve
from keyvault.custody.holding import Holding
from keyvault.custody.identity import make_custodian
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.requests import cancel
from keyvault.errors import KeyvaultError
from keyvault.key_file import write_key_file
from keyvault.recovery.sheet import RecoverySheet
from protos.bauta.v1 import disclosures_pb2
from provenance import canonical
from provenance.dsse import Envelope, sign_envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.statements import (
    ConsentFacts,
    ConsentWithdrawalFacts,
    DisclosureRequestFacts,
    ErasureFacts,
)
from provenance.statements.fields import format_instant
from tests.disclosure_world import FPS, frames_of, two_people
from tests.unit.enclave.enclave_makers import POLICY_TEXT
from tests.unit.keyvault.custody.custody_makers import custodian_tables, custody_text, person
from tests.unit.keyvault.custody.test_custody_identity import passphrase

KEEPING = POLICY_TEXT + '\n[recovery]\nkeep = "covers"\n'
ME = HybridIdentity.generate()


def two_of_three() -> CustodyPolicy:
    """Ada, Ben and Chloe; two of them at once, and the submitter is told at once."""
    return parse_custody_policy(
        custody_text(
            head='schema = "bauta.custody/v1"\nname = "two-of-three"\nsummary = "Two of three."\n'
            'quorum = "some"\n',
            custodians=custodian_tables(("ada", "ben", "chloe")),
            groups='[[groups]]\nname = "some"\nneed = 2\nof = ["ada", "ben", "chloe"]\n',
            requests='[requests]\npurposes = ["court_order", "medical_care"]\n'
            'legal_bases = ["court_order", "consent"]\nlongest_hours = 72\ncool_off_minutes = 0\n'
            "most_tracks = 2\nmost_seconds = 30\n",
            notice='[notice]\ntell = ["custodians", "submitter"]\nhold_back_days = 0\n',
        )
    )


def three_of_five(gil: CustodianCard) -> CustodyPolicy:
    """Ben and Chloe stay, Ada leaves, three others come, of whom Gil has a file; three of them at once."""
    tables = custodian_tables(("ben", "chloe", "dan", "eve"))
    tables += f'\n[[custodians]]\nname = "gil"\nkeys = "{gil.keys}"\nrecipient = "{gil.recipient}"\n'
    text = two_of_three().text.replace("two-of-three", "three-of-five").replace("need = 2", "need = 3")
    text = text.replace(custodian_tables(("ada", "ben", "chloe")), tables)
    names = json.dumps(["ben", "chloe", "dan", "eve", "gil"])
    return parse_custody_policy(text.replace('["ada", "ben", "chloe"]', names))


@dataclass(frozen=True)
class Keys:
    """Somebody's keys, in this process."""

    name: str

    def access(self, service: str, call: str, about: str = "") -> Access:
        signer = person(self.name).signer
        return sign_access(signer, signer.public, service, call, about, datetime.now(UTC))


@dataclass
class Scene:
    """The service, and the job that it did."""

    service: Service
    job_id: str
    original: bytes
    result: bytes

    @contextmanager
    def as_(self, name: str) -> Iterator[DisclosureClient]:
        """Somebody at the service."""
        with self.service.connect() as connection:
            yield DisclosureClient(connection, self.service.trust, Keys(name))

    def kept(self) -> KeptJob:
        with self.as_("desk") as desk:
            return desk.custody(self.job_id)

    @cached_property
    def tracks(self) -> list[int]:
        """Of the faces, as a custodian reads them on the sheet."""
        with self.as_("ada") as ada:
            opened = io.BytesIO()
            sealed = ada.sheet(ada.custody(self.job_id))
        open_sealed(io.BytesIO(sealed), opened, [person("ada").identity])
        sheet = RecoverySheet.from_bytes(opened.getvalue())
        return [entry.track for entry in sheet.tracks if entry.kind == "face"]

    def ask(self, track: int | None = None, **changes: Any) -> disclosures_pb2.Disclosure:
        kept, now = self.kept(), datetime.now(UTC)
        values: dict[str, Any] = {
            "job_id": self.job_id,
            "job_statement_sha256": kept.statement.digest.hex(),
            "custody_policy_sha256": kept.policy.digest.hex(),
            "tracks": (self.tracks[0] if track is None else track,),
            "stretches": ((0, 1000),),
            "purpose": "court_order",
            "legal_basis": "court_order",
            "recipient": str(person("desk").identity.recipient),
            "requester_key_sha256": person("desk").digest,
            "requested_at": format_instant(now),
            "expires_at": format_instant(now + timedelta(hours=1)),
        }
        facts = DisclosureRequestFacts(**{**values, **changes})
        signer = person("desk").signer
        with self.as_("desk") as desk:
            return desk.ask(sign_envelope(facts.to_statement(), signer), signer.public)

    def until_worker(self, name: bytes, who: str = "ada") -> None:
        """Waits for the worker to be let in, as a custodian would."""
        with self.as_(who) as custodian:
            for change in custodian.watch():
                if change.request_sha256 == name:
                    assert not change.error_code
                    if change.is_attended:
                        return

    def redeal(self, who: str, policy: CustodyPolicy) -> bool:
        """Somebody deals anew, with what their own process does; whether the policy decides from then on."""
        with self.as_(who) as dealer:
            keys = person(who)
            kept = dealer.custody(self.job_id)
            held = kept.sealed_share
            sealed = {"holding": held.to_bytes()} if isinstance(held, Holding) else {"share": held}
            task = {
                **{name: base64_text(value) for name, value in sealed.items()},
                "do": "redeal",
                "policy": kept.policy.text,
                "new_policy": policy.text,
                "job": base64_text(bytes.fromhex(self.job_id)),
                "sharing": base64_text(kept.sharing.to_bytes()),
            }
            made = act(keys, canonical.dumps(task), datetime.now(UTC))
            envelope = Envelope.from_bytes(base64_bytes(made["envelope"]))
            public, parts = base64_bytes(made["redealt"]), base64_bytes(made["parts"])
            given = self.job_id, envelope, keys.signer.public, public, policy.text, parts
            return dealer.redeal(*given)[1]

    def approve(self, who: str, name: bytes) -> disclosures_pb2.Disclosure:
        with self.as_(who) as custodian:
            asked, kept = custodian.show(name, custodian.custody)
            assert asked.worker is not None
            made = approve(
                kept.policy,
                kept.sharing,
                asked.request,
                person(who),
                kept.sealed_share,
                asked.worker.worker_hpke,
                datetime.now(UTC),
            )
            return custodian.decide(made.envelope, person(who).signer.public, made.sealed_share)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("service")
    with Service(data) as founding:
        logs = data.parent / "trust-of-disclosures.json"
        logs.write_bytes(founding.trust.to_bytes())
    witness = WitnessProcess(tmp_path_factory.mktemp("witness"), logs, "witness.test/w1")
    witness.start()
    (data / "witnesses.policy").write_text(f"witness w {witness.vkeys[0]} {witness.address}\nquorum w\n")
    (data / "witnessed.toml").write_text('[witnesses]\npolicy = "witnesses.policy"\n')
    media = tmp_path_factory.mktemp("media")
    clip = face_clip(media / "clip.mp4", fps=FPS, frames=[two_people(n) for n in range(FPS)], audio=False)
    terms = Terms(parse_policy(KEEPING), "balanced", (str(ME.recipient),), two_of_three())
    try:
        with Service(data, "--config", str(data / "witnessed.toml")) as running:
            with running.connect() as connection:
                done = submission.submit(
                    connection,
                    running.trust,
                    source=clip,
                    output=media / "result.mp4",
                    terms=terms,
                    identity=ME,
                    on_progress=lambda *_: None,
                )
            result = (media / "result.mp4").read_bytes()
            yield Scene(running, done.facts.job_id, clip.read_bytes(), result)
    finally:
        witness.stop()


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises((ServiceError, KeyvaultError)) as caught:
        yield
    assert caught.value.code == code


def run(*words: str) -> tuple[int, Any]:
    """One command, in this process; its exit code."""
    try:
        return app(list(words), standalone_mode=False), None
    except (ServiceError, typer.Exit) as error:
        return 1, error
    finally:
        MODE.as_json = False


def test_the_straight_way_over_the_wire(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(scene.tracks) >= 2
    asked = scene.ask()
    name = asked.request_sha256
    scene.until_worker(name)
    with scene.as_("desk") as desk, refused("quorum_not_met"):
        desk.release(name)
    scene.approve("ada", name)
    after = scene.approve("chloe", name)
    assert after.state == disclosures_pb2.DISCLOSURE_STATE_READY
    with scene.as_("desk") as desk:
        released = desk.release(name)
        assert released.state == disclosures_pb2.DISCLOSURE_STATE_RELEASED
        facts = desk.check_release(released, desk.show(name, desk.custody)[0].request.facts)
        assert len(facts.approvals_sha256) == 2
        desk.fetch(released, tmp_path / "disclosure.age")
        with refused("request_ended"):
            desk.release(name)
    with scene.as_("ada") as ada, refused("keys_without_part"):
        ada.fetch(released, tmp_path / "for-ada.age")
    with (tmp_path / "disclosure.age").open("rb") as sealed:
        video = io.BytesIO()
        open_sealed(sealed, video, [person("desk").identity])
    shown, covered = frames_of(video.getvalue()), frames_of(scene.result)
    assert len(shown) == FPS
    # What is not as in the result is the original's, to the bit, and all of it is one of the two people.
    for frame, hidden, original in zip(shown, covered, frames_of(scene.original), strict=True):
        for plane, before, truth in zip(frame, hidden, original, strict=True):
            uncovered = plane != before
            assert np.array_equal(plane[uncovered], truth[uncovered])
            middle = plane.shape[1] // 2
            halves = [bool(uncovered[:, :middle].any()), bool(uncovered[:, middle:].any())]
            assert sorted(halves) == [False, True]

    with scene.service.connect() as connection:
        client = DisclosureClient(connection, scene.service.trust, None)
        (notice,) = read_notices(client.notices(), ME, scene.service.trust)
    assert (notice["job_id"], notice["tracks"]) == (scene.job_id, scene.tracks[:1])

    record, page, proofs = tmp_path / "record", tmp_path / "audit.html", tmp_path / "proofs"
    words = ["--data", str(scene.service.data), "--json"]
    code, _ = run("audit", "--save", str(record), "--html", str(page), "--proofs", str(proofs), *words)
    told = json.loads(capsys.readouterr().out)
    assert (code, told["clean"]) == (0, True)
    (story,) = told["requests"]
    assert (story["state"], story["approved_by"]) == ("released", ["ada", "chloe"])
    assert story["asked"]["by"] == "desk"
    assert "two-of-three" in page.read_text()
    assert "<script" not in page.read_text()
    assert any(path.name.endswith("disclosure-release.proof") for path in proofs.iterdir())

    whole = record.read_bytes().splitlines(keepends=True)
    gap = next(n for n, line in enumerate(whole) if b'"kind":"disclosure-approval"' in line)
    (tmp_path / "gap").write_bytes(b"".join(whole[:gap] + whole[gap + 1 :]))
    code, _ = run("audit", str(tmp_path / "gap"), *words)
    told = json.loads(capsys.readouterr().out)
    assert (code, told["clean"]) == (1, False)
    assert "entry_missing" in {one["code"] for one in told["findings"]}


def test_who_is_no_part_of_it_is_shown_nothing(scene: Scene) -> None:
    asked = scene.ask()
    with scene.as_("stranger") as stranger:
        assert stranger.all() == []
        with refused("keys_without_part"):
            stranger.custody(scene.job_id)
        with refused("request_unknown"):
            stranger.show(asked.request_sha256, stranger.custody)
        with refused("keys_without_part"):
            list(stranger.record())
    with scene.service.connect() as connection:
        question = Keys("ada").access(scene.service.trust.log_origin, "GetSheet", scene.job_id).to_bytes()
        stub = connection.disclosures
        request = disclosures_pb2.GetSheetRequest(access=question, job_id=scene.job_id)
        assert sum(len(part.chunk) for part in stub.GetSheet(request)) > 0
        client = DisclosureClient(connection, scene.service.trust, _Says(question))
        with refused("access_replayed"):
            client.sheet(scene.kept())
        with refused("access_invalid"):
            client.custody(scene.job_id)
    with scene.as_("desk") as desk:
        envelope = Envelope.from_bytes(asked.request)
        signer = person("desk").signer
        shown, _ = desk.show(envelope.digest, desk.custody)
        ended = desk.cancel(cancel(shown.request, signer, datetime.now(UTC)))
    assert ended.state == disclosures_pb2.DISCLOSURE_STATE_CANCELLED


@dataclass(frozen=True)
class _Says:
    question: bytes

    def access(self, service: str, call: str, about: str = "") -> Access:
        return Access.from_bytes(self.question)


def test_from_two_of_three_to_three_of_five_and_on_to_new_shares(
    scene: Scene,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gil does it all with commands: their file, their passphrase, their own process."""
    made = make_custodian(passphrase())
    write_key_file(tmp_path / "gil.custodian", made.to_bytes(), None)

    def as_gil(*words: str) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO("four words are better\n"))
        own = ["--keys", str(tmp_path / "gil.custodian"), "--data", str(scene.service.data), "--json"]
        code, error = run("disclose", *words, *own)
        assert code == 0, error
        return json.loads(capsys.readouterr().out)

    before, after = scene.kept(), three_of_five(made.card)
    (tmp_path / "five.toml").write_text(after.text)
    asked = scene.ask()
    with scene.as_("dan") as dan, refused("keys_without_part"):
        dan.custody(scene.job_id)
    assert scene.redeal("ada", after) is False
    with scene.as_("desk") as desk:
        state = {one.request_sha256: one.error_code for one in desk.all()}
    assert state[asked.request_sha256] == "request_reshared"
    with refused("dealt_already"):
        scene.redeal("ada", after)
    with refused("custodian_unknown"):
        scene.redeal("eve", after)
    assert scene.redeal("chloe", after) is True
    kept = scene.kept()
    assert (kept.policy, kept.sharing.epoch) == (after, 1)
    assert kept.sharing.root == before.sharing.root
    with refused("request_other_policy"):
        scene.ask(custody_policy_sha256=before.policy.digest.hex())

    asked = scene.ask()
    name = asked.request_sha256
    scene.until_worker(name, "dan")
    with scene.as_("ada") as ada, refused("request_unknown"):
        ada.show(name, ada.custody)
    assert scene.approve("chloe", name).state == disclosures_pb2.DISCLOSURE_STATE_WAITING
    assert scene.approve("dan", name).state == disclosures_pb2.DISCLOSURE_STATE_WAITING
    assert as_gil("approve", name.hex())["state"] == "ready"
    with scene.as_("desk") as desk:
        released = desk.release(name)
        facts = desk.check_release(released, desk.show(name, desk.custody)[0].request.facts)
        assert len(facts.approvals_sha256) == 3
        desk.fetch(released, tmp_path / "disclosure.age")
    with (tmp_path / "disclosure.age").open("rb") as sealed:
        video = io.BytesIO()
        open_sealed(sealed, video, [person("desk").identity])
    assert len(frames_of(video.getvalue())) == FPS

    # The same people again, with new shares.
    told = as_gil("redeal", scene.job_id, "--to", str(tmp_path / "five.toml"))
    assert (told["in_force"], told["custody_policy"]) == (False, after.digest.hex())
    assert [scene.redeal(who, after) for who in ("ben", "eve")] == [False, True]
    assert scene.kept().sharing.epoch == 2
    code, _ = run("audit", "--data", str(scene.service.data))
    page = capsys.readouterr().out
    assert (code, "custody changed hands, by ada, chloe, to policy three-of-five" in page) == (0, True), page


def test_consent_given_is_a_reason_and_taken_back_it_erases(scene: Scene) -> None:
    giver, now = person("filmed"), format_instant(datetime.now(UTC))
    track = scene.tracks[1]
    facts = ConsentFacts(
        job_id=scene.job_id,
        tracks=(track,),
        purposes=("medical_care",),
        giver_key_sha256=giver.digest,
        given_at=now,
    )
    consent = sign_envelope(facts.to_statement(), giver.signer)
    by_consent = {"purpose": "medical_care", "legal_basis": "consent"}
    with refused("consent_missing"):
        scene.ask(track, **by_consent)
    trust = scene.service.trust
    with scene.service.connect() as connection:
        give_consent(connection, trust, consent, giver.signer.public)
        asked = scene.ask(track, **by_consent)
        withdrawal = ConsentWithdrawalFacts(consent.digest.hex(), giver.digest, now)
        stranger = sign_envelope(withdrawal.to_statement(), person("stranger").signer)
        with refused("consent_invalid"):
            withdraw_consent(connection, trust, stranger)
        _, erased = withdraw_consent(
            connection, trust, sign_envelope(withdrawal.to_statement(), giver.signer)
        )
    assert [(one.tracks, one.reason) for one, _ in erased] == [((track,), "consent_withdrawn")]
    with scene.as_("desk") as desk:
        state = {one.request_sha256: one.error_code for one in desk.all()}
    assert state[asked.request_sha256] == "request_erased"
    with refused("request_erased"):
        scene.ask(track)


def test_everything_is_erased_and_a_quorum_is_asked_in_vain(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    with scene.service.connect() as connection:
        with refused("track_unknown"):
            erase_job(connection, scene.service.trust, scene.job_id, [4000], "operator_decision")
        found = erase_job(connection, scene.service.trust, scene.job_id, [], "operator_decision")
    assert all(isinstance(facts, ErasureFacts) for facts, _ in found)
    with refused("nothing_kept"):
        scene.kept()
    assert not list((scene.service.data / "desk" / "recovery").glob("*/package"))
    code, _ = run("audit", "--data", str(scene.service.data))
    assert code == 0, capsys.readouterr().out
