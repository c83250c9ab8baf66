"""What a student is given: all that may be told, and nothing of it more than text."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from markdown_it import MarkdownIt

from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.feedback import LINE, LINES, block, code, feedback, inline
from grading.records import (
    AnswerRecord,
    Circumstances,
    PartRecord,
    PropertyRecord,
    QuestionRecord,
    Record,
    RunRecord,
    Settlement,
)
from grading.wording import TO_DO, Failure

CIRCUMSTANCES = Circumstances(7, 5, ["vae.log_mean_exp"], "r", "k", "3.11", "2.4", "Linux")
HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://evil.example/x.png)",
    "[10 of 10](javascript:alert)",
    "# 100 of 100 points",
    "a\n\n# 100 of 100 points",
    "\n```\n# out\n```\n",
    "~~~\n<b>",
    "| a | b |",
    "x|y",
    "`code`",
    "**bold** _under_",
    "<!-- ",
    "&lt;script&gt;",
    "{{ record.points }}{% raw %}",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\r\x08\x7f\x00",
    "\u202egnp.exe",
    "line\u2028line\u2029line\x85line\x0bline\x0cline\x1eline",
    "http://evil.example @all #1",
    "an item\n- item\n1. item\n> quote\n---\n===",
    "\ttab",
    "x" * 100_000,
    "y\n" * 100_000,
]


def value(name: str, outcome: Any = "right", failure: Failure | None = None, **others: Any) -> PropertyRecord:
    points = 1.5 if outcome == "right" else 0.0
    return PropertyRecord(
        name, "value", f"The sentence of {name}.", outcome, points, 1.5, 5, 0.1, failure=failure, **others
    )


def part(*properties: PropertyRecord, outcome: Any = "wrong", **others: Any) -> PartRecord:
    points, possible = sum(p.points for p in properties), sum(p.possible for p in properties)
    return PartRecord(
        "vae.log_mean_exp", "1", "vae/likelihoods.py", outcome, points, possible, list(properties), **others
    )


def record(*parts: PartRecord, submission: str = "somebody", outcome: Any = "graded", **others: Any) -> Record:
    return Record(submission, outcome, CIRCUMSTANCES, points=1.5, possible=4.5, parts=list(parts), **others)


def structure(text: str) -> list[str]:
    """What a text is made of to a reader of Markdown, without its words."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    found = [inner for token in reader.parse(text) for inner in (token, *(token.children or ()))]
    return [f"{token.type} {token.tag}" for token in found if token.type not in ("text", "text_special")]


def controls(text: str) -> set[str]:
    """What a terminal would obey, and what turns the direction of a line."""
    return {c for c in text if not c.isprintable() and c not in "\n\t"}


# What is told


def test_a_right_submission_has_just_the_table() -> None:
    text = feedback(record(part(value("a"), value("b"), value("c"), outcome="right")))
    assert text.splitlines() == [
        "# `somebody`",
        "",
        "**1.5 of 4.5 points**",
        "",
        "| part | problem | points | of | outcome |",
        "| --- | --- | ---: | ---: | --- |",
        "| `vae.log_mean_exp` | 1 | 4.5 | 4.5 | right |",
    ]


def test_points_are_told_for_the_parts_and_for_the_runs() -> None:
    runs = [RunRecord("runs/a", [claim("vae.elbo", "reached", points=3.0)])]
    told = msgspec.structs.replace(record(part(value("a"), value("b", "wrong")), runs=runs), points=4.5, possible=18)
    expected = "**4.5 of 18 points**: 1.5 of 3 for the parts, 3 of 15 for finished runs"
    assert feedback(told).splitlines()[2] == expected


ANSWERS = [
    AnswerRecord("3.2", "cost", "the cost of one", "right", 1.0, 1.0, "O(d)", "O(d)"),
    AnswerRecord("1.1", "elbo", "the average", "wrong", 0.0, 2.0, -99.0, -101.25, "not what was measured"),
]
QUESTIONS = [
    QuestionRecord("3.2", "The cost", 3.0, "words", points=2.0, comment="Good.\n\nWhy *inner* products?"),
    QuestionRecord("3.3", "The density", 1.5),
]


