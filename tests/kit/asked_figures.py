"""Which figures the rubric's questions ask for, so that the experiments' own tests can hold that they draw them."""

import re

from exercises.experiments.cifar10.settings import CONFIGURATIONS
from grading.rubric import load

QUESTIONS = {"vae": ("1.1", "1.2"), "dirac": ("2.1",), "cifar10": ("2.2", "2.3"), "flows": ("3.1", "3.4", "3.5")}


def asked_of(experiment: str) -> set[str]:
    """Return the files in figures/ that the questions of an experiment name; NAME is that of each configuration."""
    questions = load().questions
    told = " ".join(figure for number in QUESTIONS[experiment] for figure in questions[number].figures)
    files = re.findall(r"figures/([\w.-]+\.\w+)", told)
    names = [configuration.name for configuration in CONFIGURATIONS]
    return {file.replace("NAME", name) for file in files for name in names}
