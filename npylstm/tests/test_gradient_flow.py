"""Which gradients a backward makes, by plans made by hand and by models."""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, backends
from npylstm.backends.gradient_flow import Flow, gradient_flow
from npylstm.layers import LSTM, Bidirectional, Dense, Dropout, Input, RepeatVector, TimeDistributed
from npylstm.plan import MERGE_MODES, Memory, Objective, Op, PlanBuilder, Tensor

BOTH, NEITHER = (True, True), (False, False)
FIRST, SECOND = (True, False), (False, True)


def builder():
    return PlanBuilder(Memory({}, {}, "float64"))


def dense(plan, x, width):
    """Append a Dense row of N samples; return its output."""
    N, D = x.shape
    y = plan.tensor(N, width)
    plan.row(Op.DENSE, x=x, y=y, B=N, D=D, U=width)
    return y


def merge(plan, x, x2, mode="sum"):
    """Append a MERGE row of two vectors; return its output."""
    (B, U), D = x.shape, x2.shape[1]
    y = plan.tensor(B, U + D if mode == "concat" else U)
    plan.row(Op.MERGE, x=x, x2=x2, y=y, T=1, B=B, U=U, D=D, mode=MERGE_MODES.index(mode))
    return y


def lstm(plan, x, units):
    """Append an LSTM row; return the places of h (T+1, B, U)."""
    T, B, D = x.shape
    h, c = plan.tensor(T + 1, B, units), plan.tensor(T + 1, B, units)
    plan.row(Op.LSTM, x=x, h=h, c=c, T=T, B=B, D=D, U=units)
    return h


def sequence_of(h):
    T, B, U = h.shape
    return Tensor(h.offset + B * U, (T - 1, B, U))


def step_of(h, t):
    """Return the place of the output of timestep t."""
    _, B, U = h.shape
    return Tensor(h.offset + (t + 1) * B * U, (B, U))


def flow(plan, x, y):
    finished = plan.finish(x, [y])
    return gradient_flow(finished, finished.rows, y)


def test_nothing_is_computed_for_the_input():
    plan = builder()
    x = plan.tensor(2, 3)
    hidden = dense(plan, x, 4)
    y = dense(plan, hidden, 5)
    assert flow(plan, x, y) == ([Flow(NEITHER, NEITHER, 0), Flow(FIRST, NEITHER, 0)], [])


def test_nothing_is_computed_for_what_comes_before_the_first_weights():
    plan = builder()
    x = plan.tensor(2, 3)
    dropped, active = plan.tensor(2, 3), plan.tensor(2, 3)
    plan.row(Op.DROPOUT, x=x, y=dropped, B=2, U=3, rate=0.5)
    plan.row(Op.ACTIVATION, x=dropped, y=active, B=2, U=3)
    y = dense(plan, active, 2)
    assert [one.wanted for one in flow(plan, x, y)[0]] == [NEITHER] * 3


def test_of_several_readers_one_writes_and_the_others_add():
    plan = builder()
    x = plan.tensor(2, 3)
    hidden = dense(plan, x, 4)
    one, two, three = (dense(plan, hidden, 4) for _ in range(3))
    y = merge(plan, merge(plan, one, two), three)
    flows, zeros = flow(plan, x, y)
    assert [one.adds[0] for one in flows[1:4]] == [True, True, False]  # backward, from the end
    assert [one.wanted for one in flows] == [NEITHER, FIRST, FIRST, FIRST, BOTH, BOTH]
    assert flows[4].adds == flows[5].adds == NEITHER
    assert zeros == []


def test_a_merge_adds_to_only_one_of_its_inputs():
    plan = builder()
    x = plan.tensor(2, 3)
    hidden = dense(plan, x, 4)
    other = dense(plan, hidden, 4)
    y = merge(plan, other, merge(plan, hidden, other, "mul"), "concat")
    flows, zeros = flow(plan, x, y)
    first, second = flows[2:]
    assert (second.wanted, second.adds) == (BOTH, NEITHER)
    assert (first.wanted, first.adds) == (BOTH, SECOND)  # `other` has its gradient, `hidden` none
    assert flows[1].adds == FIRST  # and by then `hidden` has one, too
    assert zeros == []


