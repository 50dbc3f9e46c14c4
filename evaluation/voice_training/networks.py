"""The two networks as torch sees them. anonymizer/voice runs them from ONNX (exporting.py).

Both are stacks of causal convolutions: what a layer needs of the past is its state, so that the same network
goes over a whole recording or along with somebody who speaks. They look ahead only by answering late: the
encoder by ENCODER_DELAY steps, the decoder by DECODER_DELAY.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from anonymizer.voice.rates import FRAMES_A_STEP
from anonymizer.voice.spectra import BANDS
from evaluation.voice_training.phones import CLASSES

# In steps of 20 ms.
ENCODER_DELAY: Final = 4
DECODER_DELAY: Final = 2
WIDTH: Final = 192
ENCODER_DILATIONS: Final = (1, 2, 4, 1, 2)
DECODER_DILATIONS: Final = (1, 2)
DONOR_NUMBERS: Final = 16
# Bands of the envelope and how voiced it is, for each frame of a step.
FRAME_OUT: Final = BANDS + 1


class Causal(nn.Module):
    """A convolution over three steps that sees nothing of the future, then a normalization."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        """Takes the numbers of channels and the distance between the three steps."""
        super().__init__()
        self.past = 2 * dilation
        self.convolution = nn.Conv1d(inputs, outputs, 3, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, values: Tensor) -> Tensor:
        """Takes (batch, channels, steps), returns as many steps."""
        convolved: Tensor = self.norm(self.convolution(functional.pad(values, (self.past, 0))))
        return convolved


class Block(nn.Module):
    """What is added to its input: a convolution in time, then one among the channels."""

    def __init__(self, dilation: int) -> None:
        """Takes the distance between the steps that it looks at."""
        super().__init__()
        self.time = Causal(WIDTH, WIDTH, dilation)
        self.channels = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, values: Tensor, shift: Tensor | None = None) -> Tensor:
        """Takes (batch, WIDTH, steps), and what to add inside; returns the like."""
        inner = self.time(values)
        added: Tensor = self.channels(functional.relu(inner if shift is None else inner + shift))
        return functional.relu(values + added)


class Encoder(nn.Module):
    """From bands, (batch, 2 * BANDS, steps), to the logits of phones, (batch, CLASSES, steps)."""

    def __init__(self) -> None:
        """Builds it with random weights."""
        super().__init__()
        self.first = Causal(FRAMES_A_STEP * BANDS, WIDTH)
        self.blocks = nn.ModuleList(Block(dilation) for dilation in ENCODER_DILATIONS)
        self.last = nn.Conv1d(WIDTH, CLASSES, 1)

    def forward(self, bands: Tensor) -> Tensor:
        """See above."""
        values = functional.relu(self.first(bands))
        for block in self.blocks:
            values = functional.dropout(block(values), 0.1, self.training)
        phones: Tensor = self.last(values)
        return phones


class Decoder(nn.Module):
    """From phones to a donor's envelope.

    (batch, CLASSES, steps) and (batch, DONOR_NUMBERS, steps) to (batch, 2 * FRAME_OUT, steps).
    """

    def __init__(self, donors: int) -> None:
        """Builds it with random weights.

        Args:
            donors: how many voices it shall learn.
        """
        super().__init__()
        self.donors = nn.Embedding(donors, DONOR_NUMBERS)
        self.first = Causal(CLASSES, WIDTH)
        self.blocks = nn.ModuleList(Block(dilation) for dilation in DECODER_DILATIONS)
        self.shifts = nn.ModuleList(
            nn.Conv1d(DONOR_NUMBERS, WIDTH, 1, bias=False) for _ in range(1 + len(DECODER_DILATIONS))
        )
        self.last = nn.Conv1d(WIDTH, FRAMES_A_STEP * FRAME_OUT, 1)
        self.own = nn.Conv1d(DONOR_NUMBERS, FRAMES_A_STEP * FRAME_OUT, 1, bias=False)

    def forward(self, phones: Tensor, donor: Tensor) -> Tensor:
        """See above."""
        values = functional.relu(self.first(phones) + self.shifts[0](donor))
        for block, shift in zip(self.blocks, self.shifts[1:], strict=True):
            values = block(values, shift(donor))
        envelope: Tensor = self.last(values) + self.own(donor)
        return envelope
