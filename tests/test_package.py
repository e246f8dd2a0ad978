"""The wheel: its size and what it asks for; in an environment of its own, away from the checkout, its command and its API."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from resviz.cli import main
from resviz.version import __version__
from tests.installed import ENVIRONMENT, ROOT, build, install


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("installed") / "environment")


def answer(programs: Path, folder: Path, *command: str) -> str:
    """What a program of the environment prints, run from an empty folder."""
    first, *rest = command
    done = subprocess.run([str(programs / first), *rest], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_the_wheel_holds_everything_that_the_app_reads_and_is_no_more_than_60_mb(wheel: Path) -> None:
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    assert wheel.stat().st_size <= 60e6
    held = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for file in filter(None, listed):
        if file.startswith("resviz/"):
            assert file in held
        elif file.startswith(("pages/", "assets/", ".streamlit/")) or file in ("app.py", "server.py"):
            assert f"resviz/project/{file}" in held
    assert not [name for name in held if "__pycache__" in name or name.startswith("tests/")]


def test_each_requirement_stands_in_one_place(wheel: Path) -> None:
    """What `make` installs is what the wheel asks for."""
    about = message_from_bytes(zipfile.ZipFile(wheel).read(f"resviz-{__version__}.dist-info/METADATA"))
    asked = [Requirement(line) for line in about.get_all("Requires-Dist")]

    def of(extra: str) -> set[str]:
        return {f"{each.name}{each.specifier}" for each in asked if each.marker is None or each.marker.evaluate({"extra": extra})}

    def listed(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").split("\n")
        return {str(Requirement(line)) for line in lines if line and not line.startswith("#")}

    assert of("") == of("app") == listed("requirements.txt")
    assert set(about.get_all("Provides-Extra")) == {"app", "onnx", "scale"}
    for extra in ("onnx", "scale"):
        assert of(extra) - of("") == listed(f"requirements-{extra}.txt")


def test_an_installed_command_answers_from_anywhere(programs: Path, tmp_path: Path) -> None:
    assert answer(programs, tmp_path, "resviz", "--version") == f"resviz {__version__}"
    told = json.loads(answer(programs, tmp_path, "resviz", "summary", "resnet50", "--json"))
    assert told["params"] == 25_557_032
    where = answer(programs, tmp_path, "python", "-c", "import resviz.place as p; print(p.__file__); print(p.root())").split("\n")
    assert all(str(programs.parent) in line and str(ROOT) not in line for line in where)
    found = json.loads(answer(programs, tmp_path, "resviz", "zoo", "list", "--json"))
    assert "resnet20-cifar10" in found


def test_serve_says_in_one_line_what_is_in_its_way(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--host", "127.0.0.1", "--port", str(port)]) == 2
    assert capsys.readouterr().err.startswith(f"resviz: nobody can listen on port {port} (")
    assert main(["serve", "8502"]) == 2
    assert "'8502' is no option; a port is named by --port" in capsys.readouterr().err
    assert main(["serve", "--host", "192.0.2.1"]) == 2  # an address of no machine
    assert "'192.0.2.1' is no address of this machine" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "streamlit", None)  # as Python itself says that a module is not there
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "resviz: the pages need Streamlit, which is not installed; pip install 'resviz[app]'\n"
