"""Sums as strings, "34+57" to "91": ``python -m examples.encoder_decoder``.

One LSTM, the encoder, reads the question; its last states are all that the other one, the decoder,
gets to know of it.  The decoder writes the answer, one character after the other.  There is no
model around them: the loop below runs each layer forward and backward by hand.
"""

import time

import numpy as np

import npylstm
from npylstm import plots
from npylstm.layers import LSTM, Dense
from npylstm.optimizers import Adam
from npylstm.reference import losses
from npylstm.utils import set_random_seed

from .command import read_options, run
from .console import Console

CHARACTERS = "0123456789+ ="  # "=" is what the decoder is shown before the first character
SEED, EPOCHS, UNITS, BATCH = 7, 25, 96, 50
UNSEEN = 1000  # of the 10,000 sums, kept for the test

TEXTS = {
    "help": (
        'An LSTM reads sums such as "34+57", another one writes "91".\n\n'
        "usage: python -m examples.encoder_decoder [options]\n",
        'LSTM 하나가 "34+57" 같은 덧셈을 읽고 다른 하나가 "91"을 씁니다.\n\n'
        "사용법: python -m examples.encoder_decoder [옵션]\n",
    ),
    "welcome": (
        "Sums, read and written character by character (seed {seed}, backend {backend})",
        "글자 단위로 읽고 쓰는 덧셈 (시드 {seed}, 백엔드 {backend})",
    ),
    "shapes": (
        "Questions {x} into the encoder, its states {state} into the decoder, answers {y} out",
        "인코더 입력 {x}, 디코더로 넘기는 상태 {state}, 디코더 출력 {y}",
    ),
    "epoch": (
        "epoch {epoch}: loss {loss:.4f}, unseen sums right {percent:.1f} %",
        "에포크 {epoch}: 손실 {loss:.4f}, 처음 보는 덧셈 정답률 {percent:.1f} %",
    ),
    "answers": ("Some sums it has never seen:", "처음 보는 덧셈 몇 개:"),
    "accuracy": (
        "Right on unseen sums: {percent:.2f} % after {epochs} epochs, in {seconds:.0f} s",
        "처음 보는 덧셈 정답률: {percent:.2f} % ({epochs} 에포크, {seconds:.0f}초)",
    ),
}


def sums(rng):
    """Return all sums of two numbers below 100, shuffled: questions and answers as texts."""
    pairs = rng.permutation([(a, b) for a in range(100) for b in range(100)])
    return [f"{a}+{b}".rjust(5) for a, b in pairs], [f"{a + b:3d}" for a, b in pairs]


def one_hot(texts):
    """Return texts of one length as vectors: (samples, characters, kinds of characters)."""
    numbers = [[CHARACTERS.index(character) for character in text] for text in texts]
    return np.eye(len(CHARACTERS), dtype="float32")[numbers]


class Sums:
    """An encoder and a decoder that learn to add."""

    def __init__(self):
        self.encoder = LSTM(UNITS, return_state=True)
        self.decoder = LSTM(UNITS, return_sequences=True, return_state=True)
        self.head = Dense(len(CHARACTERS))  # a score for each character
        self.optimizer = Adam(0.005, global_clipnorm=1.0)

    def train(self, questions, answers):
        """Take one step along the gradient of a batch; return its loss."""
        # The decoder is shown the right characters so far, whatever it would have written itself
        # (teacher forcing), and is to give the next one.
        shown = np.roll(answers, 1, axis=1)
        shown[:, 0] = one_hot("=")[0]

        # Forward: all that the decoder knows of the question are two states.
        (_, *states), encoder_cache = self.encoder.forward(questions, training=True)
        (sequence, _, _), decoder_cache = self.decoder.forward(shown, states, training=True)
        scores, head_cache = self.head.forward(sequence, training=True)
        values, loss_cache = losses.softmax_crossentropy_forward(answers, scores)

        # Backward: the same way home.  The gradient of the decoder's initial states is that of the
        # encoder's last ones.
        dscores = losses.softmax_crossentropy_backward(
            np.full_like(values, 1 / values.size), loss_cache
        )
        of_head = self.head.backward(dscores, head_cache)
        of_decoder = self.decoder.backward([of_head.dx, None, None], decoder_cache)
        dstates = of_decoder.dinitial_state
        of_encoder = self.encoder.backward([None, *dstates], encoder_cache)

        # All weights at once.
        self.optimizer.apply_gradients(
            [(of_encoder, self.encoder), (of_decoder, self.decoder), (of_head, self.head)]
        )
        return values.mean()

    def answer(self, questions, length):
        """Write the answers, each character the likeliest after those already written."""
        _, *states = self.encoder(questions)
        shown, written = np.repeat(one_hot(["="]), len(questions), axis=0), []
        for _ in range(length):
            sequence, *states = self.decoder(shown, states)
            best = self.head(sequence).argmax(axis=-1)  # (samples, 1)
            shown = np.eye(len(CHARACTERS), dtype="float32")[best]
            written.append(best[:, 0])
        return ["".join(CHARACTERS[k] for k in numbers) for numbers in np.transpose(written)]


def right(answers, wanted):
    """Return the share of answers that are right from the first character to the last."""
    return np.mean([answer == other for answer, other in zip(answers, wanted, strict=True)])


def main(argv=None):
    """Train, question and print; `argv` as in the other examples.  Return 0."""
    options = read_options("encoder_decoder", TEXTS, argv, SEED)
    say = Console(TEXTS, options.lang, options.plot)
    say.say("welcome", seed=options.seed, backend=npylstm.get_backend())
    set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    questions, answers = sums(rng)
    x, y = one_hot(questions), one_hot(answers)
    say.say("shapes", x=(BATCH, *x.shape[1:]), state=(BATCH, UNITS), y=(BATCH, *y.shape[1:]))

    model, epochs, started = Sums(), options.epochs or EPOCHS, time.perf_counter()
    curves = {"loss": [], "accuracy": []}
    for epoch in range(1, epochs + 1):
        model.optimizer.learning_rate = 0.005 * (1 - 0.95 * (epoch - 1) / epochs)  # ever finer
        order = UNSEEN + rng.permutation(len(x) - UNSEEN)
        batches = order.reshape(-1, BATCH)
        loss = np.mean([model.train(x[batch], y[batch]) for batch in batches])
        written = model.answer(x[:UNSEEN], y.shape[1])
        accuracy = right(written, answers[:UNSEEN])
        curves["loss"].append(loss)
        curves["accuracy"].append(accuracy)
        if options.verbose or epoch % max(1, epochs // 6) == 0:
            say.say("epoch", epoch=epoch, loss=loss, percent=100 * accuracy)

    say.say("answers")
    some = list(zip(questions, written, answers, strict=False))[:24]
    say.columns([f"{q}={w}" + ("" if w == a else f" !({a.strip()})") for q, w, a in some])
    seconds = time.perf_counter() - started
    say.say("accuracy", percent=100 * accuracy, epochs=epochs, seconds=seconds)
    say.picture("encoder_decoder", plots.history, curves, title="Loss, and unseen sums right")
    return 0


if __name__ == "__main__":
    run(main)
