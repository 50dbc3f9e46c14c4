"""The whole way from recordings to weights, stage by stage: what was done before is taken from its folder."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import torch

from evaluation.voice_training.disguising import Disguises, Material
from evaluation.voice_training.exporting import export_decoder, export_encoder
from evaluation.voice_training.fitting import Tell, fit_decoder, fit_encoder, phones_right
from evaluation.voice_training.networks import Decoder, Encoder
from evaluation.voice_training.preparing import (
    donors,
    real_material,
    real_speech,
    synthetic_material,
    synthetic_speech,
)
from evaluation.voice_training.recordings import MANIFEST, Spoken, listed

Stage = TypeVar("Stage")
# Speakers that the encoder never hears while it is fitted.
_HELD_OUT: Final = 16


@dataclass(frozen=True)
class Plan:
    """What is trained, from what.

    Attributes:
        folder: where the recordings of the manifest lie.
        manifest: their digests.
        kept: a folder for what each stage made; None keeps nothing.
        seed: of everything drawn.
        encoder_rounds, decoder_rounds: batches.
        batch: pieces of six seconds in each.
        share: of the usual synthetic speech.
        threads: for torch. Another number may give other weights.
    """

    folder: Path
    manifest: Path = MANIFEST
    kept: Path | None = None
    seed: int = 5
    encoder_rounds: int = 3000
    decoder_rounds: int = 3000
    batch: int = 8
    share: float = 1.0
    threads: int = 2


@dataclass(frozen=True)
class Trained:
    """The two files, and how many of the held-out speakers' steps the encoder puts into the right phone."""

    encoder: bytes
    decoder: bytes
    phones_right: float


def train(plan: Plan, tell: Tell) -> Trained:
    """Trains both networks.

    Args:
        plan: what from.
        tell: gets lines about how far it is.

    Raises:
        VoiceTrainingError: with one of its codes.
    """
    paths = listed(plan.folder, plan.manifest)
    tell(f"{len(paths)} recordings are those of the manifest.")
    real = _stage(plan, "spoken", lambda: real_speech(paths))
    texts = [each.words for each in real if each.words]
    synthetic = _stage(plan, "synthetic", lambda: synthetic_speech(texts, plan.seed, plan.share))
    return fitted(plan, real, synthetic, tell)


def fitted(plan: Plan, real: list[Spoken], synthetic: list[tuple[int, Spoken]], tell: Tell) -> Trained:
    """Fits both networks to speech that is at hand.

    Args:
        plan: how long, from which seed.
        real: of the speakers to be disguised.
        synthetic: of the donors, each with its number.
        tell: gets lines about how far it is.
    """
    with _repeatable(plan.threads):
        return _fitted(plan, real, synthetic, tell)


@contextmanager
def _repeatable(threads: int) -> Iterator[None]:
    """Has torch do the same in the same order each time; afterwards it is as before."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


def _fitted(plan: Plan, real: list[Spoken], synthetic: list[tuple[int, Spoken]], tell: Tell) -> Trained:
    heard, said = real_material(real), synthetic_material(synthetic)
    tell(f"Ready: {_minutes(heard):.0f} minutes of real and {_minutes(said):.0f} of synthetic speech.")
    held_out = min(_HELD_OUT, len(heard) // 4)
    encoder = _stage(plan, "encoder", lambda: _fitted_encoder(plan, heard[held_out:], said, tell))
    right = phones_right(encoder, heard[:held_out])
    tell(f"Phones right in the speech of {held_out} held-out speakers: {right:.3f}")
    decoder = _stage(plan, "decoder", lambda: _fitted_decoder(plan, encoder, said, tell))
    return Trained(export_encoder(encoder.eval()), export_decoder(decoder.eval()), right)


def _fitted_encoder(plan: Plan, real: list[Material], synthetic: list[Material], tell: Tell) -> Encoder:
    torch.manual_seed(plan.seed)
    encoder = Encoder()
    fit_encoder(encoder, real, synthetic, plan.encoder_rounds, Disguises(plan.seed, plan.batch), tell)
    return encoder


def _fitted_decoder(plan: Plan, encoder: Encoder, synthetic: list[Material], tell: Tell) -> Decoder:
    torch.manual_seed(plan.seed + 1)
    decoder = Decoder(len(donors()))
    fit_decoder(decoder, encoder, synthetic, plan.decoder_rounds, Disguises(plan.seed + 1, plan.batch), tell)
    return decoder


def _stage(plan: Plan, name: str, make: Callable[[], Stage]) -> Stage:
    """Returns what a stage made before, or makes it. The folder is the trainer's own: it is read as it is."""
    if plan.kept is None:
        return make()
    path = plan.kept / f"{name}.pickle"
    if path.is_file():
        made: Stage = pickle.loads(path.read_bytes())  # noqa: S301 - the trainer's own, written below
        return made
    made = make()
    plan.kept.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(pickle.dumps(made))
    unfinished.replace(path)
    return made


def _minutes(materials: list[Material]) -> float:
    return sum(len(each.spectra) for each in materials) / 6000
