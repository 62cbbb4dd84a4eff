"""Processor time of other processes on this machine."""

from collections.abc import Mapping
from dataclasses import replace

import psutil

from bench.closed_loop import Measured


def of_process(pid: int) -> float:
    """Seconds that a process has used so far."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def of_server(postmaster: int | None) -> float | None:
    """Seconds that a PostgreSQL server has used so far, in all its processes; None if it runs elsewhere."""
    if postmaster is None:
        return None
    first = psutil.Process(postmaster)
    ended = first.cpu_times()
    return sum(map(of_process, (postmaster, *(child.pid for child in first.children())))) + float(
        ended.children_user + ended.children_system
    )


def postmaster_of(backend: int) -> int | None:
    """The first process of the server one of whose processes is `backend`, if that is one of this machine."""
    try:
        process = psutil.Process(backend)
        parent = process.parent()
        return parent.pid if parent is not None and process.name() == parent.name() == "postgres" else None
    except psutil.Error:
        return None


def added_to(measured: Measured, before: Mapping[str, float], after: Mapping[str, float]) -> Measured:
    """What was measured, with what a unit of it took of other processes between two looks at them."""
    used = {name: (after[name] - before[name]) * 1e6 / max(measured.units, 1) for name in before if name in after}
    return replace(measured, processor_microseconds={**measured.processor_microseconds, **used})
