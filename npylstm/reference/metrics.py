"""Accuracies: 1 where a prediction is right and 0 where it is not, for every row.

Shapes: y_true, y_pred (..., K), integer labels (...,); each returns values (...,) in [0, 1].
The other metrics are losses, averaged: see `losses`.
"""


def binary_accuracy(y_true, y_pred):
    """Return the share of the K outputs on the right side of 0.5."""
    return (y_true == (y_pred > 0.5)).mean(axis=-1)


def categorical_accuracy(y_true, y_pred):
    """Return whether the largest output is where the largest target is."""
    return y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)


def sparse_categorical_accuracy(labels, y_pred):
    """Return whether the largest output is at the label."""
    return labels == y_pred.argmax(axis=-1)
