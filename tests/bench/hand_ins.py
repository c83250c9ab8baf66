"""Hand-ins to measure with: copies of the reference, variants of it from the bank of mistakes, half-done ones, stubs.

An entry of the bank becomes a student's answer: it is written at the end of the stub file of its part, with what its
file in the bank imports and shares, and takes the name of the part.
"""

import ast
import inspect
import random
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from grading.bank import Entry, entries
from grading.catalogue import topic_parts
from grading.engine.implementation import ROOT, TOPICS
from grading.release import stub
from tests.support.properties import Part

Texts = dict[str, str]  # by stub file, "vae/bounds.py"
KINDS = ("copy", "right", "wrong", "copy", "right", "wrong", "right", "half", "wrong", "stub")
SCOPE = "_written_otherwise"


def reference(topics: Sequence[str] = TOPICS) -> Texts:
    """Return the reference's files."""
    files = (path for topic in topics for path in sorted((ROOT / "solutions" / topic).glob("*.py")))
    return {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in files}


def hand_in(kind: str, chance: random.Random, topics: Sequence[str] = TOPICS) -> Texts:
    """Write the files of one student."""
    parts = [part for topic in topics for part in topic_parts(topic)]
    match kind:
        case "copy":
            return reference(topics)
        case "stub":
            return _written(topics, ())
        case "half":
            return _written(topics, [part.name for part in parts[: chance.randrange(1, len(parts))]])
    some = chance.sample(parts, min(len(parts), chance.randint(1, 4))) if kind == "wrong" else parts
    return with_entries(
        reference(topics), parts, _chosen(some, "mistake" if kind == "wrong" else "alternative", chance)
    )


def _written(topics: Sequence[str], kept: Sequence[str]) -> Texts:
    texts = reference(topics)
    return {name: stub(text, name.split("/")[0], name.split("/")[1], kept) for name, text in texts.items()}


def _chosen(parts: Sequence[Part], kind: str, chance: random.Random) -> dict[str, Entry]:
    found = {part.name: [entry for entry in entries(part.name) if entry.kind == kind] for part in parts}
    if kind == "alternative":
        # Those that go row by row rest on helpers for a row, or take minutes as helpers for thousands of rows.
        found = {name: [entry for entry in some if not _loops(entry)] for name, some in found.items()}
    return {name: chance.choice(some) for name, some in found.items() if some}


def _loops(entry: Entry) -> bool:
    return " for " in inspect.getsource(entry.function)


def with_entries(texts: Texts, parts: Sequence[Part], chosen: dict[str, Entry]) -> Texts:
    """Let entries of the bank answer for their parts."""
    for part in parts:
        if part.name in chosen:
            file = f"{part.topic}/{part.file}"
            texts[file] += f"\n\n{_as_answer(chosen[part.name], part.file, part.name.split('.')[1])}"
    return texts


@cache
def _as_answer(entry: Entry, file: str, name: str) -> str:
    """Write an entry in a scope of its own, so that the names of its file do not meet those of the stub file."""
    module = ast.parse(inspect.getsource(sys.modules[entry.function.__module__]))
    body = "\n".join(ast.unparse(node) for node in module.body if _is_needed(node, entry.name))
    own = file.removesuffix(".py")
    # The file itself is taken as it is before the entry is in it, or the entry would call itself.
    itself = r"\1 = __import__('types').SimpleNamespace(**globals())"
    body = re.sub(rf"from solutions\.\w+ import {own} as (\w+)", itself, body)
    body = re.sub(rf"from solutions\.\w+ import ({own})$", itself, body, flags=re.MULTILINE)
    body = re.sub(r"from solutions\.\w+\.(\w+) import", r"from .\1 import", body)
    body = re.sub(r"from solutions\.\w+ import", "from . import", body)
    scope = f"{SCOPE}_{name}"
    return f"def {scope}():\n{textwrap.indent(body, '    ')}\n    return {entry.name}\n\n\n{name} = {scope}()\n"


def _is_needed(node: ast.stmt, name: str) -> bool:
    """Tell what belongs to an entry from the other entries of its file and from the bank itself."""
    match node:
        case ast.ImportFrom(module="grading.bank") | ast.Expr():
            return False
        case ast.Assign(targets=[ast.Name(id="bank")]):
            return False
        case ast.FunctionDef():
            enters = [each for each in node.decorator_list if ast.unparse(each).startswith("bank.")]
            node.decorator_list = [each for each in node.decorator_list if each not in enters]
            return not enters or node.name == name
    return True


def write(texts: Texts, folder: Path, name: str, zipped: bool = False) -> None:
    """Write a hand-in as a directory or as an archive."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) if zipped else folder / name
        for file, text in texts.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text, encoding="utf-8")
        if zipped:
            shutil.make_archive(str(folder / name), "zip", root)


def write_class(folder: Path, count: int, topics: Sequence[str] = TOPICS, kinds: Sequence[str] = KINDS) -> None:
    """Write the hand-ins of a class, of every kind in turns, every second one as an archive."""
    chance = random.Random(0)
    folder.mkdir(parents=True)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        zipped = bool((number + number // len(kinds)) % 2)
        write(hand_in(kind, chance, topics), folder, f"{number:04d}-{kind}", zipped)
