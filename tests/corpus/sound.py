"""Specimens that must verify."""

from __future__ import annotations

import json
from dataclasses import replace

from provenance.trust import Trust
from tests.corpus.specimen import Specimen, Workshop, good
from tests.unit.provenance.provenance_makers import ATTACKED, TestSigner, seed


@good("a proof of one job")
def _honest(shop: Workshop) -> Specimen:
    return shop.honest


@good("a proof with a third signature, which rests on hashes")
def _third(shop: Workshop) -> Specimen:
    return shop.thrice_signed


@good("a third signature that the trust file demands too")
def _demanded(shop: Workshop) -> Specimen:
    trust = replace(shop.house.trust, required_signatures=("ed25519", "mldsa65", "slhdsa128s"))
    return replace(shop.thrice_signed, trust=trust.to_bytes())


@good("a log that has grown since")
def _grown(shop: Workshop) -> Specimen:
    specimen = shop.specimen(shop.house.prove_job("early", job_id="a" * 32))
    for index in range(9):
        shop.house.log.append("failure", seed(f"later {index}"))
    return specimen


@good("an empty result")
def _empty(shop: Workshop) -> Specimen:
    return shop.specimen(shop.house.prove_job("empty", b"", job_id="b" * 32), b"")


@good("a result that was attacked, and covered again")
def _attacked(shop: Workshop) -> Specimen:
    return shop.specimen(shop.house.prove_job("attacked", **ATTACKED))


@good("a trust file that somebody has laid out by hand")
def _laid_out(shop: Workshop) -> Specimen:
    pretty = json.dumps(json.loads(shop.honest.trust), indent=4)
    return replace(shop.honest, trust=pretty.encode())


@good("a trust file that believes a releaser besides")
def _releaser(shop: Workshop) -> Specimen:
    trust: Trust = replace(shop.house.trust, releases=(TestSigner("releaser").public,))
    return replace(shop.honest, trust=trust.to_bytes())
