"""What an instructor is told to look at: names in code that no answer needs, however they are written."""

from pathlib import Path

import pytest

from grading.looking import unusual

SENTENCE = "vae/bounds.py names {}, which no answer needs: read it"


def told_of(directory: Path, code: str) -> list[str]:
    (directory / "vae").mkdir()
    (directory / "vae" / "bounds.py").write_text(code, encoding="utf-8")
    return unusual(directory)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import sys\n", "sys"),
        ("x = exec('1') or os.getenv('a')\n", "exec, os"),
        ("import ｓｙｓ\n", "sys"),
        ("ｅｘｅｃ('1')\n", "exec"),
        ("x = 𝖾𝗏𝖺𝗅('1')\n", "eval"),
        ("f = error.tb＿frame.f︳back\n", "f_back, tb_frame"),  # which Python reads as underscores
        ("x = _＿import_＿('o')\n", "__import__"),
        ("# ＂＂＂ ＇＇＇\nimport ｇｃ\n", "gc"),  # quotes and other signs are what they are
    ],
)
def test_a_file_that_names_what_no_answer_needs_is_to_be_read(tmp_path: Path, code: str, names: str) -> None:
    assert told_of(tmp_path, code) == [SENTENCE.format(names)]


@pytest.mark.parametrize(
    "code",
    [
        "def elbo(mu, logvar):\n    return mu.sum(1)  # no exec, no ｅｘｅｃ\n",
        '"""What ｓｙｓ and sys are."""\n',
        "x = 'ｅｖａｌ eval'\n",
        "system = executes = π學 = 學ｅｘｅｃ\n",
        "",
    ],
)
def test_names_in_words_and_longer_names_are_not_told(tmp_path: Path, code: str) -> None:
    assert told_of(tmp_path, code) == []
