"""What is installed, what is imported when, and who may import whom."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grading.engine.implementation import ROOT
from grading.release.student import student

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIRED = [
    Requirement(r) for group in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()] for r in group
]
HEAVY = {"torch", "torchvision", "matplotlib", "hypothesis"}
KIT = {"data", "exercises", "grading", "solutions", "tests"}


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("requirement", REQUIRED, ids=str)
def test_every_requirement_is_pinned_within_its_range(pins, requirement):
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_torch_and_torchvision_are_pinned_together(pins):
    assert (pins["torch"], pins["torchvision"]) == ("2.13.0", "0.28.0")


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import grading.cli", HEAVY),
        ("import sys; sys.argv = 'elbo check vae.log_mean_exp'.split(); from grading.cli import main\n"
         "try: main()\nexcept SystemExit: pass", {"torchvision", "matplotlib"}),
    ],
    ids=["import", "check"],
)  # fmt: skip
def test_a_command_waits_for_no_library_that_it_does_not_need(python, code, unwanted):
    done = python("-c", f"{code}\nimport sys; print('loaded', *sys.modules)")
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded", done.stderr
    assert not unwanted & set(loaded)


def imports(path):
    """The top-level names that a file imports absolutely, and how far its relative imports reach up."""
    yield from imports_in(path.read_text(encoding="utf-8"))


def imports_in(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
            name = re.match(r"f?['\"](\w+)", ast.unparse(node.args[0]))
            yield from [(name[1], 0)] if name else ()
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("" if node.level else node.module.split(".")[0]), node.level


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").glob("*/*.py")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_an_implementation_imports_torch_the_standard_library_and_itself(path):
    for name, level in imports(path):
        assert level <= 2  # its own topic, or another one beside it
        assert level or name == "torch" or name in sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted((ROOT / "exercises" / "experiments").rglob("*.py")), ids=lambda p: p.name)
def test_given_code_imports_no_implementation_and_no_judge(path):
    depth = len(path.relative_to(ROOT / "exercises" / "experiments").parts)
    for name, level in imports(path):
        assert name not in KIT - {"data"}
        assert level <= depth  # stays within experiments/


# Whatever is installed beside what is asked for hides what is missing: environments of tests have it all.
# Of these files what an extra names may be imported too, and nothing else by any other file.
EXTRAS = {
    "grading/batch.py": "cluster",
    "grading/nbgrader": "nbgrader",
    "grading/similarity.py": "similar",
    "grading/lexing.py": "similar",
    "exercises/experiments/cifar10/inception.py": "images",
}


def distributions(requirements):
    return {canonicalize_name(Requirement(each).name) for each in requirements}


def allowed(path, project):
    """The distributions that a file may import from: those of the kit, and of the extra that it is of."""
    of = [extra for place, extra in EXTRAS.items() if PurePosixPath(path).is_relative_to(place)]
    extras = project["optional-dependencies"]
    return distributions(project["dependencies"]).union(*(distributions(extras.get(extra, ())) for extra in of))


def undeclared(files, project):
    """Yield what files import and a fresh environment would not have. files: their texts, by path."""
    known = packages_distributions()
    for path, text in files.items():
        for name in {name for name, level in imports_in(text) if not level} - sys.stdlib_module_names - KIT:
            found = {canonicalize_name(each) for each in known.get(name, [name])}
            if not found & allowed(path, project):
                yield path, name


def test_all_that_a_student_imports_is_asked_for_by_the_student_release():
    tree = student()
    project = tomllib.loads(tree["pyproject.toml"].decode())["project"]
    files = {path: content.decode() for path, content in tree.items() if path.endswith(".py")}
    assert "tests/support/pytest_plugin.py" in files
    assert set(undeclared(files, project)) == set()


def test_all_that_grading_imports_is_asked_for_by_the_kit_or_by_the_extra_that_it_is_of():
    rooms = [path for room in ("data", "exercises", "grading", "solutions") for path in (ROOT / room).rglob("*.py")]
    files = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in rooms}
    assert set(undeclared(files, PROJECT)) == set()


def test_what_is_not_asked_for_is_found_where_an_environment_has_it():
    project = PROJECT | {"dependencies": [each for each in PROJECT["dependencies"] if not each.startswith("msgspec")]}
    text = "import ast\nimport msgspec, torch\nfrom . import files\nfrom nbgrader.api import Gradebook\n"
    assert set(undeclared({"grading/a.py": text}, project)) == {
        ("grading/a.py", "msgspec"),
        ("grading/a.py", "nbgrader"),
    }
    assert set(undeclared({"grading/nbgrader/a.py": text}, PROJECT)) == set()


def texts():
    rooms = [ROOT / room for room in sorted(KIT)]
    files = [*ROOT.glob("*.*"), ROOT / "Makefile", *(f for room in rooms for f in room.rglob("*"))]
    kinds = {".py", ".md", ".toml", ".txt", ".j2", ".cfg", ".yml", ".yaml", ".json", ".ipynb", ""}
    made = {"__pycache__", "cache", "runs", ".coverage"}
    return [f for f in files if f.is_file() and f.suffix in kinds and not made & {*f.parts}]


def test_no_file_names_a_place_on_somebodys_machine():
    place = re.compile(r"(?<![\w.)}])/(?:work|tmp|root|home|Users)/\w")
    found = {str(f.relative_to(ROOT)): place.search(f.read_text(encoding="utf-8")) for f in texts()}
    assert len(found) > 50
    assert not [name for name, match in found.items() if match]
