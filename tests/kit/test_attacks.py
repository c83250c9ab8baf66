"""No submission of attacks/ earns what honest wrong work would not, does harm, or spoils the grading of another."""

import contextlib
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grading.engine.implementation import ROOT
from grading.engine.isolation import LAYERS
from tests.kit.attacks import ATTACKS, HONEST, PART, Attack, all_attacks
from tests.kit.attacks.scene import BATCHES, STANDING, Scene, scene

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what keeps a student's code from harm is made of parts of Linux"
)

ALL = list(all_attacks())
# A quarter of what a naive grader falls for; python -m tests.kit.attacks.unprotected judges all, in minutes.
SHOWN = [attack for attack in ALL if attack.shown][::4]
OPTIONS = {
    "plain": ["--only", PART, "--inputs", "5", "--budget", "1.5", "--jobs", "6"],
    "watched": [
        "--inputs",
        "5",
        *(w for p in sorted({PART, *(a.part for a in ALL if a.batch == "watched")}) for w in ("--only", p)),
    ],
    "runs": ["--inputs", "2", "--budget", "200"],
}
# What earns points so far, and why nothing holds it back.
BESIDE = "what is watched beside a student's code is watched in its process, which that code can change"
OPEN = {
    **dict.fromkeys(["empties_the_meter", "works_unwatched", "notes_other_samples"], BESIDE),
    "works_not_at_all_for_many": "the values of a call whose cost is counted are not compared",
    "remembers_what_it_was_asked": "a relation between two answers can hold without either being right",
}
NOT_ANSWERING = {"one_value_for_each_instance", "keeps_the_dtype", "leaves_its_arguments_alone"}
SECONDS = 300
MARK = "elbo-attack"


@dataclass
class Graded:
    """What came of all submissions: of the command, and of a naive grader."""

    scene: Scene
    before: dict[str, dict[str, tuple[int, int]]]
    out: dict[str, Path] = field(default_factory=dict)
    ended: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    naive: dict[str, dict[str, Any]] = field(default_factory=dict)

    def record(self, name: str, batch: str) -> dict[str, Any]:
        return json.loads((self.out[batch] / "records" / f"{name}.json").read_text(encoding="utf-8"))

    def expect_all_layers(self) -> None:
        """Skip where this machine lacks one: what then holds nevertheless is more than is promised."""
        absent = {layer.name for layer in LAYERS} - set(self.record("right", "plain")["isolation"])
        if absent:
            pytest.skip(f"this machine lacks {', '.join(sorted(absent))}")

    def right(self, name: str, batch: str) -> set[str]:
        """Return the properties that earned points, part.property, and the claims of runs that were reached."""
        record = self.record(name, batch)
        claims = {c["name"] for run in record["runs"] for c in run["claims"] if c["outcome"] == "reached"}
        return claims | {
            f"{p['part']}.{v['property']}" for p in record["parts"] for v in p["properties"] if v["points"]
        }


@pytest.fixture(scope="module")
def graded() -> Iterator[Graded]:
    """Grade everything, while a naive grader does the same beside it."""
    # Not in pytest's folders, which nobody but their owner can look into: nothing here shall hold for that reason.
    with (
        tempfile.TemporaryDirectory(prefix="attacks-", ignore_cleanup_errors=True) as folder,
        scene(Path(folder), MARK) as prepared,
    ):
        before = {attack.name: prepared.files(attack.path(prepared.folder)) for attack in ALL}
        result = Graded(prepared, before)
        command = [sys.executable, "-m", "tests.kit.attacks.unprotected", *(attack.name for attack in SHOWN)]
        # Side by side, as much of the time is spent waiting for those that take theirs.
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as naive,
            ThreadPoolExecutor() as pool,
        ):
            list(pool.map(partial(_grade, result), BATCHES))
            lines = (json.loads(line) for line in naive.communicate(timeout=SECONDS)[0].splitlines())
            result.naive = {line["name"]: line for line in lines}
        yield result


