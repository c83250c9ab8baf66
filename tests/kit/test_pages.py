"""The pages: every figure agrees with the records, and what somebody else wrote is only text."""

import re
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
from msgspec.structs import replace

from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.pages import analysis, class_page, feedback_page, layout, own_report
from grading.pages.pictures import Album
from grading.pages.words import html
from grading.records import (
    AnswerRecord,
    PartRecord,
    PropertyRecord,
    QuestionRecord,
    Record,
    RunRecord,
    Settlement,
    points_of_runs,
)
from grading.rubric import Rubric, load
from grading.wording import Failure
from tests.kit.class_of_forty import CIRCUMSTANCES, HOSTILE_TEXT, LAYERS, hostile, records
from tests.kit.reading_pages import Page, assert_figures_are_as_told, assert_harmless, picture

# What is calculated


def test_the_discrimination_is_that_of_a_calculation_by_hand():
    # Points 1, 0, 1 with totals 5, 1, 3: the rest is 4, 1, 2, the means 2/3, 7/3. Products: 4 + 2 - 14/3 = 4/3.
    # Squares: 2 - 4/3 = 2/3 and 21 - 49/3 = 14/3. So 4/3 / sqrt(28/9) = 4 / sqrt(28).
    assert analysis.discrimination([1, 0, 1], [5, 1, 3]) == pytest.approx(4 / 28**0.5)


@pytest.mark.parametrize(
    ("points", "totals"),
    [([1, 1, 1], [3, 4, 5]), ([0, 1, 2], [5, 6, 7]), ([0, 1], [3, 9]), ([], []), ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])],
)
def test_the_discrimination_is_undefined_where_either_side_is_the_same_for_all_or_few_are_there(points, totals):
    assert analysis.discrimination(points, totals) is None


def test_items_agree_with_numpy():
    done = analysis.graded(records())
    points = np.array([[part.points for part in record.parts] for record in done])
    for column, item in enumerate(analysis.items(records())):
        own, rest = points[:, column], points.sum(axis=1) - points[:, column]
        assert item.difficulty == pytest.approx(own.mean() / item.possible)
        assert item.discrimination == pytest.approx(np.corrcoef(own, rest)[0, 1])
        assert item.right + item.wrong + item.todo == len(done)
    values = [value for part in done[0].parts for value in part.properties]
    found = analysis.items(records(), properties=True)
    assert [item.property for item in found] == [value.property for value in values]
    own = np.array([r.parts[2].properties[1].points for r in done])
    third = next(
        i for i in found if (i.part, i.property) == (done[0].parts[2].part, done[0].parts[2].properties[1].property)
    )
    assert third.discrimination == pytest.approx(np.corrcoef(own, points.sum(axis=1) - own)[0, 1])


def test_bins_agree_with_numpy():
    values = [0, 0.5, 1, 9.99, 10, 3, 3, 7.2]
    counts, edges = np.histogram(values, bins=10, range=(0, 10))
    found = analysis.bins(values, 10)
    assert [b.count for b in found] == counts.tolist()
    assert [b.low for b in found] == pytest.approx(edges[:-1].tolist())
    assert [b.high for b in found] == pytest.approx(edges[1:].tolist())


def test_the_spread_agrees_with_numpy():
    found = analysis.spread([1.0, 2.0, 4.5, 9.0])
    assert (found.count, found.lowest, found.highest) == (4, 1.0, 9.0)
    assert (found.mean, found.median) == (np.mean([1, 2, 4.5, 9]), np.median([1, 2, 4.5, 9]))
    assert found.deviation == pytest.approx(np.std([1, 2, 4.5, 9], ddof=1))
    assert analysis.spread([]) is None
    assert analysis.spread([3.0]).deviation is None


def made(name: str, *failures: tuple[str, str]) -> Record:
    """A record of one part whose properties failed with these messages."""
    values = [PropertyRecord(p, "value", "s", "wrong", 0, 1, 5, 0.1, failure=Failure(told)) for p, told in failures]
    return Record(name, "graded", CIRCUMSTANCES, parts=[PartRecord("vae.elbo", "1", "f", "wrong", 0, 2, values)])


