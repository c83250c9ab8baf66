"""What a student's code cannot do in the process that grades it, and that an answer needs none of it."""

import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from grading import doctor
from grading.engine import worker
from grading.engine.calls import Answer, Call, Fault
from grading.engine.implementation import ROOT
from grading.engine.isolation import LAYERS, Enclosure, Limits, enclosure, linux, namespaces, syscalls
from grading.engine.workers import Starter, Worker, layers_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the layers are made of parts of Linux")

ALL = tuple(layer.name for layer in LAYERS)
SECONDS = 60.0
REFUSED = ("PermissionError", "FileNotFoundError", "ProcessLookupError", "BlockingIOError", "OSError", "RuntimeError")


@dataclass
class Outside:
    """What stands beside a submission: another one, a place that everybody may write to, a listener, a process."""

    directory: Path
    other: Path
    open_to_all: Path
    port: int
    process: int = field(default_factory=os.getpid)


@pytest.fixture(scope="module")
def outside(place: Path) -> Iterator[Outside]:
    (place / "other" / "vae").mkdir(parents=True)
    (place / "other" / "vae" / "f.py").write_text("# of somebody else\n")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        os.chmod(folder, 0o777)
        (Path(folder) / "file").touch(0o666)
        (Path(folder) / "file").chmod(0o666)
        yield Outside(place / "mine", place / "other", Path(folder), listener.getsockname()[1])


@pytest.fixture(scope="module")
def plain() -> Iterator[Starter]:
    """Starts workers around which nothing is closed, to show that an attempt would do something."""
    starter = Starter.spawning_once()
    yield starter
    starter.close()


Run = Callable[..., Any]
Forked = Callable[[Callable[[], Enclosure]], Starter]


@pytest.fixture
def run(outside: Outside) -> Run:
    """A function that runs the body of a student's function, and returns what came of it."""

    def run_body(starter: Starter, text: str, seconds: float = SECONDS) -> Any:
        lines = [f"    {line}" for line in text.splitlines()]
        (outside.directory / "vae").mkdir(parents=True, exist_ok=True)
        head = ["import ctypes, os, socket, subprocess, sys, torch", f"outside = {vars(outside)!r}", "def f():"]
        source = "\n".join([*head, *lines]).replace("PosixPath(", "str(")
        (outside.directory / "vae" / "f.py").write_text(source)
        process = Worker(starter, outside.directory)
        try:
            (reply,) = process([Call("vae.f", "f.py", ())], seconds)
            return reply.value if isinstance(reply, Answer) else reply
        finally:
            process.close()

    return run_body


@pytest.fixture(scope="module")
def layers(enclosed: Starter, place: Path) -> tuple[str, ...]:
    return layers_of(enclosed, place)


@pytest.fixture
def all_layers(layers: tuple[str, ...]) -> None:
    """Skip where the machine lacks a layer: what is stopped there nevertheless is more than is promised."""
    if layers != ALL:
        pytest.skip(f"this machine has only {', '.join(layers)}")


def test_every_layer_that_holds_is_named_in_the_order_of_closing(layers: tuple[str, ...]) -> None:
    assert layers[0] == "process"
    assert [name for name in ALL if name in layers] == list(layers)


# What is refused

LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"
CHECK = "\nif result < 0: raise OSError(ctypes.get_errno(), 'refused')\nreturn 'done'"
ATTEMPTS = {
    "read the solutions": f"open('{ROOT}/solutions/vae/likelihoods.py').read()",
    "read the rubric": f"open('{ROOT}/grading/rubric.toml').read()",
    "read the properties": f"open('{ROOT}/tests/support/properties.py').read()",
    "read another submission": "open(outside['other'] + '/vae/f.py').read()",
    "read the accounts": "open('/etc/passwd').read()",
    "read its own environment": "open('/proc/self/environ').read()",
    "read by a descriptor of a directory": "os.open('etc/passwd', os.O_RDONLY, dir_fd=os.open('/', os.O_PATH))",
    "list the root": "os.listdir('/')",
    "list the kit": f"os.listdir('{ROOT}')",
    "list all submissions": "os.listdir(os.path.dirname(outside['directory']))",
    "list the processes": "os.listdir('/proc')",
    "write beside itself": "open(outside['directory'] + '/vae/g.py', 'w').write('x')",
    "write to where everybody may": "open(outside['open_to_all'] + '/new', 'w').write('x')",
    "change a file of everybody": "os.write(os.open(outside['open_to_all'] + '/file', os.O_WRONLY), b'x')",
    "write among temporary files": "p = '/'.join(['', 'tmp', 'elbo-tests-new']); open(p, 'w').close(); os.unlink(p)",
    "write to shared memory": "open('/dev/shm/elbo-tests-new', 'w').close(); os.unlink('/dev/shm/elbo-tests-new')",
    "make a directory": "os.mkdir(outside['open_to_all'] + '/folder')",
    "make a link": "os.symlink('/etc/passwd', outside['open_to_all'] + '/link')",
    "remove its own file": "os.unlink(outside['directory'] + '/vae/f.py')",
    "change the time of a file": "os.utime(outside['open_to_all'] + '/file', (1, 1))",
    "make a file in memory": "os.memfd_create('x')",
    "open a socket": "socket.socket()",
    "open a datagram socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "open a local socket": "socket.socket(socket.AF_UNIX)",
    "open a pair of sockets": "socket.socketpair()",
    "connect": "socket.create_connection(('127.0.0.1', outside['port']), 1)",
    "run a program": "subprocess.run(['/bin/true'], check=True)",
    "run a shell": "if os.system('exit 0'): raise PermissionError",
    "run a program another way": "os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "if os.fork() == 0: os._exit(0)",
    "send a signal to the judge": "os.kill(outside['process'], 0)",
    "send a signal to itself": "os.kill(os.getpid(), 0)",
    "send a signal to its group": "os.killpg(0, 0)",
    "see the judge": "os.getpriority(os.PRIO_PROCESS, outside['process'])",
    "see the group of the judge": "os.getpgid(outside['process'])",
    "see on which cores the judge runs": "os.sched_getaffinity(outside['process'])",
    "open the judge": "os.pidfd_open(outside['process'])",
    "trace": f"{LIBC}result = libc.ptrace(0, 0, 0, 0){CHECK}",
    "leave its namespaces": f"{LIBC}result = libc.unshare(0x20000){CHECK}",
    "change the root": "os.chroot('/usr')",
    "be the user of services": "os.setresuid(61184, 61184, 61184)",
    "have a thousand open files": "x = [os.dup(0) for _ in range(1000)]",
    "start a thread": "import threading\nthreading.Thread(target=int).start()",
    "start a pool of threads": "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(2).submit(int)",
    "name its machine": "socket.sethostname(socket.gethostname())",
}
ROOTS = {"leave its namespaces", "change the root", "be the user of services", "name its machine"}  # only root may


@pytest.mark.usefixtures("all_layers")
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_it_is_refused(run: Run, enclosed: Starter, attempt: str) -> None:
    fault = run(enclosed, ATTEMPTS[attempt])
    assert isinstance(fault, Fault), fault
    assert (fault.kind, fault.error in REFUSED) == ("raised", True), fault


@pytest.mark.parametrize("attempt", [name for name in ATTEMPTS if os.geteuid() == 0 or name not in ROOTS])
def test_it_would_do_something_where_nothing_is_closed(
    run: Run, plain: Starter, outside: Outside, attempt: str
) -> None:
    reply = run(plain, ATTEMPTS[attempt])
    for name in ("new", "folder", "link"):
        path = outside.open_to_all / name
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    assert not isinstance(reply, Fault), reply


