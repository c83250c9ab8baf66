"""Downloads of binary files, from a server on the loopback."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from data import DataDamaged, download
from data.download import PIECE, fetch

CONTENT = bytes(range(256)) * (PIECE // 100)  # of several pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Answers whole, cut off, never, with nonsense, or not found, as the path says."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.server.released.wait(60)  # type: ignore[attr-defined]
        elif self.path == "/nonsense":
            self.wfile.write(b"what?\r\n\r\n")
        elif self.path in ("/whole", "/cut-off"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[:-1])
        else:
            self.send_error(404)


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.released = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()


@pytest.mark.parametrize("prefix", [SHA256[:8], SHA256])
def test_fetches_a_file_and_shows_progress(
    prefix: str, site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "file.bin"
    fetch(f"{site}/whole", path, prefix)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    shown = capsys.readouterr()
    assert "whole" in shown.err
    assert "100%" in shown.err
    assert not shown.out


def test_of_another_content_nothing_is_kept(site: str, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"before")
    with pytest.raises(DataDamaged) as caught:
        fetch(f"{site}/whole", path, "6726825d")
    for words in (f"{site}/whole", SHA256, "begins with 6726825d", str(path)):
        assert words in str(caught.value)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file.bin", b"before")]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("cut-off", f"found {len(CONTENT) - 1:,} bytes, expected {len(CONTENT):,}"),
        ("absent", "404"),
        ("silent", "timed out"),
        ("nonsense", "BadStatusLine"),
    ],
)
def test_what_cannot_be_had_is_an_error_of_the_system(
    page: str, words: str, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == "silent":
        monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with pytest.raises(OSError, match=words):
        fetch(f"{site}/{page}", tmp_path / "file.bin", SHA256)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_written_to_is_said_before_downloading(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        fetch("http://127.0.0.1:9/", tmp_path / "file" / "file.bin", SHA256)
