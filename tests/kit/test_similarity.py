"""Pairs of submissions that are alike: copies stand out of independent answers, and hostile text stops nothing."""

import ast
import csv
import inspect
import itertools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import tokenize
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from grading import lexing, similarity
from grading.bank import Entry, entries
from grading.engine.implementation import ROOT, TOPICS
from grading.engine.isolation.enclosure import JUDGE_MB
from grading.intake import Source, Taken, take
from grading.similarity import Comparison, Pair, SimilarityError, similar

pytest.importorskip("copydetect", reason="needs pip install copydetect")


def as_answer(entry: Entry) -> str:
    """An entry of the bank under the name of its part, below the helpers of its file that it calls."""
    module = ast.parse(inspect.getsource(sys.modules[entry.function.__module__]))
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    answer = functions[entry.name]
    called = {node.id for node in ast.walk(answer) if isinstance(node, ast.Name)}
    entered = {each.name for each in entries(entry.part)}
    helpers = [node for name, node in functions.items() if name in called and name not in entered]
    answer.name, answer.decorator_list = entry.part.split(".")[1], []
    return "\n\n".join(ast.unparse(node) for node in [*helpers, answer])


@cache
def independent(number: int) -> dict[str, str]:
    """The stub files with the alternative of this number for each part: no two of these have an answer in common.

    But for properties, which are left as they are given out: the bank's of one part ask the same questions.
    """
    texts = {}
    for file in (file for topic in TOPICS for file in sorted((ROOT / "exercises" / topic).glob("*.py"))):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in reversed(ast.parse(text).body):
            if isinstance(node, ast.FunctionDef) and file.name != "properties.py":
                name = f"{file.parent.name}.{node.name}"
                found = [entry for entry in entries(name) if entry.kind == "alternative"][number : number + 1]
                lines[node.lineno - 1 : node.end_lineno] = [as_answer(entry) for entry in found]
        texts[f"{file.parent.name}/{file.name}"] = "\n".join(lines)
    return texts


def renamed(text: str) -> str:
    """A copy in which every variable has another name, no comment is left, and functions stand in another order."""
    tree = ast.parse(text)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        own = {a.arg for a in function.args.args}
        own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in own:
                node.id = f"my_{len(node.id)}{node.id[::-1]}"
            if isinstance(node, ast.arg) and node.arg in own:
                node.arg = f"my_{len(node.arg)}{node.arg[::-1]}"
    last = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    random.Random(1).shuffle(last)
    tree.body = [*(node for node in tree.body if not isinstance(node, ast.FunctionDef)), *last]
    return ast.unparse(tree)


def with_moved_comments(text: str) -> str:
    lines = [
        f"{line}  # line {number}" if line.endswith(")") else line for number, line in enumerate(text.splitlines())
    ]
    return "\n".join(itertools.chain.from_iterable((line, "", "# mine") if not line else (line,) for line in lines))


Hand = Callable[[str, dict[str, str]], Source]


@pytest.fixture
def hand_in(tmp_path: Path) -> Hand:
    def write(name: str, texts: dict[str, str]) -> Source:
        for file, text in texts.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text, encoding="utf-8", errors="surrogateescape")
        return Source(name, tmp_path / name)

    return write


def stubs() -> dict[str, str]:
    files = [file for topic in TOPICS for file in sorted((ROOT / "exercises" / topic).glob("*.py"))]
    return {f"{file.parent.name}/{file.name}": file.read_text(encoding="utf-8") for file in files}


def pairs_of(sources: Sequence[Source], most: int = 50) -> list[Pair]:
    """The pairs of submissions that all could be read."""
    found = similar(sources, most)
    assert (found.left_out, found.told) == ([], "")
    return found.pairs


# Copies and independent answers


def test_copies_stand_out_of_independent_answers(hand_in: Hand) -> None:
    alone = [hand_in(f"alone-{number}", independent(number)) for number in range(4)]
    copied = [
        hand_in("renamed", {file: renamed(text) for file, text in independent(0).items()}),
        hand_in("commented", {file: with_moved_comments(text) for file, text in independent(1).items()}),
    ]
    half = {f: renamed(text) if f.startswith("flows/") else stubs()[f] for f, text in independent(2).items()}
    pairs = pairs_of([*alone, *copied, hand_in("half", half)])
    first = [({pair.first, pair.second}, pair.share) for pair in pairs]
    expected = [{"alone-0", "renamed"}, {"alone-1", "commented"}, {"alone-2", "half"}]
    assert {frozenset(pair) for pair, _ in first[:3]} == {frozenset(pair) for pair in expected}
    assert all(share > 0.7 for _, share in first[:3])
    assert all(share < 0.2 for _, share in first[3:])