@pytest.mark.usefixtures("all_layers")
def test_it_knows_no_variable_of_the_judges_environment(run: Run, enclosed: Starter) -> None:
    found = dict(run(enclosed, "return list(os.environ.items())"))
    assert "ELBO_TESTS_SECRET" not in found
    assert "of the judge" not in found.values()
    assert found["OMP_NUM_THREADS"] == "1"


def test_it_holds_no_descriptor_but_input_output_errors_and_its_connection(run: Run, enclosed: Starter) -> None:
    text = """
found = []
for descriptor in range(64):
    try:
        os.fstat(descriptor)
        found.append(descriptor)
    except OSError:
        pass
return found
"""
    with tempfile.TemporaryFile() as file:
        os.set_inheritable(file.fileno(), True)
        assert run(enclosed, text) == (0, 1, 2, 3)


@pytest.mark.usefixtures("all_layers")
def test_it_sees_no_process_but_itself(run: Run, enclosed: Starter) -> None:
    text = """
found = []
for process in range(1, 5000):
    try:
        os.getpgid(process)
        found.append(process)
    except ProcessLookupError:
        pass
return found, os.getpid(), os.getppid()
"""
    assert run(enclosed, text) == ((1,), 1, 0)


@pytest.mark.usefixtures("all_layers")
def test_it_is_a_user_that_nobody_is_and_cannot_be_root_again(run: Run, enclosed: Starter) -> None:
    users = run(enclosed, "return [*os.getresuid(), *os.getresgid()]")
    if os.geteuid() == 0:
        first = enclosure.FIRST_USER
        assert all(first <= user < first + enclosure.USERS for user in users)
        assert run(enclosed, "return os.getgroups()") == ()
    for name in ("setuid", "setgid"):
        assert run(enclosed, f"os.{name}(0)").error in ("PermissionError", "OSError")


def test_two_submissions_beside_each_other_are_two_users(run: Run, enclosed: Starter, layers: tuple[str, ...]) -> None:
    if os.geteuid() or "privileges" not in layers:
        pytest.skip("only root has users to give")
    assert run(enclosed, "return os.getuid()") != run(enclosed, "return os.getuid()")


def test_more_memory_than_it_may_take_is_an_exception(run: Run, enclosed: Starter, plain: Starter) -> None:
    text = "return len(torch.empty({} << 20, dtype=torch.uint8)) >> 20"
    fault = run(enclosed, text.format(1500))
    assert (fault.kind, fault.error) == ("raised", "RuntimeError")
    assert "memory" in fault.message
    assert run(enclosed, "return len(bytearray(1500 << 20))").error == "MemoryError"
    assert run(enclosed, text.format(500)) == 500
    assert run(plain, text.format(1500)) == 1500


# What still works


SET_DUMPABLE = 4  # of prctl(2)
WORKS = {
    "a module of the library that nothing loaded before": "assert 'colorsys' not in sys.modules\nimport colorsys\n"
    "return colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)",
    "a compiled module that nothing loaded before": "assert '_elementtree' not in sys.modules\nimport _elementtree\n"
    "return True",
    "torch.func": "return torch.func.vmap(torch.func.grad(lambda x: x.sin()))(torch.zeros(2)).tolist() == [1, 1]",
    "numpy": "import numpy\nreturn bool(numpy.linalg.norm(numpy.ones(4)) == 2)",
    "a part of torch that nothing loaded before": "import torch.distributions.kl\nreturn True",
    "its own source": "return 'def f' in open(__file__).read()",
    "inspect": "import inspect\nreturn 'def f' in inspect.getsource(f)",
    "random numbers of the system": "import secrets\nreturn len(os.urandom(8)) == 8 and secrets.randbits(8) < 256",
    "the clock": "import time, datetime\ntime.sleep(0.001)\nreturn datetime.datetime.now().year > 2000",
    "linear algebra": "a = torch.eye(50, dtype=torch.float64)\nreturn bool(torch.linalg.inv(a).equal(a))",
    "gradients": "x = torch.ones(2, requires_grad=True)\n(x ** 2).sum().backward()\nreturn x.grad.tolist() == [2, 2]",
    "a script of torch": "return torch.jit.script(torch.nn.ReLU())(torch.ones(1)).item() == 1",
    "a temporary buffer": "import io\nb = io.BytesIO()\ntorch.save(torch.ones(2), b)\nreturn len(b.getvalue()) > 0",
    "printing": "print('x'); import pprint; pprint.pprint([1])\nreturn True",
}


