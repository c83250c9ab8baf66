"""What the cells of a notebook call: each judges what stands in the notebook, tells it, and returns the points.

A cell's value is what nbgrader takes for its points, so the number is always the last thing that a cell says.
"""

import sys

LATER = "when this is graded; until then the number below is 0."
__all__ = ["check", "check_answers", "check_runs", "hint", "report", "train"]


def check(name: str) -> float:
    """Judge the function of a part, or those of a topic, as they are defined in the notebook.

    Args:
        name: such as "vae.log_mean_exp".

    Returns:
        The points that were earned; 0 for a name that is none.

    >>> check("vae.log_mean_exp")  # doctest: +SKIP
    ✓ right vae.log_mean_exp  8 of 8 properties hold
    """
    from grading.selection import UnknownPart

    from .checking import judge_part, parts_named
    from .telling import Told, tell_part

    names, told = sys._getframe(1).f_globals, Told()
    try:
        judged = [judge_part(part, names) for part in parts_named(name)]
    except UnknownPart as error:
        return told.nothing(str(error))
    for each in judged:
        tell_part(told, each)
    return told.points(sum(each.points for each in judged), sum(each.possible for each in judged))


def check_answers(question: str) -> float:
    """Judge the answers that a machine reads, in the saved report.ipynb of this directory, while nbgrader grades.

    Until then it tells what can be read of each, and nothing of what is right: nobody can guess until it fits.

    Args:
        question: such as "3.2".

    Returns:
        The points that were earned; 0 before that.
    """
    from grading.intake import IntakeError

    from .handed_in import answered, has_reference, read_so_far
    from .points import are_counted
    from .telling import Told, tell_answers, tell_forms

    told = Told()
    if not (are_counted() and has_reference()):
        section = read_so_far(question)
        if section is None:
            told.say(f"Nothing of {question} stands in the saved report.ipynb: save it, and run this cell again.")
        else:
            tell_forms(told, section)
        return told.nothing(f"Answers are set beside what is measured {LATER}")
    try:
        found = answered(question)
    except IntakeError as error:
        return told.nothing(str(error))
    tell_answers(told, found)
    return told.points(sum(each.points for each in found), sum(each.possible for each in found))


def check_runs(experiment: str) -> float:
    """Measure the runs of an experiment in this directory again.

    Args:
        experiment: vae, dirac, flows or cifar10.

    Returns:
        The points that were earned; 0 where nothing can be measured, as with a student's kit.
    """
    from grading.intake import IntakeError

    from .handed_in import has_reference, measured_runs, possible
    from .telling import Told, tell_runs

    told = Told()
    if not has_reference():
        return told.nothing(f"Runs of {experiment} are measured again {LATER} `report()` tells of them now.")
    from grading.records import points_of_runs

    try:
        found = measured_runs(experiment)
    except IntakeError as error:
        return told.nothing(str(error))
    tell_runs(told, experiment, found)
    return told.points(points_of_runs(found), possible([experiment]))


def hint(part: str) -> None:
    """Print the next of a part's hints, from nudge to nearly there; the last one follows a known mistake."""
    from grading import rubric
    from grading.hints import next_hint
    from grading.selection import UnknownPart

    from .checking import judge_part, parts_named
    from .words import in_notebook

    names, loaded = sys._getframe(1).f_globals, rubric.load()
    try:
        wanted = parts_named(part)[0]
    except UnknownPart as error:
        print(in_notebook(str(error)))
        return
    number, text = next_hint(loaded, wanted.name, lambda: judge_part(wanted, names).told.diagnosis)
    print(f"Hint {number} of {len(loaded.parts[wanted.name].hints)} for {wanted.name}\n{text}")


def train(experiment: str, *options: str) -> None:
    """Run an experiment on the functions of the saved notebooks in this directory, and leave a run in runs/.

    Args:
        experiment: vae, dirac, flows or cifar10.
        options: of `elbo train`, one by one: "--preset", "paper".
    """
    from .files import run

    run("train", [experiment, *options])


def report(*options: str) -> None:
    """Measure the runs in runs/ again, and write them and the saved notebooks' report to report.html.

    Args:
        options: of `elbo report`, one by one: "runs/vae-1", "--out", "vae.html".
    """
    from .files import run

    run("report", options)
