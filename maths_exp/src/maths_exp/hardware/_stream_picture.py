"""The rate against the size of the vectors, and what a cache line costs: measured while the picture is drawn."""

from __future__ import annotations

import numpy as np

from exp_core.machine import streams
from exp_core.timing import call_once

LARGEST = 2**26  # bytes of all vectors
TRIES = 5  # the best of them counts: disturbances only slow
MOVED = 2**22  # bytes that a measurement goes through at least


def picture(figure, operation, b, c, s):
    """Left: this operation through the caches and past them, by the size of its vectors.  Right: by stride."""
    by_size, by_stride = figure.subplots(1, 2)
    through_the_levels(by_size, operation, b.dtype, s)
    what_a_line_costs(by_stride, b.dtype, s)
    for axes in (by_size, by_stride):
        axes.set_ylim(0)
        axes.grid(True, color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)


def through_the_levels(axes, operation, dtype, s):
    """GB/s of one core, and where its caches end."""
    from exp_core.machine.processor import read_processor

    parts = streams.ARRAYS[operation]
    sizes = np.geomspace(2**13, LARGEST, 27)
    for loop, colour, label in (
        (streams.stream, "#0072B2", "through the caches"),
        (streams.stream_past_caches, "#D55E00", "stores past them"),
    ):
        rates = []
        for size in sizes:
            n = int(size / parts / dtype.itemsize)
            a, b, c = np.ones((3, n), dtype)
            repeats = max(1, int(MOVED / size))
            rates.append(parts * a.nbytes * repeats / best(often, loop, repeats, operation, a, b, c, s) / 1e9)
        axes.plot(sizes, rates, ".-", color=colour, label=label)
    axes.set_xscale("log", base=2)
    cpu = read_processor()
    for name, size in (("L1", cpu.l1d_bytes), ("L2", cpu.l2_bytes), ("L3", cpu.l3_bytes)):
        if size:
            axes.axvline(size, color="#999999", linewidth=1, linestyle=":")
            axes.annotate(
                f"{name} ends", (size, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -10),
                textcoords="offset points", fontsize="x-small", color="#666666",
            )  # fmt: skip
    axes.set_xticks([2**k for k in range(14, 27, 4)], ["16 KiB", "256 KiB", "4 MiB", "64 MiB"])
    axes.minorticks_off()
    axes.set_title(f"{streams.NAMES[operation]} on one core", fontsize="medium")
    axes.set_xlabel("bytes of all vectors together")
    axes.set_ylabel("GB/s")
    axes.legend(frameon=False, fontsize="small", loc="upper right", bbox_to_anchor=(1.0, 0.93))


def what_a_line_costs(axes, dtype, s):
    """Time for a number of a triad by stride, as a multiple of the time at stride 1: it grows until a line is full."""
    strides = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
    longest = LARGEST // 4 // dtype.itemsize
    room = [np.ones(longest, dtype) for _ in range(3)]
    times = []
    for stride in strides:
        a, b, c = (vector[::stride] for vector in room)
        times.append(best(streams.stream, streams.TRIAD, a, b, c, s) / a.size * 1e9)
    line = streams.LINE // dtype.itemsize
    axes.plot(strides, times, "o-", color="#009E73", label="measured")
    axes.plot(strides, times[0] * np.minimum(strides, line), ":", color="#666666", label="bytes that memory moves")
    axes.axvline(line, color="#999999", linewidth=1, linestyle=":")
    axes.set_title(f"triad from main memory: a line holds {line} numbers", fontsize="medium")
    axes.set_xlabel("stride, in numbers")
    axes.set_ylabel("ns for a number")
    axes.legend(frameon=False, fontsize="small")


def often(loop, repeats, *arguments):
    """So many calls."""
    for _ in range(repeats):
        loop(*arguments)


def best(function, *arguments):
    """Seconds of the fastest of some calls."""
    function(*arguments)
    return min(call_once(function, *arguments)[1] for _ in range(TRIES))
