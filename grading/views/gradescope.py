"""The view of a record that Gradescope shows: https://gradescope-autograders.readthedocs.io/en/latest/specs/."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
from msgspec import UNSET, UnsetType

from grading.feedback import points
from grading.records import Record, Settlement, best_claims

from .cases import Case, cases
from .text import accounted, cut, one_line

LEADERS = {"vae.elbo": "desc", "vae.log_likelihood": "desc", "flows.negative_log_likelihood": "asc"}
BY_THEMSELVES = ("runs", "answers", "words")  # suites of which each case is a test
NOTES = 40  # that are told
SLACK = 1e-6  # points that sums of points may differ by


class Test(msgspec.Struct, frozen=True):
    """One row of what Gradescope shows; without a score it tells something and counts nothing."""

    name: str
    score: float | UnsetType = UNSET
    max_score: float | UnsetType = UNSET
    status: str | UnsetType = UNSET
    name_format: str = "text"
    number: str | UnsetType = UNSET
    output: str = ""
    output_format: str = "text"
    tags: list[str] = []
    visibility: str = "visible"


class Leader(msgspec.Struct, frozen=True):
    """A figure on the leaderboard; order: "desc" where a larger one is better."""

    name: str
    value: float
    order: str


class Results(msgspec.Struct, frozen=True):
    """What is in results.json; text is text everywhere, so nothing in it is HTML or Markdown."""

    score: float
    output: str
    tests: list[Test]
    leaderboard: list[Leader]
    execution_time: float | UnsetType = UNSET
    output_format: str = "text"
    test_output_format: str = "text"
    test_name_format: str = "text"
    visibility: str = "visible"
    stdout_visibility: str = "hidden"


def results(record: Record) -> bytes:
    """Write a record as Gradescope's results.json, in which the scores of all tests add up to the points."""
    tests = [_test(name, members, record.settlement) for name, members in _grouped(record)]
    output = accounted(record)
    if record.outcome == "refused":
        output = [f"Nothing could be graded: {one_line(record.reason)}"]
        tests = [Test("submission", status="failed", output=output[0]), *tests]
    made = Results(
        score=_rounded(record.points),
        output="\n".join([*output, *map(one_line, record.notes[:NOTES])]),
        tests=[*tests, *_settled(record, tests), _for_instructors(record)],
        leaderboard=_leaderboard(record),
        execution_time=round(record.budget.used, 3) if record.budget else UNSET,
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def _rounded(points: float) -> float:
    return round(points, 6)


def _grouped(record: Record) -> Iterator[tuple[str, list[Case]]]:
    """Yield the properties of a part together, and every other case by itself."""
    for (suite, group), members in groupby(cases(record), key=lambda case: (case.suite, case.group)):
        if suite not in BY_THEMSELVES:
            yield group, list(members)
            continue
        for case in members:
            yield f"{f'{group}, {case.name}' if suite == 'answers' else case.name}: {case.title}", [case]


def _test(name: str, members: list[Case], settlement: Settlement | None) -> Test:
    first = members[0]
    names = {first.group, first.name}
    dropped = settlement is not None and bool(names.intersection(settlement.dropped))
    extra = settlement is not None and bool(names.intersection(settlement.extra))
    rule = "Counts neither way." if dropped else "Counts beyond what is possible." if extra else ""
    earned = [case.points for case in members if case.points is not None]
    possible = sum(case.possible for case in members)
    counts = not dropped and (possible > 0 or bool(earned))
    mistake = next((case.mistake for case in members if case.mistake), "")
    bad = any(case.result in ("fail", "error") for case in members)
    return Test(
        name=one_line(name),
        score=_rounded(sum(earned)) if counts and earned else UNSET,
        max_score=_rounded(0.0 if extra else possible) if counts else UNSET,
        status=UNSET if first.result == "skipped" else "failed" if bad else "passed",
        number=first.problem or UNSET,
        output=cut("\n\n".join(filter(None, [rule, mistake, *_told(members)]))),
        tags=[first.suite],
    )


def _told(members: Sequence[Case]) -> Iterator[str]:
    """Yield what is told of the cases of a test; the same of several of them once."""
    groups: dict[str, list[Case]] = {}
    for case in members:
        if case.details or case.message:
            groups.setdefault(case.details or case.message, []).append(case)
    for told, alike in groups.items():
        if members[0].suite in BY_THEMSELVES:
            yield told
            continue
        names = [f"{case.name} ({points(case.possible)}): {case.title}" for case in alike]
        yield "\n".join([*names, *(f"    {line}" for line in told.splitlines())])


def _settled(record: Record, tests: Sequence[Test]) -> Iterator[Test]:
    """Yield what makes the sums right: points that nobody handed anything in for, and what the policy took."""
    missing = record.possible - sum(test.max_score or 0.0 for test in tests)
    if missing > SLACK:
        told = "What was not handed in, or could not be judged."
        yield Test("not handed in", 0.0, _rounded(missing), "failed", output=told, tags=["runs"])
    change = record.points - sum(test.score or 0.0 for test in tests)
    if abs(change) > SLACK:
        told = "\n".join(accounted(record))
        yield Test("rules of the course", _rounded(change), 0.0, output=told, tags=["policy"])


def _for_instructors(record: Record) -> Test:
    """Tell what no student is told; it is always there, so that its presence tells nothing either."""
    lines = [*map(one_line, record.look_at[:NOTES]), f"isolation: {', '.join(record.isolation) or 'none'}"]
    status = "failed" if record.look_at else "passed"
    return Test("for instructors", status=status, output=cut("\n".join(lines)), visibility="hidden")


def _leaderboard(record: Record) -> list[Leader]:
    """Return the likelihoods that count and that agree with what was reported."""
    leaders = []
    for claim in best_claims(record.runs):
        order = LEADERS.get(claim.name) or LEADERS.get(".".join(claim.name.split(".")[:2]))
        counts = claim.points > 0 and claim.outcome in ("reached", "missed") and not claim.message
        if order and counts and isinstance(claim.measured, float) and math.isfinite(claim.measured):
            leaders.append(Leader(claim.name, round(claim.measured, 4), order))
    return leaders
