"""Right helpers for a part: the answers that are lent, and that they reach wherever a submission calls them."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grading import rubric
from grading.engine.calls import CallFailed
from grading.engine.implementation import LENT, Implementation
from grading.lending import SOLUTIONS, Lender
from grading.selection import select
from tests.support.properties import Part

PARTS = select((), rubric.load())


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Lender:
    return Lender(PARTS, tmp_path_factory.mktemp("lent"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_answers_to_earlier_parts_of_the_topic_are_lent_and_no_other(lender: Lender, part: Part) -> None:
    names = [other.name for other in PARTS]
    earlier = {p.name for p in PARTS[: names.index(part.name)] if p.topic == part.topic}
    assert lender.lent(part).keys() == earlier
    implementation = Implementation(lender.directory(part))
    for other in (other for other in PARTS if other.topic == part.topic):
        function = implementation.function(other.name, other.file)
        nothing = [None] * len(inspect.signature(function).parameters)
        written = not isinstance(raised_by(function, nothing), NotImplementedError)
        assert written == (other.name in earlier)


def raised_by(function: Callable[..., Any], arguments: list[None]) -> Exception | None:
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_text_of_what_is_judged_does_not_lie_beside_it(lender: Lender, part: Part) -> None:
    directory = lender.directory(part)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    assert {path.parent.name for path in files} == {part.topic, directory.name}
    assert [path.name for path in files if path.parent == directory] == [LENT]
    lent = "\n".join(path.read_text() for path in files)
    for other in (other for other in PARTS if other.topic == part.topic):
        text = (SOLUTIONS / other.topic / other.file).read_text()
        body = text.partition(f"def {other.name.split('.')[1]}(")[2].partition("### BEGIN SOLUTION\n")[2]
        answer = body.partition("### END SOLUTION")[0].strip()
        assert answer
        assert (answer in lent) == (other.name in lender.lent(part))


def test_a_directory_is_written_once(lender: Lender) -> None:
    directory = lender.directory(PARTS[0])
    (directory / "mark").touch()
    assert lender.directory(PARTS[0]) == directory
    assert (directory / "mark").exists()
    assert lender.directory(PARTS[1]) != directory
    (directory / "mark").unlink()


def test_the_first_part_of_a_topic_is_lent_nothing(lender: Lender) -> None:
    assert json.loads((lender.directory(PARTS[0]) / LENT).read_text()) == {}


# In place of a submission's own

Lend = Callable[..., Implementation]
RIGHT = {"helpers.py": "def help(x): return ('right', x)\ndef other(x): return ('right other', x)\n"}
WRONG = "def help(x): return ('wrong', x)\n"


@pytest.fixture
def lend(tmp_path: Path) -> Lend:
    """A function that makes a submission of these files, `f="..."` as f.py, and lends it `help`."""

    def make(lent: tuple[str, ...] = ("help",), **files: str) -> Implementation:
        for name, text in files.items():
            write(tmp_path / "own" / "vae" / f"{name}.py", text)
        for name, text in RIGHT.items():
            write(tmp_path / "right" / "vae" / name, text)
        write(tmp_path / "right" / LENT, json.dumps({f"vae.{name}": "helpers.py" for name in lent}))
        implementation = Implementation(tmp_path / "own")
        implementation.lend(tmp_path / "right")
        return implementation

    return make


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def asked(implementation: Implementation, part: str = "vae.judged", file: str = "f.py") -> Any:
    return implementation.function(part, file)(1)


WAYS = {
    "by its name": "from .helpers import help\ndef judged(x): return help(x)",
    "under another name": "from .helpers import help as aid\ndef judged(x): return aid(x)",
    "under two names": "from .helpers import help, help as aid\ndef judged(x): return help(x) and aid(x)",
    "from its module": "from . import helpers\ndef judged(x): return helpers.help(x)",
    "from its module under another name": "from . import helpers as h\ndef judged(x): return h.help(x)",
    "in the function": "def judged(x):\n    from .helpers import help\n    return help(x)",
    "with everything": "from .helpers import *\ndef judged(x): return help(x)",
    "from the package": "from ..vae.helpers import help\ndef judged(x): return help(x)",
    "through a third file": "from .third import aid\ndef judged(x): return aid(x)",
    "from a copy in its own file": "def help(x): return ('copied', x)\ndef judged(x): return help(x)",
    "by a helper of its own": "from .helpers import help\ndef _own(x): return help(x)\ndef judged(x): return _own(x)",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_a_right_helper_is_called_however_it_was_imported(lend: Lend, text: str) -> None:
    files = {"helpers": WRONG, "third": "from .helpers import help as aid\n", "f": text}
    assert asked(lend(**files)) == ("right", 1)
    assert asked(Implementation(lend(**files).directory)) in (("wrong", 1), ("copied", 1))


def test_a_helper_in_the_same_file_is_lent(lend: Lend) -> None:
    implementation = lend(helpers=WRONG + "def judged(x): return help(x)\n")
    assert asked(implementation, file="helpers.py") == ("right", 1)


def test_what_is_judged_is_the_students_own(lend: Lend) -> None:
    implementation = lend(helpers=WRONG + "def other(x): return ('own other', help(x))\n")
    assert asked(implementation, "vae.other", "helpers.py") == ("own other", ("right", 1))


def test_a_private_helper_of_another_file_stays_the_students_own(lend: Lend) -> None:
    helpers = WRONG + "def _private(x): return ('own', help(x))\n"
    text = "from .helpers import _private\ndef judged(x): return _private(x)"
    assert asked(lend(helpers=helpers, f=text)) == ("own", ("right", 1))


@pytest.mark.parametrize("way", ["by its name", "from its module", "in the function"])
def test_a_helper_that_its_file_lacks_is_lent(lend: Lend, way: str) -> None:
    assert asked(lend(helpers="", f=WAYS[way])) == ("right", 1)


BROKEN = {"syntax": "def help(x) return", "exception": "1 / 0", "exit": "raise SystemExit", "not there": None}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_imported_is_replaced_as_a_whole(lend: Lend, broken: str | None) -> None:
    files = {} if broken is None else {"helpers": broken}
    text = "from .helpers import help\ndef judged(x): return help(x)"
    assert asked(lend(**files, f=text)) == ("right", 1)


def test_the_judged_file_is_never_replaced(lend: Lend) -> None:
    with pytest.raises(CallFailed) as failed:
        asked(lend(helpers=WRONG, f="def judged(x) return 1"))
    assert failed.value.fault.error == "SyntaxError"


def test_variables_of_a_submission_stay_what_they_are(lend: Lend) -> None:
    text = "from . import helpers\nstate = None\nsize = 3\ndef judged(x): return (state, size, helpers.help(x))"
    assert asked(lend(helpers=WRONG, f=text)) == (None, 3, ("right", 1))


def test_a_variable_that_happens_to_be_a_function_of_torch_stays(lend: Lend) -> None:
    text = "from torch import exp\nfrom .helpers import help\ndef judged(x): return exp.__name__"
    assert asked(lend(helpers=WRONG, f=text)) == "exp"


def test_several_are_lent_at_once(lend: Lend) -> None:
    text = "from .helpers import help, other as o\ndef judged(x): return help(x), o(x)"
    implementation = lend(("help", "other"), helpers=WRONG + "def other(x): return 'wrong'\n", f=text)
    assert asked(implementation) == (("right", 1), ("right other", 1))
