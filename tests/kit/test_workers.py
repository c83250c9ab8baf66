"""Whatever a student's code does in its process, the judge gets an answer or a fault, in time, and goes on."""

import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import ImplementationNotFound, locate
from grading.engine.workers import KEPT_OUTPUT, Starter, Worker

PROMPT, PATIENT = 0.4, 60.0
Write = Callable[..., Worker]


@pytest.fixture
def write(tmp_path: Path, starter: Starter) -> Iterator[Write]:
    """Write the files of a topic, `f="..."` as f.py, and return a worker for them."""
    workers = []

    def make(start_with: Starter = starter, **files: str) -> Worker:
        (tmp_path / "vae").mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / "vae" / f"{name}.py").write_text(text)
        workers.append(Worker(start_with, locate(str(tmp_path))))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def ask(worker: Worker, *arguments: Any, name: str = "f", file: str = "f.py", seconds: float = PATIENT) -> Any:
    (reply,) = worker([Call(f"vae.{name}", file, arguments)], seconds)
    return reply.value if isinstance(reply, Answer) else reply


def body(text: str, *before: str) -> str:
    """A file in which the function f has a body."""
    return "\n".join(["import os, sys, torch", *before, "def f(*a):", *(f"    {line}" for line in text.splitlines())])


def test_calls_are_answered_in_their_order(write: Write) -> None:
    worker = write(f=body("return a[0] * 2"))
    replies = worker([Call("vae.f", "f.py", (torch.tensor([float(i)]),)) for i in range(5)], PATIENT)
    assert [reply.value.item() for reply in replies if isinstance(reply, Answer)] == [0, 2, 4, 6, 8]


def test_the_same_process_answers_again(write: Write) -> None:
    worker = write(f=body("return os.getpid()"))
    assert ask(worker) == ask(worker) != os.getpid()


def test_noise_depends_on_the_seed_of_the_call_alone(write: Write) -> None:
    worker = write(f=body("return torch.randn(3)"))
    replies = worker([Call("vae.f", "f.py", (), seed) for seed in (1, 2, 1)], PATIENT)
    a, b, c = (reply.value for reply in replies if isinstance(reply, Answer))
    assert torch.equal(a, c)
    assert not torch.equal(a, b)


def test_arguments_changed_in_place_reach_nobody_else(write: Write) -> None:
    worker, x = write(f=body("a[0].zero_()\nreturn a[0]")), torch.ones(2)
    (reply,) = worker([Call("vae.f", "f.py", (x,), watch="effects")], PATIENT)
    assert isinstance(reply, Answer)
    assert reply.arguments[0].tolist() == [0, 0]
    assert x.tolist() == [1, 1]


def test_an_exception_is_told_with_file_and_line(write: Write) -> None:
    worker = write(f=body("return g()", "from .other import g"), other="def g():\n    raise ValueError('no')\n")
    fault = ask(worker)
    assert fault.kind == "raised"
    assert (fault.error, fault.message, fault.where) == ("ValueError", "no", "vae/other.py, line 2")
    assert "raise ValueError('no')" in fault.traceback


def test_an_exception_inside_torch_is_told_at_the_students_line(write: Write) -> None:
    assert ask(write(f=body("x = torch.ones(2)\nreturn x @ torch.ones(3)"))).where == "vae/f.py, line 4"


def test_what_is_not_implemented_keeps_its_name(write: Write) -> None:
    fault = ask(write(f=body("raise NotImplementedError('vae.f is still to be written')")))
    assert (fault.kind, fault.error) == ("raised", "NotImplementedError")


def test_endless_recursion_is_an_exception(write: Write) -> None:
    assert ask(write(f=body("return f()"))).error == "RecursionError"


@pytest.mark.parametrize(
    ("text", "error", "message", "where"),
    [
        ("x = 1\ndef f(:\n", "SyntaxError", "invalid syntax: def f(:", "vae/broken.py, line 2"),
        ("def f():\nreturn 1\n", "IndentationError", "expected an indented block", "vae/broken.py, line 2"),
        ("\nraise ValueError('at once')\n", "ValueError", "at once", "vae/broken.py, line 2"),
        ("\n\nimport no_such_module\n", "ModuleNotFoundError", "no_such_module", "vae/broken.py, line 3"),
        ("import sys\nsys.exit(3)\n", "SystemExit", "3", "vae/broken.py, line 2"),
        ("from .f import nothing\n", "ImportError", "cannot import name 'nothing'", "vae/broken.py, line 1"),
    ],
    ids=["syntax", "indentation", "exception", "no module", "exit", "no name"],
)
def test_a_file_that_cannot_be_imported_is_told_and_leaves_the_others(
    write: Write, text: str, error: str, message: str, where: str
) -> None:
    worker = write(broken=text, f=body("return 1"))
    fault = ask(worker, file="broken.py")
    assert (fault.kind, fault.error, fault.where) == ("import", error, where)
    assert message in fault.message
    assert ask(worker) == 1


