"""What images are scored by: the classifier made on the spot, its cache, the Inception network, torch-fidelity."""

import hashlib
import pickle
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from data import ColourImages, DataDamaged, DataMissing, load_colour
from data.vision import torchvision
from exercises.experiments.cifar10 import extractors, inception, patches
from exercises.experiments.cifar10.extractors import Statistics, real_statistics, statistics
from exercises.experiments.cifar10.patches import Patches
from exercises.experiments.runs import RunError
from solutions.gan.scores import frechet_distance, inception_score

needs_fidelity = pytest.mark.skipif(
    find_spec("torch_fidelity") is None, reason="torch-fidelity is not installed: pip install -e '.[images]'"
)


@pytest.fixture(scope="module")
def shapes():
    """The first 3,000 training images of the shapes, and the first 1,000 of their test images."""
    whole = load_colour("shapes")
    first = {"train": whole.train[:3000], "train_labels": whole.train_labels[:3000]}
    return replace(whole, **first, test=whole.test[:1000], test_labels=whole.test_labels[:1000])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def extractor(shapes, cache):
    return extractors.make("patches", shapes, cache, cache)


@pytest.fixture(scope="module")
def real(extractor, shapes, cache):
    return real_statistics(extractor, shapes, cache)


@pytest.fixture
def scores(extractor, real):
    """A function from images, of any type and in any range, to their Frechet distance and classifier score."""

    def measure(images, extractor=extractor, real=real):
        features, probabilities = extractor(images.round().clamp(0, 255).to(torch.uint8))
        own = statistics(features)
        distance = frechet_distance(own.mean, own.cov, real.mean, real.cov)
        return float(distance), float(inception_score(probabilities))

    return measure


@pytest.fixture
def few(monkeypatch):
    """Forty random images in two classes, and constants so small that a classifier of them is made at once."""
    for name, value in {"FILTERS": 3, "DRAWN": 300, "COMPONENTS": 8, "FEATURES": 4}.items():
        monkeypatch.setattr(patches, name, value)
    stream = torch.Generator().manual_seed(1)
    images = torch.randint(256, (40, 3, 32, 32), generator=stream, dtype=torch.uint8)
    labels = (torch.arange(40) % 2).to(torch.uint8)
    return ColourImages("few", "random numbers", ("a", "b"), images, labels, images, labels)


def blurred(images):
    box = torch.ones(3, 1, 3, 3) / 9
    return F.conv2d(F.pad(images.float(), (1, 1, 1, 1), mode="replicate"), box, groups=3)


def noisy(images, deviation):
    return images + deviation * torch.randn(images.shape, generator=torch.Generator().manual_seed(2))


def of_classes(images, count):
    return images.train[images.train_labels < count]


# The classifier that is made on the spot


def test_it_tells_the_shapes_apart(extractor, shapes):
    _, probabilities = extractor(shapes.test)
    assert (probabilities.argmax(1) == shapes.test_labels).double().mean() >= 0.95


def test_what_it_gives_for_images(extractor, shapes):
    features, probabilities = extractor(shapes.test[:7])
    assert extractor.name == "patches on shapes"
    assert (features.shape, probabilities.shape) == ((7, patches.FEATURES), (7, 10))
    assert features.dtype == probabilities.dtype == torch.float64
    assert not features.requires_grad
    assert torch.allclose(probabilities.sum(1), torch.ones(7, dtype=torch.float64))


def test_an_image_has_the_same_features_whatever_is_beside_it(extractor, shapes):
    together = extractor(shapes.test[: patches.CHUNK + 9])
    alone = extractor(shapes.test[patches.CHUNK + 4 : patches.CHUNK + 5])
    for one, many in zip(alone, together, strict=True):
        assert torch.allclose(one[0], many[patches.CHUNK + 4], rtol=1e-4, atol=1e-4)


def test_the_features_of_the_training_images_have_no_mean_and_a_total_variance_of_a_hundred(real):
    assert torch.allclose(real.mean, torch.zeros_like(real.mean), atol=1e-4)
    assert float(real.cov.trace()) == pytest.approx(100, rel=1e-3)
    assert torch.allclose(real.cov, real.cov.diag().diag(), atol=1e-3)  # principal components do not correlate


def test_a_filter_answers_with_the_product_of_whitened_patches(few):
    filters, biases = patches.find_filters(few.train, torch.Generator().manual_seed(5))
    stream = torch.Generator().manual_seed(5)
    places = (torch.randint(high, (patches.DRAWN,), generator=stream).tolist() for high in (40, 27, 27))
    drawn = [few.train[i, :, y : y + 6, x : x + 6].flatten() for i, y, x in zip(*places, strict=True)]
    p = torch.stack(drawn).double() / 255
    # Whitening by singular values: another way than the code's.
    u, s, v = torch.linalg.svd(p - p.mean(0), full_matrices=False)
    white = u * (s / (s**2 / (len(p) - 1) + patches.RIDGE).sqrt()) @ v
    expected = white @ F.normalize(white[: patches.FILTERS]).T
    found = p @ filters.flatten(1).double().T + biases.double()
    assert torch.allclose(found, expected, atol=1e-4)


