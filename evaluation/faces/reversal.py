"""What is learned: a network from covered faces to uncovered ones, trained on the spot on pairs of others.

The attacker has the system, so they have as many pairs as they have pictures. A small network (a U-Net of
three levels, Ronneberger et al. 2015) sees covered squares of other people and learns what had been there. It
draws what a face usually has; whether it draws *this* face is what the recognizer then says. It is trained
for half of the people and used on the other half, and the other way round: it never has seen whom it draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluation.faces.dlib_network import one_thread
from evaluation.faces.recognizers import Pixels

SIDE: Final = 64
# Four neighbouring pixels are one place with twelve channels: a quarter of the places to go over.
FOLD: Final = 2
FOLDED: Final = 3 * FOLD**2
CHANNELS: Final = (24, 48, 64)
BATCH: Final = 8
STEPS: Final = 120
RATE: Final = 3e-3
MOST_SHIFT: Final = 4
SEED: Final = 7


class Reversal(nn.Module):
    """Covered squares in, a guess at the uncovered ones out: what is added to what can be seen."""

    def __init__(self) -> None:
        """Makes an untrained network."""
        super().__init__()
        first, second, third = CHANNELS
        self.fine, self.middle = _block(FOLDED, first), _block(first, second)
        self.bottom = _block(second, third)
        self.up_middle, self.up_fine = _block(third + second, second), _block(second + first, first)
        self.last = nn.Conv2d(first, FOLDED, 1)

    def forward(self, covered: Tensor) -> Tensor:
        """(n, 3, side, side) in -1..1, the same out."""
        fine = self.fine(functional.pixel_unshuffle(covered, FOLD))
        middle = self.middle(functional.avg_pool2d(fine, 2))
        bottom = self.bottom(functional.avg_pool2d(middle, 4))
        rising = self.up_middle(torch.cat([functional.interpolate(bottom, scale_factor=4.0), middle], 1))
        rising = self.up_fine(torch.cat([functional.interpolate(rising, scale_factor=2.0), fine], 1))
        return covered + functional.pixel_shuffle(self.last(rising), FOLD)


def learned(covered: Sequence[Pixels], uncovered: Sequence[Pixels], steps: int = STEPS) -> Reversal:
    """Trains a network on pairs; the same for the same pairs.

    Args:
        covered: (H, W, 3) uint8 each.
        uncovered: the same places of the originals, in the same order; at least one.
        steps: of training, of 8 pairs each.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return _trained(_tensor(covered), _tensor(uncovered), steps)


def reversed_(network: Reversal, covered: Sequence[Pixels]) -> list[Pixels]:
    """Returns what a network makes of covered squares, as large as they were."""
    if not covered:
        return []
    with one_thread(), torch.inference_mode():
        made = torch.cat([network(part) for part in torch.split(_tensor(covered), BATCH)])
    height, width = covered[0].shape[:2]
    pictures = ((made.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return [
        np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        for picture in pictures
    ]


def _trained(covered: Tensor, uncovered: Tensor, steps: int) -> Reversal:
    network = Reversal()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    pairs = torch.cat([covered, uncovered], 1)
    for _ in range(steps):
        batch = _varied(pairs[torch.randint(len(pairs), (BATCH,))])
        made, wanted = network(batch[:, :3]), batch[:, 3:]
        # Edges count beside colours: they are what tells people apart.
        loss = functional.l1_loss(made, wanted) + sum(
            functional.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis)) for axis in (2, 3)
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    return network.eval()


def _varied(pairs: Tensor) -> Tensor:
    """Mirrors some, and shifts and lights all alike: more pairs than there are."""
    if torch.rand(()) < 0.5:
        pairs = pairs.flip(3)
    across, down = (int(torch.randint(-MOST_SHIFT, MOST_SHIFT + 1, ())) for _ in range(2))
    return (pairs.roll((down, across), (2, 3)) * (0.8 + 0.4 * torch.rand(len(pairs), 1, 1, 1))).clamp(-1, 1)


def _block(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, padding=1), nn.GELU(), nn.Conv2d(made, made, 3, padding=1), nn.GELU()
    )


def _tensor(chips: Sequence[Pixels]) -> Tensor:
    small = [cv2.resize(chip, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for chip in chips]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1
