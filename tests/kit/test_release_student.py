"""What a class gets: everything that a student needs, nothing that answers, and a command that offers what works."""

import ast
import importlib.util
import json
import re
import shutil
import zipfile
from itertools import pairwise
from pathlib import PurePosixPath

import msgspec
import nbformat
import pytest

from exercises.experiments.dirac import predictions, settings
from exercises.experiments.dirac.outcomes import WORDS
from grading import rubric
from grading.bank import entries
from grading.catalogue import all_parts
from grading.engine.implementation import ROOT, TOPICS
from grading.nbgrader.notebooks import topic_notebook
from grading.release import ReleaseError, stubs
from grading.release.imports import needed
from grading.release.student import FINGERPRINTS, TOP, student
from tests.kit import environments
from tests.kit.test_release import answers

GENERIC = 12  # signs: a shorter line, `return z`, is nobody's answer
PICTURES = (".png", ".gif")
# Lines of an answer that stand elsewhere too, and why they answer nothing.
COINCIDENCES = {
    # The names of the four arguments, in the handout's order.
    ("mu_q, logvar_q, mu_p, logvar_p = (", "tests/vae/test_divergences.py"),
    # A step of an optimiser is one everywhere.
    ("loss.backward()", "exercises/experiments/flows/training.py"),
    ("loss.backward()", "exercises/experiments/vae/training.py"),
    # Solving a layer for its input begins with a call of the student's own function.
    ("u_hat = constrain_u(u, w)", "exercises/experiments/flows/inversion.py"),
}
COMMON_LINES = {"return value", "value.detach()", "with torch.no_grad():"}  # of any code
# Where an order of cost is a form of an answer: offered by the report, and known to what reads any.
FORMS = {"exercises/report.md", "grading/pack/forms.py", "grading/rubric.py", "grading/written/orders.py"}
# Where what was done may be said: beside what it answers, and of what a student's own property is tried on.
SENTENCES = {FINGERPRINTS, *(f"tests/{topic}/test_properties.py" for topic in TOPICS)}
PHRASE = 5  # words in a row
# Phrases of a criterion that stand elsewhere too, and why they answer nothing.
COMMON = {
    "is at least the mean of": "of log_mean_exp and of the estimate, as their properties say",
    "the logarithm of a mean": "what log_mean_exp is called in a hint",
    "the jacobian is i u": "a hint on planar, which is asked for",
    "with the order of the checkpoints": "what a rank correlation is taken with",
    "for several u w b": "what the given figure shows",
    "a cycle and ends none": "a caption of the table that a run of the student's own fills",
}
# The logarithm of N(0, I), by which the properties judge a flow's base.
OF_THE_BANK = {("return -0.5 * (z**2 + math.log(2 * math.pi)).sum(1)", "tests/flows/test_objectives.py")}


@pytest.fixture(scope="module")
def tree():
    return student()


@pytest.fixture(scope="module")
def texts(tree):
    """The text of each file, its lines without what stands before and after them; of JSON its strings as well."""
    found = {path: content.decode() for path, content in tree.items() if not path.endswith(PICTURES)}
    found[FINGERPRINTS] += "\n".join(strings(json.loads(found[FINGERPRINTS])))
    return {path: lines(text) for path, text in found.items()}


