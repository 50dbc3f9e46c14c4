"""Manifests of networks that somebody evaluates results with."""

from __future__ import annotations

from anonymizer import AnonymizerError
from evaluation.networks.manifests import parse_network
from tests.fuzz.target import Target
from tests.made_networks import manifest


def _seeds() -> tuple[bytes, ...]:
    """One manifest of each kind."""
    more = {
        "person-embedding": '[output]\ndimension = 96\nmetric = "cosine"\n[match]\nthreshold = 0.9',
        "picture-distance": '[output]\nmetric = "distance"',
        "action": '[clip]\nframes = 4\nstep = 2\nlayout = "NCTHW"\n[output]\nlabels = ["dawn", "dusk"]',
    }
    return tuple(
        manifest(kind, b"", "network.onnx", height=64, width=64, more=each).encode()
        for kind, each in more.items()
    )


TARGETS = (
    Target(
        name="evaluating_network",
        sender="whoever offers a network to evaluate with",
        parsers=("evaluation.networks.manifests.parse_network",),
        parse=parse_network,
        seeds=_seeds,
        errors=(AnonymizerError,),
        tokens=(b"[input]", b"[clip]", b"labels", b"nan", b"inf", b"true", b"[[", b"]]", b'"""', b"="),
    ),
)
