"""The rubric: points, minutes, hints and thresholds, read from rubric.toml and checked on load."""

import tomllib
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


class Rubric(msgspec.Struct, frozen=True):
    """All parts and claims, in the order of the file, and how they are graded."""

    parts: dict[str, PartRubric]
    claims: dict[str, ClaimRubric]
    grading: GradingRubric = GradingRubric()


def load(path: Path = PATH) -> Rubric:
    """Read and check a rubric.

    Raises:
        RubricError: the file is missing, is no TOML, or has a wrong, unknown or missing key.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RubricError(f"{path} cannot be read as TOML: {error}") from error
    if unknown := set(tables) - {"parts", "claims", "grading"}:
        raise RubricError(f"{path}: unknown key {min(unknown)!r}; a rubric has the tables parts, claims and grading")
    parts, claims = (_convert_all(path, n, tables, k) for n, k in (("parts", PartRubric), ("claims", ClaimRubric)))
    return Rubric(parts, claims, _convert(path, "grading", "", tables.get("grading", {}), GradingRubric))


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
