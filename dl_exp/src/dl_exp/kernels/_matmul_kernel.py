"""C = A B by a GPU, four times: what changes is how often a number that was fetched is used.

Every body adds in float32 and takes any sizes: what lies outside of a matrix is fetched as zero.
"""

from __future__ import annotations

from dl_exp.kernel import Kernel
from dl_exp.kernels._matmul_simdgroup import HEADER, SIMDGROUP_METAL

TILE = 16  # side of a tile, and of a group of threads
SIDE, DEPTH = 64, 16  # of the larger tile: 64 rows or columns, 16 terms of their sums

ENTRY_METAL = """
const uint m = a_shape[0], k = a_shape[1], n = b_shape[1];
const uint i = thread_position_in_grid.y, j = thread_position_in_grid.x;
if (i >= m || j >= n) return;
float sum = 0;
for (uint p = 0; p < k; ++p) sum += float(a[i * k + p]) * float(b[p * n + j]);
c[i * n + j] = T(sum);
"""

ENTRY_CUDA = """
const unsigned m = a_shape[0], k = a_shape[1], n = b_shape[1];
const unsigned i = blockIdx.y * blockDim.y + threadIdx.y, j = blockIdx.x * blockDim.x + threadIdx.x;
if (i >= m || j >= n) return;
float sum = 0;
for (unsigned p = 0; p < k; ++p) sum += static_cast<float>(a[i * k + p]) * static_cast<float>(b[p * n + j]);
c[i * n + j] = static_cast<T>(sum);
"""

TILED_METAL = """
const uint m = a_shape[0], k = a_shape[1], n = b_shape[1];
const uint i = thread_position_in_grid.y, j = thread_position_in_grid.x;
const uint y = thread_position_in_threadgroup.y, x = thread_position_in_threadgroup.x;
threadgroup float A[TILE][TILE], B[TILE][TILE];
float sum = 0;
for (uint p = 0; p < k; p += TILE) {
  A[y][x] = i < m && p + x < k ? float(a[i * k + p + x]) : 0.0f;
  B[y][x] = p + y < k && j < n ? float(b[(p + y) * n + j]) : 0.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint q = 0; q < TILE; ++q) sum += A[y][q] * B[q][x];
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are about to be written again
}
if (i < m && j < n) c[i * n + j] = T(sum);
"""

TILED_CUDA = """
const unsigned m = a_shape[0], k = a_shape[1], n = b_shape[1], y = threadIdx.y, x = threadIdx.x;
const unsigned i = blockIdx.y * TILE + y, j = blockIdx.x * TILE + x;
__shared__ float A[TILE][TILE], B[TILE][TILE];
float sum = 0;
for (unsigned p = 0; p < k; p += TILE) {
  A[y][x] = i < m && p + x < k ? static_cast<float>(a[i * k + p + x]) : 0.0f;
  B[y][x] = p + y < k && j < n ? static_cast<float>(b[(p + y) * n + j]) : 0.0f;
  __syncthreads();
  for (unsigned q = 0; q < TILE; ++q) sum += A[y][q] * B[q][x];
  __syncthreads();  // the tiles are about to be written again
}
if (i < m && j < n) c[i * n + j] = static_cast<T>(sum);
"""

# Thread (x, y) of 16 by 16 has the rows y, y + 16, ... and the columns x, x + 16, ... of a tile of SIDE by SIDE.
REGISTERS_METAL = """
const uint m = a_shape[0], k = a_shape[1], n = b_shape[1];
const uint y = thread_position_in_threadgroup.y, x = thread_position_in_threadgroup.x, t = 16 * y + x;
const uint top = SIDE * threadgroup_position_in_grid.y, left = SIDE * threadgroup_position_in_grid.x;
constexpr int EACH = SIDE / 16;
threadgroup float A[DEPTH][SIDE], B[DEPTH][SIDE];
float sums[EACH][EACH] = {};
for (uint p = 0; p < k; p += DEPTH) {
  for (uint e = t; e < SIDE * DEPTH; e += 256) {
    uint i = top + e / DEPTH, q = p + e % DEPTH, r = p + e / SIDE, j = left + e % SIDE;
    A[e % DEPTH][e / DEPTH] = i < m && q < k ? float(a[i * k + q]) : 0.0f;
    B[e / SIDE][e % SIDE] = r < k && j < n ? float(b[r * n + j]) : 0.0f;
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint q = 0; q < DEPTH; ++q) {
    float row[EACH], column[EACH];
    for (int e = 0; e < EACH; ++e) column[e] = A[q][y + 16 * e], row[e] = B[q][x + 16 * e];
    for (int e = 0; e < EACH; ++e)
      for (int f = 0; f < EACH; ++f) sums[e][f] += column[e] * row[f];
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are about to be written again
}
for (int e = 0; e < EACH; ++e)
  for (int f = 0; f < EACH; ++f) {
    uint i = top + y + 16 * e, j = left + x + 16 * f;
    if (i < m && j < n) c[i * n + j] = T(sums[e][f]);
  }
"""

