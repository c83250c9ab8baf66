"""What `elbo grade` does beside grading: times, words, views, similar ones, what it writes and what it tells."""

import csv
import importlib
import inspect
import json
import pkgutil
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import grading
from grading import cli, records, rubric
from grading.engine.implementation import ROOT
from grading.grader import Marked
from grading.intake import fingerprint
from grading.policies import DAY
from grading.records import Record
from grading.rubric import Policy

Call = Callable[..., tuple[int, str, str]]
SOLUTIONS = ROOT / "solutions"
QUICK = ("--inputs", "2", "--jobs", "1", "--seed", "7")
REPORT = "# Report\n\n## 1.1 The bound\n\nIt falls, and then it flattens.\n"


@pytest.fixture(scope="module")
def once(elbo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of three graded for everything: two copies with a report in one, and a PDF."""
    base = tmp_path_factory.mktemp("options")
    for name in ("anna", "ben"):
        shutil.copytree(SOLUTIONS / "vae", base / "class" / name / "vae", ignore=shutil.ignore_patterns("__pycache__"))
    (base / "class" / "anna" / "report.md").write_text(REPORT, encoding="utf-8")
    (base / "class" / "carl.pdf").write_bytes(b"%PDF-1.7\n")
    ended = elbo("grade", base / "class", "--out", base / "out", *QUICK)
    assert (ended.returncode, ended.stderr) == (1, "")
    (base / "told.txt").write_text(ended.stdout)
    return base


@pytest.fixture
def graded(once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """That class, and where it was graded, for one test in which nothing is judged any more."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("grading.batch.grade_here", None)
    return tmp_path / "class", tmp_path / "out"


@pytest.fixture
def resume(call: Call, graded: tuple[Path, Path]) -> Callable[..., tuple[int, str, str]]:
    """A function that goes on with that grading, with more options."""
    folder, out = graded
    return lambda *options: call("grade", folder, "--out", out, *QUICK, "--resume", *options)


def record(out: Path, name: str) -> Record:
    return records.read(out / "records" / f"{name}.json")


def use(monkeypatch: pytest.MonkeyPatch, **policy: Any) -> None:
    changed = msgspec.structs.replace(rubric.load(), policy=Policy(**policy))
    monkeypatch.setattr(rubric, "load", lambda: changed)


def due() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 12, 1, 12, tzinfo=UTC)


# What is written, and told


def test_the_page_comes_first_of_what_was_written(once: Path) -> None:
    lines = (once / "told.txt").read_text().splitlines()
    wrote = [line for line in lines if line.startswith("wrote ")]
    assert wrote[0] == f"wrote {once / 'out' / 'index.html'}, the class on a page"
    assert wrote[1].startswith(f"wrote {once / 'out' / 'class.csv'}")
    questions = len(rubric.load().questions)
    assert wrote[2] == (
        f"wrote {once / 'out' / 'manual.csv'}: words to {2 * questions} questions wait for points; give them there, "
        "then --resume"
    )
    assert wrote == lines[-3:]


def test_everything_is_there(once: Path) -> None:
    names = {str(path.relative_to(once / "out")) for path in (once / "out").rglob("*") if path.is_file()}
    for name in ("anna", "ben", "carl.pdf"):
        assert {f"records/{name}.json", f"feedback/{name}.md", f"feedback/{name}.html"} <= names
    assert {"index.html", "class.csv", "manual.csv", "grading.json", "written/anna/report.md"} <= names
    assert "written/ben/report.md" not in names
    assert record(once / "out", "anna").questions[0].words == "It falls, and then it flattens."