def test_the_reference_with_other_names_is_found_too(hand_in: Hand) -> None:
    texts = {file: (ROOT / "solutions" / file).read_text(encoding="utf-8") for file in stubs()}
    sources = [hand_in("one", texts), hand_in("two", {file: renamed(text) for file, text in texts.items()})]
    (pair,) = pairs_of([*sources, hand_in("three", independent(3))], most=1)
    assert {pair.first, pair.second} == {"one", "two"}
    assert pair.share > 0.7


def test_what_everybody_was_given_counts_for_nothing(hand_in: Hand) -> None:
    assert pairs_of([hand_in("anna", stubs()), hand_in("ben", stubs())]) == []
    one = stubs() | {"vae/likelihoods.py": independent(0)["vae/likelihoods.py"]}
    assert pairs_of([hand_in("carl", one), hand_in("anna", stubs())]) == []


def test_two_who_have_only_begun_are_not_called_alike(hand_in: Hand) -> None:
    text = "import torch\n\n\ndef log_mean_exp(y):\n    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])\n"
    begun = {"vae/likelihoods.py": text}
    (pair,) = pairs_of([hand_in("anna", begun), hand_in("ben", begun)])
    assert pair.share < 0.2


def test_shares_are_of_each_ones_own_code_and_lines_are_counted(hand_in: Hand) -> None:
    part = {file: text for file, text in independent(0).items() if file.startswith("vae/")}
    whole = independent(0)
    (pair,) = pairs_of([hand_in("part", part), hand_in("whole", whole)])
    assert (pair.first, pair.second) == ("part", "whole")
    assert pair.share_first == 1
    assert pair.share_second < 0.6
    total = sum(len(text.splitlines()) for text in part.values())
    assert total / 3 < pair.lines <= total


def test_only_so_many_pairs_are_told(hand_in: Hand) -> None:
    sources = [hand_in(f"copy-{number}", independent(0)) for number in range(5)]
    assert len(pairs_of(sources)) == 10
    assert [pair.share for pair in pairs_of(sources, most=3)] == [1, 1, 1]


