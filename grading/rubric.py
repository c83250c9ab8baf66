"""The rubric: points, minutes, hints, thresholds, questions and policy, read from rubric.toml and checked on load."""

import re
import tomllib
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from grading.engine.isolation import LAYERS

PATH = Path(__file__).with_name("rubric.toml")

Points = Annotated[float, msgspec.Meta(ge=0, le=1e6)]  # so no infinity either
Text = Annotated[str, msgspec.Meta(min_length=1)]
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
    such as ["d", "k"], it has to name, as in "O(k d^2)".
    """

    sentence: Text
    points: Points
    claim: str = ""
    cost: str = ""
    growing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an answer that nothing, or two things, would be compared with."""
        if bool(self.claim) == bool(self.cost) or bool(self.cost) != bool(self.growing):
            raise ValueError("an answer needs either claim, or cost and growing")


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


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of points that were earned: late days, dropped parts, extra credit.

    due: when a submission has to be there; without it nothing is late. free_days: late days that cost nothing. per_day:
    the share of the points that each further day takes, a begun one counting as whole. latest_days: late days after
    which no points are left. extensions: days more, by submission. drop_lowest: how many parts of a topic, those with
    the lowest shares of their points, count neither way. extra_credit: parts, claims and questions whose points count
    beyond what is possible.
    """

    due: datetime | None = None
    free_days: Days = 0
    per_day: Share = 0.0
    latest_days: Days | None = None
    extensions: dict[str, Days] = {}
    drop_lowest: dict[str, Days] = {}
    extra_credit: list[Text] = []

    def __post_init__(self) -> None:
        """Refuse a time that is another one in another country."""
        if self.due is not None and self.due.tzinfo is None:
            raise ValueError(f"due is {self.due}, expected a time zone with it, as in 2026-12-01T23:59:00+01:00")
        if self.latest_days is not None and self.free_days > self.latest_days:
            raise ValueError(f"free_days is {self.free_days}, more than the {self.latest_days} of latest_days")


class Rubric(msgspec.Struct, frozen=True):
    """All parts, claims and questions, in the order of the file, and how they are graded and counted."""

    parts: dict[str, PartRubric]
    claims: dict[str, ClaimRubric]
    grading: GradingRubric = GradingRubric()
    questions: dict[str, QuestionRubric] = {}
    policy: Policy = Policy()

    def __post_init__(self) -> None:
        """Refuse what names a part, a claim or a question that there is not."""
        for name, question in self.questions.items():
            if not re.fullmatch(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*", name):
                raise ValueError(f"questions has a key {name!r}, expected a number such as 3.2, without spaces")
            for key, answer in question.answers.items():
                if answer.claim and answer.claim not in self.claims:
                    raise ValueError(
                        f'questions."{name}".answers.{key} names the claim {answer.claim!r}: there is none'
                    )
                if answer.cost and answer.cost not in self.parts:
                    raise ValueError(f'questions."{name}".answers.{key} names the part {answer.cost!r}: there is none')
        topics = Counter(part.partition(".")[0] for part in self.parts)
        for topic, count in self.policy.drop_lowest.items():
            if count >= topics[topic]:
                raise ValueError(
                    f"policy: drop_lowest.{topic} is {count}, expected fewer than the parts of a topic: "
                    + ", ".join(f"{name} has {number}" for name, number in topics.items())
                )
        known, extra = {*self.parts, *self.claims, *self.questions}, self.policy.extra_credit
        if twice := [name for name in extra if extra.count(name) > 1]:
            raise ValueError(f"policy: extra_credit names {twice[0]!r} twice")
        if unknown := [name for name in self.policy.extra_credit if name not in known]:
            raise ValueError(f"policy: extra_credit names {unknown[0]!r}, which is no part, claim or question")


EACH = {"parts": PartRubric, "claims": ClaimRubric, "questions": QuestionRubric}  # tables of tables
WHOLE = {"grading": GradingRubric, "policy": Policy}


def load(path: Path = PATH) -> Rubric:
    """Read and check a rubric.

    Raises:
        RubricError: the file is missing, is no TOML, or has a wrong, unknown or missing key.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RubricError(f"{path} cannot be read as TOML: {error}") from error
    if unknown := set(tables) - {*EACH, *WHOLE}:
        known = ", ".join([*EACH, *WHOLE])
        raise RubricError(f"{path}: unknown key {min(unknown)!r}; a rubric has the tables {known}")
    read: dict[str, Any] = {name: _convert_all(path, name, tables, kind) for name, kind in EACH.items()}
    read |= {name: _convert(path, name, "", tables.get(name, {}), kind) for name, kind in WHOLE.items()}
    try:
        return Rubric(**read)
    except ValueError as error:
        raise RubricError(f"{path}: {error}") from error


def _convert_all(path: Path, name: str, tables: dict[str, Any], kind: Any) -> dict[str, Any]:
    entries = tables.get(name, {})
    if not isinstance(entries, dict):
        raise RubricError(f'{path}: {name} is {entries!r}, expected tables such as [{name}."vae.elbo"]')
    return {key: _convert(path, name, key, entry, kind) for key, entry in entries.items()}


def _convert(path: Path, table: str, key: str, value: Any, kind: Any) -> Any:
    """Check one table by itself, so that an error can name the key it stands under."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        where = f'{table}."{key}"' if key else table
        for name in (
            "points",
            "at_least",
            "at_most",
        ):  # of an entry in a table of free keys msgspec does not tell the key
            inner = value.get(name) if isinstance(value, dict) else None
            for entry, number in inner.items() if isinstance(inner, dict) else ():
                if (
                    not isinstance(number, (int, float))
                    or isinstance(number, bool)
                    or (name == "points" and not 0 <= number <= 1e6)
                ):
                    where += f".{name}.{entry}"
                    break
        raise RubricError(f"{path}: {where}: {error}") from error
