"""Watching: what is judged first at a save, where the watch goes on, its keys, and the whole of it in a terminal."""

import io
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from rich.console import Console

from grading import watch as watching
from grading.catalogue import all_parts
from grading.diagnosis import Diagnosis, naming
from grading.engine.implementation import ROOT
from grading.judge import Verdict
from grading.rubric import load
from grading.watch import Watch
from grading.wording import Failure

PARTS = {part.name: part for part in all_parts() if part.name.startswith("vae.")}
BERNOULLI, NORMAL, MEAN = "vae.log_likelihood_bernoulli", "vae.log_likelihood_normal", "vae.log_mean_exp"
ELBO = "vae.elbo"
NAMES = (BERNOULLI, NORMAL, MEAN, ELBO)


class GivenOutcomes:
    """Stands in for the judge: parts have the outcomes that a test gives them."""

    def __init__(self, outcomes):
        self.outcomes, self.asked = outcomes, []

    def part(self, part, exchange):
        self.asked.append(part.name)
        outcome = self.outcomes[part.name]
        failure = None if outcome == "right" else Failure(f"{part.name} has failed")
        yield Verdict(part.properties[0].name, "value", "Sentence.", outcome, 1, 0.0, failure)

    def inputs(self, value):
        return []


class NoWorker:
    """Stands in for the student's process."""

    def __init__(self, directory):
        self.directory, self.closed, self.printed = directory, 0, ""

    def take_output(self):
        printed, self.printed = self.printed, ""
        return printed

    def close(self):
        self.closed += 1


@pytest.fixture
def probed(monkeypatch):
    """The names of the parts that were asked for their mistake, of which each has one."""
    names = []

    def diagnosed(part, verdict, exchange):
        if verdict.outcome != "wrong":
            return verdict
        names.append(part.name)
        exchange.printed = "asked by a probe"
        named = Diagnosis(["forgets"], f"{part.name} forgets [0]", "Think again.")
        return msgspec.structs.replace(verdict, diagnosis=named)

    monkeypatch.setattr(naming, "diagnosed", diagnosed)
    return names


@pytest.fixture
def watch(tmp_path, probed):
    """A watch over four parts of two files that are all still to do."""
    judge = GivenOutcomes(dict.fromkeys(NAMES, "todo"))
    console = Console(file=io.StringIO(), width=200)
    made = Watch([PARTS[name] for name in NAMES], load(), judge, NoWorker(tmp_path), console)
    made.judge_all()
    read(made)
    judge.asked.clear()
    return made


def save(watch, file, **outcomes):
    watch.judge.asked.clear()
    watch.judge.outcomes.update({f"vae.{name}": outcome for name, outcome in outcomes.items()})
    watch.saved({watch.worker.directory / "vae" / file})
    return read(watch)


def read(watch):
    """What the watch has said since the last time."""
    text = watch.console.file.getvalue()
    watch.console.file.seek(0)
    watch.console.file.truncate()
    return text


def test_a_watch_begins_at_the_first_part_that_is_not_right(watch):
    watch.judge.outcomes[BERNOULLI] = "right"
    watch.judge_all()
    assert watch.current.name == NORMAL
    told = read(watch)
    assert f"at {NORMAL}, in {watch.worker.directory / 'vae/likelihoods.py'}, 10 min" in told
    assert told.endswith("save to judge again, h hint, n next part, q quit\n")


def test_a_save_starts_a_fresh_process(watch):
    save(watch, "likelihoods.py")
    assert watch.worker.closed == 1


def test_the_current_part_is_judged_first_then_its_file_then_the_rest(watch):
    watch.press("n")
    save(watch, "likelihoods.py")
    assert watch.judge.asked == [NORMAL, BERNOULLI, MEAN, ELBO]
    save(watch, "bounds.py")
    assert watch.judge.asked == [ELBO, BERNOULLI, NORMAL, MEAN]


def test_a_part_that_has_become_right_is_told_and_the_next_one_is_gone_to(watch):
    text = save(watch, "likelihoods.py", log_likelihood_bernoulli="right")
    assert "likelihoods.py saved" in text
    assert f"right {BERNOULLI}" in text
    assert f"at {NORMAL}," in text
    assert NORMAL not in text.split("points;")[0]  # nothing has changed there


def test_a_part_that_has_just_been_broken_is_told_and_gone_to(watch):
    save(watch, "likelihoods.py", log_likelihood_bernoulli="right")
    text = save(watch, "likelihoods.py", log_likelihood_bernoulli="wrong")
    assert f"{BERNOULLI} has failed" in text
    assert watch.current.name == BERNOULLI


def test_a_part_of_another_file_that_has_just_been_broken_is_told(watch):
    save(watch, "bounds.py", elbo="right")
    assert f"{ELBO} has failed" in save(watch, "likelihoods.py", elbo="wrong")


def test_with_everything_right_a_watch_stays_and_says_so(watch):
    text = save(watch, "bounds.py", **{name.removeprefix("vae."): "right" for name in NAMES})
    assert "4 of 4 parts right" in text
    assert watch.current.name in NAMES
    watch.press("n")
    assert "4 of 4 parts right" in read(watch)


def test_points_and_parts_so_far_are_told_after_each_save(watch):
    worth = load()
    total = sum(worth.parts[name].total for name in NAMES)
    first = worth.parts[MEAN].points[PARTS[MEAN].properties[0].name]
    text = save(watch, "likelihoods.py", log_mean_exp="right", log_likelihood_normal="wrong")
    assert f"{first:g} of {total:g} points; 1 of 4 parts right, 1 wrong, 2 todo" in text


