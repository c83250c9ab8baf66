"""The given generator and critic: small residual networks of a width h."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NOISE = 100
SIDE = 32
START = -3.0  # of what a residual block's share is the sigmoid of
FIRST_ITERATIONS = 15  # of the power method: u is close to the first singular vector before training begins
Normalise = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]


class ResidualBlock(nn.Module):
    """(1 - s) x + s f(x), s = sigmoid(a), with a learned a; channels and sides stay."""

    def __init__(self, f: nn.Module) -> None:
        """Take f, from (batch, channels, side, side) to the same."""
        super().__init__()
        self.f = f
        self.a = nn.Parameter(torch.tensor(START))

    def forward(self, x: Tensor) -> Tensor:
        """Mix x and f(x)."""
        return torch.lerp(x, self.f(x), self.a.sigmoid().to(x.dtype))


class NormalisedConv2d(nn.Conv2d):
    """A convolution whose weight is divided by its largest singular value, with the student's spectral_norm.

    One iteration of the power method for each batch of the training; none in evaluation.
    """

    u: Tensor

    def __init__(self, normalise: Normalise, inputs: int, outputs: int, side: int, stride: int, padding: int) -> None:
        """Take the student's function, channels, and the sizes that nn.Conv2d takes."""
        super().__init__(inputs, outputs, side, stride, padding)
        self.normalise = normalise
        u = F.normalize(torch.randn(self.out_channels), dim=0)
        self.register_buffer("u", normalise(self.weight, u, FIRST_ITERATIONS)[1].detach())

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with the normalised weight."""
        with torch.autocast(x.device.type, enabled=False):
            weight, u = self.normalise(self.weight, self.u, int(self.training))
        if self.training:
            self.u = u.detach()
        return self._conv_forward(x, weight, self.bias)


class Network(nn.Module):
    """Layers that compute in bfloat16 where they are told to, while what comes out is float32 all the same."""

    def __init__(self, layers: nn.Sequential, bfloat16: bool) -> None:
        """Take the layers; their weights stay float32."""
        super().__init__()
        self.layers = layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reduced = bfloat16

    def run(self, x: Tensor) -> Tensor:
        """Apply the layers to (batch, channels, side, side)."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.reduced):
            y: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))
            return y.float()


class Generator(Network):
    """Makes (batch, 3, 32, 32) images in (-1, 1) of (batch, 100) noise.

    100 -> 4h -> 2h -> h -> 3 channels by 4x4 transposed convolutions, 1 -> 4 -> 8 -> 16 -> 32 pixels a side, with batch
    norm, ReLU and a residual block after each but the last. Convolutions before a batch norm have no bias, for the norm
    takes it away again.
    """

    def __init__(self, width: int, bfloat16: bool = False) -> None:
        """Begin with torch's random weights."""

        def up(inputs: int, outputs: int, stride: int, padding: int) -> tuple[nn.Module, ...]:
            grow = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
            f = nn.Sequential(*_normed(outputs, 3), *_normed(outputs, 1))
            return grow, nn.BatchNorm2d(outputs), nn.ReLU(), ResidualBlock(f)

        h = width
        layers = *up(NOISE, 4 * h, 1, 0), *up(4 * h, 2 * h, 2, 1), *up(2 * h, h, 2, 1)
        super().__init__(nn.Sequential(*layers, nn.ConvTranspose2d(h, 3, 4, 2, 1), nn.Tanh()), bfloat16)

    def forward(self, noise: Tensor) -> Tensor:
        """Make images of noise."""
        return self.run(noise[:, :, None, None])


def _normed(channels: int, side: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, channels, side, padding=side // 2, bias=False)
    return convolution, nn.BatchNorm2d(channels), nn.ReLU()


class Critic(Network):
    """Scores (batch, 3, 32, 32) images, (batch,).

    3 -> h -> 2h -> 4h channels by 4x4 convolutions, 32 -> 16 -> 8 -> 4 pixels a side, with leaky ReLU and a residual
    block after each; then a 4x4 convolution to one number.
    """

    def __init__(self, width: int, bfloat16: bool = False, normalise: Normalise | None = None) -> None:
        """Begin with torch's random weights; with `normalise` every convolution is spectrally normalised."""

        def conv(inputs: int, outputs: int, side: int, stride: int = 1, padding: int = 0) -> nn.Conv2d:
            sizes = inputs, outputs, side, stride, padding
            return nn.Conv2d(*sizes) if normalise is None else NormalisedConv2d(normalise, *sizes)

        def down(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
            shrink = conv(inputs, outputs, 4, 2, 1)
            f = (conv(outputs, outputs, 3, padding=1), nn.LeakyReLU(0.2), conv(outputs, outputs, 1), nn.LeakyReLU(0.2))
            return shrink, nn.LeakyReLU(0.2), ResidualBlock(nn.Sequential(*f))

        h = width
        layers = *down(3, h), *down(h, 2 * h), *down(2 * h, 4 * h), conv(4 * h, 1, 4)
        super().__init__(nn.Sequential(*layers), bfloat16)

    def forward(self, images: Tensor) -> Tensor:
        """Score images."""
        return self.run(images).flatten()


def as_input(images: Tensor) -> Tensor:
    """Turn pixels, uint8, into numbers from -1 to 1."""
    return images.float().div_(127.5).sub_(1)


def as_pixels(images: Tensor) -> Tensor:
    """Turn numbers from -1 to 1 into pixels, uint8, rounded."""
    return images.add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
