"""A Dask cluster makes the same bytes as this machine, also when it loses a worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from projects import COUNTING, LOOPING, Project, eventually

from stslab import dask_client
from stslab.report import identity
from stslab.report.messages import RequestError

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytestmark = [pytest.mark.usefixtures("bare_kernels"), pytest.mark.thorough]

RUNS = 20


class Cluster:
    """A scheduler and two worker processes on this machine, at ports that were free."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.processes: list[subprocess.Popen[bytes]] = []
        self._file = project.temporary / "scheduler.json"
        flags = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
        self._start("distributed.cli.dask_scheduler", *flags)
        self.workers = [self.worker(), self.worker()]
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)

    def worker(self) -> subprocess.Popen[bytes]:
        flags = [
            "--nthreads",
            "1",
            "--no-nanny",
            "--dashboard-address",
            "127.0.0.1:0",
            "--host",
            "127.0.0.1",
        ]
        folder = str(self.project.temporary)
        return self._start("distributed.cli.dask_worker", *flags, "--local-directory", folder)

    def _start(self, module: str, *flags: str) -> subprocess.Popen[bytes]:
        # The worker process forks bare kernels, as the tests of this module do.
        code = (
            "from stslab.report.running import kernels; import projects; "
            "kernels.PRELOAD[:] = projects.BARE; "
            f"from {module} import main; main()"
        )
        here = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--scheduler-file", str(self._file), *flags],
            env=self.project.environment(PYTHONPATH=here),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        eventually(self._file.exists)
        return process

    @property
    def address(self) -> str:
        return str(json.loads(self._file.read_text())["address"])

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()  # a worker whose client was interrupted may take long to leave
            process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for all tests here; the last of them takes it apart."""
    project = Project(tmp_path_factory.mktemp("cluster"))
    made = Cluster(project)
    try:
        yield made
    finally:
        made.close()
        eventually(lambda: not project.kernels())
        shutil.rmtree(project.temporary)


def kernels_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_a_failure_on_a_cluster_costs_one_page_and_an_interrupt_reaches_it(
    project: Project, running: Cluster
) -> None:
    """Ctrl-C here ends the kernels there."""
    project.notebook("good", COUNTING)
    project.notebook("failing", ["1 / 0"])
    project.notebook("loops", [LOOPING])
    project.preset("notebooks: [good, failing, loops]")
    process = project.start("report", "mini", "--scheduler", running.address)
    done = [project.home / name for name in ("good.html", "failing.failed.html")]
    eventually(lambda: running.project.running() and all(page.exists() for page in done))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "✓ good  built" in told
    assert "failing failed: ZeroDivisionError: division by zero" in told
    assert "Traceback" not in told
    eventually(lambda: not list(running.project.temporary.glob("stslab-*")))
    project.assert_sound()


def test_a_worker_of_another_version_is_refused(
    project: Project, running: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages would not be the same bytes."""
    project.notebook("good", COUNTING)
    project.preset("notebooks: [good]")
    versions = {**identity.versions(), "torch": "9.9"}
    monkeypatch.setattr(identity, "versions", lambda: versions)
    with pytest.raises(RequestError, match=r"worker .* differs from this machine: torch cha"):
        project.build(scheduler=running.address)
    assert not project.home.joinpath("good.html").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_an_address_where_no_scheduler_answers_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    project.notebook("good", COUNTING)
    project.preset("notebooks: [good]")
    monkeypatch.setattr(dask_client, "ANSWER", 1)
    with pytest.raises(RequestError, match="no Dask scheduler answers there"):
        project.build(scheduler=address)


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes_also_when_it_loses_a_worker(
    project: Project, running: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty runs here, on two workers, and with one killed half-way, kernel and all."""
    project.notebook("count", [*COUNTING, "import time; time.sleep(0.1)"])
    runs = ", ".join(
        f"{{notebook: count, name: r{n}, parameters: {{n: {n}}}}}" for n in range(RUNS)
    )
    project.preset(f"notebooks: [{runs}]")
    project.build()
    here = project.digests()

    results = project.build(force=True, scheduler=running.address)
    assert {result.status for result in results.values()} == {"built"}
    assert project.digests() == here
    assert all(len(kernels_of(worker)) == 1 for worker in running.workers)  # warm, and both used

    lost, other = running.workers
    again = ("report", "mini", "--force", "--scheduler", running.address)
    with project.start(*again) as process:
        assert process.stderr
        told = [process.stderr.readline() for _ in range(RUNS // 2)]
        left = kernels_of(lost)
        lost.kill()
        told += process.stderr.readlines()
    assert process.returncode == 0, told
    assert sorted(line.split()[1] for line in told) == sorted(f"r{n}" for n in range(RUNS))
    assert project.digests() == here
    eventually(lambda: not any(kernel.is_running() for kernel in left))
    project.assert_sound()

    monkeypatch.setattr(dask_client, "ANSWER", 1)
    other.terminate()
    other.wait(30)
    with pytest.raises(RequestError, match=r"it has no workers\. Start some with: dask worker"):
        project.build(scheduler=running.address)
