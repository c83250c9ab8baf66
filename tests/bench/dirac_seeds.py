"""Looks for seeds whose classes are not those of the rubric: the reference's games from the starts of many seeds.

python -m tests.bench.dirac_seeds                # 1,000 seeds, some minutes

A student's own number is the seed, so that a class that depends on it would cost somebody points. Each seed is judged
by its own start and the one half as far out, as a run with two starts is. Status 1 if a class is another one.
"""

import argparse
import sys
from collections import Counter

import torch

from exercises.experiments.dirac.outcomes import claim_name, outcome
from exercises.experiments.dirac.players import draw_starts
from exercises.experiments.dirac.settings import CONFIGURATIONS, OBJECTIVES, Config
from exercises.experiments.dirac.training import kept, play
from grading.rubric import load
from tests.bench.dirac import reference

AT_ONCE = 100  # seeds: their games are in memory together
EXPECTED = {c.training: load().claims[claim_name(c)].equals["dirac"] for c in CONFIGURATIONS}


def classes(first: int, count: int) -> Counter[tuple[str, str, bool]]:
    """Count the classes of each training over seeds, and whether they are those of the rubric."""
    config, found = Config(starts=2), Counter[tuple[str, str, bool]]()
    starts = torch.cat([draw_starts(2, seed) for seed in range(first, first + count)], 1)
    for objective in OBJECTIVES:
        batch = [t for t in config.trainings if t.objective == objective]
        history = play(reference(), batch, config, starts)
        for training, part in zip(batch, history.split(starts.shape[1], 2), strict=True):
            for own in part.split(2, 2):
                word = outcome(kept(own, config)).word
                found[training.name, word, word == EXPECTED[training]] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = Counter[tuple[str, str, bool]]()
    for first in range(0, options.seeds, AT_ONCE):
        found += classes(first, min(AT_ONCE, options.seeds - first))
        print(f"{min(first + AT_ONCE, options.seeds)} seeds", flush=True)
    for (name, word, right), count in sorted(found.items()):
        print(f"{name:12} {word:12} {count:5} seeds{'' if right else '  WRONG'}")
    sys.exit(any(not right for _, _, right in found))


if __name__ == "__main__":
    main()
