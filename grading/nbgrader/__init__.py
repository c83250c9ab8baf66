"""nbgrader: a course of notebooks, and its gradebook. The names that both sides know the cells by stand here."""

import re

ASSIGNMENT = "deep-generative-models"
REPORT = "report"
NOTEBOOKS = ("vae", "gan", "flows", REPORT)


class NbgraderError(Exception):
    """A course that cannot be written or read; the text says what was found, what was expected, what to do."""


def solution_id(part: str) -> str:
    """Return the name of the cell in which a part is written: vae_log_mean_exp."""
    return _sign("", part)


def check_id(part: str) -> str:
    """Return the name of the cell that judges a part: check_vae_log_mean_exp."""
    return _sign("check", part)


def question_id(question: str) -> str:
    """Return the name of the cell with the words to a question: question_3_2."""
    return _sign("question", question)


def answers_id(question: str) -> str:
    """Return the name of the cell that judges the answers to a question: answers_3_2."""
    return _sign("answers", question)


def claims_id(experiment: str) -> str:
    """Return the name of the cell that measures the runs of an experiment: claims_vae."""
    return _sign("claims", experiment)


def _sign(kind: str, name: str) -> str:
    return re.sub(r"\W", "_", f"{kind}_{name}" if kind else name)
