"""Specimens with a defect of form: the trust file, the frame of the proof, the envelopes, the log's text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from provenance import canonical
from provenance.note import MAX_SIGNATURES
from provenance.proof import MAX_PROOF_FILE_BYTES
from provenance.trust import MAX_TRUST_BYTES
from tests.corpus.specimen import Specimen, Workshop, bad

FORM = "proof_well_formed"
Change = Callable[[Any], object]


def _trust(name: str, code: str, change: Callable[[bytes], bytes]) -> None:
    bad(name, "trust_readable", code)(
        lambda shop: replace(shop.honest, trust=change(shop.honest.trust)),
    )


def _without_a_log_key(trust: bytes) -> bytes:
    content = json.loads(trust)
    del content["log"]["vkeys"][1]
    return canonical.dumps(content)


def _with_weak_demand(trust: bytes) -> bytes:
    content = json.loads(trust)
    content["required_signatures"] = ["ed25519"]
    return canonical.dumps(content)


_trust("trust file: empty", "malformed", lambda _: b"")
_trust("trust file: too large", "too_large", lambda trust: trust + b" " * MAX_TRUST_BYTES)
_trust("trust file: of another version", "malformed", lambda trust: trust.replace(b"trust/v1", b"trust/v2"))
_trust("trust file: one key of the log only", "malformed", _without_a_log_key)
_trust("trust file: one signature is enough", "signatures_too_weak", _with_weak_demand)
_trust("trust file: a field too many", "malformed", lambda trust: trust.replace(b"{", b'{"x":0,', 1))


def _bytes(name: str, change: Callable[[bytes], bytes], code: str = "malformed") -> None:
    bad(name, FORM, code)(lambda shop: replace(shop.honest, proof=change(shop.honest.proof)))


_bytes("proof: empty", lambda _: b"")
_bytes("proof: cut short", lambda proof: proof[: len(proof) // 2])
_bytes("proof: without its last newline", lambda proof: proof[:-1])
_bytes("proof: trailing bytes", lambda proof: proof + b"trailing\n")
_bytes("proof: twice in one file", lambda proof: proof + proof)
_bytes("proof: behind a byte order mark", lambda proof: b"\xef\xbb\xbf" + proof)
_bytes("proof: too large", lambda proof: proof + b" " * MAX_PROOF_FILE_BYTES, "too_large")
_bytes("proof: JSON with spaces", lambda proof: json.dumps(json.loads(proof)).encode() + b"\n")
_bytes("proof: an escape that is not needed", lambda proof: proof.replace(b'"log"', b'"l\\u006fg"', 1))
_bytes("proof: a key twice", lambda proof: proof.replace(b"{", b'{"format":"bauta.proof/v1",', 1))
_bytes("proof: an unknown field", lambda proof: proof.replace(b"{", b'{"comment":"",', 1))
_bytes("proof: of another version", lambda proof: proof.replace(b"proof/v1", b"proof/v2", 1))
_bytes("proof: a number that is no integer", lambda proof: proof.replace(b"{", b'{"a":1.0,', 1))
_bytes("proof: nested too deep", lambda _: b"[" * 40 + b"]" * 40 + b"\n")
_bytes("proof: not text", lambda _: b"\xff\xfe\n")


def _parts(name: str, change: Change, code: str = "malformed") -> None:
    @bad(name, FORM, code)
    def make(shop: Workshop) -> Specimen:
        content = shop.honest.parts
        change(content)
        return shop.honest.with_proof(**content)


def _evidence_signatures(content: Any) -> list[Any]:
    signatures: list[Any] = content["evidence"][0]["signatures"]
    return signatures


def _statement_signatures(content: Any) -> list[Any]:
    signatures: list[Any] = content["statement"]["signatures"]
    return signatures


for where, signatures_of in (("evidence", _evidence_signatures), ("statement", _statement_signatures)):
    for index, algorithm in enumerate(("Ed25519", "ML-DSA-65")):
        _parts(
            f"{where}: the {algorithm} signature stripped",
            lambda content, of=signatures_of, at=index: of(content).pop(at),
            "signature_missing",
        )
        _parts(
            f"{where}: the {algorithm} signature doubled",
            lambda content, of=signatures_of, at=index: of(content).insert(at, of(content)[at]),
            "signature_doubled",
        )
    _parts(
        f"{where}: signatures out of order",
        lambda content, of=signatures_of: of(content).reverse(),
        "signatures_out_of_order",
    )
    _parts(
        f"{where}: no signature", lambda content, of=signatures_of: of(content).clear(), "signature_missing"
    )
    _parts(
        f"{where}: a signature of an unknown algorithm",
        lambda content, of=signatures_of: of(content)[1].update(keyid="falcon512:" + "0" * 64),
        "unknown_algorithm",
    )
    _parts(
        f"{where}: a signature too short",
        lambda content, of=signatures_of: of(content)[0].update(sig="AAAA"),
    )
    _parts(
        f"{where}: a field of an envelope too many",
        lambda content, of=signatures_of: of(content)[0].update(cert=""),
    )

_parts("evidence: none", lambda content: content["evidence"].clear())
_parts("evidence: twice", lambda content: content["evidence"].append(content["evidence"][0]))
_parts("evidence: more than any proof has", lambda c: c["evidence"].extend(c["evidence"] * 4), "too_large")
_parts("statement: of another payload type", lambda c: c["statement"].update(payloadType="text/plain"))
_parts("statement: base64 of another spelling", lambda c: c["statement"].update(payload="AB=="))


def _log(name: str, change: Callable[[str], str], code: str = "malformed") -> None:
    _parts(name, lambda content: content.update(log=change(content["log"])), code)


def _with_too_many_lines(log: str) -> str:
    line = log.split("\n")[-3]  # the Ed25519 one, which is short
    return log + f"{line}\n" * MAX_SIGNATURES


_log("log: empty", lambda _: "")
_log("log: another header", lambda log: log.replace("tlog-proof@v1", "tlog-proof@v2"))
_log("log: an index with a leading zero", lambda log: log.replace("index ", "index 0", 1))
_log("log: a negative index", lambda log: log.replace("index ", "index -", 1))
_log("log: no signature under the checkpoint", lambda log: log.rpartition("\n\n")[0] + "\n\n")
_log("log: an extension line in the checkpoint", lambda log: "\n\nmore\n".join(log.rsplit("\n\n", 1)))
_log("log: a carriage return", lambda log: log.replace("\n", "\r\n"))
_log("log: more signatures than a note may have", _with_too_many_lines, "too_large")


@bad("log: a path longer than any tree is high", FORM, "malformed")
def _long_path(shop: Workshop) -> Specimen:
    header, _, rest = shop.honest.parts["log"].partition("\n\n")
    return shop.honest.with_proof(log=header + ("\n" + "A" * 43 + "=") * 64 + "\n\n" + rest)
