"""A world of its own for the clean process and its forks: no network, few files, no process but theirs."""

import contextlib
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import linux

SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
FULL = "/elbo-full"  # a directory that may be written to, with no room for even an empty file
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def python_directories() -> list[Path]:
    """Return what Python and the installed packages are read from, and the libraries of the system.

    Packages may also lie where a .pth file, a user's own installation or an environment below this one has them.
    """
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places |= {place for place in sys.path if Path(place).name in ("site-packages", "dist-packages")}
    places |= {f"{sys.base_prefix}/lib", f"{sys.prefix}/lib", *SYSTEM}
    return sorted({Path(p) for p in places if os.path.exists(p)})


def are_to_be_had() -> bool:
    """Try in a process that ends at once whether this machine lets one leave its namespaces."""
    if not sys.platform.startswith("linux"):
        return False
    process = os.fork()
    if process == 0:
        status = 1
        with contextlib.suppress(Exception):
            _leave()
            _hide([])
            status = 0
        os._exit(status)
    return os.waitpid(process, 0)[1] == 0


def enter(visible: Iterable[Path]) -> int:
    """Go on as the first process of a world with nothing in it but these directories; the process before it waits.

    Returns:
        The descriptor of the world's processes, for `fork_apart`.

    Raises:
        OSError: the machine does not let one; see `are_to_be_had`.
    """
    _leave()
    process = os.fork()
    if process:  # whoever started this process may wait for it
        os._exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) & 0xFF)
    processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _hide([*visible, *map(Path, DEVICES)])
    return processes


def fork_apart(processes: int) -> int:
    """Fork a process that sees no process but its own children, and takes them with it when it ends."""
    linux.join(processes, linux.NEW_PROCESSES)  # one may leave only from where one is
    linux.unshare(linux.NEW_PROCESSES)
    return os.fork()


def _leave() -> None:
    user, group = os.geteuid(), os.getegid()
    flags = linux.NEW_MOUNTS | linux.NEW_NAMES | linux.NEW_IPC | linux.NEW_NETWORK | linux.NEW_PROCESSES
    linux.unshare(flags | (linux.NEW_USERS if user else 0))
    if user:  # the same one there, with the rights of root in the new world alone
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _hide(visible: Iterable[Path]) -> None:
    """Make a root of an empty file system with these directories and files in it, to be read only."""
    os.umask(0o022)  # others than root have to pass the directories that are made here
    linux.mount("none", "/", flags=linux.RECURSIVE | linux.PRIVATE)
    root = tempfile.mkdtemp()
    linux.mount("tmpfs", root, "tmpfs", linux.NO_SUID | linux.NO_DEVICES, "size=1m,mode=755")
    for path in visible:
        _show(path, root)
    os.makedirs(f"{root}{FULL}")
    linux.mount("tmpfs", f"{root}{FULL}", "tmpfs", linux.NO_SUID | linux.NO_DEVICES, "size=4k,nr_inodes=1,mode=777")
    linux.change_root(root)
    linux.mount("none", "/", flags=linux.REMOUNT | linux.BIND | linux.READ_ONLY | linux.NO_SUID | linux.NO_DEVICES)


def _show(path: Path, root: str) -> None:
    target = f"{root}{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if path.is_symlink():  # /lib, on most systems
        os.symlink(os.readlink(path), target)
        return
    if path.is_dir():
        os.makedirs(target, exist_ok=True)
    else:
        open(target, "x").close()
    linux.mount(str(path), target, flags=linux.BIND)
    flags = linux.REMOUNT | linux.BIND | linux.READ_ONLY | linux.NO_SUID
    linux.mount("none", target, flags=flags | linux.flags_of(path))
