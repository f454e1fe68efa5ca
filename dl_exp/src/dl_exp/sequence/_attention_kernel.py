"""Flash attention on a GPU: four simdgroups share tiles of keys and of values; each has four queries, a lane a key.

Template  T: element type; D: numbers in a query, up to 128; L queries, S keys, H heads, G groups; CAUSAL.
"""

from __future__ import annotations

from dl_exp.kernel import Kernel
from exp_core import Skip

THREADS, QUERIES = 128, 16  # of a group
MOST = 128  # numbers in a query: keys and values in turn fill 17 of the 32 KB of shared memory, queries 8

METAL = """
constexpr int ROWS = 4, KEYS = 32, PARTS = (D + 31) / 32;
int thread_ = thread_position_in_threadgroup.x, lane = thread_index_in_simdgroup;
int first = threadgroup_position_in_grid.x * 16, head = threadgroup_position_in_grid.y;
int row = simdgroup_index_in_threadgroup * ROWS;  // of the tile of queries
int group = head / (H / G);
threadgroup float queries[16][D], tile[KEYS][D + 1];  // one more: lanes that read a column meet different banks

for (int i = thread_; i < 16 * D; i += 128) {
  int query = first + i / D;
  queries[i / D][i % D] = query < L ? float(q[(head * L + query) * D + i % D]) / metal::precise::sqrt(float(D)) : 0.0f;
}
float m[ROWS], total[ROWS], sums[ROWS][PARTS];
for (int r = 0; r < ROWS; ++r) {
  m[r] = -INFINITY;
  total[r] = 0;
  for (int c = 0; c < PARTS; ++c) sums[r][c] = 0;
}

int last = CAUSAL ? metal::min(S, first + 16 + S - L) : S;  // no query of the tile sees more keys
for (int start = 0; start < last; start += KEYS) {
  for (int i = thread_; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(k[(group * S + start) * D + i]) : 0.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // queries and keys are there
  float score[ROWS];
  for (int r = 0; r < ROWS; ++r) score[r] = 0;
  for (int e = 0; e < D; ++e) {
    float key = tile[lane][e];
    for (int r = 0; r < ROWS; ++r) score[r] += queries[row + r][e] * key;
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the keys are used
  for (int i = thread_; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(v[(group * S + start) * D + i]) : 0.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the values are there
  for (int r = 0; r < ROWS; ++r) {
    int key = start + lane, query = first + row + r;
    bool hidden = key >= S || (CAUSAL && key > query + S - L);
    float larger = metal::max(m[r], simd_max(hidden ? -INFINITY : score[r]));
    float shift = larger == -INFINITY ? 0.0f : larger;  // a query that has seen nothing yet
    float weight = hidden ? 0.0f : metal::exp(score[r] - shift), shrink = metal::exp(m[r] - shift);
    total[r] = total[r] * shrink + simd_sum(weight);
    m[r] = larger;
    for (int c = 0; c < PARTS; ++c) sums[r][c] *= shrink;
    for (int j = 0; j < KEYS; ++j) {
      float of_key = simd_shuffle(weight, ushort(j));
      for (int c = 0; c < PARTS; ++c)
        if (c * 32 + lane < D) sums[r][c] += of_key * tile[j][c * 32 + lane];
    }
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the values are used
}
for (int r = 0; r < ROWS; ++r) {
  int query = first + row + r;
  if (query < L && lane == 0) logsum[head * L + query] = total[r] == 0 ? INFINITY : m[r] + metal::log(total[r]);
  for (int c = 0; c < PARTS; ++c)
    if (query < L && c * 32 + lane < D)
      o[(head * L + query) * D + c * 32 + lane] = T(total[r] == 0 ? 0.0f : sums[r][c] / total[r]);
}
"""

