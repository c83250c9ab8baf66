"""What the subcommands share: options, the console, the JSON, the process that answers. Heavy imports wait inside."""

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from grading.engine.workers import Worker
    from grading.judge import Judge
    from grading.rubric import Rubric
    from tests.support.properties import Part

Names = Annotated[list[str] | None, typer.Argument(help="Parts or topics, all by default.", metavar="PART|TOPIC")]
Which = Annotated[
    str,
    typer.Option(
        "--implementation", "-i", metavar="NAME|PATH", help="A name, or a directory that has the topics in it."
    ),
]
ProfileName = Annotated[str, typer.Option("--profile", help="student or grade: how many inputs are tried.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="What the inputs are drawn from.")]
Json = Annotated[str, typer.Option("--json", metavar="FILE", help="Also write the facts as JSON; - for output.")]
Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where data lies; $ELBO_DATA if not given.")]


PIPED_WIDTH = 200


class Refusal(Exception):
    """An option that cannot be followed."""


class Unpadded:
    """A text file that takes no blanks at the ends of lines, which are filled up with them to the width of a table."""

    def __init__(self, file: IO[str]) -> None:
        """Write to a file."""
        self._file = file

    def write(self, text: str) -> int:
        """Write a text, which ends with a line or has one that goes on."""
        return self._file.write(re.sub(r"(?<! ) +(?=\n)", "", text))

    def __getattr__(self, name: str) -> Any:
        """Be the file in all else."""
        return getattr(self._file, name)


def make_console(json: str = "") -> "Console":
    """Make the console for a command, once it is sure that there is a place for its JSON."""
    from rich.console import Console

    if json not in ("", "-"):
        expect_place("--json", Path(json))
    console = Console(highlight=False, stderr=json == "-")
    if not console.is_terminal:
        console.width = PIPED_WIDTH  # whoever searches the output wants whole lines
        console.file = cast("IO[str]", Unpadded(console.file))
    return console


def expect_place(option: str, file: Path) -> None:
    """Refuse a file that cannot be written before the work, not after it."""
    if not file.parent.is_dir():
        raise Refusal(f"{option} {file}: cannot be written: there is no directory {file.parent}")
    if file.is_dir():
        raise Refusal(f"{option} {file}: cannot be written: it is a directory; name a file in it")


def write_json(json: str, facts: Any) -> None:
    """Write what was told as JSON to a file, or to standard output for `-`; nowhere for an empty name."""
    import msgspec

    if not json:
        return
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode()
    if json == "-":
        print(text)
        return
    try:
        Path(json).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Refusal(f"--json {json}: cannot be written: {error.strerror}") from error


@contextmanager
def start_worker(implementation: str) -> "Iterator[Worker]":
    """Start the process that answers for an implementation, before anything is loaded that it must not hold."""
    import torch  # noqa: F401

    from grading.engine.implementation import locate
    from grading.engine.workers import Starter, Worker

    directory = locate(implementation)
    gc.freeze()  # torch's objects stay to the end, and are not worth a look at every collection
    starter = Starter.forking()
    worker = Worker(starter, directory)
    try:
        yield worker
    finally:
        worker.close()
        starter.close()


def make_judge(profile: str, seed: int) -> "Judge":
    """Make a judge of a profile.

    Raises:
        Refusal: there is no such profile.
    """
    from grading.judge import PROFILES, Judge

    if profile not in PROFILES:
        raise Refusal(f"--profile {profile}: expected one of {', '.join(PROFILES)}")
    return Judge(PROFILES[profile], seed)


def select_parts(names: "Sequence[str] | None") -> "tuple[Rubric, list[Part]]":
    """Load the rubric, and the parts that are named."""
    from grading import rubric
    from grading.selection import select

    loaded = rubric.load()
    return loaded, select(names or [], loaded)
