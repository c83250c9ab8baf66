"""The report: the template that is handed out, and the sections of whatever comes back."""

import pytest

from grading import rubric, written
from grading.engine.implementation import ROOT
from grading.notes import MOST, OF_SECTION
from grading.written.sections import LONGEST

RUBRIC = rubric.load()
TEMPLATE = written.template(RUBRIC)
REPORT = ROOT / "exercises" / "report.md"


def section(text: str, name: str = "3.2") -> written.Section:
    return written.sections(text, RUBRIC)[name]


# What is handed out


def test_the_report_that_is_handed_out_is_made_from_the_rubric() -> None:
    assert REPORT.read_text(encoding="utf-8") == TEMPLATE


def test_it_asks_every_question_and_names_its_figures_and_answers() -> None:
    plain = " ".join(TEMPLATE.replace("\n> ", " ").split())
    for name, question in RUBRIC.questions.items():
        assert f"\n## {name} {question.title}\n" in TEMPLATE
        assert " ".join(question.asks.split()) in plain
        assert all(f"<!-- figure: {figure} -->" in TEMPLATE for figure in question.figures)
        text = written.section_text(name, RUBRIC)
        assert text in TEMPLATE
        assert "\n\nWrite here.\n" in text
        for key, answer in question.answers.items():
            assert f'\n{key} = ""  # {answer.sentence}\n' in text
        assert not any(criterion.text in TEMPLATE for criterion in question.criteria)
    assert "converges, cycles, limit cycle, diverges" in TEMPLATE


def test_as_handed_out_it_holds_nothing() -> None:
    for text in (TEMPLATE, TEMPLATE.replace("\n", "\r\n")):
        assert written.sections(text, RUBRIC) == dict.fromkeys(RUBRIC.questions, written.Section())


def test_it_is_known_as_handed_out_until_somebody_writes_in_it() -> None:
    assert written.is_template(TEMPLATE)
    assert written.is_template(TEMPLATE.replace("\n", "\r\n"))
    assert not written.is_template(TEMPLATE.replace("Name:", "Name: Anna"))
    assert not written.is_template(TEMPLATE.replace("Name:", "Name: An\ud800na"))
    assert not written.is_template(TEMPLATE + "more")
    assert not written.is_template(TEMPLATE[:-30])
    assert not written.is_template("")


# Sections

