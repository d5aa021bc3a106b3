"""Experiment 5: a state that outlives the batch."""

import numpy as np

from npylstm import Sequential
from npylstm.callbacks import Callback
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from .data import ALPHABET, windows


class StartFromZero(Callback):
    """Forget the state at the start of every epoch, so that A always meets a zero state."""

    def on_epoch_begin(self, epoch, logs=None):
        """Reset the state."""
        self.model.reset_states()


def chain(model, first, length):
    """Show the network one letter, then its own answers: return letters shown and answers."""
    model.reset_states()
    shown, answers = [], []
    letter = ALPHABET.index(first)
    for _ in range(length):
        shown.append([letter])
        question = np.reshape(letter, (1, 1, 1)) / len(ALPHABET)
        letter = int(model.predict(question, verbose=0).argmax())
        answers.append(letter)
    return shown, answers


def run(report, seed, epochs=300, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)

    # Data: the 25 pairs of experiment 1.
    patterns, targets = windows(length=1)
    report.pairs(patterns, targets)

    # Shape.
    x = np.reshape(patterns, (25, 1, 1)) / len(ALPHABET)
    y = to_categorical(targets)  # (25, 26)
    report.shape(x, samples="a_pair", timesteps="one_step", features="a_number")

    # Model: the batch size is fixed, because the layer keeps one state for each row of a batch.
    model = Sequential(
        [
            Input(batch_shape=(1, 1, 1)),
            LSTM(50, stateful=True),
            Dense(26, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit: in order, because the state after one letter is the state before the next.
    report.training(len(x), epochs, batch_size=1)
    history = model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=1,
        shuffle=False,
        verbose=verbose,
        callbacks=[StartFromZero()],
    )

    # Evaluate, from A with a zero state again.
    model.reset_states()
    accuracy = model.evaluate(x, y, batch_size=1, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict: the chain from A follows the training.  A chain from K meets a zero state where
    # the training never had one: the network has learned places in the alphabet, not letters.
    report.answers("chain_from_a", *chain(model, "A", length=25))
    report.answers("chain_from_k", *chain(model, "K", length=5))

    # Letter by letter with a state that stays, the layer does what it would with one sequence of
    # 25 timesteps: in that form its whole way through the alphabet is in a single trace.  The
    # training itself saw one timestep at a time, so the gradients of that form are not its own.
    unrolled = Sequential(
        [Input((25, 1)), LSTM(50, return_sequences=True), Dense(26, activation="softmax")]
    )
    unrolled.set_weights(model.get_weights())
    report.why(5, unrolled, x.reshape(1, 25, 1), y[None], with_gradients=False)
    report.curves(5, history)
    return accuracy, history