def test_mistakes_that_several_made_are_collected_by_property_and_message():
    told = [made("a", ("p", "x"), ("q", "y")), made("b", ("p", "x"), ("q", "z")), made("c", ("p", "x"), ("q", "y"))]
    found = [(m.property, m.message, m.names) for m in analysis.mistakes(told)]
    assert found == [("p", "x", ("a", "b", "c")), ("q", "y", ("a", "c"))]


def looking_like(record: Record, *names: str) -> Record:
    """A record whose part looks like the mistake with these names."""
    likeness = Diagnosis(list(names), f"what {names[0]} does")
    return replace(record, parts=[replace(record.parts[0], diagnosis=likeness)])


def test_mistakes_are_counted_by_name_the_most_frequent_first():
    told = [made(name, ("p", name)) for name in "abcdef"]
    class_ = [looking_like(told[0], "x"), *(looking_like(one, "y", "z") for one in told[1:4])]
    class_ += [looking_like(told[4], "x"), looking_like(told[5], "y")]
    assert analysis.named(class_) == [
        analysis.Named("vae.elbo", ("y", "z"), "what y does", ("b", "c", "d")),
        analysis.Named("vae.elbo", ("x",), "what x does", ("a", "e")),
    ]
    assert analysis.named(told) == []


def test_a_message_is_counted_where_the_mistake_has_no_name():
    told = [made(name, ("p", "x")) for name in "abc"]
    assert [m.names for m in analysis.mistakes([looking_like(told[0], "y"), *told[1:]])] == [("b", "c")]
    assert analysis.mistakes([looking_like(one, "y") for one in told]) == []


def test_what_was_not_handed_in_is_no_mistake():
    told = [made(name, ("p", "there is no file f"), ("q", "there is no file g")) for name in "ab"]
    assert [m.property for m in analysis.mistakes(told)] == ["q"]


# The class


PAIRS = [SimpleNamespace(first="Bakker-Amara-00", second="Smit-Goran-06", share_first=0.83, share_second=0.5)]


@pytest.fixture(scope="module")
def forty():
    return records()


@pytest.fixture(scope="module")
def page(forty):
    return Page(class_page.page(forty, PAIRS))


def test_every_row_agrees_with_its_record(forty, page):
    rows = page.rows("data-submission")
    assert list(rows) == [record.submission for record in forty]
    for record in forty:
        cells = {c["data-column"]: c["data-value"] for c in rows[record.submission] if "data-column" in c}
        assert cells["outcome"] == record.outcome
        if record.outcome == "refused":
            assert cells["points"] == cells["isolation"] == ""
            continue
        assert float(cells["points"]) == record.points
        assert float(cells["possible"]) == record.possible
        assert float(cells["percent"]) == pytest.approx(100 * record.points / record.possible)
        for topic in ("vae", "gan", "flows"):
            assert float(cells[topic]) == sum(p.points for p in record.parts if p.part.startswith(topic))
        assert float(cells["runs"]) == points_of_runs(record.runs)
        assert float(cells["answers"]) == sum(answer.points for answer in record.answers)
        assert float(cells["words"]) == sum(question.points or 0 for question in record.questions)
        assert float(cells["waiting"]) == record.settlement.waiting
        assert float(cells["late"]) == record.settlement.late_days
        assert float(cells["notes"]) == len(record.notes)
        assert float(cells["look_at"]) == len(record.look_at)
        assert float(cells["seconds"]) == record.budget.used
        lacking = set(LAYERS) - set(record.isolation)
        assert cells["isolation"] == (f"without {', '.join(lacking)}" if lacking else "complete")


