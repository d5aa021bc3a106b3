"""How long does one batch take, call by call?"""

import pytest

from . import suite


@pytest.mark.parametrize(("name", "peer", "action"), suite.cases("training_step"))
def test_training_step(name, peer, action, benchmark, crew, effort, measured):
    suite.run("training_step", name, peer, action, benchmark, crew, effort, measured)