HEADINGS = [
    "## 3.2 The log-determinant and its cost",
    "# 3.2",
    "###### 3.2. Determinant",
    "## Question 3.2: the determinant",
    "## Aufgabe 3.2: die Determinante",
    "### Übung 3.2",
    "## 问题3.2",
    "Frage 3.2:",
    "### question 3.2",
    "## **3.2 The determinant**",
    "**3.2 The determinant**",
    "**Question 3.2:**",
    "__3.2__",
    "Question 3.2:",
    "Problem 3.2: The determinant",
    "## (3.2) The determinant",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_section_is_found_by_the_number_in_its_heading(heading: str) -> None:
    found = written.sections(f"# Report\n\nName: A\n\n{heading}\n\nMine.\n\n## 3.3 Next\n\nOther.\n", RUBRIC)
    assert {name: each.words for name, each in found.items()} == {"3.2": "Mine.", "3.3": "Other."}


@pytest.mark.parametrize(
    "line",
    [
        "## 3.2.1 A part of it",
        "## 13.2",
        "## 3.25 nats",
        "## 2 layers",
        "3.3 nats are little.",
        "**3.3** nats are little.",
        "Question 3.3 asks for another thing.",
        "    ## 3.3 code",
        "```\n## 3.3 a comment\n```",
        "~~~~python\n# 3.3 a comment\n```\n# 3.3\n~~~~",
        "> ## 3.3",
    ],
)
def test_what_only_looks_like_a_heading_stays_with_the_words(line: str) -> None:
    found = written.sections(f"## 3.2\n\nFirst.\n\n{line}\n\nLast.\n", RUBRIC)
    assert {name: each.words for name, each in found.items()} == {"3.2": f"First.\n\n{line}\n\nLast."}


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_of_every_system(end: str) -> None:
    text = TEMPLATE.replace("Write here.", "Mine.").replace('cost = ""', 'cost = "O(d)"').replace("\n", end)
    found = written.sections(text, RUBRIC)
    assert {each.words for each in found.values()} == {"Mine."}
    assert found["3.2"].answers == {"log_det_cost": "O(d)"}


def test_words_are_the_students_alone() -> None:
    asks = " ".join(RUBRIC.questions["3.2"].asks.split())
    text = (
        f"## 3.2 x\n> {asks[:30]}\n> {asks[30:]}\n\n<!-- figure:\na -->\nwrite here\n\nMine <!-- not --> too.\n\n"
        "> A quote of theirs.\n\n```python\nx = 1\n```\nWrite here.\n\n"
        '```toml\nlog_det_cost = ""\n```\n\n```toml\nother = 1\n```\n# Problem 4\n\n'
    )
    words = section(text).words
    assert words.startswith("write here\n\nMine  too.") or words.startswith("Mine  too.")
    assert "> A quote of theirs." in words
    assert "x = 1" in words
    assert "other = 1" in words
    assert not any(each in words for each in ("figure", "log_det", "Write here", "Problem 4", asks[:20]))


def test_sections_of_one_number_are_joined() -> None:
    text = '## 3.2\nFirst.\n```toml\nlog_det_cost = "O(1)"\n```\n## 3.3\n## 3.2 again\nSecond.\n'
    assert section(text) == written.Section("First.\n\nSecond.", {"log_det_cost": "O(1)"})


def test_words_are_bounded_and_that_is_told() -> None:
    found = section("## 3.2\n" + "a" * (LONGEST + 5))
    assert len(found.words) == LONGEST
    assert "20,000 of 20,005" in found.notes[0]


def test_a_comment_or_block_that_is_not_closed_costs_no_other_section() -> None:
    text = '## 3.2\nMine. <!-- open\n```toml\nlog_det_cost = "O(d)"\n## 3.3\n```python\nopen\n\n## 3.4\nHere.\n'
    found = written.sections(text, RUBRIC)
    assert found["3.2"].answers == {"log_det_cost": "O(d)"}
    assert "Mine. <!-- open" in found["3.2"].words
    assert found["3.4"].words == "Here."


# The answers in a section

GAMES = "## 2.1 x\n```toml\n{}\n```\n"


def test_a_line_that_is_no_toml_is_told_and_costs_no_other() -> None:
    found = section(
        GAMES.format(
            'dirac-jsd-1 = "cycles"\ndirac-jsd-2 = converges  # yes\ndirac-jsd-3 limit cycle\n'
            "dirac-jsd-4 = “limit cycle”\ndirac_JSD_5 = 'cycles'\nnone = 3\ndirac-w1-1 = true\ndirac-w1-2 = ''"
        ),
        "2.1",
    )
    assert found.answers == {
        "dirac-jsd-1": "cycles",
        "dirac-jsd-2": "converges",
        "dirac-jsd-4": "limit cycle",
        "dirac-jsd-5": "cycles",
    }
    told = "\n".join(found.notes)
    assert "line 4 is no TOML" in told
    assert "it was read as converges" in told
    assert "line 5 is no TOML" in told
    assert "none is none of its answers" in told
    assert "dirac-w1-1 is no word and no number" in told


@pytest.mark.parametrize(
    ("value", "expected"),
    [("-101.24", -101.24), ("-101", -101.0), ('"-101,24"', "-101,24"), ("-101,24", "-101,24"), ("1e400", float("inf"))],
)
def test_a_number_may_be_written_as_one(value: str, expected: float | str) -> None:
    assert section(f"## 1.1\n```toml\nelbo = {value}\n```", "1.1").answers == {"elbo": expected}


@pytest.mark.parametrize("value", ["0x" + "F" * 9_000, "0b" + "1" * 9_000, "1" + "0" * 400])
def test_a_number_that_is_beyond_all_numbers_costs_its_own_answer_alone(value: str) -> None:
    found = section(f'## 2.1\n```toml\ndirac-jsd-1 = {value}\ndirac-jsd-2 = "cycles"\n```', "2.1")
    assert found.answers == {"dirac-jsd-2": "cycles"}
    assert found.notes == ("dirac-jsd-1 is a number too large to be read",)


@pytest.mark.parametrize("value", ["[1]", "{a = 1}", "2020-01-01", "true", '""', "", "[" * 5000, "1" + "0" * 5000])
def test_what_is_no_answer_is_none(value: str) -> None:
    found = section(f"## 1.1\n```toml\nelbo = {value}\n```", "1.1")
    assert all(isinstance(each, str) and len(each) <= 100 for each in found.answers.values())
    assert len(found.notes) <= 5
    assert all(len(note) < 400 for note in found.notes)


def test_answers_whose_fences_were_lost_are_read_and_code_does_not_replace_those_with_fences() -> None:
    assert section("## 3.2\nMine.\nlog_det_cost = `O(d)`\n").answers == {"log_det_cost": "`O(d)`"}
    both = '## 3.2\n```toml\nlog_det_cost = "O(d)"\n```\n```python\nlog_det_cost = f(d)\n```\n'
    assert section(both).answers == {"log_det_cost": "O(d)"}
    assert "f(d)" in section(both).words


def test_signs_that_a_terminal_would_obey_are_none_in_an_answer() -> None:
    assert section('## 3.2\n```toml\nlog_det_cost = "\\u001b[31mO(d)"\n```').answers == {"log_det_cost": "?[31mO(d)"}


HOSTILE = {
    "headings": "## 3.2\n" * 60_000,
    "comments": "<!--" * 120_000,
    "comments of a section": "## 3.2\n" + "<!-- " * 90_000,
    "fences": "```a\n" * 90_000,
    "fences that get shorter": "\n".join("`" * length for length in range(900, 2, -1)),
    "both fences": "```\n~~~ x\n" * 40_000,
    "unclosed": "```toml\nx\n" * 40_000,
    "quotes": "## 3.2\n" + ">" * 450_000,
    "quoted lines": "## 3.2\n" + "> x\n" * 100_000,
    "one line": "#" * 6 + " " * 450_000 + "3.2",
    "bold": "**3.2" + "*" * 450_000,
    "pictures": "## 3.2\n" + "![](" * 100_000,
    "brackets": "## 3.2\n" + "![" * 200_000,
    "images": "## 3.2\n" + "<img src" * 50_000,
    "sections with answers": "## 2.1\n```toml\ndirac-jsd-1 = [\n```\n" * 12_000,
    "answers": "## 2.1\n```toml\n" + 'dirac-jsd-1 = "x"\n' * 500 + "```\n",
    "dots": "## 3.2\n```toml\n" + "a." * 4_000 + "a = 1\nlog_det_cost = 1\n```\n",
    "equals": "## 3.2\n" + "=" * 450_000,
    "nothing": "",
    "zeros": "\0" * 1000 + "## 3.2\n\0",
    "surrogates": "## 3.2 \ud800\n\udfff\n",
}


ODD = "## 3.2\n" + "```toml\nlog_det_cost=\n=\n=\n```\n" * 1_000


@pytest.mark.parametrize("text", [ODD, ODD.replace("```\n", "```\n## 3.2\n")], ids=["blocks", "sections"])
def test_of_many_notes_the_first_are_kept_and_the_others_counted(text: str) -> None:
    notes = section(text).notes
    assert len(notes) == OF_SECTION + 1
    assert "is no TOML" in notes[0]
    assert notes[-1] == f"and {2_000 - OF_SECTION:,} more"


def test_a_report_has_no_more_notes_than_a_person_reads() -> None:
    keys = {name: next(iter(question.answers), "") for name, question in RUBRIC.questions.items()}
    text = "".join(ODD.replace("3.2", name).replace("log_det_cost", key) for name, key in keys.items())
    made = written.grade_report(text, (), [], RUBRIC, measured=False)
    assert OF_SECTION < len(made.notes) <= MOST + 1
    assert made.notes[-1].startswith("and ")
    assert sum(map(len, made.notes)) + sum(len(each.message) for each in made.answers) < 50_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_anybody_writes_raises_or_takes_the_square_of_its_length(text: str) -> None:
    found = written.sections(text, RUBRIC)
    written.question_records(found, (), RUBRIC)
    written.answer_records(found, [], RUBRIC)
    assert all(len(each.words) <= LONGEST and len(each.notes) <= 6 for each in found.values())