def test_totals_and_histogram_agree_with_the_records(forty, page):
    points = [record.points for record in forty if record.outcome == "graded"]
    totals = {a["data-total"]: float(a["data-value"]) for _, a in page.tags if "data-total" in a}
    assert totals["count"] == len(points)
    assert totals["refused"] == len(forty) - len(points)
    assert totals["mean"] == pytest.approx(np.mean(points))
    assert totals["median"] == pytest.approx(np.median(points))
    assert totals["deviation"] == pytest.approx(np.std(points, ddof=1))
    assert (totals["lowest"], totals["highest"]) == (min(points), max(points))
    assert totals["bound"] == pytest.approx(max(record.possible for record in forty))
    bars = [a for tag, a in page.tags if tag == "g"]
    edges = [float(bars[0]["data-low"]), *(float(bar["data-high"]) for bar in bars)]
    assert [int(bar["data-value"]) for bar in bars] == np.histogram(points, bins=edges)[0].tolist()
    assert sum(int(bar["data-value"]) for bar in bars) == len(points)
    shown = [float(a["data-value"]) for _, a in page.tags if "data-edge" in a]
    assert shown == pytest.approx(edges)
    assert (totals["bins"], totals["step"]) == (len(bars), pytest.approx(edges[1]))
    steps = zip(pairwise(edges), bars, strict=True)
    spoken = [f"{low:.1f} to {high:.1f} points: {bar['data-value']}" for (low, high), bar in steps]
    (told,) = (text for (tag, _), text in zip(page.tags, page.texts, strict=True) if tag == "desc")
    assert told == f"{'; '.join(spoken)}."


def test_a_person_sees_of_every_value_what_a_program_reads(forty, page):
    assert_figures_are_as_told(page)
    assert len(page.valued()) > 2000


def test_no_figure_stands_on_the_page_without_its_value(forty, page):
    known = {HOSTILE_TEXT, *(record.submission for record in forty)}
    known |= {mistake.message for mistake in analysis.mistakes(forty)}
    left = {text.strip() for text in page.loose if re.search(r"\d", text)} - known
    left -= {text for text in left if re.fullmatch(r"\w+", text)}  # of the name of a part
    spoken, explained, versions = sorted(left)
    assert spoken.startswith("0.0 to ")  # of the histogram: see above
    assert explained.startswith("Mean share: of the points of an item")
    assert versions == "Python 3.11.9, torch 2.13.0, Linux-6.1-x86_64;"


def totals_of(class_, pairs=()) -> dict[str, float]:
    told = Page(class_page.page(class_, pairs)).valued()
    return {attributes["data-total"]: float(text) for _, attributes, text in told if "data-total" in attributes}


def test_points_are_spread_in_percent_where_not_everybody_could_have_the_same():
    told = ((10.0, 40.0), (20.0, 40.0), (30.0, 30.0), (36.0, 30.0))
    class_ = [replace(made(name), points=own, possible=of) for name, (own, of) in zip("abcd", told, strict=True)]
    page = Page(class_page.page(class_))
    assert_figures_are_as_told(page)
    totals, shares = totals_of(class_), [25, 50, 100, 120]
    assert (totals["mean"], totals["median"]) == pytest.approx((np.mean(shares), np.median(shares)))
    assert (totals["lowest"], totals["highest"], totals["step"]) == (25, 120, 12)
    assert "bound" not in totals
    bars = [attributes for tag, attributes in page.tags if tag == "g"]
    assert [int(bar["data-value"]) for bar in bars] == np.histogram(shares, bins=10, range=(0, 120))[0].tolist()
    cells = [text for _, a, text in page.valued() if a.get("data-column") == "percent"]
    assert cells == ["25.0", "50.0", "100.0", "120.0"]
    text = class_page.page(class_)
    assert "In percent of the points that each could have" in text
    assert "Submissions by percent" in text
    same = class_page.page([replace(each, possible=40.0) for each in class_])
    assert "percent of" not in same
    assert "Submissions by points" in same


def test_what_is_counted_beside_points_agrees_with_the_records(forty, page):
    done, totals = analysis.graded(forty), totals_of(forty, PAIRS)
    used = [record.budget.used for record in done]
    assert (totals["seconds"], totals["longest"]) == (round(np.median(used), 1), round(max(used), 1))
    assert totals["noted"] == sum(bool(record.notes or record.look_at) for record in forty)
    assert totals["properties"] == sum(len(part.properties) for part in done[0].parts)
    assert (totals["parts"], totals["inputs"]) == (len(CIRCUMSTANCES.parts), CIRCUMSTANCES.inputs)
    assert totals["shown"] == totals["all"] == len(forty)
    tired = [record.submission for record in done if record.budget.exhausted]
    assert links(page.rows("data-told")["exhausted"]) == [f"feedback/{quote(name)}.html" for name in tired]
    assert len(tired) == 1
    rested = [replace(r, budget=replace(r.budget, exhausted=False)) for r in done]
    assert "Nobody's time ran out." in class_page.page(rested)
    assert "Nobody's time ran out." not in class_page.page(forty)
    for pair in PAIRS:
        cells = page.rows("data-pair")[f"{pair.first} {pair.second}"]
        assert [float(c["data-value"]) for c in cells if "data-value" in c] == [pair.share_first, pair.share_second]


