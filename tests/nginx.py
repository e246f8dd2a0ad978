"""`deploy/nginx.conf` on this machine: its replicas are ports of the loopback interface, all else is as it is deployed."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.house import ROOT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
WHY = "nginx is not installed: deploy/nginx.conf is not tried"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Proxy:
    """nginx before so many replicas; `stop` ends it."""

    def __init__(self, folder: Path, replicas: Sequence[int]) -> None:
        self.port, self.folder = free_port(), folder
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        text, upstreams = re.subn(r"server resviz-(\d):8501", lambda m: f"server 127.0.0.1:{replicas[int(m[1]) - 1]}", text)
        assert upstreams == len(replicas)
        text = text.replace("/tmp/", f"{folder}/").replace("listen 8080", f"listen 127.0.0.1:{self.port}")
        text = text.replace("/dev/stdout", str(folder / "access"))
        self.conf = folder / "nginx.conf"
        self.conf.write_text(text, encoding="utf-8")
        self.command = [str(NGINX), "-p", str(folder), "-e", str(folder / "error"), "-c", str(self.conf)]
        self.process: subprocess.Popen[bytes] | None = None

    def check(self) -> str:
        """What `nginx -t` says."""
        done = subprocess.run([*self.command, "-t"], capture_output=True, text=True)
        return done.stderr

    def start(self) -> None:
        self.process = subprocess.Popen([*self.command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "error").read_text(encoding="utf-8"))

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def log(self, words: str, seconds: float = 10) -> str:
        """What was logged once these words are in it: nginx writes a request's line after its answer has left."""
        until = time.monotonic() + seconds
        while words not in (text := (self.folder / "access").read_text(encoding="utf-8")):
            if time.monotonic() > until:
                raise TimeoutError(f"{words!r} is not in the log after {seconds:g} s: {text!r}")
            time.sleep(0.05)
        return text

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
