"""Processes that help with the compiling: they share the work, and nothing depends on them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import npylstm
from npylstm.kernels import compilation, native

REQUESTS = {
    f"test_{kernel}": (kernel, {"dtype": "float32"})
    for kernel in ("count", "gather", "scatter", "back", "run", "batches")
}
posix = pytest.mark.skipif(sys.platform == "win32", reason="a script, or a signal, of POSIX")
pytestmark = pytest.mark.skipif(native.jit_disabled(), reason="nothing is compiled")


@pytest.fixture
def two_helpers(monkeypatch):
    monkeypatch.setattr(compilation, "_worthwhile", lambda n: 2)


def test_the_work_is_shared(two_helpers, monkeypatch):
    """What this process takes, it does not finish before another one has done something."""
    theirs = {}

    def wait_for_them(waiting, codes, compiler):
        def compile_slowly(symbol, request):
            end = time.monotonic() + 60
            while not codes and time.monotonic() < end:
                time.sleep(0.01)
            theirs.update(codes)
            return compilation.compile_one(symbol, request)

        mine = compiler is compilation.compile_one
        work_off(waiting, codes, compile_slowly if mine else compiler)

    work_off = compilation._work_off
    monkeypatch.setattr(compilation, "_work_off", wait_for_them)
    codes = compilation.compile_all(REQUESTS)
    assert theirs and codes.keys() == REQUESTS.keys()
    for symbol, code in codes.items():
        assert native._load(code, symbol)


BROKEN = {
    "ends at once": "exit 1",
    "ends when it is asked": "head -c 1 >/dev/null",
    "says something else": "echo hello",
    "says nothing": "exec sleep 60",
    "says half of it": "printf '\\200\\004\\225'; head -c 1 >/dev/null",
}


@posix
@pytest.mark.parametrize("broken", BROKEN)
def test_a_process_that_fails_is_done_without(broken, two_helpers, monkeypatch, tmp_path):
    program = tmp_path / "python-that-fails"
    program.write_text(f"#!/bin/sh\n{BROKEN[broken]}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(compilation, "_PATIENCE", 1)
    monkeypatch.setattr(compilation, "compile_one", lambda symbol, request: symbol.encode())
    assert compilation.compile_all(REQUESTS) == {symbol: symbol.encode() for symbol in REQUESTS}


def test_no_process_can_be_started(two_helpers, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python-that-is-not-there"))
    monkeypatch.setattr(compilation, "compile_one", lambda symbol, request: b"")
    assert compilation.compile_all(REQUESTS) == dict.fromkeys(REQUESTS, b"")


def test_a_kernel_that_cannot_be_compiled(two_helpers):
    with pytest.raises(KeyError, match="no_such_kernel"):
        compilation.compile_all({**REQUESTS, "test": ("no_such_kernel", {"dtype": "float32"})})


def test_how_many_help(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(npylstm.threads, "_chosen", 8)
    assert [compilation._worthwhile(n) for n in (1, 3, 4, 8, 100)] == [0, 0, 1, 2, 3]
    monkeypatch.setattr(npylstm.threads, "_chosen", 2)
    assert compilation._worthwhile(100) == 1
    monkeypatch.setattr(npylstm.threads, "_chosen", 1)
    assert compilation._worthwhile(100) == 0
    monkeypatch.setattr(npylstm.threads, "_chosen", 8)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/usr/bin/a-server-with-python-inside")
        assert compilation._worthwhile(100) == 0
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "somebody")
    assert compilation._worthwhile(100) == 0


@posix
def test_ctrl_c_leaves_no_process_behind(tmp_path):
    code = """
        from npylstm.kernels import compilation
        compilation._worthwhile = lambda n: 2
        names = ("count", "gather", "scatter", "back", "run", "batches", "lstm_pack") * 9
        requests = {f"test_{n}": (k, {"dtype": "float32"}) for n, k in enumerate(names)}
        print("started", flush=True)
        compilation.compile_all(requests)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "started\n"
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0 and said.rstrip().endswith("KeyboardInterrupt")
    assert "serve" not in said
    end = time.monotonic() + 10
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
