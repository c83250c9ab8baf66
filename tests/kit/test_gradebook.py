"""The directory of a grading: what is kept in it, and when it is gone on with."""

import csv
import io
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from grading import gradebook, manual, records, rubric
from grading.claims import Claim
from grading.gradebook import Gradebook, GradebookError, circumstances_in, graded_in
from grading.intake import Source, fingerprint
from grading.intake.returning import Graded
from grading.manual import Given, ManualError
from grading.pages import feedback_page, layout
from grading.policies import settle
from grading.records import AnswerRecord, Circumstances, PartRecord, QuestionRecord, Record, RunRecord
from grading.rubric import Policy, Rubric
from grading.similarity import Pair

PARTS = ["vae.log_mean_exp", "vae.elbo"]
CIRCUMSTANCES = Circumstances(7, 5, PARTS, "r", "k", "3.11", "2.4", "Linux")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "graded"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "bounds.py").write_text("pass\n")
    return Source("anna", tmp_path / "anna")


@pytest.fixture
def begun(out: Path, source: Source) -> Gradebook:
    """A gradebook that has one record, of `source`."""
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    book.keep(record("anna", handed_in=fingerprint(source)))
    return book


def record(name: str, **changes: Any) -> Record:
    parts = [PartRecord(PARTS[0], "1", "vae/likelihoods.py", "wrong", 1.25, 5.0, [])]
    made = Record(name, "graded", CIRCUMSTANCES, points=1.25, possible=20, parts=parts, hash="0123456789abcdefxyz")
    return msgspec.structs.replace(made, **changes)


# What is kept


def test_a_directory_is_made_with_the_first_record(out: Path) -> None:
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    assert not out.exists()
    book.keep(record("anna"))
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == [
        "feedback/anna.html",
        "feedback/anna.md",
        "grading.json",
        "records/anna.json",
    ]
    assert circumstances_in(out) == CIRCUMSTANCES
    assert list(book.records()) == [settle(record("anna"), book.rubric, {})]
    assert (out / "feedback" / "anna.md").read_text().startswith("# `anna`\n")


def test_records_are_in_the_order_of_their_names(out: Path) -> None:
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    for name in ("Zoe", "ben", "anna"):
        book.keep(record(name))
    assert [found.submission for found in book.records()] == sorted(["Zoe", "ben", "anna"])
    with book.write_table(book.records()).open(newline="", encoding="utf-8-sig") as file:
        assert [row[0] for row in csv.reader(file)] == ["submission", *sorted(["Zoe", "ben", "anna"])]


