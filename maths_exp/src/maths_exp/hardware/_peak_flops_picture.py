"""The rate against the number of chains: Little's law, measured while the picture is drawn."""

from __future__ import annotations

import numpy as np

from exp_core.timing import call_once

STEPS = 50_000  # 100 us of a core at least: long against a call's own microsecond
TRIES = 7  # the best of them counts: disturbances only slow


def picture(figure, x, m, b, n, together):
    """Operations a cycle by the number of chains that do not wait for each other, for single numbers and vectors."""
    from exp_core.machine import chains

    axes = figure.subplots()
    clock = chains.CYCLES * STEPS / best(chains.single_cycles, 1, 3, 5, STEPS)
    counts = np.arange(1, chains.most_chains() + 1)
    width = chains.vector_registers()[0] // x.itemsize
    kinds = (
        (chains.advance, width, "#0072B2", f"vectors of {width} numbers"),
        (chains.advance_scalars, 1, "#E69F00", "single numbers"),
    )
    for advance, lanes, colour, label in kinds:
        one = x.dtype.type(1)
        rates = [
            2 * k * lanes * STEPS / best(advance, np.zeros(k * lanes, x.dtype), one, one, STEPS, int(k)) / clock
            for k in counts
        ]
        latency = 2 * lanes / rates[0]
        axes.plot(counts, rates, "o-", color=colour, markersize=4, label=label)
        axes.plot(counts, 2 * lanes * counts / latency, ":", color=colour, linewidth=1)
        axes.annotate(
            f"{max(rates):.3g} a cycle; one chain: a step every {latency:.2g} cycles",
            (counts[-1], max(rates)),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
            fontsize="small",
            color=colour,
        )
        axes.set_ylim(0, 1.35 * max(rates)) if lanes > 1 else None
    axes.set_title(
        f"operations in a cycle of {clock / 1e9:.2f} GHz, one core, {x.dtype}; dotted: a chain more, a rate more",
        fontsize="medium",
    )
    axes.set_xlabel("chains at once")
    axes.set_ylabel("operations a cycle")
    axes.set_xticks(counts)
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def best(function, *arguments):
    """Seconds of the fastest of some calls."""
    function(*arguments)
    return min(call_once(function, *arguments)[1] for _ in range(TRIES))