def test_encodings_are_averages_of_what_exceeds_the_threshold_on_either_side():
    images = torch.full((1, 3, 32, 32), 255, dtype=torch.uint8)
    filters = torch.stack([torch.full((3, 6, 6), 1 / 108), torch.full((3, 6, 6), -1 / 108)])  # they answer 1 and -1
    found = patches.encode(images, filters, torch.tensor([0.5, 0.5])).view(2, 2, -1)  # sign, filter, cell
    expected = torch.tensor([[1.5 - patches.THRESHOLD, 0], [0, 0.5 - patches.THRESHOLD]])
    assert torch.allclose(found, expected[:, :, None].expand(2, 2, patches.GRID**2), atol=1e-6)


def test_the_classifier_is_at_the_minimum():
    stream = torch.Generator().manual_seed(3)
    inputs = torch.randn(200, 5, generator=stream, dtype=torch.float64)
    labels = torch.randint(3, (200,), generator=stream)
    slopes, intercepts = (t.requires_grad_() for t in patches.classifier(inputs, labels, 3))
    loss = F.cross_entropy(inputs @ slopes + intercepts, labels) + patches.PENALTY * slopes.square().sum()
    for gradient in torch.autograd.grad(loss, [slopes, intercepts]):
        assert gradient.abs().max() < 1e-7


# What becomes of the scores when images become worse


def test_two_halves_of_the_real_images_are_near_each_other(extractor, shapes, scores):
    half = statistics(extractor(shapes.train[:1500])[0])
    distance, score = scores(shapes.train[1500:], real=half)
    assert 0 < distance < 1
    assert score > 8


@pytest.mark.parametrize(
    ("least", "change"),
    [
        (2.0, lambda x: blurred(x)),
        (10.0, lambda x: x.float().mean(1, keepdim=True).expand(-1, 3, -1, -1)),  # grey
        (10.0, lambda x: 0.8 * x),  # darker
        (10.0, lambda x: noisy(x, 30)),
        (50.0, lambda x: noisy(0 * x + 128, 60)),  # nothing but noise
    ],
    ids=["blurred", "grey", "darker", "noisy", "noise"],
)
def test_images_that_look_worse_score_worse(least, change, shapes, scores):
    distance, score = scores(shapes.train[:500])
    worse_distance, worse_score = scores(change(shapes.train[:500]))
    assert worse_distance > distance + least
    assert worse_score < 0.9 * score


def test_the_more_is_changed_the_worse_are_the_scores(shapes, scores):
    some = shapes.train[:500]
    for series in (
        [some, blurred(some), blurred(blurred(some)), blurred(blurred(blurred(some)))],
        [noisy(some, 0), noisy(some, 20), noisy(some, 40), noisy(some, 80)],
        [of_classes(shapes, count)[:300] for count in (10, 7, 4, 1)],
    ):
        distances, classifier_scores = zip(*map(scores, series), strict=True)
        assert list(distances) == sorted(distances)
        assert list(classifier_scores) == sorted(classifier_scores, reverse=True)


def test_a_generator_that_makes_few_images_is_found_out(shapes, scores):
    assert scores(of_classes(shapes, 5))[1] == pytest.approx(5, abs=1)
    assert scores(of_classes(shapes, 1))[1] == pytest.approx(1, abs=0.3)
    assert scores(shapes.train[:1].expand(50, -1, -1, -1))[1] == pytest.approx(1)
    assert scores(shapes.train[:30].repeat(10, 1, 1, 1))[0] > 10 * scores(shapes.train[:300])[0]


# Rounding


def test_scores_hardly_depend_on_the_precision_of_the_filters(extractor, shapes, scores):
    double = replace(extractor, filters=extractor.filters.double(), biases=extractor.biases.double())
    for images in (shapes.test[:500], blurred(shapes.test[:500])):
        assert scores(images, double) == pytest.approx(scores(images), rel=1e-4)


def test_a_machine_that_rounds_differently_makes_a_classifier_with_the_same_scores(shapes, scores, monkeypatch):
    encode, stream = patches.encode, torch.Generator().manual_seed(4)

    def rounded(*arguments):
        exact = encode(*arguments)
        return exact * (1 + 1e-6 * torch.randn(exact.shape, generator=stream))

    monkeypatch.setattr(patches, "encode", rounded)
    other = Patches("other", "other", **patches.fit(shapes))
    real = statistics(other(shapes.train)[0])
    for images in (shapes.test[:500], blurred(shapes.test[:500]), noisy(shapes.test[:500], 30)):
        assert scores(images, other, real) == pytest.approx(scores(images), rel=1e-4)


