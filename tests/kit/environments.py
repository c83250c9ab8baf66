"""Fresh virtual environments for what is given out: they see the libraries of this one, and nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from grading.engine.implementation import ROOT

# As somebody's shell has it, without what would lead Python back to this checkout.
PLAIN = {
    name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COV", "VIRTUAL"))
}
NO_NETWORK = """
import socket, sys

def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname") or (
        event in ("socket.connect", "socket.sendto") and arguments[0].family != socket.AF_UNIX
    ):
        raise OSError(f"there is no network here: {event}{arguments[1:]}")

sys.addaudithook(refuse)
"""
PIP_OPTIONS = "--no-deps --no-build-isolation --ignore-installed"


def make(place):
    """Make an environment, and return its directory of commands.

    Only the directory of libraries is added: the links to checkouts that lie in it lead nowhere from there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    libraries = next(place.glob("lib/python*/site-packages"))
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def run(command, cwd, **environment):
    """Run a command as from a shell of its own, its environment's commands first."""
    variables = PLAIN | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"} | environment
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=300)


def install(commands, folder):
    """Install what lies in a folder into an environment, editable, from nothing but what is there."""
    done = run([commands / "python", "-m", "pip", "install", *PIP_OPTIONS.split(), "-e", "."], folder)
    assert done.returncode == 0, done.stdout + done.stderr


def cut_off(commands):
    """Take the network away from an environment: whatever its Python asks of one raises, in every process of it.

    By a hook that nothing takes off again. Sockets between the processes of this machine have no address of a network.
    """
    (libraries,) = commands.parent.glob("lib/python*/site-packages")
    (libraries / "no_network.py").write_text(NO_NETWORK)
    (libraries / "no_network.pth").write_text("import no_network\n")


def unzip(file, folder):
    """Unpack an archive as `unzip` does, with the modes that it says."""
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)


def checkout(to):
    """Copy this checkout as somebody else has it: without caches, runs and environments."""
    to.mkdir(parents=True)
    for file in ("LICENSE", "README.md", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, to)
    for room in ("data", "exercises", "grading", "solutions", "tests"):
        shutil.copytree(ROOT / room, to / room, ignore=shutil.ignore_patterns("__pycache__", "cache", "kit", "bench"))
    return to
