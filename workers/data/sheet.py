"""A contact sheet: a few images of each class in one picture, as networks see them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from workers.data.dataset import Images, RawDataset

__all__ = ["contact_sheet"]

#: Images of a class in its row, and classes, at most: a picture that can still be looked at.
_PER_CLASS, _MOST_CLASSES = 8, 100
#: Pixels of an image's longer side, about: small ones are enlarged by a whole number.
_SIDE = 128
#: Pixels around images, and the height of a row's name.
_GAP, _NAME_HEIGHT = 8, 28
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def contact_sheet(raw: RawDataset, comment: str) -> bytes:
    """Draw a row for each class: its name, how many images it has, and up to eight of them.

    Args:
        raw: the images. Those drawn are spread over a class's training images.
        comment: is written into the file as its comment.

    Returns:
        A PNG file. Of more than 100 classes it has the first.
    """
    height, width = _tile_size(*raw.train.images.shape[2:])
    row_height = _NAME_HEIGHT + height + _GAP
    names = raw.classes[:_MOST_CLASSES]
    size = (_GAP + _PER_CLASS * (width + _GAP), _GAP + len(names) * row_height)
    sheet = Image.new("RGB", size, _WHITE)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for label, name in enumerate(names):
        of_class = np.flatnonzero(raw.train.labels == label)
        top = _GAP + label * row_height
        draw.text((_GAP, top), f"{name}  {len(of_class):,}", _BLACK, font)
        for place, index in enumerate(_spread(len(of_class))):
            tile = _picture(raw.train.images[of_class[index]]).resize(
                (width, height), Image.Resampling.NEAREST
            )
            sheet.paste(tile, (_GAP + place * (width + _GAP), top + _NAME_HEIGHT))
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Comment", comment)
    sheet.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _tile_size(height: int, width: int) -> tuple[int, int]:
    """Give the height and width of an image on the sheet."""
    scale = _SIDE / max(height, width)
    scale = round(scale) if scale > 1 else scale
    return max(1, round(scale * height)), max(1, round(scale * width))


def _spread(n_images: int) -> list[int]:
    """Give indices of images, spread evenly: neighbours are often of one burst."""
    n_drawn = min(n_images, _PER_CLASS)
    return [index * n_images // n_drawn for index in range(n_drawn)]


def _picture(image: Images) -> Image.Image:
    """Make a picture of an image (channels, height, width) of 1, 3 or 4 channels."""
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    if pixels.shape[2] == 4:
        transparent = Image.fromarray(pixels, "RGBA")
        white = Image.new("RGBA", transparent.size, _WHITE)
        return Image.alpha_composite(white, transparent).convert("RGB")
    return Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).convert("RGB")
