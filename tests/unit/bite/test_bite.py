"""`make bite` tells what nobody notices, and what it cannot try; its table fits the code."""

from pathlib import Path

import pytest

from tests.bite.__main__ import ROOT
from tests.bite.table import BadTable, Fault, places, read_table
from tests.bite.trying import Copy, Run, run_faults, run_unchanged

PRODUCT = '"""A price."""\n\n\ndef price(count: int) -> int:\n    most = 3\n    return min(count, most) * 5\n'
TESTS = "from bookings.price import price\n\n\ndef test_two() -> None:\n    assert price(2) == 10\n"


def fault(find: str, replace: str, tests: str = "tests/test_price.py") -> Fault:
    return Fault("rules", f"Without {find}", find, replace, (tests,))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A checkout of one module and one test, without a database."""
    for name, text in {"bookings/price.py": PRODUCT, "tests/test_price.py": TESTS, "pytest.ini": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = -p no:django\n")
    return Copy(tmp_path)


def tried(copy: Copy, *faults: Fault) -> dict[Fault, Run]:
    runs: dict[Fault, Run] = {}
    run_faults([copy], places(copy.folder, list(faults)), runs.__setitem__)
    return runs


def test_only_a_failing_test_has_caught_a_fault(copy: Copy) -> None:
    caught, unnoticed = fault("* 5", "* 6"), fault("most = 3", "most = 2")
    broken = fault("return min", "return return min")
    runs = tried(copy, caught, unnoticed, broken)
    assert runs[caught].noticed == "tests/test_price.py::test_two"
    assert (runs[unnoticed].noticed, runs[unnoticed].problem) == ("", "")
    assert runs[broken].noticed == ""
    assert runs[broken].problem.startswith("pytest ended with 2")
    assert (copy.folder / "bookings/price.py").read_text() == PRODUCT


def test_unchanged_code_has_to_pass(copy: Copy) -> None:
    (copy.folder / "tests/test_price.py").write_text(TESTS.replace("10", "11"))
    (run,) = run_unchanged([copy], [fault("* 5", "* 6")])
    assert run.noticed == "tests/test_price.py::test_two"


@pytest.mark.parametrize(("find", "times"), [("* 7", 0), ("count", 2)])
def test_a_row_that_fits_nowhere_or_twice_is_told(copy: Copy, find: str, times: int) -> None:
    with pytest.raises(BadTable, match=f"matches {times} times"):
        places(copy.folder, [fault(find, "x")])


@pytest.mark.parametrize(("find", "replace"), [("* 5", "* 5"), ("* 5", "* 6\\n"), ("", "x")])
def test_a_row_that_can_change_nothing_is_refused(tmp_path: Path, find: str, replace: str) -> None:
    row = f'[[fault]]\nkind = "rules"\nwhy = "x"\nfind = "{find}"\nreplace = "{replace}"\ntests = ["t"]\n'
    (tmp_path / "faults.toml").write_text(row)
    with pytest.raises(BadTable):
        read_table(tmp_path / "faults.toml")


def test_the_table_fits_the_code() -> None:
    faults = read_table()
    assert len(faults) >= 60
    assert len(places(ROOT, faults)) == len(faults)
    assert sorted({test for each in faults for test in each.tests if not is_there(test)}) == []


def is_there(test: str) -> bool:
    """The file, and the function in it."""
    file, *inside = test.partition("[")[0].split("::")
    wanted = f"def {inside[-1]}(" if inside else ""
    return (ROOT / file).is_file() and wanted in (ROOT / file).read_text()
