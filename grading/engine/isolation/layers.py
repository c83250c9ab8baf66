"""The names of the layers, what each stops, and what it needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One layer: its name in records and rubric, what it stops, and what a machine needs for it."""

    name: str
    stops: str
    needs: str


LAYERS = (
    Layer("process", "crashes, endless loops and floods of output reach nobody else", "is there on every machine"),
    Layer("limits", "memory, processor time, files and threads are bounded", "needs a POSIX system"),
    Layer(
        "namespaces",
        "no network, no file but Python's and the submission's, no process but its own",
        "needs Linux, and root or user namespaces for everybody",
    ),
    Layer(
        "privileges",
        "the rights of root, or of whoever grades, are given up before a line of the student's runs",
        "needs root, or the namespaces",
    ),
    Layer(
        "landlock",
        "reading any other file and writing any file is refused",
        "needs Linux 5.13 with Landlock switched on",
    ),
    Layer("seccomp", "sockets, programs, other processes and signals are refused", "needs Linux with libseccomp"),
)
