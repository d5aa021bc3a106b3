"""What the README says is what happens: its code runs, its transcript is real, its lines exist."""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d+\.\d*(?:e-?\d+)?")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_blocks_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where what they write is not in the way
    names = {}
    for block in blocks("python"):
        exec(block, names)
    out = capsys.readouterr().out
    error = float(out.split("unseen values: ")[1].split()[0])
    assert error < 0.2  # the wave swings between -1.5 and 1.5
    for printed in re.findall(r"^# (lstm: .*)$", README, flags=re.M):
        assert printed in out


def test_equations_quote_the_code():
    source = (ROOT / "npylstm/reference/lstm.py").read_text(encoding="utf-8")
    tables = README.split("## The equations")[1].split("## Step through it")[0]
    quoted = [
        code
        for row in tables.splitlines()
        if row.startswith("|") and "`" in row
        for code in re.findall(r"`([^`]+ = [^`]+)`", row)
    ]
    assert len(quoted) >= 16
    code_lines = {line.split("#")[0].strip() for line in source.splitlines()}
    for code in quoted:
        assert code in code_lines, code


def test_pdb_transcript(tmp_path):
    pexpect = pytest.importorskip("pexpect", reason="drives a terminal")
    script = next(block for block in blocks("python") if "set_random_seed(7)" in block)
    (transcript,) = (block for block in blocks("console") if "-m pdb" in block)
    (tmp_path / "first_step.py").write_text(script)
    opening, *exchanges = transcript.split("(Pdb) ")
    settings, _, command = opening.split("\n")[0].removeprefix("$ ").partition(" python ")
    child = pexpect.spawn(
        sys.executable,
        command.split(),
        cwd=str(tmp_path),
        env={
            **os.environ,
            **dict([settings.split("=")]),
            **{"TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
        },
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    child.expect_exact("(Pdb) ")
    compare(child.before, opening.split("\n", 1)[1])
    for exchange in exchanges:
        command, _, expected = exchange.partition("\n")
        child.sendline(command)
        child.expect_exact("(Pdb) ")
        compare(child.before, expected)
    child.close(force=True)


def test_breakpoint_transcript(tmp_path):
    pexpect = pytest.importorskip("pexpect", reason="drives a terminal")
    script = next(block for block in blocks("python") if "set_random_seed(7)" in block)
    (transcript,) = (block for block in blocks("console") if "breakpoint_at" in block)
    if sys.version_info >= (3, 13):
        pytest.skip("pdb shows another line")
    (tmp_path / "first_step.py").write_text(script)
    prompt = re.compile(r">>> |\(Pdb\) ")
    opening, *exchanges = prompt.split(transcript)
    prompts = [*prompt.findall(transcript), ">>> "]
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("NPYLSTM_BACKEND", None)
    child = pexpect.spawn(
        sys.executable,
        opening.removeprefix("$ python ").split(),
        cwd=str(tmp_path),
        env=environment,
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    child.expect(prompt)
    for exchange, then in zip(exchanges, prompts[1:], strict=True):
        command, _, expected = exchange.partition("\n")
        child.sendline(command)
        child.expect(prompt)
        compare(child.before, expected)
        assert child.after == then
    child.close(force=True)


def test_numbers_in_the_formulas(capsys):
    names = {}
    script, loop = (
        next(block for block in blocks("python") if word in block)
        for word in ("set_random_seed(7)", ".steps(")
    )
    exec(script + loop, names)
    (expected,) = (block for block in blocks("text") if "sigmoid(z_f)" in block)
    compare(capsys.readouterr().out, expected, rtol=1e-3)


def test_the_trace(capsys):
    names = {}
    script, lines = (
        next(block for block in blocks("python") if word in block)
        for word in ("set_random_seed(7)", "trace = model.trace(x, y)  # without")
    )
    exec(script + lines, names)
    (expected,) = (block for block in blocks("text") if "<Trace of" in block)
    compare(capsys.readouterr().out, expected)


def compare(printed, expected, rtol=1e-5):
    """Compare what pdb prints, but for folders and the last digits of numbers."""
    printed = re.sub(r"(?<=[ ])/\S*/(?=npylstm/|first_step)", "", printed.replace("\r\n", "\n"))
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", expected).split()
    np.testing.assert_allclose(
        [float(number) for number in NUMBER.findall(printed)],
        [float(number) for number in NUMBER.findall(expected)],
        rtol=rtol,
    )
