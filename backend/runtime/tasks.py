"""Ending tasks."""

import asyncio
from typing import Any

AGAIN = 0.5


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task until it is over; what became of it is of no interest any more.

    Once is not always enough: a cancellation that meets a database driver in the middle of a statement may come out as
    an error of the database, which the task has learned to live with.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN)
    if not task.cancelled():
        task.exception()
