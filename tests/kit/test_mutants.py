"""Machine-made wrong answers: what operators make, who judges it, and that the kept results are explained."""

import difflib

import pytest

pytest.importorskip("cosmic_ray", reason="needs pip install cosmic-ray")

from cosmic_ray.mutating import mutate_code

from grading.engine.implementation import ROOT, Implementation
from tests.bench.mutants import __main__ as command
from tests.bench.mutants import expressions, operators, telling
from tests.bench.mutants.judging import Fate, judged
from tests.bench.mutants.making import Mutant, answer, judged_parts, mutants, part_named, write
from tests.bench.mutants.telling import Equivalent, Score, Survivor, equivalents, kept, markdown, scores, unexplained

SMALL = part_named("vae.log_mean_exp")
CHANGE = Mutant(SMALL.name, "return 1", "return 2")


def made(operator, code):
    """All texts that an operator makes of a line."""
    found = (mutate_code(code + "\n", operator, n) for n in range(20))
    return [text.strip() for text in found if text]


@pytest.mark.parametrize(
    ("operator", "code", "expected"),
    [
        (expressions.CallLeftOut(), "torch.exp(x).sum(1)", ["(x).sum(1)", "torch.exp(x)"]),
        (expressions.CallLeftOut(), "loss(game)", ["(game)"]),
        (expressions.ArgumentLeftOut(), "f(x, dim=1)", ["f(dim=1)", "f(x)"]),
        (expressions.ArgumentsExchanged(), "f(a, b, c, dim=1)", ["f(b, a, c, dim=1)", "f(a, c, b, dim=1)"]),
        (expressions.SidesExchanged(), "a - b", ["b - a"]),
        (expressions.SidesExchanged(), "a @ b * c", ["b @ a * c"]),
        (expressions.SidesExchanged(), "a + b", []),
        (expressions.TermLeftOut(), "a - b + c", ["- b + c", "a + c", "a - b"]),
        (expressions.EpsilonAdded(), "a / b", ["a / (b + 1e-08)"]),
        (expressions.EpsilonAdded(), "a.sum().log()", ["(a.sum() + 1e-08).log()"]),
        (expressions.EpsilonAdded(), "torch.sqrt(a)", ["torch.sqrt((a) + 1e-08)"]),
        (expressions.EpsilonAdded(), "math.log(2) / len(a)", []),
        (operators.NameConfused(), "x.mean()", ["x.sum()"]),
        (operators.VariableConfused(["u", "w"]), "u = w", ["u = u", "u = w.float()", "u = w.detach()"]),
        (operators.VariableConfused(["u", "w"]), "f(len(u), w=1).u", ["f(len(w), w=1).u"]),
        (
            operators.VariableConfused(["u"]),
            "with torch.no_grad():\n    f(u)",
            ["with torch.no_grad():\n    f(u.float())"],
        ),
        (operators.StatementLeftOut(), "loss.backward()", ["pass"]),
        (operators.StatementLeftOut(), "return loss", []),
        (operators.ContextLeftOut(), "with torch.no_grad():\n    f(u)", ["if True:\n    f(u)"]),
    ],
)
def test_an_operator_makes_what_it_says(operator, code, expected):
    assert made(operator, code) == expected


def test_a_mutant_is_another_answer_than_the_reference_and_than_all_others():
    found = mutants(SMALL)
    bodies = [mutant.body for mutant in found]
    assert len(found) > 15
    assert len({*bodies, answer(SMALL)}) == len(found) + 1
    assert len({mutant.change for mutant in found}) == len(found)
    assert ("return torch.logsumexp(y, dim=0) - math.log(y.shape[1])") in {mutant.now for mutant in found}


def test_a_mutant_is_written_with_one_answer_changed_and_all_else_as_it_is(tmp_path):
    (mutant,) = (m for m in mutants(SMALL) if m.now == "return torch.logsumexp(y, dim=1) + math.log(y.shape[1])")
    write(mutant, tmp_path)
    changed = []
    for file in (ROOT / "solutions").glob("*/*.py"):
        before, after = (place.read_text().splitlines() for place in (file, tmp_path / file.parent.name / file.name))
        changed += [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:2] in ("+ ", "- ")]
    assert [line.split() for line in changed] == [["-", *mutant.was.split()], ["+", *mutant.now.split()]]
    assert callable(Implementation(tmp_path).function(SMALL.name, SMALL.file))


