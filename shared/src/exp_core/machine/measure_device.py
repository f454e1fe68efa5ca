"""The limits of a device of MLX: a large product of matrices in each dtype, and copies of all sizes."""

from __future__ import annotations

from collections.abc import Callable

from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.timing import Deadline, call_once

BUDGET_S = 1.0  # for each dtype, and for all copies
DTYPES = ("float32", "float16", "bfloat16")
LONG_S = 0.02  # of a product that is large enough: starting it, some 10 us, is then nothing
ORDERS = (1024, 2048, 4096, 8192)
SIZES = tuple(2**k for k in range(20, 29, 2))  # bytes read and written by a copy
COPIES = 16  # started together, so that the device waits for nobody between them


def measure_device(name: str, budget_s: float = BUDGET_S) -> Peaks:
    """The best rates of the device "metal" or "cuda", or of MLX on the "cpu".  Raises RuntimeError where MLX does."""
    import mlx.core as mx

    device = mx.cpu if name == "cpu" else mx.gpu
    with mx.stream(device):
        flops = {dtype: _multiply_rate(dtype, budget_s) for dtype in DTYPES}
        curve = tuple(Bandwidth(size, copy=_copy_rate(size, budget_s / len(SIZES))) for size in SIZES)
    return Peaks(0, flops, curve, "mlx")


def _multiply_rate(dtype: str, budget_s: float) -> float:
    """Operations a second of the product of two matrices, the larger the better, until one takes long enough."""
    best, deadline = 0.0, Deadline(budget_s)
    for n in ORDERS:
        seconds = _shortest(_product(n, dtype), deadline)
        best = max(best, 2.0 * n**3 / seconds)
        if seconds > LONG_S or not deadline.left():
            break
    return best


def _product(n: int, dtype: str) -> Callable[[], object]:
    """The product of two n x n matrices, to be asked for."""
    import mlx.core as mx

    a = mx.ones((n, n), getattr(mx, dtype))
    return lambda: mx.eval(a @ a)


def _copy_rate(size: int, budget_s: float) -> float:
    """Bytes a second, read and written: x + 1, since MLX knows that a mere copy need not be made."""
    import mlx.core as mx

    x = mx.zeros(size // 2 // 4, mx.float32)
    mx.eval(x)
    return COPIES * size / _shortest(lambda: mx.eval([x + k for k in range(COPIES)]), Deadline(budget_s))


def _shortest(work: Callable[[], object], deadline: Deadline) -> float:
    """Seconds of the fastest of several calls, after one that compiles and fills the caches."""
    call_once(work)
    best = call_once(work)[1]
    while deadline.left():
        best = min(best, call_once(work)[1])
    return best