def test_what_is_left_at_the_top_of_a_file_can_be_imported(enclosed: Starter, outside: Outside) -> None:
    text = "import matplotlib.pyplot as plt\ndef f(): return plt.__name__\n"
    (outside.directory / "vae").mkdir(parents=True, exist_ok=True)
    (outside.directory / "vae" / "plots.py").write_text(text)
    process = Worker(enclosed, outside.directory)
    try:
        (reply,) = process([Call("vae.f", "plots.py", ())], SECONDS)
    finally:
        process.close()
    assert isinstance(reply, Answer), reply
    assert reply.value == "matplotlib.pyplot"


@pytest.mark.parametrize("text", WORKS.values(), ids=WORKS)
def test_what_an_answer_may_need_works(run: Run, enclosed: Starter, text: str) -> None:
    assert run(enclosed, text) is True


def test_processor_time_is_bounded(run: Run, forked: Forked) -> None:
    starter = forked(lambda: Enclosure(Limits(cpu_seconds=1)))
    begin = time.monotonic()
    assert run(starter, "while True: pass").error == "ProcessEnded"
    assert time.monotonic() - begin < 0.8 * SECONDS
    assert run(starter, "return 1") == 1


# One layer at a time, in a process that closes no other


@pytest.fixture
def forked() -> Iterator[Forked]:
    """A function that forks this process for a clean one with an enclosure as it is made there."""
    starters = []

    def start(make: Callable[[], Enclosure]) -> Starter:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                ours.close()
                worker.serve_forks([theirs], make())
            finally:
                os._exit(1)
        theirs.close()
        starters.append(Starter(ours))
        return starters[-1]

    yield start
    for starter in starters:
        starter.close()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that leaves out all layers but one."""
    steps = {"limits": "_limit", "landlock": "_restrict_files"}
    methods = {"privileges": "_drop_privileges", "seccomp": "_restrict_calls"}

    def leave(name: str) -> None:
        for step in steps.keys() - {name}:
            monkeypatch.setattr(enclosure, steps[step], lambda *_: False)
        for step in methods.keys() - {name}:
            monkeypatch.setattr(Enclosure, methods[step], lambda *_: False)
        if name != "namespaces":
            monkeypatch.setattr(namespaces, "are_to_be_had", lambda: False)

    return leave


READING, SOCKETS, SIGNALS, FILES = (
    ATTEMPTS[name]
    for name in ("read the solutions", "open a socket", "send a signal to the judge", "have a thousand open files")
)


@pytest.mark.parametrize(
    ("layer", "refused", "left"),
    [
        ("landlock", [READING, ATTEMPTS["change a file of everybody"], ATTEMPTS["list the root"]], [SOCKETS, FILES]),
        ("seccomp", [SOCKETS, SIGNALS, ATTEMPTS["fork"], ATTEMPTS["run a program"]], [READING, FILES]),
        ("limits", [FILES, ATTEMPTS["change a file of everybody"]], [READING, SOCKETS, SIGNALS]),
        ("namespaces", [READING, ATTEMPTS["connect"], SIGNALS, ATTEMPTS["see the judge"]], [SOCKETS, FILES]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer_refuses_by_itself(
    run: Run,
    forked: Forked,
    only: Callable[[str], None],
    layers: tuple[str, ...],
    outside: Outside,
    layer: str,
    refused: list[str],
    left: list[str],
) -> None:
    if layer not in layers:
        pytest.skip(f"this machine lacks {layer}")
    only(layer)
    starter = forked(lambda: Enclosure.prepare(Limits(), [outside.directory.parent]))
    assert layers_of(starter, outside.directory) == ("process", layer)
    replies = [run(starter, text) for text in refused]
    assert all(isinstance(reply, Fault) and reply.kind == "raised" for reply in replies), replies
    for text in left:
        assert not isinstance(run(starter, text), Fault)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_privileges_are_given_up_by_themselves(
    run: Run, forked: Forked, only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only("privileges")
    monkeypatch.setattr(enclosure, "_open_to_all", lambda path: True)
    starter = forked(lambda: Enclosure.prepare(Limits()))
    for text in ("os.setuid(0)", "os.chroot('/usr')", "open('/etc/shadow').read()", "os.listdir('/root')"):
        assert run(starter, text).error == "PermissionError"
    assert run(starter, "return os.getgroups()") == ()


def test_what_cannot_be_read_by_others_is_graded_with_the_rights_that_read_it(
    run: Run, forked: Forked, only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only("privileges")
    monkeypatch.setattr(enclosure, "_open_to_all", lambda path: False)
    starter = forked(lambda: Enclosure.prepare(Limits()))
    assert run(starter, "return os.getuid()") == os.getuid()
    assert run(starter, "os.chroot('/usr')").error == "PermissionError"  # no capability is left


# Where a layer is not to be had


def without_landlock(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "landlockpy", None)


def without_seccomp(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "pyseccomp", None)


def without_its_library(patch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("Unable to find libseccomp")

    patch.setattr(syscalls, "make_filter", fail)


def without_namespaces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(linux, "unshare", lambda flags: linux._checked(-1, "unshare"))


@pytest.mark.parametrize(
    ("without", "lost"),
    [
        (without_landlock, {"landlock"}),
        (without_seccomp, {"seccomp"}),
        (without_its_library, {"seccomp"}),
        (without_namespaces, {"namespaces"}),
    ],
)
def test_a_layer_that_is_not_to_be_had_is_not_named_and_grading_goes_on(
    run: Run,
    forked: Forked,
    layers: tuple[str, ...],
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    without: Callable[[pytest.MonkeyPatch], None],
    lost: set[str],
) -> None:
    without(monkeypatch)
    starter = forked(lambda: Enclosure.prepare(Limits(), [outside.directory.parent]))
    held = set(layers_of(starter, outside.directory))
    # Without a world of its own, a user can only be given where Python lies open to everybody.
    assert held - {"privileges"} == set(layers) - lost - {"privileges"}
    assert "privileges" in held or lost == {"namespaces"}
    assert run(starter, "return float(torch.ones(3).sum())") == 3
    if layers == ALL:
        assert run(starter, READING).error in REFUSED  # by the layers that are left


@pytest.mark.skipif(os.geteuid() != 0, reason="this is somebody else already")
def test_it_is_all_the_same_for_whoever_is_not_root(run: Run, forked: Forked, outside: Outside) -> None:
    def make() -> Enclosure:
        _open_python()
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        linux.control_process(SET_DUMPABLE, 1)  # as who began as this user has it
        return Enclosure.prepare(Limits(), [outside.directory.parent])

    starter = forked(make)
    try:
        held = layers_of(starter, outside.directory)
    except (EOFError, OSError):
        pytest.skip("Python cannot be shown to another user here")
    if "namespaces" not in held:
        pytest.skip("namespaces of users are not for everybody on this machine")
    assert held == ALL
    for name in ("read the solutions", "read another submission", "open a socket", "fork", "see the judge"):
        assert run(starter, ATTEMPTS[name]).error in REFUSED
    assert run(starter, "os.setuid(0)").error in REFUSED
    assert run(starter, "import colorsys\nreturn float(torch.ones(3).sum())") == 3


def _open_python() -> None:
    """Show Python's directories in this process alone to users who may not pass where they stand."""
    closed = {
        parent
        for directory in namespaces.python_directories()
        for parent in directory.resolve().parents
        if not parent.stat().st_mode & 0o001
    }
    linux.unshare(linux.NEW_MOUNTS)
    linux.mount("none", "/", flags=linux.RECURSIVE | linux.PRIVATE)
    for parent in closed:
        inside = {
            d.resolve().relative_to(parent).parts[0]
            for d in namespaces.python_directories()
            if d.resolve().is_relative_to(parent)
        }
        with tempfile.TemporaryDirectory() as kept:
            linux.mount(str(parent), kept, flags=linux.BIND)
            linux.mount("tmpfs", str(parent), "tmpfs", 0, "mode=755")
            for name in inside:
                (parent / name).mkdir()
                linux.mount(f"{kept}/{name}", str(parent / name), flags=linux.BIND)
            linux._libc.umount2(kept.encode(), linux.DETACH)


