"""Who does the runs: worker processes of this machine, or a Ray cluster. Both are asked alike, and both outlive a killed worker."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final, NamedTuple

from resviz.spec.sweep import Run
from resviz.training.sweep.measure import Row, measure

__all__ = ["Done", "Failed", "locally", "on_ray"]

_TRIES: Final = 3  # of a run whose worker dies: it may be what kills it


class Done(NamedTuple):
    """A run and its numbers."""

    run: Run
    row: Row


class Failed(NamedTuple):
    """A run and why there are no numbers."""

    run: Run
    reason: str


def locally(runs: Sequence[Run], workers: int) -> Iterator[Done | Failed]:
    """Spawned processes of one thread each, in the order in which runs end. A worker that dies takes nothing with it but its run's time."""
    left = dict.fromkeys(runs, 0)
    while left:
        try:
            yield from _pool(left, workers)
        except BrokenProcessPool:
            for run in [run for run, tries in left.items() if tries >= _TRIES]:
                del left[run]
                yield Failed(run, f"its worker process died {_TRIES} times: killed, or out of memory")


def _pool(left: dict[Run, int], workers: int) -> Iterator[Done | Failed]:
    """One pool until it has done everything or broken; what is under way when it breaks has been tried once more."""
    queue = list(left)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_the_parent) as pool:
        under_way: dict[Future[Row], Run] = {}
        try:
            while queue or under_way:
                while queue and len(under_way) < workers:  # no more than are computed, so that only those count as tried
                    run = queue.pop(0)
                    under_way[pool.submit(measure, run)] = run
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    result = _outcome(under_way[future], future)
                    run = under_way.pop(future)
                    del left[run]
                    yield result
        except BrokenProcessPool:
            for run in under_way.values():
                left[run] += 1
            raise
        except BaseException:  # whoever asks has gone: nothing more is begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_the_parent() -> None:
    """A worker does not outlive whoever asked, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _outcome(run: Run, future: Future[Row]) -> Done | Failed:
    try:
        return Done(run, future.result())
    except BrokenProcessPool:
        raise
    except Exception as error:  # a run's own failure is a line of the table, not the end of the others
        return Failed(run, f"{type(error).__name__}: {error}")


def on_ray(runs: Sequence[Run], address: str) -> Iterator[Done | Failed]:
    """The tasks of a Ray cluster, one processor each; Ray does those of a lost node anew. Raises `ValueError` without Ray or the cluster."""
    try:
        import ray
    except ImportError as error:
        raise ValueError("Ray is not installed; pip install 'resviz[scale]', or leave --ray out") from error
    try:
        ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
    except (ConnectionError, ValueError) as error:
        raise ValueError(f"no Ray cluster answers at {address}: {error}") from error
    task = ray.remote(num_cpus=1, max_retries=_TRIES)(measure)
    pending = {task.remote(run): run for run in runs}
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=1)
        for reference in ready:
            run = pending.pop(reference)
            try:
                yield Done(run, ray.get(reference))
            except ray.exceptions.RayTaskError as error:
                yield Failed(run, f"{type(error.cause).__name__}: {error.cause}")
            except ray.exceptions.RayError as error:
                yield Failed(run, str(error).splitlines()[0])
