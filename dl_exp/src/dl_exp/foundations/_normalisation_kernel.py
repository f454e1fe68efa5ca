"""Normalisation on a GPU: a group of threads for each row's set, two passes; a tile of threads for columns, Welford.

Template  T: element type; N: entries of a set; G: groups of a row; CENTRED: whether the mean is taken off.
          Of the columns: R rows, C channels.
"""

from __future__ import annotations

from dl_exp.kernel import Kernel

THREADS = 256  # of a set: eight simdgroups, or warps
WIDE, HIGH = 32, 8  # a tile of threads over columns: neighbours read neighbouring channels

ROWS_METAL = """
uint set = threadgroup_position_in_grid.x;
uint thread_ = thread_position_in_threadgroup.x;
uint lane = thread_index_in_simdgroup;
uint simd = simdgroup_index_in_threadgroup;
threadgroup float part[8];
float mean = 0;
if (CENTRED) {
  float total = 0;
  for (uint j = thread_; j < N; j += 256) total += float(x[set * N + j]);
  total = simd_sum(total);
  if (lane == 0) part[simd] = total;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // every part is there
  total = 0;
  for (uint s = 0; s < 8; ++s) total += part[s];
  mean = total / float(N);
  threadgroup_barrier(mem_flags::mem_threadgroup);  // everyone has read, before part is used again
}
float squares = 0;
for (uint j = thread_; j < N; j += 256) {
  float deviation = float(x[set * N + j]) - mean;
  squares += deviation * deviation;
}
squares = simd_sum(squares);
if (lane == 0) part[simd] = squares;
threadgroup_barrier(mem_flags::mem_threadgroup);  // every part is there
squares = 0;
for (uint s = 0; s < 8; ++s) squares += part[s];
float scale = metal::precise::rsqrt(squares / float(N) + 1e-5f);
uint channel = set % G * N;
for (uint j = thread_; j < N; j += 256) {
  float z = (float(x[set * N + j]) - mean) * scale;
  y[set * N + j] = T(z * float(w[channel + j]) + float(b[channel + j]));
}
"""

ROWS_CUDA = """
int set = blockIdx.x;
int lane = threadIdx.x % 32;
int warp = threadIdx.x / 32;
__shared__ float part[8];
float mean = 0;
if (CENTRED) {
  float total = 0;
  for (int j = threadIdx.x; j < N; j += 256) total += float(x[set * N + j]);
  for (int apart = 16; apart > 0; apart /= 2) total += __shfl_xor_sync(0xffffffff, total, apart);
  if (lane == 0) part[warp] = total;
  __syncthreads();  // every part is there
  total = 0;
  for (int s = 0; s < 8; ++s) total += part[s];
  mean = total / float(N);
  __syncthreads();  // everyone has read, before part is used again
}
float squares = 0;
for (int j = threadIdx.x; j < N; j += 256) {
  float deviation = float(x[set * N + j]) - mean;
  squares += deviation * deviation;
}
for (int apart = 16; apart > 0; apart /= 2) squares += __shfl_xor_sync(0xffffffff, squares, apart);
if (lane == 0) part[warp] = squares;
__syncthreads();  // every part is there
squares = 0;
for (int s = 0; s < 8; ++s) squares += part[s];
float scale = rsqrtf(squares / float(N) + 1e-5f);
int channel = set % G * N;
for (int j = threadIdx.x; j < N; j += 256) {
  float z = (float(x[set * N + j]) - mean) * scale;
  y[set * N + j] = T(z * float(w[channel + j]) + float(b[channel + j]));
}
"""

