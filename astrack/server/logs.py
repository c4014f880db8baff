"""Log lines as JSON, one object a line, without what somebody typed: of an error its class and place, not its words."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from opentelemetry import trace

OWN = ("astrack", "domain", "projections", "transfer")


class Lines(logging.Formatter):
    """Makes the lines. Words of other libraries are kept from ``warning`` on only: theirs may quote what they met."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace"] = f"{span.trace_id:032x}"
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = place(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def place(error: BaseException | None) -> str:
    """The file, line and function of each frame of an error: no values, no message."""
    frames = traceback.extract_tb(error.__traceback__) if error else ()
    return " < ".join(f"{one.filename.rsplit('/', 1)[-1]}:{one.lineno} {one.name}" for one in reversed(frames))


def to_stderr(level: int = logging.INFO) -> None:
    """Write this process's log there, our own from ``level`` on, others' from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OWN:
        logging.getLogger(name).setLevel(level)
