"""Trace: what a model or a layer has done with one batch, layer by layer."""

from collections.abc import Mapping

from . import files, tables
from .layer_traces import LSTMTrace


class Trace(Mapping):
    """Every number of one batch by the path of its layer: ``trace["lstm"].i``.

    Attributes
    ----------
    model : str
        The name of the model or layer.
    x : ndarray (B, …)
        What went in.
    outputs : list of ndarray (B, …)
        What came out.
    y : ndarray or None
        The targets.
    loss : float or None
        None without targets.
    gradients : dict of str to ndarray
        The gradient of the loss with respect to each weight, by path such as "lstm/kernel"; empty
        without targets.
    """

    def __init__(self, model, layers, x, outputs, y=None, loss=None, gradients=None):
        self.model, self.x, self.outputs, self.y, self.loss = model, x, outputs, y, loss
        self.gradients = gradients or {}
        self._layers = dict(layers)

    # ---------------------------------------------------------------------------- layers by path
    def __getitem__(self, path):
        if path not in self._layers:
            known = ", ".join(map(repr, self._layers))
            raise KeyError(f"there is no layer {path!r} in this trace; it has {known}")
        return self._layers[path]

    def __iter__(self):
        return iter(self._layers)

    def __len__(self):
        return len(self._layers)

    def __getattr__(self, name):
        """Say where the arrays are; they have the names of their layers before them."""
        if not name.startswith("_"):
            for path, layer in self._layers.items():
                if name in layer.names:
                    raise AttributeError(
                        f"a trace holds those of several layers: write trace[{path!r}].{name} for "
                        f"{name!r} of layer {path!r}; it has {', '.join(map(repr, self))}"
                    )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _ipython_key_completions_(self):
        return list(self._layers)

    @property
    def lstms(self):
        """Those that have gates, as dict of path to `LSTMTrace`."""
        return {path: one for path, one in self._layers.items() if isinstance(one, LSTMTrace)}

    @property
    def has_gradients(self):
        """Whether the trace was made with targets."""
        return self.y is not None

    # ---------------------------------------------------------------------------- in other forms
    def to_dict(self):
        """Return all arrays as ``{path: {name: array}}``."""
        return {path: layer.to_dict() for path, layer in self._layers.items()}

    def to_xarray(self):
        """Return an xarray.Dataset for each layer, by path: the arrays with names for their axes.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        return tables.to_xarray(self)

    def to_dataframe(self):
        """Return a pandas.DataFrame: a row for each layer, sample, step and unit.

        Its columns are all arrays (B, T, U) of the LSTMs, `timestep`, that of the input, and
        `mask`, False at steps that were passed over and whose gates were not used.

        Raises
        ------
        ImportError
            If pandas is not installed.
        ValueError
            If there is no LSTM.
        """
        return tables.to_dataframe(self)

    def to_html(self, path, samples=None, title=None):
        """Write a web page, one file, through which one can walk the numbers step by step.

        It needs a browser and nothing else; an old file is replaced whole or not at all.

        Parameters
        ----------
        path : str or Path
        samples : int, sequence of int, or None
            Which samples, counted from 0.  None takes all for which there is room in about 2 MB,
            from the first on; what is left out, the page says.
        title : str or None
            The heading; None makes one of the model's name.

        Returns
        -------
        str or Path
            `path`, as it was given.

        Raises
        ------
        TypeError
            If `samples` are no integers, or `title` is no text.
        ValueError
            If there is no sample of an index, or `samples` is empty.
        OSError
            If the file cannot be written.
        """
        from .. import page  # it stands above this

        return page.write(self, path, samples, title)

    def _repr_html_(self):
        """Return the page in a frame: what notebooks show."""
        from .. import page

        return page.notebook(self)

    def save(self, filepath):
        """Write the trace to an .npz file; an old file is replaced whole or not at all.

        Raises
        ------
        ValueError
            If the name does not end in ".npz".
        OSError
            If it cannot be written.
        """
        files.save(self, filepath)

    @classmethod
    def load(cls, filepath):
        """Return the Trace that `save` has written.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is no such file, or damaged.
        """
        return files.load(cls, filepath)

    def __repr__(self):
        loss = "" if self.loss is None else f", loss {self.loss:.6g}"
        widest = max(map(len, self._layers), default=0)
        lines = [f"{path:<{widest}}  {layer.describe()}" for path, layer in self._layers.items()]
        samples = "1 sample" if len(self.x) == 1 else f"{len(self.x)} samples"
        return "\n  ".join([f"<Trace of {self.model!r}, {samples}{loss}", *lines]) + ">"
