"""What a person reads in a terminal: verdicts, claims, a class, the audit's matrix; plain text when piped."""

import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grading.judge import PartVerdict, Verdict
from grading.wording import Failure

if TYPE_CHECKING:  # a check shows no claim, and need not wait for what measures one
    from exercises.experiments.runs import Run
    from grading.audit import PartAudit
    from grading.claims import Claim
    from grading.doctor import Finding
    from grading.records import Summary

MARKS = {"right": "[green]✓[/]", "wrong": "[red]✗[/]", "todo": "[yellow]·[/]"}
SHOWN_ROWS = 60  # of a class
LINE = 500  # characters of a printed line that are shown
COLOURS = {"right": "green", "wrong": "red", "todo": "yellow"}


def show_part(
    console: Console, verdict: PartVerdict, where: str, *, first: str = "", note: str = "", verbose: bool = False
) -> None:
    """Print the outcome of a part: one line where it is right or todo, every failure where it is wrong.

    first: what is to be mended before it. note: what will cost it, whatever it is here.
    """
    _show_outcome(console, verdict, where, note)
    if verdict.outcome == "wrong":
        _show_failures(console, verdict, first, verbose)


def _show_outcome(console: Console, verdict: PartVerdict, where: str, note: str) -> None:
    """Print the line of a part, and one below it where there is a note."""
    held = sum(v.outcome == "right" for v in verdict.verdicts)
    outcome = f"[{COLOURS[verdict.outcome]}]{verdict.outcome:5}[/]"
    line = f"{MARKS[verdict.outcome]} {outcome} [bold]{verdict.part}[/]"
    if verdict.outcome == "todo":
        failure = next(v.failure for v in verdict.verdicts if v.failure)
        told = f"{line}  [dim]{escape(failure.message)}, in {escape(where)}[/]"
        console.print(told, soft_wrap=not console.is_terminal)  # whoever searches the output wants whole lines
    else:
        console.print(f"{line}  [dim]{held} of {len(verdict.verdicts)} properties hold[/]", soft_wrap=True)
    show_note(console, note)


def show_note(console: Console, note: str) -> None:
    """Print what will cost a part, or several; nothing where there is nothing."""
    if note:
        console.print(f"  [yellow]![/] {escape(harmless(note))}", soft_wrap=not console.is_terminal)


def _show_failures(console: Console, verdict: PartVerdict, first: str, verbose: bool) -> None:
    if looks := first or (verdict.diagnosis and verdict.diagnosis.told):
        _show_what_it_looks_like(console, looks)
    for group in _by_failure([v for v in verdict.verdicts if v.outcome == "wrong"]):
        _show_failure(console, group, verbose=verbose)
    if verdict.printed:
        _block(console, "your code printed", verdict.printed.rstrip().splitlines()[:10])


def _show_what_it_looks_like(console: Console, told: str) -> None:
    """Print the mistake that a part looks like, or what is to be mended first, so that the eye finds it first."""
    line = Table.grid(padding=(0, 1))
    line.add_row("→", Text(f"it {told}"))
    console.print(Padding(line, (0, 0, 0, 2), expand=False), style="bold magenta")


def _by_failure(wrong: Sequence[Verdict]) -> list[list[Verdict]]:
    """Group verdicts that failed by the same error at the same place, so that it is told once."""
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in wrong:
        failure = verdict.failure
        same = failure is not None and (failure.where or not failure.called or not failure.expected)
        key = (failure.message, failure.where) if failure is not None and same else (verdict.property,)
        groups.setdefault(key, []).append(verdict)
    return list(groups.values())


def _show_failure(console: Console, group: Sequence[Verdict], *, verbose: bool) -> None:
    first, failure = group[0], group[0].failure
    assert failure is not None
    if len(group) == 1:
        _indented(console, f"[red]✗[/] [bold]{first.property}[/] [dim]({first.aspect})[/]", 2)
        _indented(console, escape(first.sentence), 4)
    else:
        others = f" and {len(group) - 1} more for the same reason"
        _indented(console, f"[red]✗[/] [bold]{first.property}[/]{others}", 2)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts(failure):
        table.add_row(name, Text(harmless(value)))
    console.print(Padding(table, (0, 0, 0, 6), expand=False))
    if verbose and failure.traceback:
        _block(console, "traceback", failure.traceback.rstrip().splitlines())


