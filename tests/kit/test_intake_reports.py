"""The intake of the report: where it lies, in which form, which pictures it shows, and whose it is."""

import base64
import hashlib
import json
import os
import tarfile
from pathlib import PurePosixPath

import nbformat
import pytest

from grading import manifest, rubric, written
from grading.intake import limits, read_report
from grading.intake.members import Listing, Member
from grading.intake.pictures import pictures_of
from grading.notes import MOST
from tests.kit.packing import LIKELIHOODS, RUN, VAE, directory, taken, tarred, told, zipped

PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n1", b"\xff\xd8\xff\xe02", b"GIF89a3"
REPORT = b"# Report\n\n## 3.2 x\n\nMine.\n"
TEMPLATE = written.template(rubric.load()).encode()


def of_report(files):
    """What was written of the report and its pictures."""
    return {name: content for name, content in files.items() if not name.startswith(("implementation/", "runs/"))}


def report_in(path, files):
    """Take a directory with stub files and others."""
    result, files = taken(directory(path, VAE | files))
    return result, of_report(files)


def showing(*paths):
    return REPORT + "".join(f"\n![a curve]({path})\n" for path in paths).encode()


# Where it lies


@pytest.mark.parametrize("place", ["", "exercises/", "alice/work (2)/exercises/"])
@pytest.mark.parametrize("name", ["report.md", "REPORT.md", "Report.MD"])
def test_it_is_taken_wherever_it_lies(tmp_path, place, name):
    result, files = report_in(tmp_path / "a", {place + name: REPORT})
    assert files == {"report.md": REPORT}
    assert result.report == REPORT.decode()
    assert (result.figures, result.student) == ((), "")


@pytest.mark.parametrize("name", ["report (1).md", "exercises/Report Final.md", "report.txt", "my_report.markdown"])
def test_one_of_another_name_is_taken_where_there_is_no_other(tmp_path, name):
    result, files = report_in(tmp_path / "a", {name: REPORT})
    assert files == {"report.md": REPORT}
    assert f"The report was read from {name}" in told(result).replace("'", "")
    result, files = report_in(tmp_path / "b", {name: b"another", "report.md": REPORT})
    assert files == {"report.md": REPORT}
    assert "The report was read from" not in told(result)


@pytest.mark.parametrize(
    ("line", "student"),
    [
        ("Number: 1234567", "1234567"),
        ("**Number**: a@b.org ", "a@b.org"),
        ("Number:", ""),
        ("Number: my number is 7", ""),
        ("## 3.2 x\n\nThe number: 7", ""),
    ],
)
def test_whose_it_is_stands_in_its_line_and_the_manifest_goes_before(tmp_path, line, student):
    text = f"# Report\n\nName: A\n{line}\n\n## 3.2 x\n\nMine.\n".encode()
    result, _ = report_in(tmp_path / "a", {"report.md": text})
    assert result.student == student
    packed = manifest.make("77", {})
    result, _ = report_in(tmp_path / "b", {"report.md": text, manifest.NAME: manifest.encode(packed)})
    assert result.student == "77"


def test_of_every_form_it_is_the_same_and_counts_in_the_hash(tmp_path):
    files = VAE | RUN | {"exercises/report.md": showing("../runs/vae-1/figures/a.png"), "runs/vae-1/figures/a.png": PNG}
    forms = [
        directory(tmp_path / "dir", files),
        zipped(tmp_path / "a.zip", dict(reversed(files.items()))),
        tarred(tmp_path / "a.tgz", files),
        directory(tmp_path / "moodle", {"a.zip": zipped(tmp_path / "b.zip", files).read_bytes()}),
    ]
    results = [taken(form) for form in forms]
    assert len({result.hash for result, _ in results}) == 1
    assert all(result.figures == ("figures/a.png",) for result, _ in results)
    for change in ({"exercises/report.md": REPORT}, {"runs/vae-1/figures/a.png": PNG + b"2"}):
        assert (
            taken(directory(tmp_path / str(len(change)) / next(iter(change))[-5:], files | change))[0].hash
            != results[0][0].hash
        )


def test_without_one_the_hash_is_what_it_was_and_nothing_is_noted(tmp_path):
    result, files = report_in(tmp_path / "a", {})
    assert (files, result.report, result.figures) == ({}, "", ())
    assert "report" not in told(result)


