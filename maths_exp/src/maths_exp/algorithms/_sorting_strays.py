"""Numbers nearly in order: the few that stray are taken aside, sorted alone, and merged into the others.

A number stays if it is no smaller than the last one that stayed.  If it is smaller, either it strays, or those before
it do: where a few steps back there is one that it may follow, they go and it stays, else it goes itself.  The look
ends when too many have gone, which on numbers in random order is after some dozens.

Source    C. Cook, D. J. Kim, Best sorting algorithm for nearly sorted lists, Comm. ACM 23 (1980), 620-624.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit
from maths_exp.algorithms._sorting_radix import radix_threads
from maths_exp.algorithms._sorting_runs import merge_two, worth

BACK = 4  # numbers in a row that may have strayed upwards
SOME = 32  # strays that are none too many, and besides
HEAD = 1024  # numbers that are looked at first
SHARE = 16  # of so many numbers one


def merge_strays(x):
    """The numbers in order if all but a few are so already, else None."""
    head = x[:HEAD]
    if part(head, np.empty_like(head)) == 0:  # before there is room for all: to get it is not free
        return None
    room = np.empty_like(x)
    stayed = part(x, room)
    if stayed == 0:
        return None
    room[stayed:] = radix_threads(room[stayed:])
    out = np.empty_like(x)
    orderly, strays = np.array([0, stayed, 1]), np.array([stayed, x.size - stayed, 1])
    merge_two(room, orderly, strays, out, worth(x.size))
    return out


@njit
def part(x, room):
    """Write the numbers that stay to the front of room, in order, and the others to its end; returns how many stay.

    Returns 0 if too many stray, or one is not a number.
    """
    stayed = strays = 0
    for i in range(x.size):
        v, back = x[i], 0
        while back < min(stayed, BACK) and room[stayed - 1 - back] > v:
            back += 1
        if v != v or strays > SOME + i // SHARE:
            return 0
        if back < BACK:
            for _ in range(back):
                stayed, strays = stayed - 1, strays + 1
                room[x.size - strays] = room[stayed]
            room[stayed] = v
            stayed += 1
        else:
            strays += 1
            room[x.size - strays] = v
    return stayed
