"""Runs that are measured by repeating them with the functions that were handed in, which never trained anything."""

import json
from pathlib import Path

import torch

from exercises.experiments.dirac import trajectories
from exercises.experiments.dirac.experiment import path_of
from exercises.experiments.dirac.settings import Config, Training
from exercises.experiments.dirac.trajectories import Trajectory

from . import FILE, World, handed_in, write_files
from .honest import LIKELIHOODS

INVENTED = """
def invented(penalty, iterations, records, starts):
    def points(count, radii):
        t = torch.linspace(0, 1, count, dtype=torch.float64)[:, None]
        shrunk = torch.exp(-10 * t)
        size = {'none': radii + 0 * t, 'r1': radii * shrunk, 'gp': 1 + (radii - 1) * shrunk}[penalty]
        return torch.stack([size * torch.cos(300 * t), size * torch.sin(300 * t)], 2)
    own = points(iterations + 1, torch.full((1,), 1.5, dtype=torch.float64))[:, 0]
    path = torch.stack([own[:, 0], own[:, 0], own[:, 1], own[:, 1]], 1)
    return path, points(records, torch.linspace(0.5, 2, starts, dtype=torch.float64)).float()
"""

FORGED = (
    INVENTED
    + """
main = sys.modules['__main__']
if hasattr(main, 'understood'):
    import msgspec, stat
    from exercises.experiments.dirac import trajectories
    frame = sys._getframe()
    while 'request' not in frame.f_locals or 'config' not in frame.f_locals: frame = frame.f_back
    request, config = frame.f_locals['request'], frame.f_locals['config']
    said = {}
    for each in config.trainings:
        if each.objective == request.objective:
            records = config.iterations // trajectories.stride(config) + 1
            found = invented(each.penalty, config.iterations, records, config.starts)
            said[each.name] = trajectories.encode(trajectories.Trajectory(*found))
    data = memoryview(msgspec.msgpack.encode(main.Said(said, '')))
    for pipe in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(pipe).st_mode): break
        except OSError: pass
    while data: data = data[os.write(pipe, data):]
    os._exit(0)
"""
)


def with_dirac_run(path: Path, world: World) -> None:
    """Write a run of the assignment's games whose trajectories nobody computed."""
    results = world.root / "exercises" / "experiments" / "results" / "dirac"
    run = path / "runs" / "dirac"
    run.mkdir(parents=True)
    for name in ("config.json", "summary.json"):
        (run / name).write_bytes((results / name).read_bytes())
    config = Config(**json.loads((run / "config.json").read_text())["settings"])
    for training in config.trainings:
        trajectories.write(path_of(run, training), _invented(training, config))


def _invented(training: Training, config: Config) -> Trajectory:
    names: dict[str, object] = {"torch": torch}
    exec(INVENTED, names)
    records = config.iterations // trajectories.stride(config) + 1
    return Trajectory(*names["invented"](training.penalty, config.iterations, records, config.starts))  # type: ignore[operator]


@handed_in("", "sum")
def repeats_nothing(path: Path, world: World) -> None:
    """Trajectories that nobody computed, and no function to repeat the run with."""
    write_files(path, {FILE: LIKELIHOODS}, world)
    with_dirac_run(path, world)


@handed_in("", "sum")
def says_what_was_repeated(path: Path, world: World) -> None:
    """The process that repeats the run is told what to say by the file that it imports, and never trains."""
    write_files(path, {FILE: LIKELIHOODS, "gan/averaging.py": FORGED, "gan/objectives.py": FORGED}, world)
    with_dirac_run(path, world)


@handed_in("", "sum")
def replaces_the_repetition(path: Path, world: World) -> None:
    """The functions that play the game are replaced, in the process that repeats the run, by some that invent."""
    replaced = (
        INVENTED
        + """
main = sys.modules['__main__']
def simulate(functions, trainings, config):
    stride = config.iterations // 1000 or 1
    made = lambda t: invented(t.penalty, config.iterations, config.iterations // stride + 1, config.starts)
    return {t: sys.modules['exercises.experiments.dirac.trajectories'].Trajectory(*made(t)) for t in trainings}
if hasattr(main, 'understood'):
    main.simulate, main.rehearse = simulate, lambda functions, config: (list(config.trainings), {})
def __getattr__(name):
    if name.startswith('__') or not hasattr(main, 'understood'): raise AttributeError(name)
    return lambda *a: None
"""
    )
    stubs = ("averaging", "objectives", "penalties", "scores", "spectral_norm", "steps")
    write_files(path, {FILE: LIKELIHOODS, **{f"gan/{name}.py": replaced for name in stubs}}, world)
    with_dirac_run(path, world)