@pytest.mark.parametrize("leave", ["sys.exit(0)", "raise SystemExit", "exit()", "raise GeneratorExit"])
def test_leaving_politely_is_an_exception(write: Write, leave: str) -> None:
    fault = ask(write(f=body(leave)))
    assert fault.kind == "raised"
    assert fault.error in ("SystemExit", "GeneratorExit", "NameError")


ENDS = {
    "exit at once": "os._exit(0)",
    "kill": "os.kill(os.getpid(), 9)",
    "abort": "os.abort()",
    "interrupt": "raise KeyboardInterrupt",
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
    "close the connection": "os.closerange(3, 200)",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_process_that_ends_is_a_fault_and_the_next_call_gets_a_fresh_one(write: Write, end: str) -> None:
    worker = write(f=body(f"if a[0]: {end}\nreturn 1"))
    assert [reply.error for reply in worker([Call("vae.f", "f.py", (True,))] * 2, PATIENT)] == ["ProcessEnded"] * 2
    assert ask(worker, False) == 1


def test_a_process_that_ends_at_import_is_a_fault(write: Write) -> None:
    worker = write(broken="import os; os._exit(0)", f=body("return 1"))
    assert ask(worker, file="broken.py").error == "ProcessEnded"
    assert ask(worker) == 1


def test_a_missing_function_is_told_with_the_nearest_name(write: Write) -> None:
    worker = write(f="def log_mean_exps(y): ...\ndef other(): ...\n")
    near = ask(worker, name="log_mean_exp")
    assert (near.kind, near.message) == (
        "missing",
        "vae/f.py has no function log_mean_exp; the nearest name there is log_mean_exps: was it renamed?",
    )
    assert ask(worker, name="zzzzzz").message == "vae/f.py has no function zzzzzz"


def test_a_name_that_is_no_function_is_missing(write: Write) -> None:
    assert ask(write(f="f = 3\n")).kind == "missing"


def test_a_missing_file_is_told(write: Write) -> None:
    assert "there is no file vae/g.py" in ask(write(f="f = 3\n"), file="g.py").message


LOOPS = {
    "plain": "while True: pass",
    "swallowing": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "deaf": "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    "sleeping": "import time; time.sleep(1000)",
    "stopped": "os.kill(os.getpid(), 19)",
    "printing": "while True: print('x' * 1000)",
    "printing to stderr": "while True: os.write(2, b'x' * 1000)",
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_what_never_ends_is_cut_and_the_next_call_gets_a_fresh_process(write: Write, loop: str) -> None:
    worker = write(f=body("\n".join(["if not a[0]: return os.getpid()", *loop.splitlines()])))
    before = ask(worker, False)
    fault = ask(worker, True, seconds=PROMPT)
    assert (fault.kind, fault.error) == ("silent", "TimeoutError")
    assert "no answer in time" in fault.message
    assert ask(worker, False) not in (before, fault)


def test_what_is_printed_without_end_takes_no_memory(write: Write) -> None:
    worker = write(f=body("while True: os.write(1, b'x' * 60000)"))
    fault = ask(worker, seconds=2 * PROMPT)
    assert "MB printed" in fault.message
    assert len(worker.output) == KEPT_OUTPUT
    assert worker.take_output() == "x" * KEPT_OUTPUT


def test_what_is_printed_is_returned_once(write: Write) -> None:
    worker = write(f=body("print('mu', a[0]); print('é', file=sys.stderr, end='')\nreturn 1", "print('imported')"))
    assert ask(worker, 5) == 1
    assert worker.take_output() == "imported\nmu 5\né"
    assert worker.take_output() == ""


def test_the_last_words_of_a_process_are_kept(write: Write) -> None:
    worker = write(f=body("print('last words')\nos._exit(1)"))
    assert ask(worker).error == "ProcessEnded"
    assert worker.take_output() == "last words\n"


def test_bytes_that_are_no_text_can_be_printed(write: Write) -> None:
    worker = write(f=body("os.write(1, b'\\xff')\nprint('\\ud800')\nreturn 1"))
    assert ask(worker) == 1
    assert worker.take_output() == "\ufffd?\n"


SILENCED = [
    "os.close(1)",
    "print('x', end=''); os.close(1)",
    "sys.stdout.close()",
    "sys.stdout = None",
    "del sys.stdout",
]


@pytest.mark.parametrize("silence", SILENCED)
def test_a_worker_without_its_output_still_answers(write: Write, silence: str) -> None:
    worker = write(f=body(f"if a[0]: {silence}\nreturn 1"))
    assert [ask(worker, True), ask(worker, False)] == [1, 1]


def test_input_is_empty(write: Write) -> None:
    assert ask(write(f=body("return sys.stdin.read()"))) == ""


UNSENDABLE = {
    "too large": "return torch.zeros(300 << 20, dtype=torch.uint8)",
    "too large when it is copied": "return torch.zeros(1).expand(10**14)",
    "too long": "return 'x' * (5 << 20)",
    "too many": "return [1] * (5 << 20)",
}


@pytest.mark.parametrize("text", UNSENDABLE.values(), ids=UNSENDABLE)
def test_an_answer_that_is_too_large_is_a_fault(write: Write, text: str) -> None:
    worker = write(f=body(f"if not a[0]: return os.getpid()\n{text}"))
    process = ask(worker, False)
    fault = ask(worker, True)
    assert fault.kind == "damaged"
    assert "cannot be sent" in fault.message
    assert ask(worker, False) == process


ODD = {
    "tensor that raises": "class T(torch.Tensor): dtype = property(lambda self: 1 / 0)\n"
    "return torch.ones(1).as_subclass(T)",
    "tensor that is not implemented": "class T(torch.Tensor):\n    def detach(self): raise NotImplementedError\n"
    "return torch.ones(1).as_subclass(T)",
    "nested tensor": "return torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])",
    "meta tensor": "return torch.ones(1, device='meta')",
    "endless list": "x = []; x.append(x)\nreturn x",
    "generator": "return (i for i in [1])",
    "half of a surrogate pair": "return '\\ud800'",
    "exception that cannot be told": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "exception of half a surrogate pair": "raise ValueError('\\ud800')",
    "exception with a file name that is none": "raise SyntaxError('x', (3, 4, 5, 6))",
    "exception whose name is no text": "raise type('\\ud800', (Exception,), {})",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_values_and_exceptions_do_not_end_the_process(write: Write, text: str) -> None:
    worker = write(f=body("if not a[0]: return os.getpid()\n" + text))
    process, reply = ask(worker, False), ask(worker, True)
    assert not isinstance(reply, Fault) or (reply.error not in ("NotImplementedError", "ProcessEnded"))
    assert ask(worker, False) == process


FORGERIES = {
    "noise": "b'\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00notvalid'",
    "huge": "b'\\xff' * 8",
    "empty": "bytes(8)",
    "no replies": "wire.encode_replies([])",
    "two replies": "wire.encode_replies([Answer(1)] * 2)",
    "no gradient": "wire.encode_replies([Answer(1, True, (), (None,), ((),))])",
    "no arguments": "wire.encode_replies([Answer(1, True, (None,), (), ((),))])",
    "nothing asked": "wire.encode_replies([Answer(1, True, (None,), (None,), ())])",
    "an argument that is text": "wire.encode_replies([Answer(1, True, (None,), ('x',), ((),))])",
    "a call": "wire.encode_calls([Call('vae.f', 'f.py', ())])",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_message_that_the_students_code_forges_is_damaged(write: Write, forgery: str) -> None:
    text = f"""
connection = next(s for s in gc.get_objects() if isinstance(s, socket.socket) and s.fileno() > 2)
connection.setblocking(True)
connection.sendall({forgery})
os.kill(os.getpid(), 19)
"""
    imports = "import gc, socket", "from grading.engine import wire", "from grading.engine.calls import Answer, Call"
    worker = write(f=body(text, *imports))
    (fault,) = worker([Call("vae.f", "f.py", (torch.ones(1),), watch="effects", wrt=("0",))], PATIENT)
    assert isinstance(fault, Fault)
    assert fault.kind == "damaged"


def test_processes_that_a_worker_started_die_with_it(write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    worker = write(f=body("subprocess.Popen(['sleep', '1000'], stdout=open(a[0], 'w'))\nreturn 1", "import subprocess"))
    # The pipe is at its end when the last process that has it open for writing is dead.
    pipe = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    assert ask(worker, str(tmp_path / "alive")) == 1
    with pytest.raises(BlockingIOError):
        os.read(pipe, 1)
    worker.close()
    assert select.select([pipe], [], [], PATIENT)[0]
    assert os.read(pipe, 1) == b""
    os.close(pipe)


def test_a_students_files_shadow_nothing(write: Write) -> None:
    shadows = dict.fromkeys(("torch", "random", "math", "socket", "grading"), "raise RuntimeError('shadowed')")
    worker = write(f=body("return random.__file__ + math.pi.hex()", "import random, math"), **shadows)
    assert "random.py" in ask(worker)


def test_a_students_files_import_each_other(write: Write) -> None:
    worker = write(
        f="from .g import double\nfrom . import g\nf = lambda x: double(x) + g.one\n",
        g="one = 1\ndef double(x): return 2 * x\n",
    )
    assert ask(worker, 4) == 9


def test_topics_import_each_other(write: Write, tmp_path: Path) -> None:
    (tmp_path / "gan").mkdir()
    (tmp_path / "gan" / "g.py").write_text("one = 1\n")
    assert ask(write(f="from ..gan.g import one\nf = lambda: one\n")) == 1


def test_an_init_file_that_raises_does_no_harm(write: Write, tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("raise RuntimeError")
    assert ask(write(__init__="raise RuntimeError", f="from . import g\nf = lambda: 1\n", g="")) == 1


def test_the_worker_knows_no_property(write: Write) -> None:
    loaded = ask(write(f=body("return sorted(sys.modules)")))
    assert not [m for m in loaded if m.startswith(("hypothesis", "tests.vae", "tests.support.pr", "tests.support.o"))]
    assert "grading.judge" not in loaded


def test_two_workers_live_beside_each_other(write: Write) -> None:
    one, two = write(f=body("return os.getpid()")), write()
    assert ask(one) != ask(two)


def test_a_worker_starts_from_nothing_where_nothing_can_fork(write: Write) -> None:
    worker = write(Starter(None), f=body("print('x')\nreturn a[0] + 1"))
    assert ask(worker, torch.ones(1)).item() == 2
    assert worker.take_output() == "x\n"


def test_a_worker_that_kills_what_it_was_forked_from_harms_nobody(write: Write) -> None:
    own = Starter.spawning_once()
    worker = write(own, f=body("if a[0]: os.kill(os.getppid(), 9); os._exit(0)\nreturn 1"))
    assert ask(worker, True).error == "ProcessEnded"
    assert ask(worker, False) == 1
    own.close()


def test_an_entry_of_the_bank_stands_in_for_its_part(starter: Starter) -> None:
    worker = Worker(starter, locate("solutions"), "vae.log_mean_exp.forgets_to_divide")
    assert ask(worker, torch.zeros(1, 2), name="log_mean_exp").item() == pytest.approx(0.6931472)
    worker.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [("solution", "Did you mean solutions"), ("nowhere", "nor a directory"), ("solutions/vae", "above the topics")],
)
def test_an_implementation_that_is_not_there_is_told(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(pytestconfig.rootpath)
    with pytest.raises(ImplementationNotFound, match=message):
        locate(name)


def test_messages_may_be_posted_before_the_replies_to_others_are_waited_for(write: Write) -> None:
    worker = write(f=body("return a[0] * 2"))
    sizes = (3, 2_000_000, 5)  # the second message alone is more than a socket takes at once
    posted = [worker.post([Call("vae.f", "f.py", (torch.ones(size),))], PATIENT) for size in sizes]
    assert [len(reply.value) for collect in posted for reply in collect() if isinstance(reply, Answer)] == list(sizes)


def test_who_waits_for_a_process_that_was_given_up_gets_the_reason(write: Write) -> None:
    worker = write(f=body("os._exit(1) if a[0] == 1 else None\nreturn a[0]"))
    first, second = (worker.post([Call("vae.f", "f.py", (number,))], PATIENT) for number in (1, 2))
    assert first() == second()
    assert ask(worker, 3) == 3
