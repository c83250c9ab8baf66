"""A made-up class of forty for the tests of pages: strong and weak, late and refused, and one that is hostile."""

import random

from msgspec.structs import replace

from grading import rubric
from grading.claims import Claim
from grading.diagnosis import Diagnosis
from grading.records import (
    AnswerRecord,
    Budget,
    Circumstances,
    PartRecord,
    PropertyRecord,
    QuestionRecord,
    Record,
    RunRecord,
    Settlement,
    points_of_runs,
)
from grading.wording import TO_DO, Failure

RUBRIC = rubric.load()
CIRCUMSTANCES = Circumstances(7, 50, list(RUBRIC.parts), "r", "k", "3.11.9", "2.13.0", "Linux-6.1-x86_64")
LAYERS = list(RUBRIC.grading.isolation)
WORDS = r"""
The Jacobian is $I + u\,\psi(z)^\top$ with $\psi(z) = (1 - \tanh^2(w^\top z + b))\,w$, so by the lemma

$$\left| \det \frac{\partial f}{\partial z} \right| = \left| 1 + u^\top \psi(z) \right| .$$

| $k$ | held-out loss | above the entropy |
| --- | ---: | ---: |
| 2 | 3.21 | 0.61 |
| 32 | 2.64 | 0.04 |

![the learning curve](figures/curve.png)

```python
return torch.log(torch.abs(1 + psi @ u))
```
"""
FIRST = ["Amara", "Bram", "Chiara", "Dmitri", "Elif", "Femke", "Goran", "Hui-Min", "Ines", "Jörg", "Kasia", "Luuk"]
LAST = ["Bakker", "de-Vries", "Okonkwo", "van-den-Heuvel-Schimmelpenninck", "Papadopoulou", "Nguyễn", "Smit", "Ivanova"]
FAILURE = Failure(
    "the answer differs from the expected value",
    inputs={"y": "tensor([[1000., 1000., 1000.]])"},
    called="vae.log_mean_exp(tensor([[1000., 1000., 1000.]]))",
    answer="tensor([inf])",
    expected="tensor([1000.])",
    difference="inf",
)
LOOKS_LIKE = [
    None,
    Diagnosis(["forgets_the_mean"], "the division by K is missing", "How many are there?"),
    Diagnosis(
        ["takes_exp_logvar", "forgets_the_half"], "exp(logvar) is taken for the standard deviation: it is variance"
    ),
]
RAISED = Failure("raised RuntimeError: shape '[3, 4]' is invalid for input of size 13", where="bounds.py, line 31")

HOSTILE_TEXT = '<script>window.hacked=1</script>"\'><img src=x onerror="window.hacked=2">{{ 7*7 }}\x1b[31m\u202e'
HOSTILE_WORDS = rf"""
# 100 of 100 points
{HOSTILE_TEXT}
[a](javascript:window.hacked=3) [b](data:text/html,<script>window.hacked=4</script>) <javascript:window.hacked=5>
![c](javascript:window.hacked=6) ![d](x"onerror="window.hacked=7) ![svg](figures/evil.svg) ![e](http://x.example/a.png)
[ref]: javascript:window.hacked=8
[g][ref] <a href="javascript:window.hacked=9">h</a> <svg onload="window.hacked=10"></svg>
<style>*{{display:none}}</style>
$\href{{javascript:window.hacked=11}}{{x}}$ $\text{{</mtext></math><script>window.hacked=12</script>}}$
$\style{{position:fixed;inset:0}}{{x}}$ $\class{{skip}}{{x}}$ $\hspace{{99999em}}x$ $\newcommand{{\a}}{{\a\a}}\a$
<math><mi href="javascript:window.hacked=13" xlink:href="javascript:window.hacked=14">x</mi></math>

```html" onmouseover="window.hacked=15
</code></pre><script>window.hacked=16</script>
```

| <script>window.hacked=17</script> | {"wide" * 200} |
| --- | --- |
| `{"x" * 3000}` | {"y" * 3000} |
"""


def records(count: int = 40) -> list[Record]:
    """Return the class; the same each time."""
    return [_refused(n) if n % 13 == 12 else _graded(n, random.Random(n)) for n in range(count)]


def name_of(number: int) -> str:
    return f"{LAST[number % 8]}-{FIRST[number % 12]}-{number:02}"


def _refused(number: int) -> Record:
    reason = "this is a PDF, expected stub files, an archive or notebooks; pack it by `elbo pack`"
    return Record(name_of(number), "refused", CIRCUMSTANCES, reason=reason, grader_failed=number == 38)


def _graded(number: int, chance: random.Random) -> Record:
    strength = chance.betavariate(3, 1.5)
    parts = [_part(name, strength, chance) for name in RUBRIC.parts]
    runs = [_run(strength, chance)] if chance.random() < 0.8 else [RunRecord("runs/vae-1", reason="no summary.json")]
    answers, questions = _answers(strength, chance), _questions(number, strength, chance)
    late = int(number % 9 == 4)
    earned = [*parts, *answers, *questions]
    points = sum(one.points or 0.0 for one in earned) + points_of_runs(runs)
    possible = sum(one.possible for one in earned) + sum(claim.points for claim in RUBRIC.claims.values())
    waiting = sum(question.points is None for question in questions)
    penalty = round(0.1 * points, 2) if late else 0.0
    return Record(
        name_of(number),
        "graded",
        CIRCUMSTANCES,
        points=points - penalty,
        possible=possible,
        parts=parts,
        runs=runs,
        answers=answers,
        questions=questions,
        settlement=Settlement(0, 0, waiting, late_days=3 * late, charged_days=late, penalty=penalty),
        student=str(1_000_000 + 7919 * number),
        handed_in_at="2026-12-01T21:04:00+01:00",
        notes=["vae.py was read as vae/likelihoods.py"] if number % 6 == 1 else [],
        look_at=["vae/bounds.py imports os and reads the environment"] if number % 10 == 5 else [],
        isolation=LAYERS[:-1] if number == 3 else LAYERS,
        budget=Budget(120, 120 if number == 7 else round(chance.uniform(8, 30), 2), 5, number == 7),
    )


