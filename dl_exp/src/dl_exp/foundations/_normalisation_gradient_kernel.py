"""The gradient of normalisation on a GPU: a group of threads a row for dx, a tile of threads over columns for dw, db.

Template  T: element type; N: channels; R: rows; CENTRED: Layer, not RMS.
The first kernel leaves mean and r of every row, (rows, 2), for the second.
"""

from __future__ import annotations

from dl_exp.kernel import Kernel

THREADS = 256  # of a row: eight simdgroups, or warps
WIDE, HIGH = 32, 8  # a tile of threads over columns

ROWS_METAL = """
uint row = threadgroup_position_in_grid.x, thread_ = thread_position_in_threadgroup.x;
uint lane = thread_index_in_simdgroup, simd = simdgroup_index_in_threadgroup;
threadgroup float before[8][2], after[8][2];
float mean = 0, of_mean = 0;
if (CENTRED) {
  float total = 0, gradients = 0;
  for (uint j = thread_; j < N; j += 256) {
    total += float(x[row * N + j]);
    gradients += float(w[j]) * float(dy[row * N + j]);
  }
  total = simd_sum(total);
  gradients = simd_sum(gradients);
  if (lane == 0) before[simd][0] = total;
  if (lane == 0) before[simd][1] = gradients;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint s = 0; s < 8; ++s) mean += before[s][0];
  for (uint s = 0; s < 8; ++s) of_mean += before[s][1];
  mean /= float(N);
  of_mean /= float(N);
}
float squares = 0, products = 0;
for (uint j = thread_; j < N; j += 256) {
  float deviation = float(x[row * N + j]) - mean;
  squares += deviation * deviation;
  products += float(w[j]) * float(dy[row * N + j]) * deviation;
}
squares = simd_sum(squares);
products = simd_sum(products);
if (lane == 0) after[simd][0] = squares;
if (lane == 0) after[simd][1] = products;
threadgroup_barrier(mem_flags::mem_threadgroup);
squares = products = 0;
for (uint s = 0; s < 8; ++s) squares += after[s][0];
for (uint s = 0; s < 8; ++s) products += after[s][1];
float r = metal::precise::rsqrt(squares / float(N) + 1e-5f);
float of_variance = products * r / float(N);
for (uint j = thread_; j < N; j += 256) {
  float z = (float(x[row * N + j]) - mean) * r;
  dx[row * N + j] = T(r * (float(w[j]) * float(dy[row * N + j]) - of_mean - z * of_variance));
}
if (thread_ == 0) moments[2 * row] = mean;
if (thread_ == 0) moments[2 * row + 1] = r;
"""

ROWS_CUDA = """
int row = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
constexpr unsigned ALL = 0xFFFFFFFF;
__shared__ float before[8][2], after[8][2];
float mean = 0, of_mean = 0;
if (CENTRED) {
  float total = 0, gradients = 0;
  for (int j = threadIdx.x; j < N; j += 256) {
    total += float(x[row * N + j]);
    gradients += float(w[j]) * float(dy[row * N + j]);
  }
  for (int d = 16; d > 0; d /= 2) total += __shfl_xor_sync(ALL, total, d);
  for (int d = 16; d > 0; d /= 2) gradients += __shfl_xor_sync(ALL, gradients, d);
  if (lane == 0) before[warp][0] = total;
  if (lane == 0) before[warp][1] = gradients;
  __syncthreads();
  for (int s = 0; s < 8; ++s) mean += before[s][0];
  for (int s = 0; s < 8; ++s) of_mean += before[s][1];
  mean /= float(N);
  of_mean /= float(N);
}
float squares = 0, products = 0;
for (int j = threadIdx.x; j < N; j += 256) {
  float deviation = float(x[row * N + j]) - mean;
  squares += deviation * deviation;
  products += float(w[j]) * float(dy[row * N + j]) * deviation;
}
for (int d = 16; d > 0; d /= 2) squares += __shfl_xor_sync(ALL, squares, d);
for (int d = 16; d > 0; d /= 2) products += __shfl_xor_sync(ALL, products, d);
if (lane == 0) after[warp][0] = squares;
if (lane == 0) after[warp][1] = products;
__syncthreads();
squares = products = 0;
for (int s = 0; s < 8; ++s) squares += after[s][0];
for (int s = 0; s < 8; ++s) products += after[s][1];
float r = rsqrtf(squares / float(N) + 1e-5f);
float of_variance = products * r / float(N);
for (int j = threadIdx.x; j < N; j += 256) {
  float z = (float(x[row * N + j]) - mean) * r;
  dx[row * N + j] = T(r * (float(w[j]) * float(dy[row * N + j]) - of_mean - z * of_variance));
}
if (threadIdx.x == 0) moments[2 * row] = mean;
if (threadIdx.x == 0) moments[2 * row + 1] = r;
"""

