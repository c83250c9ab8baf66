"""Grading a class as a person sees it: a bar or lines, what is left for another time, what Ctrl-C leaves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from .shared import Refusal

if TYPE_CHECKING:
    from rich.console import Console

    from grading.gradebook import Gradebook
    from grading.grader import Marked, Order
    from grading.intake import Source
    from grading.records import Record


@dataclass(frozen=True)
class Work:
    """What there is to do: submissions for a gradebook. times: when they were handed in, of those where it is known."""

    book: "Gradebook"
    sources: "list[Source]"
    order: "Order"
    jobs: int
    scheduler: str
    times: dict[str, str]
    console: "Console"


def grade_waiting(work: Work, resume: bool) -> None:
    """Grade submissions: all, or those that were not graded before."""
    book, sources = work.book, work.sources
    waiting = [source for source in sources if not (resume and book.has(source))]
    if len(waiting) < len(sources):
        told = f"{len(sources) - len(waiting)} of {len(sources)} were graded before, and are kept"
        work.console.print(told, soft_wrap=True)

    def kept(marked: "Marked") -> "Record":
        at = work.times.get(marked.record.submission, "")
        return book.keep(msgspec.structs.replace(marked.record, handed_in_at=at), marked.report)

    _grade(work, waiting, work.order, kept, "graded and are kept. Go on with --resume")


def judge_again(work: Work, parts: tuple[str, ...]) -> None:
    """Judge some parts again for all that are graded there."""
    from grading import regrading

    chosen = regrading.choose(work.book, work.sources)
    for sentence in chosen.left:
        work.console.print(sentence, soft_wrap=True, markup=False)
    order = msgspec.structs.replace(work.order, parts=parts, evidence=False)
    left = "judged again. The others are as they were: give the same command once more"
    changes: list[regrading.Change] = []

    def kept(marked: "Marked") -> "Record":
        changes.extend(regrading.keep(work.book, [marked.record]))
        return marked.record

    _grade(work, chosen.sources, order, kept, left)
    work.book.renew()
    for sentence in regrading.told(changes, parts):
        work.console.print(sentence, soft_wrap=True, markup=False)


def _grade(work: Work, sources: "list[Source]", order: "Order", keep: "Callable[[Marked], Record]", left: str) -> None:
    """Grade and keep submissions as they come, with a bar on a terminal; what Ctrl-C leaves is told of.

    Raises:
        Refusal: it was stopped.
    """
    from rich.progress import Progress

    console, done = work.console, 0
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("drawing inputs", total=len(sources))
            for record in map(keep, _marked(work, sources, order)):
                done += 1
                progress.update(bar, advance=1, description="grading")
                if not console.is_terminal:
                    points = f"{record.points:g} of {record.possible:g}" if record.outcome == "graded" else "refused"
                    told = f"{done} of {len(sources)}: {record.submission}: {points}"
                    console.print(told, markup=False, soft_wrap=True)
    except KeyboardInterrupt as error:
        raise Refusal(f"stopped; {done} of {len(sources)} were {left}.") from error


def _marked(work: Work, sources: "list[Source]", order: "Order") -> "Iterator[Marked]":
    from grading import batch

    if not sources:
        return iter(())
    if work.scheduler:
        return batch.grade_on_cluster(sources, order, work.scheduler)
    return batch.grade_here(sources, order, work.jobs, work.book.out)