def _indented(console: Console, markup: str, columns: int) -> None:
    console.print(Padding(markup, (0, 0, 0, columns), expand=False))


def facts(failure: Failure) -> list[tuple[str, str]]:
    """Return the rows of a failure, in the order in which they are read."""
    rows = [("wrong", failure.message), ("in", failure.where)]
    rows += [(f"with {name}", value) for name, value in failure.inputs.items()]
    rows += [("called", failure.called), ("answer", failure.answer), (failure.relation, failure.expected)]
    rows += [("difference", failure.difference), ("ratio", failure.ratio), ("note", failure.remark)]
    return [(name, value) for name, value in rows if value]


def _block(console: Console, title: str, lines: Sequence[str]) -> None:
    _indented(console, f"[dim]{title}[/]", 6)
    for line in lines:
        _indented(console, escape(harmless(line[:LINE])), 8)


def harmless(text: str) -> str:
    """Leave out what a terminal would obey: a student's code may print anything."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def show_summary(console: Console, verdicts: Sequence[PartVerdict]) -> None:
    """Print how many parts are right, wrong and todo."""
    counts = {outcome: sum(v.outcome == outcome for v in verdicts) for outcome in ("right", "wrong", "todo")}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    console.print(f"\n{len(verdicts)} part{'s' * (len(verdicts) != 1)}: {told}", soft_wrap=True)


def show_claims(console: Console, run: str, claims: "Sequence[Claim]") -> None:
    """Print the claims of a run, measured again."""
    if not claims:
        console.print(f"{run}: nothing in it has a threshold", soft_wrap=True, markup=False)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", title=escape(run), title_justify="left")
    for name in ("claim", "reported", "measured", "threshold", "outcome"):
        table.add_column(name, justify="left" if name in ("claim", "outcome") else "right")
    for claim in claims:
        measured = _figure(claim.measured)
        if claim.standard_error is not None:
            measured += f" ± {claim.standard_error:.3f}"
        reported = _figure(claim.reported)
        limit = f"{claim.threshold:g}" if isinstance(claim.threshold, float) else claim.threshold
        threshold = "" if claim.threshold is None else f"{claim.relation} {limit}"
        colour = "green" if claim.outcome == "reached" else "red"
        table.add_row(claim.name, reported, measured, threshold, f"[{colour}]{claim.outcome}[/]")
    console.print(table)
    for name, message in _beside_table(claims):
        console.print(f"  {name}: {harmless(message)}", soft_wrap=True, markup=False)


def _beside_table(claims: "Sequence[Claim]") -> Iterator[tuple[str, str]]:
    """Yield what is said of claims, each sentence once: of several that do not agree the table has the figures."""
    from grading.intake.limits import listed

    wrong = [claim.name for claim in claims if claim.outcome == "wrong"]
    if len(wrong) > 1:
        yield f"{len(wrong)} claims", "what is reported and what is measured do not agree"
    names: dict[str, list[str]] = {}
    for claim in claims:
        if claim.message and (claim.outcome != "wrong" or len(wrong) == 1):
            names.setdefault(claim.message, []).append(claim.name)
    yield from ((listed(of), message) for message, of in names.items())


def _figure(value: float | str | None) -> str:
    """Write a figure, or a word that somebody handed in."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escape(value)
    return f"{value:.3f}".removesuffix(".000")


def show_run(console: Console, run: "Run") -> None:
    """Print what a finished run reports."""
    told = _tables(run)
    if told is not None:
        tables, notes = told
        for title, columns, rows, _ in tables:
            table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", title=title, title_justify="left")
            for name in columns:
                table.add_column(name)
            for row in rows:
                table.add_row(*map(escape, row))
            console.print(table)
            console.print()
        for note in notes:
            console.print(note, soft_wrap=True, markup=False)
        return
    for name, value in run.summary().items():
        if isinstance(value, float) and name.startswith(f"{run.config['experiment']}."):
            console.print(f"{name} = {value:.4f}", soft_wrap=True)


