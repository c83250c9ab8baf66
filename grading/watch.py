"""Judging at every save: the files are watched, the inputs stay drawn, and a fresh worker is forked each time."""

import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import watchfiles
from rich.console import Console

from grading import resting
from grading.diagnosis import Diagnosis
from grading.engine.workers import Worker
from grading.hints import next_hint
from grading.judge import Judge, Outcome, PartVerdict
from grading.listing import row_of
from grading.own_files import told
from grading.progress import show_progress, show_where
from grading.rubric import Rubric
from grading.terminal import show_part
from tests.support.properties import Part

LOOK_EVERY_MS = 20
GATHER_MS = 40  # an editor's save is several events


class Watch:
    """The state of a watch: the outcomes so far and the part that the student is at."""

    def __init__(self, parts: Sequence[Part], rubric: Rubric, judge: Judge, worker: Worker, console: Console) -> None:
        """Judge nothing yet."""
        self.parts, self.rubric, self.judge, self.worker, self.console = parts, rubric, judge, worker, console
        self.verdicts: dict[str, PartVerdict] = {}
        self.current = parts[0]
        self._pressed: Callable[[], str] = lambda: ""
        # Inputs of parts still to be written are drawn while nothing else happens, one property at a time.
        self._undrawn = (judge.inputs(value) for part in parts for value in part.properties)

    def run(self) -> None:
        """Judge once, then at every save of a Python file, until q or Ctrl-C."""
        saves = self._saves()
        next(saves)  # from here on no save is missed, also while everything is judged for the first time
        with _keys() as self._pressed, contextlib.suppress(KeyboardInterrupt):
            self.console.print(
                f"[dim]judging {len(self.parts)} part{'s' * (len(self.parts) != 1)} for the first time[/]"
            )
            self.judge_all()
            for changed in saves:
                if changed:
                    self.saved(changed)
                elif not self.press(self._pressed()):
                    return
                else:
                    next(self._undrawn, None)

    def _saves(self) -> Iterator[set[Path]]:
        changes = watchfiles.watch(
            self.worker.directory,
            watch_filter=watchfiles.PythonFilter(),
            step=LOOK_EVERY_MS,
            debounce=GATHER_MS,
            rust_timeout=100,
            yield_on_timeout=True,
            raise_interrupt=True,
        )
        for events in changes:
            yield {Path(path) for _, path in events}

    def judge_all(self) -> None:
        """Judge every part, and go to the first that is not right."""
        self.verdicts.clear()
        for part in self.parts:
            self._judge(part)
        self.current = next((p for p in self.parts if not self._right(p)), self.current)
        self._show()

    def saved(self, changed: set[Path]) -> None:
        """Judge the current part at once if its file was saved, then the rest of the topic; tell what changed."""
        self.worker.close()  # the next call starts a fresh process, which imports the files as they are now
        self.console.rule(f"{', '.join(sorted(path.name for path in changed))} saved", style="dim")
        before, self.verdicts = self.verdicts, {}
        for part in sorted(self.parts, key=lambda part: self._urgency(part, changed)):
            if self._outcome(part) != before[part.name].outcome or part is self.current:
                self._show_part(part)
        broken = (p for p in self.parts if self._urgency(p, changed) < 2 and self.verdicts[p.name].outcome == "wrong")
        self.current = next(broken, self.current)
        if self._right(self.current):
            self.next_part()
        self._summary()

    def _urgency(self, part: Part, changed: set[Path]) -> int:
        """0 for the current part in a saved file, 1 for others there, 2 for all that may depend on it."""
        in_saved = self.worker.directory / part.topic / part.file in changed
        return 2 if not in_saved else 0 if part is self.current else 1

    def _right(self, part: Part) -> bool:
        return self.verdicts[part.name].outcome == "right"

    def _outcome(self, part: Part) -> Outcome:
        """Return the outcome of a part since the last save, also of one that is not watched but called."""
        if part.name not in self.verdicts:
            self._judge(part)
        return self.verdicts[part.name].outcome

    def press(self, key: str) -> bool:
        """Do what a key asks for; False to quit."""
        if key == "h":
            number, text = next_hint(self.rubric, self.current.name, self._diagnosis)
            self.console.print(f"[bold]hint {number}:[/] ", end="")
            self.console.print(text, markup=False)
        elif key == "n":
            self.next_part()
            self._show()
        return key != "q"

    def next_part(self) -> None:
        """Go to the next part, round the end, that is not right; stay if there is none."""
        at = self.parts.index(self.current)
        order = [*self.parts[at + 1 :], *self.parts[: at + 1]]
        self.current = next((p for p in order if not self._right(p)), self.current)

    def _judge(self, part: Part) -> None:
        verdicts = []
        for verdict in self.judge.part(part, self.worker):
            verdicts.append(verdict)
            if self._pressed() == "q":  # also while a slow part is judged
                raise KeyboardInterrupt
        self.verdicts[part.name] = PartVerdict(part.name, verdicts, self.worker.take_output())

    def _show(self) -> None:
        self._show_part(self.current)
        self._summary()

    def _show_part(self, part: Part) -> None:
        first, directory = self._name(part), self.worker.directory
        note = "".join(told([part], directory))
        show_part(self.console, self.verdicts[part.name], part.path_in(directory), first=first, note=note)

    def _name(self, part: Part) -> str:
        """Name the mistake of a part that is looked at, or return what is to be mended before it.

        All the others of a save would be asked for nothing.
        """
        self.verdicts[part.name], first = resting.named(part, self.verdicts[part.name], self.worker, self._outcome)
        return first

    def _diagnosis(self) -> Diagnosis | None:
        self._name(self.current)
        return self.verdicts[self.current.name].diagnosis

    def _summary(self) -> None:
        """Tell points and parts so far, and where the student is."""
        places = {part.name: part.path_in(self.worker.directory) for part in self.parts}
        rows = {name: row_of(self.verdicts[name], place, self.rubric) for name, place in places.items()}
        self.console.print()
        show_progress(self.console, list(rows.values()))
        show_where(self.console, "at", rows[self.current.name])
        self.console.print("[dim]save to judge again, h hint, n next part, q quit[/]")


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """Yield a function that returns the key pressed since the last time, "" for none; without a terminal, never one."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    import termios  # not on Windows
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed() -> str:
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    if not ready:
        return ""
    try:
        return os.read(sys.stdin.fileno(), 1).decode(errors="ignore") or "q"
    except OSError:  # the terminal is gone
        return "q"
