"""A classifier made on the spot: patches of the training images as filters, and a convex fit on top.

Nothing of it is trained by chance: the patches are drawn from a fixed seed and the fit has one minimum, so two machines
make the same classifier but for rounding, and rounding stays as small as it began.

Source: Coates and Ng (2011), The importance of encoding versus training with sparse coding and vector quantization.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from data import ColourImages

SEED = 2011
SIZE, STRIDE, FILTERS = 6, 2, 96  # pixels of a patch, pixels from one to the next, patches taken as filters
DRAWN, RIDGE = 40_000, 0.01  # patches that are whitened, and the variance added to theirs
THRESHOLD, GRID = 0.25, 3  # of the encoding; cells of an image along each side, over which encodings are averaged
FITTED = 20_000  # images that the projection and the classifier are made from
COMPONENTS, PENALTY = 300, 3e-4  # what the classifier sees, and the factor of its squared weights
FEATURES, TOTAL_VARIANCE = 64, 100.0  # what the Frechet distance sees
CHUNK = 250


@dataclass(frozen=True)
class Patches:
    """Features and probabilities of images, both affine in the averaged encodings of their patches.

    The features are scaled so that those of the training images have a total variance of 100: this is the squared
    Frechet distance of a generator that makes nothing but one image of average features.
    """

    name: str
    version: str
    filters: Tensor  # (FILTERS, 3, SIZE, SIZE) float32
    biases: Tensor  # (FILTERS,) float32
    weights: Tensor  # (2 FILTERS GRID^2, FEATURES + classes) float64
    constants: Tensor  # (FEATURES + classes,) float64

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute (n, FEATURES) features and (n, classes) probabilities, float64, of (n, 3, 32, 32) uint8."""
        both = torch.cat(
            [encode(chunk, self.filters, self.biases).double() @ self.weights for chunk in images.cpu().split(CHUNK)]
        )
        features, logits = (both + self.constants).tensor_split([FEATURES], 1)
        return features, logits.softmax(1)


def encode(images: Tensor, filters: Tensor, biases: Tensor) -> Tensor:
    """Average max(0, r - THRESHOLD) and max(0, -r - THRESHOLD) of the filters' responses r over the cells of a grid.

    Args:
        images: (n, 3, 32, 32) uint8.
        filters, biases: as `find_filters` returns them.

    Returns:
        (n, 2 FILTERS GRID^2) of the filters' dtype.
    """
    responses = F.conv2d(images.to(filters.dtype) / 255, filters, biases, STRIDE)
    signed = torch.cat([responses, -responses], 1)
    return F.adaptive_avg_pool2d(F.relu(signed - THRESHOLD), GRID).flatten(1)


@torch.no_grad()
def fit(images: ColourImages) -> dict[str, Tensor]:
    """Make filters, projection and classifier from the training images; returns the tensors of Patches by name."""
    generator = torch.Generator().manual_seed(SEED)
    filters, biases = find_filters(images.train, generator)
    chosen = torch.randperm(len(images.train), generator=generator)[:FITTED]
    encodings = torch.cat([encode(images.train[some], filters, biases) for some in chosen.split(CHUNK)])
    mean, variances, directions = principal_components(encodings)
    # The floor is for data sets of so few images that some directions have no variance.
    whitened = directions / variances.clamp(min=1e-6 * float(variances[0])).sqrt()
    seen = torch.cat([(some - mean) @ whitened for some in encodings.split(CHUNK)])
    slopes, intercepts = classifier(seen, images.train_labels[chosen].long(), len(images.classes))
    scale = (TOTAL_VARIANCE / variances[:FEATURES].sum()).sqrt()
    weights = torch.cat([scale * directions[:, :FEATURES], whitened @ slopes], 1)
    constants = torch.cat([torch.zeros(FEATURES), intercepts]) - mean @ weights
    return {"filters": filters, "biases": biases, "weights": weights, "constants": constants}


def find_filters(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Take whitened random patches as filters; the whitening of what they are laid on is folded into them.

    A whitened patch is W (p - m), with W = (C + RIDGE I)^(-1/2) for the mean m and the covariance C of patches p. Its
    product with a filter w, itself a whitened patch of length 1, is (W w).p - (W w).m.

    Returns:
        (FILTERS, 3, SIZE, SIZE) and (FILTERS,), float32.
    """
    places = len(images), 33 - SIZE, 33 - SIZE
    image, row, column = (torch.randint(high, (DRAWN,), generator=generator) for high in places)
    windows = images.unfold(2, SIZE, 1).unfold(3, SIZE, 1)
    patches = windows[image, :, row, column].flatten(1).double() / 255
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    whitening = vectors / (values + RIDGE).sqrt() @ vectors.T
    filters = F.normalize((patches[:FILTERS] - mean) @ whitening) @ whitening
    return filters.view(FILTERS, 3, SIZE, SIZE).float(), -(filters @ mean).float()


def principal_components(encodings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the directions in which encodings vary most: mean (d,), variances (k,), directions (d, k), float64."""
    mean = encodings.mean(0, dtype=torch.float64)
    covariance = sum((some - mean).T @ (some - mean) for some in encodings.split(CHUNK)) / len(encodings)
    variances, directions = torch.linalg.eigh(covariance)
    return mean, variances[-COMPONENTS:].flip(0), directions[:, -COMPONENTS:].flip(1)


def classifier(inputs: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Minimise the mean cross entropy of inputs.slopes + intercepts, plus PENALTY times the squared slopes.

    Returns:
        (COMPONENTS, classes) and (classes,), float64.
    """
    slopes = inputs.new_zeros(inputs.shape[1], classes, requires_grad=True)
    intercepts = inputs.new_zeros(classes, requires_grad=True)
    # With inputs whitened and slopes penalised the minimum is round, and some fifty steps come down to rounding.
    optimizer = torch.optim.LBFGS(
        [slopes, intercepts], max_iter=500, tolerance_grad=1e-8, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(inputs @ slopes + intercepts, labels) + PENALTY * slopes.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    return slopes.detach(), intercepts.detach()
