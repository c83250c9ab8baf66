"""Counts how three graders fare with the same wrong hand-ins: pytest, nbgrader and elbo grade.

    python -m tests.bench.attacked             # half an hour; needs bwrap and pip install -e '.[nbgrader]'
    python -m tests.bench.attacked --limit 8   # a quick try

The hand-ins are the attacks of tests/kit/attacks on one function that are one file, beside honest wrong work and a
right answer. All three judge by the same properties, one mark each, at inputs from the same seed, as a user without
rights. What is counted of each grader: who has all marks; who has a mark that the honest work in its place has not; for
whom there is no grade. The attacks were written against this kit: nobody has fitted them to the other two, which would
be less work. Everything runs in namespaces of its own, on a copy of the kit, with no network, and writes to memory.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from grading.engine.implementation import ROOT
from tests.bench import attacked_inside
from tests.bench.attacked_inside import ALL, Seen
from tests.kit.attacks import ATTACKS, HONEST, all_attacks
from tests.kit.attacks.scene import SECRET
from tests.kit.test_attacks import NOT_ANSWERING

RESULTS = Path(__file__).parent / "results" / "attacked.json"
KIT = ("data", "exercises", "grading", "solutions", "tests", "pyproject.toml")
NAMES = {"nbgrader": "nbgrader", "pytest": "plain pytest", "elbo": "elbo grade"}
MEMORY = 6 << 30  # of files
SECONDS = 3600


@dataclass
class Graded:
    """What a grader made of all hand-ins, by name, and the seconds that it took."""

    grader: str
    seen: dict[str, Seen] = field(default_factory=dict)
    seconds: float = 0.0

    def outcome(self, name: str) -> str:
        """Say what became of an attack: "none", "full", "more", or "" where it earned no more than is allowed."""
        earned = self.seen[name].earned
        if earned is None:
            return "none"
        return "full" if set(earned) >= set(ALL) else "more" if set(earned) - self.allowed(name) else ""

    def allowed(self, name: str) -> set[str]:
        """Return the properties that the honest work in an attack's place earned from this grader."""
        honest = ATTACKS[name].honest
        if honest == "trivial":
            return set(NOT_ANSWERING)
        return set(self.seen[f"honest_{honest}"].earned or ()) if honest in HONEST else set()

    def counts(self) -> dict[str, int]:
        """Count the attacks by what became of them; those with all marks have more than honest work, too."""
        outcomes = Counter(self.outcome(name) for name in self.attacks)
        return {
            "attacks": len(self.attacks),
            "full_marks": outcomes["full"],
            "more_than_honest": outcomes["full"] + outcomes["more"],
            "no_grade": outcomes["none"],
            "hung": sum(self.seen[name].hung for name in self.attacks),
            "status_0": sum(self.seen[name].status == 0 for name in self.attacks),
        }

    @property
    def beside(self) -> dict[str, int]:
        """The marks of the right answer and of the honest wrong ones."""
        return {name: len(seen.earned or ()) for name, seen in self.seen.items() if name not in ATTACKS}

    @property
    def attacks(self) -> list[str]:
        """The names of the attacks among what was graded."""
        return [name for name in self.seen if name in ATTACKS]


def copy_of_kit(into: Path) -> Path:
    """Copy what grading needs, so that nobody's work on the kit changes it meanwhile."""
    for name in KIT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, into / name, ignore=shutil.ignore_patterns("__pycache__", "cache"))
        else:
            shutil.copy(ROOT / name, into / name)
    if Path(sys.prefix).is_relative_to(ROOT):  # to lay the environment over
        (into / Path(sys.prefix).relative_to(ROOT)).mkdir(parents=True)
    return into