# The cache


@pytest.fixture
def made(monkeypatch):
    """A list that grows by one name with every classifier that is made."""
    names, fit = [], patches.fit

    def counted(images):
        names.append(images.name)
        return fit(images)

    monkeypatch.setattr(patches, "fit", counted)
    return names


def tensors_of(extractor):
    return [extractor.filters, extractor.biases, extractor.weights, extractor.constants]


def test_a_classifier_is_made_once(few, made, tmp_path):
    first, second = (extractors.make("patches", few, tmp_path, tmp_path) for _ in range(2))
    assert made == ["few"]
    assert first.version == second.version
    assert all(map(torch.equal, tensors_of(first), tensors_of(second)))
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_other_images_labels_names_and_code_have_classifiers_of_their_own(few, made, tmp_path, monkeypatch):
    others = [
        replace(few, train=few.train.flip(3)),
        replace(few, train_labels=few.train_labels.flip(0)),
        replace(few, name="other"),
        replace(few, classes=("a", "c")),
    ]
    versions = [extractors.make("patches", images, tmp_path, tmp_path).version for images in [few, *others]]
    assert len(made) == 5
    assert len({*versions[:3]}) == 3
    changed = tmp_path / "patches.py"
    changed.write_text("FILTERS = 97\n")
    monkeypatch.setattr(patches, "__file__", str(changed))
    extractors.make("patches", few, tmp_path, tmp_path)
    assert len(made) == 6


