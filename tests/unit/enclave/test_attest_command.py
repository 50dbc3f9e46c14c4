"""`bauta evidence`: exit codes, named steps, and no way to bring a root of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attest_makers import REPORT_DATA, amd, nitro_document, snp_report, tdx_quote, vcek
from cryptography.hazmat.primitives.serialization import Encoding

from console import main, output

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process; gives exit code and standard output."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["bauta", "evidence", *map(str, arguments)])
        monkeypatch.setattr(output.MODE, "as_json", False)
        with pytest.raises(SystemExit) as caught:
            main.run()
        assert isinstance(caught.value.code, int)
        return caught.value.code, capsys.readouterr().out

    return call


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """One document a format, with the test AMD's certificates beside the report."""
    root, signer = amd("Milan")
    (tmp_path / "report.bin").write_bytes(snp_report())
    (tmp_path / "quote.dat").write_bytes(tdx_quote())
    (tmp_path / "document.cbor").write_bytes(nitro_document())
    for name, authority in (("vcek", vcek()), ("ask", signer), ("ark", root)):
        (tmp_path / f"{name}.der").write_bytes(authority.certificate.public_bytes(Encoding.DER))
    return tmp_path


NAMES = {"snp": "report.bin", "tdx": "quote.dat", "nitro": "document.cbor"}


@pytest.mark.parametrize("kind", NAMES)
def test_a_sound_document_of_an_unpinned_vendor_is_refused(run: Run, documents: Path, kind: str) -> None:
    code, text = run(
        "verify", documents / NAMES[kind], "--format", kind, "--at-document-time", "--allow-debug"
    )
    assert code == 1
    assert text.splitlines()[0].startswith("✓")
    assert text.splitlines()[1].startswith("✗")
    assert "NOT VERIFIED at chain_trusted (evidence_chain_untrusted)" in text


@pytest.mark.parametrize("kind", NAMES)
def test_json_names_step_and_code(run: Run, documents: Path, kind: str) -> None:
    code, text = run("verify", documents / NAMES[kind], "--format", kind, "--json")
    found: dict[str, Any] = json.loads(text)
    assert (code, found["verified"], found["failed_step"]) == (1, False, "chain_trusted")
    assert found["code"] == "evidence_chain_untrusted"
    assert [step["status"] for step in found["steps"]][:3] == ["ok", "failed", "not reached"]


@pytest.mark.parametrize("kind", NAMES)
def test_showing_says_that_nothing_is_verified(run: Run, documents: Path, kind: str) -> None:
    code, text = run("show", documents / NAMES[kind], "--format", kind)
    assert code == 0
    assert text.startswith("NOT VERIFIED")
    assert REPORT_DATA.hex() in text
    code, text = run("show", documents / NAMES[kind], "--format", kind, "--json")
    assert json.loads(text)["verified"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["report.bin"],
        ["report.bin", "--format", "sgx"],
        ["report.bin", "--format", "snp", "--nonce", "xyz"],
        ["report.bin", "--format", "snp", "--nonce", ""],
        ["report.bin", "--format", "snp", "--nonce", "00" * 65],
        ["report.bin", "--format", "snp", "--measurement", "00"],
        ["report.bin", "--format", "snp", "--min-tcb", "snp"],
        ["report.bin", "--format", "snp", "--min-tcb", "snp=1,snp=2"],
        ["report.bin", "--format", "snp", "--min-tcb", "snp=-1"],
        ["report.bin", "--format", "snp", "--trust", "ark.der"],
        ["report.bin", "--format", "snp", "--collateral", "nowhere"],
        ["document.cbor", "--format", "nitro", "--min-tcb", "snp=1"],
        ["nowhere.bin", "--format", "snp"],
    ],
)
def test_wrong_usage_is_told_apart(
    run: Run, documents: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(documents)
    assert run("verify", *arguments)[0] == 2


def test_a_file_that_is_too_large_is_not_read(run: Run, documents: Path) -> None:
    (documents / "big").write_bytes(bytes(1185))
    code, text = run("verify", documents / "big", "--format", "snp", "--json")
    assert (code, json.loads(text)["error"]["code"]) == (1, "evidence_too_large")


def test_without_certificates_the_report_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.bin").write_bytes(snp_report())
    code, text = run("verify", tmp_path / "report.bin", "--format", "snp")
    assert code == 1
    assert "evidence_chain_incomplete" in text
    assert "cert_chain" in text


def test_collateral_that_does_not_parse_ends_it(run: Run, documents: Path) -> None:
    (documents / "list.crl").write_bytes(b"junk")
    code, text = run(
        "verify", documents / "report.bin", "--format", "snp", "--collateral", documents, "--json"
    )
    assert (code, json.loads(text)["error"]["code"]) == (1, "evidence_collateral_malformed")


def test_the_process_tier_needs_a_trust_file(run: Run, documents: Path) -> None:
    code, text = run(
        "verify", documents / "quote.dat", "--format", "process", "--trust", documents / "none", "--json"
    )
    assert (code, json.loads(text)["error"]["code"]) == (1, "trust_missing")