def _grade(result: Graded, batch: str) -> None:
    """Run the command on a class."""
    prepared = result.scene
    result.out[batch] = prepared.world.out if batch == "plain" else prepared.world.out.parent / f"out-{batch}"
    where = [str(prepared.folder / batch), "--out", str(result.out[batch]), "--seed", "7"]
    command = [sys.executable, "-m", "grading.cli", "grade", *where]
    result.ended[batch] = subprocess.run(
        [*command, *OPTIONS[batch]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=prepared.environment,
        timeout=SECONDS,
    )


def test_there_are_attacks_of_every_family() -> None:
    assert len(ALL) == len(ATTACKS) >= 70
    assert len(Counter(attack.family for attack in ALL)) >= 20
    assert all(attack.sentence for attack in ALL)


@pytest.mark.parametrize("batch", BATCHES)
def test_the_command_comes_to_its_end_and_says_nothing_of_the_secret(graded: Graded, batch: str) -> None:
    ended = graded.ended[batch]
    assert ended.returncode in (0, 1), ended.stderr[-2000:]  # 1 where one could not be graded
    assert "Traceback" not in ended.stderr
    assert graded.scene.secret not in ended.stdout + ended.stderr
    assert not _controls(ended.stdout)


@pytest.mark.parametrize("batch", BATCHES)
def test_the_right_submission_keeps_all_its_points(graded: Graded, batch: str) -> None:
    record = graded.record("right", batch)
    possible = sum(part["possible"] for part in record["parts"])
    assert record["outcome"] == "graded"
    assert sum(part["points"] for part in record["parts"]) == possible > 0 or batch == "runs"


def each(attack: Attack) -> Any:
    reason = OPEN.get(attack.name, "")
    return pytest.param(
        attack,
        id=f"{attack.family}-{attack.name}",
        marks=[pytest.mark.xfail(strict=True, reason=reason)] if reason else [],
    )


@pytest.mark.parametrize("attack", list(map(each, ALL)))
def test_an_attack_earns_no_more_than_honest_work(graded: Graded, attack: Attack) -> None:
    graded.expect_all_layers()
    batch = attack.batch
    record = graded.record(attack.name, batch)
    assert record["outcome"] in ("graded", "refused")
    allowed = set()
    if attack.honest == "trivial":
        allowed = {f"{attack.part}.{name}" for name in NOT_ANSWERING}
    elif attack.honest:
        allowed = graded.right(f"honest_{attack.honest}", batch)
    assert graded.right(attack.name, batch) <= allowed


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_an_attack_leaves_no_trace(graded: Graded, attack: Attack) -> None:
    graded.expect_all_layers()
    traces = graded.scene.traces()
    assert not [trace for trace in traces if trace.startswith(attack.name)]
    assert graded.scene.files(attack.path(graded.scene.folder)) == graded.before[attack.name]


def test_nobody_was_reached(graded: Graded) -> None:
    graded.expect_all_layers()
    assert graded.scene.traces() == []


def test_no_process_is_left() -> None:
    names = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            names.append(path.read_text().strip())
    assert MARK not in names


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_what_is_told_of_an_attack_is_only_text(graded: Graded, attack: Attack) -> None:
    out = graded.out[attack.batch]
    feedback, record = (out / f"{kind}/{attack.name}.{end}" for kind, end in (("feedback", "md"), ("records", "json")))
    assert feedback.stat().st_size < 100_000
    assert record.stat().st_size < 500_000
    text = feedback.read_text(encoding="utf-8")
    assert not _controls(text)
    for lost in (graded.scene.secret, STANDING["secret"].strip(), "root:x:0"):
        assert lost not in text + record.read_text(encoding="utf-8")
    # Markdown takes lines with four spaces in front for code, in which nothing is a tag, a table or an image.
    outside = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert "<script" not in outside
    assert "![" not in outside
    assert "5 of 5" not in outside


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_a_record_can_be_shown_on_a_terminal(graded: Graded, attack: Attack) -> None:
    path = graded.out[attack.batch] / "records" / f"{attack.name}.json"
    assert not _controls(path.read_text(encoding="utf-8"))


def _controls(text: str) -> set[str]:
    """Return what a terminal would obey, and what turns the direction of a line."""
    return {c for c in text if (not c.isprintable() and c not in "\n\r\t ") or c in "\u202e\u2066"}


@pytest.mark.parametrize("batch", BATCHES)
def test_no_cell_of_the_table_is_a_formula(graded: Graded, batch: str) -> None:
    text = (graded.out[batch] / "class.csv").read_text(encoding="utf-8-sig")
    assert not _controls(text)
    assert not [cell for row in csv.reader(text.splitlines()) for cell in row if cell[:1] in ("=", "+", "-", "@")]


@pytest.mark.parametrize("attack", SHOWN, ids=lambda attack: f"{attack.family}-{attack.name}-{attack.shown}")
def test_a_naive_grader_falls_for_it(graded: Graded, attack: Attack) -> None:
    """Otherwise the attack would attempt nothing, and nothing would be shown by its failing."""
    seen = graded.naive[attack.name]
    honest = set(graded.naive[f"honest_{attack.honest}"]["right"] or ()) if attack.honest in HONEST else set()
    right = set(seen["right"] or ())
    if attack.shown == "trace":
        assert seen["traces"]
    elif attack.shown == "more":
        assert right - honest
    else:
        assert honest - right
