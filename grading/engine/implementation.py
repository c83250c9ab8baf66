"""Find an implementation by name or path, and load its functions file by file."""

import difflib
import importlib
import importlib.util
import itertools
import json
import sys
import traceback
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .calls import CallFailed, Fault

ROOT = Path(__file__).resolve().parents[2]
NAMED = tuple(name for name in ("exercises", "solutions") if (ROOT / name).is_dir())  # students have no solutions
TOPICS = ("vae", "gan", "flows")
LENT = "lent.json"
_numbers = itertools.count(1)


class ImplementationNotFound(Exception):
    """No implementation where the request says; the text says what was found, what was expected, what to do."""


def locate(name_or_path: str) -> Path:
    """Return the directory of an implementation, given its name or its path.

    Raises:
        ImplementationNotFound: neither a name nor a directory with a topic in it.
    """
    directory = ROOT / name_or_path if name_or_path in NAMED else Path(name_or_path)
    if not directory.is_dir():
        near = difflib.get_close_matches(name_or_path, NAMED, 1, 0.6)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ImplementationNotFound(
            f"no implementation {name_or_path!r}: neither {' nor '.join(NAMED)}, nor a directory.{hint}"
        )
    if not any((directory / topic).is_dir() for topic in TOPICS):
        raise ImplementationNotFound(
            f"{directory} holds no implementation: expected a directory {'/, '.join(TOPICS)}/ in it. "
            "Name the directory above the topics."
        )
    return directory.resolve()


class Implementation:
    """The functions of one implementation, imported when first asked for and under a name of their own.

    Only relative imports reach its other files: the directory never enters sys.path, so that a file called
    torch.py or random.py in it shadows nothing.
    """

    def __init__(self, directory: Path) -> None:
        """Prepare the package; nothing is imported yet."""
        self.directory = directory
        self.package = f"_implementation_{next(_numbers)}"
        self._add_package(self.package, directory)
        for topic in TOPICS:
            self._add_package(f"{self.package}.{topic}", directory / topic)
        self._files: dict[tuple[str, str], types.ModuleType | Fault] = {}
        self._replaced: dict[str, Callable[..., Any]] = {}
        self._lent: dict[str, str] = {}
        self._lender: Implementation | None = None

    def _add_package(self, name: str, directory: Path) -> None:
        # Made by hand: whatever stands in an __init__.py there, the files beside it stay importable one by one.
        module = types.ModuleType(name)
        module.__path__ = [str(directory)]
        sys.modules[name] = module

    def replace(self, part: str, function: Callable[..., Any]) -> None:
        """Answer for a part with another function, one of the bank."""
        self._replaced[part] = function

    def lend(self, directory: Path) -> None:
        """Let right functions stand in for parts of this implementation, wherever its other functions call them.

        directory: a right implementation, and in `lent.json` the file of each part that it lends.
        """
        self._lender = Implementation(directory)
        self._lent = json.loads((directory / LENT).read_text(encoding="utf-8"))

    def function(self, part: str, file: str) -> Callable[..., Any]:
        """Return the function of a part, from `file` in its topic's directory.

        Raises:
            CallFailed: the file cannot be imported or has no such function.
        """
        if part in self._replaced:
            return self._replaced[part]
        topic, name = part.split(".")
        if (topic, file) not in self._files:
            if self._lender is not None:
                self._import_beside_lent(topic, file)
            self._files[topic, file] = self._import(topic, file)
        module = self._files[topic, file]
        if isinstance(module, Fault):
            raise CallFailed(module)
        function = getattr(module, name, None)
        if not callable(function):
            raise CallFailed(_missing(module, f"{topic}/{file}", name))
        return function

    def _import(self, topic: str, file: str) -> types.ModuleType | Fault:
        if not (self.directory / topic / file).is_file():
            return Fault("missing", "FileNotFoundError", f"there is no file {topic}/{file}")
        try:
            return importlib.import_module(f"{self.package}.{topic}.{file.removesuffix('.py')}")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a student's file may raise anything, SystemExit included
            return fault_of(error, self.directory, "import")

    def _import_beside_lent(self, topic: str, file: str) -> None:
        """Import the other files of a topic, right ones for those that fail, and put in what is lent in all of them."""
        assert self._lender is not None
        right = {part: self._lender.function(part, where) for part, where in self._lent.items()}
        for other in sorted(set(self._lent.values()) - {file}):
            self._import_or_borrow(topic, other, right)
        self._import(topic, file)
        modules = [m for name, m in list(sys.modules.items()) if name.startswith(f"{self.package}.{topic}.")]
        names = {part.split(".")[1]: function for part, function in right.items()}
        # Under whatever name a file has imported it.
        own = {id(vars(m)[name]): function for m in modules for name, function in names.items() if name in vars(m)}
        for module in modules:
            for name, value in list(vars(module).items()):
                if name in names or (callable(value) and id(value) in own):
                    setattr(module, name, names.get(name) or own[id(value)])

    def _import_or_borrow(self, topic: str, file: str, right: Mapping[str, Callable[..., Any]]) -> None:
        """Import a file, or take the right one in its place; what it lacks that is lent it has then."""
        assert self._lender is not None
        name = f"{topic}.{file.removesuffix('.py')}"
        if isinstance(self._import(topic, file), Fault):
            sys.modules[f"{self.package}.{name}"] = sys.modules[f"{self._lender.package}.{name}"]
        module = sys.modules[f"{self.package}.{name}"]
        for part, function in right.items():
            if self._lent[part] == file and not hasattr(module, part.split(".")[1]):
                setattr(module, part.split(".")[1], function)


