"""What an evaluation of pictures found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PictureFindings:
    """Everything that was found about the pictures.

    Attributes:
        files: pairs that were compared.
        unreadable: pairs that were left out.
        pictures: of them, altogether.
        ssim, ssim_worst: structural similarity, mean and least; None of tiny pictures.
        psnr: mean in dB over the pictures that differ at all; None where none does.
        unchanged: pictures that do not differ in a single bit.
        flicker: mean, of 255; None without a film.
        motion: mean agreement, 0 to 1; None where nothing moves.
    """

    files: int
    unreadable: int
    pictures: int
    ssim: float | None
    ssim_worst: float | None
    psnr: float | None
    unchanged: int
    flicker: float | None
    motion: float | None

    def document(self) -> dict[str, Any]:
        """Returns the findings as JSON values."""

        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        return {
            "files": self.files,
            "unreadable": self.unreadable,
            "pictures": self.pictures,
            "ssim": rounded(self.ssim),
            "ssim_worst": rounded(self.ssim_worst),
            "psnr_db": rounded(self.psnr),
            "unchanged": self.unchanged,
            "flicker": rounded(self.flicker),
            "motion_agreement": rounded(self.motion),
            "lpips": "not measured",
        }
