"""TDX: a quote passes only from Intel's enclave on an Intel platform; collateral can only make it harder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from attest_makers import (
    MEASUREMENT,
    REPORT_DATA,
    SGX_LEVELS,
    check_tdx,
    intel,
    pck,
    qe_identity,
    sgx_extension,
    signed_json,
    tcb_info,
    tdx_quote,
)
from attest_pki import (
    NOW,
    YEAR,
    elliptic,
    make_certificate,
    revocation_list,
)
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.attest import Collateral, EvidenceError, EvidenceRefusedError, Expected, verify_evidence

EXPECTED = Expected(
    at=NOW, report_data=REPORT_DATA, measurement=MEASUREMENT, min_tcb={"module": 5, "pce": 13}
)
STRANGER = elliptic("stranger", ec.SECP256R1())


def put(at: int, value: bytes) -> Callable[[bytearray], None]:
    """An edit before signing."""

    def edit(body: bytearray) -> None:
        body[at : at + len(value)] = value

    return edit


def refused(code: str, step: str, act: Callable[[], object]) -> None:
    """Insists on a refusal by name."""
    with pytest.raises(EvidenceRefusedError) as caught:
        act()
    assert (caught.value.code, caught.value.step) == (code, step)


@pytest.mark.parametrize("version", [4, 5])
def test_a_sound_quote_passes_every_step(version: int) -> None:
    verified = check_tdx(tdx_quote(version=version), EXPECTED)
    assert (verified.tier, verified.measurement, verified.report_data) == ("cvm", MEASUREMENT, REPORT_DATA)
    assert verified.tcb["sgx16"] == SGX_LEVELS[15]
    assert len(verified.steps) == 9
    assert any("no QE identity" in warning for warning in verified.warnings)
    assert any("no TCB info" in warning for warning in verified.warnings)


def header(at: int, value: bytes) -> bytes:
    """A header with a fault."""
    found = bytearray(tdx_quote()[:48])
    found[at : at + len(value)] = value
    return bytes(found)


# Signed by the right keys, and still refused.
QUOTES: dict[str, tuple[dict[str, Any], str, str]] = {
    "version 3": ({"header": header(0, b"\x03")}, "evidence_unsupported", "evidence_well_formed"),
    "another kind of key": ({"header": header(2, b"\x03")}, "evidence_unsupported", "evidence_well_formed"),
    "an SGX enclave": ({"header": header(4, b"\0")}, "evidence_unsupported", "evidence_well_formed"),
    "another vendor's enclave": ({"header": header(12, b"\0")}, "evidence_identity_wrong", "identity_intel"),
    "debugging": ({"edit_body": put(120, b"\x01")}, "evidence_debug", "debug_off"),
    "a bit beside debugging": ({"edit_body": put(120, b"\x80")}, "evidence_debug", "debug_off"),
    "another module's maker": ({"edit_body": put(64, b"\x01")}, "evidence_identity_wrong", "identity_intel"),
    "a module with attributes": (
        {"edit_body": put(112, b"\x01")},
        "evidence_identity_wrong",
        "identity_intel",
    ),
    "an older module": ({"edit_body": put(0, b"\x04")}, "evidence_tcb_too_old", "tcb_recent"),
    "an older platform": (
        {"leaf": pck(extension=sgx_extension(pce_svn=12))},
        "evidence_tcb_too_old",
        "tcb_recent",
    ),
    "another image": ({"edit_body": put(136, b"\xff")}, "evidence_measurement_wrong", "measurement_expected"),
    "other report data": (
        {"edit_body": put(583, b"\xff")},
        "evidence_report_data_wrong",
        "report_data_expected",
    ),
    "somebody else's enclave": ({"edit_qe": put(128, b"\0")}, "evidence_identity_wrong", "identity_intel"),
    "another enclave of Intel's": (
        {"edit_qe": put(256, b"\x01")},
        "evidence_identity_wrong",
        "identity_intel",
    ),
    "an enclave that can be debugged": (
        {"edit_qe": put(48, b"\x13")},
        "evidence_identity_wrong",
        "identity_intel",
    ),
    "an enclave's report with reserved bytes": (
        {"edit_qe": put(20, b"\x01")},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "more than a digest in the enclave's report": (
        {"edit_qe": put(383, b"\x01")},
        "evidence_signature_wrong",
        "signature_holds",
    ),
    "a key that the enclave does not name": (
        {"named_key": STRANGER},
        "evidence_signature_wrong",
        "signature_holds",
    ),
    "an expired platform": ({"leaf": pck(end=NOW - YEAR / 2)}, "evidence_expired", "certificates_valid"),
    "a platform certified by nobody": (
        {"leaf": pck(issuer_name="Test SGX Root CA")},
        "evidence_chain_untrusted",
        "chain_trusted",
    ),
    "a platform of another curve": (
        {"leaf": replace(pck(key=elliptic("big", ec.SECP384R1())), key=STRANGER)},
        "evidence_chain_untrusted",
        "signature_holds",
    ),
    "a platform without Intel's extension": (
        {"leaf": pck(extensions=[])},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a platform with 15 levels": (
        {"leaf": pck(extension=sgx_extension(levels=SGX_LEVELS[:15]))},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a platform with a level twice": (
        {"leaf": pck(extension=sgx_extension(levels=[*SGX_LEVELS[:16], 1]))},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a platform with a level too large": (
        {"leaf": pck(extension=sgx_extension(levels=[256, *SGX_LEVELS[1:16]]))},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "an extension that goes on": (
        {"leaf": pck(extension=sgx_extension() + b"\0")},
        "evidence_malformed",
        "evidence_well_formed",
    ),
}


@pytest.mark.parametrize("name", QUOTES)
def test_a_quote_is_refused_by_name(name: str) -> None:
    changes, code, step = QUOTES[name]
    refused(code, step, lambda: check_tdx(tdx_quote(**changes), EXPECTED))


def test_every_byte_of_a_quote_counts_up_to_its_end() -> None:
    quote = tdx_quote()
    check_tdx(quote, EXPECTED)
    text = quote.index(b"-----BEGIN")
    # Inside PEM text a changed byte may be a line's end; every tenth byte there, every third elsewhere.
    for position in [*range(0, text, 3), *range(text + 40, len(quote) - 40, 10)]:
        changed = bytearray(quote)
        changed[position] ^= 0x01
        if changed[position : position + 1].isspace() or quote[position : position + 1].isspace():
            continue
        # Four bytes of the header are Intel's own and signed, like all others before the text.
        with pytest.raises(EvidenceRefusedError):
            check_tdx(bytes(changed), EXPECTED)


def test_bytes_after_a_quote_are_counted_and_ignored() -> None:
    verified = check_tdx(tdx_quote() + bytes(100), EXPECTED)
    assert verified.facts["trailing_bytes"] == 100
    assert any("100 bytes follow" in warning for warning in verified.warnings)


@pytest.mark.parametrize("size", [0, 1, 47, 48, 632, 636, 700, 1200, -1])
def test_a_cut_quote_is_refused(size: int) -> None:
    with pytest.raises(EvidenceRefusedError) as caught:
        check_tdx(tdx_quote()[:size], EXPECTED)
    assert caught.value.code == "evidence_malformed"


def test_what_a_td_may_do_is_warned_of() -> None:
    migratable = check_tdx(tdx_quote(put(123, b"\x20")), EXPECTED)
    assert any("moved to another machine" in warning for warning in migratable.warnings)
    serviced = check_tdx(tdx_quote(put(600, b"\x01"), version=5), EXPECTED)
    assert any("Service TDs" in warning for warning in serviced.warnings)


def files(
    info: dict[str, Any] | None = None,
    identity: dict[str, Any] | None = None,
    *,
    key: Any = None,
    signer: Any = None,
) -> Collateral:
    """Intel's collateral."""
    return Collateral(
        certificates=(signer or intel()[2].certificate,),
        tcb_info=signed_json("tcbInfo", info or tcb_info(), key),
        qe_identity=signed_json("enclaveIdentity", identity or qe_identity(), key),
    )


