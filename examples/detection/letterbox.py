"""Images of any size brought to the square that a detector takes, and boxes brought back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in its square.

    Attributes
    ----------
    scale : float
        Pixels of the square for one of the image.
    left, top : int
        Pixels of padding.
    """

    scale: float
    left: int
    top: int

    def to_image(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Boxes of the square, float64 (boxes, 4) as x1 y1 x2 y2 in pixels, in pixels of the image."""
        return (boxes - np.array([self.left, self.top, self.left, self.top])) / self.scale


def letterbox(image: Image.Image, side: int, fill: float, *, centred: bool) -> tuple[NDArray[np.float32], Letterbox]:
    """Scale an image until its longest side fits, and pad the rest.

    Parameters
    ----------
    image : PIL.Image.Image
    side : int
        Pixels.
    fill : float
        Value of the padding in all channels, 0 to 255.
    centred : bool
        Pad both sides alike, or right and bottom only.

    Returns
    -------
    float32 array, (side, side, 3)
        Red, green, blue, 0 to 255.
    Letterbox
    """
    scale = side / max(image.size)
    columns, rows = (max(1, round(length * scale)) for length in image.size)
    left, top = ((side - columns) // 2, (side - rows) // 2) if centred else (0, 0)
    square = np.full((side, side, 3), fill, dtype=np.float32)
    resized = image.convert("RGB").resize((columns, rows), Image.Resampling.BILINEAR)
    square[top : top + rows, left : left + columns] = np.asarray(resized)
    return square, Letterbox(scale, left, top)


def read_squares(
    paths: list[Path], side: int, fill: float, *, centred: bool
) -> tuple[NDArray[np.float32], list[Letterbox]]:
    """Image files as one array (images, side, side, 3), and where each lies; parameters as for `letterbox`."""
    placed = []
    for path in paths:
        with Image.open(path) as image:
            placed.append(letterbox(image, side, fill, centred=centred))
    return np.stack([square for square, _ in placed]), [place for _, place in placed]