COLUMNS_METAL = """
uint column = thread_position_in_grid.x;
uint wide = thread_position_in_threadgroup.x;
uint high = thread_position_in_threadgroup.y;
threadgroup float count[8][32], mean[8][32], squares[8][32];
float k = 0, m = 0, q = 0;
if (column < C) {
  for (uint i = high; i < R; i += 8) {
    float entry = float(x[i * C + column]);
    float deviation = entry - m;
    k += 1;
    m += deviation / k;
    q += deviation * (entry - m);
  }
}
count[high][wide] = k;
mean[high][wide] = m;
squares[high][wide] = q;
for (uint half_ = 4; half_ > 0; half_ /= 2) {
  threadgroup_barrier(mem_flags::mem_threadgroup);  // what is merged now is there
  if (high < half_ && count[high + half_][wide] > 0) {
    float other = count[high + half_][wide];
    float both = k + other;
    float apart = mean[high + half_][wide] - m;
    m += apart * (other / both);
    q += squares[high + half_][wide] + apart * apart * (k * other / both);
    k = both;
    count[high][wide] = k;
    mean[high][wide] = m;
    squares[high][wide] = q;
  }
}
threadgroup_barrier(mem_flags::mem_threadgroup);  // the first row of threads has it all
if (column < C) {
  m = mean[0][wide];
  float scale = metal::precise::rsqrt(squares[0][wide] / float(R) + 1e-5f);
  for (uint i = high; i < R; i += 8) {
    float z = (float(x[i * C + column]) - m) * scale;
    y[i * C + column] = T(z * float(w[column]) + float(b[column]));
  }
}
"""

COLUMNS_CUDA = """
int column = blockIdx.x * 32 + threadIdx.x;
int wide = threadIdx.x;
int high = threadIdx.y;
__shared__ float count[8][32], mean[8][32], squares[8][32];
float k = 0, m = 0, q = 0;
if (column < C) {
  for (int i = high; i < R; i += 8) {
    float entry = float(x[i * C + column]);
    float deviation = entry - m;
    k += 1;
    m += deviation / k;
    q += deviation * (entry - m);
  }
}
count[high][wide] = k;
mean[high][wide] = m;
squares[high][wide] = q;
for (int half_ = 4; half_ > 0; half_ /= 2) {
  __syncthreads();  // what is merged now is there
  if (high < half_ && count[high + half_][wide] > 0) {
    float other = count[high + half_][wide];
    float both = k + other;
    float apart = mean[high + half_][wide] - m;
    m += apart * (other / both);
    q += squares[high + half_][wide] + apart * apart * (k * other / both);
    k = both;
    count[high][wide] = k;
    mean[high][wide] = m;
    squares[high][wide] = q;
  }
}
__syncthreads();  // the first row of threads has it all
if (column < C) {
  m = mean[0][wide];
  float scale = rsqrtf(squares[0][wide] / float(R) + 1e-5f);
  for (int i = high; i < R; i += 8) {
    float z = (float(x[i * C + column]) - m) * scale;
    y[i * C + column] = T(z * float(w[column]) + float(b[column]));
  }
}
"""

ROWS = Kernel("normalise_rows", inputs=("x", "w", "b"), outputs=("y",), metal=ROWS_METAL, cuda=ROWS_CUDA)
COLUMNS = Kernel("normalise_columns", inputs=("x", "w", "b"), outputs=("y",), metal=COLUMNS_METAL, cuda=COLUMNS_CUDA)


def kernel(x, w, b, kind, groups):
    """Written by hand for the GPU: x is read twice from its cache, and y written once; columns by merged Welford."""
    rows, channels = x.shape
    result = {"shapes": (x.shape,), "dtypes": (x.dtype,)}
    if kind == "batch":
        template = {"T": x.dtype, "R": rows, "C": channels}
        grid = (WIDE * -(-channels // WIDE), HIGH, 1)
        (y,) = COLUMNS(x, w, b, template=template, grid=grid, threadgroup=(WIDE, HIGH, 1), **result)
    else:
        template = {"T": x.dtype, "N": channels // groups, "G": groups, "CENTRED": kind != "rms"}
        grid = (THREADS * rows * groups, 1, 1)
        (y,) = ROWS(x, w, b, template=template, grid=grid, threadgroup=(THREADS, 1, 1), **result)
    return y
