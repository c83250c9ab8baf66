"""Closing the door behind a process before it runs a student's code: what it may read, and no rights beside that."""

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from . import linux, namespaces

# Users that no account has, of the range that systemd keeps for services that come and go.
FIRST_USER, USERS = 61184, 4336
FILES = 64
PROCESSES = 16
JUDGE_MB = 4096  # that a process which reads or judges may take more than at first, whatever size what it reads is of


@dataclass(frozen=True)
class Limits:
    """What a process may take: memory beside what it has at first, and processor time."""

    memory_mb: int = 2048
    cpu_seconds: int = 120


@dataclass
class Enclosure:
    """The layers that a process closes around itself; made where the disk is still open, as they are imported then."""

    limits: Limits
    processes: int | None = None  # of the world that the process entered; see namespaces.enter
    filter: Any = None
    mapped: int = 0  # bytes of address space that the process had at first; torch maps far more than it uses
    forks: int = field(default_factory=os.getpid)  # counted from there, so that two graders use different users

    @classmethod
    def prepare(cls, limits: Limits, visible: Iterable[Path] = ()) -> "Enclosure":
        """Import what the layers need, and hide all but Python and these directories where the machine lets one."""
        torch.backends.cpu.get_cpu_capability()  # looks at /proc once, while it is there
        made = cls(limits)
        with contextlib.suppress(OSError):
            made.mapped = _mapped_bytes()
        if sys.platform.startswith("linux"):
            with contextlib.suppress(Exception):  # no libseccomp, or none that knows this machine
                from .syscalls import make_filter

                made.filter = make_filter()
            with contextlib.suppress(ImportError):
                import landlockpy  # noqa: F401
            if namespaces.are_to_be_had():
                made.processes = namespaces.enter([*namespaces.python_directories(), *visible])
        return made

    def fork(self) -> int:
        """Fork a process, in a world of its own if there are any."""
        self.forks += 1
        return os.fork() if self.processes is None else namespaces.fork_apart(self.processes)

    def close(self, readable: Sequence[Path]) -> tuple[str, ...]:
        """Close the layers around this process, for good, and return the names of those that hold."""
        steps: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("limits", lambda: _limit(self.limits, self.mapped)),
            ("namespaces", lambda: self.processes is not None),
            ("privileges", lambda: self._drop_privileges(readable)),
            ("landlock", lambda: _restrict_files(readable)),
            ("seccomp", self._restrict_calls),
        )
        held = ["process"]
        for name, step in steps:
            with contextlib.suppress(Exception):
                if step():
                    held.append(name)
        return tuple(held)

    def _drop_privileges(self, needed: Sequence[Path]) -> bool:
        if not sys.platform.startswith("linux"):
            return False
        hidden = self.processes is not None
        if os.geteuid() == 0 and (hidden or all(map(_open_to_all, [*namespaces.python_directories(), *needed]))):
            user = FIRST_USER + self.forks % USERS
            with contextlib.suppress(OSError):  # a world of users that has but one
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
                return True
        linux.control_process(linux.SET_NO_NEW_PRIVILEGES, 1)
        linux.drop_capabilities()
        return hidden

    def _restrict_calls(self) -> bool:
        if self.filter is None:
            return False
        self.filter.load()
        return True


def _open_to_all(path: Path) -> bool:
    """Tell whether any user may read a directory, and pass all that it stands in."""
    real = path.resolve()
    return bool(real.stat().st_mode & 0o004) and all(p.stat().st_mode & 0o001 for p in real.parents)


def bound_memory(megabytes: int) -> None:
    """Let this process take so much more than it has now, and fail beyond that."""
    with contextlib.suppress(OSError):  # a system that does not tell how much that is
        _bound(resource.RLIMIT_AS, _mapped_bytes() + (megabytes << 20))


def serve() -> None:
    """Be a process that another one forked to read or to judge: Ctrl-C is for that one, and its end ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        linux.control_process(linux.SET_DEATH_SIGNAL, signal.SIGKILL)
    bound_memory(JUDGE_MB)


def _bound(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def _limit(limits: Limits, mapped: int) -> bool:
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_NOFILE, FILES)
    _bound(resource.RLIMIT_CPU, limits.cpu_seconds)
    if mapped:
        _bound(resource.RLIMIT_AS, mapped + (limits.memory_mb << 20))
    if os.geteuid() == 0 and sys.platform.startswith("linux"):
        _bound(resource.RLIMIT_NPROC, PROCESSES)  # counted for the user that this process is about to become
    return True


def _mapped_bytes() -> int:
    """Return how much address space this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _restrict_files(readable: Sequence[Path]) -> bool:
    import landlockpy
    from landlockpy import AccessFS, Scope

    if landlockpy.abi_version() == 0:
        return False
    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    with landlockpy.Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
        for path in (*namespaces.python_directories(), *map(Path, namespaces.DEVICES), *readable):
            if path.exists():
                rules.allow_path(path, read if path.is_dir() else AccessFS.READ_FILE)
        rules.restrict()
    return True