def strings(value):
    """Every string in what was read from JSON."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return (
        [value] if isinstance(value, str) else [s for v in value for s in strings(v)] if isinstance(value, list) else []
    )


def lines(text):
    return "\n".join(line.strip() for line in text.splitlines())


def bodies():
    """The lines of each function in the bank."""
    for path in sorted((ROOT / "grading" / "bank").glob("*/*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                body = source.splitlines()[node.body[0].lineno - 1 : node.end_lineno]
                yield [line.strip() for line in body if line.strip()]


# No answer


def answers_in(texts):
    """Each line of an answer, also without its `return`, with the files in which it stands."""
    told = {line.removeprefix(word) for line in answers() for word in ("", "return ")} - COMMON_LINES
    assert len(told) > 100
    return {(line, path) for line in told if len(line) >= GENERIC for path, text in texts.items() if line in text}


def test_no_line_of_an_answer_stands_in_any_file(texts):
    assert answers_in(texts) == COINCIDENCES


@pytest.mark.parametrize("path", ["exercises/vae/README.md", "exercises/experiments/vae/networks.py", "data/digits.py"])
@pytest.mark.parametrize("form", ["{}\n", "    return {}\n", "    answer = {}  # found\n", "By `{}`, that is.\n"])
def test_a_line_of_an_answer_is_seen_wherever_it_stands(texts, path, form):
    line = "torch.logsumexp(y, dim=1) - math.log(y.shape[1])"
    assert (line, path) in answers_in({path: texts[path] + form.format(line)})


def test_no_two_lines_of_a_function_in_the_bank_stand_together_in_any_file(texts):
    pairs = {"\n".join(pair) for body in bodies() for pair in (pairwise(body) if body[1:] else [body])}
    told = {pair for pair in pairs if len(pair) >= GENERIC}
    assert len(told) > 1000
    assert {(pair, path) for pair in told for path, text in texts.items() if pair in text} == OF_THE_BANK


@pytest.fixture(scope="module")
def said():
    """What the bank says of its entries: what was done, and where to think again."""
    known = [entry for part in all_parts() for entry in entries(part.name)]
    return {text for entry in known for text in (entry.sentence, entry.reasoning) if len(text) >= GENERIC}


def test_nothing_that_the_bank_says_stands_in_any_file_but_beside_what_its_mistakes_answer(texts, said):
    assert len(said) > 700
    others = {path: text for path, text in texts.items() if path not in SENTENCES}
    assert {(sentence, path) for sentence in said for path, text in others.items() if sentence in text} == set()


def test_what_is_known_of_mistakes_is_numbers_and_what_the_bank_says_of_them(tree, said):
    known = json.loads(tree[FINGERPRINTS])
    parts = [known[name]["mistakes"] for name in known]
    prose = {one[key] for mistakes in parts for one in mistakes for key in ("sentence", "reasoning")}
    assert len(prose) > 300
    assert {text for text in prose if not any(one in text for one in said)} == set()
    for one in [one for mistakes in parts for one in mistakes]:
        assert set(one) == {"names", "sentence", "reasoning", "differs", "pair"}
    assert [text for text in strings(known) if "\n" in text] == []


def test_what_is_known_of_mistakes_is_given_out_as_it_is_and_nothing_beside_it(tmp_path):
    root = environments.checkout(tmp_path / "kit")
    known = b'{"vae.log_mean_exp": {"right": [[0.5]], "mistakes": [{"names": ["a"], "sentence": "b"}]}}\n'
    (root / FINGERPRINTS).write_bytes(known)
    (root / "grading" / "diagnosis" / "notes.json").write_bytes(b"{}")
    found = student(root)
    assert found[FINGERPRINTS] == known
    assert "grading/diagnosis/notes.json" not in found
    (root / FINGERPRINTS).unlink()
    with pytest.raises(ReleaseError, match=f"{FINGERPRINTS} cannot be read"):
        student(root)


def test_what_names_mistakes_is_in_it_and_not_what_looks_for_them_in_the_bank(tree):
    code = {path: content for path, content in tree.items() if path.startswith("grading/diagnosis/")}
    assert "grading/diagnosis/naming.py" in code
    assert [path for path, content in code.items() if b"grading.bank" in content] == []


def phrases(text):
    """Every few words in a row of a text; of a formula, whose letters any other has too, none."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    found = {tuple(words[start : start + PHRASE]) for start in range(len(words) - PHRASE + 1)}
    return {" ".join(phrase) for phrase in found if sum(len(word) > 2 for word in phrase) > 1 and "log" not in phrase}


def test_no_phrase_of_a_criterion_stands_in_any_file(texts):
    questions = rubric.load().questions.values()
    common = set.union(*(phrases(question.asks) for question in questions), *map(phrases, COMMON))
    told = set.union(*(phrases(c.text) for question in questions for c in question.criteria)) - common
    assert len(told) > 200
    found = {
        (phrase, path)
        for path, text in texts.items()
        if path != "exercises/report.md"
        for phrase in told & phrases(text)
    }
    assert found == set()


def test_no_class_stands_beside_a_configuration_in_any_file(texts):
    names = "|".join(re.escape(c.name) for c in settings.CONFIGURATIONS)
    beside = re.compile(rf"\b(?:{names})\b.*\b(?:{'|'.join(WORDS)})\b|\b(?:{'|'.join(WORDS)})\b.*\b(?:{names})\b")
    assert beside.search('"dirac.class.dirac-jsd-1": "cycles"')
    assert {(path, found[0]) for path, text in texts.items() if (found := beside.search(text))} == set()


