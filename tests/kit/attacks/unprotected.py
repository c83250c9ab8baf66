"""A naive grader, which shows that the attacks attempt what they say: student code runs in the process that judges it.

It unpacks what it gets, puts the folder first on the module path, imports what lies there, and judges as root if it is
root, with all files, descriptors and networks of its own. Each submission has a process, which is killed if it takes
too long; a line of JSON for each goes to standard output.
"""

import contextlib
import importlib
import json
import os
import secrets
import select
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from grading.catalogue import all_parts
from grading.engine.implementation import ROOT, Implementation
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import Judge, Profile
from tests.support.properties import Part

from . import ATTACKS, FILE, HONEST, PART
from .scene import SECRET, Scene, scene

SECONDS, FEWER_SECONDS = 6.0, 0.5  # an honest one takes a fifth of a second
PARTS_OF_HONEST = {
    "greedy": "vae.importance_log_likelihood",
    "leaning": "vae.importance_log_likelihood",
    "shared": "vae.elbo",
    "jacobian": "flows.compose",
    "careless": "gan.critic_step",
}


def main(names: Sequence[str]) -> None:
    """Judge the attacks with these names, or all that show something here, and the honest ones."""
    torch.set_num_threads(1)  # or a fork would wait for threads that it has not
    judge = Judge(Profile(10, 60, 60, 0), seed=0)
    parts = {part.name: part for part in all_parts()}
    for name in {PART, *PARTS_OF_HONEST.values()}:
        for value in parts[name].properties[:-1]:  # the last one is drawn where a submission can see it
            judge.inputs(value)
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder), "elbo-naive") as prepared:
        os.open(ROOT / "solutions", os.O_RDONLY)
        os.chdir(ROOT)
        shutil.copytree(ROOT / "solutions", prepared.folder / "helpers-vae.importance_log_likelihood")
        for name, path, part, seconds in _wanted(prepared, names):
            print(json.dumps({"name": name, **_judged(prepared, path, parts[part], judge, seconds)}), flush=True)


def _wanted(prepared: Scene, names: Sequence[str]) -> Iterator[tuple[str, Path, str, float]]:
    for name in HONEST:
        batch = "watched" if name in PARTS_OF_HONEST else "plain"
        yield f"honest_{name}", prepared.folder / batch / f"honest_{name}", PARTS_OF_HONEST.get(name, PART), SECONDS
    for name, attack in ATTACKS.items():
        if name in names or (attack.shown and not names):
            seconds = FEWER_SECONDS if attack.shown == "fewer" else SECONDS
            yield name, attack.path(prepared.folder), attack.part, seconds


def _judged(prepared: Scene, path: Path, part: Part, judge: Judge, seconds: float) -> dict[str, list[str] | None]:
    """Judge a submission in a process of its own: the properties that held, None if there was no end; the traces."""
    before = prepared.files(path)
    out, into = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.close(out)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        with contextlib.suppress(BaseException):
            directory = unpacked(path, Path(tempfile.mkdtemp(dir=prepared.folder.parent)))
            os.write(into, json.dumps(_right(directory, part, judge)).encode())
        os._exit(0)
    os.close(into)
    text = os.read(out, 1 << 16) if select.select([out], [], [], seconds)[0] else b""
    os.close(out)
    if not text:
        time.sleep(0.1)  # it may have become another program
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    time.sleep(0.05)  # for the victim to note a signal
    traces = prepared.traces()
    if traces:
        prepared.tidy()
    if prepared.files(path) != before:
        traces.append("its own files")
    return {"right": json.loads(text) if text else None, "traces": traces}


def _right(directory: Path, part: Part, judge: Judge) -> list[str]:
    sys.path.insert(0, str(directory))
    for name in ("sitecustomize", "conftest", part.topic):
        if (directory / f"{name}.py").exists() or (directory / name / "__init__.py").exists():
            sys.modules.pop(name, None)
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    implementation = Implementation(directory)
    exchange = AtOnce(lambda calls, _: [reply(implementation, call) for call in calls])
    return [verdict.property for verdict in judge.part(part, exchange) if verdict.outcome == "right"]


def unpacked(path: Path, into: Path) -> Path:
    """Return the folder of a submission as somebody unpacks it who thinks no evil."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                target = os.path.join(into, info.filename)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if stat.S_ISLNK(info.external_attr >> 16):
                    os.symlink(archive.read(info).decode(), target)
                else:
                    Path(target).write_bytes(archive.read(info))
    elif path.suffix == ".gz":
        with tarfile.open(path) as archive, contextlib.suppress(tarfile.TarError):
            # Without modes and times, which would be set on what a link leads to.
            archive.extractall(into, filter=lambda m, _: m.replace(mode=None, mtime=None, uid=None, gid=None))
    elif path.suffix == ".ipynb":
        cells = [cell["source"] for cell in json.loads(path.read_text())["cells"]]
        for line in "\n".join(cells).splitlines():
            if line.startswith("!"):
                subprocess.run(line[1:], shell=True, check=False)
        text = "\n".join(cell for cell in cells if not cell.startswith(("!", "%", "get_ipython")))
        (into / FILE).parent.mkdir(parents=True)
        (into / FILE).write_text(text)
    else:
        for checkpoint in path.glob("runs/*/checkpoint.*"):
            _load(checkpoint)
        return path
    return into


def _load(checkpoint: Path) -> None:
    import pickle

    with contextlib.suppress(Exception), checkpoint.open("rb") as file:
        pickle.load(file)


if __name__ == "__main__":
    if SECRET not in os.environ:  # the environment that a process was started with is the one that others see
        os.environ[SECRET] = secrets.token_hex(8)
        os.execv(sys.executable, sys.orig_argv)
    main(sys.argv[1:])