def broken(content, how):
    match how:
        case "cut off":
            return content[: len(content) // 2]
        case "a bit":
            return content[:-50] + bytes([content[-50] ^ 1]) + content[-49:]
        case "empty":
            return b""
        case "a pickle":
            return pickle.dumps({"weights": [1.0]})
        case "no digest":
            return b'%c\0\0\0\0\0\0\0{"__metadata__":{}}' % 19


@pytest.mark.parametrize("how", ["cut off", "a bit", "empty", "a pickle", "no digest"])
def test_a_damaged_file_is_made_anew(how, few, made, tmp_path):
    before = extractors.make("patches", few, tmp_path, tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(broken(content, how))
    after = extractors.make("patches", few, tmp_path, tmp_path)
    assert len(made) == 2
    assert file.read_bytes() == content
    assert all(map(torch.equal, tensors_of(before), tensors_of(after)))


def test_a_directory_that_cannot_be_written_to_is_no_error(few, made, tmp_path):
    place = tmp_path / "file"  # nothing can be made below a file, not even by root
    place.write_text("")
    extractor = extractors.make("patches", few, tmp_path, place)
    assert real_statistics(extractor, few, place).count == 40
    extractors.make("patches", few, tmp_path, place)
    assert len(made) == 2


def test_an_interruption_leaves_nothing(few, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(patches, "classifier", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extractors.make("patches", few, tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []


class Colours:
    """An extractor that counts what it looks at: the mean of each colour, and the class of the brightest."""

    name, version, seen = "colours", "1", 0

    def __call__(self, images):
        self.seen += len(images)
        means = images.double().mean((2, 3))
        return means, (means == means.amax(1, keepdim=True)).double()


def test_the_statistics_of_the_real_images_are_made_once(few, tmp_path, monkeypatch):
    monkeypatch.setattr(extractors, "CHUNK", 7)
    extractor = Colours()
    first, second = (real_statistics(extractor, few, tmp_path) for _ in range(2))
    assert extractor.seen == first.count == second.count == 40
    colours = few.train.double().mean((2, 3))
    centred = colours - colours.mean(0)
    for found in (first, second):
        assert torch.allclose(found.mean, colours.mean(0))
        assert torch.allclose(found.cov, centred.T @ centred / 39)
    extractor.version = "2"
    real_statistics(extractor, few, tmp_path)
    real_statistics(extractor, replace(few, train=few.train.flip(1)), tmp_path)
    assert extractor.seen == 120


def test_a_name_that_no_extractor_has_is_refused(few, tmp_path):
    with pytest.raises(RunError, match=r"found extractor 'incepton'.*did you mean 'inception'"):
        extractors.make("incepton", few, tmp_path)


# The Inception network, with random weights in the place of those that are downloaded


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    """A file of random weights in the format of the released ones."""
    torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = FeatureExtractorInceptionV3("random", ["2048"], feature_extractor_weights_path=path)
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty directory of data files on a machine without a network, on which torch hub has loaded nothing."""

    def fetch(*_):
        raise OSError("no network")

    monkeypatch.setattr(inception, "fetch", fetch)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def put(content, path, monkeypatch):
    """Write a file of weights, and expect its checksum."""
    path.write_bytes(content)
    monkeypatch.setattr(inception, "PREFIX", hashlib.sha256(content).hexdigest()[:8])


@needs_fidelity
def test_the_network_gives_what_torch_fidelity_gives(random_weights, root, few, monkeypatch):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    put(random_weights.read_bytes(), root / inception.FILE, monkeypatch)
    monkeypatch.setattr(inception, "CHUNK", 2)
    extractor = extractors.make("inception", few, root)
    features, probabilities = extractor(few.train[:3])
    network = FeatureExtractorInceptionV3(
        "random", ["2048", "logits_unbiased"], feature_extractor_weights_path=random_weights
    )
    expected, logits = network.eval()(few.train[:3])
    assert extractor.name == "inception"
    assert (features.shape, probabilities.shape) == ((3, 2048), (3, 1008))
    assert features.dtype == probabilities.dtype == torch.float64
    assert torch.allclose(features, expected.double(), rtol=1e-3, atol=1e-5)
    assert torch.allclose(probabilities, logits.double().softmax(1), rtol=1e-3)
    assert not features.requires_grad


@needs_fidelity
def test_weights_that_cannot_be_had_are_reported_with_what_to_do(root, few):
    with pytest.raises(DataMissing) as caught:
        extractors.make("inception", few, root)
    for word in (str(root), "no network", inception.URL, "--data DIR", "--set extractor=patches"):
        assert word in str(caught.value)


def test_weights_are_looked_for_in_the_directory_then_in_torch_hub_then_downloaded(root, monkeypatch):
    asked = []
    monkeypatch.setattr(inception, "fetch", lambda *arguments: asked.append(arguments))
    own, hub = root / inception.FILE, root.parent / "hub" / "checkpoints" / inception.FILE
    assert inception.find_weights(root) == own
    assert asked == [(inception.URL, own, "6726825d")]
    hub.write_text("")
    assert inception.find_weights(root) == hub
    own.write_text("")
    assert inception.find_weights(root) == own
    archive = root / "images.tar.xz"
    archive.write_text("")
    assert inception.find_weights(archive) == own
    assert len(asked) == 1


@needs_fidelity
def test_weights_with_another_checksum_are_refused_and_left(random_weights, root, few):
    path = root / inception.FILE
    path.write_bytes(random_weights.read_bytes())
    with pytest.raises(DataDamaged, match=r"found SHA-256 \w+, expected one that begins with 6726825d(.|\n)*patches"):
        extractors.make("inception", few, root)
    assert path.read_bytes() == random_weights.read_bytes()


class Dangerous:
    """What touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@needs_fidelity
@pytest.mark.parametrize("content", ["code", "other tensors", "no pickle"])
def test_weights_with_the_checksum_and_another_content_are_refused_and_run_nothing(content, root, few, monkeypatch):
    path, touched = root / inception.FILE, root / "touched"
    torch.save({"code": Dangerous(touched), "other tensors": {"w": torch.zeros(2)}, "no pickle": 0}[content], path)
    put(b"words" if content == "no pickle" else path.read_bytes(), path, monkeypatch)
    with pytest.raises(DataDamaged, match="cannot be used"):
        extractors.make("inception", few, root)
    assert not touched.exists()
    if content == "code":
        torch.load(path, weights_only=False)
        assert touched.exists()  # it was dangerous


def test_without_torch_fidelity_there_is_no_network_and_nothing_to_compare_with(root, few, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(inception, "import_module", missing)
    with pytest.raises(RunError, match=r"pip install -e '.\[images\]', or .*--set extractor=patches"):
        extractors.make("inception", few, root)
    real = Statistics(torch.zeros(2), torch.eye(2), 3)
    assert inception.reference_scores(torch.zeros(3, 2), torch.ones(3, 1), real) is None


# Agreement with torch-fidelity


@needs_fidelity
def test_the_reference_solutions_agree_with_torch_fidelity(extractor, real, shapes, scores):
    for images in (shapes.test[:500], blurred(shapes.test[:500]), shapes.test[:30]):  # 30: covariances of low rank
        features, probabilities = extractor(images.round().to(torch.uint8))
        expected = inception.reference_scores(features, probabilities, real)
        assert scores(images) == pytest.approx(expected, rel=1e-3)


@needs_fidelity
def test_sure_classifiers_have_a_score_too(real):
    certain = torch.eye(4, dtype=torch.float64).repeat(5, 1)
    _, score = inception.reference_scores(torch.randn(20, len(real.mean), dtype=torch.float64), certain, real)
    assert score == pytest.approx(4)
