"""The view of a record that an Exercism test runner leaves, version 3 of its interface.

https://github.com/exercism/docs/blob/main/building/tooling/test-runners/interface.md
"""

import re

import msgspec
from msgspec import UNSET, UnsetType

from grading.records import Record

from .cases import Case, cases
from .text import cut, one_line

PRINTED = 500  # characters, by the interface
CUT = "\nOutput was truncated. Please limit to 500 chars"


class Test(msgspec.Struct, frozen=True):
    """A property, claim or answer; task_id: the problem of the assignment."""

    name: str
    status: str
    message: str | None = None
    output: str | None = None
    test_code: str | UnsetType = UNSET
    task_id: int | UnsetType = UNSET


class Results(msgspec.Struct, frozen=True):
    """What is in results.json; message: only of an error, that is where nothing could be judged."""

    version: int
    status: str
    message: str | None
    tests: list[Test]


def results(record: Record) -> bytes:
    """Write a record as Exercism's results.json; words that a person reads are no test in it."""
    tests = [_test(case) for case in cases(record) if case.result != "skipped"]
    if record.outcome == "refused" or not tests:
        made = Results(3, "error", cut(record.reason) or "nothing was judged", [])
    else:
        status = "pass" if all(test.status == "pass" for test in tests) else "fail"
        made = Results(3, status, None, tests)
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def _test(case: Case) -> Test:
    problem = re.match(r"\d{1,9}", case.problem)
    is_part = case.suite not in ("runs", "answers")
    return Test(
        name=one_line(f"{case.group}, {case.name}: {case.title}"),
        status=case.result,
        message=None if case.result == "pass" else _message(case),
        output=_printed(case.printed) or None,
        test_code=case.code or (f"elbo check {case.group}" if is_part else UNSET),
        task_id=int(problem[0]) if problem else UNSET,
    )


def _message(case: Case) -> str:
    return "\n\n".join(filter(None, [case.mistake, case.details or case.message]))


def _printed(text: str) -> str:
    return text if len(text) <= PRINTED else text[: PRINTED - len(CUT)] + CUT
