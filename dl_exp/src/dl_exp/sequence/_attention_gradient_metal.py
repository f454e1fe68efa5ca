"""The bodies in Metal of flash attention's gradient; those in CUDA beside it say the same, line by line.

of_queries  a group has 16 queries, four a simdgroup; tiles of 32 values and keys pass by, a lane each.
of_keys     a group has 16 keys, four a simdgroup; tiles of 32 queries pass by, those of all heads that share the keys.
"""

OF_QUERIES = """
constexpr int ROWS = 4, KEYS = 32, PARTS = (D + 31) / 32;
int thread_ = thread_position_in_threadgroup.x, lane = thread_index_in_simdgroup;
int first = threadgroup_position_in_grid.x * 16, head = threadgroup_position_in_grid.y;
int row = simdgroup_index_in_threadgroup * ROWS;  // of the tile of queries
int group = head / (H / G);
float scale = 1.0f / metal::precise::sqrt(float(D));
threadgroup float queries[16][D], gradients[16][D], tile[KEYS][D + 1];

for (int i = thread_; i < 16 * D; i += 128) {
  bool inside = first + i / D < L;
  queries[i / D][i % D] = inside ? float(q[(head * L + first) * D + i]) : 0.0f;
  gradients[i / D][i % D] = inside ? float(dout[(head * L + first) * D + i]) : 0.0f;
}
float along[ROWS], sums[ROWS][PARTS];
for (int r = 0; r < ROWS; ++r) {
  int query = first + row + r;
  float product = 0;
  for (int e = lane; e < D && query < L; e += 32)
    product += float(o[(head * L + query) * D + e]) * float(dout[(head * L + query) * D + e]);
  along[r] = simd_sum(product);
  if (query < L && lane == 0) sent[head * L + query] = along[r];
  for (int c = 0; c < PARTS; ++c) sums[r][c] = 0;
}

int last = CAUSAL ? metal::min(S, first + 16 + S - L) : S;  // no query of the tile sees more keys
for (int start = 0; start < last; start += KEYS) {
  for (int i = thread_; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(v[(group * S + start) * D + i]) : 0.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // queries, gradients and values are there
  float score[ROWS], back[ROWS];
  for (int r = 0; r < ROWS; ++r) score[r] = back[r] = 0;
  for (int e = 0; e < D; ++e)
    for (int r = 0; r < ROWS; ++r) back[r] += gradients[row + r][e] * tile[lane][e];
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the values are used
  for (int i = thread_; i < KEYS * D; i += 128)
    tile[i / D][i % D] = start + i / D < S ? float(k[(group * S + start) * D + i]) : 0.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the keys are there
  for (int e = 0; e < D; ++e)
    for (int r = 0; r < ROWS; ++r) score[r] += queries[row + r][e] * tile[lane][e];
  for (int r = 0; r < ROWS; ++r) {
    int key = start + lane, query = first + row + r;
    bool hidden = query >= L || key >= S || (CAUSAL && key > query + S - L);
    float weight = hidden ? 0.0f : metal::exp(score[r] * scale - logsum[head * L + query]);
    float ds = weight * (back[r] - along[r]) * scale;
    for (int j = 0; j < KEYS; ++j) {
      float of_key = simd_shuffle(ds, ushort(j));
      for (int c = 0; c < PARTS; ++c)
        if (c * 32 + lane < D) sums[r][c] += of_key * tile[j][c * 32 + lane];
    }
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the keys are used
}
for (int r = 0; r < ROWS; ++r)
  for (int c = 0; c < PARTS; ++c)
    if (first + row + r < L && c * 32 + lane < D)
      dq[(head * L + first + row + r) * D + c * 32 + lane] = T(sums[r][c]);
"""

OF_KEYS = """
constexpr int ROWS = 4, QUERIES = 32, PARTS = (D + 31) / 32;
int thread_ = thread_position_in_threadgroup.x, lane = thread_index_in_simdgroup;
int first = threadgroup_position_in_grid.x * 16, group = threadgroup_position_in_grid.y;
int row = simdgroup_index_in_threadgroup * ROWS;  // of the tile of keys
float scale = 1.0f / metal::precise::sqrt(float(D));
threadgroup float keys[16][D], values[16][D], tile[QUERIES][D + 1];

for (int i = thread_; i < 16 * D; i += 128) {
  bool inside = first + i / D < S;
  keys[i / D][i % D] = inside ? float(k[(group * S + first) * D + i]) : 0.0f;
  values[i / D][i % D] = inside ? float(v[(group * S + first) * D + i]) : 0.0f;
}
float of_k[ROWS][PARTS], of_v[ROWS][PARTS];
for (int r = 0; r < ROWS; ++r)
  for (int c = 0; c < PARTS; ++c) of_k[r][c] = of_v[r][c] = 0;

int begin = CAUSAL ? metal::max(0, first + L - S) / QUERIES * QUERIES : 0;  // earlier queries see none of these keys
for (int head = group * (H / G); head < (group + 1) * (H / G); ++head)
  for (int start = begin; start < L; start += QUERIES) {
    int query = start + lane;
    for (int i = thread_; i < QUERIES * D; i += 128)
      tile[i / D][i % D] = start + i / D < L ? float(q[(head * L + start) * D + i]) : 0.0f;
    threadgroup_barrier(mem_flags::mem_threadgroup);  // keys, values and queries are there
    float weight[ROWS], back[ROWS];
    for (int r = 0; r < ROWS; ++r) weight[r] = back[r] = 0;
    for (int e = 0; e < D; ++e)
      for (int r = 0; r < ROWS; ++r) weight[r] += keys[row + r][e] * tile[lane][e];
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the queries are used
    for (int i = thread_; i < QUERIES * D; i += 128)
      tile[i / D][i % D] = start + i / D < L ? float(dout[(head * L + start) * D + i]) : 0.0f;
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the gradients are there
    for (int e = 0; e < D; ++e)
      for (int r = 0; r < ROWS; ++r) back[r] += values[row + r][e] * tile[lane][e];
    for (int r = 0; r < ROWS; ++r) {
      int key = first + row + r;
      bool hidden = query >= L || key >= S || (CAUSAL && key > query + S - L);
      weight[r] = hidden ? 0.0f : metal::exp(weight[r] * scale - logsum[head * L + query]);
      back[r] = hidden ? 0.0f : weight[r] * (back[r] - sent[head * L + query]) * scale;
      for (int i = 0; i < QUERIES; ++i) {
        float of_query = simd_shuffle(weight[r], ushort(i));
        for (int c = 0; c < PARTS; ++c)
          if (c * 32 + lane < D) of_v[r][c] += of_query * tile[i][c * 32 + lane];
      }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the gradients are used
    for (int i = thread_; i < QUERIES * D; i += 128)
      tile[i / D][i % D] = start + i / D < L ? float(q[(head * L + start) * D + i]) : 0.0f;
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the queries are there again
    for (int r = 0; r < ROWS; ++r)
      for (int i = 0; i < QUERIES; ++i) {
        float of_query = simd_shuffle(back[r], ushort(i));
        for (int c = 0; c < PARTS; ++c)
          if (c * 32 + lane < D) of_k[r][c] += of_query * tile[i][c * 32 + lane];
      }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and used
  }
for (int r = 0; r < ROWS; ++r)
  for (int c = 0; c < PARTS; ++c)
    if (first + row + r < S && c * 32 + lane < D) {
      dk[(group * S + first + row + r) * D + c * 32 + lane] = T(of_k[r][c]);
      dv[(group * S + first + row + r) * D + c * 32 + lane] = T(of_v[r][c]);
    }
"""
