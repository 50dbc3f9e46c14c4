"""Making evidence: against a configfs and a secure module that behave as the kernel documents.

No machine with such hardware was at hand: what is tested is our side of the interface.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from attest_makers import REPORT_DATA, check_nitro, check_snp, nitro_document, nitro_payload, snp_report
from attest_pki import NOW

from enclave.attest import EvidenceError, Expected, OneJobKeys, make_evidence, report_data_for, tier_here
from enclave.attest.nsm import NSM_IOCTL_RAW, NsmMessage, make_nitro_document
from enclave.attest.tsm import make_tsm_report, tsm_format

KEYS = OneJobKeys(hpke=b"h" * 1216, ed25519=b"e" * 32, mldsa65=b"m" * 1952)
NONCE = b"n" * 32


class Configfs(type(Path())):  # type: ignore[misc]  # the one way to have a Path of one's own before Python 3.12
    """/sys/kernel/config/tsm/report: a folder made below it has attributes at once, and writes count up."""

    provider = "sev_guest"
    auxblob: bytes | None = b""
    writes_of_others = 0
    refuses = 0
    requests: tuple[str, ...] = ()

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        if type(self).refuses:
            raise OSError(type(self).refuses, os.strerror(type(self).refuses))
        super().mkdir(mode)
        type(self).requests += (self.name,)
        Path(self, "provider").write_text(f"{type(self).provider}\n")
        Path(self, "generation").write_text("0\n")

    def write_bytes(self, data: Any) -> int:
        assert self.name == "inblob"
        assert len(data) <= 64

        def ask(body: bytearray) -> None:
            body[0x50:0x90] = data

        folder = self.parent
        Path(folder, "outblob").write_bytes(snp_report(ask))
        Path(folder, "generation").write_text(f"{1 + type(self).writes_of_others}\n")
        if type(self).auxblob is not None:
            Path(folder, "auxblob").write_bytes(type(self).auxblob)
        return len(data)

    def rmdir(self) -> None:
        # The kernel removes the attributes with their folder.
        for attribute in Path(self).iterdir():
            attribute.unlink()
        super().rmdir()


@pytest.fixture
def configfs(tmp_path: Path) -> Path:
    """A fresh configfs with an SNP guest's provider."""

    class Fresh(Configfs):
        pass

    return Fresh(tmp_path)


def test_an_snp_guest_gets_a_report_over_its_keys_that_verifies(configfs: Path, tmp_path: Path) -> None:
    made = make_evidence(NONCE, KEYS, tsm=configfs, nsm=tmp_path / "none")
    assert made.evidence_format == "snp"
    expected = Expected(at=NOW, report_data=report_data_for(NONCE, KEYS))
    assert check_snp(made.document, expected).report_data == report_data_for(NONCE, KEYS)
    assert list(tmp_path.iterdir()) == []


def test_each_request_has_a_folder_of_its_own_and_leaves_none(configfs: Any, tmp_path: Path) -> None:
    for _ in range(3):
        make_tsm_report(REPORT_DATA, configfs)
    assert len(set(type(configfs).requests)) == 3
    assert list(tmp_path.iterdir()) == []


def test_the_hosts_certificates_come_along_and_may_be_missing(configfs: Any) -> None:
    type(configfs).auxblob = b"table"
    assert make_tsm_report(REPORT_DATA, configfs).certificates == b"table"
    type(configfs).auxblob = None
    assert make_tsm_report(REPORT_DATA, configfs).certificates == b""


def test_a_write_by_somebody_else_is_noticed(configfs: Any, tmp_path: Path) -> None:
    type(configfs).writes_of_others = 1
    with pytest.raises(EvidenceError, match="somebody else") as caught:
        make_tsm_report(REPORT_DATA, configfs)
    assert caught.value.code == "evidence_unavailable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENXIO, errno.EACCES, errno.EBUSY])
def test_a_kernel_that_refuses_is_reported_and_makes_no_tier(
    configfs: Any, number: int, tmp_path: Path
) -> None:
    type(configfs).refuses = number
    with pytest.raises(EvidenceError) as caught:
        make_tsm_report(REPORT_DATA, configfs)
    assert caught.value.code == "evidence_unavailable"
    assert tier_here(configfs, tmp_path / "none").tier == "process"


@pytest.mark.parametrize(
    ("provider", "expected_format"),
    [("sev_guest", "snp"), ("tdx_guest", "tdx"), ("arm_cca_guest", None), ("", None)],
)
def test_the_tier_here_is_what_the_provider_says(
    configfs: Any, provider: str, expected_format: str | None, tmp_path: Path
) -> None:
    type(configfs).provider = provider
    assert tsm_format(configfs) == expected_format
    here = tier_here(configfs, tmp_path / "none")
    assert here.evidence_format == (expected_format or "process")
    assert here.tier == ("cvm" if expected_format else "process")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_provider_is_asked_for_nothing(configfs: Any) -> None:
    type(configfs).provider = "arm_cca_guest"
    with pytest.raises(EvidenceError, match="provider"):
        make_tsm_report(REPORT_DATA, configfs)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_report_data_has_64_bytes(configfs: Any, size: int) -> None:
    with pytest.raises(EvidenceError) as caught:
        make_tsm_report(bytes(size), configfs)
    assert caught.value.code == "evidence_expectation_unfit"
    assert type(configfs).requests == ()


