"""Binary images of digits, drawn from the fonts that matplotlib ships: the default, which needs no download."""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import Images

SIZES = {"train": 10_000, "valid": 1_000, "test": 1_000}
SEEDS = {"train": 1, "valid": 2, "test": 3}  # one random stream a split

# Fonts with plain digits. Left out: symbol fonts, old-style digits (cmmi10), and the dotted zero of DejaVu Sans Mono.
REGULAR = (
    *("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic"),
    *("cmr10", "cmss10", "cmti10", "cmtt10"),
)
BOLD = (
    *("DejaVuSans-Bold", "DejaVuSans-BoldOblique", "DejaVuSerif-Bold", "DejaVuSerif-BoldItalic"),
    *("STIXGeneralBol", "STIXGeneralBolIta", "cmb10"),
)
FONTS = REGULAR + BOLD

CANVAS = 64  # pixels a side of a glyph before warping; the image of it has 28
GLYPH_HEIGHT = 46  # of these, the digit's own: 20 of 28 pixels, as in MNIST

# Half-ranges of the random changes: radians, slope, log factor, half images, and canvas pixels of half a stroke. The
# last varies about a mean that thickens hairlines, which 28 pixels would lose, and spares what is bold already.
ROTATION, SHEAR, LOG_SCALE, SHIFT, STROKE = 0.2, 0.2, 0.15, 0.1, 0.7
REGULAR_STROKE, BOLD_STROKE = 1.2, 0.0


def load(root: Path | None = None) -> Images:
    """Draw the three splits of 10,000, 1,000 and 1,000 images; nothing is read from or written to `root`."""
    splits = {split: digits(split)[0] for split in SIZES}
    return Images("digits", "digits drawn from matplotlib's fonts", **splits)


def digits(split: str, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Draw the digits 0, 1, ..., 9, 0, 1, ... in random fonts, turned, slanted, scaled, shifted and inked at random.

    Args:
        split: 'train', 'valid' or 'test'; each has a random stream of its own.
        count: number of images, by default the split's size in SIZES. The same split and count give the same images,
            but for the rare pixel that another processor rounds differently.

    Returns:
        ((count, 784) uint8 zeros and ones, rows of the image one after another; (count,) int64 labels).

    Raises:
        ValueError: there is no such split.
    """
    if split not in SIZES:
        raise ValueError(f"digits: found split {split!r}, expected one of {', '.join(SIZES)}")
    count = SIZES[split] if count is None else count
    generator = Generator().manual_seed(SEEDS[split])
    labels = torch.arange(count) % 10
    fonts = torch.randint(len(FONTS), (count,), generator=generator)
    changes = 2 * torch.rand(count, 7, generator=generator, dtype=torch.float32) - 1
    images = [_draw(*rows) for rows in zip(labels.split(1000), fonts.split(1000), changes.split(1000), strict=True)]
    return torch.cat(images), labels


def _draw(labels: Tensor, fonts: Tensor, changes: Tensor) -> Tensor:
    """Warp one glyph for each row of `changes`, (n, 7) in [-1, 1], to an image of 784 zeros and ones."""
    angle, shear, scale_x, scale_y, shift_x, shift_y, stroke = changes.unbind(1)
    cos, sin = torch.cos(ROTATION * angle), torch.sin(ROTATION * angle)
    x, y = torch.exp(LOG_SCALE * scale_x), torch.exp(LOG_SCALE * scale_y)
    # grid_sample asks where a pixel of the image comes from, so this is the way back from image to glyph.
    slanted = torch.stack([cos, SHEAR * shear - sin, SHIFT * shift_x, sin, cos, SHIFT * shift_y], 1).view(-1, 2, 3)
    way_back = slanted * torch.stack([x, y], 1)[:, :, None]
    grid = F.affine_grid(way_back, [len(labels), 1, 28, 28], align_corners=False)
    ink = F.grid_sample(glyphs()[fonts, labels, None], grid, padding_mode="border", align_corners=False)
    weight = torch.where(fonts < len(REGULAR), REGULAR_STROKE, BOLD_STROKE).to(stroke) + STROKE * stroke
    return (ink.flatten(1) + weight[:, None] > 0).to(torch.uint8)


@cache
def glyphs() -> Tensor:
    """Render each digit of each font once.

    Returns:
        (fonts, 10, 64, 64) signed distance to the digit's outline, in pixels of this canvas, positive inside: adding a
        constant makes the strokes thicker everywhere alike, and linear interpolation keeps edges where they are.
    """
    inside = torch.stack([torch.stack([_render(font, digit) for digit in range(10)]) for font in FONTS])
    return torch.stack([_distance(~masks) - _distance(masks) for masks in inside])


def _render(font: str, digit: int) -> Tensor:
    """Draw one digit, scaled to a common height and centred: (64, 64) booleans."""
    # Imported here: whoever loads another data set waits for neither.
    import matplotlib
    import numpy as np
    from PIL import Image, ImageFont

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    mask = ImageFont.truetype(str(file), 200).getmask(str(digit))
    large = Image.frombytes("L", mask.size, bytes(mask))
    large = large.crop(large.getbbox())
    width = round(large.width * GLYPH_HEIGHT / large.height)
    canvas = Image.new("L", (CANVAS, CANVAS))
    canvas.paste(large.resize((width, GLYPH_HEIGHT)), ((CANVAS - width) // 2, (CANVAS - GLYPH_HEIGHT) // 2))
    return torch.from_numpy(np.array(canvas) > 127)


def _distance(masks: Tensor) -> Tensor:
    """Measure the distance of each pixel to the nearest one that is set, along rows first and columns then."""
    place = torch.arange(CANVAS, dtype=torch.float32)
    squares = (place[:, None] - place) ** 2
    along_rows = (squares + (~masks * 2 * CANVAS**2)[:, :, None]).amin(-1)
    return (squares + along_rows.mT[:, :, None]).amin(-1).mT.sqrt()