def test_points_are_told_for_answers_and_for_words_as_settled() -> None:
    settled = Settlement(2.5, 2.0, 1, dropped=["vae.log_mean_exp"], late_days=2, charged_days=1, penalty=0.3)
    told = record(part(value("a")), answers=ANSWERS, questions=QUESTIONS, settlement=settled)
    lines = feedback(msgspec.structs.replace(told, points=2.7, possible=7.5)).splitlines()
    assert lines[2] == (
        "**2.7 of 7.5 points**: 1.5 of 1.5 for the parts, 1 of 3 for the answers that a machine reads, "
        "2 of 4.5 for the words that a person reads (1 question waits for a person)"
    )
    assert lines[4] == "- left out, as the lowest: -1.5 points (vae.log\\_mean\\_exp)"
    assert lines[5] == "- late: -0.3 points (2 days after the due time, 1 of which cost points)"


def test_answers_are_told_beside_what_was_measured() -> None:
    text = feedback(record(answers=ANSWERS))
    assert "| 3.2 | the cost of one | O\\(d\\) | O\\(d\\) | right | 1 | 1 |" in text
    assert "| 1.1 | the average | -99.0000 | -101.2500 | wrong | 0 | 2 |" in text
    assert "\n- 1.1, `elbo`: not what was measured\n" in text


def test_what_is_said_of_several_answers_to_a_question_is_told_once() -> None:
    keys = [("2.1", f"dirac-{n}", "no run") for n in range(7)]
    keys += [("2.1", "w1", "own"), ("2.2", "x", "no run"), ("2.2", "y", "No run")]
    answers = [AnswerRecord(q, key, "s", "unmeasured", 0.0, 1.0, message=said) for q, key, said in keys]
    assert [line for line in feedback(record(answers=answers)).splitlines() if line.startswith("- ")] == [
        "- 2.1, `dirac-0`, `dirac-1`, `dirac-2`, `dirac-3` and 3 more: no run",
        "- 2.1, `w1`: own",
        "- 2.2, `y`: No run",
        "- 2.2, `x`: no run",
    ]


@pytest.mark.parametrize("message", ["", "read as O(1); counted was another", "answered O(1), counted O(d^3)"])
def test_a_wrong_cost_is_not_told_the_right_one(message: str) -> None:
    wrong = AnswerRecord("3.2", "log_det_cost", "the cost", "wrong", 0.0, 1.0, "O(1)", "O(d^3)", message)
    text = feedback(record(answers=[wrong])).replace("\\", "")
    assert "| 3.2 | the cost | O(1) |  | wrong | 0 | 1 |" in text
    assert "d^3" not in text
    assert ("counted was another" in text) == ("another" in message)


def test_what_was_measured_of_a_run_is_told_with_a_wrong_answer() -> None:
    text = feedback(record(answers=[ANSWERS[1]]))
    assert "-101.2500" in text


def test_words_are_told_with_points_and_the_whole_comment() -> None:
    text = feedback(record(questions=QUESTIONS))
    assert "**3.2 The cost**: 2 of 3 points\n\n> Good.\n>\n> Why \\*inner\\* products?\n" in text
    assert "**3.3 The density**: 1.5 points, not given yet; nothing was handed in" in text
    comment = [msgspec.structs.replace(QUESTIONS[0], comment="y" * 10_000)]
    assert "y" * 10_000 in feedback(record(questions=comment))  # what a person wrote is not cut


def test_a_failure_is_told_with_what_was_tried_and_what_came() -> None:
    failure = Failure("the answer differs", called="vae.log_mean_exp(x)", answer="1.0", expected="2.0", where="f.py, 3")
    text = feedback(record(part(value("a"), value("b", "wrong", failure), printed="mine\nyours")))
    assert "\n\n## `vae.log_mean_exp`\n\n" in text
    assert "**`b`** (1.5 points): The sentence of b." in text
    rows = [("wrong", "the answer differs"), ("called", "vae.log_mean_exp(x)"), ("answer", "1.0"), ("expected", "2.0")]
    for name, told in [*rows, ("in", "f.py, 3")]:
        assert f"    {name:20}  {told}\n" in text
    assert "**`a`**" not in text
    assert "The code of this part printed:\n\n    mine\n    yours\n" in text


LIKENESS = Diagnosis(["forgets_the_mean"], "the division by K* is missing", "How many are there?")


def test_the_mistake_that_a_part_looks_like_is_told_before_its_failures() -> None:
    text = feedback(record(part(value("a", "wrong", Failure("differs")), diagnosis=LIKENESS)))
    told = "**It equals what you get when the division by K\\* is missing.**"
    assert f"## `vae.log_mean_exp`\n\n{told}\n\n**`a`** (1.5 points)" in text
    assert "How many are there?" not in text  # that is a hint, and asked for


