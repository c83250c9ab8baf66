"""`elbo pack`: what goes into the archive, what is told, and what is neither lost nor followed."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from grading import manifest, rubric
from grading.engine.implementation import ROOT
from grading.intake import limits
from grading.intake.choosing import stub_files
from grading.pack import archive
from grading.pack.forms import forms_in, reads_as
from grading.pack.gathering import gather
from grading.pack.report import answered
from grading.selection import select
from grading.written import section_text, template
from tests.kit.packing import taken, told

RUBRIC = rubric.load()
SMALL = msgspec.structs.replace(
    RUBRIC,
    claims={name: claim for name, claim in RUBRIC.claims.items() if claim.experiment == "vae"},
    questions={name: question for name, question in RUBRIC.questions.items() if name.startswith("1.")},
)
FILLED = template(SMALL).replace("Write here.", "It converges.").replace('= ""', '= "-100.0"')
PNG = b"\x89PNG\r\n\x1a\n"
STUBS = {f"exercises/{stub}" for stub in stub_files()}


@pytest.fixture
def work(tmp_path, monkeypatch, make_run):
    """The folder of a student who has done all that there is to do: implementation, report and a run."""
    monkeypatch.setattr(rubric, "load", lambda: SMALL)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "solutions", tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mine" / "report.md").write_text(FILLED, encoding="utf-8")
    make_run("runs/vae-1")
    figures = tmp_path / "runs" / "vae-1" / "figures"
    figures.mkdir()
    for name in ("learning curve.png", "samples.png"):
        (figures / name).write_bytes(PNG + name.encode())
    return tmp_path


@pytest.fixture
def pack(call, work):
    """A function that packs that folder, and returns status, output and errors."""
    return lambda *options: call("pack", "--student", "1234567", "-i", "mine", "--no-check", *options)


def packed(path="submission.zip"):
    """The contents of an archive by their names."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def show(work, *links):
    """Let the report show pictures."""
    report = work / "mine" / "report.md"
    report.write_text(FILLED + "".join(f"\n![a figure](<{link}>)\n" for link in links), encoding="utf-8")


# What is in it


def test_what_is_packed_is_what_the_intake_takes(work, pack):
    status, output, _ = pack()
    assert status == 0, output
    files = packed()
    inner = {
        f"runs/vae-1/{name}" for name in ("config.json", "metrics.jsonl", "summary.json", "checkpoint.safetensors")
    }
    assert files.keys() == STUBS | inner | {"exercises/report.md", "manifest.json"}
    for name, content in files.items():
        if name != "manifest.json":
            assert content == (work / name.replace("exercises/", "mine/")).read_bytes()
    result, written = taken(work / "submission.zip")
    assert (result.files, result.runs) == (tuple(sorted(stub_files())), ("runs/vae-1",))
    assert all(
        files[name.replace("implementation/", "exercises/")] == written[name] for name in written if name in files
    )
    assert "not" not in told(result)


