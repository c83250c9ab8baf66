"""Submissions with files that Python, pytest or the kit might take for their own."""

from . import FILE, SUM, Files, answering, cheating, submission

SHADOWED = ("torch", "random", "math", "msgspec", "wave", "colorsys", "data", "exercises", "solutions", "typing")
NOTED = "import builtins\nbuiltins.noted = True\nopen({trace!r}, 'w').close()\n"
FLAG = "import builtins\nbuiltins.shadowed = True\n"
ASKS = "import builtins\nreturn getattr(builtins, 'shadowed', False)"


def shadowing(names: tuple[str, ...]) -> Files:
    seen = "\n".join(f"try: import {name.split('/')[-1].removesuffix('.py')}\nexcept Exception: pass" for name in names)
    return {FILE: cheating(ASKS, seen), **{name: FLAG.encode() for name in names}}


@submission("more")
def shadows_modules() -> Files:
    """Modules named like those of Python and of packages, above the topics."""
    return shadowing(tuple(f"{name}.py" for name in SHADOWED))


@submission("more")
def shadows_packages() -> Files:
    """Packages named like those of the kit, above the topics."""
    kit = ("data", "exercises", "solutions", "grading", "tests")
    found = shadowing(tuple(f"{name}/__init__.py" for name in kit))
    seen = "\n".join(f"try: import {name}\nexcept Exception: pass" for name in kit)
    inner = ("grading/engine/answering.py", "grading/judge.py", "tests/support/closeness.py", "grading/rubric.toml")
    return {**found, FILE: cheating(ASKS, seen), **{name: FLAG.encode() for name in inner}}


@submission("more")
def shadows_what_starts_python() -> Files:
    """Files that Python or pytest run at their start: sitecustomize.py, conftest.py, a .pth file, settings."""
    return {
        FILE: cheating(ASKS),
        **{name: FLAG.encode() for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "vae/conftest.py")},
        "start.pth": b"import builtins; builtins.shadowed = True\n",
        "pyproject.toml": b'[tool.pytest.ini_options]\naddopts = "-p conftest"\n',
        "pytest.ini": b"[pytest]\naddopts = -p conftest\n",
        ".env": b"PYTHONPATH=.\n",
    }


@submission("more")
def hides_code_in_init() -> Files:
    """Code in the __init__.py of its topic and of the submission."""
    return {FILE: cheating(ASKS), "vae/__init__.py": FLAG.encode(), "__init__.py": FLAG.encode()}


@submission("")
def breaks_its_neighbouring_files() -> Files:
    """Files beside the answer that raise, loop and exit when they are imported, which nobody asks for."""
    return {
        FILE: answering(SUM),
        "vae/__init__.py": b"raise SystemExit(3)\n",
        "vae/torch.py": b"import os\nos._exit(0)\n",
        "vae/random.py": b"while True: pass\n",
        "vae/divergences.py": b"raise KeyboardInterrupt\n",
        "gan/__init__.py": b"import os\nos.abort()\n",
    }
