"""A topic's handout, cut for a notebook: what comes first, what belongs above a part, and what comes last."""

import re
from dataclasses import dataclass

from grading.notebook.words import in_notebook

FUNCTIONS = "## The functions"
CHOICES = "## What is a matter of choice"
TERMINAL = "Work on one at a time"  # begins what is of use beside files and a terminal only
# The paragraphs on the functions, by the words with which they begin, and the part above which each stands.
ABOVE = {
    "vae": {
        "Likelihoods": "vae.log_likelihood_bernoulli",
        "Log-mean-exp": "vae.log_mean_exp",
        "KL divergence": "vae.kl_gaussian_gaussian_analytic",
        "Evidence lower bound": "vae.elbo",
        "Importance sampling": "vae.elbo",
        "A property of your own": "vae.log_mean_exp_property",
    },
    "gan": {
        "Objectives": "gan.jsd",
        "Penalties": "gan.r1_penalty",
        "Updates": "gan.critic_loss",
        "Moving average": "gan.update_average",
        "Spectral norm": "gan.spectral_norm",
        "Scores": "gan.inception_score",
        "A property of your own": "gan.gradient_penalty_property",
    },
    "flows": {
        "Constraint": "flows.constrain_u",
        "Determinant": "flows.planar",
        "Composition and density": "flows.compose",
        "Two losses": "flows.negative_log_likelihood",
        "A flow as a posterior": "flows.flow_elbo",
        "A property of your own": "flows.planar_property",
    },
}


@dataclass(frozen=True)
class Handout:
    """Markdown: cells before all parts, paragraphs by part, cells after all parts, and in a phrase what a part is."""

    first: list[str]
    above: dict[str, str]
    last: list[str]
    about: dict[str, str]


def cut(text: str, topic: str) -> Handout:
    """Cut a handout; whatever has no other place comes last, so that nothing is lost."""
    about = dict(re.findall(r"^\| `(\w+)` \| `[^`|]+` \| (.+) \| \d+ \|$", text, re.MULTILINE))
    sections = re.split(r"^(?=## )", in_notebook(_without_pictures(text)), flags=re.MULTILINE)
    first: list[str] = [_without_files(sections[0].partition(TERMINAL)[0])]
    last: list[str] = []
    above: dict[str, str] = {}
    for section in sections[1:]:
        if section.startswith(FUNCTIONS):
            opening, above = _paragraphs(section, ABOVE[topic])
            first.append(opening)
        else:
            (first if section.startswith(CHOICES) else last).append(section)
    phrases = {f"{topic}.{name}": phrase for name, phrase in about.items()}
    return Handout([each.strip() for each in first], above, [each.strip() for each in last], phrases)


def _paragraphs(section: str, places: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return what a section opens with, and its paragraphs by part."""
    opening, *paragraphs = re.split(r"^(?=\*\*[A-Z])", section, flags=re.MULTILINE)
    above: dict[str, str] = {}
    for paragraph in paragraphs:
        part = next((part for words, part in places.items() if paragraph.startswith(f"**{words}")), "")
        if part:
            above[part] = f"{above[part]}\n\n{paragraph.strip()}" if part in above else paragraph.strip()
        else:
            opening += paragraph
    return opening, above


def _without_files(text: str) -> str:
    """Leave the column of files out of the table of parts: here all stand in one notebook."""
    return re.sub(r"^(\|[^|\n]*)\|[^|\n]*(?=\|)", r"\1", text, flags=re.MULTILINE)


def _without_pictures(text: str) -> str:
    """Leave out pictures and links that lead to files of the kit, which lie elsewhere or nowhere."""
    text = re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n*", "", text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"`\1`", text)