def links(tags: list[dict[str, str]]) -> list[str]:
    return [attributes["href"] for attributes in tags if "href" in attributes]


@pytest.mark.parametrize("count", [0, 1, 12, 15])
def test_layers_that_did_not_hold_are_told_with_the_submissions_around_which(count):
    done = [replace(made(f"s{n:02}"), isolation=LAYERS[:-1] if n < count else LAYERS) for n in range(20)]
    page = Page(class_page.page(done))
    rows = page.rows("data-layer")
    assert list(rows) == LAYERS
    for layer in LAYERS:
        without = [record.submission for record in done if layer not in record.isolation]
        values = [int(c["data-value"]) for c in rows[layer] if "data-value" in c and "data-more" not in c]
        assert values == [len(without)]
        assert links(rows[layer]) == [f"feedback/{name}.html" for name in without[:12]]
        assert [int(c["data-value"]) for c in rows[layer] if "data-more" in c] == [3] * (len(without) == 15)
    assert_figures_are_as_told(page)


def test_a_row_tells_the_number_and_the_file_where_it_is_called_otherwise():
    class_ = [replace(made("a"), student="17", file="a, final.zip"), replace(made("b"), file="b"), made("c")]
    page = Page(class_page.page(class_))
    heads = [
        text for tag, attributes, text in page.valued() if tag == "th" and attributes["data-value"] in ("a", "b", "c")
    ]
    assert heads == ["a17, a, final.zip", "b", "c"]
    searched = [a["data-named"] for _, a in page.tags if "data-named" in a]
    assert searched[0] == "a 17 a, final.zip"


def test_items_and_mistakes_on_the_page_agree_with_the_analysis(forty, page):
    rows = page.rows("data-item")
    for item in [*analysis.items(forty), *analysis.items(forty, properties=True)]:
        cells = {
            c["data-column"]: c["data-value"]
            for c in rows[f"{item.part} {item.property}".strip()]
            if "data-column" in c
        }
        assert float(cells["possible"]) == item.possible
        assert float(cells["difficulty"]) == item.difficulty
        assert cells["discrimination"] == ("" if item.discrimination is None else str(item.discrimination))
    found = analysis.named(forty)
    assert len(found) > 10
    assert {len(mistake.mistakes) for mistake in found} == {1, 2}
    told = page.rows("data-mistake")
    for mistake in found[: class_page.MOST_MISTAKES]:
        cells = told[" ".join([mistake.part, *mistake.mistakes])]
        assert [int(c["data-value"]) for c in cells if c.get("data-column") == "made"] == [len(mistake.names)]
        links = [f"feedback/{quote(name, safe='')}.html" for name in mistake.names]
        assert [c["href"] for c in cells if "href" in c] == links
    made = [int(a["data-value"]) for _, a in page.tags if a.get("data-column") == "made"]
    assert made == sorted((len(m.names) for m in found[: class_page.MOST_MISTAKES]), reverse=True)
    counts = [int(a["data-value"]) for _, a in page.tags if a.get("data-column") == "count"]
    assert counts == [len(m.names) for m in analysis.mistakes(forty)[: class_page.MOST_MISTAKES]]


def test_rows_link_to_the_pages_of_feedback_and_can_be_chosen_by_what_they_are(forty, page):
    links = {a["href"] for tag, a in page.tags if tag == "a"}
    rows = page.rows("data-submission")
    for record in forty:
        assert f"feedback/{quote(record.submission, safe='')}.html" in links
        kinds = rows[record.submission][0]["data-kinds"].split()
        assert (record.outcome in kinds, "late" in kinds, "look" in kinds) == (
            True,
            bool(record.settlement and record.settlement.late_days),
            bool(record.look_at),
        )