def test_sound_collateral_silences_its_warnings() -> None:
    verified = check_tdx(tdx_quote(), EXPECTED, files())
    assert not [
        warning for warning in verified.warnings if "was given" in warning and "Revocation" not in warning
    ]


def level(**changes: Any) -> list[Any]:
    """One level of a TCB info."""
    found = tcb_info()["tcbLevels"][0]
    found["tcb"] = {**found["tcb"], **changes.pop("tcb", {})}
    return [{**found, **changes}]


def module(**changes: Any) -> list[Any]:
    """One module of a TCB info."""
    return [{**tcb_info()["tdxModuleIdentities"][0], **changes}]


INFOS: dict[str, tuple[dict[str, Any], str]] = {
    "for SGX": ({"id": "SGX"}, "evidence_collateral_mismatch"),
    "of another version": ({"version": 2}, "evidence_collateral_mismatch"),
    "for other platforms": ({"fmspc": "00" * 6}, "evidence_collateral_mismatch"),
    "overdue": ({"nextUpdate": "2026-11-20T00:00:00Z"}, "evidence_collateral_expired"),
    "signed before its signer lived": (
        {"issueDate": "2020-01-01T00:00:00Z"},
        "evidence_collateral_untrusted",
    ),
    "out of date": ({"tcbLevels": level(tcbStatus="OutOfDate")}, "evidence_tcb_too_old"),
    "out of date in two ways": (
        {"tcbLevels": level(tcbStatus="OutOfDateConfigurationNeeded")},
        "evidence_tcb_too_old",
    ),
    "revoked": ({"tcbLevels": level(tcbStatus="Revoked")}, "evidence_revoked"),
    "with a word to come": ({"tcbLevels": level(tcbStatus="Splendid")}, "evidence_revoked"),
    "without levels": ({"tcbLevels": []}, "evidence_tcb_too_old"),
    "with newer levels only": ({"tcbLevels": level(tcb={"pcesvn": 14})}, "evidence_tcb_too_old"),
    "with too few components": (
        {"tcbLevels": level(tcb={"sgxtcbcomponents": []})},
        "evidence_collateral_malformed",
    ),
    "that does not list the module": (
        {"tdxModuleIdentities": module(id="TDX_03")},
        "evidence_identity_wrong",
    ),
    "with another module's maker": (
        {"tdxModuleIdentities": module(mrsigner="11" * 48)},
        "evidence_identity_wrong",
    ),
    "with an outdated module": (
        {"tdxModuleIdentities": module(tcbLevels=[{"tcb": {"isvsvn": 5}, "tcbStatus": "OutOfDate"}])},
        "evidence_tcb_too_old",
    ),
    "with no time": ({"nextUpdate": "soon"}, "evidence_collateral_malformed"),
    "with a truth for a number": ({"version": True}, "evidence_collateral_malformed"),
    "with levels that are none": ({"tcbLevels": [1]}, "evidence_collateral_malformed"),
}


