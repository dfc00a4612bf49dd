from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from directory.models import Postcode
from directory.postcodes import PostcodeRow, Skipped
from directory.services.postcodes import ImportCounts, import_postcodes

pytestmark = pytest.mark.django_db

HEADER = "pcds,doterm,lat,long\n"


def run(path: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_postcodes", str(path), *options, stdout=out, no_color=True)
    return out.getvalue()


def write(folder: Path, *rows: str) -> Path:
    path = folder / "onspd.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8-sig")
    return path


def test_loads_a_file_and_says_what_it_did(tmp_path: Path) -> None:
    path = write(tmp_path, "LS1 4AP,,53.8,-1.5", "LS1 4AQ,200012,53.8,-1.5", "GY1 1AA,,99.999999,0.000000")

    assert run(path) == (
        "3 rows read: 1 postcodes, 1 new or changed; 1 terminated and 1 without a position skipped.\n"
    )
    assert list(Postcode.objects.values_list("code", "latitude", "longitude")) == [("LS14AP", 53.8, -1.5)]


def test_a_second_run_writes_nothing_and_a_moved_postcode_is_updated(tmp_path: Path) -> None:
    path = write(tmp_path, "LS1 4AP,,53.8,-1.5", "LS1 4AQ,,53.9,-1.6")
    run(path)

    assert "0 new or changed" in run(path)
    assert "1 new or changed" in run(write(tmp_path, "LS1 4AP,,53.7,-1.5", "LS1 4AQ,,53.9,-1.6"))
    assert Postcode.objects.get(code="LS14AP").latitude == 53.7


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert "nothing written (dry run)" in run(write(tmp_path, "LS1 4AP,,53.8,-1.5"), "--dry-run")
    assert not Postcode.objects.exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("LS1 4AP,,north,-1.5", "Line 3: the column lat is not a number. Correct the file"),
        ("nonsense,,53.8,-1.5", "Line 3: this is not a whole postcode."),
        ("LS1 4AQ", "Line 3: too few columns."),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(write(tmp_path, "LS1 4AP,,53.8,-1.5", row))


def test_a_file_that_is_missing_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"pcds,lat,long\n\xff\xfe\n")

    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "missing.csv")
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path)
    with pytest.raises(CommandError, match="UTF-8"):
        run(tmp_path / "binary.csv")


def test_batches_with_repeats_across_and_inside_them() -> None:
    rows: list[PostcodeRow | Skipped] = [
        PostcodeRow("LS14AP", 1.0, 1.0),
        PostcodeRow("LS14AP", 2.0, 2.0),
        Skipped.TERMINATED,
        PostcodeRow("LS14AQ", 3.0, 3.0),
        PostcodeRow("LS14AP", 4.0, 4.0),
    ]
    seen: list[int] = []

    counts = import_postcodes(rows=rows, batch_size=2, progress=seen.append)

    assert counts == ImportCounts(read=5, live=3, written=3, terminated=1, without_position=0)
    assert seen == [2, 4, 5]
    assert Postcode.objects.get(code="LS14AP").latitude == 4.0


def test_batches_before_a_fault_stay() -> None:
    def rows() -> Iterator[PostcodeRow]:
        yield PostcodeRow("LS14AP", 1.0, 1.0)
        raise ValueError("line 2")

    with pytest.raises(ValueError, match="line 2"):
        import_postcodes(rows=rows(), batch_size=1)

    assert Postcode.objects.filter(code="LS14AP").exists()