def test_of_a_part_whose_mistake_has_no_name_none_is_told() -> None:
    assert "equals what you get" not in feedback(record(part(value("a", "wrong", Failure("differs")))))


def test_what_arithmetic_says_of_an_answer_is_told_with_it() -> None:
    failure = Failure("differs", answer="2.0", expected="1.0", remark="twice what was expected")
    assert "  twice what was expected\n" in feedback(record(part(value("a", "wrong", failure))))


def test_properties_of_which_the_same_is_told_stand_together() -> None:
    failure = Failure("the file cannot be imported")
    text = feedback(record(part(*(value(name, "wrong", failure) for name in "abc"))))
    assert text.count("the file cannot be imported") == 1
    assert [line[:7] for line in text.splitlines() if line.startswith("**`")] == ["**`a`**"]
    assert "\n\nFor the same reason: `b` (1.5 points), `c` (1.5 points).\n\n" in text


def raised(x: str, where: str) -> Failure:
    return Failure("raised ValueError", inputs={"x": x}, where=where)


def test_the_same_error_at_the_same_place_is_told_once_whatever_was_tried() -> None:
    places = {"a": "f.py, line 3", "b": "f.py, line 4", "c": "f.py, line 3"}
    text = feedback(record(part(*(value(name, "wrong", raised(name, where)) for name, where in places.items()))))
    first, _, second = text.partition("**`b`**")
    assert "**`a`**" in first
    assert "For the same reason: `c` (1.5 points)." in first
    assert first.count("raised ValueError") == second.count("raised ValueError") == 1
    assert "    with x                a\n" in first
    assert "    with x                b\n" in second
    assert "same reason" not in second
    assert "with x                c" not in text


def test_answers_that_differ_in_another_way_are_told_each() -> None:
    failures = {"a": Failure("differs", answer="1.0"), "b": Failure("differs", answer="2.0")}
    text = feedback(record(part(*(value(name, "wrong", failure) for name, failure in failures.items()))))
    assert "same reason" not in text
    for told in ("**`a`**", "**`b`**", "answer                1.0", "answer                2.0"):
        assert text.count(told) == 1


def test_what_is_still_to_be_written_is_told_in_one_line() -> None:
    unwritten = part(*(value(name, "todo", Failure(TO_DO)) for name in "ab"), outcome="todo")
    begun = part(value("c", "wrong", Failure("differs")), value("d", "todo", Failure(TO_DO)))
    others = [msgspec.structs.replace(unwritten, part=f"vae.{name}") for name in ("elbo", "other")]
    text = feedback(record(others[0], begun, others[1]))
    assert "\n\nStill to be written: `vae.elbo`, `vae.other`.\n" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## `vae.log_mean_exp`"]
    assert "**`a`**" not in text
    assert "**`d`**" in text  # a part that is begun is told of in full


def test_what_waits_for_another_part_says_so() -> None:
    failure = Failure("waits for vae.elbo, which is still to be written")
    text = feedback(record(part(value("a", "todo", failure), outcome="todo")))
    assert "Still to be written:" not in text
    assert "waits for vae.elbo, which is still to be written" in text


@pytest.mark.parametrize(("names", "told"), [("b", "1 property, 1.5 points"), ("bc", "2 properties, 3 points")])
def test_what_holds_with_right_helpers_alone_is_said(names: str, told: str) -> None:
    helped = [value(name, failure=Failure("differs"), helpers="reference") for name in names]
    text = feedback(record(part(value("a"), *helped)))
    assert "\n\n## Judged with right helpers\n\n" in text
    assert "call others that are not right" in text
    assert text.endswith(f"\n\n- `vae.log_mean_exp`: {told}\n")
    assert "differs" not in text


def test_where_nothing_needed_right_helpers_they_are_not_spoken_of() -> None:
    assert "helpers" not in feedback(record(part(value("a"), value("b", "wrong", Failure("differs")))))


def test_a_refused_submission_is_told_why() -> None:
    text = feedback(Record("somebody", "refused", CIRCUMSTANCES, reason="this is a PDF; pack a zip."))
    assert text.splitlines() == ["# `somebody`", "", "**Nothing could be graded:** this is a PDF; pack a zip."]


