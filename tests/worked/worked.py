"""A class of eight, from what is given out to feedback; each step is a command that somebody types."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grading import rubric
from grading.nbgrader import ASSIGNMENT
from tests.bench.hand_ins import reference
from tests.worked import students
from tests.worked.kits import Kit, instructors_kit, students_kit

WORDS = {
    "1.1": "Both curves fall steeply and then slowly: $\\mathrm{ELBO} \\le \\log p(x)$. They stay close, so nothing "
    "is overfitted.",
    "3.2": "With $\\psi(z) = (1 - \\tanh^2(w^\\top z + b))\\, w$ the lemma gives\n\n"
    "$$\\log\\left|\\det \\frac{\\partial f}{\\partial z}\\right| = \\log \\left|1 + u^\\top \\psi(z)\\right|$$",
}
GIVEN = {("anna", "1.1"): (2, "Well seen."), ("anna", "3.2"): (2.5, "Why is A = I here?"), ("ben", "1.1"): (1, "")}
VIEWS = ("gradescope", "exercism", "junit", "lms")


@dataclass(frozen=True)
class Places:
    """Where everything of the class lies."""

    root: Path

    @property
    def kit(self) -> Path:
        """The instructor's copy of the kit."""
        return self.root / "instructor"

    @property
    def given(self) -> Path:
        """What the class is given."""
        return self.root / "elbo-room.zip"

    @property
    def course(self) -> Path:
        """The course of nbgrader."""
        return self.root / "course"

    @property
    def handed_in(self) -> Path:
        """What was handed in as files."""
        return self.root / "handed-in"

    @property
    def graded(self) -> Path:
        """What grading leaves."""
        return self.root / "graded"


def work_through(root: Path, tell: Callable[[str], None]) -> Places:
    """Work through the class in an empty directory.

    Raises:
        CommandFailed: a command ended as none should.
    """
    places = Places(root)
    tell("the instructor sets the rubric's policy, and writes what the class gets")
    kit = instructors_kit(places.kit)
    kit.elbo("release", "student", "--out", places.given)
    kit.elbo("release", "nbgrader", "--out", places.course)
    kit.nbgrader(places.course, "generate_assignment", ASSIGNMENT)
    places.handed_in.mkdir()
    _hand_in_files(places, tell)
    _hand_in_notebooks(places, tell)
    tell("the instructor grades all eight")
    _grade(kit, places)
    tell("a person reads the words and gives points for them, and the class is counted again")
    _give_points(places)
    _grade(kit, places, "--resume")
    tell("the instructor judges one part again for everybody")
    kit.elbo("grade", *_submissions(places), "--out", places.graded, "--regrade", "vae.log_mean_exp", status=1)
    tell("nbgrader writes its feedback")
    kit.nbgrader(places.course, "generate_feedback", ASSIGNMENT, "--force")
    return places


def _hand_in_files(places: Places, tell: Callable[[str], None]) -> None:
    """Let six hand in files: two by `elbo pack`, the others in ways of their own."""
    tell("anna writes all parts, trains, reports, and packs")
    anna = students_kit(places.given, places.root / "anna")
    students.fill_in(anna, reference())
    anna.elbo("train", "dirac", "--out", "runs/dirac-1", "--set", "starts=4")
    flows = ("--set", "target=arcs", "--set", "mode=samples", "--set", "k=2")
    anna.elbo("train", "flows", *flows, "--out", "runs/flows-1")
    loaded, figures = rubric.load(), dict[str, object]()
    for run in sorted((anna.folder / "runs").iterdir()):
        figures |= json.loads((run / "summary.json").read_text(encoding="utf-8"))
    picture = "![arcs](../runs/flows-1/figures/arcs-samples.png)"
    students.write_report(anna, _words, students.right_answer(loaded, figures), picture)
    _pack(anna, places.handed_in / "anna.zip", "1000001")

    tell("ben makes some mistakes, and is late; the others hand in as students do")
    ben = students_kit(places.given, places.root / "ben")
    students.fill_in(ben, students.ben())
    students.write_report(ben, lambda name: "It falls." if name == "1.1" else "", lambda *_: "O(d^3)", "")
    _pack(ben, places.handed_in / "ben.zip", "1000002")
    students.zipped(places.handed_in / "chiara.zip", students.chiara())
    students.fatima(places.handed_in / "fatima.tar.gz")
    students.goran(places.handed_in / "goran")
    (places.handed_in / "hanna.pdf").write_bytes(b"%PDF-1.7 my homework")


def _pack(kit: Kit, out: Path, number: str) -> None:
    kit.elbo("pack", "--student", number, "--out", out, "--anyway", "--no-check")


def _words(name: str) -> str:
    return WORDS.get(name, f"My answer to {name}.")


def _hand_in_notebooks(places: Places, tell: Callable[[str], None]) -> None:
    """Let two hand in notebooks, as nbgrader collects them."""
    tell("deniz and emil hand in notebooks, which nbgrader collects")
    texts = reference()
    for name in ("deniz", "emil"):
        folder = places.course / "submitted" / name / ASSIGNMENT
        shutil.copytree(places.course / "release" / ASSIGNMENT, folder)
        parts = [part for part in rubric.load().parts if name == "deniz" or part.startswith(students.HALF)]
        for topic in ("vae", "gan", "flows"):
            students.solve(folder / f"{topic}.ipynb", texts, parts)


def _submissions(places: Places) -> list[Path]:
    return [places.handed_in, places.course / "submitted"]


def _grade(kit: Kit, places: Places, *more: str) -> None:
    times = places.root / "times.csv"
    rows = "".join(f"{name},{time}\n" for name, time in students.TIMES.items())
    times.write_text(f"submission,time\n{rows}", encoding="utf-8")
    views = [word for kind in VIEWS for word in ("--view", kind)]
    words = [*_submissions(places), "--out", places.graded, "--times", times, "--nbgrader", places.course, "--similar"]
    kit.elbo("grade", *words, *views, *more, status=1)  # one of the eight is no submission


def _give_points(places: Places) -> None:
    """Fill in manual.csv, as a person does in a spreadsheet."""
    path = places.graded / "manual.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = list(csv.reader(file))
    for row in rows:
        told = dict(zip(head, row, strict=True))
        points, comment = GIVEN.get((told["submission"], told["question"].split()[0]), ("", ""))
        row[head.index("points")], row[head.index("comment")] = str(points), comment
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([head, *rows])
