"""The processes behind a port, as the kernel tells of them: their memory, and the processor time they took."""

from __future__ import annotations

import os
from pathlib import Path

PEAK, NOW = "VmHWM:", "VmRSS:"


def memory(port: int, which: str = NOW) -> dict[int, float]:
    """The memory in MiB, at present or at most, by id of each process that listens on the port."""
    found = {}
    for process in _listening(port):
        status = Path(f"/proc/{process}/status").read_text()
        found[process] = int(status.split(which)[1].split()[0]) / 1024
    return found


def cpu_seconds(port: int) -> float:
    """The processor time that all processes that listen on the port took since they began."""
    ticks = 0
    for process in _listening(port):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])  # utime and stime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _listening(port: int) -> list[int]:
    inode = _inode(port)
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            held = {os.readlink(one) for one in (folder / "fd").iterdir()}
        except OSError:
            continue
        if f"socket:[{inode}]" in held:
            found.append(int(folder.name))
    return found


def _inode(port: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(f":{port:04X}") and words[3] == "0A":  # listening
            return words[9]
    raise SystemExit("bench: nothing listens on the port")
