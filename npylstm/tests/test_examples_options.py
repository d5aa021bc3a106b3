"""The example commands' options, mistakes and texts, in both languages."""

import re
from importlib.util import find_spec

import pytest

if find_spec("examples") is None:
    pytest.skip("the examples are not installed with the package", allow_module_level=True)

from examples import encoder_decoder, long_series
from examples.alphabet import __main__ as alphabet
from examples.alphabet.texts import TEXTS as ALPHABET_TEXTS
from examples.console import width
from examples.flow import __main__ as flow
from examples.flow.texts import TEXTS as FLOW_TEXTS
from examples.texts import OPTIONS
from examples.texts import TEXTS as SHARED_TEXTS

from .test_examples import ENGLISH, HANGUL

ALL_TEXTS = {**SHARED_TEXTS, **ALPHABET_TEXTS, **FLOW_TEXTS, "options": OPTIONS}
for script in (encoder_decoder, long_series):
    name = script.__name__.split(".")[-1]
    ALL_TEXTS |= {f"{name}: {key}": texts for key, texts in script.TEXTS.items()}
COMMANDS = {
    "alphabet": alphabet,
    "flow": flow,
    "encoder_decoder": encoder_decoder,
    "long_series": long_series,
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--seed", "seven"], "'seven'"),
        (["--seed", "-1"], "'-1'"),
        (["--seed", "4294967296"], "4294967295"),
        (["--seed"], "--seed"),
        (["--epochs", "0"], "--epochs"),
        (["--epochs", "1.5"], "'1.5'"),
        (["--verbose", "3"], "--verbose"),
        (["--backend", "cuda"], "numpy, numba"),
        (["--frobnicate"], "--frobnicate"),
        (["--plot"], "--plot"),
        (["7"], "'7'"),
        (["1", "2"], "'"),
    ],
)
def test_mistakes_are_one_line_and_status_2(command, arguments, named, lang, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([*arguments, "--lang", lang])
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert named in printed.err
    assert bool(HANGUL.search(printed.err)) == (lang == "ko")
    assert lang == "en" or not ENGLISH.search(printed.err)


def test_bad_language(capsys):
    with pytest.raises(SystemExit) as stop:
        flow.main(["--lang", "fr"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "examples.flow: error: --lang must be en or ko, got 'fr'\n"


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("below", ["file", "file/pictures"])
def test_directory_that_cannot_be_written(below, lang, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as stop:
        alphabet.main(["1", "--plot", str(tmp_path / below), "--lang", lang])
    assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert str(tmp_path / below) in lines[0]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_page_that_cannot_be_written(lang, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as stop:
        flow.main(["--html", str(tmp_path / "file" / "flow.html"), "--lang", lang])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--html" in line and str(tmp_path / "file") in line
    assert bool(HANGUL.search(line)) == (lang == "ko")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_help(command, lang, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["--help", "--lang", lang])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    for option in ("--seed", "--backend", "--epochs", "--plot", "--verbose", "--lang"):
        assert option in out
    assert bool(HANGUL.search(out)) == (lang == "ko")


@pytest.mark.parametrize("key", ALL_TEXTS)
def test_texts_say_the_same_in_both_languages(key):
    english, korean = ALL_TEXTS[key]
    assert not HANGUL.search(english)
    assert key == "bad_lang" or HANGUL.search(korean)
    assert key == "bad_lang" or not ENGLISH.search(korean.replace("pip install", ""))
    fields = [sorted(re.findall(r"{(\w+)", text)) for text in (english, korean)]
    assert fields[0] == fields[1]
    assert english.count("|") == korean.count("|")
    lines = re.sub("{.*?}", "1234", english + "\n" + korean).splitlines()
    assert max(map(width, lines)) <= 100
