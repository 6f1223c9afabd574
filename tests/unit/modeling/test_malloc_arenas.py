"""Threads share a few of the allocator's pools, unless the user says how many."""

import subprocess
import sys

import pytest

MEASURED = """
import ctypes, os, sys, threading
from surefoot.modeling.malloc_arenas import bound_malloc_arenas

bound_malloc_arenas()
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(9)


def allocate():
    together.wait()
    libc.malloc(ctypes.c_size_t(50_000))
    together.wait()


for _ in range(8):
    threading.Thread(target=allocate).start()
together.wait()
together.wait()
stream = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
"""


def num_arenas(tmp_path, **environment: str) -> int:
    told = tmp_path / "heaps.xml"
    subprocess.run([sys.executable, "-c", MEASURED, str(told)], check=True, env={"PATH": "", **environment})
    return told.read_text().count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="the bound is one of glibc's")
def test_threads_share_two_arenas(tmp_path) -> None:
    assert num_arenas(tmp_path) <= 2


@pytest.mark.skipif(sys.platform != "linux", reason="the bound is one of glibc's")
def test_a_users_own_bound_wins(tmp_path) -> None:
    assert num_arenas(tmp_path, MALLOC_ARENA_MAX="5") > 2
