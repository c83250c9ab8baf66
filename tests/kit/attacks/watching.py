"""Code that changes what is watched beside it: what a call took, whether it left a graph, what it left of arguments."""

from collections.abc import Callable

from . import Attack, submission
from .honest import GREEDY

IMPORTANCE, BOUNDS = "vae.importance_log_likelihood", "vae/bounds.py"
FRAMES = """
def asked():
    frame = sys._getframe(1)
    while frame is not None:
        if type(frame.f_locals.get('call')).__name__ == 'Call': return frame.f_locals['call']
        frame = frame.f_back
"""


def greedy(shown: str = "more") -> Callable[[Callable[[], str]], Attack]:
    return submission(shown, "greedy", IMPORTANCE, BOUNDS)


@greedy()
def counts_no_memory() -> str:
    """The class that counts memory counts nothing."""
    return GREEDY + "sys.modules['grading.engine.metering'].Meter._count = lambda self, storage: None\n"


@greedy()
def empties_the_meter() -> str:
    """The counter that is active is found and set to nothing at the end of the call."""
    return (
        GREEDY
        + """
def importance_log_likelihood(*a):
    value = greedy(*a)
    for found in gc.get_objects() if len(a[0]) >= 300 else ():
        if type(found).__name__ == 'Meter': found.peak = found.elements = found.largest = 0
    return value
"""
    )


@greedy()
def works_in_a_thread() -> str:
    """The work is done in a thread, where nothing is counted."""
    return (
        GREEDY
        + """
def importance_log_likelihood(*a):
    found = []
    thread = threading.Thread(target=lambda: found.append(greedy(*a)))
    thread.start()
    thread.join()
    return found[0]
"""
    )


@greedy()
def works_unwatched() -> str:
    """The work is done where torch's modes are switched off."""
    return (
        GREEDY
        + """
from torch.utils._python_dispatch import _disable_current_modes
def importance_log_likelihood(*a):
    with _disable_current_modes(): return greedy(*a)
"""
    )


@greedy()
def works_not_at_all_where_memory_counts() -> str:
    """Zeros where memory is counted, which it sees in the frame of whoever called it."""
    return (
        GREEDY
        + FRAMES
        + """
def importance_log_likelihood(x, *a):
    return torch.zeros(len(x)) if asked() and asked().watch == 'cost' else greedy(x, *a)
"""
    )


@greedy()
def works_not_at_all_for_many() -> str:
    """Zeros for as many images as only the property of memory has."""
    return (
        GREEDY
        + """
def importance_log_likelihood(x, *a):
    return torch.zeros(len(x)) if len(x) >= 300 and x.shape[1] > 4 else greedy(x, *a)
"""
    )


@greedy()
def denies_its_graph() -> str:
    """The function that looks for a graph finds none."""
    return GREEDY + "sys.modules['grading.engine.answering']._has_graph = lambda value: False\n"


@greedy()
def hands_its_arguments_back() -> str:
    """The function that looks at what is left of the arguments undoes what was done to them."""
    return (
        GREEDY
        + """
answering = sys.modules['grading.engine.answering']
left = answering._left
answering._left = lambda built, *a: built / 2 if isinstance(built, torch.Tensor) else left(built, *a)
"""
    )


@greedy()
def rewrites_every_answer() -> str:
    """What was watched is rewritten in every answer before it is sent."""
    return (
        GREEDY
        + """
import dataclasses
# Where a worker runs, its module is the one that Python was started with.
worker = next(m for n in ('grading.engine.worker', '__main__') if hasattr(m := sys.modules.get(n), 'serve_forks'))
def answer(function, call, *a, was=worker.answer, **k):
    arguments = tuple(x if isinstance(x, torch.Tensor) else None for x in call.arguments)
    kept = tuple(x.clone() if x is not None else None for x in arguments)
    found = was(function, call, *a, **k)
    cost = type(found.cost)()
    left = kept if call.watch == 'effects' else ()
    return dataclasses.replace(found, has_graph=False, cost=cost, arguments=left)
worker.answer = answer
"""
    )


@greedy("")
def rewrites_every_message() -> str:
    """What was watched is rewritten as messages are written."""
    return (
        GREEDY
        + """
import dataclasses
wire = sys.modules['grading.engine.wire']
def entry(write, reply, was=wire._reply_entry):
    if type(reply).__name__ == 'Answer': reply = dataclasses.replace(reply, has_graph=False, cost=type(reply.cost)())
    return was(write, reply)
wire._reply_entry = entry
"""
    )
