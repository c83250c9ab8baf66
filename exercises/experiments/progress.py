"""Progress of a long job: a bar with the remaining time on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Reporter:
    """What a job calls while it works."""

    def __init__(self, bar: Progress | None, steps: int, done: int) -> None:
        """Begin at `done` of `steps`; without a bar only lines are printed."""
        self.bar = bar
        self.begin = time.monotonic()
        if bar:
            self.task = bar.add_task("", total=steps, completed=done)

    def step(self, done: int, text: str) -> None:
        """Show how many steps are done and where things stand."""
        if self.bar:
            self.bar.update(self.task, completed=done, description=text)

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self.bar:
            self.bar.console.print(text, highlight=False)
        else:
            print(f"{time.monotonic() - self.begin:7.1f} s  {text}", flush=True)


@contextmanager
def reporting(steps: int, done: int = 0) -> Iterator[Reporter]:
    """Report on a job of a known number of steps, some of which may be done already."""
    console = Console()
    if not console.is_terminal:
        yield Reporter(None, steps, done)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=console) as bar:
        yield Reporter(bar, steps, done)