def test_runs_are_told_with_claims_and_reasons() -> None:
    reached = claim("vae.elbo", "reached")
    text = feedback(record(runs=[RunRecord("runs/a", [reached]), RunRecord("runs/b", reason="no run")], notes=["odd"]))
    assert "| `vae.elbo` | -1.5000 | -1.2500 | at least -2.0 | reached | 15 | 15 |" in text
    assert "0 points is practice" not in text
    assert "## `runs/b`\n\nNot measured: no run\n" in text
    assert text.endswith("## Notes\n\n- odd\n")


def test_a_claim_that_counts_nothing_is_called_practice() -> None:
    practice = claim("vae.elbo", "reached", points=0.0)
    text = feedback(record(runs=[RunRecord("runs/a", [practice, claim("vae.log_likelihood", "reached")])]))
    assert "| reached | 0 | 0 |" in text
    assert text.count("What counts 0 points is practice") == 1


def claim(name: str, outcome: Any, **others: Any) -> Claim:
    made = Claim(name, "sentence", "nats", "1.1", outcome, 15.0, "digits", "at least", -1.5, -1.25, 0.1, -2.0)
    return msgspec.structs.replace(made, **others)


# The instructor's own


def test_of_a_property_of_the_instructors_the_outcome_alone_is_told() -> None:
    failure = Failure(
        "SECRET message",
        inputs={"SECRET": "SECRET"},
        called="SECRET",
        answer="SECRET",
        expected="SECRET",
        difference="SECRET",
        ratio="SECRET",
        where="SECRET",
        traceback="SECRET",
    )
    secret = value("the_secret_property", "wrong", failure, instructor_only=True)
    text = feedback(record(part(value("a"), secret)))
    assert "A property of the instructor's does not hold (1.5 points)." in text
    assert "SECRET" not in text
    assert "secret_property" not in text  # neither its name nor its sentence


def test_a_property_of_the_instructors_is_not_named_where_it_holds_with_right_helpers() -> None:
    secret = value("the_secret_property", failure=Failure("x"), instructor_only=True, helpers="reference")
    assert "secret_property" not in feedback(record(part(value("a"), secret)))


def test_a_property_of_the_instructors_is_not_named_beside_others_that_failed_for_the_same_reason() -> None:
    failures = [raised("SECRET", "f.py, line 3"), raised("a", "f.py, line 3"), raised("b", "f.py, line 3")]
    secret = value("the_secret_property", "wrong", failures[0], instructor_only=True)
    text = feedback(record(part(secret, value("a", "wrong", failures[1]), value("b", "wrong", failures[2]))))
    assert "A property of the instructor's does not hold (1.5 points)." in text
    assert "For the same reason: `b` (1.5 points).\n" in text
    assert "SECRET" not in text
    assert "secret_property" not in text


def test_a_mistake_that_only_the_instructors_properties_find_is_not_named() -> None:
    secret = value("secret", "wrong", Failure("x"), instructor_only=True)
    open_ones = value("a", "wrong", Failure("x")), value("b", "todo", Failure("waits")), value("c")
    told = [feedback(record(part(secret, other, diagnosis=LIKENESS))) for other in open_ones]
    assert ["equals what you get" in text for text in told] == [True, False, False]


def test_a_traceback_is_not_told() -> None:
    failure = Failure("raised ValueError", traceback="/srv/instructor/kit/worker.py, line 3")
    assert "instructor" not in feedback(record(part(value("a", "wrong", failure))))


# Nothing is more than text


def printed_by(said: str) -> Record:
    """A record of a part whose code printed this."""
    return record(part(value("a", "wrong", Failure("x")), printed=said))


def named_by(said: str) -> Record:
    """A record whose runs are called so, say so, and have notes of that."""
    hostile = claim("vae.elbo", "refused", message=said, reported=said, measured=said, threshold=said)
    runs = [RunRecord(f"runs/{said}", [hostile]), RunRecord(f"runs/{said}", reason=said)]
    answer = AnswerRecord("3.2", said, "sentence", "wrong", 0.0, 1.0, said, said, said)
    question = QuestionRecord("3.2", "title", 1.0, said, points=0.5, comment=f"x {said[:1000]}".replace("\n", " "))
    return record(runs=runs, notes=[said], submission=said, answers=[answer], questions=[question])


def refused_for(said: str) -> Record:
    """A record of a submission that could not be graded for this reason."""
    return record(outcome="refused", reason=said, notes=[said], submission=said)


def failed_with(said: str) -> Record:
    """A record of failures that say nothing but this."""
    failure = Failure(said, inputs={"x": said}, called=said, answer=said, expected=said, where=said, traceback=said)
    return record(part(value("a", "wrong", failure), value("b", "todo", Failure(said))))


