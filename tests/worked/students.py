"""What the eight of a worked class hand in, each in a way of their own."""

import io
import random
import re
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

from grading.bank import find
from grading.catalogue import all_parts
from grading.rubric import Rubric
from tests.bench.hand_ins import Texts, hand_in, reference, with_entries
from tests.worked.kits import Kit

TIMES = {
    "anna": "2026-12-01T20:15:00+01:00",
    "ben": "2026-12-04T08:00:00+01:00",
    "chiara": "2026-12-01T23:58:00+01:00",
    "deniz": "2026-11-30T11:00:00+01:00",
    "emil": "2026-12-01T09:30:00+01:00",
    "fatima": "2026-12-03T22:00:00+01:00",
    "goran": "2026-12-02T10:00:00+01:00",
    "hanna.pdf": "2026-12-01T12:00:00+01:00",
}
SHARED = ("vae.log_mean_exp", "forgets_to_divide")  # the mistake that ben and fatima make
HALF = ("vae.", "flows.constrain_u", "flows.planar")
SIGNS = "<script>window.hacked = 1</script>"
HOSTILE = f"""

def log_mean_exp(y):
    print("\\x1b]0;owned\\x07{SIGNS}")
    raise ValueError("{SIGNS} ![x](javascript:window.hacked=1)")


def log_likelihood_normal(mu, logvar, z):
    while True:
        pass
"""


def fill_in(kit: Kit, texts: Texts) -> None:
    """Write answers into the stub files of a kit."""
    for name, text in texts.items():
        (kit.folder / "exercises" / name).write_text(text, encoding="utf-8")


def write_report(kit: Kit, words: Callable[[str], str], answers: Callable[[str, str], object], pictures: str) -> None:
    """Fill in exercises/report.md: words by question, and answers by question and name, "" for none."""
    path = kit.folder / "exercises" / "report.md"
    head, *sections = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for number, section in enumerate(sections):
        name = section.split()[1]
        text = section.replace("Write here.", f"{words(name)}\n\n{pictures if number == 0 else ''}".rstrip())
        sections[number] = re.sub(
            r'^([\w-]+) = ""', lambda m, name=name: f'{m[1]} = "{answers(name, m[1])}"', text, flags=re.MULTILINE
        )
    path.write_text("".join([head, *sections]), encoding="utf-8")


def right_answer(rubric: Rubric, figures: dict[str, object]) -> Callable[[str, str], object]:
    """Return what answers as the runs have it, and the costs as they are."""

    def answer(question: str, name: str) -> object:
        asked = rubric.questions[question].answers[name]
        if asked.cost:
            return "O(d)" if asked.growing == ("d",) else "O(k d)"
        return figures.get(asked.claim, "")

    return answer


def solve(notebook: Path, texts: Texts, parts: Sequence[str]) -> None:
    """Write the answers to parts into a notebook as nbgrader has handed it out, each into its cell."""
    book = nbformat.read(notebook, as_version=4)
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        part = name.replace("_", ".", 1)
        if part in parts:
            cell.source = function_in(texts, part)
    nbformat.write(book, notebook)


def function_in(texts: Texts, part: str) -> str:
    """Return the text of a part's function."""
    topic, name = part.split(".")
    pattern = re.compile(rf"^def {name}\(.*?(?=^\S(?<!\))|\Z)", re.MULTILINE | re.DOTALL)
    return next(m[0].rstrip() for file, text in texts.items() if file.startswith(topic) for m in pattern.finditer(text))


def ben() -> Texts:
    """Return the reference with some mistakes of the bank."""
    return with_shared_mistake(hand_in("wrong", random.Random(3)))


def with_shared_mistake(texts: Texts) -> Texts:
    """Return files in which one part is what the bank has of it."""
    part, _ = SHARED
    return with_entries(texts, [each for each in all_parts() if each.name == part], {part: find(*SHARED)})


def chiara() -> Texts:
    """Return what anna wrote, under other names and without her comments."""
    names = {"eps": "noise", "mu": "mean", "logvar": "log_variance", "layers": "maps", "total": "whole"}

    def renamed(text: str) -> str:
        body = re.sub(r"(?m)^\s*#.*\n", "", text)
        return re.sub(r"(?<!\.)\b(eps|total|weights|value|norm)\b", lambda m: f"{names.get(m[1], m[1])}_1", body)

    return {name: renamed(text) for name, text in reference().items()}


def goran(folder: Path) -> None:
    """Write a hand-in that means no good."""
    texts = reference(("vae",))
    texts["vae/likelihoods.py"] += HOSTILE
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    links = "<img src=x onerror=window.hacked=1> [a](javascript:window.hacked=1)"
    words = f"## 3.2 {SIGNS}\n\n{SIGNS} {links} $\\frac{{1}}{{2}}$\n"
    (folder / "report.md").write_text(words, encoding="utf-8")


def fatima(path: Path) -> None:
    """Write a tar of half an answer, with a mistake in it."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in with_shared_mistake(hand_in("half", random.Random(1))).items():
            member = tarfile.TarInfo(f"homework/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


def zipped(path: Path, texts: Texts) -> None:
    """Write an archive by hand, as a student who has not read the handout does."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"my homework/{name}", text)
