"""How a process that serves or works tells its operator what happens: lines on standard error, as text or as JSON."""

import json
import logging
import sys

from app.api.access_log import AccessLog
from app.api.watch import Watch
from app.domain.instant import wire_time
from app.main import clock
from app.otlp import otlp_traces
from app.settings import Settings
from app.traces import NO_TRACES, Traces

FACTS = (
    *("request_id", "route", "book", "key_id", "position"),
    *("subscription", "delivered", "failed", "given_up", "accounts", "crossings"),
)
_MICROSECONDS = 1_000_000


class JsonLines(logging.Formatter):
    """Each record a JSON object on a line of its own: `time`, `level`, `logger`, `message`, and which FACTS it has."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told: dict[str, object] = {
            "time": wire_time(int(record.created * _MICROSECONDS)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told.update({name: getattr(record, name) for name in FACTS if getattr(record, name, None) is not None})
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def log_to_stderr(settings: Settings) -> None:
    """What a process that serves or works tells its operator, from the level that is set."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.logs_json else logging.Formatter("%(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("goodwill").setLevel(settings.log_level.upper())


def greet(settings: Settings, text: str) -> None:
    """Say that the process is there: to whoever started it, or where all lines are JSON in the log."""
    if settings.logs_json:
        logging.getLogger("goodwill").info(text)
    else:
        print(text, flush=True)


def traces_of(settings: Settings) -> Traces:
    """The traces of this process, if they are wanted."""
    return otlp_traces(now=clock) if settings.traces else NO_TRACES


def watch_of(settings: Settings, traces: Traces) -> Watch | None:
    """What writes requests down, if it is wanted."""
    if not (settings.access_log or settings.traces):
        return None
    write = sys.stderr.write
    access = AccessLog(is_json=settings.logs_json, now=clock, write=write) if settings.access_log else None
    return Watch(access, traces)