# What is readable, and what a machine tells


def test_the_directories_of_python_are_there_and_hold_what_is_imported() -> None:
    directories = namespaces.python_directories()
    assert all(path.exists() for path in directories)
    assert len(set(directories)) == len(directories)
    for module in (json, torch, pytest):
        assert module.__file__ is not None
        assert any(Path(module.__file__).is_relative_to(path) for path in directories)
    for secret in (ROOT / "solutions", ROOT / "grading", Path.home() / ".ssh", Path("/etc/passwd"), Path("/tmp")):
        assert not any(secret.is_relative_to(path) for path in directories)


def test_the_doctor_names_every_layer_and_what_its_absence_costs(
    call: Callable[..., Any], layers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [name for name in layers if name != "seccomp"]
    monkeypatch.setattr("grading.engine.workers.layers_of", lambda *_: held)
    monkeypatch.setattr(Starter, "enclosed", lambda *_: [Starter(None)])
    status, out, _ = call("doctor", "--json", "-")
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert status == 0
    assert [name for name in found if name.startswith("isolation")] == [f"isolation: {name}" for name in ALL]
    assert {name for name in ALL if found[f"isolation: {name}"]["present"]} == set(held)
    absent = found["isolation: seccomp"]
    assert absent["found"] == "does not hold"
    assert "libseccomp" in absent["cost"]


def test_the_doctor_starts_what_grading_starts(layers: tuple[str, ...]) -> None:
    found = {finding.name.removeprefix("isolation: "): finding.present for finding in doctor._layers()}
    assert found == {name: name in layers for name in ALL}


@pytest.mark.usefixtures("all_layers")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes its workers other users")
def test_a_strict_umask_of_whoever_grades_hides_no_submission(run: Run, forked: Forked, outside: Outside) -> None:
    def make() -> Enclosure:
        os.umask(0o077)
        return Enclosure.prepare(Limits(), [outside.directory.parent])

    assert run(forked(make), "return 1") == 1


def test_a_worker_is_killed_with_all_its_threads(plain: Starter, place: Path) -> None:
    (place / "threads" / "vae").mkdir(parents=True)
    text = "import threading\ndef f(): threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()\n"
    (place / "threads" / "vae" / "f.py").write_text(text)
    process = Worker(plain, place / "threads")
    assert isinstance(process([Call("vae.f", "f.py", ())], SECONDS)[0], Answer)
    number = process._process
    assert Path(f"/proc/{number}").exists()
    process.close()
    end = time.monotonic() + SECONDS
    while Path(f"/proc/{number}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not Path(f"/proc/{number}").exists()


def test_packages_that_lie_outside_of_the_environment_can_be_read(monkeypatch, tmp_path):
    # as a .pth file, a user's own installation or stacked environments put them on the path
    elsewhere, other = tmp_path / "lib" / "site-packages", tmp_path / "somewhere"
    for place in (elsewhere, other):
        place.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(elsewhere), str(other)])
    assert elsewhere in namespaces.python_directories()
    assert other not in namespaces.python_directories()
