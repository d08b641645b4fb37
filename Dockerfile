# docker build --target serve .   web and consumer: no Java
# docker build --target spark .   the same, with Spark: master, worker, build
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS wheel
WORKDIR /soundalike
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:${PYTHON} AS serve-packages
COPY requirements/deploy.txt /
RUN python -m venv /opt/soundalike \
    && /opt/soundalike/bin/pip install --no-cache-dir --require-hashes --requirement /deploy.txt
COPY --from=wheel /wheels /wheels
RUN /opt/soundalike/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:${PYTHON} AS spark-packages
COPY requirements/deploy-spark.txt /
RUN python -m venv /opt/soundalike \
    && /opt/soundalike/bin/pip install --no-cache-dir --require-hashes --requirement /deploy-spark.txt
COPY --from=wheel /wheels /wheels
RUN /opt/soundalike/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

# The connector by which executors read MongoDB.
FROM maven:3.9-eclipse-temurin-17 AS connector
COPY tests/servers/connector/pom.xml /pom.xml
RUN mvn --quiet --batch-mode --file /pom.xml dependency:copy-dependencies -DoutputDirectory=/connector

FROM python:${PYTHON} AS base
RUN groupadd --gid 10001 soundalike \
    && useradd --uid 10001 --gid soundalike --home-dir /var/lib/soundalike --no-create-home \
        --shell /usr/sbin/nologin soundalike \
    && install --directory --owner=soundalike --group=soundalike --mode=0700 /var/lib/soundalike
ENV PATH=/opt/soundalike/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SOUNDALIKE_DATA=/var/lib/soundalike \
    SOUNDALIKE_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/soundalike
ENTRYPOINT ["soundalike"]
CMD ["serve"]

FROM base AS spark
# Driver and executors are both this image, so they have the same Python and packages.
USER 0
# No version of Java is pinned, since Debian only keeps the newest, with the fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
COPY --from=spark-packages /opt/soundalike /opt/soundalike
COPY --from=connector /connector /opt/connector
ENV SPARK_HOME=/opt/soundalike/lib/python3.11/site-packages/pyspark
USER 10001:10001

FROM base AS serve
COPY --from=serve-packages /opt/soundalike /opt/soundalike
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