def test_the_least_deep_that_somebody_wrote_in_is_taken(tmp_path):
    others = {"report.md": TEMPLATE, "a/report.md": REPORT, "a/b/report.md": b"deep", "runs/x/report.md": b"of a run"}
    result, files = report_in(tmp_path / "a", others)
    assert files == {"report.md": REPORT}
    assert "The report was read from a/report.md; report.md, a/b/report.md and runs/x/report.md not taken." in told(
        result
    )
    result, files = report_in(tmp_path / "b", {"report.md": TEMPLATE, "old/report.md": TEMPLATE})
    assert files == {"report.md": TEMPLATE}


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("Größe".encode("utf-8-sig"), None), ("Größe".encode("utf-16"), "utf-16"), ("Größe".encode("latin-1"), "cp1252")],
)
def test_encodings(tmp_path, content, encoding):
    result, _ = report_in(tmp_path / "a", {"report.md": content})
    assert result.report == "Größe"
    assert (f"it was read as {encoding}" in told(result)) is bool(encoding)


def test_signs_that_a_terminal_would_obey_are_replaced(tmp_path):
    result, files = report_in(tmp_path / "a", {"report.md": b"## 3.2\r\n\ta\x1b[31m\0\x9b\xc2\x9b"})
    assert not set("\x1b\0\x9b") & set(result.report)
    assert result.report.startswith("## 3.2\r\n\ta")
    assert files["report.md"].decode() == result.report


def test_one_that_is_too_long_is_told_and_costs_nothing_else(tmp_path):
    result, files = report_in(tmp_path / "a", {"report.md": b"a" * (limits.REPORT + 1)} | RUN)
    assert files == {}
    assert "report.md has more than 500000 bytes" in told(result)
    assert len(result.runs) == 2


def test_one_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    folder = directory(tmp_path / "a", VAE)
    (folder / "report.md").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "vae" / "report.md")
    result, files = taken(folder)
    assert of_report(files) == {}
    assert "report.md is a link; expected a file: not read." in told(result)
    packed = tarred(tmp_path / "a.tgz", VAE, others=[("report.md", tarfile.SYMTYPE, "/etc/passwd")])
    assert of_report(taken(packed)[1]) == {}


@pytest.mark.parametrize("name", ["report.pdf", "my Report.docx", "Report_final.tex"])
def test_a_report_that_no_machine_reads_is_told(tmp_path, name):
    result, files = report_in(tmp_path / "a", {name: b"%PDF"})
    assert files == {}
    assert f"{name} not read: words count where they stand in report.md" in told(result)


def test_too_much_of_it_costs_the_words_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("grading.intake.members.TAKEN", 2000)
    result, files = report_in(tmp_path / "a", {"report.md": b"a" * 3000})
    assert files == {}
    assert "The report was not taken: its files have more than" in told(result)
    assert len(result.files) == len(VAE)


# Its pictures

LINKS = [
    "a.png",
    "./a.png",
    "sub/../a.png",
    "<a.png>",
    "a%2Epng",
    "..\\exercises\\a.png",
    "../exercises/a.png",
    "a.png?raw=true",
    "exercises/a.png",
    "../../../exercises/a.png",
    "/exercises/a.png",
]


@pytest.mark.parametrize("link", LINKS)
def test_a_picture_is_taken_by_whatever_path_it_is_shown_and_shown_by_its_new_one(tmp_path, link):
    files = {"alice/exercises/report.md": showing(link), "alice/exercises/a.png": PNG}
    result, files = report_in(tmp_path / "a", files)
    assert files == {"report.md": showing("figures/a.png"), "figures/a.png": PNG}
    assert result.figures == ("figures/a.png",)


def test_every_way_to_show_one(tmp_path):
    text = b"![a](b.png \"title\") <img width=3 src='c d.jpg'> ![e][f]\n\n[f]: <g/h.gif>\n[i]: j.txt\n"
    files = {"report.md": text, "b.png": PNG, "c d.jpg": JPEG, "g/h.gif": GIF, "j.txt": b"", "k.png": PNG}
    _, files = report_in(tmp_path / "a", files)
    assert set(files) == {"report.md", "figures/b.png", "figures/c-d.jpg", "figures/h.gif"}
    shown = b"![a](figures/b.png \"title\") <img width=3 src='figures/c-d.jpg'> ![e][f]\n\n[f]: figures/h.gif\n"
    assert files["report.md"].startswith(shown)


