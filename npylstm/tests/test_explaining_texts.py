import re
from pathlib import Path
from string import Formatter

import numpy as np
import pytest

from npylstm import Sequential, explain, explaining
from npylstm.explaining.texts import LOSSES
from npylstm.explaining.writer import ALL_TEXTS, COLUMNS, filled, shown, width
from npylstm.layers import LSTM, Dense, Input

HANGUL = re.compile("[가-힣]")
PARTICLE = re.compile(r"\[[^]/]*/[^]/]*\]")
NAMES = {
    "name",
    "names",
    "activation",
    "loss",
    "right",
    "kind",
    "model",
    "words",
    "error",
    "meaning",
}
MADE = {"{key}_heading", "merge_{layer.merge_mode or 'none'}"}  # keys put together in the code

GOLDEN = {
    "en": """\
What sequential does with x (25, 3, 1)
======================================

Input
-----
x has shape (25, 3, 1): 25 samples, each of 3 timesteps, each timestep 1 feature.
Its numbers are float64; the model computes in float32, so it turns them into that.
They go from 0 to 0.9286; the mean is 0.4643.
The first sample, x[0]:
              feature 0
  timestep 0          0
  timestep 1    0.03571
  timestep 2    0.07143

Layers
------
The first axis stays 25: every layer treats each sample on its own. In fit a batch goes
through at a time, so there it is 10.

lstm (LSTM): (25, 3, 1) -> (25, 32)
Reads the 3 timesteps of each sample one after the other, from the first to the last,
with 1 feature at each.
Each step makes a new hidden state h and a new cell state c, 32 numbers each, from the
features of its timestep and from h and c of the step before: so what came earlier has a
say in what comes later.
It gives out only the h after the last step: (25, 32). With return_sequences=True it
would be the h after every step: (25, 3, 32).
Weights: 4 x (D + U + 1) x U = 4 x (1 + 32 + 1) x 32 = 4,352: for the gates i, f, o and
the candidate g, each of the U units has D weights for the features, U for the h of the
step before, and a bias. Every timestep uses the same weights.

dense (Dense): (25, 32) -> (25, 26)
Each of the 26 outputs is a sum of all 32 features, each times its weight, plus a bias.
softmax then makes them 26 positive numbers with the sum 1, the probabilities of 26
classes.
Weights: (D + 1) x U = (32 + 1) x 26 = 858.

In all: 5,210 weights.

Training
--------
An epoch is one pass through all 25 samples; with epochs=500 each sample is seen 500
times.
In batches of 10 samples these are 3 batches an epoch: 2 of 10 and a last one of 5.
Each batch goes forward, its loss is computed, the gradients go back, and the weights
are updated once: 3 x 500 = 1,500 updates in all.
Before each epoch fit puts the samples into a new order (shuffle=True), so batches are
made of other samples each time; the timesteps within a sample stay in order.
Loss: categorical_crossentropy, -log of the probability that the model gives to the
right class.
The number shown is the mean over samples.
Optimizer: Adam, learning rate 0.001.
Shown beside the loss, and of no influence on the weights: accuracy.
y has shape (25, 26), one target for each sample: one-hot rows of 26 classes; the 1
stands at the right class. The first is class 1.

State
-----
lstm: h and c start from zero for every sample in every batch. Within a sample they live
for its 3 steps; then they are forgotten. Sample 1 knows nothing of sample 0, nor does
the next batch of this one; only the weights stay.
With stateful=True and batches of 10, sample i of a batch would start from the h and c
that sample i of the batch before ended with (sample 10 continues sample 0, sample 11
continues sample 1, …). x would have to be laid out so that these really follow each
other.
It needs a batch size that is fixed, Input(batch_shape=(10, 3, 1)), and divides 25.
10 does not; 1, 5, 25 would.
fit needs shuffle=False then, or the order is lost; and reset_states() whenever a new
series begins, for example before each epoch, or sample 0 would continue the end of the
epoch before.
""",
    "ko": """\
x (25, 3, 1) 데이터로 sequential 모델이 하는 일
===============================================

입력
----
x의 모양은 (25, 3, 1)입니다. 샘플이 25개이고, 샘플마다 타임스텝이 3개, 타임스텝마다
특성이 1개 있습니다.
수의 형식은 float64입니다. 모델은 float32 형식으로 계산하므로 수를 그 형식으로 바꿉니다.
가장 작은 값은 0, 가장 큰 값은 0.9286, 평균은 0.4643입니다.
첫 샘플 x[0]:
               특성 0
  타임스텝 0        0
  타임스텝 1  0.03571
  타임스텝 2  0.07143

층
--
첫 축은 늘 25입니다. 모든 층이 샘플을 따로따로 다루기 때문입니다. fit에서는 한 배치씩
지나가므로 그때의 첫 축은 10입니다.

lstm (LSTM): (25, 3, 1) -> (25, 32)
샘플마다 타임스텝 3개를 처음부터 끝까지 하나씩 차례로 읽습니다. 타임스텝마다 특성이 1개
있습니다.
스텝마다 그 타임스텝의 특성과 바로 앞 스텝의 h, c로 새 은닉 상태 h와 새 셀 상태 c를
만듭니다. h와 c에는 수가 32개씩 있습니다. 이렇게 앞에서 읽은 것이 뒤에 영향을 줍니다.
마지막 스텝의 h만 내보냅니다: (25, 32). return_sequences=True이면 모든 스텝의 h를
내보냅니다: (25, 3, 32).
가중치: 4 x (D + U + 1) x U = 4 x (1 + 32 + 1) x 32 = 4,352개. 게이트 i, f, o와 후보 값
g 하나하나에 대해, 유닛 U개마다 특성에 대한 가중치 D개, 앞 스텝의 h에 대한 가중치 U개,
편향 1개가 있습니다. 모든 타임스텝이 같은 가중치를 씁니다.

dense (Dense): (25, 32) -> (25, 26)
출력 26개는 저마다 특성 32개에 가중치를 곱해 모두 더한 값입니다(편향도 더합니다).
그다음 softmax가 이들을 더하면 1이 되는 양수 26개, 곧 클래스 26개의 확률로 바꿉니다.
가중치: (D + 1) x U = (32 + 1) x 26 = 858개.

가중치는 모두 5,210개입니다.

학습
----
에포크 하나는 샘플 25개를 모두 한 번 보는 것입니다. epochs=500이면 샘플마다 500번
봅니다.
배치 크기가 10이므로 에포크마다 3배치입니다. 10개짜리가 2배치, 마지막 배치는 5개입니다.
배치마다 앞으로 계산해 손실을 구하고, 기울기를 뒤로 전한 다음, 가중치를 한 번
갱신합니다. 가중치 갱신은 모두 3 x 500 = 1,500번입니다.
fit은 에포크마다 샘플의 순서를 새로 섞으므로(shuffle=True) 배치에 드는 샘플이 매번
달라집니다. 샘플 안의 타임스텝 순서는 그대로입니다.
손실: categorical_crossentropy, 모델이 정답 클래스에 준 확률의 -log.
표시되는 값은 모든 샘플의 평균입니다.
옵티마이저: Adam, 학습률 0.001.
손실과 함께 보여 주기만 하고 가중치에는 영향을 주지 않는 것: accuracy.
y의 모양은 (25, 26), 샘플마다 목표 하나입니다. 클래스 26개의 원-핫 벡터로, 정답 클래스
자리가 1입니다. 첫 번째 정답은 클래스 1입니다.

상태
----
lstm: 모든 배치의 모든 샘플에서 h와 c가 0에서 시작합니다. h와 c는 한 샘플 안에서 스텝
3개 동안 이어진 다음 잊힙니다. 샘플 1은 샘플 0을 전혀 모르고, 다음 배치도 이 배치를
모릅니다. 남는 것은 가중치뿐입니다.
stateful=True이고 배치 크기가 10이면, 배치의 i번째 샘플이 바로 앞 배치의 i번째 샘플이
끝난 h와 c에서 시작합니다(샘플 0 다음에 샘플 10, 샘플 1 다음에 샘플 11, …). 그러려면
x에서 이 샘플들이 실제로 이어지도록 놓아야 합니다.
배치 크기를 Input(batch_shape=(10, 3, 1))처럼 고정해야 하고, 샘플 수 25가 그 크기로
나누어떨어져야 합니다.
10은 안 되고, 되는 크기는 1, 5, 25입니다.
fit에는 shuffle=False를 주어야 순서가 지켜집니다. 에포크를 시작할 때처럼 새 시계열이
시작될 때마다 reset_states()를 부르세요. 그러지 않으면 샘플 0이 앞 에포크의 끝을
이어받습니다.
""",
}


