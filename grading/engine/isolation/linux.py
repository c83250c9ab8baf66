"""Calls of Linux that Python's library has not, or not before 3.12; each raises OSError as those there do."""

import ctypes
import os
import platform

NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_USERS, NEW_PROCESSES, NEW_NETWORK = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
READ_ONLY, NO_SUID, NO_DEVICES, NO_PROGRAMS, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
SET_DEATH_SIGNAL, SET_NO_NEW_PRIVILEGES = 1, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces that this process shares with others (unshare(2))."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def join(namespace: int, kind: int) -> None:
    """Join the namespace of an open file of /proc/PID/ns (setns(2))."""
    _checked(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system or change how it is mounted (mount(2))."""
    arguments = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    _checked(_libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def flags_of(path: os.PathLike[str]) -> int:
    """Return how a path is mounted, as `mount` takes it: what another user has set may not be left out."""
    found = os.statvfs(path).f_flag
    kept = found & (NO_SUID | NO_DEVICES | NO_PROGRAMS | 1024 | 2048)  # and whether reading is noted in the times
    return kept | (1 << 21 if found & 4096 else 0)


def change_root(path: str) -> None:
    """Make a mounted directory the root, and let go of all that was there before (pivot_root(2))."""
    os.chdir(path)
    _checked(_libc.syscall(ctypes.c_long(_PIVOT_ROOT[platform.machine()]), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", DETACH), "umount")
    os.chdir("/")


def control_process(option: int, value: int) -> None:
    """Set an attribute of this process (prctl(2))."""
    _checked(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """Give up every capability that this process has (capset(2))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    none = (ctypes.c_uint32 * 6)()
    _checked(_libc.syscall(ctypes.c_long(_CAPSET[platform.machine()]), header, none), "capset")