REGISTERS_CUDA = """
const unsigned m = a_shape[0], k = a_shape[1], n = b_shape[1], y = threadIdx.y, x = threadIdx.x, t = 16 * y + x;
const unsigned top = SIDE * blockIdx.y, left = SIDE * blockIdx.x;
constexpr int EACH = SIDE / 16;
__shared__ float A[DEPTH][SIDE], B[DEPTH][SIDE];
float sums[EACH][EACH] = {};
for (unsigned p = 0; p < k; p += DEPTH) {
  for (unsigned e = t; e < SIDE * DEPTH; e += 256) {
    unsigned i = top + e / DEPTH, q = p + e % DEPTH, r = p + e / SIDE, j = left + e % SIDE;
    A[e % DEPTH][e / DEPTH] = i < m && q < k ? static_cast<float>(a[i * k + q]) : 0.0f;
    B[e / SIDE][e % SIDE] = r < k && j < n ? static_cast<float>(b[r * n + j]) : 0.0f;
  }
  __syncthreads();
  for (unsigned q = 0; q < DEPTH; ++q) {
    float row[EACH], column[EACH];
    for (int e = 0; e < EACH; ++e) column[e] = A[q][y + 16 * e], row[e] = B[q][x + 16 * e];
    for (int e = 0; e < EACH; ++e)
      for (int f = 0; f < EACH; ++f) sums[e][f] += column[e] * row[f];
  }
  __syncthreads();  // the tiles are about to be written again
}
for (int e = 0; e < EACH; ++e)
  for (int f = 0; f < EACH; ++f) {
    unsigned i = top + y + 16 * e, j = left + x + 16 * f;
    if (i < m && j < n) c[i * n + j] = static_cast<T>(sums[e][f]);
  }
"""

NAMES = {"inputs": ("a", "b"), "outputs": ("c",)}
ENTRY = Kernel("entry", **NAMES, metal=ENTRY_METAL, cuda=ENTRY_CUDA)
TILED = Kernel("tiled", **NAMES, metal=TILED_METAL, cuda=TILED_CUDA)
REGISTERS = Kernel("registers", **NAMES, metal=REGISTERS_METAL, cuda=REGISTERS_CUDA)
SIMDGROUP = Kernel("simdgroup", **NAMES, metal=SIMDGROUP_METAL, cuda="", header=HEADER)


def entry_kernel(a, b):
    """By hand for a GPU: a thread an entry, which fetches its row and its column by itself."""
    return _launch(ENTRY, a, b, side=TILE, threads=(TILE, TILE, 1), template={})


def tiled_kernel(a, b):
    """Let a group of 16 by 16 threads fetch tiles together: every number from memory is used 16 times."""
    return _launch(TILED, a, b, side=TILE, threads=(TILE, TILE, 1), template={"TILE": TILE})


def register_kernel(a, b):
    """Give a thread 16 entries in registers: 8 numbers from shared memory make 16 multiply-adds, instead of one."""
    return _launch(REGISTERS, a, b, side=SIDE, threads=(16, 16, 1), template={"SIDE": SIDE, "DEPTH": DEPTH})


def simdgroup_kernel(a, b):
    """Leave tiles of 8 by 8 to the simdgroup's matrix instructions: Apple's GPUs have them, for 32 lanes at once."""
    return _launch(SIMDGROUP, a, b, side=32, threads=(128, 1, 1), template={})


def _launch(kernel, a, b, side, threads, template):
    """A group of threads for every tile of side by side entries."""
    shape = (a.shape[0], b.shape[1])
    rows, columns = (-(-length // side) for length in shape)
    (c,) = kernel(
        a,
        b,
        template={"T": a.dtype, **template},
        grid=(columns * threads[0], rows * threads[1], 1),
        threadgroup=threads,
        shapes=(shape,),
        dtypes=(a.dtype,),
    )
    return c
