"""How long does a batch take in an epoch that the library runs by itself?"""

import pytest

from . import suite


@pytest.mark.parametrize(("name", "peer", "action"), suite.cases("fit"))
def test_fit(name, peer, action, benchmark, crew, effort, measured):
    suite.run("fit", name, peer, action, benchmark, crew, effort, measured)
