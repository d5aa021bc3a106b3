"""What `--trace` of the alphabet finds and says: checked by hand, and on networks that differ."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input

if find_spec("examples") is None:
    pytest.skip("the examples are not installed with the package", allow_module_level=True)

from examples.alphabet import __main__ as alphabet
from examples.alphabet import why
from examples.alphabet.texts import TEXTS
from examples.console import Console

from .test_examples import ENGLISH, HANGUL

N, T, U = 4, 3, 5


@pytest.fixture
def findings(rng):
    model = Sequential([Input((T, 1)), LSTM(U), Dense(26, activation="softmax")])
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    x, y = rng.normal(size=(N, T, 1)), np.eye(26)[[3, 4, 4, 5]]
    trace = model.trace(x)
    return trace["lstm"], why.find(trace, y)


def test_what_is_written_when_adds_up_to_the_cell_state(findings):
    lstm, found = findings
    ages = np.zeros((N, T, U))
    for age in range(T):
        part = lstm.i[:, T - 1 - age] * lstm.g[:, T - 1 - age]
        for later in range(T - age, T):
            part = part * lstm.f[:, later]
        ages[:, age] = part
    np.testing.assert_allclose(ages.sum(axis=1), lstm.c[:, -1], rtol=1e-4, atol=1e-6)
    sizes = np.abs(ages)
    shares = (sizes / sizes.sum(axis=1, keepdims=True)).mean(axis=2)
    np.testing.assert_allclose(found.written, shares, rtol=1e-5)
    np.testing.assert_allclose(found.carried, 1 - shares[:, 0].mean(), rtol=1e-5)
    kept = (lstm.f[:, 1] * lstm.f[:, 2]).mean(axis=0)
    np.testing.assert_allclose(found.kept[2], kept, rtol=1e-5)


def test_states_and_answers(findings):
    lstm, found = findings
    np.testing.assert_array_equal(found.h, lstm.h[:, -1])
    assert found.right[1] == found.probabilities[1, 4]
    others = np.delete(found.probabilities[1], 4)
    assert found.runner_up[1] == others.max()
    letters, centers = found.centers
    assert letters.tolist() == [3, 4, 5]
    np.testing.assert_allclose(centers[1], found.h[1:3].mean(axis=0))
    line = np.outer(np.linspace(0, 1, N), np.ones(U))  # states on a straight line
    assert found._replace(h=line).dimensions == 1
    assert found._replace(h=line).directions[1][0] == pytest.approx(1)
    assert found._replace(h=np.eye(U)[:N]).dimensions == N - 1


def test_a_network_that_answers_at_every_step(rng):
    model = Sequential(
        [Input((T, 1)), LSTM(U, return_sequences=True), Dense(26, activation="softmax")]
    )
    x, y = rng.normal(size=(1, T, 1)), np.eye(26)[None, [1, 2, 3]]
    trace = model.trace(x)
    found = why.find(trace, y)
    np.testing.assert_array_equal(found.h, trace["lstm"].h[0])
    assert found.written[0].tolist() == [1, 0, 0]  # at the first step there is nothing older
    np.testing.assert_allclose(found.written.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(found.kept[0], 1)
    np.testing.assert_allclose(found.kept[2], trace["lstm"].f[0, 1] * trace["lstm"].f[0, 2])


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_sentences_follow_the_numbers(lang, findings):
    _, found = findings
    say = Console(TEXTS, lang).text
    wrong = found._replace(probabilities=np.eye(26)[[3, 4, 7, 5]])
    memory, states = wrong.sentences(say)
    assert f"{100 * found.carried:.0f} %" in memory and "H" in states
    right = found._replace(probabilities=np.eye(26)[found.targets])
    assert "1.00" in right.sentences(say)[1] and right.sentences(say)[1] != states
    single = found._replace(written=found.written[:, :1] * 0 + 1, kept=found.kept[:1])
    assert f"{found.forget_gate:.2f}" in single.sentences(say)[0]


@pytest.mark.parametrize("number, lang", [(1, "ko"), (3, "en"), (5, "en"), (6, "ko")])
def test_traces_of_the_experiments(number, lang, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    arguments = [str(number), "--epochs", "2", "--trace", str(tmp_path / "why"), "--lang", lang]
    assert alphabet.main(arguments) == 0
    out = capsys.readouterr().out.replace(str(tmp_path), "")
    names = {path.name for path in (tmp_path / "why").iterdir()}
    pictures = {f"alphabet_{number}_{name}.png" for name in ("memory", "states", "answers")}
    assert names == pictures | {f"alphabet_{number}.html"}
    for name in names:
        assert name in out and (tmp_path / "why" / name).stat().st_size > 8000
    assert not (HANGUL if lang == "en" else ENGLISH).search(out)
    if lang == "en":
        assert re.search(r"\d+ % of what the cell states hold was written at earlier", out)
    assert max(map(len, out.splitlines())) <= 100


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit):
        alphabet.main(["1", "--trace", str(tmp_path / "file")])
    assert "--trace: cannot write into" in capsys.readouterr().err
