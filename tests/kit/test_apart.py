"""A process apart is clean and bounded, says what it has to say through one pipe, and leaves nothing behind."""

import json
import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grading.engine import apart
from grading.engine.apart import NoAnswerError, run_apart
from grading.engine.implementation import ROOT

PATIENT = 60.0
Run = Callable[..., bytes]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs a script apart."""

    def run_script(text: str, *arguments: str, seconds: float = PATIENT, given: bytes = b"") -> bytes:
        (tmp_path / "script.py").write_text("import json, os, sys, time\n" + text)
        # The smallest module of the library that runs a script as it is, and prints nothing with it.
        own = ["-o", os.devnull, str(tmp_path / "script.py")]
        return run_apart("cProfile", [*own, *arguments], seconds, given)

    return run_script


def test_arguments_and_input_go_in_and_the_output_comes_back(run: Run) -> None:
    text = "print(sys.argv[1:], sys.stdin.read(), flush=True); os.write(1, b'\\xff\\n')"
    assert run(text, "a", "b c", given=b"given") == b"['a', 'b c'] given\n\xff\n"


def test_a_module_of_the_kit_can_be_run_from_anywhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("print(os.getcwd())").decode().strip() == str(ROOT)


def test_the_environment_has_what_python_needs_and_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("ELBO_SECRET", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD", "HOME")
    for name in secrets:
        monkeypatch.setenv(name, "/secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("LC_TESTS", "kept")
    found = json.loads(run("print(json.dumps(dict(os.environ)))"))
    assert not found.keys() & set(secrets)
    assert "/secret" not in found.values()
    assert (found["LC_TESTS"], found["OMP_NUM_THREADS"]) == ("kept", "1")
    assert found["PATH"] == os.environ["PATH"]


def test_errors_are_not_heard(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("print('no', file=sys.stderr); print('yes')") == b"yes\n"
    assert capfd.readouterr() == ("", "")


def test_descriptors_of_this_process_stay_here(run: Run) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    text = "found = os.listdir('/proc/self/fd'); print(sorted(int(f) for f in found if int(f) > 2 and os.path.exists("
    text += "f'/proc/self/fd/{f}')))"
    if not Path("/proc/self/fd").exists():
        pytest.skip("no system that tells which are open")
    assert run(text) == b"[]\n"
    os.close(read)
    os.close(write)


MEGABYTES = 8


def test_several_megabytes_go_both_ways_at_once(run: Run) -> None:
    data = os.urandom(1 << 20) * MEGABYTES
    text = "while data := os.read(0, 4096):\n    while data: data = data[os.write(1, data):]"
    assert run(text, given=data) == data


def test_an_answer_is_read_before_the_input_was_taken(run: Run) -> None:
    text = f"sys.stdout.buffer.write(bytes({MEGABYTES} << 20)); sys.stdout.flush(); print(len(sys.stdin.buffer.read()))"
    answer = run(text, given=bytes(MEGABYTES << 20))
    assert answer == bytes(MEGABYTES << 20) + f"{MEGABYTES << 20}\n".encode()


@pytest.mark.parametrize("text", ["os.close(0)\nprint('x')", "print('x')", "print(sys.stdin.read(1))"])
def test_whoever_takes_none_of_its_input_is_heard_all_the_same(run: Run, text: str) -> None:
    assert run(text, given=b"x" * (MEGABYTES << 20)) == b"x\n"


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "time.sleep(1000)",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
        "os.kill(os.getpid(), 19)",
        "while True: print('x', flush=True); time.sleep(0.01)",
    ],
    ids=["loop", "sleep", "deaf", "stopped", "dribbling"],
)
def test_what_takes_too_long_is_cut(run: Run, text: str) -> None:
    begin = time.monotonic()
    with pytest.raises(NoAnswerError, match="no answer within 1 seconds"):
        run(text, seconds=0.6)
    assert time.monotonic() - begin < 0.5 * PATIENT


def test_who_closes_its_output_has_said_all_and_is_ended(run: Run) -> None:
    begin = time.monotonic()
    assert run("print('x', flush=True); os.close(1); time.sleep(1000)") == b"x\n"
    assert time.monotonic() - begin < 0.5 * PATIENT


CHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '1000'], pass_fds=[os.open(sys.argv[1], os.O_WRONLY)])\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("time.sleep(1000)", 1.5),
        ("os.close(1); os._exit(0)", PATIENT),
        ("sys.stdout.buffer.write(bytes(1 << 20)); sys.stdout.flush(); time.sleep(1000)", PATIENT),
    ],
    ids=["too long", "ended", "too much"],
)
def test_all_that_is_left_of_its_group_is_ended(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setattr(apart, "MOST", 1 << 16)
    os.mkfifo(tmp_path / "alive")
    pipe = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    begin = time.monotonic()
    try:
        run(
            CHILD.replace("'1000']", "'1000'], stdout=subprocess.DEVNULL") + text,
            str(tmp_path / "alive"),
            seconds=seconds,
        )
    except NoAnswerError:
        assert "sleep" in text
    # The pipe is at its end when the last process that has it open for writing is dead.
    assert select.select([pipe], [], [], PATIENT)[0]
    assert os.read(pipe, 1) == b""
    os.close(pipe)
    assert time.monotonic() - begin < 0.5 * PATIENT


def test_an_answer_of_too_many_bytes_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MOST", 3 << 20)
    with pytest.raises(NoAnswerError, match="more than 3 MB"):
        run("while True: os.write(1, bytes(1 << 16))")
    assert len(run("os.write(1, bytes(1 << 16))")) == 1 << 16


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.abort()", "1 / 0"])
def test_a_process_that_ends_without_a_word_leaves_an_empty_answer(run: Run, end: str) -> None:
    assert run(end) == b""


def test_what_it_said_before_it_ended_is_kept(run: Run) -> None:
    assert run("print('x', flush=True); os.abort()") == b"x\n"


def test_a_process_is_waited_for(run: Run) -> None:
    number = int(run("print(os.getpid())"))
    with pytest.raises(ChildProcessError):
        os.waitpid(number, 0)


def test_it_is_no_process_of_this_terminal(run: Run) -> None:
    assert int(run("print(os.getsid(0))")) != os.getsid(0)
