"""Six experiments on the alphabet, trained side by side with Keras: the loss curves must coincide.

The task is to say the next letter.  Models, sizes and batch sizes are those of the widely copied
tutorial on LSTM networks with Keras; samples keep their order, for both sides to see the same one.
"""

import string

import keras
import numpy as np

import npylstm

from .oracle import adam, shared_models

LETTERS = len(string.ascii_uppercase)

# Both sides compute the same in float64, and differ by rounding.  Each update starts from the
# differences that the one before it left, so they may grow; over these runs they hardly do: the
# losses differ by a few 1e-16 of their size, the stateful ones, which carry most over, by up to
# 2e-13.  Half a thousand times that is allowed.
RELATIVE_TOLERANCE = 1e-10


def windows(length):
    """Return every run of `length` letters, as numbers in [0, 1), and the letter after it."""
    starts = np.arange(LETTERS - length)
    x = starts[:, None] + np.arange(length)
    return x / LETTERS, one_hot(starts + length)


def substrings(n, longest, rng):
    """Return random runs of 1 to `longest` letters, zeros before them, and the letters after."""
    x, following = np.zeros((n, longest)), np.zeros(n, int)
    for row in range(n):
        start = rng.integers(LETTERS - 2)
        end = rng.integers(start, min(start + longest, LETTERS - 1))
        letters = np.arange(start, end + 1)
        x[row, longest - len(letters) :] = letters
        following[row] = end + 1
    return x / LETTERS, one_hot(following)


def one_hot(letters):
    return np.eye(LETTERS)[letters]


def classifier(units, timesteps, features):
    return lambda L: [
        L.Input((timesteps, features)),
        L.LSTM(units),
        L.Dense(LETTERS, activation="softmax"),
    ]


def models(build, rng):
    # Small weights, as initializers give them: a network that starts saturated learns nothing.
    ours, theirs = shared_models(build, rng, scale=0.1)
    for model, library in ((ours, npylstm), (theirs, keras)):
        model.compile(
            optimizer=adam(library.optimizers),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        )
    return ours, theirs


def assert_same_curves(ours, theirs, falls_by):
    """Demand equal losses and accuracies after every epoch, of a run that learns something."""
    assert list(ours) == list(theirs) == ["accuracy", "loss"]
    np.testing.assert_allclose(ours["loss"], theirs["loss"], rtol=RELATIVE_TOLERANCE, atol=0)
    np.testing.assert_allclose(ours["accuracy"], theirs["accuracy"], rtol=0, atol=1e-12)
    assert theirs["loss"][0] - theirs["loss"][-1] > falls_by, "nothing learned: nothing is compared"


def train_both(ours, theirs, x, y, falls_by, **options):
    options |= {"shuffle": False, "verbose": 0}
    expected = theirs.fit(x, y, **options).history
    assert_same_curves(ours.fit(x, y, **options).history, expected, falls_by)


def test_1_one_letter_to_one_letter(float64, rng):
    x, y = windows(1)
    x = x.reshape(25, 1, 1)
    ours, theirs = models(classifier(32, 1, 1), rng)
    train_both(ours, theirs, x, y, falls_by=0.3, epochs=50, batch_size=1)


def test_2_three_features(float64, rng):
    x, y = windows(3)
    x = x.reshape(23, 1, 3)
    ours, theirs = models(classifier(32, 1, 3), rng)
    train_both(ours, theirs, x, y, falls_by=0.3, epochs=50, batch_size=1)


def test_3_three_timesteps(float64, rng):
    x, y = windows(3)
    x = x.reshape(23, 3, 1)
    ours, theirs = models(classifier(32, 3, 1), rng)
    train_both(ours, theirs, x, y, falls_by=0.3, epochs=50, batch_size=1)


def test_4_all_samples_in_one_batch(float64, rng):
    """One step an epoch: 200 epochs, for the loss to move at all."""
    x, y = windows(1)
    x = x.reshape(25, 1, 1)
    ours, theirs = models(classifier(16, 1, 1), rng)
    train_both(ours, theirs, x, y, falls_by=0.05, epochs=200, batch_size=25)


def test_5_stateful(float64, rng):
    """States go on from letter to letter, and are reset after each pass through the alphabet."""
    x, y = windows(1)
    x = x.reshape(25, 1, 1)
    ours, theirs = models(
        lambda L: [
            L.Input(batch_shape=(1, 1, 1)),
            L.LSTM(50, stateful=True),
            L.Dense(LETTERS, activation="softmax"),
        ],
        rng,
    )
    curves = {"accuracy": [], "loss": []}, {"accuracy": [], "loss": []}
    for _ in range(50):
        for model, curve in zip((ours, theirs), curves, strict=True):
            history = model.fit(x, y, epochs=1, batch_size=1, shuffle=False, verbose=0).history
            for name, values in history.items():
                curve[name] += values
        ours.reset_states()
        theirs.layers[0].reset_state()
    assert_same_curves(*curves, falls_by=0.5)


def test_6_substrings_of_any_length(float64, rng):
    """10 epochs only: at 1000 steps each they are 10,000 steps, eight times those of a run above.

    Keras takes 0.7 ms and more for each, and 50 epochs would take longer than all other tests here.
    """
    x, y = substrings(1000, 5, rng)
    x = x.reshape(1000, 5, 1)
    ours, theirs = models(classifier(32, 5, 1), rng)
    train_both(ours, theirs, x, y, falls_by=1, epochs=10, batch_size=1)


def test_data():
    """That of the tutorial: A -> B, ABC -> D; substrings of all lengths, the last letter last."""
    x, y = windows(3)
    assert x.shape == (23, 3) and y.shape == (23, 26)
    np.testing.assert_array_equal(x[-1] * LETTERS, [22, 23, 24])
    assert y[0].argmax() == 3 and y[-1].argmax() == 25
    x, y = substrings(1000, 5, np.random.default_rng(0))
    last = np.rint(x[:, -1] * LETTERS).astype(int)
    np.testing.assert_array_equal(y.argmax(axis=1), last + 1)
    lengths = (np.rint(x * LETTERS) > 0).sum(axis=1)
    assert set(lengths[last > 5]) == {1, 2, 3, 4, 5}
