"""Specimens whose statement says that the file carries content credentials, which hold or do not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from provenance.credentials.assertions import actions
from provenance.credentials.embedding import with_credentials
from provenance.dsse import Envelope, sign_envelope
from provenance.proof import ProofFile
from tests.corpus.specimen import Specimen, Workshop, bad, good
from tests.unit.provenance.credential_makers import Signer, plain
from tests.unit.provenance.provenance_makers import TestSigner, job_facts

STEP = "credentials_trusted"
MEDIA_TYPE = "image/jpeg"


@cache
def signer(_name: str) -> Signer:
    """A claim key for each name, the same in one run."""
    return Signer()


def _specimen(
    shop: Workshop,
    *,
    about: Callable[[Envelope], bytes] = lambda evidence: evidence.digest,
    log: str | None = None,
    by: str = "vault",
    carried: bool = True,
    change: Callable[[bytes], bytes] = lambda content: content,
) -> Specimen:
    """A whole job; its worker states the file as it is, manifest and all."""
    worker = TestSigner("worker")
    evidence, content, who = shop.house.release(worker), plain(MEDIA_TYPE), signer(by)
    if carried:
        named = (about(evidence), log or shop.house.log_keys.origin)
        done = actions({"face": "solid"}, "none")
        content = b"".join(with_credentials(io.BytesIO(content), MEDIA_TYPE, done, named, who.chain, who))
    content = change(content)
    facts = job_facts(content, media_type=MEDIA_TYPE, credentials="c2pa")
    statement = sign_envelope(facts.to_statement(), worker, facts.signatures)
    trust = replace(shop.house.trust, credential_roots=(signer("vault").root,))
    proof = ProofFile.from_bytes(shop.house.prove(statement, [evidence]))
    return Specimen(content, proof.to_bytes(), trust.to_bytes())


def _flip(content: bytes) -> bytes:
    return content[:-300] + bytes([content[-300] ^ 1]) + content[-299:]


good("credentials: they hold")(_specimen)
bad("credentials: none in the file", STEP, "credentials_missing")(lambda shop: _specimen(shop, carried=False))
bad("credentials: of another job", STEP, "credentials_disagree")(
    lambda shop: _specimen(shop, about=lambda _evidence: bytes(32))
)
bad("credentials: of another log", STEP, "credentials_disagree")(
    lambda shop: _specimen(shop, log="bauta.log/other")
)
bad("credentials: by another root", STEP, "credentials_untrusted")(lambda shop: _specimen(shop, by="other"))
bad("credentials: over another picture", STEP, "credentials_untrusted")(
    lambda shop: _specimen(shop, change=_flip)
)
