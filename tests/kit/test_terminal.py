"""What a terminal shows of a wrong part: the mistake that it looks like comes first, then the facts in their order."""

import io

from rich.console import Console

from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.judge import PartVerdict, Verdict
from grading.terminal import facts, show_claims, show_part
from grading.wording import Failure

FAILURE = Failure(
    "the answer differs", called="f(1)", answer="2", expected="1", difference="1", ratio="2", remark="2 is K"
)
SENTENCE = "the samples x[0] are summed and " + "then summed again and " * 5 + "nothing is divided by K"


def shown(diagnosis: Diagnosis | None, width: int = 80, first: str = "", **options: bool) -> str:
    """Return what is shown of a part with one wrong property."""
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)
    wrong = Verdict("adds", "value", "It adds.", "wrong", 1, 0.0, FAILURE)
    show_part(console, PartVerdict("vae.elbo", [wrong], "printed\n", diagnosis), "vae/bounds.py", first=first)
    return console.file.getvalue()


def test_the_mistake_stands_between_the_parts_line_and_its_failures_whole_and_indented():
    head, *others = shown(Diagnosis(["sums"], SENTENCE, "Think of K.")).splitlines()
    lines = others[: next(n for n, line in enumerate(others) if "✗ adds" in line)]
    assert head.startswith("✗ wrong vae.elbo")
    assert lines[0].startswith("  → it equals what you get when the samples x[0] are summed")
    assert len(lines) == 3
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == f"→ it equals what you get when {SENTENCE}"


def test_the_mistake_has_a_style_of_its_own():
    (line,) = [line for line in shown(Diagnosis(["sums"], "K"), force_terminal=True).splitlines() if "equals" in line]
    assert "\x1b[1;35m" in line


def test_what_is_to_be_mended_first_stands_where_the_mistake_would():
    line = shown(None, first="calls vae.f[0], which is wrong: mend that first").splitlines()[1]
    assert line == "  → it calls vae.f[0], which is wrong: mend that first"


def test_where_to_think_again_is_kept_for_a_hint():
    assert "Think of K" not in shown(Diagnosis(["sums"], SENTENCE, "Think of K."))


def test_a_part_whose_mistake_has_no_name_is_told_as_before():
    assert "→" not in shown(None)


def test_what_arithmetic_says_stands_right_after_the_ratio():
    names = [name for name, _ in facts(FAILURE)]
    assert names == ["wrong", "called", "answer", "expected", "difference", "ratio", "note"]
    assert dict(facts(FAILURE))["note"] == "2 is K"


def claims_shown(*claims: Claim) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    show_claims(console, "run", claims)
    return console.file.getvalue().rstrip()


def wrong(name: str) -> Claim:
    told = "reported 1.986, measured 7.635 ± 0.010: the two do not agree"
    return Claim(name, "", "nats", "3.4", "wrong", 1.0, "digits", "at most", 1.986, 7.635, 0.01, 3.0, told)


def test_claims_that_do_not_agree_are_told_in_one_line_below_the_table_that_has_the_figures() -> None:
    text = claims_shown(*(wrong(f"flows.{k}") for k in range(13)))
    assert text.count("do not agree") == 1
    assert text.endswith("\n  13 claims: what is reported and what is measured do not agree")
    alone = claims_shown(wrong("flows.2"))
    assert alone.endswith("flows.2: reported 1.986, measured 7.635 ± 0.010: the two do not agree")


def test_what_is_said_of_several_claims_is_said_once() -> None:
    told = {"message": "\x1b[2Jno checkpoint"}
    refused = [Claim(f"flows.{k}", "", "", "3.4", "refused", 1.0, "digits", "at most", **told) for k in "abc"]
    assert claims_shown(*refused).endswith(
        "\n  flows.a, flows.b and flows.c: \N{REPLACEMENT CHARACTER}[2Jno checkpoint"
    )
