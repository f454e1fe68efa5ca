"""The classical sorts, on a list of numbers that can be compared (no NaN), in place.

Source    R. Sedgewick, K. Wayne, Algorithms, 4th ed. (2011), chapter 2.  D. R. Musser, Introspective sorting and
          selection algorithms, Software: Practice and Experience 27 (1997), 983-993, for introsort.
"""

from __future__ import annotations

SHORT = 16  # elements that insertion sorts faster than anything else


def insertion(a, low, high):
    """Sort a[low:high]: each element moves left past all that are larger.  Stable."""
    for i in range(low + 1, high):
        v, j = a[i], i
        while j > low and v < a[j - 1]:
            a[j] = a[j - 1]
            j -= 1
        a[j] = v


def merge(left, right):
    """Two sorted lists as one; of equal elements the left one's come first: stable."""
    out, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if right[j] < left[i]:
            out.append(right[j])
            j += 1
        else:
            out.append(left[i])
            i += 1
    return out + left[i:] + right[j:]


def sift(a, low, i, n):
    """Let element i of the heap a[low : low + n] sink below its larger children."""
    v = a[low + i]
    while (child := 2 * i + 1) < n:
        if child + 1 < n and a[low + child] < a[low + child + 1]:
            child += 1
        if not v < a[low + child]:
            break
        a[low + i] = a[low + child]
        i = child
    a[low + i] = v


def heap(a, low, high):
    """Sort a[low:high]: make it a heap, then move the largest to the end, again and again."""
    n = high - low
    for i in range(n // 2 - 1, -1, -1):
        sift(a, low, i, n)
    for end in range(n - 1, 0, -1):
        a[low], a[low + end] = a[low + end], a[low]
        sift(a, low, 0, end)


def partition(a, low, high):
    """Elements up to the pivot left of it, the others right of it, in a[low:high]; returns its place.

    The pivot is the median of the first, the middle and the last element: those two then stop the scans.
    """
    middle, last = (low + high) // 2, high - 1
    if a[middle] < a[low]:
        a[low], a[middle] = a[middle], a[low]
    if a[last] < a[low]:
        a[low], a[last] = a[last], a[low]
    if a[last] < a[middle]:
        a[middle], a[last] = a[last], a[middle]
    a[middle], a[last - 1] = a[last - 1], a[middle]
    pivot, i, j = a[last - 1], low, last - 1
    while True:
        i += 1
        while a[i] < pivot:
            i += 1
        j -= 1
        while pivot < a[j]:
            j -= 1
        if i >= j:
            break
        a[i], a[j] = a[j], a[i]
    a[i], a[last - 1] = a[last - 1], a[i]
    return i


def quick(a, levels):
    """Partition, then sort the parts; parts that are still long after so many levels are left to the heap."""
    waiting = [(0, len(a), levels)]
    while waiting:
        low, high, levels = waiting.pop()
        while high - low > SHORT and levels > 0:
            levels -= 1
            i = partition(a, low, high)
            if i - low < high - i:  # the longer part waits: so no more than log2 n wait
                waiting.append((i + 1, high, levels))
                high = i
            else:
                waiting.append((low, i, levels))
                low = i + 1
        if high - low > SHORT:
            heap(a, low, high)
        else:
            insertion(a, low, high)
