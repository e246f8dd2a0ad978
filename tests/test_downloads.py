"""Downloads from a server that lies, stalls, drips or hangs up: ended at once, and nothing left on disk."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from resviz.data.download import DownloadError, fetch, intact

BODY = os.urandom(200_000)
HASH = hashlib.sha256(BODY).hexdigest()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def server(behave: Callable[[socket.socket], object]) -> Iterator[str]:
    """An address where every visitor is treated by `behave`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def treat(visitor: socket.socket) -> None:
        with visitor:
            try:
                visitor.recv(4096)
                behave(visitor)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                visitor, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=treat, args=(visitor,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/weights.bin"
    finally:
        listening.close()


def send(*parts: bytes) -> Callable[[socket.socket], object]:
    return lambda visitor: [visitor.sendall(part) for part in parts]


def stall(*parts: bytes) -> Callable[[socket.socket], object]:
    return lambda visitor: ([visitor.sendall(part) for part in parts], time.sleep(30))


def drip(visitor: socket.socket) -> None:
    visitor.sendall(HEAD % len(BODY))
    for n in range(len(BODY)):
        visitor.sendall(BODY[n : n + 1])
        time.sleep(0.05)


def endless(visitor: socket.socket) -> None:
    visitor.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        visitor.sendall(bytes(1 << 20))


def reset(visitor: socket.socket) -> None:
    visitor.sendall(HEAD % len(BODY) + BODY[:50_000])
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


LIES = {
    "other content": (send(HEAD % len(BODY), BODY[::-1]), "damaged"),
    "less than it says": (send(HEAD % len(BODY), BODY[:1000]), "ended after 0.0 of 0.2 MB"),
    "more than it should": (send(HEAD % 10**10, BODY), "more than"),
    "without end": (endless, "more than"),
    "reset": (reset, "reset"),
    "silence": (stall(), "no answer|nothing arrived"),
    "silence in the middle": (stall(HEAD % len(BODY), BODY[:1000]), "no answer|nothing arrived"),
    "no HTTP": (send(b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
    "a length that is no number": (send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", BODY), "could not be downloaded"),
    "404": (send(b"HTTP/1.1 404 Gone Fishing\r\nContent-Length: 0\r\n\r\n"), "404 Not Found"),
    "hangs up": (send(), "could not be downloaded"),
}


def lost(url: str, path: Path, words: str) -> None:
    with pytest.raises(DownloadError, match=words) as error:
        list(fetch(url, path, "sha256", HASH, "the bundled ones", timeout=1.0, largest=4_000_000))
    assert "the bundled ones" in str(error.value)
    assert "rrno" not in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_leaves_one_sentence_and_nothing_on_disk(lie: str, tmp_path: Path) -> None:
    behave, words = LIES[lie]
    with server(behave) as url:
        lost(url, tmp_path / "weights.bin", words)
    assert list(tmp_path.iterdir()) == []


def test_no_connection_is_said_without_errno(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    lost(f"http://127.0.0.1:{port}/weights.bin", tmp_path / "weights.bin", "connection refused")
    lost("http://nowhere.invalid/weights.bin", tmp_path / "weights.bin", "could not be downloaded")


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lost("http://127.0.0.1:1/w", tmp_path / "file" / "weights.bin", "check the disk")


@pytest.mark.parametrize(
    "behave", [stall(), stall(HEAD % len(BODY), BODY[:1000]), drip, endless], ids=["mute", "stalls", "drips", "floods"]
)
def test_it_can_be_stopped_within_a_second(behave: Callable[[socket.socket], object], tmp_path: Path) -> None:
    with server(behave) as url, closing(fetch(url, tmp_path / "weights.bin", "sha256", HASH, "others")) as download:
        longest, until = 0.0, time.monotonic() + 1.5
        before = time.monotonic()
        for _ in download:
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
            if before > until:
                break
        began = time.monotonic()
        download.close()
        assert longest < 1
        assert time.monotonic() - began < 1
    assert list(tmp_path.iterdir()) == []


def test_what_arrives_whole_is_kept_and_parts_of_killed_downloads_go(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    old, young = tmp_path / "weights.bin.abc.part", tmp_path / "weights.bin.def.part"
    for part in (old, young):
        part.write_bytes(b"part")
    os.utime(old, (1, 1))
    with server(send(HEAD % len(BODY), BODY)) as url:
        fractions = list(fetch(url, path, "sha256", HASH[:8], "others"))
    assert path.read_bytes() == BODY
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert not old.exists()
    assert young.exists()


def test_a_file_is_hashed_at_every_use_once_a_version(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    assert not intact(path, "sha256", HASH)
    path.write_bytes(BODY)
    assert intact(path, "sha256", HASH[:8])
    path.write_bytes(BODY[:-1])
    assert not intact(path, "sha256", HASH[:8])
    path.write_bytes(BODY)
    os.utime(path, (5, 5))
    assert intact(path, "sha256", HASH)
