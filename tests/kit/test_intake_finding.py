"""The submissions that are found in a directory, and their names."""

import pytest

from grading.intake import IntakeError, find, fingerprint
from grading.intake.finding import doubtful
from grading.intake.returning import Graded, keep_names, numbered
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
        "rf", "ALICE-1", "Alice-2", "José-1", "José-2", "alice-3", "bob.smith", "gan", "report.pdf", "x" * 80,
        "ÜNÏCODE-näme-1-1", "Ünïcode-näme-1-2", "学",
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


def of_class(folder):
    return [source.name for source in find([folder])]


@pytest.mark.parametrize("stray", ["likelihoods.py", "vae/likelihoods.py"])
@pytest.mark.parametrize(
    "others",
    [
        ("anna.ipynb", "bob.ipynb", "carl.ipynb"),
        ("anna_1/work.zip", "bob_2/work.tar.gz"),
        ("anna_1/vae.ipynb", "bob_2/report.ipynb"),
        ("anna_1/bounds.py", "bob_2/steps.py"),
        ("anna.zip", "bob_2/x.ipynb"),
    ],
)
def test_code_that_lies_about_makes_no_submission_of_notebooks_and_of_folders_with_archives(tmp_path, stray, others):
    folder = directory(tmp_path, dict.fromkeys([*others, stray], b""))
    expected = sorted({name.split("/")[0] for name in (*others, stray)})
    assert [source.path.name for source in find([folder])] == expected
    (told,) = doubtful([folder])
    assert "is taken for the folder of a class, as" in told
    assert f"with {stray.split('/')[0]} as somebody's" in told


@pytest.mark.parametrize(
    "files",
    [
        ("vae/bounds.py", "vae.ipynb", "gan.ipynb", "flows.ipynb", "report.ipynb"),
        ("vae/bounds.py", "data/cifar.tar.gz"),
        ("vae/bounds.py", "vae/old.zip", "gan/old.zip", "plots.ipynb"),
        ("vae/bounds.py", "notebooks/a.ipynb", "notebooks/b.ipynb"),
        ("vae/bounds.py", ".venv/a.zip", ".git/b.zip", "__pycache__/c.ipynb"),
    ],
)
def test_what_one_student_has_makes_no_class(tmp_path, files):
    folder = directory(tmp_path / "anna", dict.fromkeys(files, b""))
    assert of_class(folder) == ["anna"]
    assert list(doubtful([folder])) == []


@pytest.mark.parametrize("code", [("vae/bounds.py", "gan/steps.py"), ("exercises/vae/bounds.py",)])
def test_a_submission_with_notebooks_of_its_own_stays_one_and_that_is_told(tmp_path, code):
    folder = directory(tmp_path / "anna", dict.fromkeys([*code, "a.ipynb", "b.ipynb", "old/c.ipynb"], b""))
    assert of_class(folder) == ["anna"]
    (told,) = doubtful([folder])
    assert "anna is taken for one submission, though a.ipynb, b.ipynb and old are in it" in told


def test_a_folder_of_a_class_without_stray_code_is_no_doubt(tmp_path):
    files = ("anna/vae/bounds.py", "bob/vae/bounds.py", "carl.zip", "dora.ipynb", "emil.ipynb")
    folder = directory(tmp_path, dict.fromkeys(files, b""))
    assert of_class(folder) == ["anna", "bob", "carl", "dora", "emil"]
    assert list(doubtful([folder, folder / "carl.zip", tmp_path / "gone"])) == []


def test_names_of_a_large_class(tmp_path):
    paths = [
        directory(tmp_path / str(group), {f"{n % 2 * 'A' or 'a'}{n}/.x": b"" for n in range(500)}) for group in range(4)
    ]
    names = [source.name for source in find(paths)]
    assert len({name.lower() for name in names}) == 2000
    assert names == [source.name for source in find(paths)]


# Those that were graded before


def graded(sources):
    """What records say of these submissions, by name."""
    return {source.name: Graded(source.path.name, fingerprint(source)) for source in sources}


def names(sources, base):
    return {str(source.path.relative_to(base)): source.name for source in sources}


