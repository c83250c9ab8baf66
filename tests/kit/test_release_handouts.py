"""The handouts for students: all of them but what answers the questions."""

import pytest

from grading.release import ReleaseError
from grading.release.handouts import for_students

BLOCK = "<details><summary><b>Found</b></summary>\n\nIt cycles.\n\n</details>\n"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (f"before\n\n{BLOCK}\nafter\n", "before\n\nafter\n"),
        (f"{BLOCK}\nbetween\n\n{BLOCK}", "\nbetween\n"),
        (f"before\n\n{BLOCK}"[:-1], "before\n"),
        ("nothing\n", "nothing\n"),
    ],
    ids=["inside", "two", "at the end", "none"],
)
def test_blocks_are_left_out_and_the_rest_stays(text, cut):
    assert for_students(text) == cut


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.replace("</details>", ""),
        BLOCK.replace("<details>", ""),
        f"  {BLOCK}",
        BLOCK.replace("\n\n</details>", "</details>"),
        BLOCK.replace("It cycles.", f"{BLOCK}It cycles."),
        BLOCK.replace("<details>", "<DETAILS>"),
        BLOCK.replace("<details>", "<details open>"),
    ],
    ids=["open", "closed", "indented", "closed in a line", "nested", "capitals", "attribute"],
)
def test_what_cannot_be_cut_is_refused_and_not_given_out(text):
    with pytest.raises(ReleaseError, match="a handout cannot be cut for students"):
        for_students(text)