def _tables(run: "Run") -> tuple[list[Any], list[str]] | None:
    """Return the tables of an experiment that is told by tables, and notes on them."""
    match run.config["experiment"]:
        case "dirac":
            from exercises.experiments.dirac.tables import told
            from grading.run_settings import dirac_config

            return told(run, dirac_config(run))
        case "cifar10":
            from exercises.experiments.cifar10.tables import told as told_of_images
            from grading.run_settings import cifar10_config

            return told_of_images(run, cifar10_config(run))
    return None


def show_class(console: Console, rows: "Sequence[Summary]") -> None:
    """Print a class as a table; of a large one what could not be graded alone, and how the points are spread."""
    refused = [row for row in rows if row.outcome == "refused"]
    if len(rows) <= SHOWN_ROWS:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("submission", no_wrap=True, overflow="ellipsis")
        for name in ("points", "of", "%", "right", "wrong", "todo", "notes", "look at", "seconds"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(escape(row.submission), *_cells(row), style="red" if row.outcome == "refused" else "")
        console.print(table)
    if refused:
        console.print()
    for row in refused[:SHOWN_ROWS]:
        console.print(f"[red]refused[/] {escape(row.submission)}: {escape(harmless(row.reason))}", soft_wrap=True)
    graded = sorted(row.points for row in rows if row.outcome == "graded")
    told = f"{len(graded)} graded, {len(refused)} refused"
    if graded:
        told += f"; points from {graded[0]:g} to {graded[-1]:g}, median {statistics.median(graded):g}"
    console.print(f"\n{told}", soft_wrap=True)


def _cells(row: "Summary") -> list[str]:
    if row.outcome == "refused":
        return ["refused", *[""] * 8]
    counts = (row.right, row.wrong, row.todo, row.notes, row.look_at)
    share = "" if row.percent is None else f"{row.percent:.1f}"
    return [f"{row.points:g}", f"{row.possible:g}", share, *map(str, counts), f"{row.seconds:.1f}"]


def show_findings(console: Console, found: "Sequence[Finding]") -> None:
    """Print what was looked for, and below each absence what it costs."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in found:
        mark = MARKS["right"] if finding.present else MARKS["todo"]
        cost = "" if finding.present or not finding.cost else f"\n[dim]{escape(finding.cost)}[/]"
        table.add_row(mark, finding.name, escape(finding.found) + cost)
    console.print(table)


def show_audit(console: Console, audit: "PartAudit") -> None:
    """Print the matrix of mistakes and properties of a part, and the problems below it."""
    table = Table(title=f"{audit.part}", title_justify="left", box=None, padding=(0, 1))
    table.add_column("", overflow="fold")
    for number in range(1, len(audit.properties) + 1):
        table.add_column(str(number), justify="right")
    table.add_column("named")
    for kind in ("mistake", "alternative"):
        for name, (its_kind, _, rejected) in audit.rows.items():
            if its_kind == kind:
                marks = ["X" if value in rejected else "[dim]·[/]" for value in audit.properties]
                style = "green" if kind == "alternative" else ""
                shown = Text(name if kind == "mistake" else f"{name} (right)", style)
                table.add_row(shown, *marks, _named(name, audit.named[name]))
    console.print(table)
    for number, value in enumerate(audit.properties, start=1):
        needed = audit.needed[value]
        told = f"needed by {', '.join(needed)}" if needed else audit.stays[value] or "needed by none"
        console.print(f"  {number:2}  {value}  [dim]{escape(told)}[/]", soft_wrap=True)
    for problem in audit.problems:
        console.print(f"  [red]✗ {escape(problem)}[/]", soft_wrap=True)
    console.print()


def _named(name: str, mistakes: Sequence[str]) -> str:
    """Say what an entry of the bank is taken for: itself, perhaps with others that answer the same, or another."""
    others = [other for other in mistakes if other != name]
    told = ["itself"] if name in mistakes else []
    return ", ".join([*told, *others]) or "[dim]·[/]"
