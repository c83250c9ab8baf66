"""The command `elbo` as people and scripts rely on it: what it says, in which form, and with which status it ends."""

import io
import json
import sys
import urllib.request
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

import data
from grading import hints, listing, rubric
from grading.cli import judging
from grading.cli.shared import Unpadded
from grading.diagnosis import Diagnosis, naming
from grading.engine.implementation import Implementation, locate
from grading.engine.worker import reply
from grading.engine.workers import AtOnce

ESCAPE = "\x1b"
COMMANDS = ("check", "list", "hint", "watch", "audit", "train", "report", "doctor", "release", "release exercises")


@pytest.fixture
def refusal(call):
    """A function that runs a command that cannot be carried out and returns its one message."""

    def run(*arguments):
        status, out, err = call(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("elbo: ")
        assert "Traceback" not in err
        return err

    return run


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(call, command):
    status, out, _ = call(*command.split(), "--help")
    assert status == 0
    group = command == "release"
    assert ("exercises" if group else f"Example: elbo {command}") in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loses_no_words_to_markup(call, command):
    _, out, _ = call(*command.split(), "--help")
    assert " ." not in out
    assert "[[" not in out


def test_an_unknown_command_or_option_ends_with_status_2(call):
    for arguments in (("chekc",), ("check", "--fast"), ("check", "--seed", "-1"), ("train",)):
        status, out, err = call(*arguments)
        assert (status, out) == (2, "")
        assert "Usage" in err


# elbo check


@pytest.fixture(scope="module")
def unwritten(elbo, tmp_path_factory):
    file = tmp_path_factory.mktemp("facts") / "facts.json"
    return elbo("check", "--implementation", "exercises", "--json", file), file


def test_the_stubs_are_todo_and_nothing_else(unwritten):
    done, _ = unwritten
    assert done.returncode == 1
    *parts, _, summary = done.stdout.splitlines()
    for name, line in zip(rubric.load().parts, parts, strict=True):
        assert line.startswith(f"· todo  {name}  still to be written, in exercises/{name.split('.')[0]}/")
    assert summary == f"{len(parts)} parts: {len(parts)} todo"
    assert done.stderr == ""


def test_a_json_file_has_the_facts_of_the_text(unwritten, facts):
    done, file = unwritten
    told = facts(file)
    assert (told["implementation"], told["profile"], told["seed"]) == ("exercises", "student", 0)
    assert [p["part"] for p in told["parts"]] == [line.split()[2] for line in done.stdout.splitlines()[:-2]]
    assert {v["outcome"] for p in told["parts"] for v in p["verdicts"]} == {"todo"}


def test_the_solutions_are_right_and_standard_output_is_json_alone(elbo):
    done = elbo("check", "--implementation", "solutions", "--json", "-")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert {v["outcome"] for p in told["parts"] for v in p["verdicts"]} == {"right"}
    assert f"{len(told['parts'])} parts: {len(told['parts'])} right" in done.stderr


@pytest.fixture(scope="module")
def told(elbo, troubled):
    """The output on the submission with troubles, part by part."""
    done = elbo("check", "--implementation", troubled, "--verbose")
    assert done.returncode == 1
    assert done.stderr == ""
    parts = {}
    for line in done.stdout.splitlines():
        if line[:1] in "✓✗·" and line.strip():
            name = line.split()[2]
        parts[name] = parts.get(name, "") + line + "\n"
    return parts


def test_a_wrong_answer_shows_input_answer_and_expectation(told):
    text = told["vae.log_mean_exp"]
    for row in ("✗ wrong vae.log_mean_exp", "called", "vae.log_mean_exp(", "answer", "expected", "difference"):
        assert row in text
    assert "The result is" in text or "mean" in text  # the property's sentence


def test_a_syntax_error_leaves_other_files_judged_and_names_file_line_and_text(told):
    for part in ("vae.elbo", "vae.importance_log_likelihood"):
        assert "the file cannot be imported: SyntaxError" in told[part]
        assert "prior = = torch.zeros_like(mu)" in told[part]
        assert "vae/bounds.py, line 44" in told[part]
    assert "of 8 properties hold" in told["vae.log_mean_exp"]


def test_a_renamed_function_is_told_with_the_nearest_name(told):
    text = told["vae.kl_gaussian_gaussian_analytic"]
    assert "has no function kl_gaussian_gaussian_analytic" in text
    assert "nearest name there is kl_gaussian_gaussian_analytical" in text
    assert text.count("has no function") == 1  # one reason for all properties is told once


def test_a_function_without_message_is_todo(told):
    assert told["vae.kl_gaussian_gaussian_mc"].startswith("· todo")


def test_an_exception_is_told_with_its_place_and_a_verbose_traceback(told):
    text = told["vae.log_likelihood_bernoulli"]
    assert "raised ValueError" in text
    assert "vae/likelihoods.py, line 2" in text
    assert "traceback" in text


def test_neither_messages_nor_printed_lines_reach_the_terminal_as_commands(told):
    text = "".join(told.values())
    assert ESCAPE not in text
    assert "[bold]mine[/bold]" in text
    assert "your code printed" in text
    assert "y" * 100 in text
    assert text.count("y") < 20 * 500


def test_an_endless_loop_that_prints_ends_and_is_told(elbo, submission):
    old = "    return torch.logsumexp"
    loop = "    import time\n    print('again\\n' * 500_000)\n    while True: time.sleep(1)\n"
    looping = submission({"vae/likelihoods.py": [(old, loop + old)]})
    done = elbo("check", "--implementation", looping, "vae.log_mean_exp")
    assert done.returncode == 1
    assert "is there an endless loop?" in done.stdout
    assert "MB printed" in done.stdout
    assert done.stdout.count("again") == 10


# elbo list, doctor, audit, hint


def test_list_tells_state_and_points_and_what_is_next(elbo, troubled):
    done = elbo("list", "--implementation", troubled)
    assert done.returncode == 0
    known = rubric.load().parts
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.split()[:1] and line.split()[0] in known}
    assert list(rows) == list(known)
    assert "✗ wrong" in rows["vae.log_mean_exp"]
    assert "· todo" in rows["vae.kl_gaussian_gaussian_mc"]
    *_, progress, last = done.stdout.splitlines()
    assert last == f"next: vae.log_likelihood_bernoulli, in {troubled / 'vae/likelihoods.py'}, 10 min"
    earned = sum(float(row.split(" of ")[0].split()[-1]) for row in rows.values())
    total = sum(part.total for part in known.values())
    assert 0 < earned < total
    right = sum("✓ right" in row for row in rows.values())
    assert progress.startswith(f"{earned:g} of {total:g} points; {right} of {len(known)} parts right, ")


