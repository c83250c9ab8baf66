"""Many games at once, as an animation: all starts as they go round, in, or onto the limit cycle."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw

from .settings import Config, Training
from .theory import LIMIT_CYCLE, has_equilibrium, limit_cycle
from .trajectories import Trajectory

PIXELS, MARGIN, HALF = 190, 18, 2.2  # of a panel, above it, and what it shows of the plane to each side
FRAMES, FRAME_MS, TRAIL, STARTS = 64, 80, 5, 24
SHOWN = ("none", "r1", "gp")


def save_animation(config: Config, found: Mapping[Training, Trajectory], path: Path) -> None:
    """Write a GIF of one training for each penalty: those of W1 with the large coefficient, if there are."""
    best = sorted(found, key=lambda t: (t.objective != "w1", -t.coefficient))
    first = {kind: next((t for t in best if t.penalty == kind), None) for kind in SHOWN}
    chosen = [t for t in first.values() if t is not None]
    frames = min(FRAMES, *(len(found[t].starts) for t in chosen))
    images = [_frame(chosen, config, found, number) for number in range(frames)]
    path.parent.mkdir(exist_ok=True)
    images[0].save(path, save_all=True, append_images=images[1:], duration=FRAME_MS, loop=0, optimize=True)


def _frame(chosen: list[Training], config: Config, found: Mapping[Training, Trajectory], number: int) -> Image.Image:
    """Draw the panels side by side."""
    image = Image.new("RGB", (PIXELS * len(chosen), PIXELS + MARGIN), "white")
    draw = ImageDraw.Draw(image)
    for column, training in enumerate(chosen):
        left = column * PIXELS
        draw.text((left + 6, 2), training.title, fill="black", font_size=12)
        draw.line([*_place(left, -HALF, 0), *_place(left, HALF, 0)], fill="#d1495b")
        if not has_equilibrium(training):
            theta = limit_cycle(config)
            corners = [*_place(left, -LIMIT_CYCLE, theta), *_place(left, LIMIT_CYCLE, -theta)]
            draw.ellipse(corners, outline="#bbb")
        _draw_starts(draw, left, found[training].starts[: number + 1, :STARTS].numpy())
    return image.quantize(32)


def _draw_starts(draw: ImageDraw.ImageDraw, left: int, records: np.ndarray) -> None:
    """Draw where each start is now and was lately, (records, starts, 2), coloured by the angle that it began at."""
    for line in records.swapaxes(0, 1):
        inside = [_place(left, *point) for point in line[-TRAIL:] if abs(point).max() < HALF]
        if not inside:
            continue
        hue = math.atan2(line[0][1], line[0][0]) / (2 * math.pi) + 0.5
        colour = tuple(int(205 * c) for c in colormaps["hsv"](hue)[:3])
        faint = tuple((c + 2 * 255) // 3 for c in colour)
        draw.line([*inside], fill=faint)
        x, y = inside[-1]
        draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=colour)


def _place(left: int, psi: float, theta: float) -> tuple[float, float]:
    return left + (psi / HALF + 1) / 2 * PIXELS, MARGIN + (1 - theta / HALF) / 2 * PIXELS
