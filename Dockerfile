# ResViz on processors alone: docker compose up --build, then http://localhost:8501
FROM python:3.12-slim AS built
# The address of PyTorch's CPU index, from PyTorch's own page on installing it. Without one pip takes what its usual index has for
# Linux: PyTorch with CUDA, which works as well and is several GB larger.
ARG TORCH_INDEX=""
WORKDIR /src
COPY requirements.txt ./
RUN python -m venv /opt/resviz
RUN grep -E "^torch(vision)?[<>=]" requirements.txt | xargs /opt/resviz/bin/python -m pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
COPY pyproject.toml hatch_build.py requirements*.txt README.md LICENSE app.py server.py ./
COPY .streamlit .streamlit
COPY resviz resviz
COPY pages pages
COPY assets assets
RUN /opt/resviz/bin/python -m pip install --no-cache-dir .
RUN /opt/resviz/bin/python -m compileall -q /opt/resviz/lib

FROM python:3.12-slim
RUN useradd --uid 1000 --no-log-init --home-dir /data --create-home resviz
# where deploy/ mounts what replicas have in common; a new volume takes its owner from here
RUN install -d -o resviz -g resviz /cache /weights
COPY --from=built /opt/resviz /opt/resviz
# everything that is ever written lies in the one volume: downloaded data sets and weights, and what libraries keep at home
ENV PATH=/opt/resviz/bin:$PATH HOME=/data RESVIZ_DATA=/data/sets TORCH_HOME=/data/torch PORT=8501 PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/_stcore/health', timeout=4)"]
# hosts that run containers say by PORT where they look for it
CMD ["sh", "-c", "exec resviz serve --host 0.0.0.0 --port \"$PORT\""]