@pytest.mark.parametrize("name", INFOS)
def test_a_tcb_info_refuses_by_name(name: str) -> None:
    changes, code = INFOS[name]
    refused(code, "tcb_recent", lambda: check_tdx(tdx_quote(), EXPECTED, files(tcb_info(**changes))))


IDENTITIES: dict[str, tuple[dict[str, Any], str]] = {
    "of another enclave": ({"id": "QE"}, "evidence_collateral_mismatch"),
    "of another maker": ({"mrsigner": "00" * 32}, "evidence_identity_wrong"),
    "of another product": ({"isvprodid": 1}, "evidence_identity_wrong"),
    "with other attributes": ({"attributes": "15" + "00" * 15}, "evidence_identity_wrong"),
    "with a mask too short": ({"attributesMask": "FF"}, "evidence_collateral_malformed"),
    "newer than this enclave": (
        {"tcbLevels": [{"tcb": {"isvsvn": 7}, "tcbStatus": "UpToDate"}]},
        "evidence_tcb_too_old",
    ),
    "overdue": ({"nextUpdate": "2026-11-20T00:00:00Z"}, "evidence_collateral_expired"),
    "with a maker that is no hexadecimal": ({"mrsigner": "maker"}, "evidence_collateral_malformed"),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_qe_identity_refuses_by_name(name: str) -> None:
    changes, code = IDENTITIES[name]
    identity = qe_identity(**changes)
    refused(code, "identity_intel", lambda: check_tdx(tdx_quote(), EXPECTED, files(identity=identity)))


def test_a_bearable_level_passes_with_a_warning() -> None:
    info = tcb_info(tcbLevels=level(tcbStatus="SWHardeningNeeded"))
    verified = check_tdx(tdx_quote(), EXPECTED, files(info))
    assert "Intel's word on the platform's patch level: SWHardeningNeeded." in verified.warnings


def test_a_lower_level_is_found_behind_a_higher_one() -> None:
    levels = level(tcb={"pcesvn": 14}) + level(tcbStatus="ConfigurationNeeded")
    verified = check_tdx(tdx_quote(), EXPECTED, files(tcb_info(tcbLevels=levels)))
    assert any("ConfigurationNeeded" in warning for warning in verified.warnings)


def test_collateral_that_intel_did_not_sign_is_refused() -> None:
    own_key = elliptic("intel tcb", ec.SECP256R1())
    self_made = make_certificate("Intel SGX TCB Signing", own_key)
    code, step = "evidence_collateral_untrusted", "identity_intel"
    refused(code, step, lambda: check_tdx(tdx_quote(), EXPECTED, files(key=STRANGER)))
    refused(code, step, lambda: check_tdx(tdx_quote(), EXPECTED, files(signer=self_made)))
    refused(code, step, lambda: check_tdx(tdx_quote(), EXPECTED, replace(files(), certificates=())))


def test_a_changed_byte_of_collateral_is_refused() -> None:
    sound = files()
    assert sound.tcb_info is not None
    for position in range(12, len(sound.tcb_info), 17):
        changed = bytearray(sound.tcb_info)
        changed[position] ^= 0x01
        with pytest.raises(EvidenceRefusedError) as caught:
            check_tdx(tdx_quote(), EXPECTED, replace(sound, tcb_info=bytes(changed)))
        assert caught.value.code in {"evidence_collateral_malformed", "evidence_collateral_untrusted"}


def test_revoked_and_overdue_lists_are_refused() -> None:
    root, platform, _ = intel()
    leaf = pck()

    def check(*lists: Any) -> object:
        return check_tdx(tdx_quote(leaf=leaf), EXPECTED, Collateral(revocation_lists=lists))

    check(revocation_list(root, []), revocation_list(platform, []))
    step = "certificates_valid"
    refused("evidence_revoked", step, lambda: check(revocation_list(platform, [leaf.certificate])))
    refused("evidence_revoked", step, lambda: check(revocation_list(root, [platform.certificate])))
    refused("evidence_collateral_expired", step, lambda: check(revocation_list(root, [], due=NOW - YEAR / 2)))
    forged = revocation_list(replace(root, key=STRANGER), [])
    refused("evidence_collateral_untrusted", step, lambda: check(forged))


def test_the_real_root_refuses_the_test_vendor() -> None:
    refused(
        "evidence_chain_untrusted", "chain_trusted", lambda: verify_evidence("tdx", tdx_quote(), EXPECTED)
    )


def test_what_no_quote_could_meet_is_refused_as_such() -> None:
    for expected in (Expected(at=NOW, nonce=b"n"), Expected(at=NOW, min_tcb={"snp": 1})):
        with pytest.raises(EvidenceError) as caught:
            check_tdx(tdx_quote(), expected)
        assert caught.value.code == "evidence_expectation_unfit"
