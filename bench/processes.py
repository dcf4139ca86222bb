"""The memory of the processes behind a port, as the kernel tells it."""

from __future__ import annotations

import os
from pathlib import Path

PEAK, NOW = "VmHWM:", "VmRSS:"


def memory(port: int, which: str = NOW) -> dict[int, float]:
    """The memory in MiB, at present or at most, by id of each process that listens on the port."""
    inode = _inode(port)
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            held = {os.readlink(one) for one in (folder / "fd").iterdir()}
            if f"socket:[{inode}]" in held:
                status = (folder / "status").read_text()
                found[int(folder.name)] = int(status.split(which)[1].split()[0]) / 1024
        except OSError:
            continue
    return found


def _inode(port: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(f":{port:04X}") and words[3] == "0A":  # listening
            return words[9]
    raise SystemExit("bench: nothing listens on the port")