def test_doctor_tells_what_is_there_and_what_is_missing_costs(call):
    status, out, _ = call("doctor", "--json", "-")
    found = {finding["name"]: finding for finding in json.loads(out)}
    assert status == 0
    assert found["torch"]["present"]
    assert all(f["present"] or f["cost"] for f in found.values())


def test_audit_prints_a_matrix_of_entries_and_properties(elbo):
    done = elbo("audit", "vae.log_mean_exp", "--json", "-")
    assert done.returncode in (0, 1)
    (audit,) = json.loads(done.stdout)
    assert audit["part"] == "vae.log_mean_exp"
    for name, (_, _, rejected_by) in audit["rows"].items():
        (row,) = [line for line in done.stderr.splitlines() if line.split()[:1] == [name]]
        assert row.count("X") == len(rejected_by)
    assert all(name in done.stderr for name in audit["properties"])
    assert done.returncode == bool(audit["problems"])
    problems = len(audit["problems"])
    assert done.stderr.splitlines()[-1] == f"1 part, {problems} problem{'s' * (problems != 1)}"


def test_hint_gives_one_more_each_time_and_the_last_again(call, tmp_path, monkeypatch):
    monkeypatch.setattr(hints.next_hint, "__defaults__", (tmp_path / "cache" / "hints.json",))
    given = rubric.load().parts["vae.elbo"].hints
    for number in (1, 2, 3, 3):
        status, out, _ = call("hint", "vae.elbo")
        assert status == 0
        assert out.startswith(f"Hint {number} of 3 for vae.elbo")
        assert " ".join(out.split()).endswith(given[number - 1])


