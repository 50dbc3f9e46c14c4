"""Asking other people's clocks: honest ones, and every way in which one can fail a client."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from grpc_api.timestamps import TimeAuthorities, usable
from provenance.dsse import Envelope
from provenance.errors import FormatError
from provenance.proof import ProofFile
from provenance.timestamps import read_timestamps
from tests import time_server
from tests.time_authority import time_authority
from tests.time_server import Honest, Way, serving
from tests.unit.provenance.provenance_makers import House, make_house

ROOT = time_authority().root_der
SHORT_SECONDS = 0.4
LONG_SECONDS = 120.0
"""Never waited for: every peer that is asked for so long comes to an end by itself."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture(scope="module")
def proof(house: House) -> ProofFile:
    return ProofFile.from_bytes(house.prove_job())


@pytest.fixture(scope="module")
def envelope(proof: ProofFile) -> Envelope:
    return proof.statement


def asking(*urls: str, roots: tuple[bytes, ...] = (ROOT,)) -> TimeAuthorities:
    return TimeAuthorities(urls, roots, LONG_SECONDS)


def test_an_honest_authority_is_asked_for_the_digest_in_the_log(envelope: Envelope) -> None:
    with serving(Honest()) as server:
        (answer,) = asking(server.url).ask(envelope)
    (asked,) = server.asked
    assert asked.digest == envelope.digest
    assert asked.nonce > 0
    assert answer.code == ""
    assert answer.token is not None
    (stamp,) = read_timestamps([answer.token], envelope.digest, [ROOT])
    assert stamp.root is not None
    assert stamp.token.nonce == asked.nonce


def test_a_request_holds_a_digest_and_nothing_else_of_the_proof(envelope: Envelope) -> None:
    with serving(Honest()) as server:
        authorities = asking(server.url)
        assert authorities.ask(envelope)[0].token != authorities.ask(envelope)[0].token
    first, second = (asked.body.replace(asked.digest, b"") for asked in server.asked)
    assert first != second, "a nonce is used once"
    assert len(first) <= 40


BAD_WAYS: dict[str, tuple[Way, str]] = {
    "stamps something else": (time_server.other_data, "timestamp_of_another"),
    "an old token": (time_server.other_nonce, "timestamp_replayed"),
    "no nonce": (time_server.no_nonce, "timestamp_replayed"),
    "not signed": (time_server.forged, "timestamp_forged"),
    "somebody else answers": (time_server.stranger, "timestamp_not_believed"),
    "refuses": (time_server.refusing, "timestamp_refused"),
    "500": (time_server.failing, "timestamp_unavailable"),
    "a web page": (time_server.page, "timestamp_malformed"),
    "nothing": (time_server.empty, "timestamp_malformed"),
    "hangs up": (time_server.leaving, "timestamp_unavailable"),
    "ten megabytes": (time_server.huge, "timestamp_malformed"),
    "cut short": (time_server.cut_short, "timestamp_malformed"),
    "too many headers": (time_server.many_headers, "timestamp_unavailable"),
}


@pytest.mark.parametrize("name", BAD_WAYS)
def test_a_bad_authority_gives_no_token_and_a_code(name: str, envelope: Envelope) -> None:
    way, code = BAD_WAYS[name]
    with serving(way) as server:
        (answer,) = asking(server.url).ask(envelope)
    assert len(server.asked) == 1
    assert (answer.token, answer.code) == (None, code)


SLOW_WAYS: tuple[Way, ...] = (
    time_server.silent,
    time_server.dripping_body,
    time_server.dripping_headers,
    time_server.always_continue,
)


def test_slow_authorities_are_left_in_time(envelope: Envelope) -> None:
    # Long enough for the honest one, wherever this runs; and waited for once, by all of them together.
    seconds = 15.0
    with ExitStack() as stack:
        slow = [stack.enter_context(serving(way)).url for way in SLOW_WAYS]
        good = stack.enter_context(serving(Honest())).url
        began = time.monotonic()
        *left, fast = TimeAuthorities((*slow, good), (ROOT,), seconds).ask(envelope)
        took = time.monotonic() - began
        assert [(answer.token, answer.code) for answer in left] == [(None, "timestamp_unavailable")] * 4
        assert fast.token is not None, "one that is slow takes nothing from the others"
        assert took < time_server.PATIENCE_SECONDS / 2
        _await_no_call()


