"""What the named modes mean: how hard they look, and how finely they encode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

# A scale that stands for the picture's own size, up to this many pixels on its long side: beyond it
# recall on large faces falls (measured: .905 at 1920), which the smaller scales then make up for.
NATIVE: Final = 1920

# x264's, for 8 bits.
LOSSLESS_CRF: Final = 0


@dataclass(frozen=True)
class Mode:
    """How hard a mode looks for faces and how finely it encodes.

    Attributes:
        stride: a detection in every stride-th frame; the tracker carries faces between.
        scales: long sides in pixels at which the detector looks. Look n takes all sizes of scales[n % len]:
            sizes in turn find more for less, since what one misses another sees a moment later
            (docs/coverage.md).
        text_stride: the same for text, while the picture changes; a still picture is read once a second.
        text_scale: long side in pixels at which text is sought.
        people_scale: long side in pixels at which people are sought, with the stride of faces.
        people_rounds: squares along the picture's short side, for each round of looks for people.
        crf: x264's constant rate factor, lower is finer.
        preset: x264's speed preset.
    """

    stride: int
    scales: tuple[tuple[int, ...], ...]
    crf: int
    preset: str
    text_stride: int
    text_scale: int
    people_scale: int
    people_rounds: tuple[int, ...]

    @property
    def is_lossless(self) -> bool:
        """Whether the encoder changes nothing."""
        return self.crf == LOSSLESS_CRF

    def lossless(self) -> Mode:
        """Returns the mode without any loss: the same looks, and the preset that is meant for it."""
        return replace(self, crf=LOSSLESS_CRF, preset="ultrafast")

    def finer(self) -> Mode:
        """Returns the mode for a second try: the same looks, about twice the bits."""
        return self if self.is_lossless else replace(self, crf=max(LOSSLESS_CRF + 1, self.crf - 6))


MODES: Final[dict[str, Mode]] = {
    "original": Mode(1, ((320, NATIVE),), 17, "veryfast", 3, NATIVE, people_scale=1280, people_rounds=(1, 2)),
    "quality": Mode(
        1, ((320,), (640,), (320,), (960,)), 20, "veryfast", 5, 1280, people_scale=960, people_rounds=(1, 2)
    ),
    "balanced": Mode(
        4, ((320,), (640,), (320,), (960,)), 23, "veryfast", 10, 960, people_scale=640, people_rounds=(1,)
    ),
    "fast": Mode(4, ((320,), (640,)), 25, "superfast", 15, 640, people_scale=640, people_rounds=(1,)),
}

# A still costs one look, so every mode takes all of them.
STILL_SCALES: Final = (320, 640, 1280, NATIVE)
# Text is small: nothing of it is lost to more pixels, as large faces are.
STILL_PEOPLE_SCALE: Final = 1280
STILL_PEOPLE_ROUNDS: Final = (1, 2, 3)
STILL_TEXT_SCALES: Final = (640, 1280, 2560, 3840)
