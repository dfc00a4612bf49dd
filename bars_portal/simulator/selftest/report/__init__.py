"""What is left of a run: report.json, junit.xml and index.html."""

from bars_portal.simulator.selftest.report.writing import Report as Report
from bars_portal.simulator.selftest.report.writing import files as files
from bars_portal.simulator.selftest.report.writing import write as write