def _part(name: str, strength: float, chance: random.Random) -> PartRecord:
    worth = RUBRIC.parts[name].points
    todo = chance.random() > strength + 0.35
    values = [_property(key, p, todo, strength, chance, name) for key, p in worth.items()]
    outcomes = {value.outcome for value in values}
    outcome = "todo" if todo else "right" if outcomes == {"right"} else "wrong"
    points = sum(value.points for value in values)
    wrong = [value.outcome for value in values].count("wrong")
    looks_like = LOOKS_LIKE[wrong % len(LOOKS_LIKE)] if wrong else None
    problem = RUBRIC.parts[name].problem
    return PartRecord(name, problem, "f.py", outcome, points, sum(worth.values()), values, diagnosis=looks_like)


def _property(name: str, worth: float, todo: bool, strength: float, chance: random.Random, part: str) -> PropertyRecord:
    right = not todo and chance.random() < 0.6 + 0.4 * strength
    failure = None if right else Failure(TO_DO) if todo else chance.choice([FAILURE, RAISED])
    outcome = "right" if right else "todo" if todo else "wrong"
    secret = name in RUBRIC.parts[part].instructor_only
    sentence = "The answer is that of the definition, for a batch of any size."
    points = worth if right else 0.0
    return PropertyRecord(name, "value", sentence, outcome, points, worth, 50, 0.1, "own", secret, failure)


def _run(strength: float, chance: random.Random) -> RunRecord:
    claims = []
    for name in ("vae.elbo", "vae.log_likelihood"):
        claim, measured = RUBRIC.claims[name], -106 + 6 * strength + chance.gauss(0, 0.5)
        outcome = "reached" if measured > -102 else "missed"
        told = ("binarized-mnist", "at least", round(measured, 2), measured, 0.12, -102.0)
        claims.append(Claim(name, claim.sentence, claim.unit, claim.problem, outcome, claim.points, *told))
    return RunRecord("runs/vae-1", claims, isolation=LAYERS)


def _answers(strength: float, chance: random.Random) -> list[AnswerRecord]:
    told = []
    for question, entry in RUBRIC.questions.items():
        for name, answer in entry.answers.items():
            right = chance.random() < strength
            given, measured = ("O(d)", "O(d)") if answer.cost else (-101.3, -101.27 if right else -104.2)
            outcome, points = ("right", answer.points) if right else ("wrong", 0.0)
            message = "" if right else "it is not what was measured"
            told.append(
                AnswerRecord(question, name, answer.sentence, outcome, points, answer.points, given, measured, message)
            )
    return told


def _questions(number: int, strength: float, chance: random.Random) -> list[QuestionRecord]:
    return [
        QuestionRecord(
            name,
            question.title,
            question.points,
            words=WORDS if chance.random() < 0.5 + strength / 2 else "",
            figures=["figures/curve.png"],
            points=round(question.points * strength, 1) if number % 5 else None,
            comment="Well argued. Why does it flatten?\nSee the handout, section 2." if number % 5 == 1 else "",
        )
        for name, question in RUBRIC.questions.items()
    ]


def hostile() -> Record:
    """Return a record in which everything that a student can have a hand in is an attack."""
    base = _graded(1, random.Random(1))
    attack = Failure(*[HOSTILE_TEXT], inputs={HOSTILE_TEXT: HOSTILE_TEXT}, called=HOSTILE_TEXT, answer=HOSTILE_TEXT)
    first = base.parts[0]
    value = replace(first.properties[0], outcome="wrong", failure=attack, instructor_only=False)
    likeness = Diagnosis([HOSTILE_TEXT], HOSTILE_TEXT, HOSTILE_TEXT)  # of no student's, and escaped all the same
    properties = [value, *first.properties[1:]]
    part = replace(first, properties=properties, outcome="wrong", printed=HOSTILE_TEXT, diagnosis=likeness)
    claim = replace(_run(0.5, random.Random(1)).claims[0], message=HOSTILE_TEXT, reported=HOSTILE_TEXT, measured=None)
    answer = replace(base.answers[0], given=HOSTILE_TEXT, measured=HOSTILE_TEXT, message=HOSTILE_TEXT, outcome="wrong")
    question = replace(base.questions[0], words=HOSTILE_WORDS, figures=[HOSTILE_TEXT], comment=HOSTILE_TEXT)
    return replace(
        base,
        submission=HOSTILE_TEXT,
        file=HOSTILE_TEXT,
        student=HOSTILE_TEXT,
        handed_in_at=HOSTILE_TEXT,
        parts=[part, *base.parts[1:]],
        runs=[RunRecord(HOSTILE_TEXT, [claim]), RunRecord(HOSTILE_TEXT, reason=HOSTILE_TEXT)],
        answers=[answer, *base.answers[1:]],
        questions=[question, *base.questions[1:]],
        notes=[HOSTILE_TEXT],
        look_at=[HOSTILE_TEXT],
    )
