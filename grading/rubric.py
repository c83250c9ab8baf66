"""The rubric: points, minutes, hints, thresholds, questions and policy, read from rubric.toml and checked on load."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from grading.converting import TEMPORAL, ConversionError, read
from grading.engine.isolation import LAYERS

PATH = Path(__file__).with_name("rubric.toml")

Points = Annotated[float, msgspec.Meta(ge=0, le=1e6)]  # so no infinity either
Text = Annotated[str, msgspec.Meta(min_length=1)]
Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
Relation = Literal["at least", "at most", "is"]


class RubricError(Exception):
    """A rubric that cannot be used; the text names the file and the key."""


class PartRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a part is worth and what helps with it.

    problem: number in the assignment. minutes: what a student needs, about. hints: from nudge to nearly there.
    points: for each property by name. instructor_only: properties of which a student is told the outcome alone.
    """

    problem: Text
    minutes: Annotated[int, msgspec.Meta(gt=0)]
    hints: tuple[Text, Text, Text]
    points: dict[str, Points]
    instructor_only: list[str] = []

    def __post_init__(self) -> None:
        """Refuse a secret about a property that has no points."""
        if unknown := set(self.instructor_only) - set(self.points):
            raise ValueError(f"instructor_only names {min(unknown)!r}, which has no points")

    @property
    def total(self) -> float:
        """Points of the part when every property holds."""
        return sum(self.points.values())


class ClaimRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of a run that has a threshold.

    experiment: the run it belongs to. sentence: what is measured, in `unit`. at_least or at_most: the threshold for
    each data set; or equals, the word that it has to be. noisiest: the largest standard error of a measurement that is
    still a result; a larger one would agree with any report and reach any threshold. points: what reaching it is worth
    on the data set `graded_on`; on the others it is practice.
    """

    problem: Text
    experiment: Text
    sentence: Text
    points: Points
    graded_on: Text
    unit: str = ""
    noisiest: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None = None
    at_least: dict[str, float] = {}
    at_most: dict[str, float] = {}
    equals: dict[str, Text] = {}

    def __post_init__(self) -> None:
        """Refuse thresholds of two kinds, or of none, and a number without unit or bound on its noise."""
        if [bool(self.at_least), bool(self.at_most), bool(self.equals)].count(True) != 1:
            raise ValueError("expected thresholds either in at_least or in at_most, or a word in equals")
        if not self.equals and not (self.unit and self.noisiest):
            raise ValueError("a figure with a threshold needs unit and noisiest")
        if self.points and self.threshold(self.graded_on) is None:
            raise ValueError(f"graded_on is {self.graded_on!r}, for which there is no threshold, but points")

    @property
    def relation(self) -> Relation:
        """What a figure has to be to its threshold."""
        return "is" if self.equals else "at most" if self.at_most else "at least"

    def threshold(self, data: str) -> float | str | None:
        """Return the threshold on a data set, None where the rubric sets none."""
        thresholds: dict[str, float] | dict[str, str] = self.equals or self.at_most or self.at_least
        return thresholds.get(data)


class GradingRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How submissions are graded.

    isolation: the layers without which `elbo grade --isolation required` grades nothing. inputs: drawn for a property.
    budget_seconds: wall time for the parts of one submission. memory_mb: for a process of its code, beside what Python
    and torch take.
    """

    isolation: list[Text] = []
    inputs: Annotated[int, msgspec.Meta(gt=0, le=10_000)] = 50
    budget_seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 120.0
    memory_mb: Annotated[int, msgspec.Meta(ge=64)] = 2048

    def __post_init__(self) -> None:
        """Refuse a layer that there is not: nothing would ever be graded."""
        names = [layer.name for layer in LAYERS]
        if unknown := set(self.isolation) - set(names):
            raise ValueError(f"isolation names {min(unknown)!r}; there are {', '.join(names)}")


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person looks for in the words to a question, and what finding it is worth."""

    points: Points
    text: Text


class AnswerRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer of one word or number, which a machine reads and sets beside what it measures.

    claim: the claim whose measured figure or word it has to be; or cost: the part whose cost on `growing` dimensions,
    such as ["d", "k"], it has to name, as in "O(k d^2)"; or equals: a number that it has to be within `tolerance`, a
    word that it has to be, or several of which it has to be one.
    """

    sentence: Text
    points: Points
    claim: str = ""
    cost: str = ""
    growing: tuple[str, ...] = ()
    equals: Number | Text | list[Text] | None = None
    tolerance: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None

    def __post_init__(self) -> None:
        """Refuse an answer that nothing, or two things, would be compared with."""
        if [bool(self.claim), bool(self.cost), self.equals not in (None, [])].count(True) != 1:
            raise ValueError("an answer needs one of claim, cost (with growing) and equals")
        if bool(self.cost) != bool(self.growing):
            raise ValueError("cost needs growing, the dimensions that it grows in, and nothing else has it")
        if isinstance(self.equals, float | int) != (self.tolerance is not None):
            raise ValueError(
                "a number in equals needs tolerance, how far from it is still right, and nothing else has it"
            )

    @property
    def accepted(self) -> list[float | str]:
        """What `equals` accepts, the first as it is told."""
        every: list[float | str] = [*self.equals] if isinstance(self.equals, list) else []
        return every if self.equals is None or isinstance(self.equals, list) else [self.equals]


class QuestionRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that asks for words; a person gives their points, by the criteria.

    topic: whose handout it belongs to. asks: what the student is asked, Markdown. figures: what to put in. answers:
    what a machine reads in the same section, by name.
    """

    topic: Literal["vae", "gan", "flows"]
    title: Text
    asks: Text
    criteria: list[Criterion]
    figures: list[Text] = []
    answers: dict[str, AnswerRubric] = {}

    @property
    def points(self) -> float:
        """Points of the words, without those of the answers that a machine reads."""
        return sum(criterion.points for criterion in self.criteria)


Days = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Time = Annotated[datetime, msgspec.Meta(tz=True, description=TEMPORAL)]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of points that were earned: late days, dropped parts, extra credit.

    due: when a submission has to be there; without it nothing is late. free_days: late days that cost nothing. per_day:
    the share of the points that each further day takes, a begun one counting as whole. latest_days: late days after
    which no points are left. extensions: days more, by submission. drop_lowest: how many parts of a topic, those with
    the lowest shares of their points, count neither way. extra_credit: parts, claims and questions whose points count
    beyond what is possible.
    """

    due: Time | None = None
    free_days: Days = 0
    per_day: Share = 0.0
    latest_days: Days | None = None
    extensions: dict[str, Days] = {}
    drop_lowest: dict[str, Days] = {}
    extra_credit: list[Text] = []

    def __post_init__(self) -> None:
        """Refuse more days that cost nothing than days there are."""
        if self.latest_days is not None and self.free_days > self.latest_days:
            raise ValueError(f"free_days is {self.free_days}, more than the {self.latest_days} of latest_days")


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All parts, claims and questions, in the order of the file, and how they are graded and counted."""

    parts: dict[str, PartRubric] = {}
    claims: dict[str, ClaimRubric] = {}
    grading: GradingRubric = GradingRubric()
    questions: dict[str, QuestionRubric] = {}
    policy: Policy = Policy()

    def __post_init__(self) -> None:
        """Refuse what names a part, a claim or a question that there is not."""
        if odd := [*_odd_questions(self), *_odd_policy(self)]:
            raise ValueError("\n  ".join(odd))


def _odd_questions(rubric: Rubric) -> Iterator[str]:
    for name, question in rubric.questions.items():
        if not re.fullmatch(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*", name):
            yield f"questions has a key {name!r}, expected a number such as 3.2, without spaces"
        for key, answer in question.answers.items():
            where = f'questions."{name}".answers.{key}'
            if answer.claim and answer.claim not in rubric.claims:
                yield f"{where} names the claim {answer.claim!r}: there is none"
            if answer.cost and answer.cost not in rubric.parts:
                yield f"{where} names the part {answer.cost!r}: there is none"


def _odd_policy(rubric: Rubric) -> Iterator[str]:
    topics = Counter(part.partition(".")[0] for part in rubric.parts)
    for topic, count in rubric.policy.drop_lowest.items():
        if count >= topics[topic]:
            yield (
                f"policy: drop_lowest.{topic} is {count}, expected fewer than the parts of a topic: "
                + ", ".join(f"{name} has {number}" for name, number in topics.items())
            )
    known, extra = {*rubric.parts, *rubric.claims, *rubric.questions}, Counter(rubric.policy.extra_credit)
    yield from (f"policy: extra_credit names {name!r} twice" for name, count in extra.items() if count > 1)
    unknown = [name for name in extra if name not in known]
    yield from (f"policy: extra_credit names {name!r}, which is no part, claim or question" for name in unknown)


def load(path: Path = PATH) -> Rubric:
    """Read and check a rubric.

    Raises:
        RubricError: the file is missing, is no TOML, or has wrong, unknown or missing keys, all of which are told.
    """
    try:
        return read(path.read_text(encoding="utf-8"), Rubric)
    except (OSError, UnicodeDecodeError) as error:
        raise RubricError(f"{path} cannot be read: {error}") from error
    except ConversionError as error:
        raise RubricError(f"{path}: {error}") from error
