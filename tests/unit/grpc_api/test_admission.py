"""The door: one token, one job, whatever is killed in between, and never without the record."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from enclave.policy import Terms, shipped
from grpc_api.admission import Admission, holder_of, read_admission
from grpc_api.config import ServiceConfig, load_config
from grpc_api.errors import ServiceError
from grpc_api.founding import begin_record
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.states import State
from grpc_api.jobs.store import JobStore
from grpc_api.premises import Premises
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey, generate_issuer_key
from keyvault.submitter.spent import SpentStore
from keyvault.submitter.tokens import TokenRequest, issue
from tests.unit.keyvault.submitter.submitter_makers import issuer, issuer_key, token

TRIES = 100
POLICY = shipped()["whistleblower"]
TERMS = Terms(POLICY, POLICY.modes[0], ("age1pq1" + "q" * 1952,)).to_bytes()
NOTHING: Any = None


@dataclass
class House:
    """A desk with a door, on a disk; `reopened` is a restart."""

    folder: Path
    store: JobStore
    record: SpentStore
    desk: JobDesk

    @classmethod
    def open(cls, folder: Path, issuers: tuple[IssuerKey, ...] | None = None) -> House:
        store, record = JobStore(folder / "jobs.sqlite"), SpentStore(folder / "spent.sqlite")
        door = Admission((issuer_key(),) if issuers is None else issuers, record)
        door.settle_all(store.in_state(*State))
        desk = JobDesk(store, *[NOTHING], ServiceConfig(), *[NOTHING] * 4, admission=door)
        return cls(folder, store, record, desk)

    def reopened(self) -> House:
        self.close()
        return House.open(self.folder)

    def close(self) -> None:
        self.store.close()
        self.record.close()

    def code_of(self, untrusted: bytes, client_token: bytes | None = None, owner: str = "anna") -> str:
        """What comes of asking for a job: ok, or the refusal's code."""
        try:
            self.desk.create(owner, TERMS, client_token or os.urandom(16), untrusted)
        except ServiceError as refused:
            return refused.code
        return "ok"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    SpentStore.create(tmp_path / "spent.sqlite").close()
    made = House.open(tmp_path)
    yield made
    made.close()


def of_another_issuer() -> bytes:
    key = generate_issuer_key()
    request = TokenRequest.draw(IssuerKey.of(key.public_key()))
    return request.finish(issue(key, request.blinded.message)).to_bytes()


def bent() -> bytes:
    good = token()
    return replace(good, signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1])).to_bytes()


