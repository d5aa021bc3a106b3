"""How differences are measured and reported; what needs no Keras."""

import json

import numpy as np
import pytest

from npylstm import cli
from npylstm.parity import Cause, Divergence, Report, Row
from npylstm.parity.causes import lstm_guesses
from npylstm.parity.differences import movements, row
from npylstm.parity.layers_apart import randomness
from npylstm.parity.recurrence import Recurrence, trace
from npylstm.reference import lstm_forward
from npylstm.reference.activations import sigmoid, tanh


def test_row():
    one = np.array([1.0, -2.0, 0.001, 0.0], np.float32)
    assert row("a", "b", one, one.copy())[2:] == (0, 2, 0, row("a", "b", one, one).bound, "equal")
    other = one.copy()
    other[1] = np.nextafter(one[1], np.float32(-3))
    other[2] *= np.float32(1.001)  # a few thousand units in the last place of a small number
    found = row("a", "b", one, other)
    assert found.verdict == "DIFFERS" and found.error == pytest.approx(1e-6, rel=0.01)
    assert found.ulps == 1 and found.scale == pytest.approx(2)
    assert row("a", "b", one, other, rounding=1e-6).verdict == "rounding"


def test_a_layer_that_rounds_otherwise_when_called_again_has_no_dropout(rng):
    class Theirs:
        def __init__(self, again):
            self._again = again

        def tensors(self, x):
            return self._again

    output = rng.normal(size=(5, 4)).astype("float32")
    otherwise = np.nextafter(output, np.float32(9))
    assert randomness(Theirs(otherwise), None, output) == []
    for rate in (0.5, 0.01):
        dropped = output / np.float32(1 - rate)
        dropped[2, 1] = 0
        (cause,) = randomness(Theirs([dropped]), None, output)
        assert cause.name == "dropout"


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_differs(wrong):
    one, other = np.ones(3), np.array([1.0, wrong, 1.0])
    for pair in ((one, other), (other, one)):
        found = row("a", "b", *pair, rounding=1.0)
        assert found.verdict == "DIFFERS" and found.error == np.inf
    assert row("a", "b", other, other.copy()).verdict == "equal"
    assert row("a", "b", one, np.ones(4)).verdict == "DIFFERS"


def test_movements_see_what_cancels():
    """A difference of nearly equal numbers moves as far as they do, not as far as it is large."""

    def difference(arrays):
        one, other = arrays
        return [one - other]

    one = np.full(50, 100, np.float32)
    (moved,) = movements(difference, [one, one - 1], np.float32, n_terms=4)
    assert moved.max() == pytest.approx(2 * 199.0 * np.finfo(np.float32).eps, rel=1e-3)


@pytest.fixture
def recurrence():
    rng = np.random.default_rng(3)
    D, U = 3, 4
    weights = (rng.normal(size=shape) for shape in ((D, 4 * U), (U, 4 * U), (4 * U,)))
    return Recurrence(*weights, tanh, sigmoid, False)


def test_trace(recurrence):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5, 6, 3))
    found = trace(recurrence, x)
    (h, c), _ = lstm_forward(x.swapaxes(0, 1), None, None, *recurrence[:5])
    np.testing.assert_array_equal(found.h, h[1:])
    np.testing.assert_array_equal(found.c, c[1:])
    mask = np.ones((5, 6), bool)
    mask[2, 3:] = False
    masked = trace(recurrence, x, mask)
    np.testing.assert_array_equal(masked.h[5, 2], found.h[2, 2])
    backwards = trace(recurrence._replace(reverse=True), x)
    np.testing.assert_array_equal(backwards.h, trace(recurrence, x[:, ::-1]).h)


def test_guesses_are_all_different(recurrence):
    """None of them changes nothing, and no two do the same: what helps is then the cause."""
    x = np.random.default_rng(5).normal(size=(2, 4, 3))
    theirs = {"bias": recurrence.bias + np.arange(16), "kernel": 2 * recurrence.kernel}
    guesses = [guess for guesses in lstm_guesses(recurrence, theirs) for guess in guesses]
    ends = [trace(recurrence, x).h[-1]] + [trace(changed, x).h[-1] for _, changed in guesses]
    assert len(guesses) > 7 * 23
    assert len({end.tobytes() for end in ends}) >= len(ends) - 1  # their bias is given twice
    assert len({cause.text for cause, _ in guesses}) == len(guesses)


@pytest.fixture
def report():
    evil = "</td><script>alert('x')</script>|`*"
    rows = [
        Row(evil, "output", 0.5, 1.0, np.inf, 1e-6, "DIFFERS"),
        Row("dense", "gradient of kernel", 0.0, 1.0, 0.0, 1e-6, "equal"),
    ]
    causes = [Cause("gate_order", "gate order: …"), Cause("other", evil)]
    gates = {"f": (0.25, 0.75)}
    divergences = [Divergence(evil, "h", 2, 0, 3, 0.1, np.nan, gates, causes, 23)]
    return Report("npylstm", "Keras", "float32", (5, 7, 3), rows, divergences, [evil])


def test_forms(report, tmp_path):
    text = report.text()
    header, rule, first, second = text.split("\n\n")[1].split("\n")[:4]
    for column in ("max abs error", "scale", "max ulp", "bound"):
        end = header.index(column) + len(column)  # numbers are aligned at their ends
        assert first[end - 1] != " " and second[end - 1] != " " and first[end] == " "
    assert len(rule) >= max(len(first), len(second))
    for part in ("timestep 2, sample 0, unit 3", "forget gate f parts there", "or: "):
        assert part in text and part in report.markdown() and part in report.html()
    page = report.html()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page and "src=" not in page
    assert "\\|\\`\\*" in report.markdown() and "<script" not in report.markdown()
    for ending in ("html", "md", "json"):
        report.write(tmp_path / f"report.{ending}")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert content["divergences"][0]["gates"] == {"f": [0.25, 0.75]}
    assert content["divergences"][0]["theirs"] is None  # NaN is no JSON
    assert [row["verdict"] for row in content["rows"]] == ["DIFFERS", "equal"]
    with pytest.raises(ValueError, match="a report is an .html, .md or .json file"):
        report.write(tmp_path / "report.pdf")


def test_agreement(report):
    assert not report.agrees and "1 of 2" in report.verdict()
    fine = Report("a", "b", "float64", (1, 1), report.rows[1:], [], [])
    assert fine.agrees and "The two agree" in fine.text() and "divergence" not in fine.text()


def test_command_line_without_keras(capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0 and "npylstm 0" in capsys.readouterr().out
    assert cli.main(["parity", str(tmp_path / "none.keras")]) == 2
    assert "there is no file" in capsys.readouterr().err
