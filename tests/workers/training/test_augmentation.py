import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.training.augmentation import (
    augment,
    cover,
    image_statistics,
    resized,
    resolve_augmentation,
    to_float,
)

SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 4), st.integers(1, 40), st.integers(1, 40))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(n, channels, height, width):
    """Images whose every pixel is a different number."""
    count = n * channels * height * width
    return torch.arange(count, dtype=torch.float32).view(n, channels, height, width)


def shift_and_flip(image, rows, columns, flip):
    """Crop one image from its reflection by slicing, the plain way: the reference."""
    height, width = image.shape[1:]
    padded = torch.nn.functional.pad(image, (columns[1], columns[1], rows[1], rows[1]), "reflect")
    cropped = padded[:, rows[0] :, columns[0] :][:, :height, :width]
    return cropped.flip(2) if flip else cropped


@pytest.mark.parametrize(
    ("kind", "may_mirror", "chosen"),
    [
        ("auto", True, "crop_flip"),
        ("auto", False, "crop"),
        ("none", True, "none"),
        ("crop", True, "crop"),
        ("crop_flip", False, "crop_flip"),
    ],
)
def test_resolve_augmentation(kind, may_mirror, chosen):
    """Auto flips images that mean the same mirrored, and no others; another setting stands."""
    assert resolve_augmentation(kind, may_mirror=may_mirror) == chosen


