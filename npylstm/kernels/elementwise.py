"""Loops over neighbouring numbers: a traced function of each, or whether all are finite."""

import numpy as np
from numba import types

from .emit import I64, counted, keep, load, multiply_add, store
from .jit import emitted, with_parameters
from .vector import Vector, reduce, splat


def elementwise(form, function, inputs, outputs, scalars=0, together=1):
    """Return a loop that applies a function of the reference to each element of flat arrays.

    Parameters
    ----------
    form : Format
    function : callable
        Takes `inputs` arrays (or vectors) and `scalars` numbers and returns `outputs` arrays.
    inputs, outputs, scalars : int
    together : int
        How many vectors to compute side by side: 1, 2, 4.  Worth it for long functions, each step
        of which has to wait for the one before.

    Returns
    -------
    callable
        ``loop(n, array, start, …)``: for each input and then each output an array and where in it
        to start; with scalars, at last an array and where in it they start.
    """
    arrays = inputs + outputs

    def twin(n, *arguments):
        views = [
            arguments[2 * a][arguments[2 * a + 1] : arguments[2 * a + 1] + n] for a in range(arrays)
        ]
        numbers = []
        if scalars:
            array, start = arguments[2 * arrays :]
            numbers = array[start : start + scalars]
        results = function(*views[:inputs], *numbers)
        results = results if isinstance(results, tuple) else (results,)
        results = [np.broadcast_to(result, n).copy() for result in results]
        for view, result in zip(views[inputs:], results, strict=True):
            view[...] = result

    def typed(typing, n, *arguments):
        signature = types.void(
            types.intp, *(a if isinstance(a, types.Array) else types.intp for a in arguments)
        )

        def emit(context, builder, signature, values):
            n, *values = values
            pointers = []
            for kind, value, start in zip(
                signature.args[1::2], values[::2], values[1::2], strict=True
            ):
                array = context.make_array(kind)(context, builder, value)
                pointers.append(builder.gep(array.data, [start]))

            def apply(form, start, left):
                numbers = [
                    splat(builder, builder.load(builder.gep(pointers[-1], [I64(j)])), form)
                    for j in range(scalars)
                ]
                here = [builder.gep(pointer, [start]) for pointer in pointers[:arrays]]
                vectors = [
                    Vector(builder, load(builder, form, place, left), form)
                    for place in here[:inputs]
                ]
                results = function(*vectors, *numbers)
                results = results if isinstance(results, tuple) else (results,)
                for place, result in zip(here[inputs:], results, strict=True):
                    if not isinstance(result, Vector):
                        result = Vector(builder, form.constant(result), form)
                    store(builder, form, result.value, place, left)

            def through(form, first):
                def block(number, carried):
                    apply(form, builder.add(first, builder.mul(number, I64(form.lanes))), None)
                    return carried

                blocks = builder.sdiv(builder.sub(n, first), I64(form.lanes))
                counted(builder, blocks, [], block)
                return builder.add(first, builder.mul(blocks, I64(form.lanes)))

            done = I64(0)
            if together > 1:
                done = through(form._replace(lanes=together * form.lanes), done)
            done = through(form, done)
            rest = builder.sub(n, done)
            with builder.if_then(builder.icmp_signed(">", rest, I64(0))):
                apply(form, done, rest)
            return context.get_dummy_value()

        return signature, emit

    names = ["n"]
    for a in range(arrays + (scalars > 0)):
        names += [f"array_{a}", f"start_{a}"]
    return emitted(twin)(with_parameters(typed, names))


def summed(form, function, inputs, scalars=0):
    """Return a loop that adds up a function of the reference over all elements of flat arrays.

    Parameters
    ----------
    form, function, inputs, scalars
        As for `elementwise`; the function has one output.

    Returns
    -------
    callable
        ``loop(n, array, start, …) -> number``, with the arguments of `elementwise`, less outputs.
    """

    def twin(n, *arguments):
        views = [
            arguments[2 * a][arguments[2 * a + 1] : arguments[2 * a + 1] + n] for a in range(inputs)
        ]
        numbers = []
        if scalars:
            array, start = arguments[2 * inputs :]
            numbers = array[start : start + scalars]
        return function(*views, *numbers).sum()

    def typed(typing, n, *arguments):
        def emit(context, builder, signature, values):
            n, *values = values
            pointers = []
            for kind, value, start in zip(
                signature.args[1::2], values[::2], values[1::2], strict=True
            ):
                array = context.make_array(kind)(context, builder, value)
                pointers.append(builder.gep(array.data, [start]))
            numbers = [
                splat(builder, builder.load(builder.gep(pointers[-1], [I64(j)])), form)
                for j in range(scalars)
            ]

            def block(index, sums):
                at = builder.mul(index, I64(form.lanes))
                left = builder.sub(n, at)
                vectors = [
                    Vector(builder, load(builder, form, builder.gep(pointer, [at]), left), form)
                    for pointer in pointers[:inputs]
                ]
                result = keep(builder, form, function(*vectors, *numbers).value, left)
                return [builder.fadd(sums[0], result)]

            blocks = builder.sdiv(builder.add(n, I64(form.lanes - 1)), I64(form.lanes))
            (total,) = counted(builder, blocks, [form.constant(0)], block)
            return reduce(Vector(builder, total, form), lambda a, b: a + b)

        kinds = (a if isinstance(a, types.Array) else types.intp for a in arguments)
        return arguments[0].dtype(types.intp, *kinds), emit

    names = ["n"]
    for a in range(inputs + (scalars > 0)):
        names += [f"array_{a}", f"start_{a}"]
    return emitted(twin)(with_parameters(typed, names))


def copy(form):
    """Return a loop that copies: ``(n, source, start, target, start)``."""
    return elementwise(form, lambda x: x, 1, 1)


def fill_with_zeros(form):
    """Return a loop that writes zeros: ``(n, target, start)``."""
    return elementwise(form, lambda: 0, 0, 1)


def all_finite(form):
    """Return ``(n, array, start) -> bool``: whether none of the numbers is NaN or inf."""

    def twin(n, array, start):
        return bool(np.isfinite(array[start : start + n]).all())

    def typed(typing, n, array, start):
        def emit(context, builder, signature, values):
            n, array_value, start = values
            data = context.make_array(array)(context, builder, array_value).data
            data = builder.gep(data, [start])
            zero = form.constant(0)

            def block(index, sums):
                at = builder.mul(index, I64(form.lanes))
                x = load(builder, form, builder.gep(data, [at]), builder.sub(n, at))
                return [multiply_add(builder, x, zero, sums[0])]  # NaN and inf times 0 are NaN

            blocks = builder.sdiv(builder.add(n, I64(form.lanes - 1)), I64(form.lanes))
            (total,) = counted(builder, blocks, [zero], block)
            total = reduce(Vector(builder, total, form), lambda a, b: a + b)
            return builder.fcmp_ordered("ord", total, total)

        return types.boolean(types.intp, array, types.intp), emit

    return emitted(twin)(typed)
