# The interpreter of the oldest supported line; both stages must agree, the environment points at it.
FROM python:3.11-slim AS builder

# No pip and no setuptools in what is shipped: the builder's pip fills the environment from outside.
RUN python -m venv --without-pip /opt/venv
WORKDIR /srv/goodwill

COPY requirements.txt ./
RUN pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --requirement requirements.txt

COPY pyproject.toml alembic.ini ./
COPY app ./app
COPY migrations ./migrations
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q app migrations


FROM python:3.11-slim

# A numeric user, so that an orchestrator can see that it is not root.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/goodwill /srv/goodwill

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GOODWILL_HOST=0.0.0.0 \
    GOODWILL_PORT=8000 \
    GOODWILL_DATA_DIR=/data

WORKDIR /srv/goodwill
USER 10001:10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"GOODWILL_PORT\"]}/readyz', timeout=4)"]

# `serve` migrates the database first, behind a lock; another command may be named instead.
ENTRYPOINT ["goodwill"]
CMD ["serve"]
