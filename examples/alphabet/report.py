"""What an experiment shows of itself while it runs."""

from pathlib import Path

from npylstm import plots

from ..console import Console
from . import why, why_pictures
from .data import ALPHABET, letters


class Report(Console):
    """Prints an experiment's data, shapes and answers, and draws its curves.

    Parameters
    ----------
    texts, lang, directory
        As in `Console`.
    trace_directory : str or Path, optional
        Where the pages and pictures go that show why an experiment succeeds or fails.
    """

    def __init__(self, texts, lang="en", directory=None, trace_directory=None):
        super().__init__(texts, lang, directory)
        self.trace_directory = None if trace_directory is None else Path(trace_directory)

    def begin(self, number):
        """Print the heading of an experiment and what it is about."""
        self.title(f"title_{number}")
        self.say(f"about_{number}")

    def pairs(self, patterns, targets, first=None):
        """Print which letters lead to which: all pairs or the first ones."""
        self.say("pairs" if first is None else "first_pairs", count=len(patterns), first=first)
        chosen = list(zip(patterns, targets, strict=True))[:first]
        self.columns([f"{letters(p)} -> {ALPHABET[t]}" for p, t in chosen])

    def shape(self, x, **meanings):
        """Print the shape of the input tensor; ``samples="pair"`` names the text for that axis."""
        self.say("shape", shape=x.shape)
        for (axis, meaning), size in zip(meanings.items(), x.shape, strict=True):
            print(f"  {axis:<9} {size:>4}  {self.text(meaning)}", flush=True)

    def training(self, samples, epochs, batch_size):
        """Print how often the weights will be updated."""
        updates = -(-samples // batch_size)
        values = {"batch_size": batch_size, "updates": updates, "total": updates * epochs}
        self.say("training", epochs=epochs, **values)

    def accuracy(self, accuracy):
        """Print the fraction of right answers as a percentage."""
        self.say("accuracy", percent=100 * accuracy)

    def answers(self, heading, patterns, answers):
        """Print what the network answered; a wrong answer is followed by the right one.

        Parameters
        ----------
        heading : str
            Key of the text above the answers.
        patterns : list of list of int
            What the network was shown.
        answers : sequence of int
            What it answered; right is the letter after the last one shown.
        """
        cells, right = [], 0
        for pattern, answer in zip(patterns, answers, strict=True):
            wanted = ALPHABET[pattern[-1] + 1 : pattern[-1] + 2]
            good = ALPHABET[answer] == wanted
            right += good
            mark = "" if good else f" !({wanted or '-'})"
            cells.append(f"{letters(pattern)} -> {ALPHABET[answer]}{mark}")
        self.say(heading)
        self.columns(cells)
        self.say("all_right" if right == len(cells) else "some_right", right=right, of=len(cells))

    def why(self, number, model, x, y, with_gradients=True):
        """Say and show why the network succeeds or fails, if that is wanted.

        A trace of the batch x is looked through for what is in memory, and for whether the states
        of different letters differ; the page lets the reader step through it.
        """
        if self.trace_directory is None:
            return
        trace = model.trace(x, y if with_gradients else None)
        findings = why.find(trace, y)
        for sentence in findings.sentences(self.text):
            self.paragraph(sentence)
        title = self.texts[f"title_{number}"][0]
        for name in ("memory", "states", "answers"):
            draw, where = getattr(why_pictures, name), self.trace_directory
            self.picture(f"alphabet_{number}_{name}", draw, findings, title, directory=where)
        path = self.trace_directory / f"alphabet_{number}.html"
        trace.to_html(path, title=title)
        self.say("page", path=path)

    def curves(self, number, history):
        """Draw loss and accuracy over the epochs, titled in English."""
        title = self.texts[f"title_{number}"][0]
        self.picture(f"alphabet_{number}", plots.history, history, title=title)

    def all_curves(self, histories):
        """Draw the curves of several experiments, number -> history, in one picture."""
        titled = {self.texts[f"title_{number}"][0]: one for number, one in histories.items()}
        self.picture("alphabet_all", plots.histories, titled)
