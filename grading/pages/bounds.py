"""Bounds on what reading Markdown costs: without them a short text that is made for it takes a minute.

Some rules look at all lines that follow, and then take one of them; the next line has them look again. Here each looks
at what it takes, or at a bounded number of lines.
"""

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

FORMULA_LINES = 60
MOST_CELLS = 3000  # of the tables of one section: those that a row leaves out are filled in
Rule = Callable[[StateBlock, int, int, bool], bool]


def working() -> dict[str, Any]:
    """Return what reading one section may cost, for the reader's `env`."""
    return {"cells": MOST_CELLS}


def bound(reader: MarkdownIt) -> None:
    """Bound the rules of a reader. Links by reference are text then, and a quotation has its sign in every line."""
    reader.disable("reference")
    for rule in list(reader.block.ruler.__rules__):
        if rule.name in BOUNDED:
            reader.block.ruler.at(rule.name, BOUNDED[rule.name](rule.fn), {"alt": rule.alt})


def _quotation(own: Rule) -> Rule:
    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if silent or not _quoted(state, start):
            return own(state, start, end, silent)
        whole, last = state.lineMax, next((n for n in range(start + 1, end) if not _quoted(state, n)), end)
        state.lineMax = last  # as if the text went no further
        found = own(state, start, last, silent)
        state.lineMax = whole
        return found

    return rule


def _quoted(state: StateBlock, line: int) -> bool:
    begin = state.bMarks[line] + state.tShift[line]
    return state.sCount[line] >= state.blkIndent and state.src[begin : begin + 1] == ">"


def _formula(own: Rule) -> Rule:
    return lambda state, start, end, silent: own(state, start, min(end, start + FORMULA_LINES), silent)


def _table(own: Rule) -> Rule:
    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        columns = 1 + state.src.count("|", state.bMarks[start], state.eMarks[start])
        last = min(end, start + 1 + state.env["cells"] // columns)
        found = own(state, start, last, silent)
        if found and not silent:
            state.env["cells"] -= columns * (state.line - start)
        return found

    return rule


BOUNDED: dict[str, Callable[[Rule], Rule]] = {"blockquote": _quotation, "math_block": _formula, "table": _table}