REFUSED = {
    "none": (lambda: b"", "token_required"),
    "noise": (lambda: os.urandom(353), "token_invalid"),
    "a short one": (lambda: token().to_bytes()[:-1], "token_invalid"),
    "one of another issuer": (of_another_issuer, "token_invalid"),
    "a forged one": (bent, "token_invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_whoever_has_no_token_makes_no_job(name: str, house: House) -> None:
    make, code = REFUSED[name]
    assert house.code_of(make()) == code
    assert house.store.owned_by("anna") == []


def test_a_token_makes_one_job_also_after_a_restart(house: House) -> None:
    spent = token().to_bytes()
    assert [house.code_of(spent), house.code_of(spent)] == ["ok", "token_spent"]
    again = House.open(house.folder)
    assert [again.code_of(spent), again.code_of(spent, owner="bob")] == ["token_spent", "token_spent"]
    assert again.code_of(token().to_bytes()) == "ok"
    again.close()


def test_of_a_hundred_at_once_one_gets_in(house: House) -> None:
    spent, start = token().to_bytes(), threading.Barrier(TRIES)

    def attempt(number: int) -> str:
        start.wait()
        return house.code_of(spent, owner=f"source {number}")

    with ThreadPoolExecutor(TRIES) as pool:
        assert Counter(pool.map(attempt, range(TRIES))) == {"ok": 1, "token_spent": TRIES - 1}
    assert len(house.store.in_state(*State)) == 1


def test_a_hundred_requests_for_one_job_are_one_job(house: House) -> None:
    """A client whose answer was lost asks again with all that it said before."""
    spent, client_token, start = token().to_bytes(), os.urandom(16), threading.Barrier(TRIES)

    def attempt(_number: int) -> str:
        start.wait()
        return house.desk.create("anna", TERMS, client_token, spent).job_id

    with ThreadPoolExecutor(TRIES) as pool:
        assert len(set(pool.map(attempt, range(TRIES)))) == 1
    assert house.code_of(spent) == "token_spent"


def test_killed_between_token_and_job_nothing_is_lost_and_nothing_is_won(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent, client_token = token().to_bytes(), os.urandom(16)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            house.desk.create("anna", TERMS, client_token, spent)
    again = House.open(house.folder)
    assert again.code_of(spent, os.urandom(16)) == "token_spent", "for nobody else, and no other job"
    assert again.code_of(spent, client_token, owner="bob") == "token_spent"
    assert again.code_of(spent, client_token) == "ok", "its owner asks again"
    assert len(again.store.owned_by("anna")) == 1
    again.close()


def test_a_job_that_is_deleted_gives_no_token_back(house: House) -> None:
    spent, client_token = token().to_bytes(), os.urandom(16)
    job = house.desk.create("anna", TERMS, client_token, spent)
    house.store.delete(job.job_id)
    assert house.code_of(spent, client_token) == "token_spent"


def test_killed_between_job_and_settling_a_deleted_job_gives_none_back_either(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent, client_token = token().to_bytes(), os.urandom(16)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(house.record, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            house.desk.create("anna", TERMS, client_token, spent)
    again = House.open(house.folder)
    [job] = again.store.owned_by("anna")
    again.store.delete(job.job_id)
    assert again.code_of(spent, client_token) == "token_spent"
    again.close()


def test_a_request_that_is_refused_for_something_else_costs_no_token(house: House) -> None:
    spent = token().to_bytes()
    with pytest.raises(ServiceError) as refused:
        house.desk.create("anna", TERMS, b"short", spent)
    assert refused.value.code == "client_token_invalid"
    house.desk.drain()
    assert house.code_of(spent) == "service_draining"
    assert House.open(house.folder).code_of(spent) == "ok"


def test_whose_answer_was_lost_finds_the_job_also_at_the_limit(house: House) -> None:
    spent, own = token().to_bytes(), os.urandom(16)
    for _ in range(ServiceConfig().max_open_jobs - 1):
        assert house.code_of(token().to_bytes()) == "ok"
    assert house.code_of(spent, own) == "ok"
    assert house.code_of(spent, own) == "ok"
    assert house.code_of(token().to_bytes()) == "too_many_jobs"


def test_a_record_that_cannot_be_written_is_told_to_come_back(house: House) -> None:
    house.record._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(ServiceError) as refused:
        house.desk.create("anna", TERMS, os.urandom(16), token().to_bytes())
    assert refused.value.code == "spent_store_unavailable"
    assert refused.value.status is grpc.StatusCode.UNAVAILABLE
    assert house.store.owned_by("anna") == []
    house.record._connection.execute("PRAGMA query_only=OFF")


def test_a_period_that_has_ended_admits_nobody(house: House) -> None:
    house.record.retire(issuer_key().id)
    assert house.code_of(token().to_bytes()) == "token_invalid"


def test_whoever_asks_for_no_token_takes_none(tmp_path: Path) -> None:
    """A token that nobody looked at is not used up, and its owner is told."""
    store = JobStore(tmp_path / "jobs.sqlite")
    desk = JobDesk(store, NOTHING, ServiceConfig(), *[NOTHING] * 4)
    with pytest.raises(ServiceError) as refused:
        desk.create("anna", TERMS, os.urandom(16), token().to_bytes())
    assert refused.value.code == "token_not_asked"
    assert desk.create("anna", TERMS, os.urandom(16)).state is State.UPLOADING
    store.close()


def test_no_refusal_repeats_the_token(house: House) -> None:
    spent = token().to_bytes()
    assert house.code_of(spent) == "ok"
    for untrusted in (spent, bent(), of_another_issuer()):
        with pytest.raises(ServiceError) as refused:
            house.desk.create("anna", TERMS, os.urandom(16), untrusted)
        assert untrusted[33:97].hex() not in str(refused.value)


def test_a_holder_is_one_owner_and_one_client_token() -> None:
    holders = {holder_of(owner, token) for owner in ("anna", "bob") for token in (bytes(16), b"t" * 16)}
    assert len(holders) == 4
    assert {len(holder) for holder in holders} == {32}


def test_the_record_begins_at_the_first_start_and_is_never_replaced(tmp_path: Path) -> None:
    premises = Premises(tmp_path)
    premises.desk.mkdir()
    begin_record(premises)
    began = premises.spent.read_bytes()
    begin_record(premises)
    assert premises.spent.read_bytes() == began
    # The first start was over when the trust file was written.
    premises.trust_file.write_text("{}")
    for name in premises.desk.iterdir():
        name.unlink()
    begin_record(premises)
    assert not premises.spent.exists()
    with pytest.raises(SubmitterError) as refused:
        SpentStore(premises.spent)
    assert refused.value.code == "spent_store_invalid"


def test_the_table_names_keys_of_issuers(tmp_path: Path) -> None:
    (tmp_path / "issuer.pem").write_bytes(issuer_key().to_pem())
    path = tmp_path / "bauta.toml"
    path.write_text('[admission]\nissuers = ["issuer.pem"]\n')
    assert load_config(path).admission == (issuer_key(),)
    assert read_admission(None, tmp_path) == ()
    assert load_config(None).admission == ()


BAD_TABLES = {
    "no table": ("admission = 1\n", "`admission`"),
    "an empty table": ("[admission]\n", "`issuers`"),
    "nobody": ("[admission]\nissuers = []\n", "1 to 64"),
    "another key": ('[admission]\nissuers = ["issuer.pem"]\nfree = true\n', "no other"),
    "a path alone": ('[admission]\nissuers = "issuer.pem"\n', "list of paths"),
    "numbers": ("[admission]\nissuers = [1]\n", "list of paths"),
    "a file that is not there": ('[admission]\nissuers = ["nobody.pem"]\n', "no public key"),
    "a file that is no key": ('[admission]\nissuers = ["bauta.toml"]\n', "no public key"),
    "one key twice": ('[admission]\nissuers = ["issuer.pem", "./issuer.pem"]\n', "twice"),
    "too many": (f"[admission]\nissuers = {['issuer.pem'] * 65}\n", "1 to 64"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_table_that_could_let_the_wrong_people_in_is_refused(name: str, tmp_path: Path) -> None:
    text, named = BAD_TABLES[name]
    (tmp_path / "issuer.pem").write_bytes(issuer_key().to_pem())
    path = tmp_path / "bauta.toml"
    path.write_text(text)
    with pytest.raises(ServiceError, match=named) as refused:
        load_config(path)
    assert refused.value.code == "config_invalid"


def test_the_issuers_own_key_is_the_one_that_counts() -> None:
    """The makers of these tests are not circular: the token's issuer is the key of the door."""
    assert IssuerKey.of(cast(Any, issuer().public_key())) == issuer_key()