def test_a_record_is_written_last_and_whole(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, whole = [], gradebook.write_whole

    def noted(path: Path, data: bytes) -> None:
        written.append(path.name)
        whole(path, data)

    monkeypatch.setattr(gradebook, "write_whole", noted)
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    book.keep(record("anna"))
    assert written == ["grading.json", "anna.md", "anna.html", "anna.json"]


def test_a_record_of_a_second_time_replaces_the_first(begun: Gradebook) -> None:
    begun.keep(record("anna", reason="again"))
    assert [found.reason for found in begun.records()] == ["again"]


def test_a_place_that_cannot_be_written_is_refused(begun: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gradebook, "write_whole", full)
    with pytest.raises(GradebookError, match="cannot be written: No space left on device"):
        begun.keep(record("ben"))
    assert [found.submission for found in begun.records()] == ["anna"]


def test_half_of_a_surrogate_pair_can_be_kept(out: Path) -> None:
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    book.keep(record("anna", notes=["caf\\udce9.py"]))
    assert book.write_table(book.records()).exists()


# Going on


def test_a_grading_is_not_overwritten(begun: Gradebook, out: Path) -> None:
    with pytest.raises(GradebookError, match="--resume, or give another directory"):
        Gradebook(out, CIRCUMSTANCES, resume=False)


def test_a_file_is_no_place_for_a_grading(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for resume in (True, False):
        with pytest.raises(GradebookError, match="expected a directory"):
            Gradebook(tmp_path / "file", CIRCUMSTANCES, resume)


def test_a_directory_with_other_things_in_it_can_be_graded_into(out: Path) -> None:
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    Gradebook(out, CIRCUMSTANCES, resume=False).keep(record("anna"))
    assert (out / "mine.txt").read_text() == "mine"


def test_going_on_where_there_is_nothing_begins(out: Path) -> None:
    book = Gradebook(out, CIRCUMSTANCES, resume=True)
    assert list(book.records()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"grading_seed": 8}, "grading_seed (7, now 8)"),
        ({"inputs": 6}, "inputs (5, now 6)"),
        ({"parts": PARTS[:1]}, "parts"),
        ({"rubric": "another"}, "rubric"),
        ({"kit": "another"}, "kit"),
        ({"grading_seed": 8, "kit": "another"}, "grading_seed (7, now 8), kit"),
    ],
)
def test_a_class_is_graded_in_one_way(begun: Gradebook, out: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(GradebookError, match=f"with other {re.escape(told)}; one class is graded in one way"):
        Gradebook(out, msgspec.structs.replace(CIRCUMSTANCES, **change), resume=True)


@pytest.mark.parametrize("change", [{"python": "3.12"}, {"torch": "2.9"}, {"platform": "macOS"}])
def test_another_machine_may_go_on(begun: Gradebook, out: Path, change: dict[str, str]) -> None:
    book = Gradebook(out, msgspec.structs.replace(CIRCUMSTANCES, **change), resume=True)
    assert len(list(book.records())) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"grading_seed": "x"}', "\udcff"])
def test_what_no_grading_wrote_is_refused(out: Path, content: str) -> None:
    out.mkdir()
    (out / "grading.json").write_text(content, errors="surrogateescape")
    with pytest.raises(GradebookError, match=r"grading\.json is not what a grading writes"):
        Gradebook(out, CIRCUMSTANCES, resume=True)


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write(" ")


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def into_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def remove(folder: Path) -> None:
    (folder / "bounds.py").unlink()
    folder.rmdir()


def of_version_99(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 99'))


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "the hand-in has another length": lambda folder, kept: append(folder / "bounds.py"),
    "the hand-in has another time": lambda folder, kept: touched(folder / "bounds.py"),
    "the hand-in has another file": lambda folder, kept: (folder / "more.py").touch(),
    "a file was renamed": lambda folder, kept: (folder / "bounds.py").rename(folder / "bound.py"),
    "the hand-in is gone": lambda folder, kept: remove(folder),
    "the record is gone": lambda folder, kept: kept.unlink(),
    "the record is empty": lambda folder, kept: kept.write_bytes(b""),
    "the record is cut off": lambda folder, kept: cut(kept),
    "the record is another's": lambda folder, kept: kept.write_bytes(records.encode(record("ben"))),
    "the record is of another version": lambda folder, kept: of_version_99(kept),
    "the record was not written to its end": lambda folder, kept: kept.rename(f"{kept}.part"),
    "the record is a directory": lambda folder, kept: into_directory(kept),
}


def test_what_was_graded_and_is_the_same_is_known(begun: Gradebook, source: Source) -> None:
    assert begun.has(source)
    assert not begun.has(Source("ben", source.path))


def test_what_the_grader_failed_at_is_graded_again(begun: Gradebook, source: Source) -> None:
    begun.keep(record("anna", outcome="refused", handed_in=fingerprint(source), grader_failed=True))
    assert not begun.has(source)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_is_graded_again(
    begun: Gradebook, out: Path, source: Source, change: Callable[[Path, Path], object]
) -> None:
    change(source.path, out / "records" / "anna.json")
    assert not begun.has(source)


def test_a_file_is_known_by_its_bytes(begun: Gradebook, tmp_path: Path) -> None:
    (tmp_path / "ben.zip").write_bytes(b"one")
    ben = Source("ben", tmp_path / "ben.zip")
    begun.keep(record("ben", handed_in=fingerprint(ben)))
    touched(ben.path)
    assert begun.has(ben)
    ben.path.write_bytes(b"two")
    assert not begun.has(ben)


