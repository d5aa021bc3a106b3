"""A real pdb, stopping inside the equations while a model trains and predicts."""

import ast
import os
import sys
import textwrap

import numpy as np
import pytest

pexpect = pytest.importorskip("pexpect", reason="drives a terminal")

SCRIPT = textwrap.dedent(
    """
    import numpy as np
    from npylstm import Sequential, reference
    from npylstm.layers import LSTM, Dense, Input
    x, y = np.array([[[0.1], [0.2], [0.3]]]), np.array([[0.4]])
    model = Sequential([Input((3, 1)), LSTM(2), Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    if METHOD == "fit":
        model.fit(x, y, verbose=0)
    else:
        model.predict(x, verbose=0)
    """
)


@pytest.fixture(params=["fit", "predict"])
def pdb(request, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("METHOD", repr(request.param)))
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pdb", str(script)],
        env={**os.environ, "TERM": "dumb", "NO_COLOR": "1", "NPYLSTM_BACKEND": "numpy"},
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    child.expect_exact("(Pdb) ")

    def send(command):
        child.sendline(command)
        child.expect_exact("(Pdb) ")
        return child.before

    send("import npylstm")
    yield send
    child.close(force=True)


def number(text):
    return np.array(ast.literal_eval(text.strip()))


def test_stepping_through_the_equations_of_the_cell(pdb):
    assert "Breakpoint 1 at" in pdb("break npylstm.reference.lstm_cell_forward")
    assert "lstm_cell_forward()" in pdb("continue")
    # One step, line by line, to its end.
    for _ in range(20):
        if "return (h, c), cache" in pdb("next"):
            break
    i, f, g, o, c, h = (number(pdb(f"p {name}.tolist()")) for name in "ifgoch")
    z = number(pdb("p z.tolist()"))
    c_prev = number(pdb("p c_prev.tolist()"))
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)
    for gate, pre in ((i, z_i), (f, z_f), (o, z_o)):
        np.testing.assert_allclose(gate, 1 / (1 + np.exp(-pre)), rtol=1e-5)
    np.testing.assert_allclose(g, np.tanh(z_g), rtol=1e-5)
    np.testing.assert_allclose(c, f * c_prev + i * g, rtol=1e-5)
    np.testing.assert_allclose(h, o * np.tanh(c), rtol=1e-5)
    assert c_prev.tolist() == [[0.0, 0.0]]
    # The next stop is the next timestep: it starts from the states just made.
    assert "lstm_cell_forward()" in pdb("continue")
    np.testing.assert_array_equal(number(pdb("p h_prev.tolist()")), h)
    np.testing.assert_array_equal(number(pdb("p c_prev.tolist()")), c)


def test_stopping_at_one_equation(pdb):
    pdb("break npylstm.reference.gates_forward")
    assert "i = recurrent_activation(z_i)" in pdb("continue")
    assert "f = recurrent_activation(z_f)" in pdb("next")
    assert number(pdb("p i.tolist()")).shape == (1, 2)
    assert "lstm_cell_forward" in pdb("where")