def test_the_manifest_tells_whose_it_is_and_the_digest_of_every_other_file(work, pack):
    pack()
    files = packed()
    found = manifest.read(files.pop("manifest.json"))
    assert found.student == "1234567"
    assert found.files == {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def test_a_picture_that_the_report_shows_is_packed_where_its_link_leads(work, pack):
    (work / "mine" / "sketch.JPG").write_bytes(b"\xff\xd8\xff")
    show(
        work, "../runs/vae-1/figures/learning curve.png", "runs/vae-1/figures/samples.png", "https://example.org/a.png"
    )
    report = work / "mine" / "report.md"
    report.write_text(f"{report.read_text(encoding='utf-8')}<img src='sketch.JPG'>\n", encoding="utf-8")
    status, output, _ = pack()
    assert status == 0, output
    pictures = {
        name: content
        for name, content in packed().items()
        if not name.endswith((".py", ".md", ".json", ".jsonl", ".safetensors"))
    }
    assert pictures == {
        "exercises/sketch.JPG": b"\xff\xd8\xff",
        "runs/vae-1/figures/learning curve.png": PNG + b"learning curve.png",
        "runs/vae-1/figures/samples.png": PNG + b"samples.png",
    }
    assert "example.org/a.png not taken: no picture is fetched" in output
    assert len(taken(work / "submission.zip")[0].figures) == 3


def test_the_grader_grades_what_was_packed(work, pack, elbo):
    assert pack()[0] == 0
    done = elbo(
        "grade", work / "submission.zip", "--out", work / "graded", "--only", "vae.log_mean_exp", "--inputs", "4"
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((work / "graded" / "records" / "submission.json").read_text(encoding="utf-8"))
    assert [part["outcome"] for part in record["parts"]] == ["right"]
    assert record["points"] == record["possible"] > 0


def test_a_file_that_only_goes_on_from_there_is_left_out_however_large(tmp_path):
    training = tmp_path / "runs" / "c" / "trainings" / "cifar10-w1-3"
    training.mkdir(parents=True)
    for path in (tmp_path / "runs" / "c" / "config.json", tmp_path / "runs" / "c" / "summary.json"):
        path.write_text("{}")
    (training / "generator.safetensors").write_bytes(b"1")
    with (training / "checkpoint.safetensors").open("wb") as file:
        file.truncate(1 << 30)
    gathered = gather(ROOT / "solutions", [tmp_path / "runs" / "c"])
    sizes = archive.write(gathered, "1", tmp_path / "a.zip")
    assert {name for name in sizes if name.startswith("runs/")} == {
        "runs/c/config.json",
        "runs/c/summary.json",
        "runs/c/trainings/cifar10-w1-3/generator.safetensors",
    }
    assert not [problem for problem in gathered.problems if "checkpoint" in problem]


def test_the_same_files_give_the_same_bytes(work, pack):
    assert pack("--out", "a.zip")[0] == 0
    for path in (work / "mine" / "vae" / "bounds.py", work / "runs" / "vae-1" / "config.json"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert pack("--out", "b.zip")[0] == 0
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()


# What is missing


def stub_out(work):
    shutil.copy(ROOT / "exercises" / "vae" / "likelihoods.py", work / "mine" / "vae")


def change(file, old, new):
    def changed(work):
        path = work / "mine" / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return changed


def without(*files):
    return lambda work: [(work / file).unlink() for file in files]


def linked(file):
    def link(work):
        target = work / "elsewhere"
        (work / file).rename(target)
        (work / file).symlink_to(target)

    return link


def another_run(name, *lacking):
    def make(work):
        shutil.copytree(work / "runs" / "vae-1", work / "runs" / name)
        for file in lacking:
            (work / "runs" / name / file).unlink()

    return make


def enlarged(file, size):
    def enlarge(work):
        with (work / file).open("r+b") as opened:
            opened.truncate(size)

    return enlarge


def piped(file):
    def pipe(work):
        (work / file).unlink()
        os.mkfifo(work / file)

    return pipe


def broken_metrics(work):
    (work / "runs" / "vae-1" / "metrics.jsonl").write_text('{"epoch": 1}\n')


def fake_picture(work):
    (work / "mine" / "a.png").write_bytes(b"<svg>")
    show(work, "a.png")


PROBLEMS = {
    "a stub file is gone": (without("mine/vae/bounds.py"), "vae/bounds.py is missing"),
    "a topic is gone": (lambda work: shutil.rmtree(work / "mine" / "gan"), "all of gan/ is missing"),
    "a part as handed out": (stub_out, "vae.log_mean_exp is still to be written."),
    "a part is renamed": (
        change("vae/likelihoods.py", "def log_mean_exp(", "def log_mean("),
        "vae.log_mean_exp is missing in vae/likelihoods.py.",
    ),
    "no Python": (change("vae/bounds.py", "import torch", "import = torch"), "vae/bounds.py, line "),
    "a stub file is a link": (linked("mine/gan/steps.py"), "exercises/gan/steps.py is a link"),
    "a topic is a link": (linked("mine/gan"), "exercises/gan/steps.py stands in a link, gan"),
    "a stub file is a pipe": (piped("mine/gan/steps.py"), "exercises/gan/steps.py is a directory, a pipe or a device"),
    "a stub file is too large": (enlarged("mine/gan/steps.py", 2 << 20), "steps.py has 2 MB; the grader reads"),
    "no report": (without("mine/report.md"), "report.md is missing"),
    "the report is a link": (linked("mine/report.md"), "report.md is a link"),
    "no words": (change("report.md", "It converges.", "Write here."), "Question 1.1 has no words"),
    "no section": (change("report.md", "## 1.2", "## One"), "Question 1.2 has no words"),
    "no answer": (change("report.md", '"-100.0"', '""'), "Question 1.1 asks for what is not filled in: elbo"),
    "an answer is no number": (
        change("report.md", '"-100.0"', '"a hundred"'),
        "Question 1.1: elbo = a hundred cannot be read; expected a number with two decimals",
    ),
    "a picture has a path with spaces": (
        lambda work: (work / "mine" / "report.md").write_text(f"{FILLED}![own](plots/own picture.png)\n"),
        "The report shows plots/own picture.png: a path with spaces goes between < and >, as in ![](<plots/own picture",
    ),
    "a picture is gone": (lambda work: show(work, "a.png"), "The report shows a.png, which is not there"),
    "a picture leads out": (lambda work: show(work, "../../../etc/passwd"), "etc/passwd, which is not there"),
    "a picture is none": (lambda work: show(work, "../runs/vae-1/config.json"), "config.json; expected a name such as"),
    "a picture has other content": (fake_picture, "Of 1 pictures in the report the grader takes 0"),
    "no run": (lambda work: shutil.rmtree(work / "runs"), "no finished run of vae: `elbo train vae` makes one"),
    "a run is not finished": (another_run("vae-2", "summary.json"), "runs/vae-2 is not finished and is not packed"),
    "a run has another form": (broken_metrics, "runs/vae-1/metrics.jsonl is not what an experiment writes"),
    "a file of a run is a link": (linked("runs/vae-1/checkpoint.safetensors"), "checkpoint.safetensors is a link"),
    "a checkpoint is too large": (
        enlarged("runs/vae-1/checkpoint.safetensors", limits.RUN_FILE + (1 << 20)),
        "checkpoint.safetensors has 65 MB; the grader reads files of at most 64 MB",
    ),
    "the directory of runs is a link": (linked("runs"), "runs/ is a link, which is not followed. Name the runs"),
}  # fmt: skip


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_missing_is_told_and_nothing_is_written_unless_it_is_asked_for(work, pack, problem):
    spoil, says = PROBLEMS[problem]
    spoil(work)
    status, output, errors = pack()
    assert (status, errors) == (1, "")
    assert says in output
    assert "Nothing was written. Mend these, or pack all the same by --anyway." in output
    assert not list(work.glob("*.zip")) + list(work.glob(".*"))
    status, output, _ = pack("--anyway")
    assert status == 0
    assert says in output
    assert "manifest.json" in packed()


def test_a_link_brings_nothing_of_where_it_leads_into_the_archive(work, pack):
    (work / "secret").write_bytes(PNG + b"secret")
    (work / "mine" / "a.png").symlink_to(work / "secret")
    (work / "runs" / "vae-1" / "trainings").symlink_to(work)
    (work / "runs" / "latest").symlink_to(work / "runs" / "vae-1")
    show(work, "a.png")
    status, output, _ = pack("--anyway")
    assert status == 0
    assert "exercises/a.png is a link" in output
    assert "trainings is a link; put the files themselves there" in output
    assert "runs/latest is a link, which is not followed" in output
    assert not [name for name in packed() if "a.png" in name or "trainings" in name or "latest" in name]


def test_a_link_that_is_named_is_meant(work, pack):
    linked("runs")(work)
    assert pack("runs/vae-1")[0] == 0
    assert "runs/vae-1/checkpoint.safetensors" in packed()


def test_more_runs_than_are_graded_are_named(work, pack):
    for number in range(2, limits.RUNS + 2):
        another_run(f"vae-{number}")(work)
    status, output, _ = pack()
    assert status == 1
    assert f"runs/vae-{limits.RUNS + 1} is not packed: at most {limits.RUNS} runs are graded." in output
    assert pack("runs/vae-9", "runs/vae-2")[0] == 0
    assert {name.split("/")[1] for name in packed() if name.startswith("runs/")} == {"vae-2", "vae-9"}


def test_a_file_beside_the_stub_files_and_figures_that_no_run_reports_are_noted(work, pack):
    (work / "mine" / "vae" / "helpers.py").write_text("x = 1\n")
    status, output, _ = pack()
    assert status == 0
    assert "vae/helpers.py not packed: a stub file imports torch" in output
    assert "Points are for vae.elbo and vae.log_likelihood on binarized_mnist; no run on binarized_mnist" in output


def test_names_that_no_archive_can_hold(work, pack):
    shutil.move(work / "runs" / "vae-1", os.fsencode(work / "runs") + b"/my \xff run")
    (work / "runs" / "my-run" / "trainings").mkdir(parents=True)
    (work / "runs" / "my-run" / "config.json").write_text("{}")
    Path(os.fsdecode(b"runs/my \xff run/\xff.safetensors")).write_bytes(b"")
    status, output, _ = pack()
    assert status == 1
    assert "my-run is not packed: another run has its name" in output
    shutil.rmtree(work / "runs" / "my-run")
    status, output, _ = pack()
    assert status == 0, output
    assert {name.split("/")[1] for name in packed() if name.startswith("runs/")} == {"my-run"}
    (work / "mine" / "b\u202fc.png").write_bytes(PNG)
    show(work, "b\u202fc.png")
    assert "The report shows b?c.png; expected a name such as" in pack()[1]


@pytest.mark.parametrize("link", ["![own](plots/own picture.png)", "![own](a.png)", "![own](notes.txt)"])
def test_a_picture_that_is_missing_is_told_once(work, pack, link):
    (work / "mine" / "notes.txt").write_text("mine")
    (work / "mine" / "report.md").write_text(f"{FILLED}{link}\n", encoding="utf-8")
    _, output, _ = pack()
    assert output.count("The report shows") == 1
    assert "not handed in, though the report shows it" not in output


def test_runs_are_found_beside_the_folder_of_the_stub_files(work, pack, call, monkeypatch):
    (work / "elsewhere").mkdir()
    monkeypatch.chdir(work / "elsewhere")
    arguments = ("pack", "--student", "1234567", "-i", work / "mine", "--no-check")
    status, output, _ = call(*arguments)
    assert status == 0, output
    assert "runs/vae-1/checkpoint.safetensors" in packed()
    (work / "elsewhere" / "runs").mkdir()  # which comes first
    status, output, _ = call(*arguments)
    assert status == 1
    assert f"No run was found. Looked in {work / 'elsewhere' / 'runs'}." in output
    (work / "elsewhere" / "runs").rmdir()
    shutil.rmtree(work / "runs")
    assert f"Looked in {work / 'elsewhere' / 'runs'} and in {work / 'runs'}." in call(*arguments)[1]


def test_a_students_rubric_has_no_claim_that_answers_a_question_and_its_run_is_asked_for(work, pack, monkeypatch):
    monkeypatch.setattr(rubric, "load", lambda: msgspec.structs.replace(SMALL, questions={}))
    status, output, _ = pack()
    assert status == 1
    for experiment in ("dirac", "flows", "cifar10"):
        assert f"There is no finished run of {experiment}" in output


# What the parts do


def test_parts_are_judged_as_the_grader_will_have_them(work, call, monkeypatch):
    some = ("vae.log_mean_exp", "vae.elbo", "gan.w1", "flows.compose")
    parts = select(some, SMALL)
    monkeypatch.setattr("grading.cli.packing.select_parts", lambda _: (SMALL, parts))
    change("vae/likelihoods.py", " - math.log(y.shape[1])", "")(work)
    (work / "mine" / "gan" / "helpers.py").write_text("one = 1\n")
    change("gan/objectives.py", "import math\n", "import math\n\nfrom .helpers import one\n")(work)
    change("vae/bounds.py", "    prior = ", "    if x is not None:\n        raise NotImplementedError\n    prior = ")(
        work
    )
    status, output, _ = call("pack", "--student", "1", "-i", "mine", "--json", "facts.json")
    assert status == 1
    rows = json.loads(Path("facts.json").read_text())["seen"]["parts"]
    states = {row["part"]: row["state"] for row in rows}
    assert rows[0]["file"] == "vae/likelihoods.py"
    assert states["vae.log_mean_exp"] == "wrong"
    assert states["gan.w1"] == "wrong"  # what it imports is not handed in
    assert states["flows.compose"] == "right"
    assert states["vae.elbo"] == "todo"
    assert "vae.elbo is still to be written." in output
    assert "vae.log_mean_exp is wrong, " in output
    assert "the answer differs from what is expected. `elbo check vae.log_mean_exp` tells more." in output
    assert (
        ": gan/helpers.py is not handed in: a stub file imports torch, the standard library, "
        "numpy and other stub files alone. So gan.w1 is wrong."
    ) in output
    assert "tells why" not in output


def test_a_stub_file_that_cannot_be_imported_is_one_problem(work, call, monkeypatch):
    names = ("vae.log_mean_exp", "vae.log_likelihood_normal", "vae.elbo", "gan.jsd", "gan.w1")
    monkeypatch.setattr("grading.cli.packing.select_parts", lambda _: (SMALL, select(names, SMALL)))
    change("vae/likelihoods.py", "import torch\n", "import torch\n\nthis_is_no_name\n")(work)
    change("gan/objectives.py", "import math\n", "import = math\n")(work)
    status, output, _ = call("pack", "--student", "1", "-i", "mine")
    assert status == 1
    told = output.partition("missing or wrong:")[2]
    assert "the file cannot be imported: NameError: name 'this_is_no_name' is not defined. So vae." in told
    assert told.count("NameError") == 1
    assert told.count("gan/objectives.py") == 1
    assert "gan.jsd" not in told  # the file is told


# Where it goes


def test_what_stands_in_its_place_is_kept_and_the_same_archive_is_not_written_twice(work, pack):
    Path("submission.zip").write_bytes(b"theirs")
    assert "what was there before is submission-1.zip now" in pack()[1]
    assert Path("submission-1.zip").read_bytes() == b"theirs"
    first = Path("submission.zip").read_bytes()
    assert pack()[0] == 0
    assert sorted(path.name for path in work.glob("*.zip")) == ["submission-1.zip", "submission.zip"]
    (work / "mine" / "vae" / "bounds.py").open("a").write("# more\n")
    assert "what was there before is submission-2.zip now" in pack()[1]
    assert Path("submission-2.zip").read_bytes() == first != Path("submission.zip").read_bytes()


def test_a_link_in_its_place_is_kept_and_what_it_leads_to_stays(work, pack):
    Path("theirs").write_bytes(b"theirs")
    Path("submission.zip").symlink_to("theirs")
    assert pack()[0] == 0
    assert Path("theirs").read_bytes() == b"theirs"
    assert Path("submission-1.zip").is_symlink()
    assert "manifest.json" in packed()


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from grading.pack import archive

def copy(source, target):
    target.write(source.read(10))
    target.flush()
    os.kill(os.getpid(), signal.SIGKILL)

shutil.copyfileobj = copy
archive.deliver(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_one_that_is_killed_in_the_middle_leaves_no_half_archive(tmp_path):
    made, out = tmp_path / "made.zip", tmp_path / "submission.zip"
    made.write_bytes(b"a new archive")
    for before in (None, b"an older one"):
        if before is not None:
            out.write_bytes(before)
        done = subprocess.run([sys.executable, "-c", KILLED, str(made), str(out)], cwd=ROOT, timeout=120)
        assert done.returncode == -signal.SIGKILL
        assert (out.read_bytes() if out.exists() else None) == before
        assert not list(tmp_path.glob("submission-*"))


def test_one_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    made, out = tmp_path / "made.zip", tmp_path / "submission.zip"
    made.write_bytes(b"new")
    out.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.shutil, "copyfileobj", full)
    with pytest.raises(archive.PackError, match="No space left on device"):
        archive.deliver(made, out)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "made.zip": b"new",
        "submission.zip": b"old",
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--out", "mine/report.md"), "expected a name that ends in .zip"),
        (("--out", "nowhere/a.zip"), "there is no directory nowhere"),
        (("--student", "12 34"), "--student 12 34: expected up to 40 of the letters a to z, digits"),
        (("--student", "Zoë"), "--student Zoë: expected up to 40 of the letters a to z"),
        (("--student", "a\x1b[31m"), "--student a?[31m: expected"),
        (("-i", "nothing"), "no implementation 'nothing'"),
        (("mine",), "mine is no run: there is no config.json"),
        (("-i", "empty"), "no stub file is in it"),
    ],
)
def test_what_cannot_be_carried_out_ends_with_status_2_and_changes_nothing(work, pack, options, says):
    (work / "empty" / "vae").mkdir(parents=True)
    before = sorted(work.rglob("*"))
    status, _, errors = pack("--anyway", *options)
    assert status == 2
    assert says in errors
    assert errors.count("\n") == 1
    assert sorted(work.rglob("*")) == before
    assert (work / "mine" / "report.md").read_text(encoding="utf-8") == FILLED


def test_without_a_number_of_a_student_nothing_is_packed(call, work):
    status, _, errors = call("pack", "-i", "mine")
    assert status == 2
    assert errors.count("\n") == 1
    assert "As in --student 1234567" in errors


def test_programs_are_told_the_same(work, pack):
    show(work, "a.png")
    assert pack("--json", "facts.json")[0] == 1
    facts = json.loads(Path("facts.json").read_text(encoding="utf-8"))
    assert (facts["student"], facts["out"], facts["kept"]) == ("1234567", None, None)
    assert facts["seen"]["problems"] == ["The report shows a.png, which is not there; put it beside the report."]
    assert facts["seen"]["runs"][0]["reports"] == {"vae.elbo": -500.0, "vae.log_likelihood": -500.0}
    assert [section["question"] for section in facts["seen"]["sections"]] == ["1.1", "1.2"]
    assert facts["files"]["exercises/report.md"] == len((work / "mine" / "report.md").read_bytes())
    status, output, _ = pack("--anyway", "--json", "-")
    assert status == 0
    assert json.loads(output)["out"] == "submission.zip"


# The report, where the rubric tells nothing of questions


def test_a_report_tells_itself_what_it_asks():
    bare = msgspec.structs.replace(RUBRIC, questions={})
    text = template(RUBRIC)
    assert [each.question for each in answered(text, bare)] == list(RUBRIC.questions)
    for each in answered(text, bare):
        assert (each.words, each.answers) == (0, {})
        assert each.lacking == list(RUBRIC.questions[each.question].answers)
    filled = text.replace("Write here.", "> so they say\n\nThree words here.", 1).replace('elbo = ""', 'elbo = "-91.2"')
    first, second, *_ = answered(filled, bare)
    assert (first.words, first.answers, first.lacking) == (7, {"elbo": "-91.2"}, [])
    assert second.words == 0
    assert answered("", bare) == []


ORDER = 'log_det_cost = "{}"'


@pytest.mark.parametrize("questions", [RUBRIC.questions, {}])
@pytest.mark.parametrize(("given", "reads"), [("O(d", False), ("O(d^9)", True), ("linear", True), ("a lot", False)])
def test_an_answer_of_another_form_is_not_counted(questions, given, reads):
    report = template(RUBRIC).replace(ORDER.format(""), ORDER.format(given))
    (found,) = (
        each
        for each in answered(report, msgspec.structs.replace(RUBRIC, questions=questions))
        if each.question == "3.2"
    )
    assert found.lacking == []
    assert list(found.unread) == ([] if reads else ["log_det_cost"])
    assert any("log_det_cost" in problem for problem in found.problems) is not reads


def test_a_number_that_is_beyond_all_numbers_is_told_as_not_filled_in():
    (found,) = (each for each in answered(f"## 1.1\n```toml\nelbo = 0x{'F' * 9_000}\n```", RUBRIC) if each.notes)
    assert (found.answers, found.lacking) == ({}, ["elbo"])
    assert found.notes == ["Question 1.1: elbo is a number too large to be read."]


def test_the_form_of_every_answer_is_known():
    for name, question in RUBRIC.questions.items():
        forms = forms_in(section_text(name, RUBRIC))
        assert forms.keys() == question.answers.keys()
        for form in forms.values():
            assert not reads_as(form, "!")
    dirac = forms_in(section_text("2.1", RUBRIC))["dirac-jsd-1"]
    assert [reads_as(dirac, word) for word in ("converges", "Limit-Cycle", "cycle", "explodes")] == [True] * 3 + [False]
