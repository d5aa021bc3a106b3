"""What stands between Keras's tests and npylstm; see `keras_tests`."""

import contextlib
import inspect
import pathlib
from unittest import mock

import numpy as np
from keras.src import testing

import npylstm
from npylstm import backends
from npylstm.plan import Memory, PlanBuilder

_FOLDER = str(pathlib.Path(npylstm.__file__).parent)


# ---------------------------------------------------------------------------------- the test case
class TestCase(testing.TestCase):
    """Keras's own, with the parts that are about graphs and names made about arrays and objects."""

    def assertRaisesRegex(self, expected, pattern, *call, **options):
        """Demand an error of that type from npylstm, and not for an unknown argument."""
        context = _Raises(expected)
        if not call:
            return context
        function, *args = call
        with context:
            function(*args, **options)

    def run_class_serialization_test(self, instance, custom_objects=None):
        """Demand that a configuration makes an equal one: the same configuration, attributes."""
        config = instance.get_config()
        revived = type(instance).from_config(config)
        self.assertIsNot(revived, instance)
        self.assertEqual(_plain(revived.get_config()), _plain(config))
        self.assertEqual(set(dir(revived)), set(dir(instance)))
        return revived

    def run_layer_test(
        self,
        layer_cls,
        init_kwargs,
        input_shape=None,
        input_dtype=None,
        input_data=None,
        call_kwargs=None,
        expected_output_shape=None,
        expected_output_dtype=None,
        expected_output=None,
        expected_num_trainable_weights=None,
        expected_num_non_trainable_weights=0,
        expected_num_losses=None,
        supports_masking=None,
        expected_mask_shape=None,
        run_training_check=True,
        **about_graphs,
    ):
        """Check what Keras's own checks of a layer that npylstm has too, and a step of training."""
        unknown = set(about_graphs) - set(inspect.signature(super().run_layer_test).parameters)
        self.assertFalse(unknown)
        made = ("input_sparse", "input_ragged") if input_data is None else ()
        assert not any(map(about_graphs.get, made)), "sparse or ragged tensors are to be made"
        call_kwargs = call_kwargs or {}
        if input_data is None:
            rng = np.random.default_rng(0)
            input_data = (3 * rng.random(input_shape)).astype(input_dtype or "float32")
        x = np.asarray(input_data)
        self.run_class_serialization_test(layer_cls(**init_kwargs))

        built = layer_cls(**init_kwargs)
        built.build(x.shape)
        eager = layer_cls(**init_kwargs)
        output = eager(x, **call_kwargs)
        for layer in (built, eager):
            self.assertTrue(layer.built)
            if expected_num_trainable_weights is not None:
                self.assertLen(layer.weights, expected_num_trainable_weights)
            self.assertEqual(expected_num_non_trainable_weights or 0, 0)
        outputs = output if isinstance(output, list) else [output]
        shapes = eager.compute_output_shape(x.shape)
        shapes = shapes if isinstance(shapes, list) else [shapes]
        self.assertEqual([tuple(shape) for shape in shapes], [one.shape for one in outputs])
        if expected_output_shape is not None:
            expected = expected_output_shape
            expected = expected if isinstance(expected, list) else [expected]
            self.assertEqual([tuple(shape) for shape in expected], [one.shape for one in outputs])
        if expected_output_dtype is not None:
            self.assertEqual([one.dtype.name for one in outputs], [expected_output_dtype])
        if expected_output is not None:
            self.assertAllClose(output, expected_output)
        if expected_num_losses is not None:
            rules = {name: rule for name, rule in vars(eager).items() if "_regularizer" in name}
            self.assertLen([rule for rule in rules.values() if rule], expected_num_losses)
        if supports_masking and x.ndim == 3:
            # A mask that masks nothing changes nothing, where nothing is drawn.
            if not call_kwargs.get("training"):
                unmasked = eager(x, mask=np.ones(x.shape[:2], bool), **call_kwargs)
                self.assertAllClose(unmasked, output)
        if expected_mask_shape is not None:
            self.assertEqual(eager.compute_mask(x).shape, tuple(expected_mask_shape))
        if run_training_check and len(outputs) == 1:
            model = npylstm.Sequential([layer_cls(**init_kwargs)])
            model.compile("sgd", "mse")
            loss = model.fit(x, np.zeros_like(outputs[0]), verbose=0).history["loss"]
            self.assertTrue(np.isfinite(loss).all())


class _Raises:
    """A context that demands an error of some type, raised by npylstm, about what was passed."""

    def __init__(self, expected):
        self.expected = expected

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        assert error is not None, f"no {self.expected} was raised"
        unknown_argument = "has no argument" in str(error) or "unexpected keyword" in str(error)
        if not issubclass(kind, self.expected) or unknown_argument:
            return False
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename.startswith(_FOLDER):
                self.exception = error
                return True
            traceback = traceback.tb_next
        return False


def _plain(value):
    """Return a configuration with the objects in it as their configurations."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "get_config"):
        return type(value).__name__, _plain(value.get_config())
    return value


# ------------------------------------------------------------------------------------- weights
class _Weight(np.ndarray):
    """A view of a weight that can also be asked for its value and given one, as Keras's can."""

    value = property(np.asarray)

    def numpy(self):
        return np.array(self)

    def assign(self, value):
        self[...] = np.asarray(value)


