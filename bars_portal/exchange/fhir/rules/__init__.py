"""What a message must satisfy, as data; one module a theme (standard section 6)."""

from bars_portal.exchange.fhir.rules.judging import all_rules as all_rules
from bars_portal.exchange.fhir.rules.judging import judge as judge
from bars_portal.exchange.fhir.rules.model import Condition as Condition
from bars_portal.exchange.fhir.rules.model import Facts as Facts
from bars_portal.exchange.fhir.rules.model import FindService as FindService
from bars_portal.exchange.fhir.rules.model import HostedService as HostedService
from bars_portal.exchange.fhir.rules.model import Part as Part
from bars_portal.exchange.fhir.rules.model import Rule as Rule
from bars_portal.exchange.fhir.rules.model import Severity as Severity
from bars_portal.exchange.fhir.rules.model import Verdict as Verdict
from bars_portal.exchange.fhir.rules.model import WorkflowRow as WorkflowRow
from bars_portal.exchange.fhir.rules.model import Workflows as Workflows