@pytest.fixture
def named(monkeypatch):
    """Gives every wrong part the same mistake."""

    def diagnosed(part, verdict, exchange):
        if verdict.outcome != "wrong":
            return verdict
        exchange.printed = "asked by a probe"
        return msgspec.structs.replace(verdict, diagnosis=Diagnosis(["forgets"], "K is missing", "Think of K."))

    monkeypatch.setattr(naming, "diagnosed", diagnosed)


class Here(AtOnce):
    """Stands in for a worker: answers in this process, as no process is forked of one in which torch has run."""

    def __init__(self, implementation):
        found = Implementation(locate(implementation))
        super().__init__(lambda calls, _: [reply(found, call) for call in calls])
        self.directory, self.printed = found.directory, ""

    def take_output(self):
        printed, self.printed = self.printed, ""
        return printed


@pytest.fixture
def judged_here(monkeypatch):
    """Judges in this process."""
    monkeypatch.setattr(judging, "start_worker", lambda implementation: nullcontext(Here(implementation)))


def test_the_last_hint_follows_the_mistake_of_the_implementation(
    call, tmp_path, monkeypatch, troubled, named, judged_here
):
    monkeypatch.setattr(hints.next_hint, "__defaults__", (tmp_path / "hints.json",))
    for _ in range(3):
        status, out, _ = call("hint", "vae.log_mean_exp", "--implementation", troubled)
    assert status == 0
    assert out == "Hint 3 of 3 for vae.log_mean_exp\nIt equals what you get when K is missing.\nThink of K.\n"
    _, out, _ = call("hint", "vae.log_mean_exp", "--implementation", "solutions")
    assert " ".join(out.split()).endswith(rubric.load().parts["vae.log_mean_exp"].hints[2])


def test_check_names_the_mistake_of_a_wrong_part_under_its_line_and_in_json(
    call, troubled, named, judged_here, facts, tmp_path
):
    file = tmp_path / "facts.json"
    names = ("vae.log_likelihood_normal", "vae.log_mean_exp", "gan.w1")
    status, out, _ = call("check", *names, "--implementation", troubled, "--json", file)
    assert status == 1
    under = [after for line, after in pairwise(out.splitlines()) if line.startswith(("✗ wrong", "✓ right"))]
    assert under == 2 * ["  → it equals what you get when K is missing"] + [""]
    sentences = [part["diagnosis"] and part["diagnosis"]["sentence"] for part in facts(file)["parts"]]
    assert sentences == ["K is missing", "K is missing", None]
    assert "asked by a probe" not in out


KL = "vae.kl_gaussian_gaussian_analytic"


@pytest.fixture(scope="module")
def swapping(submission):
    """A submission whose divergence swaps q and the prior, in all else the reference."""
    swapped = "\n\n_right = kl_gaussian_gaussian_analytic\n\n\ndef kl_gaussian_gaussian_analytic(a, b, c, d):\n"
    place = "def kl_gaussian_gaussian_mc("
    return submission({"vae/divergences.py": [(place, f"{swapped}    return _right(c, d, a, b)\n\n\n{place}")]})


def arrows(out):
    return [line for line in out.splitlines() if "→" in line]


def test_a_right_part_that_calls_a_wrong_one_is_given_no_name(call, swapping, judged_here, named, facts, tmp_path):
    file = tmp_path / "facts.json"
    status, out, _ = call("check", "vae.elbo", KL, "--implementation", swapping, "--json", file)
    assert status == 1
    assert arrows(out) == [
        "  → it equals what you get when K is missing",
        f"  → it calls {KL}, which is wrong: mend that first",
    ]
    assert [(part["part"], part["diagnosis"] is None) for part in facts(file)["parts"]] == [
        (KL, False),
        ("vae.elbo", True),
    ]


def test_what_a_wrong_part_calls_is_judged_though_nobody_asked_for_it(call, swapping, judged_here, facts, tmp_path):
    file = tmp_path / "facts.json"
    _, out, _ = call("check", "vae.elbo", "--implementation", swapping, "--json", file)
    assert arrows(out) == [f"  → it calls {KL}, which is wrong: mend that first"]
    assert [part["part"] for part in facts(file)["parts"]] == ["vae.elbo"]
    assert "1 part: 1 wrong" in out


