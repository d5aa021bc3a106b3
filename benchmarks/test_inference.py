"""How long does it take to infer one batch, in all the ways there are?"""

import pytest

from . import suite


@pytest.mark.parametrize(("name", "peer", "action"), suite.cases("inference"))
def test_inference(name, peer, action, benchmark, crew, effort, measured):
    suite.run("inference", name, peer, action, benchmark, crew, effort, measured)