def test_a_refused_one_is_known_too(begun: Gradebook, source: Source) -> None:
    begun.keep(Record("anna", "refused", CIRCUMSTANCES, reason="a PDF", handed_in=fingerprint(source)))
    assert begun.has(source)


def test_what_was_not_written_to_its_end_is_no_record(begun: Gradebook, out: Path) -> None:
    (out / "records" / "ben.json.part").write_bytes(b'{"submission": "ben"')
    (out / "records" / ".carl.json.swp").write_bytes(b"")
    assert [found.submission for found in begun.records()] == ["anna"]
    begun.write_table(begun.records())


# The table


def rows(book: Gradebook) -> list[dict[str, str]]:
    with book.write_table(book.records()).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_the_table_has_points_of_every_part_and_of_runs(begun: Gradebook) -> None:
    claim = Claim("vae.elbo", "s", "nats", "1.1", "reached", 12.0, "binarized_mnist", "at least")
    begun.keep(record("ben", runs=[RunRecord("runs/a", [claim]), RunRecord("runs/b", [claim])]))
    begun.keep(Record("carl", "refused", CIRCUMSTANCES, file="carl.pdf", reason="a PDF"))
    anna, ben, carl = rows(begun)
    assert list(anna)[:9] == ["submission", "file", "outcome", "points", "possible", "percent", *PARTS, "runs"]
    assert (anna[PARTS[0]], anna[PARTS[1]], anna["runs"], anna["hash"]) == ("1.25", "", "0", "0123456789abcdef")
    assert (ben["runs"], ben["points"]) == ("12", "1.25")  # only parts were asked for
    possible = sum(rubric.load().parts[name].total for name in PARTS)
    assert (carl["outcome"], carl["points"], carl["reason"], carl["possible"]) == (
        "refused",
        "0",
        "a PDF",
        f"{possible:g}",
    )
    assert [row["file"] for row in (anna, carl)] == ["", "carl.pdf"]