def test_no_order_of_a_cost_stands_in_any_file_but_as_a_form(texts):
    order = re.compile(r"(?<!\w)O\([kd]")
    assert order.search("in $O(d)$")
    assert {path for path, text in texts.items() if order.search(text)} <= FORMS


def test_nothing_that_the_reference_finds_is_in_it(tree, texts):
    assert not [path for path in tree if path.startswith("exercises/experiments/results")]
    assert not [path for path, text in texts.items() if "<details" in text]
    handouts = [f"exercises/{topic}/README.md" for topic in ("vae", "gan", "flows")]
    assert all("<details>" in (ROOT / path).read_text(encoding="utf-8") for path in handouts)
    assert "What is a matter of choice" in texts[handouts[2]]
    assert "equals = " not in texts["grading/rubric.toml"]
    assert "breaks down" not in texts["grading/rubric.toml"]


def test_what_a_handout_still_shows_is_given_out(tmp_path):
    root = environments.checkout(tmp_path / "kit")
    file = root / "exercises" / "vae" / "README.md"
    picture = "exercises/experiments/results/vae-paper/samples.png"
    file.write_text(f"![digits](../{picture.removeprefix('exercises/')})\n\n{file.read_text()}")
    found = student(root)
    assert {path for path in found if "results/" in path} == {picture}


def test_its_documents_name_nothing_that_is_not_there(texts):
    read = {
        path: text for path, text in texts.items() if path.endswith(".md") or path.startswith(("exercises/", "tests/"))
    }
    words = ("tests.bench", "solutions", "reference functions")
    assert {(path, word) for path, text in read.items() for word in words if word in text} == set()


def test_the_rubric_is_the_whole_one_but_for_what_is_hidden(tree, tmp_path):
    (tmp_path / "rubric.toml").write_bytes(tree["grading/rubric.toml"])
    whole, cut = rubric.load(), rubric.load(tmp_path / "rubric.toml")
    parts = {name: msgspec.structs.replace(part, instructor_only=[]) for name, part in whole.parts.items()}
    claims = {name: claim for name, claim in whole.claims.items() if not claim.equals}
    assert len(claims) == len(whole.claims) - 20
    assert cut == rubric.Rubric(parts, claims, whole.grading)
    assert "No student" not in tree["grading/rubric.toml"].decode()


def test_nothing_of_the_instructors_is_in_it(tree):
    folders = {"/".join(PurePosixPath(path).parts[:2]) for path in tree if path.startswith(("grading", "solutions"))}
    assert not folders & {"grading/bank", "grading/nbgrader", "grading/views", "solutions/vae"}
    names = ("grading/cli/grading.py", "grading/grader.py", "grading/pages/class_page.py")
    assert not set(names) & tree.keys()
    code = {path for path in tree if path.startswith("grading/release")}
    assert code <= {"grading/release/__init__.py", "grading/release/stubs.py"}  # what tells a stub from work
    assert not [path for path in tree if path.startswith(("tests/kit", "tests/bench"))]
    assert not [path for path in tree if "__pycache__" in path or path.startswith("data/cache")]


def test_the_stubs_are_those_that_the_solutions_give_whatever_stands_in_exercises(tree):
    assert {path: tree[f"exercises/{path}"].decode() for path, _ in stubs()} == dict(stubs())


def test_predictions_that_somebody_wrote_down_are_not_given_out(tmp_path):
    root = environments.checkout(tmp_path / "kit")
    file = root / "exercises" / "gan" / predictions.FILE
    file.write_text(file.read_text().replace('dirac-w1-1 = ""', 'dirac-w1-1 = "cycles"'))
    with pytest.raises(ReleaseError, match="holds predictions, such as of dirac-w1-1"):
        student(root)


# Everything needed


