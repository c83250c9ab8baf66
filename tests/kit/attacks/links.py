"""Submissions made of what is no plain file: links, pipes, huge and deep ones, names and bytes that are no text."""

import os
from pathlib import Path

from . import FILE, World, handed_in
from .honest import LIKELIHOODS as GOOD


def topic(path: Path) -> Path:
    """Make the topic's folder and return the path of the file."""
    (path / "vae").mkdir(parents=True)
    return path / FILE


@handed_in("more", "")
def links_to_the_reference(path: Path, world: World) -> None:
    """A file that is a link to the reference's."""
    topic(path).symlink_to(world.root / "solutions" / FILE)


@handed_in("more", "")
def links_to_the_references_folder(path: Path, world: World) -> None:
    """A topic that is a link to the reference's."""
    path.mkdir()
    (path / "vae").symlink_to(world.root / "solutions" / "vae")


@handed_in("more", "")
def links_to_its_neighbour(path: Path, world: World) -> None:
    """A file that is a relative link to another student's."""
    topic(path).symlink_to(Path("..") / ".." / world.neighbour.name / FILE)


@handed_in("more", "")
def is_a_link_itself(path: Path, world: World) -> None:
    """A submission that is a link to another student's."""
    path.symlink_to(world.neighbour)


@handed_in("", "")
def links_to_a_secret(path: Path, world: World) -> None:
    """A file that is a link to a secret, whose first line the message of a syntax error would tell."""
    topic(path).symlink_to(world.canaries / "secret")


@handed_in("", "")
def links_to_zeros(path: Path, world: World) -> None:
    """A file that is a link to a device that never ends."""
    topic(path).symlink_to("/dev/zero")


@handed_in("", "")
def links_in_a_circle(path: Path, world: World) -> None:
    """A folder with a link to itself."""
    path.mkdir()
    (path / "vae").symlink_to(path)
    (path / "again").symlink_to(".")


@handed_in("", "")
def is_a_pipe(path: Path, world: World) -> None:
    """A file that is a pipe, from which nothing ever comes."""
    os.mkfifo(topic(path))


@handed_in("", "sum")
def has_a_pipe_beside_it(path: Path, world: World) -> None:
    """Pipes and sockets beside the file."""
    topic(path).write_text(GOOD)
    os.mkfifo(path / "vae" / "bounds.py")
    os.mkfifo(path / "runs")


@handed_in("", "sum")
def is_huge(path: Path, world: World) -> None:
    """A file of 300 MB, nearly all of it a hole."""
    topic(path).write_text(GOOD)
    os.truncate(path / FILE, 300 << 20)


@handed_in("", "sum")
def is_long(path: Path, world: World) -> None:
    """A file of 20 MB of comments."""
    topic(path).write_text(GOOD + "# comment\n" * 2_000_000)


@handed_in("", "sum")
def is_nested_deeply(path: Path, world: World) -> None:
    """An expression so deep that the parser may not come back."""
    topic(path).write_text(GOOD + f"x = {'-' * 100_000}1\ny = {'(' * 5000}1{')' * 5000}\n")


@handed_in("", "sum")
def lies_deep(path: Path, world: World) -> None:
    """Folders in folders, longer than a path may be."""
    topic(path).write_text(GOOD)
    folder = os.open(path, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 200, dir_fd=folder)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


@handed_in("", "sum")
def is_not_utf8(path: Path, world: World) -> None:
    """Bytes that are no text in UTF-8, and say nothing of another encoding."""
    topic(path).write_bytes(GOOD.encode() + b"# \xff\xfe\x80 caf\xe9\n")


@handed_in("", "sum")
def has_an_odd_encoding(path: Path, world: World) -> None:
    """A file in an encoding in which a comment is code."""
    hidden = "def log_mean_exp(y): raise SystemExit(0)"
    topic(path).write_bytes(b"# coding: utf-7\n" + GOOD.encode() + b"# +AAo-" + hidden.encode() + b"\n")


@handed_in("", "sum")
def has_names_that_are_no_text(path: Path, world: World) -> None:
    """Names of files that are no UTF-8, that would clear a terminal, and that are formulas of a table."""
    topic(path).write_text(GOOD)
    for name in (b"\xff\xfe.py", b"\x1b[2J.py", b"=1+1.csv", b"a\nb.py", b"-rf", b"<script>.md"):
        (path / os.fsdecode(name)).write_text("x = 1\n")
        (path / "vae" / os.fsdecode(name)).write_text("x = 1\n")


@handed_in("", "sum")
def has_thousands_of_files(path: Path, world: World) -> None:
    """Three thousand small files."""
    topic(path).write_text(GOOD)
    for i in range(3000):
        (path / "vae" / f"{i}.py").touch()


@handed_in("", "")
def is_a_folder_named_like_a_file(path: Path, world: World) -> None:
    """A folder in place of the file."""
    topic(path).mkdir()
    (path / FILE / "__init__.py").write_text(GOOD)


@handed_in("", "")
def is_nothing(path: Path, world: World) -> None:
    """An empty folder."""
    path.mkdir()


@handed_in("", "sum")
def hides_what_runs(path: Path, world: World) -> None:
    """Bytecode of a right answer beside a file with a wrong one, marked so that Python would not compare the two."""
    import importlib._bootstrap_external as pyc

    topic(path).write_text(GOOD)
    right = compile(
        "import torch, math\ndef log_mean_exp(y): return torch.logsumexp(y, 1) - math.log(y.shape[1])\n", FILE, "exec"
    )
    cached = path / "vae" / "__pycache__" / f"likelihoods.{os.sys.implementation.cache_tag}.pyc"  # type: ignore[attr-defined]
    cached.parent.mkdir()
    cached.write_bytes(pyc._code_to_hash_pyc(right, bytes(8), checked=False))  # type: ignore[attr-defined]
