"""Write transactions as figures and spans, by SQLAlchemy's own events."""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, ExceptionContext

from backend.database import Database
from backend.observability import metrics
from backend.observability.tracing import Tracing

_BEGAN = "callweave_write_began"
_kind = metrics.Bounded(16)


def watch(db: Database, tracing: Tracing | None = None) -> None:
    """Watch the writers of a database from now on. Readers cost nothing."""

    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get("callweave_writer"):
            connection.info[_BEGAN] = time.perf_counter()

    def committed(connection: Connection) -> None:
        began = connection.info.pop(_BEGAN, None)
        if began is not None:
            seconds = time.perf_counter() - began
            metrics.DATABASE_WRITE.observe(seconds)
            if tracing is not None:
                tracing.past("database write", seconds, {"db.system.name": db.url.get_backend_name()})

    def rolled_back(connection: Connection) -> None:
        connection.info.pop(_BEGAN, None)

    def failed(context: ExceptionContext) -> None:
        metrics.DATABASE_ERRORS.labels(_kind(type(context.original_exception).__name__)).inc()

    engine: Any = db.engine.sync_engine
    event.listen(engine, "begin", begun)
    event.listen(engine, "commit", committed)
    event.listen(engine, "rollback", rolled_back)
    event.listen(engine, "handle_error", failed)