def test_a_merge_with_something_that_has_no_weights():
    plan = builder()
    x = plan.tensor(2, 3)
    y = merge(plan, x, dense(plan, x, 3))
    flows, _ = flow(plan, x, y)
    assert flows[1].wanted == SECOND and flows[0].wanted == NEITHER


@pytest.mark.parametrize("T", [1, 2, 5])
def test_the_last_output_alone_starts_at_the_last_step(T):
    plan = builder()
    x = plan.tensor(T, 2, 3)
    h = lstm(plan, x, 4)
    y = dense(plan, step_of(h, T - 1), 2)
    flows, zeros = flow(plan, x, y)
    assert flows[0] == Flow(NEITHER, NEITHER, T - 1) and zeros == []


def test_the_whole_sequence_starts_at_the_first_step():
    plan = builder()
    x = plan.tensor(5, 2, 3)
    sequence = sequence_of(lstm(plan, x, 4))
    h = lstm(plan, sequence, 6)
    flows, zeros = flow(plan, x, step_of(h, 4))
    assert flows == [Flow(NEITHER, NEITHER, 0), Flow(FIRST, NEITHER, 4)] and zeros == []


def test_steps_before_the_first_are_not_read_and_gaps_behind_it_are_zeroed():
    plan = builder()
    x = plan.tensor(5, 2, 3)
    h = lstm(plan, x, 4)
    y = merge(plan, step_of(h, 1), step_of(h, 4))
    flows, zeros = flow(plan, x, y)
    start, gap, end = (step_of(h, t).offset for t in (0, 2, 4))
    written = set()
    for a, b in zeros:
        written |= set(range(a, b))
    first = start + flows[0].first_step * 8
    # Whatever is read has either been written or been zeroed.
    assert flows[0].first_step in (0, 1)
    assert set(range(gap, end)) <= written
    assert set(range(first, gap)) - written <= set(range(gap - 8, gap))


def test_what_is_added_to_half_a_tensor_names_the_other_half_as_zeros():
    plan = builder()
    x = plan.tensor(3, 2, 3)
    h = lstm(plan, x, 4)
    again = lstm(plan, sequence_of(h), 4)  # reads all steps, and adds
    y = merge(plan, step_of(h, 2), step_of(again, 2))  # the last step has its gradient first
    flows, zeros = flow(plan, x, y)
    assert flows[1].adds == FIRST and flows[0].first_step == 0
    assert zeros == [(step_of(h, 0).offset, step_of(h, 2).offset)]


def test_half_a_step_is_no_first_step():
    plan = builder()
    x = plan.tensor(3, 2, 3)
    h = lstm(plan, x, 4)
    half = Tensor(step_of(h, 2).offset + 4, (1, 4))  # of the second sample only
    flows, zeros = flow(plan, x, dense(plan, half, 2))
    assert zeros == [(sequence_of(h).offset, half.offset)] or flows[0].first_step == 0
    covered = {n for a, b in zeros for n in range(a, b)} | set(range(half.offset, half.offset + 4))
    reads = sequence_of(h).offset + 8 * flows[0].first_step
    assert set(range(reads, half.offset + 4)) <= covered


def test_an_output_that_nobody_reads_is_zero():
    plan = builder()
    x = plan.tensor(2, 3)
    unread = dense(plan, x, 4)
    y = dense(plan, x, 5)
    flows, zeros = flow(plan, x, y)
    assert zeros == [(unread.offset, unread.offset + 8)]


def test_repeating_moving_and_reversing_read_and_write_all_of_it():
    plan = builder()
    x = plan.tensor(2, 3)
    hidden = dense(plan, x, 4)
    repeated, reversed_, moved = (plan.tensor(5, 2, 4) for _ in range(3))
    plan.row(Op.REPEAT, x=hidden, y=repeated, T=5, B=2, U=4)
    plan.row(Op.REVERSE, x=repeated, y=reversed_, T=5, B=2, U=4)
    plan.row(Op.MOVE_AXIS, x=reversed_, y=moved, T=5, B=2, U=4)
    flows, zeros = flow(plan, x, moved)
    assert zeros == [] and [one.wanted for one in flows] == [NEITHER, FIRST, FIRST, FIRST]
    assert all(one.adds == NEITHER for one in flows)


