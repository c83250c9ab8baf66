"""The Inception network of the literature's two scores, and those scores themselves, both from torch-fidelity.

torch-fidelity is an optional dependency, the extra 'images'; it is imported when it is needed.
"""

import hashlib
import io
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from data import DataDamaged, DataMissing
from data.download import fetch
from data.vision import torchvision

from ..runs import RunError

if TYPE_CHECKING:
    from .extractors import Statistics

PREFIX = "6726825d"  # of the weights' SHA-256
FILE = f"weights-inception-2015-12-05-{PREFIX}.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
OTHERWISE = "or score with the classifier that is made on the spot: --set extractor=patches"
CHUNK = 32  # images, enlarged to 299x299: some 400 MB


@dataclass(frozen=True)
class Inception:
    """The Inception network: 2048 features, and the probabilities of its 1008 classes by logits without bias."""

    version: str
    network: Any
    device: torch.device
    name: str = "inception"

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute (n, 2048) features and (n, 1008) probabilities, float64 on the CPU, of (n, 3, 32, 32) uint8."""
        # Without this a GPU rounds to the 10 bits of TF32, and its scores are not those of a CPU.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            pairs = [[part.cpu().double() for part in self.network(x.to(self.device))] for x in images.split(CHUNK)]
        features, logits = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return features, logits.softmax(1)


def read(root: Path) -> Inception:
    """Build the network, on a GPU where there is one, with weights from `root`, torch hub's cache or the network.

    Raises:
        RunError: torch-fidelity is not installed.
        DataMissing: the weights are neither there nor to be downloaded.
        DataDamaged: they are not what they should be.
    """
    module = expect_installed()
    path = find_weights(root)
    try:
        version, network = _build(module, path.read_bytes())
    except Exception as error:  # a damaged file breaks in many ways, and all of them mean this
        raise DataDamaged(
            f"{path} cannot be used: {error}\n"
            f"It is left as it is. Move it away to have it downloaded again, {OTHERWISE}"
        ) from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Inception(version, network.to(device).eval(), device)  # version 0.3 leaves it in training


def _build(module: ModuleType, content: bytes) -> tuple[str, Any]:
    """Check the content of a file of weights, and build the network that it is for; returns SHA-256 and network."""
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(PREFIX):
        raise ValueError(f"found SHA-256 {found}, expected one that begins with {PREFIX}")
    # torch-fidelity unpickles with weights_only=False, which runs whatever code a file names. Eight digits of a
    # checksum can be forged, so the same bytes first pass the unpickler that knows nothing but tensors.
    torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    layers = ["2048", "logits_unbiased"]
    weights = io.BytesIO(content)
    return found, module.FeatureExtractorInceptionV3("inception", layers, feature_extractor_weights_path=weights)


def expect_installed() -> ModuleType:
    """Import the network's module.

    Raises:
        RunError: torch-fidelity is not installed.
    """
    module = _fidelity("feature_extractor_inceptionv3")
    if module is None:
        raise RunError(
            "The extractor 'inception' needs torch-fidelity, which cannot be imported. "
            f"Install it with pip install -e '.[images]', {OTHERWISE}"
        )
    return module


def find_weights(root: Path) -> Path:
    """Find the file of weights in one of its places, or download it to the first; raises as `read` does."""
    own, hub = places(root)
    for path in (own, hub):
        if path.is_file():
            return path
    try:
        fetch(URL, own, PREFIX)
    except OSError as error:
        raise DataMissing(
            f"{FILE} is in neither {own.parent} nor {hub.parent}, and cannot be downloaded: {error}\n"
            f"Download it where there is a network, from {URL}, and put it into a directory that you name with "
            f"--data DIR, {OTHERWISE}"
        ) from error
    return own


def places(root: Path) -> list[Path]:
    """Tell where the file of weights may be: in `root`, or beside it where it is a file, and in torch hub's cache."""
    directory = root.parent if root.is_file() else root  # --data may name an archive of images
    return [directory / FILE, Path(torch.hub.get_dir(), "checkpoints", FILE)]


def reference_scores(features: Tensor, probabilities: Tensor, real: "Statistics") -> tuple[float, float] | None:
    """Compute the Frechet distance to real images and the Inception Score by torch-fidelity's own code.

    Args:
        features: (n, d) float64.
        probabilities: (n, classes) float64.
        real: of the real images.

    Returns:
        Distance and score, in this order; None where torch-fidelity is not installed.
    """
    fid, isc = _fidelity("metric_fid"), _fidelity("metric_isc")
    if fid is None or isc is None:
        return None
    logits = probabilities.clamp(min=1e-300).log()  # it takes a softmax, and 0 log 0 would be nan
    score = isc.isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    distance = fid.fid_statistics_to_metric(
        fid.fid_features_to_statistics(features), {"mu": real.mean.numpy(), "sigma": real.cov.numpy()}, verbose=False
    )["frechet_inception_distance"]
    return distance, score


def _fidelity(module: str) -> ModuleType | None:
    """Import a module of torch-fidelity, by the door that lets torchvision in; None where it cannot be imported."""
    try:
        torchvision()
        return import_module(f"torch_fidelity.{module}")
    except ImportError:
        return None
