"""Copying functions out of the files in which they stand, as somebody might who looks for one that answers."""

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import numpy as np
import torch

from tests.support.properties import Part

Function = Callable[..., Any]


@dataclass(frozen=True)
class Found:
    """A function of a file: also one in another, a method, or a lambda."""

    where: str
    node: ast.FunctionDef | ast.Lambda = field(repr=False)
    namespace: dict[str, Any] = field(repr=False)

    @property
    def free(self) -> list[str]:
        """The names that it takes from a function around it."""
        named = [n for n in ast.walk(self.node) if isinstance(n, ast.Name)]
        own = {n.id for n in named if not isinstance(n.ctx, ast.Load)}
        own |= {n.arg for n in ast.walk(self.node) if isinstance(n, ast.arg)}
        return sorted({n.id for n in named} - own - self.namespace.keys() - vars(builtins).keys())

    def copied(self) -> Function:
        """Return the function as it is when it is copied alone; its free names are arguments by name."""
        given = self.node.args
        positional = [ast.arg(a.arg) for a in (*given.posonlyargs, *given.args)]
        by_name = [ast.arg(a.arg) for a in given.kwonlyargs] + [ast.arg(name) for name in self.free]
        none = ast.Constant(None)
        optional = [default and none for default in given.kw_defaults] + [None for _ in self.free]
        star, stars = (a and ast.arg(a.arg) for a in (given.vararg, given.kwarg))
        names = ast.arguments([], positional, star, by_name, optional, stars, [none for _ in given.defaults])
        body = self.node.body if isinstance(self.node, ast.FunctionDef) else [ast.Return(self.node.body)]
        module = ast.Module([ast.FunctionDef("alone", names, body, [])], [])
        made = dict(self.namespace)
        exec(compile(ast.fix_missing_locations(module), self.where, "exec"), made)
        return made["alone"]


def functions(path: str, text: str, namespace: dict[str, Any]) -> Iterator[Found]:
    """Yield every function of a file whose names are in a namespace."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)) and not _changes_others(node):
            yield Found(f"{path}, line {node.lineno}", node, namespace)


def _changes_others(node: ast.AST) -> bool:
    """Tell whether a function sets a variable of the one around it, and cannot stand alone."""
    return any(isinstance(inner, ast.Nonlocal) for inner in ast.walk(node))


def as_part(function: Function, free: Sequence[str], part: Part) -> Iterator[Function]:
    """Yield what is made of a function to stand for a part: nothing more, or one line around it."""
    own = [name for name in part.arguments if name not in free]
    if len(own) + len(free) == len(part.arguments) and _takes(function, own, free):

        def under_its_name(*arguments: Any) -> Any:
            by_name = dict(zip(part.arguments, arguments, strict=True))
            return function(*(by_name[name] for name in own), **{name: by_name[name] for name in free})

        yield under_its_name
        yield lambda *arguments: _as_tensors(under_its_name(*arguments))
    if part.name == "flows.planar" and not free and _takes(function, ("layers", "z"), ()):
        yield lambda z, u, w, b: function([(u, w, b)], z)


def _as_tensors(value: Any) -> Any:
    """Return numbers and arrays as tensors, and what is none as it is."""
    if isinstance(value, tuple):
        return tuple(map(_as_tensors, value))
    return torch.as_tensor(value) if isinstance(value, (float, np.ndarray, np.floating)) else value


def _takes(function: Function, positional: Sequence[str], by_name: Sequence[str]) -> bool:
    try:
        signature(function).bind(*positional, **dict.fromkeys(by_name))
    except TypeError:
        return False
    return True
