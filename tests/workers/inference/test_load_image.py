"""An exported network sees an image as `vlga predict` does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.records import genome
from vlga.networks.phenotype import decode
from vlga.networks.source import model_source
from workers.data.image_file import BrokenImageError
from workers.data.pictures import find_pictures, read_pictures
from workers.inference.plain import run_source

SIZE = 8, 11


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Files of many kinds: large, small, grey, lying, transparent, with a palette, for printers."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.default_rng(0).integers(0, 256, (45, 70, 4), np.uint8)
    smooth = Image.fromarray(pixels[..., :3]).resize((300, 200))
    lying = Image.Exif()
    lying[0x0112] = 6
    rgba = Image.fromarray(pixels, "RGBA")
    smooth.save(folder / "large.jpg")
    smooth.save(folder / "lying.jpg", exif=lying)
    smooth.convert("CMYK").save(folder / "print.jpg")
    rgba.save(folder / "transparent.png")
    rgba.convert("LA").save(folder / "grey.png")
    rgba.convert("1").save(folder / "bits.png")
    smooth.quantize(16).save(folder / "palette.gif", transparency=3)
    rgba.crop((0, 0, 11, 8)).save(folder / "exact.webp", lossless=True)
    return sorted(folder.iterdir())


def load_image(channels: int, levels=None, *, padded=False):
    """Give the function of a written module for images of so many channels."""
    plan = decode(genome(), (channels, *SIZE), 2)
    ones = [1.0] * channels
    text = model_source([(plan, False)], "x", "ab", ones, ones, levels=levels, padded=padded)
    return run_source(text, Path("model.py"))["load_image"]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_pixel_is_the_same(pictures, channels, padded):
    """Of files of many kinds, to the last level, cut or padded."""
    read = load_image(channels, padded=padded)
    found = {}
    for picture, image in read_pictures(find_pictures(pictures), (channels, *SIZE), padded=padded):
        assert not isinstance(image, BrokenImageError)
        found[picture.file.name] = torch.equal(read(picture.file), torch.tensor(image) / 255)

    assert found == dict.fromkeys((file.name for file in pictures), True)


def test_more_than_8_bits_are_refused_by_both(tmp_path):
    """Where no image of the search had them, nobody knows what they mean."""
    file = tmp_path / "deep.png"
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(file)
    ((_, error),) = read_pictures(find_pictures([file]), (1, *SIZE))

    assert str(error) == "it has more than 8 bits a pixel, which no image before had"
    with pytest.raises(ValueError, match=r"deep\.png has more than 8 bits a pixel"):
        load_image(1)(file)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_more_than_8_bits_become_8_as_those_of_the_search_did(tmp_path, kind, channels):
    """By its levels; what is above or below them is white or black."""
    file, levels = tmp_path / "deep.tiff", (0.0, 4095.0)
    pixels = np.random.default_rng(0).integers(0, 5000, SIZE).astype(kind)
    Image.fromarray(pixels).save(file)
    ((_, image),) = read_pictures(find_pictures([file]), (channels, *SIZE), levels)

    assert not isinstance(image, BrokenImageError)
    assert torch.equal(load_image(channels, levels)(file), torch.tensor(image) / 255)
    np.testing.assert_array_equal(image[0], np.rint(pixels.clip(0, 4095) / 4095 * 255))