def test_what_is_compared_in_steps_is_what_is_compared_at_once(hand_in: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [hand_in(f"s-{number}", independent(number % 3)) for number in range(5)]
    whole = pairs_of(sources)
    monkeypatch.setattr(similarity, "AT_A_TIME", 100)
    assert pairs_of(sources) == whole


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_is_like_nobody(hand_in: Hand, count: int) -> None:
    assert pairs_of([hand_in("anna", independent(0))][:count]) == []


# Hostile text

HOSTILE = {
    "no Python": "def f(:\n  ]]] = = $ ? \x00 \x1b[31m\n",
    "open": "(" * 100_000,
    "nested": "x = " + "[" * 50_000 + "]" * 50_000,
    "quotes": "\"'''" * 40_000,
    "f-strings": "f'{" * 50_000,
    "escapes": "'" + "\\" * 150_000,
    "one name": "a" * 400_000,
    "one number": "9" * 400_000 + "e",
    "spaces": "def" + " \\\n" * 80_000,
    "half of a pair": "x = '\udce9\udcff'\n" * 100,
    "letters": "π学é = 1\n" * 5_000,
    "empty": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_file_holds_the_others_are_compared(hand_in: Hand, text: str) -> None:
    hostile = [hand_in(name, {"vae/likelihoods.py": text, "vae/bounds.py": text}) for name in ("x", "y")]
    found = similar([*hostile, hand_in("anna", independent(0)), hand_in("ben", independent(0))])
    pairs = found.pairs
    assert set(found.left_out) <= {"x", "y"}
    assert any({pair.first, pair.second} == {"anna", "ben"} and pair.share == 1 for pair in pairs)


def test_what_cannot_be_taken_is_like_nothing(hand_in: Hand, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n")
    others = [Source("pdf", tmp_path / "report.pdf"), Source("gone", tmp_path / "gone")]
    assert similar([*others, hand_in("anna", independent(0))]) == Comparison([], ["pdf", "gone"])


def fail() -> None:
    raise RecursionError


ENDS = {
    "with an error": fail,
    "out of memory": lambda: bytearray((JUDGE_MB + 512) << 20),
    "without a word": lambda: os._exit(0),
    "by a signal": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "never": lambda: time.sleep(3600),
}


@pytest.mark.skipif(
    sys.platform == "darwin", reason="what stands in for a hand-in is not there in a process begun anew"
)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_however_the_reading_of_one_ends_the_others_are_compared_and_it_is_told(
    hand_in: Hand, monkeypatch: pytest.MonkeyPatch, end: Callable[[], object], tmp_path: Path
) -> None:
    def take_hostile(path: Path, place: Path) -> Taken:
        taken = take(path, place)
        if path.name == "eve":
            end()
        return taken

    (tmp_path / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    monkeypatch.setattr(lexing, "take", take_hostile)
    # Where one never ends it is alone: on a busy machine so little time may be too little for the others.
    names, seconds = (["eve"], 0.5) if end is ENDS["never"] else (["anna", "eve", "ben"], 600.0)
    found = similar([hand_in(name, independent(0)) for name in names], seconds=seconds)
    assert [(pair.first, pair.second, pair.share) for pair in found.pairs] == [("anna", "ben", 1)][: len(names) // 2]
    assert found.left_out == ["eve"]
    assert found.told == "Compared with nobody, as their code could not be read, or not in time: eve."
    assert multiprocessing.active_children() == []
    assert list((tmp_path / "work").iterdir()) == []  # whatever it had unpacked


def test_files_are_lexed_one_by_one_so_that_none_hides_another(hand_in: Hand) -> None:
    opened = independent(0) | {"vae/bounds.py": 'x = """' + "a" * 500}
    (pair,) = pairs_of([hand_in("anna", independent(0)), hand_in("ben", opened)])
    assert pair.share > 0.9


@pytest.mark.parametrize("blank", ["\n", "\t\n", " \x0b \n", "\u2003\n"])
def test_many_empty_lines_are_lexed_as_a_few(blank: str) -> None:
    assert lexing.readable(blank * 10_000 + "x = 1\n" + blank * 10_000).count("\n") <= 2 * lexing.BLANK + 2


@pytest.mark.parametrize("file", stubs())
def test_a_file_as_people_write_it_is_lexed_as_it_stands(file: str) -> None:
    text = stubs()[file]
    assert lexing.readable(text) == text
    assert lexing.readable(text.replace("\n\n", "\n \n\n\n")) == text.replace("\n\n", "\n \n\n\n")


def test_padding_of_empty_lines_hides_no_code(hand_in: Hand) -> None:
    padded = {file: "\n\t" * 30_000 + "\n" + text for file, text in independent(0).items()}
    (pair,) = pairs_of([hand_in("anna", independent(0)), hand_in("ben", padded)])
    assert pair.share == 1


def test_code_with_an_error_in_it_is_compared_all_the_same(hand_in: Hand) -> None:
    broken = {file: text.replace("return", "return return", 1) for file, text in independent(0).items()}
    with pytest.raises((SyntaxError, tokenize.TokenError)):
        ast.parse(broken["vae/bounds.py"])
    (pair,) = pairs_of([hand_in("anna", independent(0)), hand_in("ben", broken)])
    assert pair.share > 0.9


def test_without_the_library_it_is_said_what_to_install(hand_in: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "copydetect", None)
    with pytest.raises(SimilarityError, match=r"--similar needs copydetect: pip install"):
        pairs_of([])


# The table

PAIRS = [Pair("anna", "ben", 0.875, 0.25, 120), Pair("=cmd", "Müller", 0.1, 0.1, 3)]


def test_the_table_says_that_it_is_a_hint_and_is_read_again(tmp_path: Path) -> None:
    similarity.write(tmp_path / "similar.csv", Comparison(PAIRS))
    with (tmp_path / "similar.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert "hint" in rows[0][0]
    assert "never a verdict" in rows[0][0]
    assert rows[1] == ["first", "second", "share_first", "share_second", "lines"]
    assert rows[3][0] == "'=cmd"
    assert similarity.read(tmp_path / "similar.csv") == PAIRS


def test_the_table_tells_in_its_first_line_who_is_not_in_it(tmp_path: Path) -> None:
    similarity.write(tmp_path / "similar.csv", Comparison(PAIRS, ["eve;=1+1", "zo\x1b[31me\n", *map(str, range(30))]))
    first = (tmp_path / "similar.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "Compared with nobody" in first
    assert "eve;'=1+1" in first
    assert "\x1b" not in first
    assert "and 22 more" in first
    assert similarity.read(tmp_path / "similar.csv") == PAIRS


@pytest.mark.parametrize("content", [b"", b"x", b"head\nfirst,second,share_first,share_second,lines\na,b,?,1,2\n"])
def test_a_table_that_is_no_longer_one_has_no_pairs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "similar.csv").write_bytes(content)
    assert similarity.read(tmp_path / "similar.csv") == []
    assert similarity.read(tmp_path / "none.csv") == []
