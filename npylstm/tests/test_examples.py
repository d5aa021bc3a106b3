"""The example commands, run for two epochs in both languages."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

import npylstm

if find_spec("examples") is None:
    pytest.skip("the examples are not installed with the package", allow_module_level=True)

from examples import encoder_decoder, long_series, see_inside
from examples.alphabet import __main__ as alphabet
from examples.alphabet.data import letters, pieces, windows
from examples.console import pad, width
from examples.flow import __main__ as flow
from examples.flow import directions
from examples.flow.data import counting_windows, walks

HANGUL = re.compile("[가-힣]")
# Three words in a row that are no names of code: an English sentence.
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


@pytest.fixture(autouse=True)
def keep_backend():
    before = npylstm.get_backend()
    yield
    npylstm.set_backend(before)


def assert_pictures(directory, names):
    pytest.importorskip("matplotlib")
    assert sorted(path.stem for path in directory.iterdir()) == sorted(names)
    for path in directory.iterdir():
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) > 8000, f"{path.name} is nearly empty"


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "number, pair, shape",
    [
        (1, "Y -> Z", "(25, 1, 1)"),
        (2, "WXY -> Z", "(23, 1, 3)"),
        (3, "ABC -> D", "(23, 3, 1)"),
        (4, "A -> B", "(25, 1, 1)"),
        (5, "K -> L", "(25, 1, 1)"),
    ],
)
def test_one_alphabet_experiment(number, pair, shape, lang, capsys):
    assert alphabet.main([str(number), "--epochs", "2", "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert pair in out
    assert f"{shape}" in out
    assert "(samples, timesteps, features)" in out
    _, published = alphabet.EXPERIMENTS[number]
    assert f"{published:.2f} %" in out
    assert f"{alphabet.SEED}" in out.splitlines()[0]
    if lang == "en":
        assert not HANGUL.search(out)
        assert re.search(r"^Accuracy: \d+\.\d\d %$", out, re.M)
        assert "Right: " in out
    else:
        assert HANGUL.search(out)
        assert not ENGLISH.search(out), ENGLISH.search(out)


def test_all_alphabet_experiments_with_pictures(tmp_path, capsys):
    pictures = tmp_path / "new" / "pictures"
    arguments = ["--epochs", "1", "--plot", str(pictures), "--lang=ko"]
    assert alphabet.main(arguments) == 0
    out = capsys.readouterr().out
    assert "(1000, 5, 1)" in out
    table = [line for line in out.splitlines() if re.match(r"  [1-6]\. .* %  .* %", line)]
    assert len(table) == 6
    assert len({width(line) for line in table}) == 1  # the columns stand under each other
    assert_pictures(pictures, [f"alphabet_{name}" for name in (*range(1, 7), "all")])


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_flow(lang, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(directions, "SEEDS", 2)
    pictures = ["--plot", str(tmp_path)] if lang == "ko" else []
    page = tmp_path / "new" / "flow.html"
    there = ["--html", f"{page.parent}/"] if lang == "en" else []
    assert flow.main(["--epochs", "2", "--lang", lang, *pictures, *there]) == 0
    out = capsys.readouterr().out
    if there:
        assert f"Page: {page}" in out
        assert "<title>Whose signal is it?</title>" in page.read_text(encoding="utf-8")
    for shape in ((1, 10, 1), (1, 10, 2), (2, 5, 2), (2, 5, 32), (2, 32), (2, 1), (95, 5, 1)):
        assert str(shape) in out
    assert "95 96 97 98 99 -> 100" in out
    assert "96 97 98 99 100 -> " in out
    assert re.search(r"^ +8 +12 +7 +24$", out, re.M)  # 12 updates an epoch, the last of 7 samples
    assert "Bidirectional(LSTM(16))" in out
    wrong = HANGUL if lang == "en" else ENGLISH
    assert not wrong.search(out.replace(str(tmp_path), "")), wrong.search(out)
    if pictures:
        tensors = ("one_sensor", "two_sensors", "two_people")
        names = [f"flow_{name}_{part}" for name in tensors for part in ("tensor", "steps")]
        others = ("counting", "people_signals", "people_history", "directions")
        assert_pictures(tmp_path, names + [f"flow_{name}" for name in others])


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_encoder_decoder(lang, tmp_path, capsys, monkeypatch):
    questions, answers = encoder_decoder.sums(np.random.default_rng(0))
    monkeypatch.setattr(encoder_decoder, "sums", lambda rng: (questions[:1000], answers[:1000]))
    monkeypatch.setattr(encoder_decoder, "UNSEEN", 500)
    pictures = ["--plot", str(tmp_path)] if lang == "en" else []
    arguments = ["--epochs", "2", "--verbose", "1", "--lang", lang, *pictures]
    assert encoder_decoder.main(arguments) == 0
    out = capsys.readouterr().out
    assert "(50, 5, 13)" in out and "(50, 96)" in out and "(50, 3, 13)" in out
    losses = re.findall(r"(?:loss|손실) (\d+\.\d+)", out)
    assert len(losses) == 2 and float(losses[1]) < float(losses[0]) < 3
    assert len(re.findall(r"\d+\+\d+=", out)) == 24
    wrong = HANGUL if lang == "en" else ENGLISH
    assert not wrong.search(out.replace(str(tmp_path), "")), wrong.search(out)
    if pictures:
        assert_pictures(tmp_path, ["encoder_decoder"])


def test_an_answer_is_written_character_by_character():
    """The decoder is fed with its own characters: as if it were shown all of them at once."""
    npylstm.utils.set_random_seed(5)
    model = encoder_decoder.Sums()
    x = encoder_decoder.one_hot(["34+57", " 3+19"])
    (answer, _) = model.answer(x, 3)
    _, *states = model.encoder(x[:1])
    shown = encoder_decoder.one_hot(["=" + answer[:2]])
    sequence, *_ = model.decoder(shown, states)
    best = model.head(sequence)[0].argmax(axis=-1)
    assert "".join(encoder_decoder.CHARACTERS[k] for k in best) == answer


def test_encoder_decoder_data():
    questions, answers = encoder_decoder.sums(np.random.default_rng(0))
    assert len(set(questions)) == 10_000
    for question, answer in zip(questions[:50], answers[:50], strict=True):
        assert sum(map(int, question.split("+"))) == int(answer)
    x = encoder_decoder.one_hot(questions[:3])
    assert x.shape == (3, 5, 13) and (x.sum(axis=-1) == 1).all()


def test_long_series(capsys):
    assert long_series.main(["--epochs", "20", "--backend", "numba"]) == 0
    out = capsys.readouterr().out
    errors = [float(line.split()[-1]) for line in re.findall(r"^.*\d\.\d{4}  .*$", out, re.M)]
    mean, stateful, stateless = errors
    assert stateful < stateless < mean
    assert not HANGUL.search(out)


def test_long_series_in_korean(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(long_series, "TRAINED", 200)
    monkeypatch.setattr(long_series, "UNSEEN", 100)
    assert long_series.main(["--epochs", "1", "--lang", "ko", "--plot", str(tmp_path)]) == 0
    out = capsys.readouterr().out.replace(str(tmp_path), "")
    assert HANGUL.search(out) and not ENGLISH.search(out), ENGLISH.search(out)
    assert_pictures(tmp_path, ["long_series"])


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_see_inside(lang, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(see_inside, "SAMPLES", 40)
    options = ["--epochs", "1", "--backend", "numpy", "--lang", lang, "--plot", str(tmp_path)]
    assert see_inside.main(options) == 0
    out = capsys.readouterr().out.replace(str(tmp_path), "")
    wanted, unwanted = (ENGLISH, HANGUL) if lang == "en" else (HANGUL, ENGLISH)
    assert wanted.search(out) and not unwanted.search(out)
    pictures = ("gates", "cell", "states", "gradients", "shapes")
    assert_pictures(tmp_path, [f"see_inside_{name}" for name in pictures])


def test_same_seed_same_run(capsys):
    def run(seed):
        alphabet.main(["3", "--epochs", "2", "--seed", seed])
        return re.sub(r"\d+\.\d+$", "", capsys.readouterr().out, flags=re.M)

    assert run("3") == run("3") != run("4")


def test_alphabet_data():
    patterns, targets = windows(3)
    assert len(patterns) == len(targets) == 23
    assert letters(patterns[0]) == "ABC" and targets[0] == 3
    assert letters(patterns[-1]) == "WXY" and targets[-1] == 25
    patterns, targets = pieces(1000, 5, np.random.default_rng(0))
    assert {len(p) for p in patterns} == {1, 2, 3, 4, 5}
    assert all(p == list(range(p[0], t)) for p, t in zip(patterns, targets, strict=True))
    assert max(targets) == 25


def test_flow_data():
    x, following = counting_windows()
    assert x.shape == (95, 5)
    np.testing.assert_array_equal(x[:, -1] + 1, following)
    x, person = walks(4000, np.random.default_rng(0), noise=0)
    assert x.shape == (4000, 10, 2)
    # Averaged over all starts, the sensors' product is half the cosine of the lag.
    for who, lag in ((0, 30), (1, 90)):
        product = np.mean(x[person == who, :, 0] * x[person == who, :, 1])
        assert product == pytest.approx(np.cos(np.radians(lag)) / 2, abs=0.02)


def test_korean_takes_two_columns():
    assert width("샘플 1") == 6
    assert pad("샘플", 6) == "샘플  "
    assert pad("샘플", 6, right=True) == "  샘플"
