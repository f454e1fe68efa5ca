"""The body of ``simdgroup_kernel``: a group is four simdgroups, and each has 2 by 2 of the 4 by 4 blocks of a tile.

Source: Metal Shading Language Specification 3.1, section 6.7, SIMD-group matrix functions.
"""

HEADER = """
#ifdef __METAL_VERSION__
#include <metal_simdgroup_matrix>
#endif
"""

SIMDGROUP_METAL = """
const uint m = a_shape[0], k = a_shape[1], n = b_shape[1];
const uint t = thread_index_in_threadgroup, simdgroup = simdgroup_index_in_threadgroup;
const uint top = 32 * threadgroup_position_in_grid.y, left = 32 * threadgroup_position_in_grid.x;
const uint y = 16 * (simdgroup / 2), x = 16 * (simdgroup % 2);  // of this simdgroup in the tile
threadgroup float A[32 * 16], B[16 * 32], C[32 * 32];
simdgroup_float8x8 sums[2][2];
for (int e = 0; e < 2; ++e)
  for (int f = 0; f < 2; ++f) sums[e][f] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);

for (uint p = 0; p < k; p += 16) {
  for (uint e = t; e < 32 * 16; e += 128) {
    uint i = top + e / 16, q = p + e % 16, r = p + e / 32, j = left + e % 32;
    A[e] = i < m && q < k ? float(a[i * k + q]) : 0.0f;
    B[e] = r < k && j < n ? float(b[r * n + j]) : 0.0f;
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint q = 0; q < 16; q += 8) {
    simdgroup_float8x8 columns[2], rows[2];
    for (int e = 0; e < 2; ++e) {
      simdgroup_load(columns[e], A + (y + 8 * e) * 16 + q, 16);
      simdgroup_load(rows[e], B + q * 32 + x + 8 * e, 32);
    }
    for (int e = 0; e < 2; ++e)
      for (int f = 0; f < 2; ++f) simdgroup_multiply_accumulate(sums[e][f], columns[e], rows[f], sums[e][f]);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are about to be written again
}
for (int e = 0; e < 2; ++e)
  for (int f = 0; f < 2; ++f) simdgroup_store(sums[e][f], C + (y + 8 * e) * 32 + x + 8 * f, 32);
threadgroup_barrier(mem_flags::mem_threadgroup);
for (uint e = t; e < 32 * 32; e += 128) {
  uint i = top + e / 32, j = left + e % 32;
  if (i < m && j < n) c[i * n + j] = T(C[e]);
}
"""
