"""Several worlds at once, each in a process of its own."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from tests.campaign.length import LENGTH

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def each(act: Callable[[Asked], Found], over: Iterable[Asked]) -> Iterator[tuple[Asked, Found | Exception]]:
    """Do something about each thing, ``jobs`` at once; yield what it came to, as it comes, or the error."""
    left = iter(over)
    with ProcessPoolExecutor(
        LENGTH.jobs, mp_context=get_context("forkserver"), initializer=_quiet, max_tasks_per_child=None
    ) as pool:
        under_way: dict[Future[Found], Asked] = {}
        while True:
            for one in islice(left, LENGTH.jobs + 1 - len(under_way)):
                under_way[pool.submit(act, one)] = one
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                asked = under_way.pop(future)
                error = future.exception()
                if error is None:
                    yield asked, future.result()
                elif isinstance(error, Exception):
                    yield asked, error
                else:
                    raise error


def _quiet() -> None:
    logging.disable(logging.CRITICAL - 1)