CUDA = """
constexpr int ROWS = 4, KEYS = 32, PARTS = (D + 31) / 32;
constexpr unsigned ALL = 0xFFFFFFFF;
int lane = threadIdx.x % 32, first = blockIdx.x * 16, head = blockIdx.y;
int row = threadIdx.x / 32 * ROWS;  // of the tile of queries
int group = head / (H / G);
__shared__ float queries[16][D], tile[KEYS][D + 1];  // one more: lanes that read a column meet different banks

for (int i = threadIdx.x; i < 16 * D; i += 128) {
  int query = first + i / D;
  queries[i / D][i % D] = query < L ? float(q[(head * L + query) * D + i % D]) / sqrtf(float(D)) : 0.0f;
}
float m[ROWS], total[ROWS], sums[ROWS][PARTS];
for (int r = 0; r < ROWS; ++r) {
  m[r] = -INFINITY;
  total[r] = 0;
  for (int c = 0; c < PARTS; ++c) sums[r][c] = 0;
}

int last = CAUSAL ? min(S, first + 16 + S - L) : S;  // no query of the tile sees more keys
for (int start = 0; start < last; start += KEYS) {
  for (int i = threadIdx.x; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(k[(group * S + start) * D + i]) : 0.0f;
  __syncthreads();  // queries and keys are there
  float score[ROWS];
  for (int r = 0; r < ROWS; ++r) score[r] = 0;
  for (int e = 0; e < D; ++e) {
    float key = tile[lane][e];
    for (int r = 0; r < ROWS; ++r) score[r] += queries[row + r][e] * key;
  }
  __syncthreads();  // the keys are used
  for (int i = threadIdx.x; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(v[(group * S + start) * D + i]) : 0.0f;
  __syncthreads();  // the values are there
  for (int r = 0; r < ROWS; ++r) {
    int key = start + lane, query = first + row + r;
    bool hidden = key >= S || (CAUSAL && key > query + S - L);
    float larger = hidden ? -INFINITY : score[r];
    for (int d = 16; d > 0; d /= 2) larger = fmaxf(larger, __shfl_xor_sync(ALL, larger, d));
    larger = fmaxf(m[r], larger);
    float shift = larger == -INFINITY ? 0.0f : larger;  // a query that has seen nothing yet
    float weight = hidden ? 0.0f : expf(score[r] - shift), shrink = expf(m[r] - shift);
    float added = weight;
    for (int d = 16; d > 0; d /= 2) added += __shfl_xor_sync(ALL, added, d);
    total[r] = total[r] * shrink + added;
    m[r] = larger;
    for (int c = 0; c < PARTS; ++c) sums[r][c] *= shrink;
    for (int j = 0; j < KEYS; ++j) {
      float of_key = __shfl_sync(ALL, weight, j);
      for (int c = 0; c < PARTS; ++c)
        if (c * 32 + lane < D) sums[r][c] += of_key * tile[j][c * 32 + lane];
    }
  }
  __syncthreads();  // the values are used
}
for (int r = 0; r < ROWS; ++r) {
  int query = first + row + r;
  if (query < L && lane == 0) logsum[head * L + query] = total[r] == 0 ? INFINITY : m[r] + logf(total[r]);
  for (int c = 0; c < PARTS; ++c)
    if (query < L && c * 32 + lane < D)
      o[(head * L + query) * D + c * 32 + lane] = T(total[r] == 0 ? 0.0f : sums[r][c] / total[r]);
}
"""

FLASH = Kernel("flash_attention", inputs=("q", "k", "v"), outputs=("o", "logsum"), metal=METAL, cuda=CUDA)


def kernel(q, k, v, causal):
    """By hand for a GPU: tiles of keys and values in shared memory, sums in the registers of the lanes."""
    return with_logsum(q, k, v, causal)[0]


def with_logsum(q, k, v, causal):
    """The result and, (heads, length) in float32, $\\log \\sum_j e^{s_{ij}}$; infinite where a query sees nothing."""
    import mlx.core as mx

    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    return FLASH(
        q,
        k,
        v,
        template={"T": q.dtype, "D": dim, "L": length, "S": keys, "H": heads, "G": groups, "CAUSAL": causal},
        grid=(THREADS * -(-length // QUERIES), heads, 1),
        threadgroup=(THREADS, 1, 1),
        shapes=(q.shape, (heads, length)),
        dtypes=(q.dtype, mx.float32),
    )


def too_wide(q, k, v, causal):
    """Shared memory is finite."""
    if q.shape[2] > MOST:
        return Skip(f"its tiles are made for queries of at most {MOST} numbers", f"--dim {MOST}")
    return None