def test_names_are_safe_and_each_anothers(tmp_path):
    links = ["a/x.png", "b/x.png", "c/X.png", "..%2f..%2fsecret/%00.png", "%1b[31m.png", "x-2.png", "ü.png"]
    names = ["a/x.png", "b/x.png", "c/X.png", "\x1b[31m.png", "x-2.png", "ü.png"]
    files = {"report.md": showing(*links)} | dict.fromkeys(names, PNG)
    _, files = report_in(tmp_path / "a", files)
    pictures = sorted(name.lower() for name in files if name != "report.md")
    assert len(set(pictures)) == len(pictures) == 6
    assert all(
        name.startswith("figures/") and set(name[8:]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        for name in pictures
    )


def test_the_ending_is_that_of_the_content_and_what_is_no_picture_is_not_taken(tmp_path):
    svg, page = b"<svg onload='alert(1)'/>", b"<script>alert(1)</script>"
    files = {"report.md": showing("a.jpg", "b.svg", "c.png", "d.png"), "a.jpg": PNG, "b.svg": svg, "c.png": page}
    result, files = report_in(tmp_path / "a", files)
    assert set(files) == {"report.md", "figures/a.png"}
    assert "b.svg and c.png not taken: no PNG, JPEG or GIF" in told(result)
    assert "d.png not handed in, though the report shows it" in told(result)


OUTSIDE = [
    "/etc/passwd",
    "../../../../etc/passwd",
    "..\\..\\secret.png",
    "C:\\secret.png",
    "file:///etc/passwd",
    "%2e%2e/%2e%2e/secret.png",
    "https://example.org/a.png",
    "//example.org/a.png",
    "data:image/png;base64,AAAA",
    "../secret.png",
    "%00",
    ".",
]


@pytest.mark.parametrize("link", OUTSIDE)
def test_nothing_outside_of_the_hand_in_is_read(tmp_path, link):
    (tmp_path / "secret.png").write_bytes(PNG)
    result, files = report_in(tmp_path / "a", {"report.md": showing(link)})
    assert files == {"report.md": showing(link)}
    assert result.figures == ()
    assert "not handed in" in told(result) or "no picture is fetched" in told(result)


def test_a_link_in_a_comment_is_none(tmp_path):
    result, files = report_in(tmp_path / "a", {"report.md": REPORT + b"<!-- ![](a.png) -->", "a.png": PNG})
    assert set(files) == {"report.md"}
    assert "learning_curve" not in told(report_in(tmp_path / "c", {"report.md": TEMPLATE})[0])
    assert "a.png" not in told(result)


def test_pictures_that_are_too_large_too_many_or_links_are_told(tmp_path):
    many = [f"p{number}.png" for number in range(limits.PICTURES + 3)]
    files = {"report.md": showing("big.png", "link.png", *many), "big.png": PNG + bytes(limits.PICTURE)}
    folder = directory(tmp_path / "a", VAE | files | dict.fromkeys(many, PNG))
    (folder / "link.png").symlink_to(folder / "p1.png")
    result, files = taken(folder)
    assert len(of_report(files)) == 1 + limits.PICTURES - 2
    assert "big.png has more than 1 MB" in told(result)
    assert "link.png is a link" in told(result)
    assert "the report shows more than 24 pictures" in told(result)


class Compared(str):
    """A path that counts how often it is compared with another."""

    __hash__ = str.__hash__
    count = 0

    def __eq__(self, other):
        type(self).count += 1
        return str(self) == other


@pytest.mark.parametrize("path", ["absent-{}.png", "//example.org/{}.png", "attachment:1/{}.png", "here.png?{}"])
def test_of_thousands_of_paths_few_are_looked_for_and_the_others_counted(tmp_path, path):
    paths, attached = [Compared(path.format(number)) for number in range(5_000)], {"attachment:1/0.png": PNG}
    found = Listing({PurePosixPath("here.png"): Member("here.png", "file", lambda: [PNG])})
    Compared.count = 0
    assert len(pictures_of(found, PurePosixPath("."), paths, attached)) <= limits.PICTURES
    assert Compared.count < 10 * len(paths)
    assert "more not looked at: the report shows more than 24 pictures" in "\n".join(found.notes)
    assert found.spent <= len(PNG)


def test_notes_are_bounded_and_the_others_counted(tmp_path):
    long = {f"runs/vae-1/trajectories/{number}.safetensors": None for number in range(40)}
    folder = directory(tmp_path / "a", VAE | RUN)
    for name in long:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(folder / LIKELIHOODS)
    result, _ = taken(folder)
    assert len(result.notes) == MOST + 1
    assert result.notes[-1].endswith(" more")


def test_a_picture_that_unpacks_to_much_is_not_unpacked(tmp_path):
    files = VAE | {"report.md": showing("bomb.png"), "bomb.png": PNG + bytes(50 << 20)}
    result, files = taken(zipped(tmp_path / "a.zip", files))
    assert set(of_report(files)) == {"report.md"}
    assert "bomb.png has more than 1 MB" in told(result)


# As a notebook


def notebook(*cells):
    made = nbformat.v4.new_notebook(cells=list(cells))
    return nbformat.writes(made).encode()


def cell(text, grade_id=None, **others):
    metadata = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
    return nbformat.v4.new_markdown_cell(text, metadata=metadata, **others)


def test_cells_that_are_named_for_a_question_are_its_section(tmp_path):
    cells = [
        cell("# Read me"),
        cell("Mine.", "question_3_2"),
        cell("Other.", "question_3_3"),
        cell("no", "check_vae_elbo"),
    ]
    result, files = report_in(tmp_path / "a", {"work/report.ipynb": notebook(*cells)})
    assert files["report.md"].decode() == result.report
    found = written.sections(result.report, rubric.load())
    assert {name: each.words for name, each in found.items()} == {"3.2": "Mine.", "3.3": "Other."}


def test_of_another_notebook_all_markdown_is_the_report(tmp_path):
    cells = [cell("## 3.2 x\nMine."), nbformat.v4.new_code_cell("## 3.4"), cell("More.\n## 3.3\nOther.")]
    result, _ = report_in(tmp_path / "a", {"Report.ipynb": notebook(*cells)})
    found = written.sections(result.report, rubric.load())
    assert {name: each.words for name, each in found.items()} == {"3.2": "Mine.\n\nMore.", "3.3": "Other."}


def test_a_notebook_counts_where_nobody_wrote_in_the_file(tmp_path):
    files = {"report.ipynb": notebook(cell("## 3.2\nMine."))}
    assert "Mine." in report_in(tmp_path / "a", files | {"exercises/report.md": TEMPLATE})[0].report
    result, _ = report_in(tmp_path / "b", files | {"exercises/report.md": REPORT + b"file"})
    assert result.report.endswith("file")
    assert "report.ipynb not taken" in told(result)


def test_pictures_that_were_pasted_into_a_notebook_are_taken(tmp_path):
    def pasted(content):
        return {"image.png": {"image/png": base64.b64encode(content).decode()}}

    cells = [
        cell(f"![x](attachment:image.png) {n}", f"question_3_{n}", attachments=pasted(PNG + bytes([n]))) for n in (2, 3)
    ]
    result, files = report_in(tmp_path / "a", {"report.ipynb": notebook(*cells)})
    assert {files[name][-1] for name in result.figures} == {2, 3}
    assert all(f"![x]({name})" in result.report for name in result.figures)


BROKEN = {
    "no JSON": b"{",
    "no notebook": b"[]",
    "deep": b"[" * 100_000,
    "source of numbers": notebook(cell("x")).replace(b'"x"', b"[1, 2]"),
    "too long": notebook(cell("x" * (limits.REPORT + 1))),
    "many cells": b'{"cells": [%s]}' % b",".join([b'{"cell_type": "raw"}'] * (limits.CELLS + 1)),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_notebook_that_cannot_be_read_is_told(tmp_path, content):
    result, files = report_in(tmp_path / "a", {"report.ipynb": content})
    assert files == {}
    assert "report.ipynb is no notebook" in told(result)


@pytest.mark.parametrize(
    "attached", [b'"y"', b"null", b"[]", b'{"a": 3}', b'{"a": {"image/png": ["x"], "image/jpeg": 3}}']
)
def test_odd_attachments_cost_no_words(tmp_path, attached):
    content = notebook(cell("## 3.2")).replace(b'"metadata": {},', b'"metadata": {}, "attachments": ' + attached + b",")
    assert report_in(tmp_path / "a", {"report.ipynb": content})[1] == {"report.md": b"## 3.2"}


@pytest.mark.parametrize("content", [b'"\xff\xfe"', b'"QUJD\xc0\x80"', b'"\xed\xa0\x80"', rb'"\ud800"'])
def test_a_picture_that_is_no_text_costs_itself_alone(tmp_path, content):
    whole = base64.b64encode(PNG)
    attached = b'{"a.png": {"image/png": ' + content + b'}, "b.png": {"image/png": "' + whole + b'"}}'
    shows = cell("![a](attachment:a.png) ![b](attachment:b.png)", "question_3_2")
    made = notebook(shows).replace(b'"metadata": {', b'"attachments": ' + attached + b', "metadata": {', 1)
    result, found = taken(directory(tmp_path / "a", VAE | {"report.ipynb": made}))
    assert found["figures/b.png"] == PNG
    assert "![a](attachment:1/a.png)" in result.report
    assert "attachment:1/a.png not taken" in told(result)


def test_what_nobody_expects_of_a_report_costs_the_words_alone(tmp_path, monkeypatch):
    def trips(listing):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr("grading.intake.taking.report_files", trips)
    result, _ = taken(directory(tmp_path / "a", VAE | {"report.md": b"## 3.2"}))
    assert result.files == tuple(sorted(VAE))
    assert result.report == ""
    assert "The report was not taken: it is damaged (UnicodeDecodeError" in told(result)


def test_whatever_stands_in_outputs_a_report_is_read(tmp_path):
    made = json.loads(notebook(cell("## 3.2 \U0001f600 \\ud800"), nbformat.v4.new_code_cell("1")))
    made["cells"][1]["outputs"] = [{"text": "\ud800", "deep": [[{}]]}]
    result, _ = report_in(tmp_path / "a", {"report.ipynb": b"\xef\xbb\xbf" + json.dumps(made).encode()})
    assert result.report == "## 3.2 \U0001f600 \\ud800"


def test_a_notebook_of_version_3_is_read(tmp_path):
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["3.2 ", "x"]},
        {"cell_type": "markdown", "source": "Mine."},
    ]
    made = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells, "metadata": {}}]}
    result, _ = report_in(tmp_path / "a", {"report.ipynb": json.dumps(made).encode()})
    assert result.report == "## 3.2 x\n\nMine."


