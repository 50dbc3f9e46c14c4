"""Instructions and derived keys behind the real wall: asked for once, from the vault, told to nobody."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from media_factory import face_image
from people_factory import installed_models
from worker_harness import Nursery, opened, played_key

from enclave.policy import Instructions, ReviewInstructions, Terms, parse_policy, shipped
from keyvault.age import HybridIdentity
from keyvault.derived import persona_key_of, record_key_of
from protos.bauta.internal.v1.release_pb2 import DeriveResponse

PSEUDONYM, SCOPE = "Pantalone de' Bisognosi", "the harbour inquiry"
NAMED = Instructions(PSEUDONYM, SCOPE)
REVIEW_KEY = bytes(range(32))
ME = HybridIdentity.generate()
TERMS = Terms(policy=shipped()["street"], mode="fast", recipients=(str(ME.recipient),))

Twist = Callable[[DeriveResponse], None]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(autouse=True)
def honest_vault(nursery: Nursery) -> Iterator[None]:
    nursery.vault.derivations.clear()
    yield
    nursery.vault.derivation_twist = lambda _response: None


def asked(nursery: Nursery) -> list[list[tuple[str, bytes]]]:
    return [[(key.purpose, key.context) for key in each.keys] for each in nursery.vault.derivations]


NEEDED = {
    "nothing": (None, []),
    "a persona": (NAMED, [persona_key_of(SCOPE)]),
    "a review": (Instructions(review=ReviewInstructions(REVIEW_KEY)), [record_key_of(REVIEW_KEY)]),
    "both": (
        Instructions(PSEUDONYM, SCOPE, ReviewInstructions(REVIEW_KEY)),
        [persona_key_of(SCOPE), record_key_of(REVIEW_KEY)],
    ),
}


@pytest.mark.parametrize(("instructions", "names"), NEEDED.values(), ids=NEEDED)
def test_a_job_asks_once_for_what_its_instructions_need(
    nursery: Nursery, instructions: Instructions | None, names: list[object]
) -> None:
    """Also where the media is none: it is asked before anybody looks at the media."""
    finished = nursery.run(nursery.seal(b"", TERMS, instructions), TERMS.to_bytes())
    assert finished.failure_code == "media_empty"
    assert asked(nursery) == [[(name.purpose, name.context) for name in names]]  # type: ignore[attr-defined]


def flip(response: DeriveResponse) -> None:
    response.sealed_keys[0] = response.sealed_keys[0][:-1] + bytes([response.sealed_keys[0][-1] ^ 1])


def cut(response: DeriveResponse) -> None:
    response.sealed_keys[0] = response.sealed_keys[0][:-1]


def swap(response: DeriveResponse) -> None:
    response.sealed_keys[:] = reversed(response.sealed_keys)


LIES: dict[str, Twist] = {
    "it refuses": lambda response: response.CopyFrom(DeriveResponse(error_code="derivation_malformed")),
    "it refuses, and gives keys": lambda response: response.MergeFrom(DeriveResponse(error_code="x")),
    "it gives no key": lambda response: response.CopyFrom(DeriveResponse()),
    "it gives one key of two": lambda response: response.sealed_keys.pop() and None,
    "it gives a key too many": lambda response: response.sealed_keys.append(response.sealed_keys[0]),
    "a key is changed on the way": flip,
    "a key is cut": cut,
    "the two are swapped": swap,
}


@pytest.mark.parametrize("twist", LIES.values(), ids=LIES)
def test_a_child_takes_no_key_but_the_vaults_for_its_job(nursery: Nursery, twist: Twist) -> None:
    nursery.vault.derivation_twist = twist
    both = Instructions(PSEUDONYM, SCOPE, ReviewInstructions(REVIEW_KEY))
    finished = nursery.run(nursery.seal(b"", TERMS, both), TERMS.to_bytes())
    assert finished.failure_code == "release_refused"
    assert finished.sealed == b""


# Without content credentials, which are of one job.
PERSONA = parse_policy(
    shipped()["street"].text.replace('effect = "mosaic"', 'effect = "persona"').replace('"c2pa"', '"none"')
)


def test_one_pseudonym_is_one_persona_and_another_scope_another(nursery: Nursery, tmp_path: Path) -> None:
    """One picture, so that the result differs where the persona does and nowhere else."""
    if "mediapipe-face-mesh" not in installed_models():
        pytest.skip("no mediapipe 0.10.21 for this Python: no persona can be drawn")
    picture = face_image(tmp_path / "face.png").read_bytes()
    terms = Terms(PERSONA, "fast", (str(ME.recipient),))

    def result(said: Instructions | None) -> bytes:
        finished = nursery.run(nursery.seal(picture, terms, said), terms.to_bytes())
        assert finished.result.media_type == "image/png"
        return opened(finished.sealed, ME)

    assert result(NAMED) == result(NAMED)
    others = [
        result(NAMED),
        result(Instructions(PSEUDONYM, "elsewhere")),
        result(Instructions("Brighella", SCOPE)),
    ]
    unnamed = [result(None), result(None)]
    assert len({*others, *unnamed}) == 5


def spellings(secret: bytes) -> list[bytes]:
    return [secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")]


def test_nothing_that_leaves_the_wall_tells_a_pseudonym_a_scope_or_a_key(
    nursery: Nursery, tmp_path: Path
) -> None:
    picture = face_image(tmp_path / "face.jpg").read_bytes()
    upload = nursery.seal(picture, TERMS, NAMED)
    finished = nursery.run(upload, TERMS.to_bytes())
    media = opened(finished.sealed, ME)
    left = [report.SerializeToString() for report in finished.reports]
    left += [request.SerializeToString() for request in nursery.vault.requests]
    left += [upload, finished.sealed, finished.scratch, media, finished.result.statement]
    name = persona_key_of(SCOPE)
    secrets = [PSEUDONYM.encode(), SCOPE.encode(), played_key(name.purpose, name.context), name.context]
    for secret in secrets:
        assert not any(spelling in each for spelling in spellings(secret) for each in left)
    # The control: the search finds what does leave.
    assert any(finished.result.sealed_sha256 in each for each in left)