def test_a_part_whose_mistake_is_its_own_has_its_name_beside_right_ones_that_it_calls(
    call, submission, judged_here, named
):
    old = "log_prob(x) - kl_gaussian"
    mistaken = submission({"vae/bounds.py": [(old, "log_prob(x) + kl_gaussian")]})
    _, out, _ = call("check", "vae.elbo", "--implementation", mistaken)
    assert arrows(out) == ["  → it equals what you get when K is missing"]


def test_the_last_hint_names_no_mistake_of_a_part_that_calls_a_wrong_one(
    call, swapping, judged_here, named, tmp_path, monkeypatch
):
    monkeypatch.setattr(hints.next_hint, "__defaults__", (tmp_path / "hints.json",))
    for _ in range(3):
        _, out, _ = call("hint", "vae.elbo", "--implementation", swapping)
    assert " ".join(out.split()).endswith(rubric.load().parts["vae.elbo"].hints[2])


@pytest.fixture
def drawn(monkeypatch):
    """The parts that were drawn; of estimators alone there is a picture."""
    names = []

    def draw(part, exchange, directory):
        names.append(part.name)
        exchange.printed = "asked for a picture"
        return directory / f"{part.name}.png" if part.name.endswith("_exp") else None

    monkeypatch.setitem(sys.modules, "grading.pictures", SimpleNamespace(draw=draw))
    return names


def test_show_draws_what_is_wrong_and_tells_where(call, troubled, judged_here, drawn):
    names = ("vae.log_likelihood_normal", "vae.log_mean_exp", "vae.kl_gaussian_gaussian_mc", "gan.w1")
    _, out, _ = call("check", *names, "--implementation", troubled, "--show")
    assert drawn == ["vae.log_likelihood_normal", "vae.log_mean_exp"]
    assert [line for line in out.splitlines() if "picture" in line] == ["  picture: pictures/vae.log_mean_exp.png"]
    assert "vae.kl" in out.split("picture:")[1]  # it stands below its part
    assert "asked for a picture" not in out


def test_that_a_part_has_no_picture_is_told_where_it_was_asked_for(call, troubled, judged_here, drawn):
    _, out, _ = call("check", "vae.log_likelihood_normal", "--implementation", troubled, "--show")
    assert "  no picture is made of vae.log_likelihood_normal\n" in out


@pytest.fixture
def pictures(monkeypatch, tmp_path):
    """The directory of pictures, with some of an earlier time."""
    directory = tmp_path / "pictures"
    directory.mkdir()
    for name in ("gan.w1", "vae.log_likelihood_normal", "vae.elbo", "mine"):
        (directory / f"{name}.png").write_text("of an earlier time", encoding="utf-8")
    monkeypatch.setattr(judging, "PICTURES", directory)
    return directory


def test_a_picture_of_an_earlier_time_goes_where_there_is_none_now(call, troubled, judged_here, drawn, pictures):
    _, out, _ = call("check", "gan.w1", "vae.log_likelihood_normal", "--implementation", troubled, "--show")
    assert sorted(path.name for path in pictures.iterdir()) == ["mine.png", "vae.elbo.png"]
    assert "picture" not in out


def test_a_picture_of_an_earlier_time_stays_where_no_picture_was_asked_for(call, judged_here, drawn, pictures):
    call("check", "gan.w1", "--implementation", "solutions")
    assert (pictures / "gan.w1.png").exists()


def test_what_is_no_picture_of_ours_stays(call, judged_here, drawn, pictures):
    (pictures / "gan.w1.png").unlink()
    (pictures / "gan.w1.png").symlink_to(pictures / "mine.png")
    (pictures / "gan.jsd.png").mkdir()
    call("check", "gan.w1", "gan.jsd", "--implementation", "solutions", "--show")
    assert (pictures / "gan.w1.png").is_symlink()
    assert (pictures / "gan.jsd.png").is_dir()


def test_nothing_is_drawn_unasked(call, troubled, judged_here, drawn):
    call("check", "vae.log_mean_exp", "--implementation", troubled)
    assert drawn == []


