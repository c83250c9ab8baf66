"""Every part with what it is worth and its state, which is judged anew each time and stored nowhere."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from grading.engine.workers import Worker
from grading.judge import Judge, Outcome, PartVerdict
from grading.rubric import Policy, Rubric
from tests.support.properties import Part


class Listed(msgspec.Struct, frozen=True):
    """One part: problem number, file, state, points earned of points possible, and minutes it takes.

    extra_credit: whether its points count beyond what is possible.
    """

    part: str
    problem: str
    file: str
    state: Outcome
    earned: float
    points: float
    minutes: int
    extra_credit: bool = False


def listing(parts: Sequence[Part], rubric: Rubric, judge: Judge, worker: Worker) -> list[Listed]:
    """Judge every part and count the points of the properties that hold."""
    verdicts = [PartVerdict(part.name, list(judge.part(part, worker))) for part in parts]
    files = [part.path_in(worker.directory) for part in parts]
    return [row_of(verdict, file, rubric) for verdict, file in zip(verdicts, files, strict=True)]


def row_of(verdict: PartVerdict, file: str, rubric: Rubric) -> Listed:
    """Count the points of a part that was judged; file: where it is told to stand."""
    worth = rubric.parts[verdict.part]
    earned = sum(worth.points[v.property] for v in verdict.verdicts if v.outcome == "right")
    extra = verdict.part in rubric.policy.extra_credit
    return Listed(verdict.part, worth.problem, file, verdict.outcome, earned, worth.total, worth.minutes, extra)


def possible(rows: Iterable[Listed]) -> float:
    """Return the points that parts have together; extra credit counts beyond them."""
    return sum(row.points for row in rows if not row.extra_credit)


def rules(policy: Policy) -> str:
    """Tell in one line when a submission is due, what lateness costs, and which parts do not count; "" of nothing.

    >>> rules(Policy(drop_lowest={"vae": 1}))
    'the lowest 1 of vae does not count'
    """
    told = list(_of_lateness(policy)) if policy.due else []
    if dropped := [f"{count} of {topic}" for topic, count in policy.drop_lowest.items() if count]:
        several = len(dropped) > 1 or not dropped[0].startswith("1 ")
        told.append(f"the lowest {' and '.join(dropped)} {'do' if several else 'does'} not count")
    return "; ".join(told)


def _of_lateness(policy: Policy) -> Iterator[str]:
    free, latest = policy.free_days, policy.latest_days
    yield f"due {policy.due:%Y-%m-%d %H:%M %Z}"
    if free:
        yield f"{free} late day{'s are' if free > 1 else ' is'} free"
    if policy.per_day:
        yield f"{100 * policy.per_day:g} % off for each {'further one' if free else 'late day'}"
    if latest is not None:
        yield f"nothing counts after {f'day {latest}' if latest else 'that'}"
