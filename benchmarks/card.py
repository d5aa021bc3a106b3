"""The machine's card: what must be known of a computer and its software to read a time."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import time

from .processes import available_cores


def machine():
    """Return what this computer is, as {name: text or number}."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "cores_available": available_cores(),
        "vector_instructions": _vector_instructions(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def others(seconds=1.0):
    """Return the share of all cores that other programs use now, while this run does nothing.

    It has to be small: where a library's threads wait for each other, and one of them for a core, a
    step of half a millisecond may take fifty.  None where the system does not tell.
    """
    before = _processor_times()
    time.sleep(seconds)
    after = _processor_times()
    if before is None or after is None or sum(after) == sum(before):
        return None
    idle, every = (after[3] + after[4]) - (before[3] + before[4]), sum(after) - sum(before)
    return 1 - idle / every


def _processor_times():
    with contextlib.suppress(OSError), open("/proc/stat", encoding="utf-8") as file:
        return [int(number) for number in file.readline().split()[1:9]]
    return None


def software(crew):
    """Return npylstm's backend, NumPy's BLAS and all versions."""
    import npylstm

    names = ("numpy", "numba", "llvmlite", "pytest-benchmark", "matplotlib")
    versions = {"npylstm": npylstm.__version__}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "backend": npylstm.get_backend(),
        "blas": _blas(),
        "versions": versions | crew.versions(),
    }


def describe(card):
    """Return the card as lines of text."""
    peak = card["peak"]
    versions = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    busy = "unknown" if card["others"] is None else f"{100 * card['others']:.0f} %"
    return [
        f"CPU: {card['cpu']}, {card['cores_available']} of {card['cores']} cores, "
        f"{card['vector_instructions']}",
        f"used by other programs, of all cores: {busy}{_advice(card['others'])}",
        *(
            [f"time that the machine's other guests took from it: {100 * card['stolen']:.0f} %"]
            if card["stolen"] is not None
            else []
        ),
        f"threads: {card['threads']}, for every library",
        f"float32 FMA peak measured here: {peak['one']:.0f} GFLOP/s on one thread, "
        f"{peak['all']:.0f} on {card['threads']}; {peak['cache']:.0f} in a matrix product fed from "
        "the L1 cache",
        f"npylstm backend: {card['backend']}",
        f"BLAS of NumPy: {card['blas']}",
        f"versions: {versions}",
        f"Python {card['python']}, {card['system']}, {card['date']}",
    ]


def stolen():
    """Return (seconds stolen, seconds there were), of all cores since the machine started; or None.

    Stolen is what a virtual machine wanted, and its host gave to another one.
    """
    with contextlib.suppress(OSError, ValueError), open("/proc/stat", encoding="utf-8") as file:
        ticks = [int(number) for number in file.readline().split()[1:9]]
        return ticks[7] / os.sysconf("SC_CLK_TCK"), sum(ticks) / os.sysconf("SC_CLK_TCK")
    return None


def stolen_since(before):
    """Return the share of all cores' time that was stolen since `stolen` gave `before`; or None."""
    after = stolen()
    if before is None or after is None or after[1] == before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])


def _cpu_model():
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _vector_instructions():
    from .peak import lanes

    return f"float32 vectors of {lanes()}"


def _advice(busy):
    return "" if busy is None or busy < 0.05 else " (TOO MUCH: measure again when they are done)"


def _blas():
    """Return which BLAS NumPy uses and, if threadpoolctl is there, for which CPU it takes this."""
    import numpy as np

    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    np.ones((2, 2)) @ np.ones((2, 2))
    # SciPy may have brought another one.
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    found.sort(key=lambda library: "numpy" not in library["filepath"])
    if not found:
        return "unknown"
    core = found[0].get("architecture", "unknown core")
    return f"{found[0]['internal_api']} {found[0]['version']}, core type {core}"