@contextlib.contextmanager
def weights_as_variables():
    """Make what weights are seen through such views."""
    weight = Memory.weight
    with mock.patch.object(Memory, "weight", lambda *path: weight(*path).view(_Weight)):
        yield


# -------------------------------------------------------------------------- losses of one's own
class _LossByCall(npylstm.losses.CustomLoss):
    """Let a loss be written as in Keras: with a method `call`, a mask at y_pred, in float32."""

    def __init__(self, name=None, reduction="sum_over_batch_size"):
        super().__init__(self.call, name=name, reduction=reduction)

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        y_true, y_pred = (np.asarray(y).astype("float32") for y in (y_true, y_pred))
        if mask is not None:
            mask = np.asarray(mask).astype("float32").reshape(len(y_pred))
            if sample_weight is not None:
                sample_weight = np.reshape(sample_weight, len(y_pred))
            reduction = npylstm.losses.REDUCTIONS[self.reduction].name.lower()
            sample_weight = npylstm.reference.losses.masked_weights(mask, sample_weight, reduction)
        return np.float32(super().__call__(y_true, y_pred, sample_weight))


# ---------------------------------------------------------------------- optimizers by themselves
class _Number(float):
    """A number that can also be asked for its value, as a Keras variable is."""

    value = property(np.float32)

    def numpy(self):
        return self.value


class _OnVariables:
    """Let one of our optimizers step along gradients of Keras variables.

    A model gives its optimizer flat vectors.  Here they are filled from the variables before each
    step, and the variables from them after it.
    """

    @property
    def learning_rate(self):
        return _Number(super().learning_rate)

    @learning_rate.setter
    def learning_rate(self, value):
        npylstm.optimizers.Optimizer.learning_rate.fset(self, value)

    def build(self, variables):
        if not _are_variables(variables):
            return super().build(variables)
        shapes = {f"{n}/weight": tuple(v.shape) for n, v in enumerate(variables)}
        dtype = np.asarray(variables[0]).dtype
        super().build(Memory(shapes, {}, dtype, owner=self))

    def apply_gradients(self, grads_and_vars):
        pairs = list(grads_and_vars)
        if not _are_variables([variable for _, variable in pairs]):
            return super().apply_gradients(pairs)
        self.apply(*zip(*pairs, strict=True))

    def apply(self, gradients, variables):
        if self.memory is None:
            self.build(variables)
        memory = self.memory
        for path, gradient, variable in zip(
            memory.weight_segments, gradients, variables, strict=True
        ):
            memory.weight(path)[...] = np.asarray(variable)
            memory.gradient(path)[...] = np.asarray(gradient)
        builder = PlanBuilder(memory)
        nothing = builder.tensor(1, 1)
        backend = backends.current()
        program = backend.prepare(builder.finish(nothing, [nothing]))
        rate = self.learning_rates(1)[0]
        backend.apply_update(program, self.update(), rate, self.batches)
        self.batches += 1
        self._write_back(variables)

    def finalize_variable_values(self, variables):
        self.finalize()
        self._write_back(variables)

    def _write_back(self, variables):
        for path, variable in zip(self.memory.weight_segments, variables, strict=True):
            variable.assign(self.memory.weight(path))

    @property
    def _model_variables_moving_average(self):
        return self._of_each(self._average)

    @property
    def _accumulated_gradients(self):
        return self._of_each(self._sums)

    def _of_each(self, vector):
        segments = self.memory.weight_segments.values()
        vectors = [vector[segment.slice].reshape(segment.shape) for segment in segments]
        return [one.view(_Weight) for one in vectors]

    @property
    def variables(self):
        rate = [self.learning_rate] if self._schedule is None else []
        slots = [self._of_each(slot) for slot in self.slots.values()]
        return [self.batches, *rate, *(one for slot in slots for one in slot)]

    @property
    def _iterations(self):
        return self.batches

    def _clip_gradients(self, gradients):
        """Return what a step of plain descent, with the same clipping, goes along."""
        limits = {n: getattr(self, n) for n in ("clipnorm", "clipvalue", "global_clipnorm")}
        descent = OPTIMIZERS["SGD"](learning_rate=1.0, **limits)
        zeros = [_Slot(gradient) for gradient in gradients]
        descent.apply(gradients, zeros)
        return [-zero.value for zero in zeros]


class _Slot:
    """As much of a Keras variable as `_OnVariables` needs."""

    def __init__(self, like):
        self.value = np.zeros_like(np.asarray(like))
        self.shape = self.value.shape

    def __array__(self, dtype=None, copy=None):
        return self.value

    def assign(self, value):
        self.value = np.array(value)


def _get(identifier):
    """Return what `optimizers.get` does, able to step along gradients of variables."""
    optimizer = npylstm.optimizers.get(identifier)
    optimizer.__class__ = OPTIMIZERS[type(optimizer).__name__]
    return optimizer


def _are_variables(things):
    return isinstance(things, list | tuple) and all(hasattr(thing, "assign") for thing in things)


OPTIMIZERS = {
    name: type(name, (_OnVariables, cls), {})
    for name, cls in vars(npylstm.optimizers).items()
    if isinstance(cls, type) and issubclass(cls, npylstm.optimizers.Optimizer)
}
for _cls in OPTIMIZERS.values():
    _cls.__module__, globals()[_cls.__name__] = __name__, _cls  # for pickle
OPTIMIZERS["get"] = _get
ADAPTED = {npylstm.optimizers: OPTIMIZERS, npylstm.losses: {"Loss": _LossByCall}}