def assert_only_text(made: Callable[[str], Record], said: str) -> None:
    text = feedback(made(said))
    assert not controls(text)
    assert structure(text) == structure(feedback(made("word")))
    assert len(text) < 150_000


@pytest.mark.parametrize("number", range(len(HOSTILE)))
@pytest.mark.parametrize("made", [named_by, refused_for])
def test_what_others_say_is_only_text(made: Callable[[str], Record], number: int) -> None:
    assert_only_text(made, HOSTILE[number])


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", "a\n\n# 100 of 100", "![x](http://x.png)", "**b** `c`"])
@pytest.mark.parametrize("made", [failed_with, printed_by])
def test_what_a_students_code_says_is_only_text(made: Callable[[str], Record], said: str) -> None:
    assert_only_text(made, said)


def test_what_a_failure_says_has_no_more_lines_than_a_block_and_no_controls() -> None:
    for said in HOSTILE:
        text = feedback(failed_with(said))
        assert not controls(text)
        assert len(text.splitlines()) < 3 * LINES


@pytest.mark.parametrize("said", ["- x", "+ x", "1. x"])
@pytest.mark.parametrize("made", [named_by, refused_for])
def test_what_begins_like_a_list_is_only_text(made: Callable[[str], Record], said: str) -> None:
    assert_only_text(made, said)


def test_the_signs_of_a_line_are_kept_as_text() -> None:
    assert inline("a_b*c") == "a\\_b\\*c"
    assert inline("a  b\n\tc") == "a b c"
    assert inline(r"a\b") == r"a\\b"
    assert inline("x" * LINE) == "x" * LINE
    assert inline("x" * 10_000) == "x" * LINE + " …"


NAMES = [
    "`",
    "``",
    "`a`",
    "a`b``c",
    "```\nout\n```",
    "a | b",
    "|",
    "\\`",
    "a\\",
    "`|`",
    "`<b>x</b>`",
    "**a** _b_",
    "[a](b)",
]
NAMES += ["![a](http://x.png)", "a\n\n# b", "- a", "&lt;", "http://evil.example", " ", "", "\x1b[31m`", "x" * 10_000]


@pytest.mark.parametrize("said", NAMES, ids=range(len(NAMES)))
def test_nothing_ends_a_name_that_is_told_as_code(said: str) -> None:
    reader = MarkdownIt("gfm-like", {"linkify": False})
    (cell,) = [
        token.children
        for token in reader.parse(f"| a | b |\n| --- | --- |\n| {code(said)} | {code('y')} |\n")
        if token.type == "inline" and "`" in token.content and not token.content.endswith("`y`")
    ]
    assert cell is not None
    assert [token.type for token in cell] == ["code_inline"]
    for begin, end in (("# ", ""), ("", ""), ("- ", ": text"), ("**", "**")):
        found = structure(f"{begin}{code(said)}{end}")
        assert found == structure(f"{begin}`word`{end}")
        assert found.count("code_inline code") == 1
    assert len(code(said)) <= LINE + 4
    words = said.replace("`", "'").replace("|", "/").replace("\x1b", "\N{REPLACEMENT CHARACTER}").split()
    assert cell[0].content.removesuffix(" …") == (" ".join(words)[:LINE] or "?")


@pytest.mark.parametrize("said", ["a`b", "``", "a | b", "|`|", "\\`\\|"])
@pytest.mark.parametrize("made", [named_by, refused_for])
def test_backticks_and_bars_are_only_text_wherever_they_are_told(made: Callable[[str], Record], said: str) -> None:
    assert_only_text(made, said)


def test_a_block_has_so_many_lines_and_says_how_many_more() -> None:
    lines = block("\n".join(map(str, range(LINES + 3)))).splitlines()
    assert lines[0] == "    0"
    assert lines[-1] == "    ... 3 lines more"
    assert len(lines) == LINES + 1
    assert block("x" * LINE) == "    " + "x" * LINE
    assert block("x" * 10_000) == "    " + "x" * LINE + " …"


@pytest.mark.parametrize("ending", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_nothing_ends_a_block(ending: str) -> None:
    told = block(f"first{ending}# second")
    assert all(line.startswith("    ") for line in told.splitlines())
    assert "    first" in told


def test_a_block_of_nothing_but_empty_lines_ends_in_its_section() -> None:
    text = feedback(record(part(value("a", "wrong", Failure("x")), printed="\n\n\n")))
    assert "The code of this part printed:" in text
