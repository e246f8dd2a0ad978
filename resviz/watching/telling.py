"""What a watch found, in words, in files and in a notebook."""

from __future__ import annotations

import os
from pathlib import Path

from resviz.figures import captions
from resviz.figures.reports.recording import in_notebook, recording_report
from resviz.guard import nearest
from resviz.results import Recording
from resviz.training.detect import recorded_findings
from resviz.watching.files import recording_parquet

__all__ = ["notebook", "told", "written"]

_ENDINGS = (".parquet", ".html")


def told(recording: Recording) -> tuple[str, ...]:
    """What is wrong around the last step, in sentences."""
    return captions.recording_findings(recording, recorded_findings(recording, recording.last))


def notebook(recording: Recording) -> str:
    """The waterfall, the profile and what they say as a piece of HTML."""
    return in_notebook(recording, told(recording))


def written(recording: Recording, path: Path) -> Path:
    """Write it by its ending. Raises `ValueError` for one that is neither `.parquet` nor `.html`."""
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise ValueError(f"{path.name} ends neither in .parquet nor in .html{nearest(ending, _ENDINGS)}")
    data = recording_parquet(recording) if ending == ".parquet" else recording_report(recording, told(recording)).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
