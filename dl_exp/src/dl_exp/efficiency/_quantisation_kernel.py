"""The product with packed weights as a kernel: 32 threads a result, who read neighbouring words and add at the end."""

from __future__ import annotations

from dl_exp.efficiency._quantisation_codes import bits_of
from dl_exp.kernel import Kernel

LANES = 32

METAL = """
uint o = threadgroup_position_in_grid.x, r = threadgroup_position_in_grid.y, lane = thread_index_in_simdgroup;
constexpr uint PER_WORD = 32 / BITS, MASK = (1u << BITS) - 1, WORDS = K / PER_WORD;

float total = 0;
for (uint j = lane; j < WORDS; j += 32) {
  uint word = packed[o * WORDS + j], group = o * (K / GROUP) + j * PER_WORD / GROUP;
  float with_codes = 0, alone = 0;
  for (uint i = 0; i < PER_WORD; i++) {
    float x_i = x[r * K + j * PER_WORD + i];
    with_codes += x_i * float((word >> (i * BITS)) & MASK);
    alone += x_i;
  }
  total += scales[group] * with_codes + biases[group] * alone;
}
total = simd_sum(total);
if (lane == 0) y[r * OUT + o] = total;
"""

CUDA = """
unsigned o = blockIdx.x, r = blockIdx.y, lane = threadIdx.x;
constexpr unsigned PER_WORD = 32 / BITS, MASK = (1u << BITS) - 1, WORDS = K / PER_WORD;

float total = 0;
for (unsigned j = lane; j < WORDS; j += 32) {
  unsigned word = packed[o * WORDS + j], group = o * (K / GROUP) + j * PER_WORD / GROUP;
  float with_codes = 0, alone = 0;
  for (unsigned i = 0; i < PER_WORD; i++) {
    float x_i = x[r * K + j * PER_WORD + i];
    with_codes += x_i * static_cast<float>((word >> (i * BITS)) & MASK);
    alone += x_i;
  }
  total += scales[group] * with_codes + biases[group] * alone;
}
for (int d = 16; d > 0; d /= 2) total += __shfl_xor_sync(0xFFFFFFFF, total, d);
if (lane == 0) y[r * OUT + o] = total;
"""

PRODUCT = Kernel("quantised_product", ("x", "packed", "scales", "biases"), ("y",), metal=METAL, cuda=CUDA)


def kernel(x, packed, scales, biases):
    """By hand for a GPU: weights leave the memory as codes, and a group's scale meets the sum and not each weight."""
    (rows, k), (out, groups) = x.shape, scales.shape
    (y,) = PRODUCT(
        x,
        packed,
        scales,
        biases,
        template={"K": k, "OUT": out, "BITS": bits_of(x, packed), "GROUP": k // groups},
        grid=(LANES * out, rows, 1),
        threadgroup=(LANES, 1, 1),
        shapes=((rows, out),),
        dtypes=(x.dtype,),
    )
    return y
