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
            "Jose\u0301.zip": b"",
            "José.tar": b"",
            "ÜNÏCODE näme (1).zip": b"",
            ".hidden": b"",
            "__MACOSX/x": b"",
        },
    )
    found = find([class_folder])
    assert [source.name for source in found] == [
        "rf", "ALICE", "Alice-2", "José", "José-2", "alice-3", "bob.smith", "gan", "report.pdf", "x" * 80,
        "ÜNÏCODE-näme-1", "Ünïcode-näme-1-2", "学",
    ]  # fmt: skip
    for one in (class_folder / "alice", class_folder / "bob.smith", class_folder / "gan", class_folder / "Alice.zip"):
        assert [source.path for source in find([one, one])] == [one]
    with pytest.raises(IntakeError, match=r"class/carol is not there"):
        find([class_folder / "carol"])
    (tmp_path / "empty").mkdir()
    assert [source.name for source in find([tmp_path / "empty"])] == ["empty"]


def test_letters_of_every_script_are_kept_apart(tmp_path):
    names = [
        "Müller",
        "Muller",
        "Möller",
        "Ιωάννης",
        "Иван",
        "Йван",
        "山田太郎",
        "山田花子",
        "김민준",
        "محمد",
        "Łukasz",
        "ß",
    ]
    folder = directory(tmp_path / "class", {f"{name}/vae/bounds.py": b"" for name in names})
    assert {source.name: source.path.name for source in find([folder])} == {name: name for name in names}


def test_nothing_of_a_name_leads_out_of_where_records_are_kept(tmp_path):
    names = [
        "..a",
        "a\\b",
        "／etc",
        "‮gnp",
        "a\x1b[31m",
        "a\nb",
        "…",
        "=1+1",
        "@x",
        "學 生",
        "-",
        "a\u2028b",
        "a\udce9b",
    ]
    folder = directory(tmp_path / "class", {f"{name}/vae/bounds.py": b"" for name in names})
    for source in find([folder]):
        assert source.name.isprintable()
        assert source.name[0] not in ".-=+@"
        assert not set(source.name) & set("/\\ :\u202e")
        source.name.encode()


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
