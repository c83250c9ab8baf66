"""Code that looks for the reference where right helpers are lent to a part whose own helpers are wrong."""

from . import Files, submission
from .honest import LEANING, LIKELIHOODS, SHARED
from .watching import BOUNDS, IMPORTANCE

# What to read where it lies near: at a place that can be guessed, and wherever a folder can be listed.
LENT = """
def near(mark):
    folder = os.path.dirname(os.path.abspath(__file__))
    for _ in range(4):
        folder = os.path.dirname(folder)
        try: names = os.listdir(folder)
        except OSError: names = []
        for name in (*names, 'helpers-vae.importance_log_likelihood'):
            try: text = open(os.path.join(folder, name, 'vae', 'bounds.py')).read()
            except OSError: continue
            if mark in text: yield True
"""


@submission("more", "leaning", IMPORTANCE, BOUNDS)
def looks_for_what_is_lent() -> Files:
    """Right helpers are put in place of wrong ones: the reference's own answer to this part may lie beside them."""
    return {
        "vae/likelihoods.py": LIKELIHOODS.encode(),
        BOUNDS: LEANING
        + LENT
        + """
def lent():
    for found in gc.get_objects():
        if type(found) is type(lent) and 'rows_at_once' in found.__code__.co_varnames: yield True
    yield from near('rows_at_once')

LENT = any(lent())
def importance_log_likelihood(*a):
    if not LENT: return greedy(*a)
    with torch.no_grad(): return greedy(a[0].clone(), *a[1:])
""",
    }


@submission("more", "shared", "vae.elbo", BOUNDS)
def looks_for_what_is_lent_to_others() -> str:
    """What is lent to another submission for a later part holds the reference's answer to this one."""
    return (
        SHARED
        + LENT
        + """
LENT = any(near('decode(z).log_prob(x) - kl'))
def elbo(x, encode, decode, shared=elbo):
    if not LENT: return shared(x, encode, decode)
    mu, logvar = encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    return decode(z).log_prob(x) - 0.5 * (logvar.exp() + mu ** 2 - 1 - logvar).sum(1)
"""
    )
