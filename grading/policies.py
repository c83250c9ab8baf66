"""What becomes of points that were earned: dropped parts, extra credit, words that a person judged, late days."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from grading.manual import Given
from grading.pricing import priced
from grading.records import QuestionRecord, Record, RunRecord, Settlement, best_claims
from grading.rubric import Policy, QuestionRubric, Rubric

DAY = timedelta(days=1)
DIGITS = 6  # of points after the point: twenty times 0.15 are 3
NONE_GIVEN = Given(None)


@dataclass(frozen=True)
class Item:
    """What has points: a part, a claim, the answers or the words to a question."""

    name: str
    earned: float
    possible: float

    @property
    def share(self) -> float:
        """The share of its points that was earned."""
        return self.earned / self.possible if self.possible else 1.0


def settle(record: Record, rubric: Rubric, given: Mapping[str, Given], several: Collection[str] = ()) -> Record:
    """Count the points of a record by the rubric's policy: what was earned, less what lateness takes.

    A record that was settled before comes out the same, and one whose rubric or manual points changed anew.

    Args:
        record: of one submission; its parts, runs and answers stay as they are.
        rubric: as it was asked for, see `asked_for`.
        given: what a person gave for words, by question.
        several: the numbers that are nobody's, see `shared`.
    """
    record = priced(record, rubric)
    whole = set(rubric.parts) <= set(record.circumstances.parts)
    parts = list(_parts(record, rubric))
    dropped = [part.name for part in _dropped(parts, rubric)]
    machine = [part for part in parts if part.name not in dropped]
    questions, words = record.questions, list[Item]()
    if whole:
        machine += [*_claims(record.runs, rubric), *_answers(record, rubric)]
        questions = list(_questions(record, rubric, given))
        words = list(_words(questions, rubric))
    policy, items = rubric.policy, [*machine, *words]
    earned, late = _earned(items), late_days(record, policy, several)
    charged = max(0, late - policy.free_days)
    penalty = _penalty(earned, late, charged, policy)
    settlement = Settlement(
        machine=_earned(machine),
        manual=_earned(words),
        waiting=sum(question.points is None for question in questions) if whole else 0,
        dropped=dropped,
        extra=[name for name in policy.extra_credit if any(item.name == name for item in items)],
        late_days=late,
        charged_days=charged,
        penalty=penalty,
    )
    return msgspec.structs.replace(
        record,
        points=round(max(0.0, earned - penalty), DIGITS),
        possible=round(math.fsum(item.possible for item in items if item.name not in policy.extra_credit), DIGITS),
        questions=questions,
        settlement=settlement,
    )


def asked_for(rubric: Rubric, only: bool, runs: bool) -> Rubric:
    """Return a rubric without what a grading was not asked for.

    Args:
        rubric: the whole.
        only: whether single parts were asked for; then no claim and no question counts.
        runs: whether runs are measured; where they are not, neither claims nor answers about them count.
    """
    claims = rubric.claims if runs and not only else {}
    questions = {name: _without(question, claims) for name, question in rubric.questions.items() if not only}
    known = {*rubric.parts, *claims, *questions}
    extra = [name for name in rubric.policy.extra_credit if name in known]
    policy = msgspec.structs.replace(rubric.policy, extra_credit=extra)
    return msgspec.structs.replace(rubric, claims=claims, questions=questions, policy=policy)


def _without(question: QuestionRubric, claims: Mapping[str, object]) -> QuestionRubric:
    answers = {key: answer for key, answer in question.answers.items() if not answer.claim or answer.claim in claims}
    return msgspec.structs.replace(question, answers=answers)


def late_days(record: Record, policy: Policy, several: Collection[str] = ()) -> int:
    """Return the days begun after the time that a submission was due, its extension included; 0 where none is known."""
    if policy.due is None or not record.handed_in_at:
        return 0
    at = datetime.fromisoformat(record.handed_in_at)
    at = at if at.tzinfo else at.replace(tzinfo=policy.due.tzinfo)
    over = at - policy.due - extension(record, policy, several) * DAY
    return max(0, -(-over // DAY))


def extension(record: Record, policy: Policy, several: Collection[str] = ()) -> int:
    """Return the days more that a submission has, by its name or else by the number in its manifest."""
    name = record.student if by_number(record, policy, several) else record.submission
    return policy.extensions.get(name, 0)


def by_number(record: Record, policy: Policy, several: Collection[str] = ()) -> bool:
    """Tell whether a submission has its extension by a number: whoever packs a hand-in may write any into it."""
    extensions, number = policy.extensions, record.student
    return number in extensions and record.submission not in extensions and number not in several


def shared(students: Mapping[str, str]) -> set[str]:
    """Return the numbers that several submissions claim, as a name or in a manifest: they are nobody's.

    students: the number in each manifest, by submission.
    """
    claims = Counter(claim for name, student in students.items() for claim in {name, student} if claim)
    return {claim for claim, count in claims.items() if count > 1}


def _penalty(earned: float, late: int, charged: int, policy: Policy) -> float:
    nothing_left = policy.latest_days is not None and late > policy.latest_days
    share = 1.0 if nothing_left else min(1.0, charged * policy.per_day)
    return round(share * earned, DIGITS)


def _earned(items: Iterable[Item]) -> float:
    return round(math.fsum(item.earned for item in items), DIGITS)


def _parts(record: Record, rubric: Rubric) -> Iterator[Item]:
    """Yield the parts that were asked for; one that was not judged has earned nothing."""
    judged = {part.part: part for part in record.parts}
    for name in record.circumstances.parts:
        if name in judged:
            yield Item(name, judged[name].points, judged[name].possible)
        elif name in rubric.parts:
            yield Item(name, 0.0, rubric.parts[name].total)


def _dropped(parts: Sequence[Item], rubric: Rubric) -> Iterator[Item]:
    """Yield the parts that count neither way: of equal shares those that help the most.

    A topic of which only some parts were asked for has no lowest ones yet; extra credit costs nothing already.
    """
    asked = {part.name for part in parts}
    overall = Item("", _earned(parts), math.fsum(part.possible for part in parts)).share
    for topic, count in rubric.policy.drop_lowest.items():
        if all(name in asked for name in rubric.parts if name.startswith(f"{topic}.")):
            of_topic = [part for part in parts if part.name.startswith(f"{topic}.")]
            counted = [part for part in of_topic if part.possible and part.name not in rubric.policy.extra_credit]
            # A share of nothing, or below that of all parts, weighs the more the dearer its part is; else the less.
            weight = {part.name: 1 if part.share == 0 or part.share < overall else -1 for part in counted}
            yield from sorted(counted, key=lambda part: (part.share, -weight[part.name] * part.possible))[:count]


def _claims(runs: Sequence[RunRecord], rubric: Rubric) -> Iterator[Item]:
    """Yield the claims of the rubric, each with the best of the runs that make it."""
    best = {claim.name: claim.earned for claim in best_claims(runs)}
    for name, value in rubric.claims.items():
        yield Item(name, best.get(name, 0.0), value.points)


def _answers(record: Record, rubric: Rubric) -> Iterator[Item]:
    earned = {(answer.question, answer.answer): answer.points for answer in record.answers}
    for name, question in rubric.questions.items():
        for key, answer in question.answers.items():
            yield Item(name, earned.get((name, key), 0.0), answer.points)


def _words(questions: Sequence[QuestionRecord], rubric: Rubric) -> Iterator[Item]:
    points = {question.question: question.points for question in questions}
    for name, question in rubric.questions.items():
        yield Item(name, points.get(name) or 0.0, question.points)


def _questions(record: Record, rubric: Rubric, given: Mapping[str, Given]) -> Iterator[QuestionRecord]:
    """Yield the questions with what a person gave: all that the rubric has now, of a refused one those with points."""
    asked = {question.question: question for question in record.questions}
    for name, question in rubric.questions.items():
        if name in asked or name in given or record.outcome == "graded":
            found, gave = asked.get(name, QuestionRecord(name, "", 0.0)), given.get(name, NONE_GIVEN)
            yield msgspec.structs.replace(
                found, title=question.title, possible=question.points, points=gave.points, comment=gave.comment
            )