def test_a_spreadsheet_is_told_that_the_table_is_unicode(begun: Gradebook) -> None:
    begun.keep(record("Müller-学", file="Müller 学.zip"))
    content = begun.write_table(begun.records()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfsubmission,")  # without that mark Excel reads another encoding
    assert content.count(b"\xef\xbb\xbf") == 1
    _, named = sorted(rows(begun), key=lambda row: row["submission"] != "anna")
    assert (named["submission"], named["file"]) == ("Müller-学", "Müller 学.zip")
    assert (begun.out / "feedback" / "Müller-学.md").read_text(encoding="utf-8").startswith("# `Müller-学`\n")


FORMULAS = ["=1+1", "+1", "-1", "@x", '=HYPERLINK("http://x")', "\t=1", "\r=1", "\n=1", " =1", "\x00=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(begun: Gradebook, text: str) -> None:
    begun.keep(record("ben", file=text, reason=text, notes=[text, "second"]))
    _, ben = rows(begun)
    for cell in (ben["file"], ben["reason"], ben["notes"]):
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
        assert text.strip("\t\r\n\x00 ") in cell


def test_a_cell_is_one_line_of_text_and_not_too_long(begun: Gradebook) -> None:
    begun.keep(record("ben", notes=['a,"b"\n\r\x1b[31mc\u2028', "é" * 10_000]))
    _, ben = rows(begun)
    assert ben["notes"].startswith('a,"b"   [31mc  | éé')
    assert len(ben["notes"]) <= 501
    assert len((begun.out / "class.csv").read_text().splitlines()) == 3


def test_the_table_of_nothing_is_empty(out: Path) -> None:
    book = Gradebook(out, CIRCUMSTANCES, resume=False)
    out.mkdir()
    assert book.write_table(book.records()).read_text(encoding="utf-8-sig") == ""


def test_the_circumstances_can_be_read(begun: Gradebook, out: Path) -> None:
    assert json.loads((out / "grading.json").read_text())["grading_seed"] == 7


# Settling: where everything was asked for

WHOLE = msgspec.structs.replace(CIRCUMSTANCES, parts=list(rubric.load().parts))
DUE = datetime(2026, 12, 1, 23, 59, tzinfo=UTC)
LATE = "2026-12-02T12:00:00+00:00"


def whole(name: str = "anna", **changes: Any) -> Record:
    """A record with 1.25 points for a part, 1 for an answer, and words to two questions."""
    questions = [QuestionRecord(each, "", 0.0, "<script>words</script>") for each in ("1.1", "3.2")]
    answers = [AnswerRecord("3.2", "log_det_cost", "s", "right", 1.0, 1.0, "O(d)", "O(d)")]
    return record(name, circumstances=WHOLE, questions=questions, answers=answers, **changes)


def asked(**policy: Any) -> Rubric:
    return msgspec.structs.replace(rubric.load(), policy=Policy(**policy))


def give(out: Path, *rows: str) -> None:
    out.mkdir(exist_ok=True)
    (out / manual.FILE).write_text("submission,question,points,comment\n" + "".join(f"{row}\n" for row in rows))


def test_what_a_person_gave_counts_as_a_record_is_kept(out: Path) -> None:
    give(out, "anna,1.1,1.5,well argued")
    kept = Gradebook(out, WHOLE, resume=True).keep(whole())
    assert kept.points == 1.25 + 1 + 1.5
    assert kept.possible == pytest.approx(settle(whole(), rubric.load(), {}).possible)
    assert (kept.questions[0].points, kept.questions[0].comment) == (1.5, "well argued")
    assert "well argued" in (out / "feedback" / "anna.html").read_text(encoding="utf-8")


def test_points_whose_table_is_gone_are_not_counted_away(out: Path) -> None:
    give(out, "anna,1.1,1.5,well argued")
    Gradebook(out, WHOLE, resume=True).keep(whole())
    table = out / "manual.csv"
    head = table.read_bytes().splitlines(keepends=True)[0]
    table.unlink()
    with pytest.raises(GradebookError, match=r"1 records have points that a person gave, anna\. Put it back"):
        Gradebook(out, WHOLE, resume=True)
    table.write_bytes(head)
    assert Gradebook(out, WHOLE, resume=True).given == {}


def test_points_that_cannot_be_given_are_refused_before_anything_is_graded(out: Path) -> None:
    give(out, "anna,1.1,99,")
    with pytest.raises(ManualError, match="points are 99, expected a number from 0 to 2"):
        Gradebook(out, WHOLE, resume=True)


def test_manual_csv_goes_before_what_was_given_elsewhere(out: Path) -> None:
    give(out, "anna,1.1,1.5,mine")
    book = Gradebook(out, WHOLE, resume=True)
    book.add_given({"anna": {"1.1": Given(0.5, "theirs"), "3.2": Given(2.0, "theirs")}})
    points = {question.question: question.points for question in book.keep(whole()).questions}
    assert (points["1.1"], points["3.2"], points["3.6"]) == (1.5, 2.0, None)


def test_going_on_counts_new_points_times_and_policy_for_all(out: Path) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    for name in ("anna", "ben"):
        book.keep(whole(name))
    give(out, "anna,1.1,2,")
    again = Gradebook(out, WHOLE, resume=True, asked=asked(due=DUE, per_day=0.5))
    again.settle_all({"ben": LATE})
    anna, ben = again.records()
    assert (anna.points, ben.points) == (4.25, 1.125)
    assert ben.settlement is not None
    assert (ben.handed_in_at, ben.settlement.late_days, ben.settlement.penalty) == (LATE, 1, 1.125)
    Gradebook(out, WHOLE, resume=True, asked=asked(due=DUE, per_day=0.5)).settle_all({})
    assert [found.points for found in again.records()] == [4.25, 1.125]  # a time that was known stays so
    Gradebook(out, WHOLE, resume=True, asked=asked(due=DUE, per_day=0.5, extensions={"ben": 1})).settle_all({})
    assert [found.points for found in again.records()] == [4.25, 2.25]


def test_what_comes_out_the_same_is_not_written_again(out: Path) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    book.keep(whole())
    paths = list(out.rglob("anna.*"))
    assert len(paths) == 3
    then = layout.changed_at()
    for path in paths:
        os.utime(path, ns=(then, then))
    book.settle_all({})
    assert [path.stat().st_mtime_ns for path in paths] == [then] * 3


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The submissions whose pages are rendered from now on."""
    names, render = list[str](), feedback_page.render

    def noted(record: Record, figures: Any) -> str:
        names.append(record.submission)
        return render(record, figures)

    monkeypatch.setattr(feedback_page, "render", noted)
    return names


def test_a_page_is_rendered_again_only_where_its_record_changed(out: Path, rendered: list[str]) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    for name in ("anna", "ben"):
        book.keep(whole(name))
    rendered.clear()
    book.settle_all({})
    assert rendered == []
    give(out, "anna,1.1,2,")
    Gradebook(out, WHOLE, resume=True).settle_all({})
    assert rendered == ["anna"]
    Gradebook(out, WHOLE, resume=True).settle_all({"ben": LATE})
    assert rendered == ["anna", "ben"]


@pytest.mark.parametrize("ending", ["md", "html"])
def test_a_page_that_is_gone_or_whose_record_was_not_reached_is_rendered(
    out: Path, rendered: list[str], ending: str
) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    for name in ("anna", "ben", "carl"):
        book.keep(whole(name))
    rendered.clear()
    pages = {name: out / "feedback" / f"{name}.{ending}" for name in ("anna", "ben")}
    pages["anna"].unlink()
    pages["ben"].write_text("of points that were taken back")  # and killed before the record was written
    kept = (out / "records" / "ben.json").stat().st_mtime_ns
    os.utime(pages["ben"], ns=(kept + 10**9, kept + 10**9))
    book.settle_all({})
    assert rendered == ["anna", "ben"]
    assert pages["anna"].exists()
    assert "taken back" not in pages["ben"].read_text(encoding="utf-8")


def test_a_page_that_is_older_than_what_renders_it_is_rendered(out: Path, rendered: list[str]) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    for name in ("anna", "ben"):
        book.keep(whole(name))
    rendered.clear()
    before = layout.changed_at() - 1
    os.utime(out / "feedback" / "ben.html", ns=(before, before))
    book.settle_all({})
    assert rendered == ["ben"]


def test_a_number_that_two_claim_gives_neither_an_extension(out: Path) -> None:
    policy = asked(due=DUE, per_day=0.5, extensions={"1234567": 1})
    book = Gradebook(out, WHOLE, resume=False, asked=policy)
    book.keep(whole("bob", student="1234567", handed_in_at=LATE))
    book.settle_all({})
    assert [found.points for found in book.records()] == [2.25]
    book.keep(whole("eve", student="1234567", handed_in_at=LATE))
    book.settle_all({})
    assert [found.points for found in book.records()] == [1.125, 1.125]
    assert book.shared == {"1234567"}


def test_what_was_graded_is_known_by_file_and_digest(begun: Gradebook, out: Path, source: Source) -> None:
    begun.keep(record("ben", file="ben.zip", handed_in="h", student="7"))
    (out / "records" / "carl.json").write_bytes(b"{")
    assert graded_in(out) == {"anna": Graded(handed_in=fingerprint(source)), "ben": Graded("ben.zip", "h", "7")}
    assert graded_in(out / "nowhere") == {}


def test_rows_for_words_are_added_once_and_points_in_them_stay(out: Path) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    book.keep(whole())
    assert book.add_manual_rows(book.records())
    assert not book.add_manual_rows(book.records())
    text = book.manual.read_text(encoding="utf-8-sig").replace("training,2,,", "training,2,1.5,good", 1)
    book.manual.write_text(text, encoding="utf-8")
    book.keep(whole("ben"))
    assert book.add_manual_rows(book.records())
    assert book.manual.read_text(encoding="utf-8-sig").startswith(text)
    questions = len(rubric.load().questions)
    assert len(book.manual.read_text(encoding="utf-8-sig").splitlines()) == 1 + 2 * questions
    assert Gradebook(out, WHOLE, resume=True).given["anna"]["1.1"] == Given(1.5, "good")


def test_where_no_words_were_asked_for_there_is_no_table_for_their_points(out: Path) -> None:
    some = msgspec.structs.replace(rubric.load(), questions={})
    book = Gradebook(out, CIRCUMSTANCES, resume=False, asked=some)
    book.keep(record("anna"))
    assert not book.add_manual_rows(book.records())
    assert not book.manual.exists()


def test_words_and_their_pictures_are_kept_for_whoever_reads_them(out: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    report = {"report.md": b"It falls. ![](figures/curve.png)", "figures/curve.png": picture.getvalue()}
    book, place = Gradebook(out, WHOLE, resume=False), out / "written" / "anna"
    book.keep(whole(), report)
    assert {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*.*")} == report
    book.keep(whole())  # judged again, of what did not change
    assert (place / "report.md").read_bytes() == report["report.md"]
    book.keep(whole(), {})
    assert list(place.rglob("*.*")) == []


def test_the_table_has_columns_for_answers_words_and_lateness(out: Path) -> None:
    give(out, "anna,1.1,1.5,")
    book = Gradebook(out, WHOLE, resume=True, asked=asked(due=DUE, per_day=0.5))
    book.keep(whole(student="=1234567", handed_in_at=LATE))
    (row,) = rows(book)
    counted = ["runs", "answers", "words", "waiting", "late_days", "penalty"]
    assert [row[name] for name in counted] == ["0", "1", "1.5", "10", "1", "1.875"]
    assert (row["student"], row["points"]) == ("'=1234567", "1.875")


def test_the_page_of_the_class_is_written_with_all_and_with_pairs(out: Path) -> None:
    book = Gradebook(out, WHOLE, resume=False)
    for name in ("anna", "ben"):
        book.keep(whole(name))
    page = book.write_page(list(book.records()), [Pair("anna", "ben", 0.91, 0.87, 120)])
    assert page == out / "index.html"
    text = page.read_text(encoding="utf-8")
    assert "feedback/anna.html" in text
    assert "feedback/ben.html" in text
    assert "91" in text


def test_a_record_that_somebody_damaged_is_named(begun: Gradebook, out: Path) -> None:
    cut(out / "records" / "anna.json")
    with pytest.raises(GradebookError, match=r"anna\.json is not what a grading writes.*--resume"):
        begun.settle_all({})


def test_parts_may_be_judged_again_by_another_rubric_or_kit_and_by_nothing_else(begun: Gradebook, out: Path) -> None:
    other = msgspec.structs.replace(CIRCUMSTANCES, rubric="another", kit="another")
    Gradebook(out, other, resume=True, regrade=True)
    with pytest.raises(GradebookError, match="or judge again what changed by --regrade"):
        Gradebook(out, other, resume=True)
    for changes in ({"grading_seed": 8}, {"inputs": 6}, {"parts": PARTS[:1]}):
        with pytest.raises(GradebookError, match="was graded with other"):
            Gradebook(out, msgspec.structs.replace(other, **changes), resume=True, regrade=True)


def test_points_that_are_given_no_more_are_told(out: Path) -> None:
    book = Gradebook(out, WHOLE, resume=True)
    book.add_given({"anna": {"1.1": Given(1.5, "in formgrader")}})
    book.keep(whole())
    book.add_manual_rows(book.records())
    again = Gradebook(out, WHOLE, resume=True)
    again.settle_all({})
    assert again.lost == ["anna"]