def test_a_file_brings_along_what_it_imports_and_what_that_imports(tmp_path):
    for path, text in {
        "grading/__init__.py": "",
        "grading/a.py": "from grading import b\nif TYPE_CHECKING:\n    from grading import types\n",
        "grading/b.py": "import torch\ndef f():\n    from .c import d\n",
        "grading/c/__init__.py": "from ..d import x\nimport grading.bank\n",
        "grading/d.py": "",
        "grading/bank.py": "import grading.types\n",
        "grading/types.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = needed(tmp_path, ["grading/a.py"], ["grading/bank.py"])
    assert found == {f"grading/{name}.py" for name in ("__init__", "a", "b", "c/__init__", "d")}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory, tree):
    """The folder as a student has it, and the commands of an environment of its own."""
    from grading.release.trees import zipped

    place = tmp_path_factory.mktemp("student")
    (place / "kit.zip").write_bytes(zipped(tree, TOP))
    environments.unzip(place / "kit.zip", place)
    commands = environments.make(place / "venv")
    environments.install(commands, place / TOP)
    environments.cut_off(commands)
    return place / TOP, commands


@pytest.fixture
def run(unpacked):
    """A function that runs a command of the environment in the folder."""
    folder, commands = unpacked
    return lambda name, *arguments: environments.run([commands / name, *map(str, arguments)], folder)


def test_its_packages_are_its_own_and_there_is_no_solution(run, unpacked):
    done = run("python", "-c", "import grading, tests, data, exercises, sys; print(grading.__file__, tests.__file__)")
    folder, _ = unpacked
    assert done.stdout.split() == [str(folder / room / "__init__.py") for room in ("grading", "tests")], done.stderr
    done = run("python", "-c", "import solutions")
    assert "No module named 'solutions'" in done.stderr


