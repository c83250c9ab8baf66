"""Downloads: with a progress bar, and never waiting for a silent host for longer than TIMEOUT."""

import hashlib
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.request import urlopen

from rich.console import Console
from rich.progress import Progress

from . import DataDamaged
from .packed import replacing

TIMEOUT = 10.0  # seconds of silence
PIECE = 2**16  # bytes of a binary file at a time


def lines(url: str) -> Iterator[bytes]:
    """Read the lines of a text file behind a URL, one after another, with a progress bar on the terminal.

    Raises:
        OSError: the file cannot be had; also TimeoutError, after 10 seconds of silence.
    """
    return _pieces(url, lambda response: response)


def fetch(url: str, path: Path, sha256_prefix: str) -> None:
    """Download a binary file, whole or not at all, with a progress bar on the terminal.

    Args:
        url: where it is.
        path: where it goes; what is there already is replaced.
        sha256_prefix: what the SHA-256 of its bytes begins with, in hexadecimal digits.

    Raises:
        OSError: the file cannot be had or written; also TimeoutError, after 10 seconds of silence.
        DataDamaged: it has another content. Nothing is kept of it.
    """
    digest = hashlib.sha256()
    with replacing(path) as file:
        for piece in _pieces(url, lambda response: iter(lambda: response.read(PIECE), b"")):
            digest.update(piece)
            file.write(piece)
        if not digest.hexdigest().startswith(sha256_prefix):
            raise DataDamaged(
                f"{url}: found a file with SHA-256 {digest.hexdigest()}, expected one that begins with "
                f"{sha256_prefix}. Nothing is kept. Try again, or put the right file at {path}."
            )


def _pieces(url: str, split: Callable[[HTTPResponse], Iterable[bytes]]) -> Iterator[bytes]:
    try:
        with urlopen(url, timeout=TIMEOUT) as response, Progress(console=Console(stderr=True)) as progress:
            length = response.headers.get("Content-Length")
            task = progress.add_task(url.rpartition("/")[2], total=int(length) if length else None)
            received = 0
            for piece in split(response):
                received += len(piece)
                progress.advance(task, len(piece))
                yield piece
            if length and received < int(length):  # http.client takes the end of a connection for that of the file
                raise OSError(f"{url}: found {received:,} bytes, expected {int(length):,}: the connection ended early")
    except HTTPException as error:  # the one family of urlopen's errors that is no OSError
        raise OSError(f"{url}: {error!r}") from error


@contextmanager
def default_timeout() -> Iterator[None]:
    """Give sockets a timeout inside the block, for libraries that download without one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def say(message: str) -> None:
    """Tell the person at the terminal what became of a download."""
    Console(stderr=True).print(message, markup=False, highlight=False, soft_wrap=True)
