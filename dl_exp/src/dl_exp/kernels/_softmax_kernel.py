"""Softmax as one kernel: a group of threads a row, which meets twice to agree on the maximum and on the sum."""

from __future__ import annotations

from dl_exp.kernel import Kernel

THREADS = 256  # a row's: 8 simdgroups

METAL = """
uint row = threadgroup_position_in_grid.x, thread_ = thread_position_in_threadgroup.x;
uint lane = thread_index_in_simdgroup, simdgroup = simdgroup_index_in_threadgroup;
const uint THREADS = threads_per_threadgroup.x, SIMDGROUPS = THREADS / 32;
threadgroup float part[32];

// Online: each thread keeps the maximum m of what it has seen, and the sum of exp(x - m).
float m = -INFINITY, total = 0;
for (uint j = thread_; j < N; j += THREADS) {
  float score = float(x[row * N + j]), larger = metal::max(m, score);
  if (larger == -INFINITY) continue;  // nothing but masked scores yet, and inf - inf is no number
  total = total * metal::exp(m - larger) + metal::exp(score - larger);
  m = larger;
}

float own = m;
m = simd_max(m);
if (lane == 0) part[simdgroup] = m;
threadgroup_barrier(mem_flags::mem_threadgroup);
m = simd_max(lane < SIMDGROUPS ? part[lane] : -INFINITY);

total = simd_sum(own == -INFINITY ? 0.0f : total * metal::exp(own - m));
threadgroup_barrier(mem_flags::mem_threadgroup);  // part is about to be written again
if (lane == 0) part[simdgroup] = total;
threadgroup_barrier(mem_flags::mem_threadgroup);
total = simd_sum(lane < SIMDGROUPS ? part[lane] : 0.0f);

for (uint j = thread_; j < N; j += THREADS)
  p[row * N + j] = T(metal::exp(float(x[row * N + j]) - m) / total);
"""

CUDA = """
unsigned row = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
constexpr unsigned ALL = 0xFFFFFFFF;
__shared__ float part[32];

// Online: each thread keeps the maximum m of what it has seen, and the sum of exp(x - m).
float m = -INFINITY, total = 0;
for (unsigned j = threadIdx.x; j < N; j += blockDim.x) {
  float score = static_cast<float>(x[row * N + j]), larger = fmaxf(m, score);
  if (larger == -INFINITY) continue;  // nothing but masked scores yet, and inf - inf is no number
  total = total * expf(m - larger) + expf(score - larger);
  m = larger;
}

float own = m;
for (int d = 16; d > 0; d /= 2) m = fmaxf(m, __shfl_xor_sync(ALL, m, d));
if (lane == 0) part[warp] = m;
__syncthreads();
m = lane < warps ? part[lane] : -INFINITY;
for (int d = 16; d > 0; d /= 2) m = fmaxf(m, __shfl_xor_sync(ALL, m, d));

total = own == -INFINITY ? 0.0f : total * expf(own - m);
for (int d = 16; d > 0; d /= 2) total += __shfl_xor_sync(ALL, total, d);
__syncthreads();  // part is about to be written again
if (lane == 0) part[warp] = total;
__syncthreads();
total = lane < warps ? part[lane] : 0.0f;
for (int d = 16; d > 0; d /= 2) total += __shfl_xor_sync(ALL, total, d);

for (unsigned j = threadIdx.x; j < N; j += blockDim.x)
  p[row * N + j] = static_cast<T>(expf(static_cast<float>(x[row * N + j]) - m) / total);
"""

SOFTMAX = Kernel("softmax", inputs=("x",), outputs=("p",), metal=METAL, cuda=CUDA)


def kernel(x):
    """By hand for a GPU: a group of threads a row, online, and each thread looks at its scores only twice."""
    rows, n = x.shape
    (p,) = SOFTMAX(
        x,
        template={"T": x.dtype, "N": n},
        grid=(THREADS * rows, 1, 1),
        threadgroup=(THREADS, 1, 1),
        shapes=(x.shape,),
        dtypes=(x.dtype,),
    )
    return p
