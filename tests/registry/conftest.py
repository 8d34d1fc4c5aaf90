"""What tests of the rules share: a stage on which transfers need a second person."""

import pytest

from credits.participants.models import RoleName
from tests.factories import UserFactory
from tests.registry.guarded_acts import HOUSE


@pytest.fixture
def guarded(stage):
    """The stage under the house's own policy, with a second manager of the cooperative."""
    stage.policy = HOUSE
    stage.partner = UserFactory(organisation=stage.coop, may=[RoleName.MANAGER])
    return stage