@pytest.mark.parametrize("new", ["bob.tar", "BOB.zip", "bob/vae/bounds.py", "Bob.ipynb"])
def test_a_name_stays_with_the_file_that_was_graded_under_it(tmp_path, new):
    folder = directory(tmp_path, {"bob.zip": b"bob's", "anna.zip": b"anna's"})
    before = graded(find([folder]))
    directory(tmp_path, {new: b"somebody else's", "carl.zip": b""})
    sources = keep_names(find([folder]), before)
    found = names(sources, tmp_path)
    file = new.split("/")[0]
    assert (found["bob.zip"], found["anna.zip"], found["carl.zip"]) == ("bob", "anna", "carl")
    assert found[file].lower() == "bob-2"
    (told,) = numbered(sources, before)
    assert f"{file} is called {found[file]}" in told
    assert "bob.zip" in told
    again = keep_names(find([folder]), graded(sources))
    assert again == sources
    assert list(numbered(again, graded(sources))) == []


def test_a_file_that_was_replaced_is_the_same_submission(tmp_path):
    folder = directory(tmp_path, {"bob.zip": b"first", "Bob.tar": b"another's", "anna/vae/bounds.py": b""})
    sources = find([folder])
    directory(tmp_path, {"bob.zip": b"second", "anna/vae/bounds.py": b"pass"})
    assert keep_names(find([folder]), graded(sources)) == sources


def test_the_name_of_a_file_that_is_gone_is_nobody_elses(tmp_path):
    folder = directory(tmp_path, {"bob.zip": b"bob's"})
    before = graded(find([folder]))
    (folder / "bob.zip").unlink()
    directory(tmp_path, {"bob.tar": b"somebody else's"})
    assert names(keep_names(find([folder]), before), tmp_path) == {"bob.tar": "bob-2"}


def test_files_of_one_name_in_several_folders_are_told_apart_by_what_is_in_them(tmp_path):
    folders = [directory(tmp_path / group, {"bob.zip": group.encode()}) for group in ("b", "c")]
    before = graded(find(folders))
    assert list(before) == ["bob-1", "bob-2"]
    more = directory(tmp_path / "a", {"bob.zip": b"a"})
    sources = keep_names(find([more, *folders]), before)
    assert names(sources, tmp_path) == {"a/bob.zip": "bob-3", "b/bob.zip": "bob-1", "c/bob.zip": "bob-2"}
    (told,) = numbered(sources, before)
    assert "bob.zip is called bob-3: bob-1 is another bob.zip" in told
    (folders[1] / "bob.zip").write_bytes(b"c again")  # the only one of that name that is not as it was
    assert names(keep_names(find(folders), before), tmp_path) == {"b/bob.zip": "bob-1", "c/bob.zip": "bob-2"}
    (folders[0] / "bob.zip").write_bytes(b"b again")  # which of the two was bob is not known any more
    assert names(keep_names(find(folders), before), tmp_path) == {"b/bob.zip": "bob-3", "c/bob.zip": "bob-4"}


def collected(base, *students):
    for student in students:
        place = base / "submitted" / student / "deep-generative-models"
        if not place.exists():
            directory(place, {"vae.ipynb": student.encode()})
    return [base / "submitted" / student for student in sorted(students)]


def test_what_nbgrader_collected_has_the_name_of_the_student(tmp_path):
    paths = collected(tmp_path, "anna", "bob")
    before = graded(find(paths))
    assert list(before) == ["anna", "bob"]
    assert [source.name for source in find([tmp_path / "submitted"])] == ["anna", "bob"]
    (paths[1] / "deep-generative-models" / "vae.ipynb").write_bytes(b"handed in again")
    sources = keep_names(find([*collected(tmp_path, "aaron"), *paths]), before)
    assert [source.name for source in sources] == ["aaron", "anna", "bob"]
    assert list(numbered(sources, before)) == []
    assert [source.name for source in keep_names(find(collected(tmp_path, "carl")), before)] == ["carl"]


def test_names_that_an_earlier_kit_gave_to_what_nbgrader_collected_stay(tmp_path):
    anna, bob = find(collected(tmp_path, "anna", "bob"))
    file = "deep-generative-models"
    before = {file: Graded(file, fingerprint(anna)), f"{file}-2": Graded(file, fingerprint(bob))}
    sources = keep_names(find(collected(tmp_path, "aaron", "anna", "bob")), before)
    assert [source.name for source in sources] == ["aaron", file, f"{file}-2"]


def test_of_a_record_that_names_no_file_the_name_is_free(tmp_path):
    folder = directory(tmp_path, {"bob.zip": b"bob's"})
    assert keep_names(find([folder]), {"bob": Graded()}) == find([folder])
