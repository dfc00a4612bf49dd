"""What is right and wrong with a request that came by, by checks of the simulator's own."""

from bars_portal.simulator.verdicts.judging import judge as judge
from bars_portal.simulator.verdicts.model import Check as Check
from bars_portal.simulator.verdicts.model import Verdict as Verdict
