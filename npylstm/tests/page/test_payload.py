"""The page without a browser: what is packed into it, what has room, what is refused."""

import base64
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, page
from npylstm.layers import LSTM, Dense, Input, TimeDistributed
from npylstm.page import room
from npylstm.page.build import SCRIPTS


def data_in(text):
    (data,) = re.findall(r'<script type="application/json" id="trace">(.*?)</script>', text)
    return json.loads(data)


def unpacked(record):
    raw = base64.b64decode(record["data"])
    return np.frombuffer(raw, f"<{np.dtype(record['type']).str[1:]}").reshape(record["shape"])


def model_and_trace(T, D, U, B, y=True, dtype="float32", **settings):
    with npylstm.using_backend("numpy"):
        lstm = LSTM(U, dtype=dtype, return_sequences=True, **settings)
        model = Sequential([Input((T, D)), lstm, Dense(1, dtype=dtype)])
        model.compile("sgd", "mse")
        rng = np.random.default_rng(1)
        x, targets = rng.normal(size=(B, T, D)), rng.normal(size=(B, T, 1))
        return model.trace(x, targets if y else None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_arrays_are_there_to_the_bit(dtype):
    trace = model_and_trace(4, 3, 5, 2, dtype=dtype)
    lstm, (packed,) = trace["lstm"], data_in(page.html(trace))["lstms"]
    weights = {"kernel": (3, 4, 5), "recurrent_kernel": (5, 4, 5), "bias": (4, 5)}
    wanted = {"x", "dx", "h0", "c0", "dh0", "dc0", "dc", "dh", "tanh_c", *weights}
    wanted |= {f"{d}{gate}" for d in ("", "z_", "d", "dz_") for gate in "ifgo"} | {"c", "h"}
    assert set(packed["arrays"]) == wanted
    for name, record in packed["arrays"].items():
        array = getattr(lstm, name)
        assert record["type"] == dtype
        np.testing.assert_array_equal(
            unpacked(record), array.reshape(weights.get(name, array.shape))
        )


def test_samples_are_chosen(trace):
    data = data_in(page.html(trace, samples=[3, 1, 3]))
    assert data["samples"] == [3, 1] and data["of"] == 4
    f = unpacked(data["lstms"][0]["arrays"]["f"])
    np.testing.assert_array_equal(f, trace["lstm"].f[[3, 1]])
    np.testing.assert_array_equal(unpacked(data["outputs"][0]), trace.outputs[0][[3, 1]])
    np.testing.assert_array_equal(unpacked(data["targets"]).ravel(), np.ravel(trace.y)[[3, 1]])
    assert data["leftOut"] == ["This page holds 2 samples of 4 samples."]
    assert data_in(page.html(trace, samples=np.int64(2)))["samples"] == [2]
    assert data_in(page.html(trace, samples=range(4)))["samples"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "samples, error, text",
    [
        ([], ValueError, "samples is empty"),
        (4, ValueError, "from 0 to 3, as there are 4; got 4"),
        ([0, -1], ValueError, "got -1"),
        ("a", TypeError, "indices of samples, got 'a'"),
        ([0.5], TypeError, r"got \[0.5\]"),
    ],
)
def test_wrong_samples(trace, samples, error, text, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("old")
    with pytest.raises(error, match=text):
        trace.to_html(file, samples=samples)
    assert file.read_text() == "old" and [*tmp_path.iterdir()] == [file]


def test_wrong_title_and_folder(trace, tmp_path):
    with pytest.raises(TypeError, match="title must be a text, got 3"):
        trace.to_html(tmp_path / "page.html", title=3)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        trace.to_html(tmp_path / "nowhere" / "page.html")
    assert not [*tmp_path.iterdir()]


def test_the_path_comes_back_and_the_file_is_whole(trace, tmp_path):
    for path in (tmp_path / "a.html", str(tmp_path / "b.html")):
        assert trace.to_html(path, title="Größe <&>") is path
        assert Path(path).read_text(encoding="utf-8") == page.html(trace, title="Größe <&>")
        assert "<title>Gr&#246;&#223;e &lt;&amp;&gt;</title>" in Path(path).read_text("utf-8")


@pytest.mark.parametrize(
    "sizes, kept, samples",
    [
        ({"T": 100, "D": 3, "U": 64, "B": 4}, (64, 3, 100), 2),
        ({"T": 100, "D": 3, "U": 64, "B": 4, "y": False}, (64, 3, 100), 4),
        ({"T": 1000, "D": 1, "U": 40, "B": 1}, None, 1),
        ({"T": 60, "D": 1, "U": 200, "B": 1}, None, 1),
        ({"T": 100, "D": 4000, "U": 2, "B": 1}, None, 1),
    ],
    ids=str,
)
def test_a_page_stays_small_and_says_what_is_missing(sizes, kept, samples):
    trace = model_and_trace(**sizes)
    text = page.html(trace)
    assert 1_000_000 < len(text.encode()) < 2_000_000
    data = data_in(text)
    (lstm,) = data["lstms"]
    facts = lstm["facts"]
    assert len(data["samples"]) == samples
    whole = sizes["U"], sizes["D"], sizes["T"]
    assert tuple(facts[name] for name in ("allUnits", "allFeatures", "allSteps")) == whole
    shown = tuple(facts[name] for name in ("units", "features", "steps"))
    assert shown[2] == whole[2]
    U, D, T = shown
    assert lstm["arrays"]["f"]["shape"] == [samples, T, U]
    R = trace["lstm"].recurrent_kernel.reshape(whole[0], 4, whole[0])
    np.testing.assert_array_equal(unpacked(lstm["arrays"]["recurrent_kernel"]), R[:U, :, :U])
    if kept:
        assert shown == kept
    else:
        name = "features" if D < whole[1] else "units"
        first = f"the first {D if name == 'features' else U} of {max(whole[:2])} {name}"
        assert first in " ".join(data["leftOut"])


def test_room_for_steps_is_left_to_the_end():
    sizes = room.Sizes(10**6, 20, 20, 4, True)
    assert room.share_out([sizes], 3) == 1
    assert (sizes.units, sizes.features) == (8, 8) and 1000 < sizes.steps < 10**6


def test_an_lstm_in_time_distributed_has_a_page_a_timestep():
    with npylstm.using_backend("numpy"):
        model = Sequential([Input((3, 4, 2)), TimeDistributed(LSTM(5))])
        trace = model.trace(np.random.default_rng(0).normal(size=(2, 3, 4, 2)))
    lstms = data_in(page.html(trace))["lstms"]
    (whole,) = trace.lstms.values()
    assert len(lstms) == 3
    for k, one in enumerate(lstms):
        assert one["facts"]["path"].endswith(f"lstm, timestep {k}")
        np.testing.assert_array_equal(unpacked(one["arrays"]["h"]), whole.h[2 * k : 2 * k + 2])


def test_nothing_can_break_out_of_the_data(trace):
    hostile = "</script><script>alert(1)</script>\u2028<!-- &amp; ]]>"
    text = page.html(trace, title=hostile)
    assert text.count("<script") == 2 and text.count("</script>") == 2 and "<!--" not in text
    assert data_in(text)["title"] == hostile
    for character in "<>&\u2028":
        assert character not in text.split('id="trace">')[1].split("</script>")[0]


def test_the_page_says_that_nothing_may_be_loaded(trace):
    text = page.html(trace)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    assert set(re.findall(r"\w+://[\w.]+", text)) == {"http://www.w3.org"}  # SVG's name


def test_every_file_is_in_the_page(trace):
    folder = resources.files(page)
    names = {file.name for file in folder.iterdir() if file.name.endswith(".js")}
    assert names == set(SCRIPTS)
    text = page.html(trace)
    for name in names:
        code = folder.joinpath(name).read_text("utf-8")
        assert code.split("\n\n")[0] in text  # the comment that opens it
        for other in re.findall(r'from "\./([\w.]+)"', code):
            assert SCRIPTS.index(other) < SCRIPTS.index(name), f"{name} needs {other} above it"
    script = text.split('<script type="module">')[1]
    assert not re.findall(r"^\s*(?:import|export)\b", script, re.MULTILINE)


def test_a_trace_from_a_file_has_the_same_page(trace, tmp_path):
    trace.save(tmp_path / "trace.npz")
    assert page.html(npylstm.Trace.load(tmp_path / "trace.npz")) == page.html(trace)
