"""Keras's own tests, run against npylstm: those that can apply, and the list of all others."""

import pytest

import npylstm

from . import keras_tests, keras_tests_lists


def _params():
    for module in keras_tests_lists.MODULES:
        for case in keras_tests.cases(module):
            marks = list(case.marks)
            if why := keras_tests.reason_not_run(case):
                marks.append(pytest.mark.skip(reason=why))
            for backend in keras_tests.backends(case):
                yield pytest.param(case, backend, id=f"{module}-{case.name}-{backend}", marks=marks)


@pytest.mark.filterwarnings("ignore")  # Keras's tests are not written for warnings as errors
@pytest.mark.parametrize(("case", "backend"), list(_params()))
def test_of_keras(case, backend):
    why, failed = keras_tests.reason(case), False
    with npylstm.using_backend(backend):
        try:
            case.run()
        except Exception:
            if why is None:
                raise
            failed = True
    if failed:
        pytest.xfail(why)  # not by a mark, for which pytest would write down all the tracebacks
    assert why is None, f"it passes: take it off the list, where it stands under {why!r}"


def test_every_entry_of_the_lists_is_a_test():
    assert keras_tests.unused_patterns() == []


def test_the_table_in_the_readme_is_that_of_the_lists():
    assert keras_tests.table() in keras_tests.README.read_text("utf-8"), (
        "write it anew: python -m parity_tests.keras_tests --table"
    )


# ------------------------------------------------------------------------------ of the harness
def test_what_npylstm_lacks_fails_when_it_is_called():
    lstm_test = keras_tests.load("layers/rnn/lstm_test")
    assert lstm_test.layers.LSTM is npylstm.layers.LSTM
    with pytest.raises(keras_tests.NotHere, match="npylstm.layers has no GRU"):
        lstm_test.layers.GRU(3)


def test_a_test_of_keras_that_fails_is_seen(monkeypatch):
    lstm, activation = npylstm.layers.LSTM, npylstm.activations.get("sigmoid")
    monkeypatch.setattr(lstm, "activation", property(lambda _: activation, lambda *_: None), False)
    correct, *_ = (c for c in keras_tests.cases("layers/rnn/lstm_test") if "state" in c.method)
    with npylstm.using_backend("numpy"), pytest.raises(AssertionError, match="Not equal"):
        correct.run()


def test_a_test_that_says_nothing_of_npylstm_is_seen():
    class Empty(keras_tests.cases("layers/rnn/lstm_test")[0].test_class):
        def test_nothing(self):
            pass

    with pytest.raises(AssertionError, match="says nothing of npylstm"):
        keras_tests.Case("layers/rnn/lstm_test", Empty, "test_nothing").run()
