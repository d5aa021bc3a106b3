"""Pictures that only these examples need; the others are in `npylstm.plots`."""

import numpy as np

from npylstm import plots

BLUE, ORANGE = "#0072B2", "#D55E00"


def counting(history, numbers, answers, answer_101):
    """Draw the loss of the training and how far each answer is from the right number.

    Parameters
    ----------
    history : History
    numbers : array_like, shape (95,)
        The right numbers, 6 to 100.
    answers : array_like, shape (95,)
    answer_101 : float
        The answer to 96, 97, 98, 99, 100.

    Returns
    -------
    ndarray of Axes, shape (2,)
    """
    panels = plots.figure(10, 4).subplots(1, 2)
    loss, off = panels
    # The loss falls by several powers of ten, which only a logarithmic axis can show.
    losses = history.history["loss"]
    loss.semilogy(range(1, len(losses) + 1), losses, color=BLUE)
    loss.set(xlabel="epoch", ylabel="mean squared error", title="Counting: the loss")
    off.axhline(0, color="0.7", lw=1)
    off.plot(numbers, answers - numbers, ".", color=BLUE, label="trained on (6 to 100)")
    off.plot([101], [answer_101 - 101], "D", color=ORANGE, label="never seen (101)")
    off.set(xlabel="the number that follows", ylabel="answer minus that number")
    off.set_title("How far the answers are off")
    off.legend(frameon=False)
    return panels


def signals(x, person):
    """Draw three signals of each person: a row a person.

    Parameters
    ----------
    x : ndarray, shape (samples, timesteps, 2)
    person : ndarray of int, shape (samples,)
        0 or 1.

    Returns
    -------
    ndarray of Axes, shape (2, 3)
    """
    panels = plots.figure(9, 5).subplots(2, 3, sharex=True, sharey=True)
    for who, row in enumerate(panels):
        row[0].set_ylabel(f"person {who + 1}\nsensor reading")
        for signal, ax in zip(x[person == who], row, strict=False):
            ax.plot(signal[:, 0], "-o", ms=3, color=BLUE)
            ax.plot(signal[:, 1], "--s", ms=3, color=ORANGE)
    for ax in panels[1]:
        ax.set_xlabel("timestep")
    figure = panels[0, 0].figure
    figure.suptitle("Sensor 2 lags behind sensor 1: little for person 1, much for person 2")
    names = ["sensor 1", "sensor 2"]
    below = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(panels[0, 0].lines, names, **below)
    return panels


def compare(accuracies):
    """Draw the accuracy of every seed and their mean for each network.

    Parameters
    ----------
    accuracies : dict
        Name -> accuracies in %, one a seed.

    Returns
    -------
    Axes
    """
    ax = plots.figure(6.4, 4).add_subplot()
    for place, values in enumerate(accuracies.values()):
        across = place + np.linspace(-0.12, 0.12, len(values))
        ax.plot(across, values, "o", color=BLUE, label="one seed" if place == 0 else None)
        mean = "mean of the seeds" if place == 0 else None
        ax.hlines(values.mean(), place - 0.25, place + 0.25, color=ORANGE, lw=2, label=mean)
    ax.set_xticks(range(len(accuracies)), accuracies)
    ax.set(ylabel="accuracy on new signals (%)", xlim=(-0.5, len(accuracies) - 0.5))
    ax.set_title("One direction or both")
    ax.legend(frameon=False)
    return ax
