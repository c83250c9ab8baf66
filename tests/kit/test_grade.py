"""`elbo grade` as an instructor meets it: a class of all kinds of hand-ins, options, refusals, going on."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grading import batch, rubric
from grading.engine.implementation import ROOT
from grading.engine.isolation import LAYERS

PART = "vae.log_mean_exp"
QUICK = ("--only", PART, "--inputs", "4", "--jobs", "2")
SOLUTIONS = ROOT / "solutions"
LIKELIHOODS = (SOLUTIONS / "vae" / "likelihoods.py").read_text(encoding="utf-8")
SLIP = LIKELIHOODS.replace(" - math.log(y.shape[1])", "")
TOTAL = rubric.load().parts[PART].total
Call = Callable[..., tuple[int, str, str]]
Refusal = Callable[..., str]


def hand_in(folder: Path, name: str, text: str = LIKELIHOODS, place: str = "vae/likelihoods.py") -> Path:
    """Write a directory of a student with one file in it."""
    path = folder / name / place
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return folder / name


def with_body(body: str) -> str:
    """The file with another body of the part that is graded."""
    return LIKELIHOODS.partition("def log_mean_exp(")[0] + f"def log_mean_exp(y):\n    {body}\n"


def write_class(folder: Path) -> None:
    """Write hand-ins of every form."""
    hand_in(folder, "directory")
    hand_in(folder, "wrong", SLIP)
    hand_in(folder, "deep", place="homework 2/final (1)/work/vae/likelihoods.py")
    shutil.copytree(ROOT / "exercises" / "vae", folder / "stub" / "vae", ignore=shutil.ignore_patterns("__pycache__"))
    (hand_in(folder, "latin") / "vae" / "likelihoods.py").write_bytes(
        f"# caf\xe9\n{LIKELIHOODS}".encode("latin-1", "replace")
    )
    with zipfile.ZipFile(folder / "zip.zip", "w") as archive:
        archive.writestr("work/vae/likelihoods.py", LIKELIHOODS)
    with tarfile.open(folder / "tar.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("vae/likelihoods.py")
        info.size = len(LIKELIHOODS.encode())
        tar.addfile(info, io.BytesIO(LIKELIHOODS.encode()))
    cells = [nbformat.v4.new_markdown_cell("# Mine"), nbformat.v4.new_code_cell(LIKELIHOODS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebook.ipynb")
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "broken.zip").write_bytes((folder / "zip.zip").read_bytes()[:100])
    (folder / "empty").mkdir()
    hand_in(folder, "prints", with_body("print('\\x1b[31m<b>' * 9999)\n    return y[:, 0]"))
    hand_in(folder, "loops", with_body("while True: pass"))
    hand_in(folder, "exits", "import os\nos._exit(0)\n")
    hand_in(folder, "dies", with_body("import os; os._exit(0)"))


RIGHT = ("directory", "deep", "latin", "zip", "tar", "notebook")
REFUSED = {"report.pdf": "this is a PDF", "broken": "damaged", "empty": "no stub file"}
OTHERS = ("wrong", "stub", "prints", "loops", "exits", "dies")


@dataclass
class Graded:
    """A class that was graded by the command."""

    folder: Path
    out: Path
    ended: subprocess.CompletedProcess[str]
    rows: list[dict[str, Any]]
    seconds: float

    def record(self, name: str) -> dict[str, Any]:
        return record_in(self.out, name)


def record_in(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / "records" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def graded(elbo: Any, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    base = tmp_path_factory.mktemp("grade")
    (base / "class").mkdir()
    write_class(base / "class")
    begin = time.monotonic()
    options = (*QUICK, "--budget", "2", "--seed", "7", "--json", base / "rows.json")
    ended = elbo("grade", base / "class", "--out", base / "out", *options)
    rows = json.loads((base / "rows.json").read_text())
    return Graded(base / "class", base / "out", ended, rows, time.monotonic() - begin)


# A class of all kinds


def test_refused_ones_make_the_status_1_and_nothing_else(graded: Graded) -> None:
    assert graded.ended.returncode == 1
    assert graded.ended.stderr == ""
    assert f"{len(RIGHT + OTHERS)} graded, {len(REFUSED)} refused" in graded.ended.stdout


def test_every_hand_in_has_a_record_and_feedback_and_a_row(graded: Graded) -> None:
    names = {*RIGHT, *REFUSED, *OTHERS}
    assert {path.stem for path in (graded.out / "records").glob("*.json")} == names
    expected = {f"{name}{ending}" for name in names for ending in (".md", ".html")}
    assert {path.name for path in (graded.out / "feedback").iterdir()} == expected
    with (graded.out / "class.csv").open(newline="", encoding="utf-8-sig") as file:
        table = {row["submission"]: row for row in csv.DictReader(file)}
    assert set(table) == {row["submission"] for row in graded.rows} == names
    for name in names:
        record = graded.record(name)
        assert float(table[name]["points"]) == record["points"]
        assert float(table[name]["possible"]) == record["possible"] == TOTAL
        assert table[name]["outcome"] == record["outcome"]
        assert table[name]["reason"] == record["reason"]
        assert table[name]["file"] == record["file"]
        assert (graded.folder / record["file"]).exists()
    assert table["tar"]["file"] == "tar.tar.gz"


def test_where_no_terminal_is_each_hand_in_is_told_of_as_it_is_graded(graded: Graded) -> None:
    names = {*RIGHT, *REFUSED, *OTHERS}
    told = [line.split(": ") for line in graded.ended.stdout.splitlines()[: len(names)]]
    assert [number for number, *_ in told] == [f"{number} of {len(names)}" for number in range(1, len(names) + 1)]
    expected = dict.fromkeys(REFUSED, "refused") | dict.fromkeys(RIGHT, f"{TOTAL:g} of {TOTAL:g}")
    points = {name.strip(): value.strip() for _, name, value in told}
    assert set(points) == names
    assert {name: points[name] for name in expected} == expected


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_gets_all_points_however_it_is_packed(graded: Graded, name: str) -> None:
    record = graded.record(name)
    assert (record["outcome"], record["points"]) == ("graded", TOTAL)
    assert [part["part"] for part in record["parts"]] == [PART]
    assert record["parts"][0]["file"] == "vae/likelihoods.py"
    assert record["isolation"][0] == "process"


def test_the_same_files_are_the_same_submission_however_they_are_packed(graded: Graded) -> None:
    records = [graded.record(name) for name in ("directory", "deep", "zip", "tar")]
    assert len({record["hash"] for record in records}) == len({record["seed"] for record in records}) == 1
    assert len({record["handed_in"] for record in records}) > 1
    assert graded.record("wrong")["seed"] != records[0]["seed"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_graded_says_why_to_instructor_and_student(graded: Graded, name: str) -> None:
    record = graded.record(name)
    assert (record["outcome"], record["points"], record["parts"]) == ("refused", 0, [])
    assert REFUSED[name] in record["reason"]
    assert "Nothing could be graded" in (graded.out / "feedback" / f"{name}.md").read_text()
    lines = [line.split() for line in graded.ended.stdout.splitlines()]
    assert [name, "refused"] in lines  # in the table, and the reason below it
    assert ["refused", f"{name}:", *record["reason"].split()] in lines[lines.index([name, "refused"]) :]


def test_what_was_odd_is_noted(graded: Graded) -> None:
    assert any("UTF-8" in note or "latin" in note.lower() for note in graded.record("latin")["notes"])
    assert graded.record("deep")["notes"]


def test_a_stub_is_still_to_be_written(graded: Graded) -> None:
    record = graded.record("stub")
    assert (record["outcome"], record["points"], record["parts"][0]["outcome"]) == ("graded", 0, "todo")


def test_a_slip_costs_some_points(graded: Graded) -> None:
    assert 0 < graded.record("wrong")["points"] < TOTAL
    assert "mean\\_of" in (text := (graded.out / "feedback" / "wrong.md").read_text()) or "`mean_of" in text


def test_hostile_ones_get_what_they_earn_and_take_nothing_from_others(graded: Graded) -> None:
    for name in ("loops", "exits", "dies"):
        record = graded.record(name)
        assert (record["outcome"], record["points"]) == ("graded", 0)
        failure = record["parts"][0]["properties"][0]["failure"]["message"]
        assert ("endless loop" if name == "loops" else "ended during the call") in failure
    assert 0 < len(graded.record("prints")["parts"][0]["printed"]) < 10_000
    assert graded.record("loops")["budget"]["used"] < 8
    assert graded.record("loops")["budget"]["allowed"] == 2
    for path in (graded.out / "feedback").iterdir():
        assert "\x1b" not in path.read_text(encoding="utf-8")
    assert "\x1b" not in graded.ended.stdout


def test_hand_ins_are_left_as_they_were(graded: Graded) -> None:
    assert not list(graded.folder.rglob("__pycache__"))
    assert len(list(graded.folder.iterdir())) == len({*RIGHT, *REFUSED, *OTHERS})


def test_what_they_share_is_kept_once(graded: Graded) -> None:
    shared = json.loads((graded.out / "grading.json").read_text())
    assert (shared["grading_seed"], shared["inputs"], shared["parts"]) == (7, 4, [PART])
    assert all(graded.record(name)["circumstances"] == shared for name in RIGHT + tuple(REFUSED))


# Options


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A folder with two hand-ins, of which one has a slip."""
    hand_in(tmp_path / "class", "anna")
    hand_in(tmp_path / "class", "ben", SLIP)
    return tmp_path / "class"


