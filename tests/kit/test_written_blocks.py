"""The fenced blocks of a report: which are closed, and that none of them costs more than reading its lines."""

from collections.abc import Sequence

import pytest

from grading.written.blocks import Fence, fences


class Counted(Sequence[str]):
    """Lines that count how often one of them is looked at."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.looks = lines, 0

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        self.looks += 1
        return self.lines[place]


DECREASING = [sign * length for length in range(60, 2, -1) for sign in "`~"]
MANY = {
    "nothing ends the longer ones": DECREASING + [""] * 3_000,
    "nor do shorter ones": DECREASING + ["~~~ x"] * 3_000,
    "each line begins one": ["```python"] * 3_000,
    "and has answers": ["```toml", ""] * 1_500,
    "each length once more": sorted(DECREASING) * 20,
}


@pytest.mark.parametrize("lines", MANY.values(), ids=MANY)
def test_the_work_grows_with_the_lines_alone(lines: list[str]) -> None:
    counted = Counted(lines)
    assert fences(counted) == fences(lines)
    assert counted.looks <= 4 * len(lines)


@pytest.mark.parametrize("line", ["```" + " " * 300_000 + "`", "~" * 300_000 + "`", "```" + " \t" * 150_000 + "~"])
def test_a_line_that_is_nearly_a_fence_is_read_at_once(line: str) -> None:
    assert fences([line, "```"]) == []


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("```\nx\n```", [Fence(0, 1, 2, 3, "")]),
        ("```` python\n```\n~~~~\n`````", [Fence(0, 1, 3, 4, "python")]),
        ("```\n``` x\n```", [Fence(1, 2, 2, 3, "x")]),  # the next block begins: nobody closed the first
        ("~~~~\n```\nx\n```\n~~~", [Fence(1, 2, 3, 4, "")]),
        ("```toml\na = 1\n\n```", [Fence(0, 1, 3, 4, "toml")]),
        ("```toml\na = 1\n\nx", [Fence(0, 1, 2, 2, "toml")]),
        ("~~~toml\na = 1\n```ini\n## 3.2", [Fence(0, 1, 3, 3, "toml")]),
        ("```toml\n```ini\nb = 1", [Fence(0, 1, 3, 3, "toml")]),
        ("    ```\nx\n```", []),
    ],
)
def test_the_next_fence_of_the_same_sign_that_is_as_long_closes_a_block(text: str, blocks: list[Fence]) -> None:
    assert fences(text.split("\n")) == blocks
