"""Machine code on disk: found again, made anew when anything changes, and never in the way."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import npylstm

# The smallest model that there is: three or four kernels.
SCRIPT = textwrap.dedent(
    """
    import sys
    import numpy as np
    from npylstm import Sequential
    from npylstm.layers import Dense, Input
    model = Sequential([Input((2,)), Dense(2, "hard_sigmoid")])
    model.set_weights([np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([0.5, -0.5])])
    outputs = model.predict(np.array([[0.1, 0.2], [0.3, -0.4]]), batch_size=2, verbose=0)
    print("numba" in sys.modules, sys.modules["npylstm"].__file__)
    print([[round(float(n), 5) for n in row] for row in outputs])
    """
)
RIGHT = "[[0.7, 0.31667], [0.43333, 0.78333]]"


class Copy:
    """A copy of the package, with a folder of its own for machine code."""

    def __init__(self, folder):
        self.root, self.cache = folder / "copy", folder / "cache"
        package = Path(npylstm.__file__).parent
        ignored = shutil.ignore_patterns("tests", "__pycache__")
        shutil.copytree(package, self.root / "npylstm", ignore=ignored)

    def start(self, script=SCRIPT):
        environment = os.environ | {
            "PYTHONPATH": str(self.root),
            "NPYLSTM_CACHE_DIR": str(self.cache),
            "NPYLSTM_BACKEND": "numba",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.root,
        )

    def run(self, script=SCRIPT):
        """Return whether it compiled, what it printed at last, and what it said on stderr."""
        return self.result(self.start(script))

    def result(self, process):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (process.returncode, err)
        first, outputs = out.splitlines()
        compiled, there = first.split(" ", 1)
        assert Path(there).is_relative_to(self.root)
        return compiled == "True", outputs, err

    def files(self):
        return sorted(path for path in self.cache.rglob("*") if path.is_file())

    def edit(self, file, old, new):
        path = self.root / "npylstm" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.fixture
def filled(copy):
    """A copy that has compiled what it needs."""
    assert copy.run()[:2] == (True, RIGHT)
    return copy


def test_the_first_process_compiles_and_says_so_once_and_the_second_does_not(copy):
    compiled, outputs, said = copy.run()
    assert compiled and outputs == RIGHT
    lines = [line for line in said.splitlines() if line.startswith("npylstm: ")]
    assert len(lines) == len(said.splitlines()) == 1
    assert re.search(r"compiled .*\bdense_forward\b.* in \d+\.\d s\b", lines[0])
    assert str(copy.cache) in lines[0]
    files = copy.files()
    assert len(files) >= 3 and not [f for f in files if f.suffix != ".o"]  # nothing half-written
    times = [file.stat().st_mtime_ns for file in files]
    assert copy.run() == (False, RIGHT, "")
    assert copy.files() == files and [file.stat().st_mtime_ns for file in files] == times


def test_an_edited_equation_is_compiled_again(filled):
    """What is changed back is found again; nobody asks whether a change is only a remark."""
    activations, dense = "reference/activations.py", "kernels/dense.py"
    filled.edit(activations, "z / 6 + 0.5", "z / 4 + 0.5")
    compiled, changed, said = filled.run()
    assert compiled and "compiled" in said
    assert changed == "[[0.8, 0.225], [0.4, 0.925]]"
    filled.edit(activations, "z / 4 + 0.5", "z / 6 + 0.5")
    assert filled.run() == (False, RIGHT, "")
    filled.edit(dense, '"""Dense', '"""Changed: dense')
    assert filled.run()[:2] == (True, RIGHT)


def test_an_edited_step_of_the_optimizer_is_what_trains(copy):
    """The equations in `reference` are those of the machine code."""
    body, _ = SCRIPT.rsplit("print(", 1)
    script = body + textwrap.dedent(
        """
        model.compile("sgd", "mse")
        model.train_on_batch(np.array([[0.1, 0.2]]), np.array([[1.0, 0.0]]))
        print([float(n) for n in model.get_weights()[1] - [0.5, -0.5]])
        """
    )
    _, before, _ = copy.run(script)
    copy.edit(
        "reference/optimizers.py", "w - learning_rate * dw, {}", "w - 100 * learning_rate * dw, {}"
    )
    compiled, after, _ = copy.run(script)
    assert compiled
    before, after = json.loads(before), json.loads(after)
    assert after == pytest.approx([100 * step for step in before], rel=0.01)  # of rounded weights


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a few bytes": lambda file: file.write_bytes(file.read_bytes()[:20]),
    "without its end": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "text": lambda file: file.write_text("this is no machine code\n" * 40),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_compiled_again(filled, damage):
    for file in filled.files():
        DAMAGES[damage](file)
    compiled, outputs, _ = filled.run()
    assert compiled and outputs == RIGHT
    if damage != "a folder":
        assert filled.run() == (False, RIGHT, "")  # and it is whole again


def test_a_file_of_another_kernel_is_not_taken_for_this_one(filled):
    first, *others = filled.files()
    for other in others:
        shutil.copy(first, other)
    compiled, outputs, _ = filled.run()
    assert compiled and outputs == RIGHT


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX's")
def test_files_that_may_not_be_read(filled):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    for file in filled.files():
        file.chmod(0)
    assert filled.run()[:2] == (True, RIGHT)


def test_a_cache_folder_that_cannot_be_written_costs_time_only(copy):
    copy.cache.write_text("a file where the folder would be")
    for _ in range(2):
        compiled, outputs, said = copy.run()
        assert compiled and outputs == RIGHT
        assert "could not be kept" in said


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX's")
def test_a_cache_folder_that_may_only_be_read(filled):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folders = [filled.cache, *(path for path in filled.cache.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert filled.run() == (False, RIGHT, "")
        filled.edit("kernels/dense.py", '"""Dense', '"""Changed: dense')
        compiled, outputs, said = filled.run()
        assert compiled and outputs == RIGHT and "could not be kept" in said
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_two_processes_compile_at_once(copy):
    processes = [copy.start() for _ in range(2)]
    results = [copy.result(process) for process in processes]
    assert all(outputs == RIGHT for _, outputs, _ in results)
    assert copy.run() == (False, RIGHT, "")
    assert not [file for file in copy.files() if file.suffix != ".o"]