def test_a_place_where_no_picture_can_be_written_is_refused(call, troubled, judged_here, monkeypatch):
    def draw(part, exchange, directory):
        raise FileExistsError(17, "File exists")

    monkeypatch.setitem(sys.modules, "grading.pictures", SimpleNamespace(draw=draw))
    status, _, err = call("check", "vae.log_mean_exp", "--implementation", troubled, "--show")
    assert (status, err) == (2, "elbo: --show: pictures/ cannot be written: File exists\n")


# Requests that cannot be carried out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("check vae.log_mean_ex", "Did you mean vae.log_mean_exp?"),
        ("check log_mean_exp", "Did you mean vae.log_mean_exp?"),
        ("list --implementation solution", "Did you mean solutions?"),
        ("check --implementation data", "expected a directory vae/, gan/, flows/ in it"),
        ("check --profile grad", "expected one of student, grade"),
        ("check --json nowhere/facts.json", "there is no directory nowhere"),
        ("check --json tests", "it is a directory"),
        ("hint vae", "hints belong to a part, such as vae."),
        ("hint", "of which part? As in elbo hint vae.log_mean_exp; `elbo list` names them all"),
        ("hint vae.elbow", "Did you mean vae.elbo?"),
        ("report --out nowhere/report.html", "there is no directory nowhere"),
        ("train vea", "Did you mean vae?"),
        ("train vae --preset papers", "Did you mean paper?"),
        ("train vae --set data=digit", "Did you mean digits?"),
        ("train vae --implementation solutions --device gpu", "there are auto, cpu, cuda"),
        ("train vae --set epoch=3", "did you mean 'epochs'?"),
        ("train vae --set epochs", "expected FIELD=VALUE"),
        ("train vae --set epochs=many", "expected an integer"),
        ("train vae --set epochs=0", "expected an integer of at least 1"),
        ("train vae --resume", "name its directory with --out"),
        ("train vae --implementation exercises", "still to be written, in vae/bounds.py"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused_with_the_way_out(
    refusal, arguments, words, monkeypatch, images
):
    monkeypatch.setattr(data, "load", lambda name, root: images)
    assert words in refusal(*arguments.split())


def test_a_refusal_of_the_real_command_is_one_message_on_standard_error(elbo):
    done = elbo("check", "vae.nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_a_broken_rubric_is_refused(refusal, rubric_file, monkeypatch):
    monkeypatch.setattr(rubric.load, "__defaults__", (rubric_file('problem = "1"'),))
    assert "problem" in refusal("check")
    monkeypatch.setattr(rubric.load, "__defaults__", (rubric_file(),))
    assert "rubric.toml: parts has no key '" in refusal("hint", "vae.log_mean_exp")


def test_a_run_is_never_overwritten(refusal, make_run, images, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, root: images)
    run = make_run()
    message = refusal("train", "vae", "--implementation", "solutions", "--out", run.path)
    assert "a run is never overwritten" in message
    assert "--resume" in message


def test_a_place_that_cannot_be_written_is_refused(refusal, images, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "load", lambda name, root: images)
    (tmp_path / "file").touch()
    message = refusal("train", "vae", "--implementation", "solutions", "--out", tmp_path / "file" / "run")
    assert "cannot be written" in message


def test_resuming_under_another_configuration_is_refused(refusal, make_run, images, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, root: images)
    arguments = ("train", "vae", "--implementation", "solutions", "--resume", "--out", make_run().path)
    assert "settings" in refusal(*arguments, "--set", "epochs=3")


def test_missing_data_is_refused_with_the_way_to_get_it(refusal, tmp_path, monkeypatch):
    # urlopen keeps what it made of the environment at its first call, for all calls of the process.
    monkeypatch.setattr(urllib.request, "_opener", None)
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    message = refusal("train", "vae", "--implementation", "solutions", "--preset", "paper", "--data", tmp_path)
    assert "binarized_mnist.npz" in message
    assert "--data DIR" in message


def test_an_exception_of_the_students_code_in_training_is_told_by_its_place(refusal, submission, images, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, root: images)
    old = "    prior = torch.zeros_like(mu)\n"
    raising = submission({"vae/bounds.py": [(old, old + "    raise IndexError('mine')\n")]})
    message = refusal("train", "vae", "--implementation", raising)
    assert "raised IndexError: mine (vae/bounds.py, line 45)" in message


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: (path / "config.json").unlink(), "has no config.json"),
        (lambda path: (path / "config.json").write_text("{"), "is not JSON"),
        (lambda path: (path / "config.json").write_text("{}"), "config.json is not what an experiment writes"),
        (lambda path: (path / "summary.json").unlink(), "this run is not finished"),
        (lambda path: (path / "metrics.jsonl").write_text("{\n"), "metrics.jsonl is not what an experiment writes"),
        (lambda path: (path / "metrics.jsonl").write_text("[]\n"), "metrics.jsonl is not what an experiment writes"),
        (lambda path: (path / "metrics.jsonl").write_bytes(b"\xff\n"), "metrics.jsonl is not what an experiment"),
        (
            lambda path: (path / "summary.json").write_text('{"log_likelihood_by_samples": [1]}'),
            "summary.json is not what an experiment writes",
        ),
    ],
)
def test_a_report_on_what_is_no_whole_run_is_refused(refusal, make_run, damage, words, monkeypatch):
    monkeypatch.setattr(listing, "listing", lambda *_: [])
    run = make_run()
    damage(run.path)
    message = refusal("report", run.path, "--out", run.path / "report.html")
    assert words in message
    assert str(run.path) in message


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"experiment": "vea"}, "Did you mean vae?"),
        ({"data": {"name": "digit", "source": ""}}, "Did you mean digits?"),
        ({"data": "digits"}, "config.json is not what an experiment writes"),
        ({"settings": None}, "config.json is not what an experiment writes"),
    ],
)
def test_a_report_on_a_run_of_something_else_is_refused(refusal, make_run, config, words, monkeypatch):
    monkeypatch.setattr(listing, "listing", lambda *_: [])
    run = make_run(config=config)
    message = refusal("report", run.path, "--out", run.path / "report.html")
    assert words in message
    assert str(run.path) in message


