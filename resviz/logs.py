"""A server's log as JSON, one object a line, without a word of what visitors gave."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

__all__ = ["JsonLines", "asked", "begin"]

_FIELDS: Final = ("kind", "state", "seconds", "waited", "raised")  # what a record may carry beside its message
_PROJECT: Final = Path(__file__).resolve().parent.parent


class JsonLines(logging.Formatter):
    """A record as one line: time, level, logger and message; of a computation its kind, state, seconds and seconds waited.

    An exception is its type and where it was raised, since its message may repeat what a visitor gave. So may the messages of
    other libraries, for which the place in their code stands.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if _ours(record) else f"see {_place(record.pathname)}:{record.lineno}",
        }
        for name in _FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                told[name] = round(value, 3) if isinstance(value, float) else value
        if record.exc_info and record.exc_info[1] is not None:
            told |= {"error": type(record.exc_info[1]).__qualname__, "raised": _raised(record.exc_info[1])}
        return json.dumps(told, ensure_ascii=False)


def _ours(record: logging.LogRecord) -> bool:
    return record.name == "resviz" or record.name.startswith("resviz.")


def _raised(error: BaseException) -> str:
    """File, line and function in which it was raised; the file as it is called in the project or its library."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{_place(frames[-1].filename)}:{frames[-1].lineno} in {frames[-1].name}" if frames else "nowhere"


def _place(file: str) -> str:
    path = Path(file)
    if "site-packages" in path.parts:
        return Path(*path.parts[path.parts.index("site-packages") + 1 :]).as_posix()
    return path.relative_to(_PROJECT).as_posix() if path.is_relative_to(_PROJECT) else path.name


def asked() -> bool:
    """Whether RESVIZ_LOG asks for JSON. Raises `ValueError` where it asks for what there is not."""
    form = os.environ.get("RESVIZ_LOG", "")
    if form not in ("", "json"):
        raise ValueError(f"RESVIZ_LOG is {form[:60]!r}; set it to json, or leave it out for plain lines")
    return form == "json"


def begin() -> None:
    """From now on what this process logs, warns of, or dies of in a thread goes to stderr as JSON; of other libraries, from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(lambda record: _ours(record) or record.levelno >= logging.WARNING)
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("resviz").setLevel(logging.INFO)
    warnings.showwarning = _warned
    threading.excepthook = _died


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    logging.getLogger("resviz.warnings").warning(category.__qualname__, extra={"raised": f"{_place(filename)}:{lineno}"})


def _died(died: threading.ExceptHookArgs) -> None:
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        logging.getLogger("resviz.threads").error("a thread ended with an error", exc_info=died.exc_value)