def test_what_was_refused_is_told_with_its_reason_and_pairs_as_a_hint(forty):
    text = class_page.page(forty, PAIRS)
    assert text.count('<li data-refused="') == sum(record.outcome == "refused" for record in forty)
    assert text.count("this is a PDF") == 3
    assert text.count("The grader failed") == 1
    assert "never a verdict" in text
    assert 'data-value="0.83">83 %' in text
    assert "Similar code" not in class_page.page(forty)


def test_of_many_notes_the_first_are_told_and_how_many_more_there_are():
    notes, look_at = [f"note-{n:02} " + "x" * 1000 for n in range(13)], [f"look-{n:02}" for n in range(12)]
    text = class_page.page([replace(made("a"), notes=notes, look_at=look_at)])
    assert [n for n in range(13) if f"note-{n:02}" in text] == list(range(10))
    assert [n for n in range(12) if f"look-{n:02}" in text] == list(range(10))
    told = [text for _, attributes, text in Page(text).valued() if "data-more" in attributes]
    assert told == ["5"]
    assert "x" * 292 + " …" in text
    assert "x" * 293 not in text
    assert "more in the record" not in class_page.page([replace(made("a"), notes=notes[:10])])


@pytest.mark.parametrize("class_", [[], [made("a", ("p", "x"))], [Record("a", "refused", CIRCUMSTANCES, reason="r")]])
def test_a_class_of_none_or_one_has_a_page(class_):
    assert_harmless(class_page.page(class_).replace(" class=", " data-class="))


def test_the_page_is_written_where_it_is_said(tmp_path, forty):
    path = class_page.write(tmp_path, forty)
    assert path == tmp_path / "index.html"
    assert path.read_text(encoding="utf-8") == class_page.page(forty)


# Feedback


FIGURES = {"figures/curve.png": picture()}


def test_a_student_is_told_points_parts_words_and_comments(forty):
    record = next(r for r in forty if any(q.comment for q in r.questions) and any(q.words for q in r.questions))
    text = feedback_page.render(record, FIGURES)
    page = assert_harmless(text)
    values = {a["data-part"]: float(a["data-value"]) for _, a in page.tags if "data-part" in a}
    assert values == {part.part: part.points for part in record.parts}
    totals = {a["data-total"]: float(a["data-value"]) for _, a in page.tags if "data-total" in a}
    assert totals == {"points": record.points, "possible": record.possible}
    assert_figures_are_as_told(page)
    of = {a["data-of"]: float(a["data-value"]) for _, a in page.tags if "data-of" in a}
    assert of.items() >= {part.part: part.possible for part in record.parts}.items()
    assert of["the parts"] == sum(part.possible for part in record.parts)
    lines = {a["data-line"]: float(a["data-value"]) for _, a in page.tags if "data-line" in a}
    assert lines["together"] == record.points
    assert lines["the parts"] == sum(part.points for part in record.parts)
    assert sum(lines.values()) == pytest.approx(2 * record.points)
    given = {a["data-question"]: float(a["data-value"]) for _, a in page.tags if "data-question" in a}
    assert given == {q.question: q.points for q in record.questions if q.points is not None}
    assert "Well argued. Why does it flatten?<br>See the handout" in text
    assert '<img src="data:image/png;base64,' in text
    assert "tensor([[1000., 1000., 1000.]])" in text


def test_a_student_is_not_told_what_an_instructor_may_look_at_nor_a_secret_property(forty):
    record = next(r for r in forty if r.look_at)
    assert "reads the environment" not in feedback_page.render(record, {})
    secret = Failure("SECRET", inputs={"SECRET": "SECRET"}, answer="SECRET", traceback="SECRET")
    value = PropertyRecord("the_secret", "value", "SECRET", "wrong", 0, 1, 5, 0.1, "own", True, secret)
    part = replace(record.parts[0], properties=[value], outcome="wrong", printed="SECRET")
    text = feedback_page.render(replace(record, parts=[part]), {})
    assert "A property of the instructor" in text
    assert "SECRET" not in text
    assert "the_secret" not in text


LIKENESS = Diagnosis(["forgets_the_mean"], "the division by K is missing", "How many are there?")