@pytest.mark.parametrize("metadata", [3, {"nbgrader": 3}, {"nbgrader": {"grade_id": ["question_3_2"]}}])
def test_names_of_cells_that_are_none_harm_nothing(tmp_path, metadata):
    made = json.loads(notebook(cell("")))
    made["cells"][0] |= {"metadata": metadata, "source": "## 3.2\nMine. \ud83d"}
    result, files = report_in(tmp_path / "a", {"report.ipynb": json.dumps(made).encode()})
    assert files == {"report.md": b"## 3.2\nMine. ?"} or "is no notebook" in told(result)


# Whose it is


def test_the_manifest_names_the_student_and_what_was_changed_since(tmp_path):
    files = VAE | {"exercises/report.md": REPORT}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    made = manifest.encode(manifest.make("1234567", digests))
    result, _ = taken(
        directory(tmp_path / "a", {f"alice/{n}": c for n, c in (files | {"manifest.json": made}).items()})
    )
    assert result.student == "1234567"
    assert "since it was packed" not in told(result)
    changed = files | {"manifest.json": made, "vae/bounds.py": b"# other", "exercises/report.md": REPORT + b"more"}
    del changed["vae/divergences.py"]
    result, _ = taken(directory(tmp_path / "b", changed))
    assert "exercises/report.md and vae/bounds.py changed since it was packed, by manifest.json." in told(result)
    assert "vae/divergences.py went away since it was packed" in told(result)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{" * 10_000, b'{"format": 1, "student": "\\u001b[31m"}', b" " * (2 << 20)]
)
def test_a_manifest_that_is_none_names_nobody(tmp_path, content):
    result, _ = taken(directory(tmp_path / "a", VAE | {"manifest.json": content}))
    assert result.student == ""


def test_a_manifest_that_names_files_outside_harms_nothing(tmp_path):
    digest = hashlib.sha256(b"x").hexdigest()
    made = {
        "format": 1,
        "student": "7",
        "kit": "1",
        "python": "3",
        "torch": "2",
        "files": {"../x": digest, "/etc/passwd": digest},
    }
    result, _ = taken(directory(tmp_path / "a", VAE | {"manifest.json": json.dumps(made).encode()}))
    assert result.student == "7"
    assert "passwd" not in told(result)


def test_the_report_can_be_read_alone(tmp_path):
    files = {"exercises/report.md": showing("a.png"), "a.png": PNG}
    expected = {"report.md": showing("figures/a.png"), "figures/a.png": PNG}
    assert read_report(zipped(tmp_path / "a.zip", files)) == expected  # without stub files too
    assert read_report(directory(tmp_path / "empty", {})) == {}
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04")
    assert read_report(tmp_path / "b.zip") == read_report(tmp_path / "gone") == {}
