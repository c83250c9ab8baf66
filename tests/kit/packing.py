"""Hand-ins as the tests of the intake pack them, and what is taken of them."""

import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

from grading.intake import take

VAE = {f"vae/{name}.py": f"# {name}\n".encode() for name in ("bounds", "divergences", "likelihoods", "properties")}
RUN = {
    "runs/vae-1/config.json": b"{}",
    "runs/vae-1/checkpoint.safetensors": b"1",
    "runs/f/config.json": b"{}",
    "runs/f/trainings/arcs-samples-2/metrics.jsonl": b"{}",
    "runs/f/trajectories/w1-r1-0.1.safetensors": b"2",
}
LIKELIHOODS = "vae/likelihoods.py"


def directory(path, files):
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(path, files, **how):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


def tarred(path, files, mode="w:gz", others=(), **how):
    with tarfile.open(path, mode, **how) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind, target in others:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return path


def taken(source):
    """Take a hand-in, and return what is said of it and what was written."""
    with tempfile.TemporaryDirectory() as name:
        into = Path(name)
        result = take(source, into)
        return result, {str(p.relative_to(into)): p.read_bytes() for p in into.rglob("*") if p.is_file()}


def told(result):
    return "\n".join(result.notes)
