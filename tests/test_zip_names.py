"""Every entry of a zip has an answer, wherever its name says that it lies."""

from __future__ import annotations

import io
import zipfile

import pytest

from resviz.data.unpack import unzip


@pytest.mark.parametrize("name", ["../../out.png", "a/../b.png", "./c.png", "/abs/d.png", "..\\e.png", "f..png"])
def test_a_name_that_climbs_is_no_hidden_file(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"content")
        archive.writestr("__MACOSX/._g.png", b"hidden")
        archive.writestr("h/.DS_Store", b"hidden")
    found = list(unzip(buffer.getvalue()))
    assert [(entry.name, entry.read()) for entry in found] == [(name, b"content")]
