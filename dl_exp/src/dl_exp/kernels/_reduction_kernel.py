"""A sum by a GPU: groups of threads reduce what they read to one number each, and a second launch reduces those.

Atomic additions to one place would save the second launch, and with it the certainty that two runs give the same bits.
"""

from __future__ import annotations

from dl_exp.kernel import Kernel

THREADS = 256  # of a group: 8 simdgroups
GROUPS = 1024  # at most: more than enough to keep every GPU's memory busy

TREE_METAL = """
const uint n = x_shape[0], i = thread_position_in_grid.x, t = thread_position_in_threadgroup.x;
threadgroup float part[THREADS];
part[t] = i < n ? float(x[i]) : 0.0f;
for (uint left = THREADS / 2; left > 0; left /= 2) {
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (t < left) part[t] += part[t + left];
}
if (t == 0) s[threadgroup_position_in_grid.x] = part[0];
"""

TREE_CUDA = """
const unsigned n = x_shape[0], t = threadIdx.x, i = blockIdx.x * THREADS + t;
__shared__ float part[THREADS];
part[t] = i < n ? static_cast<float>(x[i]) : 0.0f;
for (unsigned left = THREADS / 2; left > 0; left /= 2) {
  __syncthreads();
  if (t < left) part[t] += part[t + left];
}
if (t == 0) s[blockIdx.x] = part[0];
"""

SIMD_METAL = """
const uint n = x_shape[0], lane = thread_index_in_simdgroup, simdgroup = simdgroup_index_in_threadgroup;
threadgroup float part[THREADS / 32];
float sum = 0;
for (uint i = thread_position_in_grid.x; i < n; i += threads_per_grid.x) sum += float(x[i]);

sum = simd_sum(sum);
if (lane == 0) part[simdgroup] = sum;
threadgroup_barrier(mem_flags::mem_threadgroup);
if (simdgroup == 0) {
  sum = simd_sum(lane < THREADS / 32 ? part[lane] : 0.0f);
  if (lane == 0) s[threadgroup_position_in_grid.x] = sum;
}
"""

SIMD_CUDA = """
const unsigned n = x_shape[0], lane = threadIdx.x % 32, warp = threadIdx.x / 32, ALL = 0xFFFFFFFF;
__shared__ float part[THREADS / 32];
float sum = 0;
for (unsigned i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) sum += static_cast<float>(x[i]);

for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(ALL, sum, d);
if (lane == 0) part[warp] = sum;
__syncthreads();
if (warp == 0) {
  sum = lane < THREADS / 32 ? part[lane] : 0.0f;
  for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(ALL, sum, d);
  if (lane == 0) s[blockIdx.x] = sum;
}
"""

TREE = Kernel("tree", inputs=("x",), outputs=("s",), metal=TREE_METAL, cuda=TREE_CUDA)
SIMD = Kernel("simd", inputs=("x",), outputs=("s",), metal=SIMD_METAL, cuda=SIMD_CUDA)


def tree_kernel(x):
    """By hand for a GPU, a number a thread: half of the threads add what the other half holds, until one is left."""
    while True:
        x = _launch(TREE, x, groups=-(-x.size // THREADS))
        if x.size == 1:
            return x.reshape(())


def simd_kernel(x):
    """Let a thread add up many numbers first, and 32 of them meet in registers: one barrier instead of eight."""
    partial = _launch(SIMD, x, groups=min(-(-x.size // THREADS), GROUPS))
    return (partial if partial.size == 1 else _launch(SIMD, partial, groups=1)).reshape(())


def _launch(kernel, x, groups):
    """One number of each group, float32."""
    (s,) = kernel(
        x,
        template={"THREADS": THREADS},
        grid=(THREADS * groups, 1, 1),
        threadgroup=(THREADS, 1, 1),
        shapes=((groups,),),
        dtypes=("float32",),
    )
    return s


def additions_met(n):
    """How many additions a term meets at most in ``simd_kernel``: 31 in a simdgroup's sum, in whatever order."""
    groups = min(-(-n // THREADS), GROUPS)
    first = -(-n // (THREADS * groups)) + 31 + 31
    return first if groups == 1 else first + -(-groups // THREADS) + 31 + 31
