"""The names of submissions: readable, safe, and nobody's by accident; and those of files that are no text."""

import os
import unicodedata
from pathlib import Path

import pytest

from grading import records
from grading.grader import Order, circumstances_of
from grading.intake import Source, find, fingerprint
from grading.intake.naming import file_name
from grading.intake.returning import Graded, keep_names, numbered
from tests.kit.packing import directory, zipped

# Names that are not UTF-8

LATIN = [b"M\xfcller.zip", b"ev\xff.zip", b"ev\xfe.zip", b"caf\xe9"]


def folder_of(place, names):
    place.mkdir()
    for name in names:
        (place / os.fsdecode(name)).write_bytes(b"PK")
    return place


def graded(sources):
    return {source.name: Graded(source.file) for source in sources}


def test_a_name_that_is_not_utf8_is_kept_in_a_record_and_found_again(tmp_path):
    folder = folder_of(tmp_path / "class", LATIN)
    sources = find([folder])
    for source in sources:
        made = records.Record(source.name, "refused", circumstances_of(Order()), file=source.file)
        (tmp_path / "record.json").write_bytes(records.encode(made))
        assert records.read(tmp_path / "record.json").file == source.file
        assert source.name.isprintable()
        source.name.encode()
    again = [Source("", source.path) for source in reversed(sources)]
    assert {each.path: each.name for each in keep_names(again, graded(sources))} == {s.path: s.name for s in sources}


def test_no_two_names_become_one():
    names = [*LATIN, b"ev\\xff.zip", b"ev\\x5cxff.zip", b"ev\\\xff.zip", b"ev\\\\xff.zip", b"ev?.zip", b"ev\\xfg.zip"]
    found = [file_name(Path(os.fsdecode(name))) for name in names]
    assert len(set(found)) == len(names)
    assert found[0] == r"M\xfcller.zip"
    for name in ("Müller.zip", r"a\b.zip", "山田.zip", r"c:\xyz"):
        assert file_name(Path("class") / name) == name


def test_a_class_with_such_names_is_graded_and_gone_on_with(tmp_path, elbo):
    folder = folder_of(tmp_path / "class", LATIN[:3])
    (folder / os.fsdecode(b"b\xfcro")).mkdir()
    told = []
    for more in ((), ("--resume",)):
        ended = elbo("grade", folder, "--out", tmp_path / "out", "--only", "vae.log_mean_exp", "--inputs", "2", *more)
        assert (ended.returncode, ended.stderr) == (1, "")
        told.append(ended.stdout)
    assert "0 graded, 4 refused" in told[0]
    assert "4 of 4 were graded before, and are kept" in told[1]
    assert len(list((tmp_path / "out" / "records").iterdir())) == 4


# Several that would have one name


def called(sources):
    return {source.path.name: source.name for source in sources}


def test_of_several_with_one_name_none_has_it(tmp_path):
    folder = directory(tmp_path / "class", {"anna.tar": b"", "anna.zip": b"", "Anna/x": b"", "ben.zip": b""})
    sources = find([folder])
    expected = {"Anna": "Anna-1", "anna.tar": "anna-2", "anna.zip": "anna-3", "ben.zip": "ben"}
    assert called(sources) == called(keep_names(sources, {})) == expected


def test_every_collision_is_told(tmp_path):
    folder = directory(tmp_path / "class", {"anna.tar": b"", "anna.zip": b"", "ben.zip": b""})
    told = list(numbered(find([folder]), {}))
    assert len(told) == 2
    assert told[0].startswith("anna.tar is called anna-1: anna could as well be anna.zip.")
    assert told[1].startswith("anna.zip is called anna-2: anna could as well be anna.tar.")
    groups = [directory(tmp_path / group, {"hand-in.zip": b""}) for group in "abc"]
    told = list(numbered(find(groups), {}))
    assert len(told) == 3
    assert "b/hand-in.zip is called hand-in-2: hand-in could as well be a/hand-in.zip and c/hand-in.zip" in told[1]


def test_what_is_told_obeys_no_name(tmp_path):
    folder = folder_of(tmp_path / "class", [b"a\x1b[31m.zip", b"a\x1b[31m.tar", b"\xff.zip", b"\xff.tar"])
    for told in (
        numbered(find([folder]), {}),
        numbered(find([folder]), {"a-31m": Graded("x"), "xff": Graded("y\x1b")}),
    ):
        sentences = list(told)
        assert len(sentences) == 4
        assert all(sentence.isprintable() and sentence.encode() for sentence in sentences)


