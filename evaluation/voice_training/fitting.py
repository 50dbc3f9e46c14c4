"""Fits the two networks: the encoder to phones, then the decoder to donors' envelopes of what it hears."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from anonymizer.voice.bottleneck import KEPT, SHARPNESS
from anonymizer.voice.spectra import BANDS
from evaluation.voice_training.disguising import Disguises, Material, lead_steps, undisguised
from evaluation.voice_training.networks import DECODER_DELAY, ENCODER_DELAY, FRAME_OUT, Decoder, Encoder
from evaluation.voice_training.phones import PARTS

Tell = Callable[[str], None]
_FASTEST: Final = 2e-3
# What the encoder gets wrong, the decoder blurs: it is fitted to what is heard more easily.
_DECODER_DISGUISE: Final = 0.4


def fit_encoder(
    encoder: Encoder,
    real: list[Material],
    synthetic: list[Material],
    rounds: int,
    disguises: Disguises,
    tell: Tell,
) -> None:
    """Fits the encoder to the phones of disguised speech, two batches of real for one of synthetic."""
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=_FASTEST, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _FASTEST, total_steps=rounds, pct_start=0.1)
    encoder.train()
    begun, hits, seen, total = time.monotonic(), 0.0, 0.0, 0.0
    for number in range(rounds):
        batch = disguises.draw(synthetic if number % 3 == 2 else real)
        answers = late(encoder(batch.bands), ENCODER_DELAY)
        classes = batch.classes[:, lead_steps() : -ENCODER_DELAY]
        answers = answers[:, :, lead_steps() :]
        loss = functional.cross_entropy(answers, classes, ignore_index=-1, label_smoothing=0.05)
        optimizer.zero_grad()
        torch.autograd.backward([loss])
        nn.utils.clip_grad_norm_(encoder.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        known = classes >= 0
        if number % 3 != 2:
            hits += float((answers.argmax(1) // PARTS == classes // PARTS)[known].float().mean())
            seen += 1
        total += float(loss.detach())
        if (number + 1) % 100 == 0:
            tell(
                f"encoder {number + 1}/{rounds}: loss {total / 100:.3f}, phones right in real speech "
                f"{hits / seen:.3f}, {time.monotonic() - begun:.0f} s"
            )
            hits, seen, total = 0.0, 0.0, 0.0


def fit_decoder(
    decoder: Decoder,
    encoder: Encoder,
    synthetic: list[Material],
    rounds: int,
    disguises: Disguises,
    tell: Tell,
) -> None:
    """Fits the decoder to say, in each donor's voice, what the encoder heard of that donor in disguise."""
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=_FASTEST, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _FASTEST, total_steps=rounds, pct_start=0.1)
    encoder.eval()
    decoder.train()
    begun, total = time.monotonic(), 0.0
    for number in range(rounds):
        batch = disguises.draw(synthetic, _DECODER_DISGUISE)
        assert batch.envelope is not None
        with torch.no_grad():
            phones = torch.softmax(encoder(batch.bands), dim=1)
            phones = coarse(phones)
        donors = decoder.donors(batch.donors)[:, :, None].expand(-1, -1, phones.shape[2])
        said = late(decoder(phones, donors), ENCODER_DELAY + DECODER_DELAY)
        count, _, steps = said.shape
        said = said.reshape(count, 2, FRAME_OUT, steps).permute(0, 3, 1, 2)[:, lead_steps() :]
        wanted = batch.envelope[:, lead_steps() : steps]
        loss = envelope_loss(said, wanted)
        optimizer.zero_grad()
        torch.autograd.backward([loss])
        nn.utils.clip_grad_norm_(decoder.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if (number + 1) % 100 == 0:
            tell(f"decoder {number + 1}/{rounds}: loss {total / 100:.3f}, {time.monotonic() - begun:.0f} s")
            total = 0.0


def late(answers: Tensor, steps: int) -> Tensor:
    """Returns what a network that answers late says of each step, but for the last ones."""
    return answers[:, :, steps:]


def coarse(phones: Tensor) -> Tensor:
    """Does to (batch, CLASSES, steps) what anonymizer.voice.bottleneck does at work."""
    sharp = phones**SHARPNESS
    least = sharp.topk(KEPT, dim=1).values[:, -1:]
    kept = torch.where(sharp >= least, sharp, torch.zeros_like(sharp))
    return kept / kept.sum(dim=1, keepdim=True)


def envelope_loss(said: Tensor, wanted: Tensor) -> Tensor:
    """Returns how far (..., FRAME_OUT) is from what was wanted: in bands, in their change, and in voicing."""
    bands, wanted_bands = said[..., :BANDS], wanted[..., :BANDS]
    off = (bands - wanted_bands).abs().mean()
    moves = (bands.diff(dim=1) - wanted_bands.diff(dim=1)).abs().mean()
    voicing = functional.binary_cross_entropy_with_logits(said[..., BANDS], wanted[..., BANDS])
    return off + 0.5 * moves + voicing


def phones_right(encoder: Encoder, materials: list[Material]) -> float:
    """Returns the share of steps, of undisguised speech, that the encoder puts into the right phone."""
    encoder.eval()
    right = known = 0
    for each in materials:
        bands, classes = undisguised(each)
        with torch.no_grad():
            heard = late(encoder(bands[None]), ENCODER_DELAY)[0].argmax(0)
        wanted = classes[: len(heard)]
        right += int(((heard // PARTS == wanted // PARTS) & (wanted >= 0)).sum())
        known += int((wanted >= 0).sum())
    return right / max(1, known)
