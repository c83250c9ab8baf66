"""The command of the study: make, judge, keep, and compare with what is known to be equivalent."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence

from . import __doc__ as about
from .judging import Fate, judge_all
from .making import Mutant, judged_parts, mutants, part_named
from .telling import Survivor, equivalents, kept, markdown, save, scores, unexplained


def main() -> None:
    """Judge the mutants of all parts, or of those that are named."""
    known = [part.name for part in judged_parts()]
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mutants", description=(about or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="all by default")
    parser.add_argument("--tell", action="store_true", help="print the tables of the results that are kept")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(known):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; expected {', '.join(known)}")
    if options.tell:
        print(markdown(kept(), equivalents()))
        sys.exit()
    sys.exit(study(options.parts or known, whole=not options.parts))


def study(names: Sequence[str], whole: bool) -> bool:
    """Judge the mutants of parts and keep what became of them; return whether something is left to explain."""
    made = [mutant for name in names for mutant in mutants(part_named(name))]
    found = scores(_told(judge_all(made), made))
    save(found if whole else kept() | found)
    problems = unexplained(found, equivalents())
    told = [_counted(len(made), "mutant"), _counted(len(names), "part"), _counted(len(problems), "problem")]
    print(*problems, "{} of {}, {}".format(*told), sep="\n")
    return bool(problems)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _told(fates: Iterable[Fate], made: Sequence[Mutant]) -> Iterable[Fate]:
    """Pass fates on, and tell of each part as it begins, and of mutants that gave no answer."""
    start, before = time.monotonic(), ""
    for number, fate in enumerate(fates, start=1):
        if fate.mutant.part != before:
            before = fate.mutant.part
            print(f"{time.monotonic() - start:5.0f} s, {number} of {len(made)}: {before}", flush=True)
        if fate.how == "silent":
            print(f"no answer, in time or at all: {Survivor(*fate.mutant.change[1:])}", flush=True)
        yield fate


if __name__ == "__main__":
    main()
