"""A class on many cores: a record for every submission, whatever becomes of the processes that judge."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grading import batch
from grading.batch import BatchError, grade_here, grade_on_cluster
from grading.grader import IsolationError, Marked, Order
from grading.intake import Source
from grading.records import Circumstances, Record

CIRCUMSTANCES = Circumstances(0, 1, [], "", "", "", "", "")
ORDER = Order(seed=3, parts=("vae.log_mean_exp",), inputs=3)
PATIENT = 60.0
NO_TEXT = b"\xff\x00 of a picture"


class Deeds:
    """Grades a submission by doing what its name says."""

    starter: Any = None
    work = Path("/nowhere")

    def draw(self, *_: Any) -> None:
        """There are no inputs."""

    def grade(self, source: Source) -> Marked:
        match source.name.split("-")[0]:
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exits":
                os._exit(0)
            case "once":  # the first time only
                if not source.path.exists():
                    source.path.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            case "sleeps":
                time.sleep(1000)
            case "raises":
                raise IsolationError("missing on this machine")
        time.sleep(0.01)
        made = Record(source.name, "graded", CIRCUMSTANCES, notes=[str(self.starter), str(os.getpid())])
        return Marked(made, {"report.md": NO_TEXT} if source.name == "writes" else {})

    def refuse(self, source: Source, reason: str, grader_failed: bool = False) -> Record:
        return Record(source.name, "refused", CIRCUMSTANCES, reason=reason, grader_failed=grader_failed)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Iterator[Marked]]:
    """A function that grades submissions of these names in processes that do what the names say."""

    @contextlib.contextmanager
    def at_work(order: Order, jobs: int) -> Iterator[Any]:
        yield Deeds(), [f"starter {number}" for number in range(jobs)]

    monkeypatch.setattr(batch, "at_work", at_work)
    return lambda names, jobs=2: grade_here([Source(name, tmp_path / name) for name in names], ORDER, jobs)


def outcomes(marked: Iterator[Marked]) -> dict[str, str]:
    found = [(each.record.submission, each.record.outcome) for each in marked]
    assert len(dict(found)) == len(found)  # one record each
    return dict(found)


def honest(count: int) -> list[str]:
    return [f"honest-{number}" for number in range(count)]


def test_every_submission_gets_one_record(pool: Callable[..., Iterator[Marked]]) -> None:
    assert outcomes(pool(honest(20))) == dict.fromkeys(honest(20), "graded")
    assert outcomes(pool([])) == {}


def test_the_report_comes_back_from_the_process_that_judged(pool: Callable[..., Iterator[Marked]]) -> None:
    reports = {each.record.submission: each.report for each in pool(["writes", "honest", "dies"])}
    assert reports == {"writes": {"report.md": NO_TEXT}, "honest": {}, "dies": {}}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_every_process_that_judges_has_a_starter_of_its_own(pool: Callable[..., Iterator[Marked]], jobs: int) -> None:
    seen = {tuple(marked.record.notes) for marked in pool(honest(30), jobs)}
    assert len({process for _, process in seen}) == len(seen) == len({starter for starter, _ in seen})
    assert 1 <= len(seen) <= jobs


@pytest.mark.parametrize("deed", ["dies", "exits"])
@pytest.mark.parametrize("place", [0, 5, 11])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_process_that_ends_refuses_its_submission_and_no_other(
    pool: Callable[..., Iterator[Marked]], deed: str, place: int, jobs: int
) -> None:
    names = honest(11)
    names.insert(place, deed)
    marked = list(pool(names, jobs))
    assert outcomes(iter(marked)) == {name: "refused" if name == deed else "graded" for name in names}
    (refused,) = (each.record for each in marked if each.record.outcome == "refused")
    assert "process that judged it ended" in refused.reason


def test_several_processes_that_end_refuse_their_submissions(pool: Callable[..., Iterator[Marked]]) -> None:
    names = ["dies-1", *honest(4), "dies-2", "exits", *honest(9)[4:], "dies-3"]
    expected = {name: "graded" if name.startswith("honest") else "refused" for name in names}
    assert outcomes(pool(names)) == expected


def test_one_that_ended_for_another_reason_is_graded_the_second_time(pool: Callable[..., Iterator[Marked]]) -> None:
    names = [*honest(3), "once"]
    assert outcomes(pool(names)) == dict.fromkeys(names, "graded")


def test_too_few_layers_end_the_grading(pool: Callable[..., Iterator[Marked]]) -> None:
    with pytest.raises(IsolationError, match="missing on this machine"):
        list(pool([*honest(2), "raises"]))


class Counted(Sequence[Source]):
    """Submissions that count how many of them were taken."""

    def __init__(self, count: int) -> None:
        self.size, self.taken = count, 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, number: Any) -> Any:
        if number >= self.size:
            raise IndexError
        self.taken = max(self.taken, number + 1)
        return Source(f"honest-{number}", Path(f"/nowhere/{number}"))


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("pool")
def test_only_a_few_are_handed_out_ahead(jobs: int) -> None:
    sources = Counted(60)
    ahead = [sources.taken - graded for graded, _ in enumerate(grade_here(sources, ORDER, jobs))]
    assert len(ahead) == 60
    assert max(ahead) <= 3 * jobs  # what is done and waits to be read is not under way any more


def test_the_first_record_comes_before_the_last_submission_is_done(pool: Callable[..., Iterator[Marked]]) -> None:
    records = pool(["honest", "sleeps"])
    assert next(records).record.submission == "honest"
    records.close()  # type: ignore[attr-defined]
    assert_no_children()


def assert_no_children() -> None:
    end = time.monotonic() + PATIENT
    while multiprocessing.active_children() and time.monotonic() < end:
        time.sleep(0.01)
    assert multiprocessing.active_children() == []


def test_ctrl_c_ends_the_processes_and_comes_through(pool: Callable[..., Iterator[Marked]]) -> None:
    begin, records = time.monotonic(), pool(["honest", "sleeps-1", "sleeps-2"])
    assert next(records).record.submission == "honest"
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(records)
    timer.join()
    assert time.monotonic() - begin < PATIENT
    assert_no_children()


def test_whoever_stops_listening_leaves_no_process(pool: Callable[..., Iterator[Marked]]) -> None:
    records = pool(["honest", "sleeps-1", "sleeps-2"])
    next(records)
    with pytest.raises(KeyboardInterrupt):
        records.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    assert_no_children()


def test_a_grading_leaves_no_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "a.zip").write_bytes(b"%PDF")
    records = grade_here([Source("a", tmp_path / "a.zip")], ORDER, 1)
    assert next(records).record.outcome == "refused"
    assert list((tmp_path / "temporary").iterdir())
    records.close()  # type: ignore[attr-defined]
    assert list((tmp_path / "temporary").iterdir()) == []


# On a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with one worker."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as local:
        yield local.scheduler_address


def likelihoods(folder: Path, name: str, slip: bool) -> Source:
    from grading.engine.implementation import ROOT

    text = (ROOT / "solutions" / "vae" / "likelihoods.py").read_text()
    (folder / name / "vae").mkdir(parents=True)
    text = text.replace(" - math.log(y.shape[1])", "") if slip else text
    (folder / name / "vae" / "likelihoods.py").write_text(text)
    (folder / name / "report.md").write_text("## 1.1 ![](a.png)")
    (folder / name / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    return Source(name, folder / name)


def without_times(marked: Marked) -> dict[str, Any]:
    """A record as it is whenever and wherever it is made, and the report beside it."""
    found = msgspec.to_builtins(marked.record)
    del found["budget"]
    found["report"] = marked.report
    for part in found["parts"]:
        for value in part["properties"]:
            del value["seconds"]
    return found


def test_a_cluster_gives_the_same_records(cluster: str, tmp_path: Path) -> None:
    (tmp_path / "pdf.zip").write_bytes(b"%PDF")
    sources = [
        likelihoods(tmp_path, "right", slip=False),
        likelihoods(tmp_path, "wrong", slip=True),
        Source("pdf", tmp_path / "pdf.zip"),
    ]
    there, here = (
        {each.record.submission: without_times(each) for each in marked}
        for marked in (grade_on_cluster(sources, ORDER, cluster), grade_here(sources, ORDER, 1))
    )
    assert there == here
    assert {name: record["outcome"] for name, record in here.items()} == {
        "right": "graded",
        "wrong": "graded",
        "pdf": "refused",
    }
    assert here["right"]["report"]["figures/a.png"] == b"\x89PNG\r\n\x1a\n\xff"
    assert here["right"]["points"] == here["right"]["possible"] > here["wrong"]["points"] > 0


def test_no_scheduler_at_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    client = distributed.Client
    monkeypatch.setattr(
        distributed, "Client", lambda address, timeout, **others: client(address, timeout=0.3, **others)
    )
    with pytest.raises(BatchError, match=r"--scheduler 127\.0\.0\.1:1: no Dask scheduler answers there"):
        list(grade_on_cluster([], ORDER, "127.0.0.1:1"))


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:port", "smoke://127.0.0.1:8786"])
def test_what_is_no_address_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed.Client, "__del__", lambda client: None)  # it would wait for 20 s
    with pytest.raises(BatchError, match=f"--scheduler {address}"):
        list(grade_on_cluster([], ORDER, address))


def test_a_cluster_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BatchError, match=r"pip install -e '\.\[cluster\]'"):
        list(grade_on_cluster([], ORDER, "127.0.0.1:8786"))


def test_two_gradings_cannot_write_into_one_place(tmp_path: Path) -> None:
    with (
        batch._noted(tmp_path / "elbo-a", tmp_path / "out"),
        pytest.raises(batch.BatchError, match="another grading is under way"),
        batch._noted(tmp_path / "elbo-b", tmp_path / "out"),
    ):
        pass
    with batch._noted(tmp_path / "elbo-b", tmp_path / "out"):
        assert (tmp_path / "out" / batch.WORK).read_text() == str(tmp_path / "elbo-b")
