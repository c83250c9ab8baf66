"""Slips in an expression: a call, an argument or a term left out, two of them exchanged, a small number added."""

import itertools
from collections.abc import Iterator, Sequence

import parso
from cosmic_ray.operators.operator import Example, Operator
from parso.tree import NodeOrLeaf

MODULES = ("torch", "math", "F", "nn", "linalg", "autograd")
SIDES_MATTER = ("-", "/", "//", "@", "**")
EPSILON = "1e-08"


class Rewriting(Operator):
    """An operator that puts other texts in the place of a node, one mutant each."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield what may stand there instead."""
        raise NotImplementedError

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Yield a place for each text."""
        for _ in self.texts(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Return what is written there instead."""
        return parso.parse(node.get_first_leaf().prefix + list(self.texts(node))[index])

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return none: tests/kit/test_mutants.py has them."""
        return ()


def _code(nodes: Sequence[NodeOrLeaf]) -> str:
    return "".join(node.get_code() for node in nodes).strip()


def _arguments(trailer: NodeOrLeaf) -> list[NodeOrLeaf] | None:
    """Return the arguments of a call's parentheses; None where the node is no such thing."""
    if trailer.type != "trailer" or trailer.children[0].value != "(":
        return None
    (inner,) = trailer.children[1:-1] or [None]
    if inner is None:
        return []
    return inner.children[::2] if inner.type == "arglist" else [inner]


class CallLeftOut(Rewriting):
    """x.detach() becomes x, and so does torch.exp(x)."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the expression without each of its calls."""
        if node.type not in ("atom_expr", "power"):
            return
        for place, trailer in enumerate(node.children):
            arguments = _arguments(trailer)
            if arguments is None:
                continue
            names = [child.get_code().strip(" .") for child in node.children[:place]]
            rest = _code(node.children[place + 1 :])
            if len(names) == 1 or all(name in MODULES for name in names[:-1]):
                if arguments:
                    yield f"({_code(arguments[:1])}){rest}"
            elif node.children[place - 1].type == "trailer":
                yield _code(node.children[: place - 1]) + rest


class ArgumentLeftOut(Rewriting):
    """sum(x, dim=1) becomes sum(x), and sum(dim=1)."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the parentheses of a call without each of the arguments."""
        arguments = _arguments(node) or []
        for place in range(len(arguments)):
            yield f"({', '.join(_code([a]) for a in arguments[:place] + arguments[place + 1 :])})"


class ArgumentsExchanged(Rewriting):
    """f(real, fake) becomes f(fake, real)."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the parentheses of a call with each two arguments exchanged that are not named."""
        arguments = _arguments(node) or []
        codes = [_code([a]) for a in arguments]
        unnamed = [place for place, a in enumerate(arguments) if a.type != "argument"]
        for i, j in itertools.pairwise(unnamed):
            yield f"({', '.join([*codes[:i], codes[j], *codes[i + 1 : j], codes[i], *codes[j + 1 :]])})"


class SidesExchanged(Rewriting):
    """a - b becomes b - a, and a @ b becomes b @ a."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the expression with the two sides of each operator exchanged for which they matter."""
        if node.type not in ("arith_expr", "term", "power"):
            return
        codes = [_code([child]) for child in node.children]
        for i, operator in enumerate(codes[1:-1], start=1):
            if operator in SIDES_MATTER:
                yield " ".join([*codes[: i - 1], codes[i + 1], operator, codes[i - 1], *codes[i + 2 :]])


class TermLeftOut(Rewriting):
    """a + b - c becomes a + b, and a * b becomes b."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the expression without each of its terms, or of its factors."""
        if node.type not in ("arith_expr", "term"):
            return
        codes = [_code([child]) for child in node.children]
        yield " ".join(codes[1 if codes[1] == "-" else 2 :])
        for i in range(1, len(codes), 2):
            yield " ".join(codes[:i] + codes[i + 2 :])


class EpsilonAdded(Rewriting):
    """A small number is added to what is divided by, or under a root or a logarithm of a tensor."""

    def texts(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yield the expression with the small number at each such place."""
        codes = [_code([child]) for child in getattr(node, "children", ())]
        if node.type == "term":
            for i in (i for i, code in enumerate(codes[:-1]) if code == "/" and not codes[i + 1].startswith("len(")):
                yield " ".join([*codes[: i + 1], f"({codes[i + 1]} + {EPSILON})", *codes[i + 2 :]])
        elif node.type in ("atom_expr", "power") and codes[0] != "math":
            for i in (i for i, code in enumerate(codes) if code.strip(".") in ("log", "sqrt")):
                if codes[0] in MODULES:
                    yield "".join([*codes[: i + 1], f"({codes[i + 1]} + {EPSILON})", *codes[i + 2 :]])
                else:
                    yield f"({''.join(codes[:i])} + {EPSILON})" + "".join(codes[i:])
