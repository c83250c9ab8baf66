"""What the attacks aim at: canaries, a process that notes signals, listeners that note connections, a secret."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grading.engine.implementation import ROOT

from . import HONEST, Files, World, all_attacks, write_files

SECRET = "ELBO_ATTACKED_SECRET"
BATCHES = ("plain", "watched", "runs")
STANDING = {"there": "stands here", "secret": "def the_secret_of_the_scene(\n"}
NOTES_SIGNALS = """
import signal, sys, time
for each in (signal.SIGUSR1, signal.SIGTERM, signal.SIGIO):
    signal.signal(each, lambda number, frame: open(sys.argv[1], 'a').write(f'{number}'))
print('ready', flush=True)
time.sleep(900)
"""


@dataclass
class Scene:
    """The world of the attacks, and what is needed to see whether one of them came through."""

    world: World
    folder: Path
    victim: subprocess.Popen[str]
    listeners: tuple[socket.socket, ...]
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever grades, with the secret."""
        return os.environ | {SECRET: self.secret}

    def traces(self) -> list[str]:
        """Tell what became of the canaries: what is new among them, what changed, and who was reached."""
        found = [p.name for p in self.world.canaries.iterdir() if not p.is_socket() and p.name not in STANDING]
        found += [name for name in STANDING if self._changed(self.world.canaries / name)]
        found += [str(p) for p in self.world.out.rglob("*forged*")]
        found += ["victim"] if self.victim.poll() is not None else []
        return [*found, *self._reached()]

    def _changed(self, path: Path) -> bool:
        if not path.is_file() or path.read_text() != STANDING[path.name]:
            return True
        now = path.stat()
        return (now.st_mode & 0o777, now.st_uid, int(now.st_mtime)) != (0o666, os.getuid(), 10**9) or bool(
            os.listxattr(path)
        )

    def _reached(self) -> Iterator[str]:
        for listener in self.listeners:
            with contextlib.suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(10)
                yield f"listener {listener.getsockname()!r}"

    def files(self, path: Path) -> dict[str, tuple[int, int]]:
        """Tell what a submission is made of: its files, their sizes and times."""
        found: dict[str, tuple[int, int]] = {}
        walked = () if path.is_symlink() else os.walk(path)
        for each in (str(path), *(os.path.join(folder, name) for folder, _, names in walked for name in names)):
            with contextlib.suppress(OSError):  # one of them is deeper than a path can be long
                found[each] = os.lstat(each).st_size, os.lstat(each).st_mtime_ns
        return found

    def tidy(self) -> None:
        """Put everything back."""
        for path in self.world.canaries.iterdir():
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif not path.is_socket() or path.name.startswith("makes"):
                path.unlink()
        for path in self.world.out.rglob("*forged*"):
            path.unlink()
        place_canaries(self.world.canaries)


def place_canaries(folder: Path) -> None:
    """Write files that everybody may change, with times of long ago."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    for name, text in STANDING.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o666)
        os.utime(folder / name, (10**9, 10**9))


@contextlib.contextmanager
def scene(folder: Path, mark: str) -> Iterator[Scene]:
    """Set the scene in a folder, with all attacks and honest submissions in its folder `handed_in`."""
    folder.chmod(0o755)
    handed_in, canaries, out = folder / "handed_in", folder / "canaries", folder / "out"
    for each in (handed_in, out):
        each.mkdir()
    place_canaries(canaries)
    command = [sys.executable, "-c", NOTES_SIGNALS, str(canaries / "signalled")]
    with contextlib.ExitStack() as stack:
        victim = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(victim.send_signal, signal.SIGKILL)
        assert victim.stdout is not None
        assert victim.stdout.readline() == "ready\n"
        listeners = tuple(stack.enter_context(each) for each in _listeners(canaries))
        port = listeners[0].getsockname()[1]
        world = World(ROOT, canaries, victim.pid, port, SECRET, handed_in / "plain" / "right", out, mark)
        write_all(handed_in, world)
        yield Scene(world, handed_in, victim, listeners, os.environ.get(SECRET) or secrets.token_hex(8))


def _listeners(canaries: Path) -> Iterator[socket.socket]:
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp, abstract = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX)
    path, datagrams = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    abstract.bind(f"\0elbo-{port}")
    path.bind(str(canaries / "socket"))
    datagrams.bind(str(canaries / "datagrams"))
    for name in ("socket", "datagrams"):
        (canaries / name).chmod(0o777)
    for each in (tcp, udp, abstract, path, datagrams):
        each.setblocking(False)
        if each.type == socket.SOCK_STREAM:
            each.listen()
        yield each


def right_files() -> dict[str, bytes]:
    """The reference's files, as a student would hand them in."""
    solutions = ROOT / "solutions"
    return {str(path.relative_to(solutions)): path.read_bytes() for path in sorted(solutions.glob("*/*.py"))}


def write_all(folder: Path, world: World) -> None:
    """Write every attack, and into each class every honest submission, as honest_NAME, and the right one."""
    attacks = list(all_attacks())
    for batch in BATCHES:
        (folder / batch).mkdir()
        for name, content in right_files().items():
            (folder / batch / "right" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / batch / "right" / name).write_bytes(content)
        for name in {attack.honest for attack in attacks if attack.batch == batch} & HONEST.keys():
            files: Files = {file: text.encode() for file, text in HONEST[name].items()}
            write_files(folder / batch / f"honest_{name}", files, world)
    for attack in attacks:
        attack.make(attack.path(folder), world)
