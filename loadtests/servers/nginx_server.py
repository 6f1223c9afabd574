"""nginx before replicas, with the configuration that docs/operations.md shows: that page alone says what it is."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from loadtests.servers.processes import free_port

DOCUMENT = Path(__file__).parents[2] / "docs/operations.md"
START_LIMIT_S = 10.0

_BLOCK = re.compile(r"^```nginx\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SERVERS = re.compile(r"(?:^    server replica-\d+:8080.*;\n)+", re.MULTILINE)
_HASH = re.compile(r"^    hash .*;\n", re.MULTILINE)
_LISTEN = "listen 8080;"
# One process in the foreground, as whoever starts it, with all that it writes below its own folder.
_AROUND = """daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
access_log off;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
{inner}}}
"""


def nginx_program() -> str | None:
    """Where nginx is; Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def documented_block() -> str:
    """The example of docs/operations.md, as it stands there."""
    [block] = _BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    return str(block)


def with_addresses(block: str, port: int, urls: Sequence[str], *, hashes: bool = True) -> str:
    """The block on that port of 127.0.0.1 and before these servers, each with the options that the replicas of the
    block have. Without `hashes` it takes them in turn, and all else stays. Raises `ValueError` where the block does
    not name replicas, port and hash as expected, so that what is tested cannot silently be something else."""
    groups, hashed = _SERVERS.findall(block), _HASH.findall(block)
    options = {line.partition(":8080")[2] for group in groups for line in group.splitlines()}
    if len(groups) != 1 or len(options) != 1 or len(hashed) != 1 or block.count(_LISTEN) != 1:
        raise ValueError("the block must have replicas with the same options, one `listen 8080;` and one `hash`")
    [option] = options
    servers = "".join(f"    server {urlsplit(url).netloc}{option}\n" for url in urls)
    found = block.replace(groups[0], servers).replace(_LISTEN, f"listen 127.0.0.1:{port};")
    return found if hashes else found.replace(hashed[0], "")


@contextmanager
def nginx_before(urls: Sequence[str], *, hashes: bool = True, block: str | None = None) -> Iterator[str]:
    """The address of a running nginx before these servers, ended behind; `block` in place of the document's. Raises
    `RuntimeError` with what it said where it does not start."""
    program = nginx_program()
    if program is None:
        raise RuntimeError("nginx is not installed")
    port = free_port()
    inner = with_addresses(documented_block() if block is None else block, port, urls, hashes=hashes)
    with tempfile.TemporaryDirectory(prefix="surefoot-nginx-") as scratch:
        folder = Path(scratch)
        (folder / "nginx.conf").write_text(_AROUND.format(inner=inner), encoding="utf-8")
        log = folder / "log"
        command = [program, "-e", "stderr", "-p", scratch, "-c", "nginx.conf"]
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:  # noqa: S603
            try:
                url = f"http://127.0.0.1:{port}"
                _wait(process, url, log)
                yield url
            finally:
                process.terminate()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until it answers anything at all, also that there is nothing behind it."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nginx did not start:\n{log.read_text(errors='replace')[-2000:]}")
