"""The Dockerfile's steps, carried out without Docker.

Each `RUN` and `COPY` of the first stage is executed in a folder of its own with the paths of the image moved there, and `CMD` and
`HEALTHCHECK` with the environment of the second. Where this machine grants it (Linux, as root) the server runs as user 1000 in a
namespace of its own whose root is read only but for the volume and a folder for temporary files.

This does not show: the base image and its Python, `useradd`, the layers and their cache, that what is installed anew fits together
(pip finds the dependencies of the running environment and is forbidden any index), the size of the image, nor Docker's own network.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from tests.installed import ENVIRONMENT, ROOT

Stage = list[tuple[str, str]]
_ISOLATED = (
    'mount --make-rprivate / && for each in "$1" "$2"; do mount --bind "$each" "$each"; done && mount -o remount,ro,bind / && cd "$1" && shift 2 && '
    # the checkout's Python may lie where only root looks; reading is granted, writing is not
    'exec setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search "$@"'
)


def stages() -> list[Stage]:
    """The instructions of each stage; a line that ends in a backslash goes on."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    found: list[Stage] = []
    for line in text.split("\n"):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if word and not word.startswith("#"):
            found[-1].append((word, rest))
    return found


def variables(stage: Stage) -> dict[str, str]:
    """What ENV sets."""
    return dict(pair.split("=", 1) for word, rest in stage if word == "ENV" for pair in rest.split())


class Root:
    """A folder that stands for the image's root; `path` says where one of its paths lies."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "home").mkdir(parents=True)
        self.environment = ENVIRONMENT | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(root / "home"),
        }

    def moved(self, text: str) -> str:
        """With every path of the image in the folder; pip takes what is there and asks nobody."""
        text = re.sub(r"(?<![\w.$])/(opt|src|data)\b", rf"{self.root}/\1", text)
        return text.replace("pip install", "pip install --no-index --no-deps --no-build-isolation")

    def build(self, stage: Stage) -> None:
        place = self.root
        for word, rest in stage:
            if word == "WORKDIR":
                place = Path(self.moved(rest))
                place.mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                *sources, target = rest.split()
                for source in (each.name for pattern in sources for each in ROOT.glob(pattern)):
                    folder = (ROOT / source).is_dir()
                    copy = shutil.copytree if folder else shutil.copy
                    copy(ROOT / source, place / target if folder else place / target / source)
            elif word == "RUN":
                done = subprocess.run(
                    self.moved(rest), shell=True, cwd=place, env=self.environment, capture_output=True, text=True
                )
                assert done.returncode == 0, (rest, done.stderr[-2000:])
                for own in (self.root / "opt").glob("*/lib/python*/site-packages"):
                    (own / "running.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")


def isolation(volume: Path, temporary: Path) -> list[str]:
    """What makes a command run as user 1000 on a root that is read only; nothing where this machine does not grant it."""
    command = ["unshare", "--mount", "sh", "-c", _ISOLATED, "sh", str(volume), str(temporary)]
    if not shutil.which("unshare") or not shutil.which("setpriv") or os.geteuid():
        return []
    for folder in (volume, temporary):
        os.chown(folder, 1000, 1000)
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []


def test_the_dockerfile_promises_what_its_documentation_says() -> None:
    first, second = stages()
    users = [rest for word, rest in second if word == "USER"]
    assert users
    assert all(user.isdigit() and int(user) > 0 for user in users)
    (volume,) = [rest for word, rest in second if word == "VOLUME"]
    kept = variables(second)
    assert all(kept[name].startswith(volume) for name in ("HOME", "RESVIZ_DATA", "TORCH_HOME"))
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert "read_only: true" in compose
    assert f"downloads:{volume}\n" in compose
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line.startswith("!")]
    for word, rest in first:
        if word == "COPY":
            for source in rest.split()[:-1]:
                assert any(ROOT.glob(source)), source
                assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source
    assert kept["PORT"] == re.search(r"app_port: (\d+)", (ROOT / "deploy" / "huggingface.md").read_text(encoding="utf-8"))[1]


@pytest.mark.parametrize(("given", "expected"), [("", ""), ("an-index", " --index-url an-index")])
def test_an_index_for_pytorch_is_asked_only_where_one_is_named(given: str, expected: str) -> None:
    (line,) = [rest for word, rest in stages()[0] if word == "RUN" and "TORCH_INDEX" in rest]
    said = line.replace("/opt/resviz/bin/python", "echo")
    done = subprocess.run(said, shell=True, cwd=ROOT, env=os.environ | {"TORCH_INDEX": given}, capture_output=True, text=True)
    assert re.fullmatch(rf"-m pip install --no-cache-dir{expected} torch>=\S+ torchvision>=\S+\n", done.stdout)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that anybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="resviz-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="an image's steps are a POSIX shell's")
def test_its_steps_end_in_a_healthy_server_that_writes_into_its_volume_alone(place: Path) -> None:
    first, second = stages()
    image, volume, temporary = Root(place / "root"), place / "root" / "data", place / "temporary"
    image.build(first)
    shutil.rmtree(place / "root" / "src")
    for folder in (volume, temporary):
        folder.mkdir()
    alone = isolation(volume, temporary)
    print("as user 1000 on a root that is read only" if alone else "without isolation, which this machine does not grant")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    values = {name: image.moved(value) for name, value in variables(second).items()}
    values["PATH"] = values["PATH"].replace("$PATH", image.environment["PATH"])
    inside = ENVIRONMENT | values | {"PORT": port, "TMPDIR": str(temporary)}

    def words(instruction: str) -> list[str]:
        (text,) = [rest for word, rest in second if word == instruction]
        return [*alone, *json.loads(text[text.index("[") :])]

    if alone:
        tried = subprocess.run([*alone, "touch", str(place / "root" / "opt" / "it")], capture_output=True, text=True)
        assert "Read-only" in tried.stderr
        who = subprocess.run([*alone, "id", "-u"], capture_output=True, text=True).stdout.strip()
        assert who == next(rest for word, rest in second if word == "USER")
    assert _starts(words("CMD"), words("HEALTHCHECK"), volume, inside) == 200
    Image.new("RGB", (64, 64), "teal").save(volume / "picture.png")
    asked = [
        "resviz",
        "explain",
        "picture.png",
        "--method",
        "saliency",
        "--out",
        "map.png",
    ]  # PyTorch, Captum and what they keep at home
    done = subprocess.run([*alone, *asked], cwd=volume, env=inside, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (volume / "map.png").stat().st_size > 0


def _starts(command: list[str], health: list[str], volume: Path, inside: Mapping[str, str]) -> int:
    """The answer to the first page's address once the server is healthy; it ends when it is told to."""
    server = subprocess.Popen(command, cwd=volume, env=inside, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(120):
            if subprocess.run(health, cwd=volume, env=inside, capture_output=True).returncode == 0:
                break
            assert server.poll() is None, server.stderr and server.stderr.read()[-2000:]
            time.sleep(0.5)
        answer = int(urllib.request.urlopen(f"http://127.0.0.1:{inside['PORT']}/lab", timeout=10).status)
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert "Traceback" not in said, said[-2000:]
    return answer