def test_a_number_is_nobodys_own_name(tmp_path):
    files = ["anna.tar", "anna-1.zip", "anna.zip", "ANNA-2", "anna-3.py"]
    sources = find([directory(tmp_path / "class", dict.fromkeys(files, b""))])
    expected = {
        "ANNA-2": "ANNA-2",
        "anna-1.zip": "anna-1",
        "anna-3.py": "anna-3",
        "anna.tar": "anna-4",
        "anna.zip": "anna-5",
    }
    assert called(sources) == expected


def test_who_comes_later_has_no_bare_name_that_earlier_ones_could_have_had(tmp_path):
    folder = directory(tmp_path / "class", {"anna.tar": b"", "anna.zip": b"1", "ben.zip": b"", "hw-1.zip": b""})
    first = find([folder])
    directory(folder, {"ANNA.tgz": b"2", "hw.zip": b"", "ben/x": b"", "Ben.tar": b""})
    sources = keep_names(find([folder]), graded(first))
    assert called(sources) == called(first) | {"ANNA.tgz": "ANNA-3", "hw.zip": "hw", "Ben.tar": "Ben-2", "ben": "ben-3"}
    told = list(numbered(sources, graded(first)))
    assert [sentence.partition(":")[0] for sentence in told] == [
        "ANNA.tgz is called ANNA-3", "Ben.tar is called Ben-2", "ben is called ben-3"
    ]  # fmt: skip
    assert "anna-1 is anna.tar, which was graded before" in told[0]
    again = keep_names(find([folder]), graded(sources))
    assert again == sources
    assert list(numbered(again, graded(sources))) == []


def test_names_of_earlier_gradings_stay_and_the_bare_one_with_its_file(tmp_path):
    folder = directory(tmp_path / "class", {"anna.tar": b"", "anna.zip": b"1"})
    before = {"anna": Graded("anna.tar"), "anna-2": Graded("anna.zip")}
    sources = keep_names(find([folder]), before)
    assert called(sources) == {"anna.tar": "anna", "anna.zip": "anna-2"}
    assert list(numbered(sources, before)) == []


# Signs that nobody sees

LATIN_AND_MORE = "Müller José Nguyễn-Thị-Ánh Łukasz x\u0304 Иван Ἀρχιμήδης 山田太郎 김민준"
WITH_MARKS = "محمد مُحَمَّد שָׁלוֹם हिन्दी ไทยที่ မြို့ လျှော့"


@pytest.mark.parametrize("name", [*LATIN_AND_MORE.split(), *WITH_MARKS.split()])
def test_names_of_every_script_stay_readable(tmp_path, name):
    plain = unicodedata.normalize("NFC", name)
    assert [source.name for source in find([zipped(tmp_path / f"{name}.zip", {})])] == [plain]


SEEN_BY_NOBODY = """
    ad 34f 61c 115f 1160 17b4 17b5 180b 180e 180f 200b 200d 202e 2060 2800 3164 fe00 fe0f feff ffa0 13441 16fe4 e0001
    e007f e0100 e01ef
"""


@pytest.mark.parametrize("sign", [chr(int(number, 16)) for number in SEEN_BY_NOBODY.split()])
def test_a_sign_that_nobody_sees_makes_no_other_name(tmp_path, sign):
    names = [sign, f"anna{sign}", f"{sign}ben", f"a{sign}n", "☀\ufe0f carl"]
    folder = directory(tmp_path / "class", {f"{name}.zip": b"" for name in names})
    assert {source.name for source in find([folder])} == {"submission", "anna", "ben", "a-n", "carl"}


def test_marks_do_not_pile_up_and_stand_on_a_letter(tmp_path):
    names = {"a" + "\u0335" * 40: 7, "\u0301\u0301b": 1, "c-\u0301d": 3, "e.\u0300f": 4}
    for name, longest in names.items():
        (source,) = find([zipped(tmp_path / f"{name}.zip", {})])
        assert len(source.name) <= longest
        assert not unicodedata.category(source.name[0]).startswith("M")
        (tmp_path / f"{name}.zip").unlink()


def test_a_name_of_an_earlier_grading_that_would_be_another_today_stays(tmp_path):
    folder = directory(tmp_path / "class", {"anna\u034f.zip": b"1", "anna.zip": b"2"})
    path = {source.path.name: source for source in find([folder])}
    before = {name: Graded(f"{name}.zip", fingerprint(path[f"{name}.zip"])) for name in ("anna\u034f", "anna")}
    assert called(keep_names(find([folder]), before)) == {"anna\u034f.zip": "anna\u034f", "anna.zip": "anna"}
