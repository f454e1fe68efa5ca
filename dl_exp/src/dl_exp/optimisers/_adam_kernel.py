"""The whole step as one kernel: a thread a weight, and a partial sum of the loss from each group of threads."""

from __future__ import annotations

from dl_exp.kernel import Kernel
from dl_exp.optimisers._adam_rules import METHODS

THREADS = 256  # of a group: 8 simdgroups

METAL = """
uint i = thread_position_in_grid.x, lane = thread_index_in_simdgroup, simdgroup = simdgroup_index_in_threadgroup;
const float rate = numbers[0], b1 = numbers[1], b2 = numbers[2], eps = numbers[3], decay = numbers[4];
const float q1 = numbers[5], q2 = numbers[6], c1 = numbers[7], c2 = numbers[8];
threadgroup float part[8];

float loss = 0;
if (i < N) {
  float x = w[i], d = x - c[i], g = a[i] * d, m_i = m[i], v_i = v[i];
  loss = 0.5f * g * d;
  if (METHOD == 1) m_i = b1 * m_i + g;
  if (METHOD >= 2) v_i = b2 * v_i + q2 * g * g;
  if (METHOD == 3) m_i = b1 * m_i + q1 * g;
  float step = METHOD == 0 ? g : METHOD == 1 ? m_i
      : METHOD == 2 ? g / (metal::sqrt(v_i) + eps) : m_i * c1 / (metal::sqrt(v_i * c2) + eps);
  w_new[i] = (x - decay * x) - rate * step;
  m_new[i] = m_i;
  v_new[i] = v_i;
}

loss = simd_sum(loss);
if (lane == 0) part[simdgroup] = loss;
threadgroup_barrier(mem_flags::mem_threadgroup);
loss = simd_sum(lane < 8 ? part[lane] : 0.0f);
if (thread_position_in_threadgroup.x == 0) losses[threadgroup_position_in_grid.x] = loss;
"""

CUDA = """
unsigned i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
const float rate = numbers[0], b1 = numbers[1], b2 = numbers[2], eps = numbers[3], decay = numbers[4];
const float q1 = numbers[5], q2 = numbers[6], c1 = numbers[7], c2 = numbers[8];
constexpr unsigned ALL = 0xFFFFFFFF;
__shared__ float part[8];

float loss = 0;
if (i < N) {
  float x = w[i], d = x - c[i], g = a[i] * d, m_i = m[i], v_i = v[i];
  loss = 0.5f * g * d;
  if (METHOD == 1) m_i = b1 * m_i + g;
  if (METHOD >= 2) v_i = b2 * v_i + q2 * g * g;
  if (METHOD == 3) m_i = b1 * m_i + q1 * g;
  float step = METHOD == 0 ? g : METHOD == 1 ? m_i
      : METHOD == 2 ? g / (sqrtf(v_i) + eps) : m_i * c1 / (sqrtf(v_i * c2) + eps);
  w_new[i] = (x - decay * x) - rate * step;
  m_new[i] = m_i;
  v_new[i] = v_i;
}

for (int d = 16; d > 0; d /= 2) loss += __shfl_xor_sync(ALL, loss, d);
if (lane == 0) part[warp] = loss;
__syncthreads();
loss = lane < 8 ? part[lane] : 0.0f;
for (int d = 16; d > 0; d /= 2) loss += __shfl_xor_sync(ALL, loss, d);
if (threadIdx.x == 0) losses[blockIdx.x] = loss;
"""

STEP = Kernel(
    "optimiser_step",
    inputs=("w", "a", "c", "m", "v", "numbers"),
    outputs=("w_new", "m_new", "v_new", "losses"),
    metal=METAL,
    cuda=CUDA,
)


def fused_kernel(w, a, c, updates, rule):
    """One kernel a step: everything of a weight is read once, and written once."""
    import mlx.core as mx

    n, losses = w.size, []
    m, v = mx.zeros_like(w), mx.zeros_like(w)
    groups = -(-n // THREADS)
    for t in range(1, updates + 1):
        corrections = (1 / (1 - rule.beta1**t), 1 / (1 - rule.beta2**t))
        numbers = (rule.rate, rule.beta1, rule.beta2, rule.epsilon, rule.rate * rule.decay)
        w, m, v, parts = STEP(
            w, a, c, m, v, mx.array([*numbers, 1 - rule.beta1, 1 - rule.beta2, *corrections]),
            template={"N": n, "METHOD": METHODS[rule.method]},
            grid=(THREADS * groups, 1, 1),
            threadgroup=(THREADS, 1, 1),
            shapes=(w.shape, w.shape, w.shape, (groups,)),
            dtypes=(w.dtype,) * 4,
        )  # fmt: skip
        losses.append(mx.sum(parts) / n)
    return mx.stack(losses), w