COLUMNS_METAL = """
uint column = thread_position_in_grid.x;
uint wide = thread_position_in_threadgroup.x, high = thread_position_in_threadgroup.y;
threadgroup float of_w[8][32], of_b[8][32];
float to_w = 0, to_b = 0;
if (column < N) {
  for (uint i = high; i < R; i += 8) {
    float d = float(dy[i * N + column]);
    to_w += d * ((float(x[i * N + column]) - moments[2 * i]) * moments[2 * i + 1]);
    to_b += d;
  }
}
of_w[high][wide] = to_w;
of_b[high][wide] = to_b;
threadgroup_barrier(mem_flags::mem_threadgroup);
if (high == 0 && column < N) {
  for (uint s = 1; s < 8; ++s) to_w += of_w[s][wide];
  for (uint s = 1; s < 8; ++s) to_b += of_b[s][wide];
  dw[column] = T(to_w);
  db[column] = T(to_b);
}
"""

COLUMNS_CUDA = """
int column = blockIdx.x * 32 + threadIdx.x, wide = threadIdx.x, high = threadIdx.y;
__shared__ float of_w[8][32], of_b[8][32];
float to_w = 0, to_b = 0;
if (column < N) {
  for (int i = high; i < R; i += 8) {
    float d = float(dy[i * N + column]);
    to_w += d * ((float(x[i * N + column]) - moments[2 * i]) * moments[2 * i + 1]);
    to_b += d;
  }
}
of_w[high][wide] = to_w;
of_b[high][wide] = to_b;
__syncthreads();
if (high == 0 && column < N) {
  for (int s = 1; s < 8; ++s) to_w += of_w[s][wide];
  for (int s = 1; s < 8; ++s) to_b += of_b[s][wide];
  dw[column] = T(to_w);
  db[column] = T(to_b);
}
"""

ROWS = Kernel(
    "normalise_rows_back", inputs=("x", "w", "dy"), outputs=("dx", "moments"), metal=ROWS_METAL, cuda=ROWS_CUDA
)
COLUMNS = Kernel(
    "normalise_columns_back",
    inputs=("x", "dy", "moments"),
    outputs=("dw", "db"),
    metal=COLUMNS_METAL,
    cuda=COLUMNS_CUDA,
)


def kernel(x, w, dy, kind):
    """By hand for a GPU: two kernels, since dx adds up along rows, dw and db down the columns."""
    dx, moments = _rows(x, w, dy, kind != "rms")
    return dx, *_columns(x, dy, moments)


def _rows(x, w, dy, centred):
    import mlx.core as mx

    rows, n = x.shape
    return ROWS(
        x,
        w,
        dy,
        template={"T": x.dtype, "N": n, "CENTRED": centred},
        grid=(THREADS * rows, 1, 1),
        threadgroup=(THREADS, 1, 1),
        shapes=(x.shape, (rows, 2)),
        dtypes=(x.dtype, mx.float32),
    )


def _columns(x, dy, moments):
    rows, n = x.shape
    return COLUMNS(
        x,
        dy,
        moments,
        template={"T": x.dtype, "N": n, "R": rows},
        grid=(WIDE * -(-n // WIDE), HIGH, 1),
        threadgroup=(WIDE, HIGH, 1),
        shapes=((n,), (n,)),
        dtypes=(x.dtype, x.dtype),
    )
