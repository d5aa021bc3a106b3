"""What has become of carried states, in words."""

import numpy as np

from .choose import listing, plural


def words(mode, run, epoch, batch, layers):
    """Return one line about where states were carried over, reset and changed."""
    if not len(mode):
        return "no batch has run"
    sentences = {}
    for path, layer in layers.items():
        sentences.setdefault(_sentence(mode, run, epoch, batch, layer), []).append(path)
    return "; ".join(f"{listing(paths)}: {sentence}" for sentence, paths in sentences.items())


def _sentence(mode, run, epoch, batch, layer):
    begin = layer.begin
    carried, n = int((begin == "carried").sum()), len(begin) - 1
    parts = [f"states were carried over {carried} of {plural(n, 'time')}"]
    if not n:
        parts = ["one batch has run, so that nothing could be carried over"]
    resets = batch[begin == "reset"]
    again = layer.now == "reset"
    if len(resets) or again:
        parts.append(f"reset {_times(len(resets) + again)}, {_places(resets, again)}")
    elif n:
        parts.append("never reset")
    times = int((begin == "set").sum()) + (layer.now == "set")
    if times:
        parts.append(f"changed by something else {_times(times)}")
    parts += _borders(mode, run, epoch, begin)
    return "; ".join(parts)


def _places(resets, again):
    """Say before which batches there were resets."""
    batches = sorted(set(resets.tolist()))
    if not batches:
        return "after the last batch"
    each = "each time " if len(resets) + again > 1 and len(batches) == 1 else ""
    if len(batches) <= 4:
        text = f"{each}before {'batch' if len(batches) == 1 else 'batches'} {listing(batches)}"
    else:
        text = f"before {len(batches)} different batches from {batches[0]} to {batches[-1]}"
    return f"{text} or after the last one" if again else text


def _borders(mode, run, epoch, begin):
    """Say what went from epoch to epoch, and from training to evaluation and back."""
    parts = []
    carried = begin[1:] == "carried"
    train = mode == "train"
    new = train[1:] & train[:-1] & ((np.diff(epoch) != 0) | (np.diff(run) != 0))
    if (new & carried).any():
        parts.append(
            f"{(new & carried).sum()} of {1 + new.sum()} epochs began with what the epoch before "
            "had left"
        )
    test = mode == "test"
    out, back = train[:-1] & test[1:] & carried, test[:-1] & train[1:] & carried
    if out.any():
        parts.append(f"evaluation went on from the states of training {_times(out.sum())}")
    if back.any():
        parts.append(f"training from those of evaluation {_times(back.sum())}")
    return parts


def _times(count):
    return {1: "once", 2: "twice"}.get(int(count), f"{count} times")
