"""Secret files: whole or not at all, and readable by their owner only."""

import os
import tempfile
from pathlib import Path

SECRET = 0o600
PUBLIC = 0o644
_FOLDER = 0o700


def private_folder(directory: Path) -> None:
    """Make the folder, or tighten the mode of an existing one."""
    directory.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    keep_mode(directory, _FOLDER)


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Replace the file in one step: a reader sees the old bytes or the new, and never a wider mode."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def keep_mode(path: Path, mode: int) -> None:
    """Set the mode only where it differs, so that nothing changes on a second start."""
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def read_if_there(path: Path) -> bytes | None:
    """The bytes, or None when the file is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