def enclosed(kit: Path) -> list[str]:
    """Return the command that runs another one apart: no rights, network or other process; all but /tmp read only."""
    seen = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/sys", sys.base_prefix]
    binds = [word for path in seen for word in ("--ro-bind-try", path, path)]
    binds += ["--ro-bind", str(kit), str(ROOT), "--ro-bind", sys.prefix, sys.prefix]
    variables = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        SECRET: secrets.token_hex(8),
    }
    settings = [word for name, value in variables.items() for word in ("--setenv", name, value)]
    place = ["--dev", "/dev", "--proc", "/proc", "--size", str(MEMORY), "--tmpfs", "/tmp", "--chdir", str(ROOT)]
    apart = ["--unshare-all", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session", "--clearenv"]
    return ["bwrap", *apart, *binds, *place, *settings, sys.executable, "-m", attacked_inside.__name__]


def graded(kit: Path, names: Sequence[str], grader: str) -> Graded:
    """Let a grader judge hand-ins, apart from everything; it tells a line for each."""
    result, begin = Graded(grader), time.perf_counter()
    with subprocess.Popen([*enclosed(kit), grader, *names], stdout=subprocess.PIPE, text=True) as process:
        end = threading.Timer(SECONDS, process.kill)
        end.start()
        for line in process.stdout or ():
            name, *rest = json.loads(line)
            result.seen[name] = Seen(*rest)
        end.cancel()
    result.seconds = time.perf_counter() - begin
    assert len(result.seen) >= len(names), f"{grader}: {len(result.seen)} of {len(names)}"
    return result


def told(result: Graded) -> Iterator[str]:
    """Tell of a grader in a line, and of what is beside the point in further ones."""
    counts = result.counts()
    yield (
        f"{NAMES[result.grader]}: {counts['full_marks']} of {counts['attacks']} with full marks, "
        f"{counts['more_than_honest']} with more than honest work, {counts['no_grade']} broke it"
    )
    if counts["hung"]:
        yield f"  {counts['hung']} of those that broke it ran until they were ended from outside"
    if counts["status_0"]:
        yield f"  where the exit status is the grade, and not the report: {counts['status_0']} with full marks"
    beside = ", ".join(f"{name} {marks}" for name, marks in result.beside.items())
    yield f"  marks of {len(ALL)} beside them: {beside}; {result.seconds:.0f} s"


def as_json(results: Sequence[Graded], left_out: dict[str, int]) -> dict[str, Any]:
    """Keep what is told, and what became of each attack."""
    names = results[0].attacks
    by = {result.grader: {**result.counts(), **result.beside, "seconds": round(result.seconds)} for result in results}
    what = {name: {result.grader: result.outcome(name) for result in results} for name in names}
    return {"graders": by, "left_out": left_out, "attacks": what}


def write_json(made: dict[str, Any], path: Path) -> None:
    """Write it with a line for each attack."""
    rest = {key: value for key, value in made.items() if key != "attacks"}
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in made["attacks"].items())
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{json.dumps(rest, indent=1)[:-2]},\n "attacks": {{\n{lines}\n }}\n}}\n', encoding="utf-8")


def compare(graders: Sequence[str], limit: int, out: Path | None) -> None:
    """Let the graders judge, two at a time, and tell."""
    if shutil.which("bwrap") is None:
        sys.exit("bwrap is missing, and nothing of this runs without it: install the package bubblewrap")
    everyone = list(all_attacks())
    some = attacked_inside.single_files()
    left_out = Counter(attack.family for attack in everyone if attack.name not in some)
    some = some[:: max(1, len(some) // limit)][:limit] if limit else some
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ThreadPoolExecutor(2) as pool:
        kit = copy_of_kit(Path(folder))
        results = list(pool.map(partial(graded, kit, some), graders))
    for result in results:
        print(*told(result), sep="\n", flush=True)
    others = ", ".join(f"{count} {family}" for family, count in sorted(left_out.items()))
    print(f"left out, as they are more than one file, or of other functions: {left_out.total()} ({others})")
    if out is not None:
        write_json(as_json(results, dict(sorted(left_out.items()))), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="so many attacks, and no file of results")
    parser.add_argument("--graders", nargs="+", choices=NAMES, default=list(NAMES))
    options = parser.parse_args()
    compare(options.graders, options.limit, None if options.limit or options.graders != list(NAMES) else RESULTS)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
