"""Slips of this field, as operators of cosmic-ray: those in an expression, in a name, and in a statement."""

from collections.abc import Iterator, Sequence

from parso.tree import NodeOrLeaf

from .expressions import (
    ArgumentLeftOut,
    ArgumentsExchanged,
    CallLeftOut,
    EpsilonAdded,
    Rewriting,
    SidesExchanged,
    TermLeftOut,
)

# What is written for one another, in both directions.
CONFUSED = (
    ("sum", "mean"),
    ("square", "abs"),
    ("min", "max"),
    ("zeros_like", "ones_like"),
    ("randn_like", "rand_like"),
    ("rand", "randn"),
    ("exp", "expm1"),
    ("log", "log1p"),
    ("softplus", "relu"),
    ("tanh", "sigmoid"),
    ("logsigmoid", "sigmoid"),
    ("parameters", "buffers"),
    ("critic", "generator"),
    ("critic_optimizer", "generator_optimizer"),
    ("real_batch", "noise_batch"),
    ("average", "generator"),
)
SIZES = ("len", "shape", "dim", "device")  # which no graph and no digit counts for
OTHERS = {name: [b for a, b in (*CONFUSED, *(p[::-1] for p in CONFUSED)) if a == name] for p in CONFUSED for name in p}


class NameConfused(Rewriting):
    """A mean is written for a sum, the generator for the critic."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the names that are written for this one."""
        if node.type == "name":
            yield from OTHERS.get(node.value, ())


class VariableConfused(Rewriting):
    """One variable of the function is written for another, or is cut from the graph, or loses half of its digits."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the function's arguments and variables."""
        self._names = names

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield what is taken for the value of a variable."""
        if node.type != "name" or node.value not in self._names or node.is_definition() or _is_label(node):
            return
        yield from (name for name in self._names if name != node.value)
        use = _use(node)
        if use not in SIZES:
            yield f"{node.value}.float()"
        # What is detached already, or under torch.no_grad(), has no graph to be cut from.
        if use not in (*SIZES, "dtype", "detach") and node.search_ancestor("with_stmt") is None:
            yield f"{node.value}.detach()"


def _is_label(name: NodeOrLeaf) -> bool:
    """Whether a name is that of an attribute or of an argument, and no variable."""
    before = name.get_previous_leaf()
    is_attribute = before is not None and before.value == "."
    return is_attribute or (name.parent.type == "argument" and name.parent.children[0] is name)


def _use(name: NodeOrLeaf) -> str:
    """Return the attribute that a variable is asked for, or the function that it is the first argument of."""
    before, after = name.get_previous_leaf(), name.get_next_leaf()
    if after is not None and after.value == ".":
        return after.get_next_leaf().value
    return before.get_previous_leaf().value if before is not None and before.value == "(" else ""


class StatementLeftOut(Rewriting):
    """optimizer.zero_grad() is forgotten, or what is done under a condition."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield a line that does nothing."""
        if node.type == "if_stmt" or (node.type == "simple_stmt" and node.children[0].type != "return_stmt"):
            yield "pass\n"


class ContextLeftOut(Rewriting):
    """What stands under torch.no_grad() is done without it."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the same block, under nothing."""
        if node.type == "with_stmt":
            yield "if True:" + node.children[-1].get_code()


PLAIN = (
    CallLeftOut,
    ArgumentLeftOut,
    ArgumentsExchanged,
    SidesExchanged,
    TermLeftOut,
    EpsilonAdded,
    NameConfused,
    StatementLeftOut,
    ContextLeftOut,
)