def test_the_mistake_of_what_is_shown_is_named_and_of_nothing_else(watch, probed):
    text = save(watch, "likelihoods.py", log_likelihood_bernoulli="wrong")
    assert text.index(f"it equals what you get when {BERNOULLI} forgets [0]") < text.index(f"{BERNOULLI} has failed")
    save(watch, "likelihoods.py", log_likelihood_normal="wrong")
    assert probed == [BERNOULLI, BERNOULLI, NORMAL]
    save(watch, "likelihoods.py")
    assert probed == [BERNOULLI, BERNOULLI, NORMAL, BERNOULLI]


@pytest.fixture
def calling(watch):
    """The watch, where vae.elbo calls two others, and all are right."""
    source = "from .likelihoods import *\ndef elbo(x):\n    return log_mean_exp(x) + log_likelihood_normal(x)\n"
    (watch.worker.directory / "vae").mkdir()
    (watch.worker.directory / "vae" / "bounds.py").write_text(source, encoding="utf-8")
    save(watch, "bounds.py", **{name.removeprefix("vae."): "right" for name in NAMES})
    return watch


def test_a_part_that_calls_a_wrong_one_is_given_no_name(calling, probed):
    text = save(calling, "likelihoods.py", log_mean_exp="wrong", elbo="wrong")
    assert f"→ it calls {MEAN}, which is wrong: mend that first" in text
    assert f"it equals what you get when {MEAN} forgets [0]" in text
    assert f"{ELBO} forgets" not in text
    assert probed == [MEAN]


def test_what_a_part_calls_is_what_it_is_since_the_save(calling, probed):
    save(calling, "bounds.py", log_mean_exp="wrong", elbo="wrong")
    assert calling.current.name == ELBO
    text = save(calling, "bounds.py", log_mean_exp="right")
    assert f"it equals what you get when {ELBO} forgets [0]" in text
    assert sorted(calling.judge.asked) == sorted(NAMES)


def test_a_part_that_is_called_and_not_watched_is_judged_where_it_is_asked_for(calling):
    calling.parts = [PARTS[ELBO]]
    text = save(calling, "bounds.py", log_mean_exp="wrong", elbo="wrong")
    assert f"→ it calls {MEAN}, which is wrong: mend that first" in text
    assert calling.judge.asked == [ELBO, NORMAL, MEAN]
    assert "0 of 1 part right, 1 wrong" in text


def test_what_is_not_handed_in_is_told_under_the_part(watch):
    stub = watch.worker.directory / "vae" / "bounds.py"
    stub.parent.mkdir()
    stub.write_text("from .helper import helped\n")
    (stub.parent / "helper.py").write_text("helped = 1\n")
    told = save(watch, "bounds.py", elbo="right")
    assert "vae/bounds.py, line 1: vae/helper.py is not handed in: " in told
    assert "So vae.elbo is wrong for the grader" in told
    assert "not handed in" not in save(watch, "likelihoods.py", log_mean_exp="right")


def test_what_probes_make_it_print_is_no_parts(watch):
    text = save(watch, "likelihoods.py", log_likelihood_bernoulli="wrong", log_likelihood_normal="wrong")
    assert f"{NORMAL} has failed" in text
    assert "asked by a probe" not in text


def test_the_last_hint_follows_the_mistake_of_the_current_part(watch, tmp_path, monkeypatch):
    monkeypatch.setattr(watching.next_hint, "__defaults__", (tmp_path / "hints.json",))
    save(watch, "likelihoods.py", log_likelihood_bernoulli="wrong")
    for _ in range(3):
        watch.press("h")
    text = " ".join(read(watch).split())
    assert load().parts[BERNOULLI].hints[1] in text
    assert text.endswith(f"hint 3: It equals what you get when {BERNOULLI} forgets [0]. Think again.")


def test_the_keys_give_hints_go_on_round_the_end_and_quit(watch, tmp_path, monkeypatch):
    monkeypatch.setattr(watching.next_hint, "__defaults__", (tmp_path / "hints.json",))
    for number in (1, 2):
        assert watch.press("h")
        text = " ".join(read(watch).split())
        assert text == f"hint {number}: {load().parts[BERNOULLI].hints[number - 1]}"
    for name in (NORMAL, MEAN, ELBO, BERNOULLI):
        assert watch.press("n")
        assert watch.current.name == name
    assert watch.press("")
    assert watch.press("x")
    assert not watch.press("q")
    assert watch.judge.asked == []


# The whole in a terminal


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *command):
        self.side, other = pty.openpty()
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "TERM": "xterm"}
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, cwd=ROOT, env=environment)
        os.close(other)
        self.text = ""

    def wait_for(self, words, patience=120):
        """Read until these words have come."""
        end = time.monotonic() + patience
        while words not in self.text:
            ready, _, _ = select.select([self.side], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{words!r} did not come, only {self.text!r}"
            self.text += os.read(self.side, 1 << 16).decode(errors="replace")
        self.text = self.text.split(words, 1)[1]

    def press(self, key):
        os.write(self.side, key.encode())


@pytest.fixture
def terminal():
    started = []

    def start(*command):
        started.append(Terminal(*command))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGKILL)
        each.process.wait()
        os.close(each.side)


def test_a_save_leads_to_a_new_verdict_and_q_quits(terminal, tmp_path):
    shutil.copytree(ROOT / "exercises" / "vae", tmp_path / "vae")
    command = ("-m", "grading.cli", "watch", MEAN, "--implementation", str(tmp_path))
    seen = terminal(sys.executable, *command)
    seen.wait_for("still to be written")
    seen.wait_for("q quit")
    shutil.copy(ROOT / "solutions" / "vae" / "likelihoods.py", tmp_path / "vae" / "likelihoods.py")
    seen.wait_for("likelihoods.py saved")
    seen.wait_for("1 of 1 part right")
    seen.wait_for("q quit")
    seen.press("q")
    assert seen.process.wait(60) == 0