def fields(template):
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


@pytest.mark.parametrize("key", [*ALL_TEXTS, *LOSSES])
def test_both_languages_say_the_same(key):
    english, korean = (ALL_TEXTS | LOSSES)[key]
    assert fields(english) == fields(korean)
    assert not HANGUL.search(english) and not PARTICLE.search(english)
    assert HANGUL.search(korean) or key == "layer"
    assert english == english.strip() and korean == korean.strip() and "  " not in english + korean
    assert english.endswith((".", ":")) == korean.endswith((".", ":"))


@pytest.mark.parametrize("key", ALL_TEXTS)
def test_a_particle_follows_a_number_or_a_shape(key):
    before = None
    for literal, field, noun, _ in Formatter().parse(ALL_TEXTS[key][1]):
        for particle in PARTICLE.finditer(literal):
            assert particle.start() == 0 and before is not None and before not in NAMES
        if field in NAMES:
            assert not noun
        before = field
    # Without the choice, a particle after a number would be wrong half of the time.
    assert not re.search(r"\}(은|는|이|가|을|를|과|와|으로|로)[ ,.]", ALL_TEXTS[key][1])


def test_every_text_is_used():
    folder = Path(explaining.__file__).parent
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.glob("*.py")
        if path.name not in ("texts.py", "layer_texts.py")
    )
    assert all(made in code for made in MADE)
    for key in ALL_TEXTS:
        if not key.endswith("_heading") and not key.startswith("merge_"):
            assert f'"{key}"' in code, key


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0은 0이 0을 0과 0으로"),
        (1, "1은 1이 1을 1과 1로"),
        (2, "2는 2가 2를 2와 2로"),
        (3, "3은 3이 3을 3과 3으로"),
        (4, "4는 4가 4를 4와 4로"),
        (6, "6은 6이 6을 6과 6으로"),
        (7, "7은 7이 7을 7과 7로"),
        (1234, "1,234는 1,234가 1,234를 1,234와 1,234로"),
        (0.48, "0.48은 0.48이 0.48을 0.48과 0.48로"),
        ((25, 3, None), "(25, 3, None)은(는)"),
        ((25, 32), "(25, 32)는 (25, 32)가 (25, 32)를 (25, 32)와 (25, 32)로"),
        ("층", "층은 층이 층을 층과 층으로"),
        ("물", "물은 물이 물을 물과 물로"),
        ("나무", "나무는 나무가 나무를 나무와 나무로"),
    ],
)
def test_particles(value, expected):
    template = "{n}[은/는] {n}[이/가] {n}[을/를] {n}[과/와] {n}[으로/로]"
    assert filled(template, {"n": value}).startswith(expected)


