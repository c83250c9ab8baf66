"""Properties as pytest tests: collected as they stand, run in this process, told with a shrunk counterexample."""

import os
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from grading.diagnosis.readings import without_cause
from grading.engine.answering import answer
from grading.engine.calls import Answer, Call, CallFailed
from grading.engine.implementation import Implementation, ImplementationNotFound, fault_of, locate
from grading.engine.inputs import draw, shrink
from grading.engine.worker import reply
from grading.engine.workers import AtOnce
from grading.judge import PROFILES, Judge, Outcome, PartVerdict, Verdict
from grading.own_files import told
from grading.terminal import facts, harmless
from grading.wording import Failure, describe

from .properties import PARTS, Attempt, Part, Property, run_check

# The names of what a report carries to where all are told, also from another process.
LOOKS_LIKE, NOT_HANDED_IN = "looks_like", "not_handed_in"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `elbo check` has too."""
    group = parser.getgroup("elbo-room")
    group.addoption("--implementation", default="exercises", help="a name, or a directory that has the topics in it")
    group.addoption("--profile", default="student", choices=sorted(PROFILES), help="how many inputs are tried")
    group.addoption("--seed", type=int, default=0, help="what the inputs are drawn from")


def pytest_configure(config: pytest.Config) -> None:
    """Load the implementation once for all properties."""
    config.stash[NAMED], config.stash[OUTCOMES], config.stash[OWN_FILES] = {}, {}, {}
    try:
        config.stash[IMPLEMENTATION] = Implementation(locate(config.getoption("--implementation")))
    except ImplementationNotFound as error:
        raise pytest.UsageError(str(error)) from error


IMPLEMENTATION = pytest.StashKey[Implementation]()
NAMED = pytest.StashKey[dict[str, str]]()  # what the parts that are wrong look like
OUTCOMES = pytest.StashKey[dict[str, Outcome]]()  # of the parts that these call
OWN_FILES = pytest.StashKey[dict[str, list[str]]]()  # what of parts is not handed in


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> "list[PropertyItem] | None":
    """Collect the properties of each part that stands in a test module."""
    if not isinstance(obj, Part):
        return None
    function = obj.name.split(".")[1]
    return [PropertyItem.from_parent(collector, name=f"{function}.{p.name}", value=p) for p in obj.properties]


class PropertyItem(pytest.Item):
    """One property as a test."""

    attempt: Attempt | None = None

    def __init__(self, *, value: Property, **kwargs: Any) -> None:
        """Keep the property."""
        super().__init__(**kwargs)
        self.value = value
        self.attempts: list[Attempt] = []

    def runtest(self) -> None:
        """Try the property on its inputs and keep the smallest that fails.

        What is raised then is the student's own exception, if there is one, so that a debugger stops where it was.
        """
        self.note_what_is_not_handed_in()
        profile = PROFILES[self.config.getoption("--profile")]
        seed = self.config.getoption("--seed")
        tries = (run_check(self.value, self.ask, inputs) for inputs in draw(self.value, seed, profile.inputs))
        for attempt in tries:
            self.attempts.append(attempt)
            if attempt.error is not None:
                break
        else:
            return
        if not attempt.todo:
            self.attempts.extend(tries)  # all of them, for what arithmetic says
            attempt = shrink(self.value, attempt, self.ask, seed, profile.inputs, profile.shrink_seconds)
            self.note_what_it_looks_like(attempt)
        self.attempt = attempt
        assert attempt.error is not None
        raise attempt.error.__cause__ or attempt.error

    def ask(self, call: Call) -> Answer:
        """Let the implementation answer in this process."""
        implementation = self.config.stash[IMPLEMENTATION]
        function = implementation.function(call.part, call.file)
        try:
            return answer(function, call)
        except Exception as error:
            raise CallFailed(fault_of(error, implementation.directory)) from error

    def note_what_is_not_handed_in(self) -> None:
        """Note what the part's file imports that the grader will not have, which is looked for once in a process."""
        noted, part = self.config.stash[OWN_FILES], self.value.part
        if part not in noted:
            noted[part] = told([PARTS[part]], self.config.stash[IMPLEMENTATION].directory)
        self.user_properties.extend((NOT_HANDED_IN, line) for line in noted[part])

    def note_what_it_looks_like(self, attempt: Attempt) -> None:
        """Note the mistake that the part looks like, which is asked for once in a process."""
        named, part = self.config.stash[NAMED], self.value.part
        if part not in named:
            named[part] = self.looks_like(describe(attempt))
        if found := named[part]:
            self.user_properties.append((LOOKS_LIKE, f"{part} {found}"))

    def looks_like(self, failure: Failure) -> str:
        """Say what is to be mended before the part, else what its answers to the probes look like."""
        from grading import resting  # what knows the mistakes is not loaded where all is right
        from grading.diagnosis import naming

        value = self.value
        if first := resting.told(PARTS[value.part], self.config.stash[IMPLEMENTATION].directory, self.outcome):
            return first
        verdict = Verdict(value.name, value.aspect, value.sentence, "wrong", 1, 0.0, failure)
        named = naming.diagnosed(PARTS[value.part], PartVerdict(value.part, [verdict]), self.exchange()).diagnosis
        return named.told if named else ""

    def outcome(self, part: Part) -> Outcome:
        """Judge another part, once in a process; nobody looks at its failures, which need not be the smallest."""
        outcomes = self.config.stash[OUTCOMES]
        if part.name not in outcomes:
            judge = Judge(replace(PROFILES["student"], shrink_seconds=0), self.config.getoption("--seed"))
            outcomes[part.name] = PartVerdict(part.name, list(judge.part(part, self.exchange()))).outcome
        return outcomes[part.name]

    def exchange(self) -> AtOnce:
        """Return what asks the implementation in this process."""
        found = self.config.stash[IMPLEMENTATION]
        return AtOnce(lambda calls, _: [reply(found, call) for call in calls])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell the failure as `elbo check` does; the traceback follows with -v."""
        if self.attempt is None:
            return super().repr_failure(excinfo, style)
        failure = describe(self.attempt, self.attempts)
        if self.config.stash[NAMED].get(self.value.part):  # whose cause is told then, and not another
            failure = msgspec.structs.replace(failure, remark=without_cause(failure.remark))
        rows = [f"  {name:12}{value}" for name, value in facts(failure)]
        traceback = ["", str(super().repr_failure(excinfo, style))] if self.config.getoption("verbose") > 0 else []
        return "\n".join([self.value.sentence, *rows, *traceback])

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Name the property by its part."""
        return self.path, self.value.check.__code__.co_firstlineno - 1, self.value.full_name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Report a function that is still to be written as todo: neither passed nor failed."""
    report = yield
    attempt = getattr(item, "attempt", None)
    if call.when == "call" and attempt is not None and attempt.todo:
        report.outcome = "skipped"
        report.todo = describe(attempt).message
        report.longrepr = (str(item.path), 0, report.todo)
    return report


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Count todo as a category of its own."""
    return ("todo", "t", "TODO") if hasattr(report, "todo") else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell of each part once which mistake it looks like, and what of it is not handed in."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    noted = [note for report in reports for note in getattr(report, "user_properties", ())]
    for title, kind in (("what it looks like", LOOKS_LIKE), ("what is not handed in", NOT_HANDED_IN)):
        lines = dict.fromkeys(text for name, text in noted if name == kind)
        if lines:
            terminalreporter.section(title)
        for text in lines:
            terminalreporter.write_line(harmless(text), bold=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End with status 1 where something is still to be written: what was asked for does not hold yet."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and terminal.stats.get("todo") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
