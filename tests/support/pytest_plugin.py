"""Properties as pytest tests: collected as they stand, run in this process, told with a shrunk counterexample."""

import os
from typing import Any

import pytest

from grading.engine.answering import answer
from grading.engine.calls import Answer, Call, CallFailed
from grading.engine.implementation import Implementation, ImplementationNotFound, fault_of, locate
from grading.engine.inputs import draw, shrink
from grading.judge import PROFILES
from grading.terminal import facts
from grading.wording import describe

from .properties import Attempt, Part, Property, run_check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `elbo check` has too."""
    group = parser.getgroup("elbo-room")
    group.addoption("--implementation", default="exercises", help="a name, or a directory that has the topics in it")
    group.addoption("--profile", default="student", choices=sorted(PROFILES), help="how many inputs are tried")
    group.addoption("--seed", type=int, default=0, help="what the inputs are drawn from")


def pytest_configure(config: pytest.Config) -> None:
    """Load the implementation once for all properties."""
    try:
        config.stash[IMPLEMENTATION] = Implementation(locate(config.getoption("--implementation")))
    except ImplementationNotFound as error:
        raise pytest.UsageError(str(error)) from error


IMPLEMENTATION = pytest.StashKey[Implementation]()


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

    def runtest(self) -> None:
        """Try the property on its inputs and keep the smallest that fails.

        What is raised then is the student's own exception, if there is one, so that a debugger stops where it was.
        """
        profile = PROFILES[self.config.getoption("--profile")]
        seed = self.config.getoption("--seed")
        attempts = (run_check(self.value, self.ask, inputs) for inputs in draw(self.value, seed, profile.inputs))
        attempt = next((a for a in attempts if a.error is not None), None)
        if attempt is None:
            return
        if not attempt.todo:
            attempt = shrink(self.value, attempt, self.ask, seed, profile.inputs, profile.shrink_seconds)
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

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell the failure as `elbo check` does; the traceback follows with -v."""
        if self.attempt is None:
            return super().repr_failure(excinfo, style)
        rows = [f"  {name:12}{value}" for name, value in facts(describe(self.attempt))]
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End with status 1 where something is still to be written: what was asked for does not hold yet."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and terminal.stats.get("todo") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
