"""Downloads: with a progress bar, and never waiting for a silent host for longer than TIMEOUT."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from urllib.request import urlopen

from rich.console import Console
from rich.progress import Progress

TIMEOUT = 10.0  # seconds of silence


def lines(url: str) -> Iterator[bytes]:
    """Read the lines of a text file behind a URL, one after another, with a progress bar on the terminal.

    Raises:
        OSError: the file cannot be had; also TimeoutError, after 10 seconds of silence.
    """
    try:
        with urlopen(url, timeout=TIMEOUT) as response, Progress(console=Console(stderr=True)) as progress:
            length = response.headers.get("Content-Length")
            task = progress.add_task(url.rpartition("/")[2], total=int(length) if length else None)
            for line in response:
                progress.advance(task, len(line))
                yield line
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
