"""The worked class of the instructors' manual, from release to feedback; its page agrees with its records."""

import csv
import json
from collections import defaultdict

import numpy as np
import pytest

pytest.importorskip("nbgrader", reason="the worked class needs nbgrader: pip install -e '.[nbgrader,similar]'")
pytest.importorskip("copydetect", reason="the worked class needs copydetect: pip install -e '.[nbgrader,similar]'")

from lxml import html
from nbgrader.api import Gradebook

from grading.nbgrader import ASSIGNMENT
from grading.rubric import load
from tests.kit.reading_pages import Page, assert_figures_are_as_told
from tests.worked import students
from tests.worked.worked import GIVEN, VIEWS, work_through

EIGHT = ["anna", "ben", "chiara", "deniz", "emil", "fatima", "goran", "hanna.pdf"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return work_through(tmp_path_factory.mktemp("class"), lambda step: None)


@pytest.fixture(scope="module")
def records(places):
    found = [json.loads(path.read_bytes()) for path in sorted((places.graded / "records").glob("*.json"))]
    return {record["submission"]: record for record in found}


@pytest.fixture(scope="module")
def page(places):
    return html.fromstring((places.graded / "index.html").read_bytes())


@pytest.fixture(scope="module")
def graded(records):
    return [record for record in records.values() if record["outcome"] == "graded"]


def of_parts(record, topic=""):
    return sum(part["points"] for part in record["parts"] if part["part"].startswith(topic))


def of_claims(record):
    best = {}
    for claim in (claim for run in record["runs"] for claim in run["claims"]):
        earned = claim["points"] if claim["outcome"] == "reached" else 0
        best[claim["name"]] = max(earned, best.get(claim["name"], 0))
    return sum(best.values())


def of_answers(record):
    return sum(answer["points"] for answer in record["answers"])


def of_words(record):
    return sum(question["points"] or 0 for question in record["questions"])


def values(page, what, name):
    return {each.get(f"data-{name}"): each for each in page.xpath(f"//*[@{what}]")}


def test_all_eight_have_a_record(records):
    assert list(records) == EIGHT
    assert [name for name, record in records.items() if record["outcome"] == "refused"] == ["hanna.pdf"]
    assert "PDF" in records["hanna.pdf"]["reason"]


def test_who_wrote_everything_has_all_points_of_the_parts_in_each_form(records):
    full = sum(part.total for part in load().parts.values())
    assert [of_parts(records[name]) for name in ("anna", "chiara", "deniz")] == [full] * 3
    assert records["anna"]["student"] == "1000001"


def test_figures_are_measured_again_and_answers_set_beside_them(records):
    anna = records["anna"]
    classes = [c for run in anna["runs"] for c in run["claims"] if c["name"].startswith("dirac.class.")]
    assert [claim["outcome"] for claim in classes] == ["reached"] * 20
    outcomes = {answer["answer"]: answer["outcome"] for answer in anna["answers"]}
    assert outcomes["log_det_cost"] == outcomes["density_cost"] == outcomes["dirac-w1-10"] == "right"
    assert outcomes["elbo"] in ("missing", "unmeasured")
    ben = {answer["answer"]: answer for answer in records["ben"]["answers"]}
    assert (ben["log_det_cost"]["outcome"], ben["log_det_cost"]["given"]) == ("wrong", "O(d^3)")


def test_every_time_is_of_one_of_the_eight(records):
    assert sorted(students.TIMES) == EIGHT
    assert {name: record["handed_in_at"] for name, record in records.items()} == students.TIMES


def test_lateness_costs_whom_the_policy_says(records):
    settled = {name: record["settlement"] for name, record in records.items() if record["settlement"]}
    days = {name: (s["late_days"], s["charged_days"]) for name, s in settled.items() if s["late_days"]}
    assert days == {"ben": (3, 2), "goran": (1, 0)}
    earned = settled["ben"]["machine"] + settled["ben"]["manual"]
    assert settled["ben"]["penalty"] == pytest.approx(0.2 * earned)
    assert records["ben"]["points"] == pytest.approx(0.8 * earned)


def test_points_are_the_sum_of_what_was_earned(graded):
    for record in graded:
        earned = of_parts(record) + of_claims(record) + of_answers(record) + of_words(record)
        assert record["points"] == pytest.approx(earned - record["settlement"]["penalty"]), record["submission"]


def test_what_is_possible_leaves_out_the_extra_credit(graded):
    rubric = load()
    whole = sum(part.total for part in rubric.parts.values()) + sum(claim.points for claim in rubric.claims.values())
    whole += sum(q.points + sum(a.points for a in q.answers.values()) for q in rubric.questions.values())
    assert {record["possible"] for record in graded} == {whole - rubric.parts["gan.spectral_norm"].total}


def test_points_that_a_person_gave_outlast_counting_and_judging_again(records):
    found = {
        (name, question["question"]): (question["points"], question["comment"])
        for name, record in records.items()
        for question in record["questions"]
        if question["points"] is not None
    }
    assert found == GIVEN


def test_a_hand_in_that_means_no_good_is_graded_and_does_nothing(records, places):
    goran = {part["part"]: part for part in records["goran"]["parts"]}
    assert goran["vae.log_likelihood_bernoulli"]["outcome"] == "right"
    assert goran["vae.log_mean_exp"]["outcome"] == goran["vae.log_likelihood_normal"]["outcome"] == "wrong"
    for path in (places.graded / "feedback").glob("goran.*"):
        text = path.read_text(encoding="utf-8")
        assert "window.hacked" in text
        assert "\x1b" not in text
        shown = [line for line in text.splitlines() if students.SIGNS in line]
        assert all(path.suffix == ".md" and line.startswith("    ") for line in shown)  # in Markdown that is code


def test_the_copy_is_the_first_of_the_similar_pairs(places, page):
    rows = list(csv.reader((places.graded / "similar.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {rows[2][0], rows[2][1]} == {"anna", "chiara"}
    assert "never a verdict" in rows[0][0]
    assert alike(page)[0].get("data-pair") == "anna chiara"


def test_rows_of_the_page_are_the_records(page, records):
    rows = {row.get("data-submission"): row for row in page.xpath("//tr[@data-submission]")}
    assert sorted(rows) == EIGHT
    for name, row in rows.items():
        record, told = records[name], {}
        for cell in row.xpath(".//td[@data-column]"):
            told[cell.get("data-column")] = cell.get("data-value")
        assert told["outcome"] == record["outcome"]
        if record["outcome"] == "refused":
            continue
        expected = {"points": record["points"], "possible": record["possible"], "runs": of_claims(record)}
        expected |= {topic: of_parts(record, f"{topic}.") for topic in ("vae", "gan", "flows")}
        expected |= {"answers": of_answers(record), "words": of_words(record), "notes": len(record["notes"])}
        expected |= {"waiting": record["settlement"]["waiting"], "late": record["settlement"]["late_days"]}
        expected |= {"look_at": len(record["look_at"]), "seconds": record["budget"]["used"]}
        expected |= {"percent": 100 * record["points"] / record["possible"]}
        assert {key: float(told[key]) for key in expected} == pytest.approx(expected), name
        (link,) = row.xpath("./th/a/@href")
        assert link == f"feedback/{name}.html"
        below = [record["student"], record["file"] if record["file"] != name else ""]
        assert row.xpath("./th")[0].text_content() == name + ", ".join(filter(None, below))


def test_a_person_sees_of_every_value_of_the_page_what_a_program_reads(places):
    page = Page((places.graded / "index.html").read_text(encoding="utf-8"))
    assert_figures_are_as_told(page)
    assert len(page.valued()) > 2000


def test_totals_and_distribution_of_the_page_are_those_of_the_records(page, graded, records):
    points = [record["points"] for record in graded]
    told = {each.get("data-total"): float(each.get("data-value")) for each in page.xpath("//*[@data-total]")}
    expected = {"count": len(points), "refused": 1, "mean": np.mean(points), "median": np.median(points)}
    expected |= {"deviation": np.std(points, ddof=1), "lowest": min(points), "highest": max(points)}
    used, bound = [record["budget"]["used"] for record in graded], graded[0]["possible"]
    expected |= {"seconds": np.median(used), "longest": max(used)}
    expected |= {"bound": bound, "bins": 10, "step": max(bound, *points) / 10}
    expected |= {"noted": sum(bool(record["notes"] or record["look_at"]) for record in records.values())}
    circumstances = graded[0]["circumstances"]
    expected |= {"parts": len(circumstances["parts"]), "inputs": circumstances["inputs"], "shown": 8, "all": 8}
    expected |= {"properties": sum(len(part["properties"]) for part in graded[0]["parts"])}
    assert told == pytest.approx(expected)
    bars = page.xpath("//g[@data-low]")
    edges = [float(bar.get("data-low")) for bar in bars] + [float(bars[-1].get("data-high"))]
    counts, _ = np.histogram(points, edges)
    assert [int(bar.get("data-value")) for bar in bars] == list(counts)


def test_time_isolation_and_pairs_of_the_page_are_those_of_the_records(places, page, graded):
    exhausted = [record["submission"] for record in graded if record["budget"]["exhausted"]]
    (told,) = page.xpath("//*[@data-told='exhausted']")
    assert linked(told) == exhausted
    assert ("Nobody's time ran out." in told.text_content()) == (not exhausted)
    rows = page.xpath("//tr[@data-layer]")
    assert [row.get("data-layer") for row in rows] == load().grading.isolation
    for row in rows:
        without = [record["submission"] for record in graded if row.get("data-layer") not in record["isolation"]]
        assert (int(row.xpath("./td/@data-value")[0]), linked(row)) == (len(without), without)
    found = list(csv.reader((places.graded / "similar.csv").read_text(encoding="utf-8-sig").splitlines()))[2:]
    shown = [(row.get("data-pair"), [float(v) for v in row.xpath("./td/@data-value")]) for row in alike(page)]
    shares = {f"{first} {second}": [float(own), float(other)] for first, second, own, other, *_ in found}
    assert [name for name, _ in shown] == list(shares)
    for name, values in shown:
        assert values == pytest.approx(shares[name], abs=0.01)


def alike(page):
    return page.xpath("//table[@id='alike']//tr[@data-pair]")


def linked(element):
    """The submissions that an element links to."""
    return [link.removeprefix("feedback/").removesuffix(".html") for link in element.xpath(".//a/@href")]


def test_items_of_the_page_are_those_of_the_records(page, graded):
    totals = np.array([of_parts(record) for record in graded])
    rows = {row.get("data-item"): row for row in page.xpath("//table[@id='parts' or @id='properties']//tr[@data-item]")}
    assert len(rows) == 29 + 227
    for name, row in rows.items():
        part, _, own = name.partition(" ")
        found = [p for record in graded for p in record["parts"] if p["part"] == part]
        if own:
            found = [value for p in found for value in p["properties"] if value["property"] == own]
        points, outcomes = np.array([one["points"] for one in found]), [one["outcome"] for one in found]
        told = {cell.get("data-column"): cell.get("data-value") for cell in row.xpath(".//td[@data-column]")}
        assert float(told["possible"]) == found[0]["possible"]
        assert float(told["difficulty"]) == pytest.approx(np.mean(points / found[0]["possible"])), name
        assert [int(told[o]) for o in ("right", "wrong", "todo")] == [
            outcomes.count(o) for o in ("right", "wrong", "todo")
        ]
        if np.ptp(points) > 1e-9 and np.ptp(totals - points) > 1e-9:
            assert float(told["discrimination"]) == pytest.approx(np.corrcoef(points, totals - points)[0, 1]), name
        else:
            assert told["discrimination"] == ""


def by_name_and_by_message(graded):
    """Who made each mistake that has a name, and of parts without one who was told what, where at least two did."""
    named, told = defaultdict(list), defaultdict(list)
    for record in graded:
        for part in record["parts"]:
            if part["diagnosis"] is not None:
                named[" ".join([part["part"], *part["diagnosis"]["mistakes"]])].append(record["submission"])
                continue
            for value in part["properties"]:
                lacking = f"there is no file {part['file']}"
                if value["outcome"] == "wrong" and value["failure"] and value["failure"]["message"] != lacking:
                    message = " ".join(value["failure"]["message"].split())[:100]
                    told[f"{part['part']} {value['property']}", message].append(record["submission"])
    return [{what: who for what, who in found.items() if len(who) > 1} for found in (named, told)]


def who(row):
    """The submissions that a row links to, of which it tells how many they are."""
    found = linked(row)
    assert [int(cell.get("data-value")) for cell in row.xpath(".//td[@data-column]")] == [len(found)]
    return found


def test_mistakes_of_the_page_are_those_of_the_records_by_name_the_most_frequent_first(page, graded):
    rows = page.xpath("//table[@id='named']//tr[@data-mistake]")
    named, _ = by_name_and_by_message(graded)
    assert {row.get("data-mistake"): who(row) for row in rows} == named
    assert [len(who(row)) for row in rows] == sorted(map(len, named.values()), reverse=True)
    part, mistake = students.SHARED
    (shared,) = (row for row in rows if row.get("data-mistake").startswith(f"{part} "))
    assert who(shared) == ["ben", "fatima"]
    assert mistake in shared.get("data-mistake").split()
    assert "the division by K is missing" in shared.text_content()


def test_messages_of_the_page_are_those_of_the_records_that_no_name_stands_for(page, graded):
    rows = page.xpath("//table[@id='made']//tr[@data-item]")
    _, told = by_name_and_by_message(graded)
    shown = {
        (row.get("data-item"), " ".join(row.xpath("./td[2]")[0].text_content().split())[:100]): row for row in rows
    }
    assert {what: who(row) for what, row in shown.items()} == told


def test_who_made_a_known_mistake_is_told_which_and_nobody_is_of_a_right_part(places, records):
    for name in ("ben", "fatima"):
        for ending in ("html", "md"):
            text = (places.graded / "feedback" / f"{name}.{ending}").read_text(encoding="utf-8")
            assert "It equals what you get when the division by K is missing" in text
    named = {(name, p["part"]): p["outcome"] for name, r in records.items() for p in r["parts"] if p["diagnosis"]}
    assert set(named.values()) == {"wrong"}
    # It rests on the part that is wrong, and is right.
    assert "vae.importance_log_likelihood" in {p["part"] for p in records["ben"]["parts"] if p["outcome"] == "right"}


def test_the_table_has_the_points_of_the_records(places, records):
    rows = list(csv.DictReader((places.graded / "class.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {row["submission"]: float(row["points"]) for row in rows} == pytest.approx(
        {name: record["points"] for name, record in records.items()}, rel=1e-5
    )


@pytest.mark.parametrize("kind", VIEWS)
def test_there_is_every_view_of_everybody(places, kind):
    if kind == "lms":
        rows = list(csv.reader((places.graded / "lms.csv").read_text(encoding="utf-8-sig").splitlines()))
        assert [row[0] for row in rows[1:]] == EIGHT
    else:
        assert sorted(path.stem for path in (places.graded / kind).iterdir()) == EIGHT


def test_gradescope_is_told_the_points_of_the_records(places, records):
    for name, record in records.items():
        told = json.loads((places.graded / "gradescope" / f"{name}.json").read_bytes())
        assert told["score"] == pytest.approx(record["points"])


def test_nbgrader_has_the_points_of_the_records_and_shows_why(places, records):
    with Gradebook(f"sqlite:///{places.course / 'gradebook.db'}") as book:
        grades = {
            (submission.student_id, grade.cell.name): grade.auto_score
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
    for name in ("deniz", "emil"):
        for part in records[name]["parts"]:
            assert grades[name, f"check_{part['part'].replace('.', '_')}"] == pytest.approx(part["points"])
    told = "".join(p.read_text(encoding="utf-8") for p in (places.course / "feedback" / "emil").rglob("*.html"))
    assert "still to be written" in told


def test_every_student_has_feedback_on_a_page_and_as_markdown(places):
    for ending in ("html", "md"):
        assert sorted(p.name for p in (places.graded / "feedback").glob(f"*.{ending}")) == [
            f"{n}.{ending}" for n in EIGHT
        ]
    assert "Well seen." in (places.graded / "feedback" / "anna.html").read_text(encoding="utf-8")
    assert "<math" in (places.graded / "feedback" / "anna.html").read_text(encoding="utf-8")
