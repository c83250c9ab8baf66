"""Coloured images of shapes and textures in ten classes, made on the spot: the default, which needs no download."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor

from . import ColourImages

SIZES = {"train": 10_000, "test": 2_000}
SEEDS = {"train": 1, "test": 2}  # one random stream a split
SIDE = 32  # pixels

# Ranges of the random changes: pixels of a shape's half-diameter, then half-ranges in pixels, radians and brightness.
SMALLEST, LARGEST = 8.5, 12.0
SHIFT, ROTATION, SLOPE = 3.0, 0.35, 0.15

# Of two colours one is light and one is dark, lowest and highest of (saturation, value): none is lost on the other.
LIGHT = ((0.25, 0.85), (0.75, 1.0))
DARK = ((0.55, 0.15), (0.95, 0.45))

# A shape is its signed distance, negative inside: points of the plane, x to the right and y down, to (...). A unit is
# half the shape's diameter. Edges are soft where distances are right near them, whatever they are elsewhere.
Shape = Callable[[Tensor, Tensor], Tensor]


def _disc(x: Tensor, y: Tensor, radius: float = 1.0) -> Tensor:
    return torch.hypot(x, y) - radius


def _star(points: int, inner: float) -> Shape:
    """Make a star of so many points, with corners between them at `inner` from the centre: or a regular polygon."""
    half = math.pi / points
    along = torch.tensor([inner * math.cos(half) - 1, inner * math.sin(half)], dtype=torch.float64)
    down, right = (along / along.norm()).tolist()

    def distance(x: Tensor, y: Tensor) -> Tensor:
        # The star is its own mirror image in every ray to a corner, so one edge stands for all.
        angle = (torch.remainder(torch.atan2(x, -y) + half, 2 * half) - half).abs()
        radius = torch.hypot(x, y)
        return right * (radius * angle.cos() - 1) - down * radius * angle.sin()

    return distance


def _cross(x: Tensor, y: Tensor, half_width: float = 0.32) -> Tensor:
    long, short = torch.maximum(x.abs(), y.abs()), torch.minimum(x.abs(), y.abs())
    return torch.maximum(long - 1, short - half_width)


def _moon(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(_disc(x, y), -_disc(x - 0.55, y, 0.8))


def _wave(x: Tensor, period: float) -> Tensor:
    """Fold a coordinate into its distance from the middle of the nearest of equal pieces, (...) in [0, period / 2]."""
    return (torch.remainder(x, period) - period / 2).abs()


def _stripes(x: Tensor, _: Tensor, period: float = 0.75) -> Tensor:
    return _wave(x, period) - period / 4


def _checkerboard(x: Tensor, y: Tensor) -> Tensor:
    across, down = _stripes(x, y, 1.1), _stripes(y, x, 1.1)
    return torch.maximum(torch.minimum(across, down), -torch.maximum(across, down))


def _dots(x: Tensor, y: Tensor, period: float = 0.8) -> Tensor:
    return _disc(_wave(x, period), _wave(y, period), 0.3 * period)


SHAPES: dict[str, Shape] = {
    "disc": _disc,
    "square": lambda x, y: torch.maximum(x.abs(), y.abs()) - 0.75,
    "triangle": _star(3, math.cos(math.pi / 3)),
    "star": _star(5, 0.45),
    "ring": lambda x, y: _disc(x, y, 0.8).abs() - 0.2,
    "cross": _cross,
    "moon": _moon,
    "stripes": _stripes,
    "checkerboard": _checkerboard,
    "dots": _dots,
}


def load(root: Path | None = None) -> ColourImages:
    """Draw the two splits of 10,000 and 2,000 images; nothing is read from or written to `root`."""
    train, train_labels = shapes("train")
    test, test_labels = shapes("test")
    source = "coloured shapes, drawn by the kit"
    return ColourImages("shapes", source, tuple(SHAPES), train, train_labels, test, test_labels)


def shapes(split: str, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Draw the classes 0, 1, ..., 9, 0, 1, ... in random colours, shifted, scaled, and turned at random.

    Args:
        split: 'train' or 'test'; each has a random stream of its own.
        count: number of images, by default the split's size in SIZES. The same split and count give the same images,
            but for the rare pixel that another processor rounds differently.

    Returns:
        ((count, 3, 32, 32) uint8 images, (count,) uint8 labels).

    Raises:
        ValueError: there is no such split.
    """
    if split not in SIZES:
        raise ValueError(f"shapes: found split {split!r}, expected one of {', '.join(SIZES)}")
    count = SIZES[split] if count is None else count
    chances = torch.rand(count, 14, generator=Generator().manual_seed(SEEDS[split]), dtype=torch.float32)
    images = torch.empty(count, 3, SIDE, SIDE, dtype=torch.uint8)
    for label, shape in enumerate(SHAPES.values()):
        images[label :: len(SHAPES)] = _draw(shape, chances[label :: len(SHAPES)])
    return images, (torch.arange(count) % len(SHAPES)).to(torch.uint8)


def _draw(shape: Shape, chances: Tensor) -> Tensor:
    """Draw one shape for each row of `chances`, (n, 14) in [0, 1), in (n, 3, 32, 32) bytes."""
    size, shift_x, shift_y, turn, *slopes = chances[:, :6, None, None].unbind(1)
    size = SMALLEST + (LARGEST - SMALLEST) * size
    axis = torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2  # of pixels' centres
    x, y = axis - SHIFT * (2 * shift_x - 1), axis[:, None] - SHIFT * (2 * shift_y - 1)
    cos, sin = torch.cos(ROTATION * (2 * turn - 1)), torch.sin(ROTATION * (2 * turn - 1))
    distance = size * shape((cos * x + sin * y) / size, (cos * y - sin * x) / size)
    inside = (0.5 - distance).clamp(0, 1)[:, None]  # the part of a pixel that an edge through it leaves inside

    light, dark = _colours(chances[:, 6:9], *LIGHT), _colours(chances[:, 9:12], *DARK)
    swapped = (chances[:, 12] < 0.5)[:, None, None, None]
    foreground, background = torch.where(swapped, light, dark), torch.where(swapped, dark, light)
    tilt = sum((2 * slope - 1) * place for slope, place in zip(slopes, (axis, axis[:, None]), strict=True)) / axis[-1]
    background = background * (1 + SLOPE * tilt[:, None])
    return (255 * torch.lerp(background, foreground, inside)).round().clamp(0, 255).to(torch.uint8)


def _colours(chances: Tensor, lowest: tuple[float, float], highest: tuple[float, float]) -> Tensor:
    """Choose hues of the whole circle, and saturations and values between two: (n, 3) to (n, 3, 1, 1) red, green, blue.

    channel = value (1 - saturation clamp(2 - |6 (hue + offset) mod 6 - 3|, 0, 1)) with a third of the circle as offset
    """
    hue = chances[:, :1] + chances.new_tensor([0, 2 / 3, 1 / 3])
    low, high = chances.new_tensor(lowest), chances.new_tensor(highest)
    saturation, value = (low + (high - low) * chances[:, 1:]).split(1, dim=1)
    lack = (2 - (torch.remainder(6 * hue, 6) - 3).abs()).clamp(0, 1)
    return (value * (1 - saturation * lack))[:, :, None, None]
