"""Trees of files that are given out: the same bytes every time, whole or not at all, and never over anybody's work."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from grading.release import ReleaseError
from grading.release.following import WRITTEN
from grading.release.rubric_cut import public
from grading.release.trees import differences, write, zipped

TREE = {"b/script": b"#!/bin/sh\n", "a.txt": b"a", "b/c.txt": b"c"}


def test_a_zip_has_its_names_in_order_no_time_and_only_scripts_that_may_be_executed(tmp_path):
    (tmp_path / "made.zip").write_bytes(zipped(TREE, "top/"))
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        found = archive.infolist()
    assert [i.filename for i in found] == ["top/a.txt", "top/b/c.txt", "top/b/script"]
    assert [oct(i.external_attr >> 16) for i in found] == ["0o100644", "0o100644", "0o100755"]
    assert {i.date_time for i in found} == {(1980, 1, 1, 0, 0, 0)}


def test_the_order_in_which_files_are_found_changes_nothing():
    assert zipped(TREE) == zipped(dict(reversed(TREE.items())))


@pytest.mark.parametrize("name", ["out.zip", "out"])
def test_what_is_written_is_found_and_is_not_written_again(tmp_path, name):
    out = tmp_path / "new" / name
    assert differences(TREE, out) == [f"{out} is missing"]
    assert write(TREE, out)
    assert differences(TREE, out) == []
    assert not write(TREE, out)
    assert [path.name for path in out.parent.iterdir()] == [name]  # nothing is left of the making


@pytest.mark.parametrize("name", ["out.zip", "out"])
def test_each_difference_is_told_by_its_path(tmp_path, name):
    out = tmp_path / name
    write(TREE, out)
    other = {"a.txt": b"#!other", "b/c.txt": b"c", "d": b""}
    found = [f"{out}: {told}" for told in ("a.txt differs", "b/script is not of it", "d is missing")]
    assert differences(other, out) == found
    executable = {"a.txt": b"a", "b/c.txt": b"c", "b/script": b"#!/bin/sh\n"}
    assert differences(executable, out) == []


def test_a_file_that_lost_its_mode_differs(tmp_path):
    write(TREE, tmp_path / "out")
    (tmp_path / "out" / "b" / "script").chmod(0o644)
    assert differences(TREE, tmp_path / "out") == [f"{tmp_path / 'out'}: b/script differs"]


def test_an_earlier_zip_of_the_kit_is_written_anew(tmp_path):
    write(TREE, tmp_path / "out.zip")
    assert write(TREE | {"d": b""}, tmp_path / "out.zip")
    assert differences(TREE | {"d": b""}, tmp_path / "out.zip") == []


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mine.txt", "mine")


@pytest.mark.parametrize(
    "make", [lambda path: path.write_bytes(b"mine"), other_zip], ids=["no zip", "a zip of somebody else's"]
)
def test_a_file_that_is_no_release_stays(tmp_path, make):
    out = tmp_path / "out.zip"
    make(out)
    before = out.read_bytes()
    with pytest.raises(ReleaseError, match="give another --out"):
        write(TREE, out)
    assert out.read_bytes() == before


def files(folder: Path) -> dict[str, bytes]:
    """What stands in a folder, but for the list of what was written there."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name != WRITTEN}


