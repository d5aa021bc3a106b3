"""Ctrl-C: a real signal in a real process, and a model that is usable after it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from npylstm import interrupt

SCRIPT = textwrap.dedent(
    """
    import os, signal, threading, time
    import numpy as np
    from npylstm import Sequential
    from npylstm.callbacks import Callback
    from npylstm.layers import LSTM, Dense, Input

    x, y = np.random.default_rng(0).normal(size=(2000, 8, 2)), np.ones((2000, 1))
    model = Sequential([Input((8, 2)), LSTM(32), Dense(1)])
    model.compile("adam", "mse")

    class AfterOneEpoch(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT)).start()

    try:
        model.fit(x, y, epochs=10**6, batch_size=4, shuffle=False, verbose=0,
                  callbacks=[AfterOneEpoch()])
    except KeyboardInterrupt:
        print("interrupted")

    # The same number of whole steps, taken again from the start, must lead to the same weights.
    weights, steps = model.get_weights(), model.optimizer.iterations
    print("epochs recorded", len(model.history.history["loss"]), "steps", steps)
    assert all(np.isfinite(w).all() for w in weights)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = Sequential([Input((8, 2)), LSTM(32), Dense(1)])
    again.compile("adam", "mse")
    again.set_weights(START)
    for step in range(steps):
        first = 4 * step % 2000
        again.train_on_batch(x[first:first + 4], y[first:first + 4])
    assert all(np.array_equal(a, b) for a, b in zip(weights, again.get_weights()))
    model.fit(x, y, epochs=1, batch_size=500, verbose=0)
    print("usable")
    """
).replace(
    'model.compile("adam", "mse")\n',
    'model.compile("adam", "mse")\nSTART = model.get_weights()\n',
    1,
)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_leaves_the_last_finished_batch():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert "interrupted" in result.stdout and "usable" in result.stdout
    recorded = int(result.stdout.split("epochs recorded ")[1].split()[0])
    assert recorded >= 1


def press():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


def test_held_back_until_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupt.held_back():
        press()
        done.append("rest of the block")
    assert done == ["rest of the block"]


def test_a_second_press_is_not_held_back():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupt.held_back():
        press()
        press()
        done.append("not reached")
    assert not done


def test_other_threads_and_other_handlers_are_left_alone():
    def block():
        with interrupt.held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    seen = []
    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
    own = lambda signum, frame: None  # noqa: E731
    signal.signal(signal.SIGINT, own)
    try:
        block()
        assert seen[-1] is own
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