class TestImageStatistics:
    def test_agrees_with_torch(self):
        """Mean and deviation of each channel are those over all its pixels."""
        images = torch.randint(0, 256, (20, 3, 5, 7), dtype=torch.uint8, generator=generator())
        images[:, 1] //= 4
        mean, std = image_statistics(images)
        expected = torch.std_mean(images.double() / 255, (0, 2, 3), correction=0)

        torch.testing.assert_close(std, expected[0].float())
        torch.testing.assert_close(mean, expected[1].float())

    def test_constant_channel(self):
        """A channel without contrast has deviation 1, and comes out as zero."""
        images = torch.full((4, 2, 3, 3), 7, dtype=torch.uint8)
        mean, std = image_statistics(images)

        assert std.tolist() == [1, 1]
        assert to_float(images, mean, std).abs().max() < 1e-6

    def test_memory_format_does_not_matter(self):
        """Channels last images have the same statistics."""
        images = torch.randint(0, 256, (20, 3, 5, 7), dtype=torch.uint8, generator=generator())
        one = image_statistics(images)
        other = image_statistics(images.contiguous(memory_format=torch.channels_last))

        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_to_float(memory_format):
    """Images come out with mean 0 and deviation 1 by channel, in their memory format."""
    images = torch.randint(0, 200, (50, 3, 6, 6), dtype=torch.uint8, generator=generator())
    images = images.contiguous(memory_format=memory_format)
    before = images.clone()
    floats = to_float(images, *image_statistics(images))
    std, mean = torch.std_mean(floats, (0, 2, 3), correction=0)

    assert floats.dtype == torch.float32
    assert floats.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(mean, torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(std, torch.ones(3))
    assert torch.equal(images, before)


class TestAugment:
    def test_none(self):
        """Without augmentation the images themselves come back and nothing is drawn."""
        images, rng = numbered(2, 1, 4, 4), generator()
        before = rng.get_state()

        assert augment(images, "none", rng) is images
        assert torch.equal(rng.get_state(), before)

    @given(SHAPES, st.booleans(), st.integers(0, 99))
    def test_every_image_is_shifted_by_pixels(self, shape, flip, seed):
        """Each image is a crop of its own reflection, moved within the limit, or its mirror."""
        images = numbered(*shape)
        augmented = augment(images, "crop_flip" if flip else "crop", generator(seed))
        limits = [min(max(1, size // 16), 4, size - 1) for size in shape[2:]]

        assert augmented.shape == images.shape
        for image, result in zip(images, augmented, strict=True):
            assert any(
                torch.equal(result, shift_and_flip(image, (row, limits[0]), (column, limits[1]), f))
                for row in range(2 * limits[0] + 1)
                for column in range(2 * limits[1] + 1)
                for f in {False, flip}
            )

    @pytest.mark.parametrize("kind", ["crop", "crop_flip"])
    @pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8)])
    def test_every_shift_is_as_likely(self, kind, shape):
        """All shifts and both directions occur, equally often within chance."""
        n = 8_000
        image = numbered(1, *shape)
        augmented = augment(image.expand(n, *shape).contiguous(), kind, generator())
        centre = augmented[:, 0, shape[1] // 2, shape[2] // 2]
        if kind == "crop_flip":  # a flipped image falls from left to right
            rising = augmented[:, 0, 0, shape[2] // 2] < augmented[:, 0, 0, shape[2] // 2 + 1]
            assert abs(rising.float().mean() - 0.5) < 0.03
            centre = centre[rising]
        else:
            assert (augmented.diff(dim=3)[:, 0, 0, shape[2] // 2] > 0).all()
        counts = centre.unique(return_counts=True)[1]
        limit = min(max(1, shape[1] // 16), 4)

        assert len(counts) == (2 * limit + 1) ** 2
        mean = counts.float().mean()
        assert ((counts - mean).abs() < 5 * mean.sqrt()).all()

    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_keeps_format_and_type(self, memory_format, dtype):
        """Memory format and type are kept, and do not change the result."""
        images = numbered(5, 3, 17, 16).to(dtype)
        expected = augment(images, "crop_flip", generator(1))
        given_images = images.contiguous(memory_format=memory_format)
        augmented = augment(given_images, "crop_flip", generator(1))

        assert augmented.is_contiguous(memory_format=memory_format)
        assert augmented.dtype == dtype
        assert torch.equal(augmented, expected)
        assert torch.equal(given_images, images)

    def test_same_seed_same_result(self):
        """The generator alone decides: torch's global one is neither used nor disturbed."""
        images = numbered(50, 3, 16, 16)
        before = torch.get_rng_state()
        one = augment(images, "crop_flip", generator(3))
        torch.testing.assert_close(torch.get_rng_state(), before)
        two = augment(images, "crop_flip", generator(3))

        assert torch.equal(one, two)
        assert not torch.equal(one, augment(images, "crop_flip", generator(4)))

    def test_images_differ_within_a_batch(self):
        """Equal images of a batch are shifted differently."""
        images = numbered(1, 1, 32, 32).expand(64, 1, 32, 32).contiguous()

        assert len(augment(images, "crop", generator()).unique(dim=0)) > 20


class TestResized:
    @given(SHAPES, st.floats(0.1, 1))
    def test_sides_are_rounded_up_and_colours_stay(self, shape, share):
        """What has one colour has it afterwards, by channel."""
        images = torch.arange(1.0, shape[1] + 1)[None, :, None, None].expand(shape)
        small = resized(images.contiguous(), share)
        size = [math.ceil(share * side) for side in shape[2:]]

        assert small.shape == (*shape[:2], *size)
        torch.testing.assert_close(small, images[:, :, : size[0], : size[1]])

    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_keeps_format(self, memory_format):
        """As the loop lays images out; all of their size are the images themselves."""
        images = numbered(5, 3, 16, 12).contiguous(memory_format=memory_format)

        assert resized(images, 0.75).is_contiguous(memory_format=memory_format)
        assert resized(images, 1.0) is images

    def test_what_is_left_is_what_is_right(self):
        """A picture keeps its sides: the left half is dark."""
        images = torch.zeros(1, 1, 16, 16)
        images[..., 8:] = 1
        small = resized(images, 0.75)

        assert (small[..., :6].mean(), small[..., 6:].mean()) == (0, 1)


class TestCover:
    @given(SHAPES, st.floats(0.01, 1), st.integers(0, 99))
    def test_one_square_of_each_image_is_hidden(self, shape, share, seed):
        """All channels of a square inside it become 0; every other pixel stays as it was."""
        images = numbered(*shape) + 1
        covered = cover(images.clone(), share, generator(seed))
        side = max(1, round(share * min(shape[2:])))

        for image, result in zip(images, covered, strict=True):
            rows, columns = (result[0] == 0).nonzero().unbind(1)
            top, left = rows.min(), columns.min()
            expected = image.clone()
            expected[:, top : top + side, left : left + side] = 0
            assert len(rows) == side**2
            assert torch.equal(result, expected)

    def test_every_place_is_as_likely(self):
        """A square of 2 in an image of 4 lies at each of nine places equally often."""
        covered = cover(torch.ones(9_000, 1, 4, 4), 0.5, generator())
        places, counts = covered.unique(dim=0, return_counts=True)

        assert len(places) == 9
        assert ((counts - 1_000).abs() < 5 * 1_000**0.5).all()

    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_keeps_format_and_needs_no_other_generator(self, memory_format):
        """The given one alone decides; the images are changed in place."""
        images = numbered(5, 3, 17, 16).contiguous(memory_format=memory_format)
        before = torch.get_rng_state()
        covered = cover(images, 0.25, generator(1))

        assert covered is images
        assert covered.is_contiguous(memory_format=memory_format)
        torch.testing.assert_close(torch.get_rng_state(), before)
        assert torch.equal(covered, cover(numbered(5, 3, 17, 16), 0.25, generator(1)))
