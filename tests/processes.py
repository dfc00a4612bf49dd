"""What runs on this machine, read from /proc: only Linux has it."""

from pathlib import Path

import pytest

PROC = Path("/proc")
needs_proc = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="looks at processes in /proc")


def parents() -> dict[int, int]:
    """Parent of every process that has not ended."""
    stats = {folder: _stat(folder) for folder in PROC.iterdir() if folder.name.isdigit()}
    return {int(folder.name): int(stat[1]) for folder, stat in stats.items() if stat and stat[0] != "Z"}


def children_of(pid: int) -> dict[int, str]:
    """Process id and command line of each."""
    return {child: command_of(child) for child, parent in parents().items() if parent == pid}


def command_of(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def is_empty(group: int) -> bool:
    """Whether no process of the group is left."""
    stats = [_stat(folder) for folder in PROC.iterdir() if folder.name.isdigit()]
    return not any(stat and stat[0] != "Z" and int(stat[2]) == group for stat in stats)


def _stat(folder: Path) -> list[str]:
    """State, parent, process group and so on; nothing when the process is gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
