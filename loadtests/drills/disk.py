"""The disk is full: where the service and its commands write."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from loadtests.drills.drill import Drilled, needs
from loadtests.drills.load import Load
from loadtests.servers.surefoot_server import fake_server
from loadtests.traffic.outcomes import Counts, counted, counted_units

DISK_KIB = 256
NUM_ROWS = 600


def full_disk() -> Drilled:
    """A disk fills up under a served model, a keys file and the output of `surefoot score`, and is cleared again."""
    needs("mount", "umount", root=True)
    with tempfile.TemporaryDirectory(prefix="surefoot-drill-") as scratch, _small_disk(Path(scratch)) as disk:
        promotions, keys, rows = disk / "promotions.json", disk / "keys.json", disk / "scores.jsonl"
        source = Path(scratch) / "rows.jsonl"
        source.write_text("".join(_row(number) for number in range(NUM_ROWS)), encoding="utf-8")
        claims = {"a key is written": _new_key(keys) == 0}
        before = keys.read_bytes()
        config = f"admin_routes = true\npromotions_file = {json.dumps(str(promotions))}\n"
        with fake_server(config) as server, Load(server.url, 10) as load:
            load.until_answered()
            scoring = _score(server.url, source, rows)
            claims["scoring a file ends with an error that says why"] = scoring[0] != 0 and "space" in scoring[1]
            filler = _fill(disk)
            claims["a key is refused, and the file stays as it was"] = (
                _new_key(keys) != 0 and keys.read_bytes() == before
            )
            _promote(server.url)
            claims["a model is promoted all the same"] = not promotions.exists() and _served(server.url) == "v2"
            load.until_answered()
            # The file may be larger than this disk: what was written is taken where there is room.
            moved = Path(scratch) / "scores.jsonl"
            moved.write_bytes(rows.read_bytes())
            for file in (filler, rows):
                file.unlink()
            httpx.post(f"{server.url}/admin/models/prm/rollback", timeout=30).raise_for_status()
            claims["the next change is written down"] = promotions.exists()
            claims["the run goes on where it stopped"] = _score(server.url, source, moved)[0] == 0
        lines = [json.loads(line) for line in moved.read_text(encoding="utf-8").splitlines()]
    of_rows = counted_units(NUM_ROWS, [line["line"] - 1 for line in lines], failed=sum("error" in x for x in lines))
    return Drilled(_sum(counted(load.outcomes), of_rows), claims)


@contextmanager
def _small_disk(scratch: Path) -> Iterator[Path]:
    disk = scratch / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(disk)], check=True)  # noqa: S603, S607
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607


def _fill(disk: Path) -> Path:
    """A file that takes what is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(1024)) == 1024:
                pass
        except OSError:
            pass
    return filler


def _row(number: int) -> str:
    steps = [f"step {place} of row {number}" for place in range(6)]
    return json.dumps({"id": f"{number}", "problem": f"problem {number}", "steps": steps}) + "\n"


def _score(url: str, source: Path, output: Path) -> tuple[int, str]:
    return _surefoot("score", str(source), "-o", str(output), "--url", url, "--batch-size", "20")


def _new_key(keys: Path) -> int:
    return _surefoot("keys", "new", "trainer", "--scope", "score", "--keys-file", str(keys))[0]


def _surefoot(*arguments: str) -> tuple[int, str]:
    """Exit status and what was said of one of the program's commands."""
    command = [sys.executable, "-m", "surefoot", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    return ended.returncode, ended.stderr


def _promote(url: str) -> None:
    httpx.post(f"{url}/admin/models/prm/candidate", json={"label": "v2"}, timeout=30).raise_for_status()
    httpx.post(f"{url}/admin/models/prm/promote", timeout=30).raise_for_status()


def _served(url: str) -> str:
    models = httpx.get(f"{url}/admin/models/prm", timeout=30).json()
    return "v2" if "v2" in json.dumps(models.get("served", models)) else "other"


def _sum(first: Counts, second: Counts) -> Counts:
    pairs = {name: getattr(first, name) + getattr(second, name) for name in Counts.__dataclass_fields__}
    return Counts(**pairs)