def test_the_mistake_that_a_part_looks_like_is_told_before_its_failures():
    record = replace(made("a", ("the_property", "differs")))
    text = feedback_page.render(replace(record, parts=[replace(record.parts[0], diagnosis=LIKENESS)]), {})
    told = '<p class="likeness">It equals what you get when the division by K is missing.</p>'
    head, _, rest = text.partition(told)
    assert "<h3><code>vae.elbo</code></h3>" in head
    assert "the_property" not in head
    assert "the_property" in rest
    assert "How many are there?" not in text
    assert "likeness" not in feedback_page.render(record, {}).partition("<body")[2]


def test_what_arithmetic_says_of_an_answer_is_told_with_it():
    record = made("a", ("p", "x"))
    value = replace(record.parts[0].properties[0], failure=Failure("x", remark="twice <what> was expected"))
    text = feedback_page.render(replace(record, parts=[replace(record.parts[0], properties=[value])]), {})
    assert "<dd>twice &lt;what&gt; was expected</dd>" in text


def test_a_mistake_that_only_the_instructors_properties_find_is_named_on_the_page_of_the_class_alone():
    records_ = [looking_like(made(name, ("p", "x")), "y") for name in "ab"]
    secret = replace(records_[0].parts[0].properties[0], instructor_only=True)
    records_ = [replace(r, parts=[replace(r.parts[0], properties=[secret])]) for r in records_]
    assert "what y does" not in feedback_page.render(records_[0], {})
    assert "what y does" in class_page.page(records_)


def test_how_the_points_come_about_is_told(forty):
    record = next(r for r in forty if r.settlement and r.settlement.late_days)
    dropped = record.parts[0].part
    settled = replace(record.settlement, dropped=[dropped], extra=["gan.spectral_norm"], waiting=2)
    text = feedback_page.render(replace(record, settlement=settled), {})
    for told in (
        "3 days after the due time, 1 of which cost points",
        "left out, as the lowest",
        "beyond what is possible",
    ):
        assert told in text
    told = Page(text)
    heads = [text for (tag, _), text in zip(told.tags, told.texts, strict=True) if tag == "th"]
    assert f"left out, as the lowest{dropped}" in heads
    assert "2 questions wait for a person" in text
    assert f"−{settled.penalty:g}" in text
    settled = Settlement(1, 1, 0)
    assert "due time" not in feedback_page.render(replace(record, settlement=settled), {})


@pytest.mark.parametrize(
    ("extra", "told"), [([], 35), (["vae.elbo"], 35), (["3.2"], 35), (["vae.log_likelihood"], None)]
)
def test_what_runs_could_give_is_told_where_the_record_tells_it(extra, told):
    base = made("a")
    words = [QuestionRecord("3.2", "Costs", 3.0)]
    settled = Settlement(0, 0, 1, extra=extra)
    record = replace(base, questions=words, settlement=settled, runs=[RunRecord("runs/a", [reached()])])
    counted = 35 + sum(worth for name, worth in (("vae.elbo", 2), ("3.2", 3)) if name not in extra)
    text = feedback_page.render(replace(record, points=15.0, possible=counted), {})
    lines = {a["data-line"]: float(a["data-value"]) for _, a in Page(text).tags if "data-line" in a}
    of = {a["data-of"]: float(a["data-value"]) for _, a in Page(text).tags if "data-of" in a}
    assert (lines["finished runs"], of.get("finished runs")) == (15, told)


def reached() -> Claim:
    return Claim("vae.elbo", "s", "nats", "1.1", "reached", 15.0, "digits", "at least", -1.5, -1.25, 0.1, -2.0)


def test_a_wrong_cost_is_not_told_the_right_one():
    wrong = AnswerRecord("3.2", "log_det_cost", "the cost", "wrong", 0.0, 1.0, "O(1)", "O(d^3)", "counted O(d^3)")
    right = AnswerRecord("3.3", "density_cost", "the cost", "right", 1.0, 1.0, "O(k d)", "O(d k)")
    record = replace(made("a"), answers=[wrong, right], questions=[QuestionRecord("3.2", "Costs", 3.0)])
    text = feedback_page.render(record, {})
    assert "O(1)" in text
    assert "O(d^3)" not in text
    assert text.count("O(d k)") == 1