def test_the_rows_that_run_back_may_be_fewer_than_those_of_the_plan():
    model = Sequential([Input((3, 2)), LSTM(4), Dense(3, "softmax")])
    plan = model.make_plan((5, 3, 2))
    logits = Tensor(int(plan.rows[-1]["x"]), (5, 3))
    flows, zeros = gradient_flow(plan, plan.rows[:-1], logits)
    assert flows == [Flow(NEITHER, NEITHER, 2), Flow(FIRST, NEITHER, 0)] and zeros == []


def sequential(*layers):
    return Sequential([Input((4, 3)), *layers])


MODELS = {
    "last": lambda: sequential(LSTM(5), Dense(2)),
    "stack": lambda: sequential(LSTM(5, return_sequences=True), LSTM(4), RepeatVector(3), LSTM(2)),
    "bidirectional": lambda: sequential(
        Bidirectional(LSTM(5, return_sequences=True)), Bidirectional(LSTM(4), "mul"), Dense(2)
    ),
    "distributed": lambda: sequential(
        TimeDistributed(Dense(5)), Dropout(0.5), LSTM(3, return_sequences=True)
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_no_model_needs_zeros_and_the_input_needs_no_gradient(name):
    plan = MODELS[name]().make_plan((2, 4, 3))
    flows, zeros = gradient_flow(plan, plan.rows, plan.outputs[0])
    assert zeros == []
    end = plan.x.offset + plan.x.size
    for row, one in zip(plan.rows, flows, strict=True):
        assert not (one.wanted[0] and row["x"] < end)
    assert any(any(one.adds) for one in flows) == (name == "bidirectional")


def test_two_directions_of_the_last_output_start_where_each_ends():
    plan = MODELS["bidirectional"]().make_plan((2, 4, 3))
    flows, _ = gradient_flow(plan, plan.rows, plan.outputs[0])
    first = [one.first_step for one, row in zip(flows, plan.rows, strict=True) if row["op"] == 0]
    assert first == [0, 0, 3, 3]


@pytest.mark.parametrize("B", [1, 2])
def test_a_plan_of_several_readers_run_by_both_backends(rng, B):
    """No Sequential makes one like it: two readers of a sequence, of which one reads one step."""
    D, U = 3, 4
    shapes = {"a": (D + U + 1, 4 * U), "b": (U + U + 1, 4 * U), "w": (U + 1, U)}
    memory = Memory(shapes, {}, "float64")
    memory.parameters[:] = rng.normal(size=memory.parameters.size)
    plan = PlanBuilder(memory)
    x = plan.tensor(3, B, D)
    segments = memory.weight_segments

    def recurrent(source, width, weights):
        h, c = plan.tensor(4, B, U), plan.tensor(4, B, U)
        tanh = plan.activation(npylstm.activations.tanh)
        sigmoid = plan.activation(npylstm.activations.sigmoid)
        plan.row(
            Op.LSTM, x=source, h=h, c=c, w=segments[weights], T=3, B=B, D=width, U=U, use_bias=1,
            activation=tanh, recurrent_activation=sigmoid,
        )  # fmt: skip
        return h

    h = recurrent(x, D, "a")
    again = recurrent(sequence_of(h), U, "b")
    y = merge(plan, merge(plan, step_of(h, 2), step_of(again, 2), "mul"), step_of(h, 0), "concat")
    out, middle = plan.tensor(B, 2 * U), plan.tensor(2 * B, U)
    plan.row(Op.DENSE, x=y, y=middle, w=segments["w"], B=2 * B, D=U, U=U, use_bias=1)
    active = plan.activation(npylstm.activations.tanh)
    plan.row(Op.ACTIVATION, x=middle, y=out, B=B, U=2 * U, activation=active)
    finished = plan.finish(x, [out])
    batch = rng.normal(size=(B, 3, D)), rng.normal(size=(B, 2 * U)), None
    results = []
    for backend in ("numpy", "numba"):
        with npylstm.using_backend(backend):
            objective = Objective(npylstm.losses.MeanSquaredError().op()[0], False, ())
            program = backends.current().prepare(finished, objective)
            finished.gradient_arena.fill(7)  # what is left from before counts for nothing
            memory.gradients.fill(7)
            loss = backends.current().loss_and_gradients(program, *batch, training=False)
            results.append((loss, memory.gradients.copy()))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-13)
    assert np.abs(results[0][1]).min() > 0
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-11, atol=1e-15)