def test_the_properties_of_a_small_part_reject_all_mutants_but_those_that_are_listed():
    assert unexplained(scores(map(judged, mutants(SMALL))), equivalents()) == []


def test_the_reference_survives_as_its_own_mutant():
    assert judged(Mutant(SMALL.name, "", "", answer(SMALL))) == Fate(
        Mutant(SMALL.name, "", "", answer(SMALL)), "survived"
    )


@pytest.mark.parametrize(("body", "how"), [("return y.sum(1)", "wrong"), ("raise ValueError", "raised")])
def test_it_is_told_how_a_mutant_was_killed(body, how):
    fate = judged(Mutant(SMALL.name, "", body, body))
    assert fate.how == how
    assert fate.by in {value.name for value in SMALL.properties}


def test_scores_add_up_by_part():
    one, other = CHANGE, Mutant(SMALL.name, "return 1", "return 3")
    found = scores(
        [Fate(one, "raised", "a"), Fate(other, "survived"), Fate(other, "wrong", "b"), Fate(one, "silent", "a")]
    )
    (score,) = found.values()
    assert (score.mutants, score.killed, score.raised, score.by) == (4, 3, 1, {"a": 2, "b": 1})
    assert (score.silent, score.survivors) == ([Survivor("return 1", "return 2")], [Survivor("return 1", "return 3")])


def test_a_survivor_without_a_reason_is_told_and_so_is_a_reason_without_a_survivor():
    found = scores([Fate(CHANGE, "survived")])
    known = Equivalent(SMALL.name, "return 1", ["return 2"], "it is so")
    assert unexplained(found, [known]) == []
    assert unexplained(found, []) == ["vae.log_mean_exp: no property rejects return 1  =>  return 2"]
    assert unexplained(scores([Fate(CHANGE, "wrong", "a")]), [known]) == [
        "vae.log_mean_exp: equivalent.toml has what did not survive: return 1  =>  return 2"
    ]


def test_entries_of_parts_that_were_not_judged_are_left_alone():
    assert unexplained(scores([Fate(CHANGE, "wrong", "a")]), [Equivalent("gan.w1", "a", ["b"], "it is so")]) == []


def test_a_study_of_some_parts_keeps_the_results_of_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(telling, "RESULTS", tmp_path / "mutants.json")
    monkeypatch.setattr(command, "judge_all", lambda made: [Fate(mutant, "survived") for mutant in made])
    other = Score("", 1, 1, 0, {"a": 1}, [], [])
    telling.save({"gan.w1": other})
    assert command.study([SMALL.name], whole=False)  # survivors that nobody explains: status 1
    assert kept()["gan.w1"] == other
    assert kept()[SMALL.name].killed == 0
    assert f"{len(mutants(SMALL))} mutants of 1 part, " in capsys.readouterr().out


def test_an_unknown_part_ends_with_a_message_and_status_2(python):
    done = python("-m", "tests.bench.mutants", "vae.log_mean")
    assert done.returncode == 2
    assert "usage: python -m tests.bench.mutants " in done.stderr
    assert "no part is called vae.log_mean; expected vae.elbo, " in done.stderr


# What is kept


def test_the_kept_results_are_of_all_parts_and_of_the_reference_as_it_is():
    found = kept()
    assert list(found) == [part.name for part in judged_parts()]
    for part in judged_parts():
        told = f"{part.name} has another answer now: python -m tests.bench.mutants {part.name}"
        assert telling.digest(part.name) == found[part.name].answer, told


def test_every_survivor_that_was_kept_has_its_reason():
    assert unexplained(kept(), equivalents()) == []
    assert all(entry.reason for entry in equivalents())


def test_no_mutant_was_killed_by_a_machine_that_was_too_slow():
    assert {part: score.silent for part, score in kept().items() if score.silent} == {}


def test_the_readme_of_the_bank_has_the_tables_of_the_kept_results():
    assert markdown(kept(), equivalents()) in (ROOT / "grading" / "bank" / "README.md").read_text(encoding="utf-8")
