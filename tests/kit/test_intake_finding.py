"""The submissions that are found in a directory, and their names."""

import pytest

from grading.intake import IntakeError, find
from tests.kit.packing import directory


def test_finding_submissions(tmp_path):
    class_folder = directory(
        tmp_path / "class",
        {
            "alice/exercises/vae/bounds.py": b"",
            "Alice.zip": b"",
            "ALICE.tar.gz": b"",
            "bob.smith/bounds.py": b"",
            "gan/vae/bounds.py": b"",
            "report.pdf": b"",
            "Ünïcode näme (1).ipynb": b"",
            "学.py": b"",
            f"{'x' * 200}.zip": b"",
            "-rf.zip": b"",
            ".hidden": b"",
            "__MACOSX/x": b"",
        },
    )
    found = find([class_folder])
    assert [source.name for source in found] == [
        "rf", "ALICE", "Alice-2", "alice-3", "bob.smith", "gan", "report.pdf", "x" * 80, "Unicode-name-1", "submission",
    ]  # fmt: skip
    for one in (class_folder / "alice", class_folder / "bob.smith", class_folder / "gan", class_folder / "Alice.zip"):
        assert [source.path for source in find([one, one])] == [one]
    with pytest.raises(IntakeError, match=r"class/carol is not there"):
        find([class_folder / "carol"])
    (tmp_path / "empty").mkdir()
    assert [source.name for source in find([tmp_path / "empty"])] == ["empty"]


def test_what_lies_about_in_the_folder_of_a_class_makes_no_submission_of_it(tmp_path):
    one = {"vae/likelihoods.py": b""}
    folder = directory(tmp_path, {f"{name}/{file}": text for name in ("alice", "bob") for file, text in one.items()})
    for stray in ("likelihoods.py", "vae/likelihoods.py"):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).write_bytes(b"")
        assert [source.name for source in find([folder])] == ["alice", "bob", stray.split("/")[0].removesuffix(".py")]
        (folder / stray).unlink()


def test_names_of_a_large_class(tmp_path):
    paths = [
        directory(tmp_path / str(group), {f"{n % 2 * 'A' or 'a'}{n}/.x": b"" for n in range(500)}) for group in range(4)
    ]
    names = [source.name for source in find(paths)]
    assert len({name.lower() for name in names}) == 2000
    assert names == [source.name for source in find(paths)]