def _await_no_call() -> None:
    until = time.monotonic() + time_server.PATIENCE_SECONDS / 2
    while any(thread.name == "timestamp" for thread in threading.enumerate()):
        assert time.monotonic() < until, "a call that was left goes on"
        time.sleep(0.02)


def test_a_peer_that_never_shakes_hands_is_left_in_time(envelope: Envelope) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/tsr"
        (answer,) = TimeAuthorities((url,), seconds=SHORT_SECONDS).ask(envelope)
        assert (answer.token, answer.code) == (None, "timestamp_unavailable")
        _await_no_call()


def test_plain_http_behind_an_https_address_is_no_answer(envelope: Envelope) -> None:
    with serving(Honest()) as server:
        (answer,) = asking(server.url.replace("http:", "https:"), roots=()).ask(envelope)
    assert answer.code == "timestamp_unavailable"
    assert server.asked == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_over_tls_the_authority_must_be_who_it_says(
    envelope: Envelope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=tsa"]
    subprocess.run([*made, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(Honest(), context) as server:
        authorities = asking(server.url.replace("http:", "https:"))
        assert authorities.ask(envelope)[0].code == "timestamp_unavailable"
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert authorities.ask(envelope)[0].code == ""
        assert len(server.asked) == 1


def test_no_redirect_is_followed(envelope: Envelope) -> None:
    with serving(Honest()) as good, serving(time_server.redirecting_to(good.url)) as server:
        (answer,) = asking(server.url).ask(envelope)
        assert answer.code == "timestamp_unavailable"
        assert good.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://host.invalid/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:1/\u20ac",
        "http:///tsr",
        "nonsense",
    ],
)
def test_addresses_where_nobody_is(url: str, envelope: Envelope) -> None:
    (answer,) = TimeAuthorities((url,), seconds=3.0).ask(envelope)
    assert answer.code == "timestamp_unavailable"


def test_without_roots_any_sound_token_is_taken(envelope: Envelope) -> None:
    with serving(time_server.stranger) as server, serving(time_server.forged) as bad:
        one, other = asking(server.url, bad.url, roots=()).ask(envelope)
    assert one.token is not None
    assert other.code == "timestamp_forged"


def test_a_root_that_is_none_is_told_before_anybody_is_asked() -> None:
    with pytest.raises(FormatError) as caught:
        TimeAuthorities(("http://127.0.0.1:1/",), (b"\x30\x00",))
    assert caught.value.code == "timestamp_root_malformed"


def test_a_proof_is_stamped_and_nothing_else_of_it_changes(proof: ProofFile) -> None:
    other = time_authority("other")
    with serving(Honest()) as one, serving(Honest(other)) as two, serving(time_server.failing) as bad:
        authorities = asking(one.url, bad.url, two.url, roots=(ROOT, other.root_der))
        stamped = authorities.stamp(proof.to_bytes())
        assert authorities.stamp(stamped) == stamped, "who stamped it does not do so again"
    read = ProofFile.from_bytes(stamped)
    assert replace(read, timestamps=()) == proof
    assert len(read.timestamps) == 2


def test_nobody_is_asked_where_nobody_is_named(proof: ProofFile) -> None:
    before = proof.to_bytes()
    assert TimeAuthorities(()).stamp(before) == before


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        (["http://tsa.example/tsr", "https://tsa.example:8443/?a=b"], True),
        ([], True),
        (["ftp://tsa.example/"], False),
        (["tsa.example"], False),
        (["http://user@tsa.example/"], False),
        (["http://[::1"], False),
        (["http://tsa.example:port/"], False),
    ],
)
def test_addresses_that_can_be_asked(urls: list[str], expected: bool) -> None:
    assert usable(urls) is expected


def test_the_operator_can_name_them(tmp_path: Path) -> None:
    from grpc_api.config import load_config

    (tmp_path / "service.toml").write_text(
        '[service]\ntimestamp_seconds = 2\n[timestamps]\nurls = ["http://tsa.example/"]\n'
    )
    config = load_config(tmp_path / "service.toml")
    assert (config.timestamp_seconds, config.outsiders.timestamp_urls) == (2, ("http://tsa.example/",))