def test_what_is_said_of_several_answers_to_a_question_is_told_once():
    keys = [("2.1", f"dirac-{n}", "no run") for n in range(20)]
    keys += [("2.1", "w1", "an own message"), ("2.2", "x", "no run")]
    answers = [AnswerRecord(q, key, "s", "unmeasured", 0.0, 1.0, message=said) for q, key, said in keys]
    questions = [QuestionRecord("2.1", "Dirac", 3.0), QuestionRecord("2.2", "Images", 3.0)]
    text = feedback_page.render(replace(made("a"), answers=answers, questions=questions), {})
    first, _, second = text.partition('aria-label="Question 2.2"')
    assert first.count("no run") == second.count("no run") == 1
    assert '<p class="quiet">Of 20 answers: no run</p>' in first
    assert '<br><span class="quiet">an own message</span>' in first
    assert '<br><span class="quiet">no run</span>' in second


def test_a_refused_submission_is_told_why():
    text = feedback_page.render(Record("a", "refused", CIRCUMSTANCES, reason="this is a <PDF>"), {})
    assert "Nothing could be graded" in text
    assert "this is a &lt;PDF&gt;" in text


def test_all_that_a_student_has_a_hand_in_is_only_text():
    for text in (feedback_page.render(hostile(), {HOSTILE_TEXT: picture()}), class_page.page([hostile()])):
        page = assert_harmless(text)
        assert len([tag for tag, _ in page.tags if tag == "style"]) == 1
        assert len([tag for tag, _ in page.tags if tag == "script"]) == text.count("script-src")
        assert "&lt;script&gt;window.hacked=1&lt;/script&gt;" in text
        assert "49" not in re.findall(r"window.hacked=2&#34;&gt;(.{9})", text)[0]  # no template fills it in


def test_names_may_be_broken_at_their_joints_and_backticks_are_code():
    assert layout.name("vae.log_mean<b>") == "vae.<wbr>log_<wbr>mean&lt;b&gt;"
    assert layout.sentence("pack it by `elbo pack <x>`, not `") == "pack it by <code>elbo pack &lt;x&gt;</code>, not `"


def test_a_page_lets_nothing_run_and_nothing_be_loaded():
    policy = next(a["content"] for _, a in Page(class_page.page([])).tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "script-src" not in feedback_page.render(records(1)[0], {})


# The student's own report


def test_a_report_is_read_with_its_answers_and_pictures(tmp_path):
    directory = tmp_path / "kit" / "exercises"
    directory.mkdir(parents=True)
    (tmp_path / "kit" / "runs").mkdir()
    (tmp_path / "kit" / "runs" / "a b.png").write_bytes(picture())
    (tmp_path / "secret.png").write_bytes(picture())
    shown = "![a](../runs/a%20b.png) ![b](../../secret.png) ![c](\0)"
    text = f'## 3.2 Costs\nIt is $d$. {shown}\n\n```toml\nlog_det_cost = "O(d)"\n```\n'
    (directory / "report.md").write_text(text, encoding="utf-8")
    written, figures = own_report.read(directory, load(), {})
    (section,) = written
    assert (section.question, section.answers[0].given, section.answers[0].outcome) == ("3.2", "O(d)", "right")
    assert list(figures) == ["../runs/a b.png"]
    assert "data:image/png" in html(section.words, Album(figures))


def test_a_report_is_read_by_its_headings_where_the_rubric_has_no_questions(tmp_path):
    (tmp_path / "report.md").write_text(
        "# Report\n\n## 3.2 The *cost*\nWords.\n\n```toml\na = 1\n```\n", encoding="utf-8"
    )
    rubric = load()
    written, _ = own_report.read(tmp_path, Rubric(rubric.parts, rubric.claims), {})
    (section,) = written
    assert (section.question, section.title, section.answers) == ("3.2", "The *cost*", ())
    assert section.words.startswith("Words.")
    assert "a = 1" in section.words


def test_no_report_is_nothing_and_one_that_is_too_long_is_refused(tmp_path):
    assert own_report.read(tmp_path, load(), {}) == ([], {})
    (tmp_path / "report.md").write_bytes(b"a" * 500_001)
    with pytest.raises(own_report.ReportError, match="500,000 bytes"):
        own_report.read(tmp_path, load(), {})
