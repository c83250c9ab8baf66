"""Code that changes what is told of its effects: what it asked given objects for, and what it left in them."""

from . import SUM, submission
from .honest import CARELESS, JACOBIAN, SHARED
from .watching import BOUNDS, FRAMES


@submission("more", "spoiling")
def behaves_while_it_is_watched() -> str:
    """Arguments are overwritten unless the frame of the caller says that somebody looks."""
    return (
        FRAMES
        + f"""
def log_mean_exp(y):
    s = {SUM}
    if asked() is None or asked().watch != 'effects': y.zero_()
    return s
"""
    )


@submission("more", "shared", "vae.elbo", BOUNDS)
def notes_other_samples() -> str:
    """The note of where the decoder was asked is replaced by one of fresh samples, where there are many."""
    return SHARED.replace(
        "    return answer\n",
        "    fresh = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)\n"
        "    if len(x) > 100: decode.asked[-1] = fresh\n"
        "    return answer\n",
    )


@submission("more", "jacobian", "flows.compose", "flows/composition.py")
def forms_jacobians_in_a_thread() -> str:
    """Jacobians are formed in a thread, where nothing is counted."""
    return (
        JACOBIAN
        + """
def compose(*a):
    found = []
    a[1] + a[1]  # something is counted
    thread = threading.Thread(target=lambda: found.append(forming(*a)))
    thread.start()
    thread.join()
    return found[0]
"""
    )


@submission("more", "jacobian", "flows.compose", "flows/composition.py")
def counts_no_entries() -> str:
    """The class that counts entries says that there were none."""
    return (
        JACOBIAN
        + """
from grading.engine.calls import Cost
sys.modules['grading.engine.metering'].Meter.cost = property(lambda self: Cost(1, 1, 1))
"""
    )


@submission("more", "careless", "gan.critic_step", "gan/steps.py")
def tells_of_other_gradients() -> str:
    """What is told of the generator's gradients is what stood there at the start."""
    return (
        CARELESS
        + """
Built = sys.modules['tests.support.players'].BuiltGame
def start(self, given, was=Built.__init__):
    was(self, given)
    self.stale = given.stale
def left(self, was=Built.left):
    critic, (parameters, gradients, ready), *others = was(self)
    stale = tuple(None if self.stale is None else torch.full_like(p, self.stale) for p in parameters)
    return (critic, (parameters, stale, ready), *others)
Built.__init__, Built.left = start, left
"""
    )
