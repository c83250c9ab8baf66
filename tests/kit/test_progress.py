"""Progress as a student sees it: sums by topic and in all, a bar on a terminal alone, and what comes next."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace
from rich.console import Console

from grading import rubric, selection
from grading.listing import Listed, rules
from grading.progress import show_listing, show_progress, show_where
from grading.rubric import Policy, load
from grading.selection import select

ROWS = [
    Listed("vae.log_mean_exp", "1", "vae/likelihoods.py", "right", 4.5, 4.5, 10),
    Listed("vae.importance_log_likelihood", "1.2", "vae/bounds.py", "wrong", 1.25, 9, 30),
    Listed("vae.kl_gaussian_gaussian_analytic", "1", "vae/[x]divergences.py", "todo", 0, 107.75, 15),
    Listed("flows.planar", "3.2", "flows/planar.py", "right", 7, 7, 25),
]


def told(show, *arguments, width=80, **options):
    """Return the lines that are shown."""
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)
    show(console, *arguments)
    return console.file.getvalue().splitlines()


def test_each_topic_stands_above_its_parts_with_its_sums():
    lines = told(show_listing, ROWS)
    firsts = [line.split()[0] for line in lines if line.strip()]
    vae, *parts, flows, planar = firsts[1:7]
    assert (vae, flows, planar) == ("vae", "flows", "flows.planar")
    assert parts == [row.part for row in ROWS[:3]]
    (line,) = [line for line in lines if line.startswith("vae ")]
    assert "1 of 3 right" in line
    assert line.rstrip().endswith("5.75 of 121.25")


def test_points_and_parts_and_what_is_not_right_are_told_in_one_line():
    assert told(show_progress, ROWS) == ["12.75 of 128.25 points; 2 of 4 parts right, 1 wrong, 1 todo"]
    assert told(show_progress, ROWS[:1]) == ["4.5 of 4.5 points; 1 of 1 part right"]


def test_the_first_part_that_is_not_right_comes_next():
    assert told(show_listing, ROWS)[-1] == "next: vae.importance_log_likelihood, in vae/bounds.py, 30 min"
    assert told(show_listing, ROWS[:1])[-1] == "4.5 of 4.5 points; 1 of 1 part right"


def test_extra_credit_is_marked_and_counts_beyond_what_is_possible():
    extra = Listed("vae.elbo", "1.1", "vae/bounds.py", "wrong", 2.5, 107.75, 15, extra_credit=True)
    lines = told(show_listing, [*ROWS[:3], extra, ROWS[3]], force_terminal=True, color_system=None)
    (line,) = [line for line in lines if line.startswith("vae.elbo ")]
    assert "2.5 of 107.75 extra" in line
    assert sum("extra" in line for line in lines) == 1
    assert any(line.startswith("vae ") and "8.25 of 121.25" in line for line in lines)
    assert "15.25 of 128.25 points" in " ".join(lines)
    assert max(map(len, lines)) <= 80


DUE = datetime(2026, 12, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("policy", "line"),
    [
        ({}, ""),
        ({"free_days": 2, "per_day": 0.1}, ""),  # nothing is late
        ({"due": DUE}, "due 2026-12-01 23:59 UTC+01:00"),
        ({"due": DUE.astimezone(UTC)}, "due 2026-12-01 22:59 UTC"),
        (
            {"due": DUE, "free_days": 2, "per_day": 0.125, "latest_days": 7},
            "due 2026-12-01 23:59 UTC+01:00; 2 late days are free; 12.5 % off for each further one; "
            "nothing counts after day 7",
        ),
        ({"due": DUE, "free_days": 1}, "due 2026-12-01 23:59 UTC+01:00; 1 late day is free"),
        ({"due": DUE, "per_day": 0.1}, "due 2026-12-01 23:59 UTC+01:00; 10 % off for each late day"),
        ({"due": DUE, "latest_days": 0}, "due 2026-12-01 23:59 UTC+01:00; nothing counts after that"),
        ({"drop_lowest": {"vae": 1, "gan": 2}}, "the lowest 1 of vae and 2 of gan do not count"),
        (
            {"due": DUE, "drop_lowest": {"vae": 1}},
            "due 2026-12-01 23:59 UTC+01:00; the lowest 1 of vae does not count",
        ),
    ],
)
def test_when_it_is_due_and_what_lateness_costs_is_told_in_one_line(policy, line):
    assert rules(Policy(**policy)) == line


def test_the_command_tells_the_rules_of_its_rubric_and_marks_extra_credit(call, monkeypatch):
    whole = load()
    few = {name: whole.parts[name] for name in ("vae.log_mean_exp", "vae.elbo")}
    own = replace(whole, policy=Policy(due=DUE, extra_credit=["vae.elbo"]))
    monkeypatch.setattr(rubric, "load", lambda: own)
    monkeypatch.setattr(selection, "select", lambda names, loaded, known=select: known(list(few), loaded))
    status, said, _ = call("list", "--implementation", "exercises")
    assert status == 0
    *_, rule, _, last = said.splitlines()
    assert (rule, last.split(",")[0]) == ("due 2026-12-01 23:59 UTC+01:00", "next: vae.log_mean_exp")
    assert [line.split()[0] for line in said.splitlines() if "extra" in line] == ["vae.elbo"]


def test_a_file_is_told_as_it_is_called():
    (line,) = told(show_where, "at", ROWS[2])
    assert line == "at vae.kl_gaussian_gaussian_analytic, in vae/[x]divergences.py, 15 min"


@pytest.mark.parametrize(("earned", "signs"), [(0, 0), (2, 5), (4, 10)])
def test_a_topics_bar_is_as_full_as_its_points(earned, signs):
    rows = [Listed("vae.elbo", "1", "vae/bounds.py", "wrong", earned, 4, 15)]
    lines = told(show_listing, rows, force_terminal=True, color_system=None)
    (line,) = [line for line in lines if line.startswith("vae ")]
    assert line.count("━") == signs


def test_on_a_terminal_of_80_columns_every_line_of_the_longest_rows_fits():
    many = [*ROWS, *[Listed("vae.elbo", "1", "vae/bounds.py", state, 0, 6, 5) for state in 12 * ["todo", "wrong"]]]
    lines = told(show_listing, many, force_terminal=True, color_system=None)
    assert max(map(len, lines)) <= 80
    assert sum("points;" in line and "todo" in line for line in lines) == 1  # that line is not broken


def test_where_a_part_stands_in_a_fresh_kit_is_told_in_one_line_of_80_columns():
    for part in select([], load()):
        row = Listed(part.name, "1", f"exercises/{part.topic}/{part.file}", "todo", 0, 4, 15)
        assert len(told(show_where, "next:", row, force_terminal=True, color_system=None)) == 1, part.name


def test_piped_there_is_no_bar_and_nothing_is_broken():
    lines = told(show_listing, ROWS, width=200)
    assert not any(sign in line for line in lines for sign in "━╸╺\x1b")
    (line,) = told(show_where, "next:", ROWS[1], width=20)
    assert line.endswith("30 min")