def test_a_report_of_nothing_says_how_to_make_a_run(call, monkeypatch, tmp_path):
    monkeypatch.setattr(listing, "listing", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    status, out, err = call("report")
    assert (status, out, list(tmp_path.iterdir())) == (2, "", [])
    progress, message = err.splitlines()
    assert progress == "judging the parts ..."
    assert message.startswith("elbo: there is no finished run in runs/. `elbo train vae` makes one")


# Output


def test_output_is_plain_when_piped_and_survives_a_terminal_without_its_signs(python):
    done = python("-m", "grading.cli", "list", PYTHONIOENCODING="ascii", TERM="xterm-256color")
    assert done.returncode == 0
    assert ESCAPE not in done.stdout
    assert "todo" in done.stdout
    assert "Traceback" not in done.stderr


def test_no_line_ends_with_blanks_when_piped(told, elbo):
    lines = [line for text in told.values() for line in text.splitlines()]
    assert any(line.lstrip().startswith("expected") for line in lines)
    assert [line for line in lines if line != line.rstrip(" ")] == []
    listed = elbo("list", "--json", "-")
    assert [line for line in listed.stderr.splitlines() if line != line.rstrip(" ")] == []
    assert "  1." in listed.stderr or "  2." in listed.stderr  # the columns stand as they did


def test_blanks_within_a_line_and_before_what_follows_on_it_stay():
    file = io.StringIO()
    unpadded = Unpadded(file)
    for text in ("a  b   \n  c  ", "d\n", "   \n"):
        unpadded.write(text)
    assert file.getvalue() == "a  b\n  c  d\n\n"


def test_a_path_is_told_as_it_is_seen_from_where_one_stands(monkeypatch, tmp_path):
    from grading.catalogue import all_parts

    (part,) = [p for p in all_parts() if p.name == "vae.log_mean_exp"]
    monkeypatch.chdir(tmp_path)
    assert part.path_in(tmp_path) == "vae/likelihoods.py"
    assert Path(part.path_in(Path("/elsewhere"))).is_absolute()
