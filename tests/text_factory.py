"""Made pictures with text and number plates on them, and where it is. No letter of them means anybody."""

from __future__ import annotations

import string
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from skimage import data

Pixels = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float64]

# Backgrounds without text: a cup, a cat, a rocket.
_SCENES = (data.coffee, data.chelsea, data.rocket)
_FONT_SIZE = 160
_JPEG_QUALITY = 80


@dataclass
class Scene:
    """A picture, (H, W, 3) uint8 RGB, and the corners (4, 2) of each line of letters on it."""

    picture: Pixels
    lines: list[Corners] = field(default_factory=list)

    def put(self, label: Pixels, centre: tuple[float, float], turned_degrees: float = 0.0) -> None:
        """Lays a label down, turned around its middle."""
        height, width = label.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), turned_degrees, 1)
        turn[:, 2] += (centre[0] - width / 2, centre[1] - height / 2)
        size = (self.picture.shape[1], self.picture.shape[0])
        share = cv2.warpAffine(np.ones((height, width), np.float32), turn, size)[..., None]
        laid = cv2.warpAffine(label, turn, size, flags=cv2.INTER_LINEAR)
        self.picture = (self.picture * (1 - share) + laid * share).astype(np.uint8)
        inner = np.array([(0.08, 0.2), (0.92, 0.2), (0.92, 0.8), (0.08, 0.8)]) * (width, height)
        self.lines.append(inner @ turn[:, :2].T + turn[:, 2])

    def compressed(self) -> Pixels:
        """The picture as a camera would give it."""
        done, content = cv2.imencode(
            ".jpg", self.picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        assert done
        return np.ascontiguousarray(cv2.imdecode(content, cv2.IMREAD_COLOR)[:, :, ::-1])


def a_scene(which: int = 0, width: int = 1280, height: int = 720) -> Scene:
    """A background."""
    picture = cv2.resize(_SCENES[which % len(_SCENES)](), (width, height), interpolation=cv2.INTER_AREA)
    return Scene(np.asarray(picture, np.uint8))


def label(
    text: str,
    letter_height: float,
    *,
    ink: tuple[int, int, int] = (20, 20, 30),
    paper: tuple[int, int, int] = (245, 245, 245),
    frame: bool = False,
) -> Pixels:
    """Letters on paper, `letter_height` pixels high, with a margin around them."""
    font = ImageFont.load_default(size=_FONT_SIZE)
    left, top, right, bottom = font.getbbox(text)
    across, down = right - left, bottom - top
    width, height = round(across * 1.12), round(down * 1.45)
    made = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(made)
    if frame:
        draw.rectangle((2, 2, width - 3, height - 3), outline=ink, width=5)
    draw.text(((width - across) // 2 - left, (height - down) // 2 - top), text, font=font, fill=ink)
    share = letter_height / down
    size = (max(4, round(width * share)), max(4, round(height * share)))
    return np.asarray(cv2.resize(np.asarray(made), size, interpolation=cv2.INTER_AREA), np.uint8)


def plate(letter_height: float, seed: int) -> Pixels:
    """A number plate of nobody's car, in one of three colours."""
    random = np.random.default_rng(seed)
    letters = "".join(random.choice(list(string.ascii_uppercase), 2))
    digits = "".join(random.choice(list(string.digits), 4))
    paper = ((250, 250, 250), (240, 200, 40), (225, 225, 235))[seed % 3]
    return label(f"{letters} {digits}", letter_height, paper=paper, frame=True)


def share_covered(line: Corners, boxes: npt.NDArray[np.float32], shape: tuple[int, ...]) -> float:
    """The share of a line's area that lies under any of some boxes, (N, 4 or more)."""
    there, covered = np.zeros(shape[:2], np.uint8), np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(there, [line.astype(np.int32)], 1)
    for x1, y1, x2, y2 in boxes[:, :4]:
        cv2.rectangle(covered, (int(x1), int(y1)), (int(np.ceil(x2)), int(np.ceil(y2))), 1, -1)
    assert there.any(), "the line lies outside the picture"
    return float((there & covered).sum() / there.sum())
