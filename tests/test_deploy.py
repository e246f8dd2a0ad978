"""What `deploy` promises: files that can be read, names that exist, and a proxy that keeps visitors where they are.

nginx runs before three small servers. This does not show Docker, a cluster, nor their storage.
"""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config

from resviz.cli import main
from tests.house import ROOT, sources
from tests.nginx import NGINX, WHY, Proxy
from tests.test_container import stages, variables

DEPLOY = ROOT / "deploy"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (DEPLOY / "compose.yaml", DEPLOY / "kubernetes.yaml")}
VARIABLES = sorted({name for text in TEXTS.values() for name in re.findall(r"\b(?:RESVIZ|STREAMLIT|TORCH)_[A-Z_]+\b", text)})


# ------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_that_is_set_is_read(name: str) -> None:
    """By our code, by Streamlit, or by what builds the image."""
    read = "\n".join(sources().values()) + (ROOT / "Dockerfile").read_text(encoding="utf-8")
    options = {option.env_var for option in config.get_config_options().values()}
    assert name in options or re.search(rf"\b{name}\b", read), f"nobody reads {name}"


def test_compose_is_replicas_that_differ_in_nothing() -> None:
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed: deploy/*.yaml is not parsed")
    told = yaml.safe_load(TEXTS["compose.yaml"])
    services = told["services"]
    replicas = {name: each for name, each in services.items() if re.fullmatch(r"resviz-\d", name)}
    assert len(replicas) == 3
    assert all(each == replicas["resviz-1"] for each in replicas.values())
    upstreams = re.findall(r"server (resviz-\d):(\d+)", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))
    assert [name for name, _ in upstreams] == list(replicas) == list(services["proxy"]["depends_on"])
    assert {port for _, port in upstreams} == {variables(stages()[1])["PORT"]}
    one = replicas["resviz-1"]
    assert (DEPLOY / one["build"]["context"]).resolve() == ROOT
    mounts = dict(each.split(":", 1) for each in one["volumes"])
    assert mounts == {"weights": "/weights:ro", "results": "/cache"}
    assert one["environment"]["RESVIZ_CACHE"] == "/cache"
    assert one["environment"]["TORCH_HOME"] == "/weights" == services["weights"]["volumes"][0].split(":")[1]
    assert set(mounts) == set(told["volumes"])
    for each in (*replicas.values(), services["proxy"], services["weights"]):
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]


def test_kubernetes_is_the_same_image_under_the_same_rules() -> None:
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed: deploy/*.yaml is not parsed")
    found = {each["kind"]: each for each in yaml.safe_load_all(TEXTS["kubernetes.yaml"])}
    claims = {each["metadata"]["name"] for each in yaml.safe_load_all(TEXTS["kubernetes.yaml"]) if "Claim" in each["kind"]}
    second = stages()[1]
    (user,) = [int(rest) for word, rest in second if word == "USER"]
    (home,) = [rest for word, rest in second if word == "VOLUME"]
    for kind in ("Deployment", "Job"):
        pod = found[kind]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == user
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
        assert {
            each["persistentVolumeClaim"]["claimName"] for each in pod["volumes"] if "persistentVolumeClaim" in each
        } <= claims
    pod = found["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    values = {each["name"]: each.get("value") for each in container["env"]}
    assert mounts[values["TORCH_HOME"]]["readOnly"] is True
    assert {home, "/tmp", values["RESVIZ_CACHE"]} <= mounts.keys()
    (port,) = container["ports"]
    assert str(port["containerPort"]) == variables(second)["PORT"]
    assert {container[f"{each}Probe"]["httpGet"]["path"] for each in ("startup", "readiness", "liveness")} == {"/_stcore/health"}
    assert (
        pod["metadata"]["labels"]
        == found["Deployment"]["spec"]["selector"]["matchLabels"]
        == found["Service"]["spec"]["selector"]
    )
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert found["Service"]["spec"]["sessionAffinity"] == "ClientIP"
    target = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", found["Deployment"]["metadata"]["name"])


def test_the_image_has_the_places_that_replicas_share() -> None:
    made = " ".join(rest for word, rest in stages()[1] if word == "RUN")
    assert {"/cache", "/weights"} <= set(made.split())


def test_fetching_weights_names_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    asked = re.search(r"run --rm weights (\S+)", TEXTS["compose.yaml"])[1]
    assert asked in TEXTS["kubernetes.yaml"]
    assert main(["zoo", "fetch", asked, "resnet50.V9"]) == 2
    said = capsys.readouterr().err
    assert "'resnet50.V9' is no set of weights; choose from" in said
    assert asked in said


# ------------------------------------------------------------------------------------------ the proxy


class _Replica(ThreadingHTTPServer):
    """Answers with its own name and what it was asked."""

    daemon_threads = True

    def __init__(self, name: str, port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {each.lower(): self.headers[each] for each in self.headers}
                body = "\n".join(f"{key}: {value}" for key, value in (asked | {"name": name, "path": self.path}).items()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def die(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture
def replicas() -> Iterator[list[_Replica]]:
    three = [_Replica(f"replica {n}") for n in range(3)]
    yield three
    for each in three:
        each.die()


@pytest.fixture
def proxy(tmp_path: Path, replicas: list[_Replica]) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip(WHY)
    started = Proxy(tmp_path, [each.server_port for each in replicas])
    assert "syntax is ok" in started.check()
    assert "test is successful" in started.check()
    started.start()
    yield started
    started.stop()


class Visitor:
    """Keeps its cookie, as a browser does."""

    def __init__(self, proxy: Proxy) -> None:
        self.url, self.cookie = proxy.url, ""

    def ask(self, path: str = "/", data: bytes | None = None, **headers: str) -> dict[str, str]:
        """What the replica was asked, and its name."""
        more = {"Cookie": self.cookie} if self.cookie else {}
        request = urllib.request.Request(f"{self.url}{path}", data, headers | more, method="PUT" if data else "GET")
        with urllib.request.urlopen(request, timeout=20) as answer:
            for given in answer.headers.get_all("Set-Cookie", []):
                self.cookie = "; ".join(f"{name}={each.value}" for name, each in SimpleCookie(given).items())
            return dict(line.split(": ", 1) for line in answer.read().decode().splitlines())


def test_a_visitor_stays_with_one_replica_and_visitors_spread(proxy: Proxy) -> None:
    where = Counter[str]()
    for _ in range(60):
        visitor = Visitor(proxy)
        visitor.ask()
        assert re.fullmatch(r"resviz_replica=[0-9a-f]{32}", visitor.cookie)
        before = visitor.cookie
        names = {visitor.ask(path)["name"] for path in ("/lab", "/media/x.png", "/_stcore/health", "/lab?depth=56")}
        assert len(names) == 1
        assert visitor.cookie == before  # it is given once
        where[names.pop()] += 1
    assert len(where) == 3
    assert min(where.values()) >= 5


def test_who_sends_no_cookie_stays_too(proxy: Proxy) -> None:
    assert len({Visitor(proxy).ask(**{"User-Agent": "a frame"})["name"] for _ in range(12)}) == 1


def test_a_dead_replica_is_passed_over_and_the_others_keep_their_visitors(proxy: Proxy, replicas: list[_Replica]) -> None:
    visitors = [Visitor(proxy) for _ in range(24)]
    for visitor in visitors:
        visitor.ask()
    before = [visitor.ask()["name"] for visitor in visitors]
    replicas[1].die()
    after = [visitor.ask()["name"] for visitor in visitors]
    assert "replica 1" in before
    assert "replica 1" not in after
    assert all(now == was for now, was in zip(after, before, strict=True) if was != "replica 1")
    assert [visitor.ask()["name"] for visitor in visitors] == after


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics/",
        "//metrics",
        "/x/../metrics",
        "/%6detrics",
        "/metrics?a=1",
        "/operator?token=x",
        "/_stcore/metrics",
    ],
)
def test_what_is_the_operators_is_not_reached_from_outside(proxy: Proxy, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        Visitor(proxy).ask(path, Authorization="Bearer x")
    assert refused.value.code == 404
    assert b"name: replica" not in refused.value.read()


def test_what_the_app_goes_by_reaches_it(proxy: Proxy) -> None:
    asked = Visitor(proxy).ask("/_stcore/stream", Upgrade="websocket", Connection="Upgrade")
    assert (asked["upgrade"], asked["connection"]) == ("websocket", "upgrade")
    plain = Visitor(proxy).ask("/lab?depth=56")
    assert "upgrade" not in plain
    assert plain["host"] == proxy.url.removeprefix("http://")  # which the app compares with the origin
    assert plain["x-forwarded-proto"] == "http"
    assert Visitor(proxy).ask("/", **{"X-Forwarded-Proto": "https"})["x-forwarded-proto"] == "https"
    assert "depth" not in proxy.log("/lab")


def test_uploads_pass_as_far_as_the_app_takes_them(proxy: Proxy) -> None:
    megabytes = int(re.search(r"client_max_body_size (\d+)m;", proxy.conf.read_text(encoding="utf-8"))[1])
    assert megabytes == st.get_option("server.maxUploadSize")
    assert Visitor(proxy).ask("/_stcore/upload_file/x", bytes(20 << 20))["content-length"] == str(20 << 20)
    request = urllib.request.Request(f"{proxy.url}/_stcore/upload_file/x", method="PUT")
    request.add_header("Content-Length", str((megabytes << 20) + 1))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 413