def test_counts_and_values():
    template = "{a:sample}, {b:batch}, {c:class}"
    assert filled(template, {"a": 1, "b": 2, "c": 1000}) == "1 sample, 2 batches, 1,000 classes"
    assert shown(np.float32(0.1)) == "0.1" and shown(-0.0) == "0" and shown(True) == "True"
    assert shown((np.int64(3), None)) == "(3, None)"
    assert filled("{a}{b}", {"a": "{b}", "b": "[은/는]"}) == "{b}[은/는]"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_golden(lang):
    x = np.stack([np.arange(k, k + 3) for k in range(25)])[:, :, None] / 28
    model = Sequential([Input((3, 1)), LSTM(32), Dense(26, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    explanation = explain(model, x, np.eye(26)[1:], batch_size=10, epochs=500, lang=lang)
    assert str(explanation) + "\n" == GOLDEN[lang]
    assert repr(explanation) == str(explanation) and explanation.lang == lang
    assert max(map(width, str(explanation).splitlines())) <= COLUMNS


def test_readme_shows_what_is_printed(capsys):
    readme = (Path(explaining.__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Explain it\n")[1].split("\n## ")[0]
    code, beginning = (
        re.search(rf"```{kind}\n(.*?)```", section, re.S)[1] for kind in ("python", "text")
    )
    exec(code, {})
    printed = capsys.readouterr().out
    assert printed.startswith(beginning) and beginning.count("\n") > 15
    for quoted in re.findall(r'"(\d[^"]*)"', section.split("and goes on with")[1]):
        assert quoted.replace("\n", " ") in printed.replace("\n", " ")
