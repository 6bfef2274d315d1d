# One image for the app under test, the master and the workers: profile "distributed" of docker-compose.yml.
FROM python:3.13-slim AS packages
ARG PIP_ARGS=
RUN python3 -m venv /opt/harness
WORKDIR /src
# The packages change seldom: they have a layer of their own. Of the locked versions, those that development alone needs stay out.
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY harness/__init__.py harness/__init__.py
RUN sed -n 's/^\([A-Za-z0-9_.-]*==[^\\]*\).*/\1/p' requirements.lock > versions.txt \
 && /opt/harness/bin/pip install --no-cache-dir --disable-pip-version-check $PIP_ARGS -c versions.txt '.[catalogue]' \
 && /opt/harness/bin/pip uninstall --yes fastapi-concurrency-harness

FROM python:3.13-slim
ENV PATH=/opt/harness/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/srv/harness
RUN useradd --create-home --uid 10001 harness && mkdir /reports && chown harness /reports
WORKDIR /srv/harness
COPY --from=packages /opt/harness /opt/harness
COPY . ./
USER harness
ENTRYPOINT ["python", "-m", "harness"]