def test_each_of_its_modules_can_be_imported(run, tree):
    rooms = ("data/", "grading/", "tests/", "exercises/experiments/")
    modules = [p.removesuffix(".py").replace("/", ".") for p in tree if p.startswith(rooms) and p.endswith(".py")]
    names = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    assert len(names) > 100
    done = run("python", "-c", f"import importlib\nfor name in {names}: importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


def test_it_offers_the_commands_that_work_there_and_no_others(run):
    code = "from grading.cli import app; import typer; print(*sorted(typer.main.get_command(app).commands))"
    done = run("python", "-c", code)
    assert done.stdout.split() == ["check", "doctor", "hint", "list", "pack", "report", "train", "watch"], done.stderr
    for command in done.stdout.split():
        told = run("elbo", command, "--help").stdout
        assert f"Example: elbo {command}" in told
        assert "solutions" not in told


def test_the_first_minutes(run, unpacked):
    folder, _ = unpacked
    done = run("elbo", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(part.name in done.stdout for part in all_parts())
    done = run("elbo", "check", "vae.log_mean_exp")
    assert done.returncode == 1
    assert done.stdout.startswith("· todo  vae.log_mean_exp  still to be written, in exercises/vae/likelihoods.py")
    assert "Hint 1 of 3" in run("elbo", "hint", "vae.log_mean_exp").stdout
    stub = (folder / "exercises" / "vae" / "likelihoods.py").read_text()
    todo = stub[stub.index("    # YOUR CODE HERE", stub.index("def log_mean_exp")) :]
    answer = "    return torch.logsumexp(y, dim=1) - math.log(y.shape[1])\n"
    (folder / "exercises" / "vae" / "likelihoods.py").write_text(stub.replace(todo, answer))
    done = run("elbo", "check", "vae.log_mean_exp")
    assert (done.returncode, done.stdout[:30]) == (0, "✓ right vae.log_mean_exp  8 of"[:30]), done.stdout
    done = run("python", "-m", "pytest", "tests/vae/test_likelihoods.py", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 1
    assert "passed" in done.stdout
    assert "todo" in done.stdout
    assert "failed" not in done.stdout


def test_no_command_needs_a_network(run, unpacked):
    """All of this file's commands run where there is none: this is about the others, up to what is handed in."""
    folder, _ = unpacked
    done = run("python", "-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert "there is no network here" in done.stderr
    shutil.copytree(ROOT / "solutions" / "vae", folder / "exercises" / "vae", dirs_exist_ok=True)
    done = run("elbo", "train", "vae", "--preset", "quick", "--set", "epochs=1", "--out", "runs/vae-1")
    assert done.returncode == 0, done.stderr
    done = run("elbo", "pack", "--student", "1234567", "--anyway", "--no-check")
    assert done.returncode in (0, 1), done.stderr
    with zipfile.ZipFile(folder / "submission.zip") as archive:
        assert "runs/vae-1/summary.json" in archive.namelist()
    done = run("elbo", "doctor")
    assert done.returncode == 0, done.stderr
    (cell,) = [
        c.source
        for c in nbformat.reads(topic_notebook("vae", rubric.load(), "").decode(), 4).cells[:2]
        if c.cell_type == "code"
    ]
    done = run("python", "-c", f"{cell}\nprint(check)")
    assert done.stdout.startswith("<function check"), done.stderr


def test_what_needs_the_reference_is_refused_by_name(run):
    done = run("elbo", "check", "--implementation", "solutions")
    assert done.returncode == 2
    assert "no implementation 'solutions'" in done.stderr


def test_a_report_measures_with_ones_own_functions_and_says_so(run, unpacked):
    folder, _ = unpacked
    shutil.copytree(ROOT / "solutions" / "flows", folder / "exercises" / "flows", dirs_exist_ok=True)
    settings = [f"--set={each}" for each in ("target=arcs", "mode=samples", "k=2", "iterations=40")]
    assert run("elbo", "train", "flows", *settings, "--out", "runs/f").returncode == 0
    done = run("elbo", "report", "runs/f", "--out", "report.html", "--json", "facts.json")
    assert done.returncode in (0, 1), done.stderr
    assert "your own functions in exercises/" in done.stdout
    assert "your own functions in exercises/" in (folder / "report.html").read_text(encoding="utf-8")
    claims = json.loads((folder / "facts.json").read_text())["runs"]["runs/f"]
    assert claims
    assert all(claim["measured"] is not None for claim in claims)
    # A function that is missing refuses the claim; the page is written all the same.
    stub = dict(stubs())[next(p for p, _ in stubs() if p.name == "composition.py")]
    (folder / "exercises" / "flows" / "composition.py").write_text(stub)
    done = run("elbo", "report", "runs/f", "--out", "report.html")
    assert done.returncode == 1, done.stderr
    assert "still to be written, in flows/composition.py" in done.stdout


def test_a_report_of_the_dirac_gan_tells_its_table_and_who_knows_the_classes(run, unpacked):
    folder, _ = unpacked
    shutil.copytree(ROOT / "solutions" / "gan", folder / "exercises" / "gan", dirs_exist_ok=True)
    settings = [f"--set={each}" for each in ("configuration=dirac-w1-1", "starts=2")]
    assert run("elbo", "train", "dirac", *settings, "--out", "runs/d").returncode == 0
    done = run("elbo", "report", "runs/d", "--out", "report.html")
    assert done.returncode == 0, done.stderr
    assert "your instructor's rubric says which are right" in done.stdout
    assert "Prediction and outcome" in (folder / "report.html").read_text(encoding="utf-8")


# The command


@pytest.mark.parametrize("command", ["student", "gradescope", "classroom", "nbgrader"])
def test_each_release_has_help_with_an_example(call, command):
    status, out, _ = call("release", command, "--help")
    assert status == 0
    assert f"Example: elbo release {command}" in out


def test_a_release_for_gradescope_is_a_zip(call, tmp_path):
    status, _, err = call("release", "gradescope", "--out", tmp_path / "folder")
    assert status == 2
    assert "a name that ends with .zip" in err
    assert not list(tmp_path.iterdir())


def test_the_command_checks_without_writing_and_writes_once(call, tmp_path):
    out = tmp_path / "kit.zip"
    assert call("release", "student", "--out", out, "--check")[:2] == (1, f"{out} is missing\n")
    assert not out.exists()
    status, told, _ = call("release", "student", "--out", out)
    assert (status, told[: len(f"wrote {out}")]) == (0, f"wrote {out}")
    assert call("release", "student", "--out", out, "--check") == (0, f"{out} is up to date\n", "")
    assert call("release", "student", "--out", out) == (0, f"{out} is up to date\n", "")


def test_the_command_writes_a_folder_and_never_over_work(call, tmp_path):
    out = tmp_path / "kit"
    assert call("release", "student", "--out", out)[0] == 0
    (out / "exercises" / "vae" / "bounds.py").write_text("mine")
    assert call("release", "student", "--out", out, "--check")[1] == f"{out}: exercises/vae/bounds.py differs\n"
    told = f"{out} is up to date\n{out}: exercises/vae/bounds.py differs, and stays\n"
    assert call("release", "student", "--out", out) == (0, told, "")
    assert (out / "exercises" / "vae" / "bounds.py").read_text() == "mine"
    assert importlib.util.find_spec("grading.cli.upkeep")  # in the kit itself the command is there
