"""Empty figures, made without pyplot."""


def figure(width=6.4, height=4.2):
    """Make an empty figure that needs no screen.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'npylstm[plot]'") from error
    return Figure(figsize=(width, height), dpi=120, layout="constrained")
