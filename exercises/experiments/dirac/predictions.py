"""What the student expects of each configuration, written down before the run."""

import tomllib
from pathlib import Path

from ..runs import RunError
from .outcomes import WORDS
from .settings import CONFIGURATIONS

FILE = "predictions.toml"
NAMES = tuple(c.name for c in CONFIGURATIONS if not c.averaged)


def read(path: Path) -> dict[str, str]:
    """Read the predictions that are filled in, by the configuration's name; none where there is no file.

    Raises:
        RunError: the file is no table of configurations and words.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig")) if path.is_file() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as TOML: {error}") from error
    for name, word in table.items():
        if name not in NAMES:
            raise RunError(f"{path}: {name!r} is no configuration; there are {', '.join(NAMES)}")
        if word not in ("", *WORDS):
            raise RunError(f"{path}: {name} is {word!r:.60}, expected one of {', '.join(map(repr, WORDS))}, or ''")
    return {name: word for name, word in table.items() if word}
