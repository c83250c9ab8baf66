"""How far an implementation is: its parts by topic, points earned of possible, and what comes next."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from grading.listing import Listed, possible, rules
from grading.rubric import Policy
from grading.terminal import MARKS

TOPIC_BAR, WHOLE_BAR = 10, 14  # columns
NO_POLICY = Policy()


def show_listing(console: Console, rows: Sequence[Listed], policy: Policy = NO_POLICY) -> None:
    """Print a table of all parts, topic by topic, when they are due, how far they are, and the first not right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("part", "problem", "state"):
        table.add_column(name)
    for name in ("points", "minutes"):
        table.add_column(name, justify="right", no_wrap=True)
    for topic, of_topic in groupby(rows, lambda row: row.part.partition(".")[0]):
        _add_topic(table, console, topic, list(of_topic))
    console.print(table)
    if told := rules(policy):
        console.print(told, soft_wrap=True)
    show_progress(console, rows)
    waiting = next((row for row in rows if row.state != "right"), None)
    if waiting:
        show_where(console, "next:", waiting)


def _add_topic(table: Table, console: Console, topic: str, rows: Sequence[Listed]) -> None:
    """Add the parts of a topic, under a line of their sums."""
    right = sum(row.state == "right" for row in rows)
    head = _beside_bar(console, rows, TOPIC_BAR, f"[bold]{topic:5}[/]", f"{right} of {len(rows)} right")
    table.add_row(head, "", "", f"[bold]{_points(rows)}[/]", "")
    for row in rows:
        points = f"{row.earned:g} of {row.points:g}{' extra' if row.extra_credit else ''}"
        table.add_row(row.part, row.problem, f"{MARKS[row.state]} {row.state}", points, str(row.minutes))
    table.add_row()


def show_progress(console: Console, rows: Sequence[Listed]) -> None:
    """Print parts and points so far in one line."""
    count = {state: sum(row.state == state for row in rows) for state in ("right", "wrong", "todo")}
    others = "".join(f", {count[state]} {state}" for state in ("wrong", "todo") if count[state])
    parts = f"{count['right']} of {len(rows)} part{'s' * (len(rows) != 1)} right{others}"
    console.print(_beside_bar(console, rows, WHOLE_BAR, "", f"[bold]{_points(rows)} points[/]; {parts}"))


def show_where(console: Console, what: str, row: Listed) -> None:
    """Print a part, where it stands and how long it takes: the next one, or the one that a student is at."""
    told = f"{what} [bold]{row.part}[/], in {escape(row.file)}, {row.minutes} min"
    console.print(told, soft_wrap=not console.is_terminal)  # whoever searches the output wants whole lines


def _points(rows: Sequence[Listed]) -> str:
    return f"{sum(row.earned for row in rows):g} of {possible(rows):g}"


def _beside_bar(console: Console, rows: Sequence[Listed], width: int, before: str, after: str) -> Table:
    """Put a bar of the points between two texts, on a terminal."""
    earned = sum(row.earned for row in rows)
    bar = ProgressBar(possible(rows), earned, width, style="dim", complete_style="green", finished_style="green")
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_row(*([before] if before else []), *([bar] if console.is_terminal else []), after)
    return line