def _missing(module: types.ModuleType, file: str, name: str) -> Fault:
    own = (value for value in vars(module).values() if isinstance(value, types.FunctionType))
    defined = [function.__name__ for function in own if function.__module__ == module.__name__]
    near = difflib.get_close_matches(name, defined, 1, 0.5)
    hint = f"; the nearest name there is {near[0]}: was it renamed?" if near else ""
    return Fault("missing", "AttributeError", f"{file} has no function {name}{hint}")


def fault_of(error: BaseException, directory: Path, kind: str = "raised") -> Fault:
    """Describe an exception of a student's code by the last place in the student's files that it passed.

    >>> fault_of(ValueError("no"), Path("."))
    Fault(kind='raised', error='ValueError', message='no', where='', traceback='ValueError: no\\n')
    """
    try:
        return _described(error, directory, kind)
    except Exception:  # an exception of a student's own making may hold anything
        return Fault(kind, type(error).__name__, message_of(error))


def _described(error: BaseException, directory: Path, kind: str) -> Fault:
    message = message_of(error)
    if isinstance(error, SyntaxError) and error.filename:
        message = f"{error.msg}: {(error.text or '').strip()}"
        where = f"{_relative(error.filename, directory)}, line {error.lineno}"
    else:
        inside = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_answer(frame.filename, directory)]
        if isinstance(error, NotImplementedError) and not message and inside:  # as a notebook is handed out
            message = f"{Path(inside[-1].filename).parent.name}.{inside[-1].name} is still to be written"
        where = f"{_relative(inside[-1].filename, directory)}, line {inside[-1].lineno}" if inside else ""
    lines = traceback.format_exception(error, limit=-12)
    return Fault(kind, type(error).__name__, message, where, _text("".join(lines))[-4000:])


def message_of(error: BaseException) -> str:
    """Return the text of an exception, whatever a student's own type of exception does when it is asked for one."""
    try:
        return _text(str(error))[:2000]
    except Exception:
        return ""


@lru_cache(maxsize=1000)  # a function that raises does so for every input
def _is_answer(filename: str, directory: Path) -> bool:
    """Tell whether a file is of an implementation; beside the stubs stand the experiments, which are given."""
    return any(Path(filename).is_relative_to(directory / topic) for topic in TOPICS)


def _text(text: str) -> str:
    """Replace halves of surrogate pairs, which cannot be written anywhere."""
    return text.encode(errors="replace").decode()


def _relative(filename: str, directory: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else path.name
