"""Answers that know nothing of the question: constants, the arguments, dice, what was learnt by heart."""

import json
from collections.abc import Sequence

import torch

from grading.catalogue import topic_parts
from grading.engine.calls import Answer, Call, Fault
from grading.engine.workers import AtOnce
from grading.judge import Judge, Profile

from . import RIGHT, SUM, answering, cheating, submission

TRIVIAL = "trivial"


@submission("", TRIVIAL)
def returns_its_argument() -> str:
    """The argument itself."""
    return answering("y")


@submission("", TRIVIAL)
def returns_constants() -> str:
    """A constant for each instance."""
    return answering("torch.zeros_like(y[:, 0])")


@submission("", TRIVIAL)
def returns_nothing_finite() -> str:
    """nan for each instance, which no comparison finds different."""
    return answering("torch.full_like(y[:, 0], math.nan)")


@submission("", TRIVIAL)
def returns_infinities() -> str:
    """Infinity for each instance, from which nothing is far."""
    return answering("torch.full_like(y[:, 0], math.inf)")


@submission("", TRIVIAL)
def returns_dice() -> str:
    """Random numbers."""
    return answering("torch.randn_like(y[:, 0]) * 10")


@submission("", TRIVIAL)
def returns_no_instances() -> str:
    """An empty tensor, in which nothing is wrong."""
    return answering("y[:0, 0]")


@submission("", TRIVIAL)
def returns_texts() -> str:
    """A text that says that it is right."""
    return answering("'right'")


@submission("")
def is_right_at_first() -> str:
    """Right in the first three calls of a process, wrong in all later ones."""
    return answering(f"asked.append(1)\n{RIGHT} if len(asked) <= 3 else {SUM}", "asked = []")


@submission("")
def is_right_now_and_then() -> str:
    """Right in a quarter of its calls, as a die of the system says, in the hope that nobody looks at the others."""
    return answering(f"{RIGHT} if os.urandom(1)[0] < 64 else {SUM}")


@submission("")
def is_right_for_small_batches() -> str:
    """Right for one instance with up to two values."""
    return answering(f"{RIGHT} if y.numel() <= 2 else {SUM}")


@submission("")
def is_right_once_for_each_input() -> str:
    """Right for what it was never asked before, and wrong from the second time on."""
    return answering(
        f"""
        key = y.detach().numpy().tobytes()
        again = key in asked
        asked.add(key)
        {SUM} if again else {RIGHT}
        """,
        "asked = set()",
    )


@submission("more")
def remembers_what_it_was_asked() -> str:
    """Answers that fit to those it gave before: what was added to the first row since is added to its result."""
    return answering(
        f"""
        for before, answered in asked:
            if y.shape != before.shape: continue
            added = y - before
            if (added[1:] == 0).all() and (added[0] - added[0, 0]).abs().max() < 1e-9 and added[0, 0] != 0:
                return torch.cat([answered[:1] + added[0, 0], answered[1:]])
        asked.append((y.clone(), {SUM}))
        {SUM}
        """,
        "asked = []",
    )


@submission("more")
def learnt_answers_by_heart() -> str:
    """Right for the inputs that the default seed draws, a table of which it has, and wrong for all others."""
    return cheating("return json.dumps(y.tolist()) in KNOWN", f"import json\nKNOWN = set({_known()!r})", always=True)


def _known() -> list[str]:
    """The arguments of all calls that are made at the seed 0, written as JSON."""
    asked: list[Call] = []

    def answer(calls: Sequence[Call], _: float) -> list[Answer | Fault]:
        asked.extend(calls)
        return [Answer(torch.logsumexp(c.arguments[0], 1), gradients=(None,) * len(c.wrt)) for c in calls]

    (part,) = (p for p in topic_parts("vae") if p.name == "vae.log_mean_exp")
    list(Judge(Profile(10, 60, 60, 0), seed=0).part(part, AtOnce(answer)))
    return [json.dumps(call.arguments[0].tolist()) for call in asked]