def test_a_plain_machine_says_so_and_makes_nothing(tmp_path: Path) -> None:
    here = tier_here(tmp_path / "none", tmp_path / "none")
    assert (here.tier, here.evidence_format) == ("process", "process")
    with pytest.raises(EvidenceError) as caught:
        make_evidence(NONCE, KEYS, tmp_path / "none", tmp_path / "none")
    assert caught.value.code == "evidence_unavailable"


def secure_module(answer: Callable[[dict[str, Any]], bytes]) -> Callable[[int, int, ctypes.Structure], int]:
    """The ioctl of /dev/nsm: reads the request out of our memory and writes its answer into it."""

    def ioctl(_descriptor: int, request: int, message: ctypes.Structure) -> int:
        assert isinstance(message, NsmMessage)
        assert request == NSM_IOCTL_RAW == 0xC0200A00
        asked = ctypes.string_at(message.request.address, message.request.length)
        response = answer(cbor2.loads(asked)["Attestation"])
        assert len(response) <= message.response.length
        ctypes.memmove(message.response.address, response, len(response))
        message.response.length = len(response)
        return 0

    return ioctl


def sign(asked: dict[str, Any]) -> bytes:
    """A hypervisor that signs what it is asked to."""
    document = nitro_document(nitro_payload(user_data=asked["user_data"], nonce=asked["nonce"]))
    return cbor2.dumps({"Attestation": {"document": document}})


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Something that can be opened."""
    path = tmp_path / "nsm"
    path.touch()
    return path


def test_an_enclave_gets_a_document_that_verifies(device: Path) -> None:
    bound = report_data_for(NONCE, KEYS)
    document = make_nitro_document(bound, NONCE, device, secure_module(sign))
    verified = check_nitro(document, Expected(at=NOW, report_data=bound, nonce=NONCE))
    assert verified.tier == "nitro"


def test_an_enclaves_module_decides_the_tier(device: Path, tmp_path: Path) -> None:
    assert tier_here(tmp_path / "none", device).tier == "nitro"


ANSWERS = {
    "an error": cbor2.dumps({"Error": "InvalidArgument"}),
    "no CBOR": b"\xff\xff",
    "nothing": b"",
    "a document that is text": cbor2.dumps({"Attestation": {"document": "x"}}),
    "a list": cbor2.dumps([1]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_module_that_refuses_is_reported(device: Path, name: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        make_nitro_document(REPORT_DATA, NONCE, device, secure_module(lambda _: ANSWERS[name]))
    assert caught.value.code == "evidence_unavailable"


def test_a_file_is_no_secure_module(device: Path, tmp_path: Path) -> None:
    for path in (device, tmp_path / "none"):
        with pytest.raises(EvidenceError) as caught:
            make_nitro_document(REPORT_DATA, NONCE, path)
        assert caught.value.code == "evidence_unavailable"


def test_report_data_is_the_documented_hash() -> None:
    by_hand = hashlib.sha512(
        b"bauta.evidence/v1"
        + b"\0\0\0\x20" + NONCE
        + b"\0\0\x04\xc0" + KEYS.hpke
        + b"\0\0\0\x20" + KEYS.ed25519
        + b"\0\0\x07\xa0" + KEYS.mldsa65
        + b"\0\0\0\0"
    ).digest()  # fmt: skip
    assert report_data_for(NONCE, KEYS) == by_hand


def test_every_part_changes_report_data() -> None:
    others = [
        report_data_for(b"o" * 32, KEYS),
        report_data_for(NONCE[:31], KEYS),
        report_data_for(NONCE, OneJobKeys(b"x" * 1216, KEYS.ed25519, KEYS.mldsa65)),
        report_data_for(NONCE, OneJobKeys(KEYS.hpke, b"x" * 32, KEYS.mldsa65)),
        report_data_for(NONCE, OneJobKeys(KEYS.hpke, KEYS.ed25519, b"x" * 1952)),
        report_data_for(NONCE, OneJobKeys(KEYS.hpke, KEYS.ed25519, KEYS.mldsa65, b"s" * 32)),
    ]
    assert len({report_data_for(NONCE, KEYS), *others}) == 7


@pytest.mark.parametrize(
    "make",
    [
        lambda: report_data_for(b"n" * 15, KEYS),
        lambda: report_data_for(b"n" * 65, KEYS),
        lambda: OneJobKeys(b"", KEYS.ed25519, KEYS.mldsa65),
        lambda: OneJobKeys(KEYS.hpke, KEYS.ed25519, KEYS.mldsa65, b"s"),
    ],
)
def test_other_lengths_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(EvidenceError) as caught:
        make()
    assert caught.value.code == "evidence_expectation_unfit"
