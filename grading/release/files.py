"""The files that only a release has: templates in files/, filled in from the project's own description."""

import tomllib
from pathlib import Path
from typing import Any

import jinja2

from .stubs import ReleaseError

FILES = Path("grading") / "release" / "files"


def filled(name: str, root: Path, **values: object) -> str:
    """Fill in a template with the project's name, version and dependencies, and what else is given.

    Raises:
        ReleaseError: pyproject.toml, or the template, cannot be read.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / FILES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    try:
        template = environment.get_template(f"{name}.j2")
    except jinja2.TemplateNotFound as error:
        raise ReleaseError(f"{FILES / f'{name}.j2'} is missing") from error
    return template.render(project=_project(root), **values)


def plain(name: str, root: Path) -> bytes:
    """Return a file of files/ as it is.

    Raises:
        ReleaseError: it cannot be read.
    """
    try:
        return (root / FILES / name).read_bytes()
    except OSError as error:
        raise ReleaseError(f"{FILES / name} cannot be read: {error.strerror}") from error


def _project(root: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ReleaseError(f"pyproject.toml of the kit cannot be used: {error}") from error
    return found