def test_a_folder_with_other_files_stays_and_they_are_named(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(ReleaseError, match=r"holds other files, a\.txt, mine\.txt, and nothing was written"):
        write(TREE, tmp_path)
    assert files(tmp_path) == {"mine.txt": b"mine", "a.txt": b"mine"}


def test_a_fresh_checkout_is_filled_and_keeps_its_history(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref")
    assert write(TREE, tmp_path) == len(TREE)
    assert files(tmp_path) == TREE | {".git/HEAD": b"ref"}
    assert differences(TREE, tmp_path) == []
    assert (tmp_path / "b" / "script").stat().st_mode & 0o111 == 0o111


def test_nothing_outside_of_a_folder_is_taken_away_whatever_it_says(tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"mine")
    write(TREE, tmp_path / "out")
    said = tmp_path / "out" / WRITTEN
    digest = hashlib.sha256(b"mine").hexdigest()
    outside = {"../mine.txt": digest, str(tmp_path / "mine.txt"): digest}
    said.write_text(json.dumps(json.loads(said.read_text()) | outside))
    write(TREE | {"a.txt": b"new"}, tmp_path / "out")
    assert (tmp_path / "mine.txt").read_bytes() == b"mine"


def test_a_folder_follows_the_kit_and_what_was_put_beside_stays(tmp_path):
    write(TREE, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    later = {"a.txt": b"new", "b/script": TREE["b/script"], "d/e.txt": b"e"}  # b/c.txt is gone
    assert differences(later, tmp_path / "out") == [
        f"{tmp_path / 'out'}: {told}" for told in ("a.txt differs", "b/c.txt is not of it", "d/e.txt is missing")
    ]
    assert write(later, tmp_path / "out") == 3
    assert files(tmp_path / "out") == later | {"mine.txt": b"mine"}
    assert differences(later, tmp_path / "out") == []
    assert write(later, tmp_path / "out") == 0


def test_what_was_changed_by_hand_stays_while_the_kit_has_nothing_new(tmp_path):
    write(TREE, tmp_path)
    for name in ("a.txt", "b/c.txt"):
        (tmp_path / name).write_text("changed")
    later = {"a.txt": b"a", "b/script": b"#!/bin/bash\n"}
    assert write(later, tmp_path) == 1
    assert files(tmp_path) == later | {"a.txt": b"changed", "b/c.txt": b"changed"}
    assert differences(later, tmp_path) == [f"{tmp_path}: a.txt differs"]


def test_what_was_changed_on_both_sides_is_in_the_way_and_named_and_nothing_is_written(tmp_path):
    write(TREE, tmp_path)
    changed = ("a.txt", "b/c.txt")
    for name in changed:
        (tmp_path / name).write_text("changed")
    (tmp_path / "d").write_text("mine")
    before = files(tmp_path)
    later = dict.fromkeys((*TREE, "d", "e"), b"new")
    with pytest.raises(ReleaseError, match=r"in its place: a\.txt, b/c\.txt, d\. Nothing was written"):
        write(later, tmp_path)
    assert files(tmp_path) == before
    for name in (*changed, "d"):
        (tmp_path / name).unlink()
    assert write(later, tmp_path) == 5
    assert files(tmp_path) == later


def test_a_writing_that_was_stopped_goes_on(tmp_path):
    for out in (tmp_path / "fresh", tmp_path / "old"):
        out.mkdir()
        if out.name == "old":
            write({"a.txt": b"old", "b/c.txt": b"old"}, out)
        (out / "a.txt").write_bytes(TREE["a.txt"])  # is as far as it came
        assert write(TREE, out) == 2
        assert files(out) == TREE


def test_of_many_files_in_the_way_the_first_are_named(tmp_path):
    for name in "gfedcba":
        (tmp_path / name).touch()
    with pytest.raises(ReleaseError, match="other files, a, b, c, d, e and 2 more, and"):
        write(TREE, tmp_path)


def test_an_empty_folder_is_filled_and_the_history_beside_a_release_is_no_difference(tmp_path):
    (tmp_path / "out").mkdir()
    assert write(TREE, tmp_path / "out")
    (tmp_path / "out" / ".git").mkdir()
    (tmp_path / "out" / ".git" / "HEAD").write_text("")
    assert differences(TREE, tmp_path / "out") == []


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="cannot be written"):
        write(TREE, tmp_path / "file" / "out.zip")
    with pytest.raises(ReleaseError, match="it is a file"):
        write(TREE, tmp_path / "file")


# The rubric for students

RUBRIC = """# The head.
[grading]
inputs = 5

# Of the part.
[parts."vae.elbo"]
hints = [
    "look",
]
instructor_only = ["a", "b"]
points = { a = 1 }
instructor_only_as_well = 1

# A secret.
# Of two lines.

[questions."1.1"]
asks = \"\"\"
[parts]
are in brackets
\"\"\"

[questions."1.1".answers.elbo]
points = 1

# Of the claim.
[claims."vae.elbo"]
points = 2

# The policy.
[policy]
free_days = 3
"""


def test_the_cut_rubric_keeps_everything_else_as_it_is_written():
    assert public(RUBRIC) == (
        '# The head.\n[grading]\ninputs = 5\n\n# Of the part.\n[parts."vae.elbo"]\nhints = [\n    "look",\n]\n'
        "points = { a = 1 }\ninstructor_only_as_well = 1\n"
        '\n[claims."vae.elbo"]\npoints = 2\n'
        "\n[policy]\nfree_days = 3\n"
    )


POLICY = """
[parts."vae.elbo".points]
a = 1
[claims.game]
equals = { a = "cycles" }
# Anna is ill.
[policy]
due = 2026-12-01T23:59:00+01:00  # not for Anna
per_day = 0.1
latest_days = 7
extensions = { anna = 3 }
drop_lowest = { vae = 1, "g n" = 2 }
extra_credit = ["game", "vae.elbo", "1.1"]
[policy.unknown]
secret = 1
"""


def test_a_student_is_told_the_policy_but_not_whose_it_is_nor_what_is_hidden():
    cut = public(POLICY)
    assert cut.partition("[policy]")[2] == (
        "\ndue = 2026-12-01T23:59:00+01:00\nper_day = 0.1\nlatest_days = 7\n"
        'drop_lowest = { "vae" = 1, "g n" = 2 }\nextra_credit = ["vae.elbo"]\n'
    )
    assert not [word for word in ("nna", "game", "1.1", "secret", "extensions") if word in cut]
    table = "[policy]\nfree_days = 1\n[policy.extensions]\nanna = 3\n[policy.drop_lowest]\nvae = 1\n"
    assert public(table).strip() == '[policy]\nfree_days = 1\ndrop_lowest = { "vae" = 1 }'
    assert public("[grading]\ninputs = 5\n[policy]\nextensions = { anna = 3 }\n") == "[grading]\ninputs = 5\n"


def test_a_claim_that_asks_for_a_word_goes_with_its_tables():
    game, other = '[claims.game]\nequals = { a = "cycles" }\n', "\n# Why.\n[claims.other]\npoints = 1\n"
    assert public(f'{game}{other}\n[claims.last.equals]\na = "x"\n') == "\n[claims.other]\npoints = 1\n"
    assert public(game) == "\n"


def test_a_secret_on_several_lines_goes_as_a_whole():
    assert "hidden" not in public(RUBRIC.replace('["a", "b"]', '[\n    "hidden",\n    "hidden]",\n]'))


@pytest.mark.parametrize(
    "text",
    [
        'questions = { "1.1" = { asks = "x" } }\n',
        'parts = { "vae.elbo" = { instructor_only = ["a"] } }\n',
        "[parts\n",
        "[parts]\n[parts]\n",
        'policy.free_days = 3\n[parts."vae.elbo"]\n',
    ],
)
def test_a_rubric_that_cannot_be_cut_is_refused_and_not_given_out_whole(text):
    with pytest.raises(ReleaseError, match="the rubric cannot be cut for students"):
        public(text)
