"""The coloured shapes that need no download."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

import data
from data.shapes import SHAPES, SIDE, SIZES, shapes


@pytest.fixture
def another_global_state() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def test_split() -> tuple[Tensor, Tensor]:
    return shapes("test")


def patterns(images: Tensor) -> Tensor:
    """Spectra of the colour that varies most, which tell neither colours nor places."""
    colours = images.float().flatten(2)
    colours = colours - colours.mean(2, keepdim=True)
    main = torch.linalg.eigh(colours @ colours.mT).eigenvectors[:, :, -1:]
    spectra = torch.fft.rfft2((main.mT @ colours).view(-1, SIDE, SIDE)).abs().flatten(1)
    return spectra / spectra.norm(dim=1, keepdim=True)


def test_load_by_name_without_any_file(tmp_path: Path) -> None:
    images = data.load_colour("shapes", tmp_path)
    assert not list(tmp_path.iterdir())
    assert images.name == "shapes"
    assert len(images.classes) == 10
    for split, labels in (("train", images.train_labels), ("test", images.test_labels)):
        found = getattr(images, split)
        assert (found.shape, found.dtype) == ((SIZES[split], 3, 32, 32), torch.uint8)
        assert labels.dtype == torch.uint8
        assert labels[:12].tolist() == [*range(10), 0, 1]
        assert labels.bincount().tolist() == [SIZES[split] // 10] * 10
    everything = torch.cat([images.train, images.test]).flatten(1)
    assert len(everything.unique(dim=0)) == len(everything), "an image comes twice, perhaps in two splits"


def test_the_same_each_time_and_another_split_has_others() -> None:
    images, labels = shapes("train", 100)
    assert torch.equal(images, shapes("train", 100)[0])
    assert torch.equal(labels, shapes("test", 100)[1])
    assert not (images == shapes("test", 100)[0]).flatten(1).all(1).any()


@pytest.mark.usefixtures("another_global_state")
def test_do_not_depend_on_the_global_state(test_split: tuple[Tensor, Tensor]) -> None:
    assert torch.equal(shapes("test")[0], test_split[0])


def test_every_image_has_contrast_and_soft_edges(test_split: tuple[Tensor, Tensor]) -> None:
    brightness = test_split[0].float().amax(1).flatten(1)  # of light colours at least 0.85, of dark ones at most 0.45
    assert (brightness.amax(1) - brightness.amin(1)).min() > 0.35 * 255
    assert len(shapes("test", 1)[0][0].flatten(1).unique(dim=1).T) > 20, "hard edges on a plain ground"


def test_colours_are_of_all_hues_whatever_the_class(test_split: tuple[Tensor, Tensor]) -> None:
    images, labels = test_split
    for label in range(len(SHAPES)):
        means = images[labels == label].float().mean((0, 2, 3))
        # Of 200 images a class. The largest difference between two channels is 6.5; the seed is fixed.
        assert means.max() - means.min() < 16


@pytest.mark.parametrize("label", range(7))
def test_shapes_lie_inside_the_image(label: int, test_split: tuple[Tensor, Tensor]) -> None:
    # A ground alone changes by some per cent from pixel to pixel: an edge, by more than a tenth.
    images = test_split[0][test_split[1] == label].float()
    border = torch.cat([images[:, :, [0, -1]], images[:, :, :, [0, -1]].mT], 2)
    steps = border.diff(dim=3).abs().amax((1, 2, 3))
    assert (steps > 20).float().mean() < 0.02


def test_an_image_is_most_like_those_of_its_class(test_split: tuple[Tensor, Tensor]) -> None:
    # A 1-nearest-neighbour classifier: labels belong to their images, and a split tells about another.
    (train, train_labels), (test, test_labels) = shapes("train", 2000), (part[:500] for part in test_split)
    nearest = torch.cdist(patterns(test), patterns(train)).argmin(1)
    assert (train_labels[nearest] == test_labels).float().mean() > 0.98


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="found split 'valid', expected one of train, test"):
        shapes("valid")
