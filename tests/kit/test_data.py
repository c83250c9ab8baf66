"""The words that all data sets share, and the digits that need no download."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import data
from data.digits import SIZES, digits
from data.vision import torchvision

MODULES = sorted(f"data.{file.stem}".removesuffix(".__init__") for file in Path(data.__file__).parent.glob("*.py"))


def run(code: str, *path: Path) -> None:
    """Run code in a process of its own, where nothing is imported yet; `path` comes before the installed packages."""
    prelude = f"import sys; sys.path[:0] = {[str(p) for p in path]}\n"
    done = subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_no_module_imports_torchvision_or_matplotlib() -> None:
    run(f"import {', '.join(MODULES)}; assert not {{'torchvision', 'matplotlib'}} & set(sys.modules)")


def test_torchvision_comes_in_with_its_operators_and_without(tmp_path: Path) -> None:
    # Stand-ins, one after another in one process: the first declares nms itself, as torchvision's own library does,
    # and nobody may have done so before; the second, like torchvision without that library, expects to find qnms.
    (tmp_path / "torchvision.py").write_text(
        "import torch\n"
        "library = torch.library.Library('torchvision', 'FRAGMENT')\n"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "torchvision.py").write_text("import torch\ntorch.library.register_fake('torchvision::qnms', print)\n")
    run(
        "from data.vision import torchvision\n"
        "first = torchvision(); assert torchvision() is first\n"
        "del sys.modules['torchvision']; sys.path[0] += '/other'\n"
        "second = torchvision(); assert torchvision() is second is not first",
        tmp_path,
    )


def test_torchvision_that_fails_otherwise_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('another trouble')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(RuntimeError, match="another trouble"):
        torchvision()


def test_the_option_goes_before_the_variable_and_the_variable_before_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_DATA", "/variable")
    assert data.data_root(Path("/option")) == Path("/option")
    assert data.data_root() == Path("/variable")
    monkeypatch.delenv("ELBO_DATA")
    assert data.data_root() == Path(data.__file__).parent / "cache"


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"found data set 'binarised-mnist'.*did you mean 'binarized_mnist'\?"):
        data.load("binarised-mnist")


def test_digits_load_by_name_without_any_file(tmp_path: Path) -> None:
    images = data.load("digits", tmp_path)
    assert {split: len(getattr(images, split)) for split in SIZES} == SIZES
    assert not list(tmp_path.iterdir())
    everything = torch.cat([images.train, images.valid, images.test])
    assert len(everything.unique(dim=0)) == len(everything), "an image comes twice, perhaps in two splits"


@pytest.mark.parametrize("split", SIZES)
def test_digits_are_binary_balanced_and_the_same_each_time(split: str) -> None:
    images, labels = digits(split, 500)
    assert images.shape == (500, 784)
    assert images.dtype == torch.uint8
    assert images.unique().tolist() == [0, 1]
    assert labels.bincount().tolist() == [50] * 10
    assert torch.equal(images, digits(split, 500)[0])


def test_digits_do_not_depend_on_the_global_state() -> None:
    expected, _ = digits("test", 100)
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        assert torch.equal(digits("test", 100)[0], expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_digits_lie_inside_the_image_and_all_have_ink() -> None:
    images = digits("train", 2000)[0].view(-1, 28, 28)
    ink = images.float().mean((1, 2))
    assert ink.min() > 0.03
    assert ink.max() < 0.5
    border = torch.cat([images[:, [0, -1]].flatten(1), images[:, :, [0, -1]].flatten(1)], 1)
    assert border.any(1).float().mean() < 0.01


def test_digits_of_a_class_are_nearest_to_their_class() -> None:
    # A 1-nearest-neighbour classifier: labels belong to their images, and a split tells about another.
    (train, train_labels), (test, test_labels) = digits("train", 2000), digits("test", 200)
    nearest = torch.cdist(test.float(), train.float()).argmin(1)
    assert (train_labels[nearest] == test_labels).float().mean() > 0.95


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="found split 'validation', expected one of train, valid, test"):
        digits("validation")