def without_times(record: dict[str, Any]) -> dict[str, Any]:
    """A record as it is whenever it is made, and whatever the submission is called."""
    for value in (value for part in record["parts"] for value in part["properties"]):
        value["seconds"] = 0
    return {key: record[key] for key in ("outcome", "points", "seed", "hash", "parts", "circumstances")}


def test_the_same_seed_gives_the_same_points_and_seeds(call: Call, one: Path, tmp_path: Path, graded: Graded) -> None:
    status, out, err = call("grade", one, "--out", tmp_path / "out", *QUICK, "--seed", "7")
    assert (status, err) == (0, "")  # all of them could be graded
    assert f"wrote {tmp_path / 'out' / 'class.csv'}" in out
    for name, same in (("anna", "directory"), ("ben", "wrong")):
        assert without_times(record_in(tmp_path / "out", name)) == without_times(graded.record(same))


def test_a_seed_that_nobody_gives_is_a_new_secret_and_kept_for_going_on(
    call: Call, one: Path, tmp_path: Path, graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def draw(most: int) -> int:
        asked.append(most)
        return 1234 + len(asked)

    monkeypatch.setattr("secrets.randbelow", draw)
    out = tmp_path / "out"
    assert call("grade", one, "--out", out, *QUICK)[0] == 0
    assert json.loads((out / "grading.json").read_text())["grading_seed"] == 1235
    assert min(asked) > 1 << 32
    before, kept = (record_in(out, name) for name in ("ben", "anna"))
    assert kept["hash"] == graded.record("directory")["hash"]
    assert kept["seed"] != graded.record("directory")["seed"]
    kept_at = (out / "records" / "anna.json").stat().st_mtime_ns
    (out / "records" / "ben.json").unlink()
    status, text, _ = call("grade", one, "--out", out, *QUICK, "--resume")
    assert status == 0
    assert "1 of 2 were graded before, and are kept" in text
    assert "2 graded, 0 refused" in text
    assert without_times(record_in(out, "ben")) == without_times(before)
    assert (out / "records" / "anna.json").stat().st_mtime_ns == kept_at
    assert record_in(out, "anna") == kept


def test_going_on_with_nothing_is_told_and_begins(call: Call, one: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, text, err = call("grade", one / "anna", "--out", out, *QUICK, "--resume")
    assert (status, err) == (0, "")
    assert text.startswith(f"{out} holds no grading to go on with: this is a new one\n")
    assert record_in(out, "anna")["points"] == TOTAL
    seed = json.loads((out / "grading.json").read_text())["grading_seed"]
    status, text, _ = call("grade", one / "ben", "--out", out, *QUICK, "--resume")
    assert status == 0
    assert "holds no grading" not in text
    assert json.loads((out / "grading.json").read_text())["grading_seed"] == seed
    assert "1 that were graded before are not among these, and keep their rows in the table" in text
    with (out / "class.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["submission"] for row in csv.DictReader(file)] == ["anna", "ben"]


def test_parts_can_be_named_with_commas(call: Call, one: Path, tmp_path: Path) -> None:
    others = ["vae.log_likelihood_bernoulli", PART]
    for name, only in (("commas", ["--only", ",".join(others)]), ("twice", [f"--only={part}" for part in others])):
        status, _, err = call("grade", one / "anna", "--out", tmp_path / name, *only, "--inputs", 2, "--seed", 7)
        assert (status, err) == (0, "")
    commas, twice = (record_in(tmp_path / name, "anna") for name in ("commas", "twice"))
    assert {part["part"] for part in commas["parts"]} == set(others)
    assert without_times(commas) == without_times(twice)


def test_an_error_that_comes_of_where_a_file_is_run_is_told_with_advice(call: Call, tmp_path: Path) -> None:
    left = {
        "breakpoint": (with_body("breakpoint()\n    return y"), "raised BdbQuit: a breakpoint() is left in the code"),
        "input": (with_body("input()\n    return y"), ": input() has nobody to answer it here"),
        "import": (f"from helpers import mine\n{LIKELIHOODS}", "import from them as in `from .likelihoods import"),
        "import-within": (
            with_body("import helpers\n    return y"),
            ": of your own files only the stub files are there",
        ),
    }
    for name, (text, _) in left.items():
        hand_in(tmp_path / "class", name, text)
    assert call("grade", tmp_path / "class", "--out", tmp_path / "out", *QUICK)[0] == 0
    for name, (_, advice) in left.items():
        failure = record_in(tmp_path / "out", name)["parts"][0]["properties"][0]["failure"]["message"]
        assert advice in failure
        assert advice in (tmp_path / "out" / "feedback" / f"{name}.md").read_text(encoding="utf-8")


def test_names_in_letters_of_their_own_are_kept(call: Call, tmp_path: Path) -> None:
    for name in ("Müller", "Muller", "山田"):
        hand_in(tmp_path / "class", name, SLIP if name == "Muller" else LIKELIHOODS)
    status, text, _ = call("grade", tmp_path / "class", "--out", tmp_path / "out", *QUICK)
    assert status == 0
    with (tmp_path / "out" / "class.csv").open(newline="", encoding="utf-8-sig") as file:
        points = {row["submission"]: float(row["points"]) for row in csv.DictReader(file)}
    assert points["Müller"] == points["山田"] == TOTAL > points["Muller"]
    for name in points:
        assert record_in(tmp_path / "out", name)["file"] == name
        assert (tmp_path / "out" / "feedback" / f"{name}.md").exists()
        assert name in text


def test_going_on_with_all_graded_starts_nothing(
    call: Call, graded: Graded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded.out, out)
    monkeypatch.setattr(batch, "at_work", None)
    status, text, _ = call("grade", graded.folder, "--out", out, "--only", PART, "--inputs", 4, "--resume")
    assert status == 1  # some were refused
    assert "15 of 15 were graded before" in text
    assert (out / "class.csv").read_bytes() == (graded.out / "class.csv").read_bytes()


def test_facts_go_to_standard_output_alone_where_they_are_asked_for(call: Call, one: Path, tmp_path: Path) -> None:
    status, out, err = call("grade", one / "anna", "--out", tmp_path / "out", *QUICK, "--json", "-")
    assert status == 0
    (row,) = json.loads(out)
    assert (row["submission"], row["points"], row["possible"], row["right"]) == ("anna", TOTAL, TOTAL, 1)
    assert "1 graded, 0 refused" in err


def test_ctrl_c_keeps_what_was_graded_and_says_how_to_go_on(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", "anna")
    for number in range(3):
        hand_in(tmp_path / "class", f"loops-{number}", with_body("while True: pass"))
    command = [sys.executable, "-m", "grading.cli", "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, *QUICK],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not (tmp_path / "out" / "records" / "anna.json").exists() and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "elbo: stopped; 1 of 4 were graded and are kept. Go on with --resume.\n"
    assert record_in(tmp_path / "out", "anna")["points"] == TOTAL
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_on_a_cluster_nobody_answers(
    refusal: Refusal, one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = refusal("grade", one, "--out", tmp_path / "out", "--scheduler", "127.0.0.1:1")
    assert "pip install" in told
    assert not (tmp_path / "out").exists()


# Refusals


@pytest.fixture
def refusal(call: Call) -> Refusal:
    """A function that runs a command that cannot be carried out and returns its one message."""

    def run(*arguments: object) -> str:
        status, out, err = call(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("elbo: ")
        assert "Traceback" not in err
        assert err.count("\n") == 1
        return err

    return run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "vae.log_mean_expp"], "Did you mean vae.log_mean_exp?"),
        (["--only", "vea"], "no part or topic is called 'vea'"),
        (["--isolation", "nonsense"], "--isolation nonsense: expected required or available"),
        (["--json", "/nowhere/facts.json"], "--json /nowhere/facts.json: cannot be written"),
    ],
)
def test_an_option_that_cannot_be_followed_is_refused(
    refusal: Refusal, one: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    assert words in refusal("grade", one, "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_a_path_that_is_not_there_is_refused(refusal: Refusal, one: Path, tmp_path: Path) -> None:
    told = refusal("grade", one, tmp_path / "nobody", "--out", tmp_path / "out")
    assert "nobody is not there" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["class", "class/graded", "class/anna/graded", "class/../class/new/graded"])
def test_what_was_handed_in_is_no_place_for_records(refusal: Refusal, one: Path, tmp_path: Path, place: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    told = refusal("grade", one, "--out", tmp_path / place, *QUICK)
    assert "with what was handed in; give a directory beside that" in told
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_into_what_was_handed_in_is_no_place_for_records(refusal: Refusal, one: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(one)
    before = sorted(one.rglob("*"))
    assert "with what was handed in" in refusal("grade", one, "--out", tmp_path / "link" / "graded", *QUICK)
    assert "with what was handed in" in refusal("grade", tmp_path / "link", "--out", one / "graded", *QUICK)
    assert sorted(one.rglob("*")) == before


def test_a_file_is_no_place_for_records(refusal: Refusal, one: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "expected a directory" in refusal("grade", one, "--out", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a directory in which nobody can make another")
def test_a_place_where_nothing_can_be_written_is_refused(refusal: Refusal, one: Path) -> None:
    assert "--out /proc/graded: cannot be written" in refusal("grade", one, "--out", "/proc/graded", *QUICK)


def test_a_grading_that_is_there_is_refused(refusal: Refusal, graded: Graded) -> None:
    assert "Go on with it by --resume" in refusal("grade", graded.folder, "--out", graded.out, *QUICK)
    assert "with other inputs (4, now 50);" in refusal(
        "grade", graded.folder, "--out", graded.out, "--only", PART, "--resume"
    )
    assert "with other grading_seed (7, now 8);" in refusal(
        "grade", graded.folder, "--out", graded.out, *QUICK, "--resume", "--seed", "8"
    )


@pytest.mark.parametrize("arguments", [(), ("--out", "x"), ("class",), ("class", "--out", "x", "--seed", "-1")])
def test_a_command_without_what_it_needs_ends_with_status_2(call: Call, arguments: tuple[str, ...]) -> None:
    status, out, err = call("grade", *arguments)
    assert (status, out) == (2, "")
    assert "Usage" in err


# Layers


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere other layers are missing")
def test_a_class_is_not_graded_with_less_than_is_required(
    refusal: Refusal, one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grading import grader

    held = tuple(layer.name for layer in LAYERS if layer.name not in ("seccomp", "landlock"))
    monkeypatch.setattr(grader, "layers_of", lambda starter, work: held)
    told = refusal("grade", one, "--out", tmp_path / "out", *QUICK, "--isolation", "required")
    assert "--isolation required: landlock, seccomp missing on this machine" in told
    assert "elbo doctor" in told
    assert not (tmp_path / "out").exists()


def test_what_the_rubric_does_not_name_is_not_required(
    call: Call, one: Path, tmp_path: Path, rubric_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = rubric.load()
    from grading import grader

    needed = type(loaded.grading)(isolation=["process"])
    fewer = type(loaded)(loaded.parts, loaded.claims, needed)
    monkeypatch.setattr(rubric, "load", lambda: fewer)
    monkeypatch.setattr(grader, "layers_of", lambda starter, work: ("process",))
    status, _, err = call("grade", one / "anna", "--out", tmp_path / "out", *QUICK, "--isolation", "required")
    assert (status, err) == (0, "")