def test_words_of_a_person_are_counted_and_nothing_is_judged_again(
    resume: Call, graded: tuple[Path, Path], facts: Callable[[Path], Any], tmp_path: Path
) -> None:
    _, out = graded
    before, path = record(out, "anna").points, out / "manual.csv"
    text = path.read_text(encoding="utf-8-sig")
    first = next(line for line in text.splitlines() if line.startswith("anna,1.1"))
    path.write_text(text.replace(first, f"{first[:-1]}1.5,well argued"), encoding="utf-8")
    written = path.read_bytes()
    status, told, err = resume("--json", tmp_path / "rows.json")
    assert (status, err) == (1, "")  # one was refused
    assert "3 of 3 were graded before, and are kept" in told
    assert record(out, "anna").points == before + 1.5
    assert {row["submission"]: row["points"] for row in facts(tmp_path / "rows.json")}["anna"] == before + 1.5
    with (out / "class.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["words"] for row in csv.DictReader(file)] == ["1.5", "0", "0"]
    assert "well argued" in (out / "feedback" / "anna.html").read_text(encoding="utf-8")
    assert path.read_bytes() == written


def test_points_that_cannot_be_given_stop_it_with_the_row(resume: Call, graded: tuple[Path, Path]) -> None:
    (graded[1] / "manual.csv").write_text("submission,question,points\nanna,1.1,lots\n")
    status, out, err = resume()
    assert (status, out) == (2, "")
    assert "manual.csv, line 2 (anna, question 1.1): points are 'lots', expected a number from 0 to 2" in err
    assert err.count("\n") == 1


def test_points_for_nobody_are_told(resume: Call, graded: tuple[Path, Path]) -> None:
    with (graded[1] / "manual.csv").open("a") as file:
        file.write("zoe,1.1 The bound,2,1,good\n")
    told = resume()[1]
    assert "there is no submission 'zoe'; the row is kept, and counts nothing" in told
    assert "zoe,1.1 The bound,2,1,good" in (graded[1] / "manual.csv").read_text(encoding="utf-8-sig")


def test_who_comes_later_takes_neither_the_name_nor_the_points_of_another(
    resume: Call, graded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = graded
    path, before = out / "manual.csv", record(out, "anna").points
    text = path.read_text(encoding="utf-8-sig")
    first = next(line for line in text.splitlines() if line.startswith("anna,1.1"))
    path.write_text(text.replace(first, f"{first[:-1]}1.5,well argued"), encoding="utf-8")
    (folder / "ANNA.zip").write_bytes(b"somebody else's")  # comes before anna in the folder
    judged: list[str] = []

    def grade_here(sources: Any, order: Any, jobs: int, place: Path) -> Any:
        for source in sources:
            judged.append(source.name)
            made = Record(source.name, "graded", record(out, "anna").circumstances, file=source.path.name)
            yield Marked(msgspec.structs.replace(made, handed_in=fingerprint(source)), {"report.md": b"\xff"})

    monkeypatch.setattr("grading.batch.grade_here", grade_here)
    told = resume()[1]
    assert judged == ["ANNA-2"]
    assert "ANNA.zip is called ANNA-2: anna is anna, which was graded before." in told
    assert (record(out, "anna").points, record(out, "anna").file) == (before + 1.5, "anna")
    kept = {path.parent.name: path.read_bytes() for path in out.glob("written/*/report.md")}
    assert kept == {"anna": REPORT.encode(), "ANNA-2": b"\xff"}  # what came back, and nothing is opened for it here
    assert record(out, "ANNA-2").points == 0
    assert "ANNA.zip is called" not in resume()[1]
    assert judged == ["ANNA-2"]


# Times and policy


def test_lateness_costs_points(
    resume: Call, graded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = graded
    points = record(out, "ben").points
    use(monkeypatch, due=due(), per_day=0.25)
    times = f"submission,time\nanna,{due().isoformat()}\nben,{(due() + DAY + timedelta(hours=1)).isoformat()}\n"
    (tmp_path / "times.csv").write_text(times + "zoe,2026-12-01T12:00Z\n")
    status, told, err = resume("--times", tmp_path / "times.csv")
    assert (status, err) == (1, "")
    assert "no submission here is called zoe" in told
    assert "not known of 1, carl.pdf: none of them is late. Give --times." in told
    assert record(out, "anna").points == pytest.approx(points)
    assert record(out, "ben").points == pytest.approx(points / 2)
    use(monkeypatch, due=due(), per_day=0.25, extensions={"ben": 2, "zoe": 1})
    told = resume()[1]  # the times are known already
    assert record(out, "ben").points == pytest.approx(points)
    assert "has extensions for zoe: nobody here is called so" in told


def test_an_extension_by_a_number_that_the_student_wrote_is_told(
    resume: Call, graded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = graded
    own = msgspec.structs.replace(record(out, "ben"), student="42")
    (out / "records" / "ben.json").write_bytes(records.encode(own))
    use(monkeypatch, due=due(), extensions={"42": 2})
    assert "ben has the extension of 42, a number that stands in the hand-in itself." in resume()[1]
    use(monkeypatch, due=due(), extensions={"42": 2, "ben": 1})
    assert "42" not in resume()[1]


def test_an_extension_whose_number_two_hand_ins_claim_is_told_and_nobodys(
    resume: Call, graded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = graded
    points = record(out, "ben").points
    for name in ("anna", "ben"):
        own = msgspec.structs.replace(record(out, name), student="42", handed_in_at=(due() + DAY).isoformat())
        (out / "records" / f"{name}.json").write_bytes(records.encode(own))
    use(monkeypatch, due=due(), per_day=0.5, extensions={"42": 2})
    told = resume()[1]
    assert "The number 42 is claimed by anna and ben: nobody has its extension by that." in told
    assert "has the extension of 42" not in told
    assert [record(out, name).points for name in ("anna", "ben")] == pytest.approx([points / 2] * 2)
    use(monkeypatch, due=due(), per_day=0.5, extensions={"42": 2, "ben": 2})
    told = resume()[1]
    assert "The number 42 is claimed by anna and ben: nobody has its extension by that." in told
    assert [record(out, name).points for name in ("anna", "ben")] == pytest.approx([points / 2, points])


@pytest.mark.parametrize(
    ("content", "words"),
    [("submission,time\nanna,soon\n", "line 2 (anna): the time is 'soon'"), (None, "cannot be read: No such file")],
)
def test_times_that_cannot_be_read_are_refused(resume: Call, tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "times.csv").write_text(content)
    status, out, err = resume("--times", tmp_path / "times.csv")
    assert (status, out) == (2, "")
    assert words in err


def test_points_hints_and_policy_that_changed_are_no_other_way_of_grading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from grading.grader import Order, circumstances_of

    before, text = circumstances_of(Order()), rubric.PATH.read_text(encoding="utf-8")
    load = rubric.load
    for changed, same in (
        (text.replace("[policy]", "[policy]\nfree_days = 2"), True),
        (text.replace("minutes = 10", "minutes = 11", 1), True),
        (text.replace("points = 12", "points = 13", 1), True),
        (text.replace("memory_mb = 2048", "memory_mb = 1024"), False),
    ):
        assert changed != text
        path = tmp_path / "rubric.toml"
        path.write_text(changed, encoding="utf-8")
        monkeypatch.setattr(rubric, "PATH", path)
        monkeypatch.setattr(rubric, "load", lambda path=path: load(path))
        assert (circumstances_of(Order()) == before) == same


# Views, similar ones, nbgrader


def test_views_are_written_for_all(resume: Call, graded: tuple[Path, Path]) -> None:
    from grading.views import KINDS

    options = [option for kind in KINDS for option in ("--view", kind)]
    status, told, err = resume(*options)
    assert (status, err) == (1, "")
    for place in ("gradescope", "exercism", "junit", "lms.csv"):
        assert str(graded[1] / place) in told
    assert {path.stem for path in (graded[1] / "gradescope").iterdir()} == {"anna", "ben", "carl.pdf"}
    assert json.loads((graded[1] / "gradescope" / "anna.json").read_text())["score"] == record(graded[1], "anna").points


def test_numbers_that_nothing_confirms_are_told_with_the_view_that_has_them(
    resume: Call, graded: tuple[Path, Path]
) -> None:
    told = resume("--view", "lms")[1]
    assert "hand-in's own word" not in told
    for name, student in (("anna", "42"), ("ben", "ben")):
        own = msgspec.structs.replace(record(graded[1], name), student=student)
        (graded[1] / "records" / f"{name}.json").write_bytes(records.encode(own))
    told = resume("--view", "lms", "--view", "junit")[1]
    assert "lms.csv: the numbers of 1, anna, are the hand-in's own word: see that each is theirs." in told
    assert "own word" not in resume("--view", "junit")[1]


def test_an_unknown_view_is_refused_before_any_work(call: Call, graded: tuple[Path, Path], tmp_path: Path) -> None:
    status, out, err = call("grade", graded[0], "--out", tmp_path / "new", "--view", "moodle")
    assert (status, out) == (2, "")
    assert err == "elbo: --view moodle: expected gradescope, exercism, junit or lms\n"
    assert not (tmp_path / "new").exists()


def test_similar_ones_are_listed_as_a_hint_and_kept_for_the_page(resume: Call, graded: tuple[Path, Path]) -> None:
    pytest.importorskip("copydetect")
    status, told, err = resume("--similar")
    assert (status, err) == (1, "")
    path = graded[1] / "similar.csv"
    left_out = "Compared with nobody, as their code could not be read, or not in time: carl.pdf."
    assert f"wrote {path}, 1 pairs: a hint for a person, and never a verdict. {left_out}\n" in told
    assert left_out in path.read_text(encoding="utf-8-sig").splitlines()[0]
    assert path.read_text(encoding="utf-8-sig").splitlines()[2].startswith("anna,ben,1,1,")
    page = (graded[1] / "index.html").read_bytes()
    assert "similar.csv" not in resume()[1]
    assert (graded[1] / "index.html").read_bytes() == page


def test_a_course_that_is_none_is_refused(resume: Call, tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    status, out, err = resume("--nbgrader", tmp_path / "nowhere")
    assert (status, out) == (2, "")
    assert "nowhere is not there; expected the directory of an nbgrader course" in err


def test_points_go_into_nbgraders_gradebook_and_come_out_of_it(
    resume: Call, graded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grading.manual import Given
    from grading.nbgrader import gradebook, opening

    written: dict[str, float] = {}

    def write(course: Path, all_records: Any, sources: Any, whole: Any) -> tuple[int, list[str]]:
        written.update({each.submission: each.points for each in all_records})
        assert sources["anna"] == graded[0] / "anna"
        return 2, ["ben: odd"]

    monkeypatch.setattr(gradebook, "write", write)
    monkeypatch.setattr(gradebook, "manual_points", lambda *a: {"Anna B.": {"1.1": Given(2.0, "good")}})
    monkeypatch.setattr(opening, "course_directory", lambda course: course)
    monkeypatch.setattr(opening, "handed_in", lambda place: {(graded[0] / "anna").resolve(): "Anna B."})
    before = record(graded[1], "anna").points
    told = resume("--nbgrader", tmp_path)[1]
    assert "ben: odd" in told
    assert f"wrote the points of 2 into nbgrader's gradebook of {tmp_path}" in told
    assert written["anna"] == record(graded[1], "anna").points == before + 2
    assert set(written) == {"anna", "ben", "carl.pdf"}


# Errors


def test_every_refusal_is_an_error_that_there_is() -> None:
    for module, name in cli.REFUSALS.items():
        assert issubclass(getattr(importlib.import_module(module), name), Exception)


def test_an_error_of_any_other_kind_is_a_defect_and_is_shown_whole() -> None:
    assert not cli._is_refusal(ValueError("x"))
    assert not cli._is_refusal(KeyError("x"))


def test_a_command_is_there_where_its_file_is() -> None:
    there = {each.name for each in pkgutil.iter_modules([str(Path(inspect.getfile(cli)).parent)])}
    assert there - set(cli.COMMANDS) == {"__main__", "shared", "afterwards", "grading_class"}
    assert Path(inspect.getfile(grading)).parent == ROOT / "grading"
