// What a CUDA body may use (CUDA C++ Programming Guide, language extensions), on the emulated GPU.
#pragma once
#define __CUDACC__
#define __CUDA_ARCH__ 800
#include "numbers.hpp"

typedef gpu::Half __half;
typedef gpu::Half half;
typedef gpu::Bfloat __nv_bfloat16;
typedef gpu::Bfloat nv_bfloat16;
#define GPU_VECTOR(T, N) using T##N = gpu::Vector<T, N>; \
  template <class... A> T##N make_##T##N(A... a) { return T##N(a...); }
#define GPU_VECTORS(T) GPU_VECTOR(T, 2) GPU_VECTOR(T, 3) GPU_VECTOR(T, 4)
GPU_VECTORS(float) GPU_VECTORS(int) GPU_VECTORS(uint) GPU_VECTORS(short) GPU_VECTORS(ushort) GPU_VECTORS(char) GPU_VECTORS(uchar)
#undef GPU_VECTOR
#undef GPU_VECTORS
using __half2 = gpu::Vector<__half, 2>;
using __nv_bfloat162 = gpu::Vector<__nv_bfloat16, 2>;
using dim3 = uint3;

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __noinline__
#define __restrict__
#define __restrict
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __constant__ static const

#define warpSize 32
#define threadIdx (gpu::self().position)
#define blockIdx (gpu::group.position)
#define blockDim (gpu::group.whole)
#define gridDim (gpu::group.count)

// ---- functions of numbers
#define GPU_FUNCTION(name, formula) \
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> || gpu::is_small<T>>> \
  auto name(T v) { return gpu::through_float(v, [](float x) { return formula; }); } \
  inline float name##f(float x) { return formula; }
GPU_FUNCTION(exp, std::exp(x)) GPU_FUNCTION(exp2, std::exp2(x)) GPU_FUNCTION(exp10, std::pow(10.0f, x)) GPU_FUNCTION(expm1, std::expm1(x))
GPU_FUNCTION(log, std::log(x)) GPU_FUNCTION(log2, std::log2(x)) GPU_FUNCTION(log10, std::log10(x)) GPU_FUNCTION(log1p, std::log1p(x))
GPU_FUNCTION(sqrt, std::sqrt(x)) GPU_FUNCTION(rsqrt, 1.0f / std::sqrt(x)) GPU_FUNCTION(erf, std::erf(x))
GPU_FUNCTION(sin, std::sin(x)) GPU_FUNCTION(cos, std::cos(x)) GPU_FUNCTION(tan, std::tan(x))
GPU_FUNCTION(sinh, std::sinh(x)) GPU_FUNCTION(cosh, std::cosh(x)) GPU_FUNCTION(tanh, std::tanh(x))
GPU_FUNCTION(floor, std::floor(x)) GPU_FUNCTION(ceil, std::ceil(x)) GPU_FUNCTION(trunc, std::trunc(x))
GPU_FUNCTION(round, std::round(x)) GPU_FUNCTION(rint, std::nearbyint(x)) GPU_FUNCTION(fabs, std::fabs(x))
#undef GPU_FUNCTION
#define GPU_FUNCTION(name, formula) \
  inline float name(float a, float b) { return formula; } \
  inline float name##f(float a, float b) { return formula; }
GPU_FUNCTION(fmax, std::fmax(a, b)) GPU_FUNCTION(fmin, std::fmin(a, b)) GPU_FUNCTION(pow, std::pow(a, b))
GPU_FUNCTION(fmod, std::fmod(a, b)) GPU_FUNCTION(atan2, std::atan2(a, b)) GPU_FUNCTION(copysign, std::copysign(a, b))
#undef GPU_FUNCTION
inline float fma(float a, float b, float c) { return std::fma(a, b, c); }
inline float fmaf(float a, float b, float c) { return std::fma(a, b, c); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return std::fmin(std::fmax(x, 0.0f), 1.0f); }
template <class T> T max(T a, T b) { return a < b ? b : a; }
template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T abs(T x) { return x < T(0) ? T(-x) : x; }
template <class T> bool isnan(T x) { return std::isnan(float(x)); }
template <class T> bool isinf(T x) { return std::isinf(float(x)); }
template <class T> bool isfinite(T x) { return std::isfinite(float(x)); }
inline float __half2float(__half x) { return float(x); }
inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return float(x); }
inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
inline int __popc(uint x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(uint(x)) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __float_as_int(float x) { return gpu::same_bits<int>(x); }
inline uint __float_as_uint(float x) { return gpu::same_bits<uint>(x); }
inline float __int_as_float(int x) { return gpu::same_bits<float>(x); }
inline float __uint_as_float(uint x) { return gpu::same_bits<float>(x); }
template <class T, class S> T __ldg(gpu::Pointer<const T, S> p) { return *p; }
template <class T> T __ldg(const T* p) { return *p; }

// ---- barriers and operations of a warp
inline void __syncthreads(GPU_LINE) { gpu::group_barrier(line, gpu::ORDERS_SHARED | gpu::ORDERS_DEVICE); }
inline void __syncwarp(uint mask = 0xFFFFFFFFu, GPU_LINE) { gpu::simd_barrier(line, mask); }
inline void __threadfence() {}
inline void __threadfence_block() {}
namespace gpu {
// Within segments of `width` lanes, as the shuffles of CUDA have it.
inline long in_segment(long from, int width) {
  long first = long(lane()) / width * width;
  return from < first || from >= first + width ? long(lane()) : from;
}
inline void named_itself(uint mask, int line) {
  if (!(mask >> lane() & 1)) fail(line_text(line) + ": the mask does not name lane " + std::to_string(lane()) + ", which calls");
}
}  // namespace gpu
#define GPU_SHUFFLE(name, from) \
  template <class T> T name(uint mask, T v, int d, int width = 32, GPU_LINE) { \
    gpu::named_itself(mask, line); \
    return gpu::shuffle(v, gpu::in_segment(from, width), line, mask); \
  }
GPU_SHUFFLE(__shfl_sync, long(gpu::lane()) / width * width + d % width)
GPU_SHUFFLE(__shfl_xor_sync, long(gpu::lane()) ^ d)
GPU_SHUFFLE(__shfl_down_sync, long(gpu::lane()) + d)
GPU_SHUFFLE(__shfl_up_sync, long(gpu::lane()) - d)
#undef GPU_SHUFFLE
#define GPU_REDUCTION(name, T, R, formula) \
  inline R name(uint mask, T v, GPU_LINE) { \
    gpu::named_itself(mask, line); \
    return R(gpu::reduce(v, line, mask, [](T a, T b) { return T(formula); })); \
  }
GPU_REDUCTION(__reduce_add_sync, int, int, a + b) GPU_REDUCTION(__reduce_max_sync, int, int, max(a, b)) GPU_REDUCTION(__reduce_min_sync, int, int, min(a, b))
GPU_REDUCTION(__any_sync, bool, int, a || b) GPU_REDUCTION(__all_sync, bool, int, a && b)
#undef GPU_REDUCTION
inline uint __ballot_sync(uint mask, int v, GPU_LINE) {
  gpu::named_itself(mask, line);
  return gpu::reduce(v ? 1u << gpu::lane() : 0u, line, mask, [](uint a, uint b) { return a | b; });
}

// ---- atomics: on one processor every operation is one
#define GPU_ATOMIC(name, formula) \
  template <class T, class U> T name(T* p, U given, GPU_LINE) { \
    return gpu::atomically(p, gpu::find(p), line, true, [&](T old) { T v = T(given); (void)v; (void)old; return T(formula); }); } \
  template <class T, class S, class U> T name(gpu::Pointer<T, S> p, U given, GPU_LINE) { return name(p.p, given, line); }
GPU_ATOMIC(atomicAdd, old + v) GPU_ATOMIC(atomicSub, old - v) GPU_ATOMIC(atomicMax, max(old, v)) GPU_ATOMIC(atomicMin, min(old, v))
GPU_ATOMIC(atomicExch, v) GPU_ATOMIC(atomicOr, old | v) GPU_ATOMIC(atomicAnd, old & v) GPU_ATOMIC(atomicXor, old ^ v)
#undef GPU_ATOMIC
template <class T, class U, class V> T atomicCAS(T* p, U expected, V wanted, GPU_LINE) {
  return gpu::atomically(p, gpu::find(p), line, true, [&](T old) { return old == T(expected) ? T(wanted) : old; });
}

// ---- cooperative groups, as MLX includes them
namespace cooperative_groups {
struct Grid {
  unsigned long long thread_rank() const {
    auto& g = gpu::group;
    unsigned long long block = g.position.x + g.count.x * (g.position.y + (unsigned long long)g.count.y * g.position.z);
    return block * (g.whole.x * g.whole.y * g.whole.z) + gpu::self().index;
  }
  unsigned long long num_threads() const {
    auto& g = gpu::group;
    return (unsigned long long)g.count.x * g.count.y * g.count.z * (g.whole.x * g.whole.y * g.whole.z);
  }
  unsigned long long size() const { return num_threads(); }
  gpu::Index block_index() const { return gpu::group.position; }
  gpu::Index dim_blocks() const { return gpu::group.count; }
};
struct thread_block {
  void sync(GPU_LINE) const { __syncthreads(line); }
  unsigned thread_rank() const { return gpu::self().index; }
  unsigned num_threads() const { return gpu::group.size; }
  unsigned size() const { return gpu::group.size; }
  gpu::Index thread_index() const { return gpu::self().position; }
  gpu::Index group_index() const { return gpu::group.position; }
  gpu::Index dim_threads() const { return gpu::group.whole; }
};
template <unsigned N, class Parent = thread_block>
struct thread_block_tile {
  static_assert(N <= 32 && (N & (N - 1)) == 0, "a tile has a power of two of lanes, 32 at most");
  uint mask() const { return (N == 32 ? 0xFFFFFFFFu : (1u << N) - 1) << (gpu::lane() / N * N); }
  void sync(GPU_LINE) const { __syncwarp(mask(), line); }
  unsigned thread_rank() const { return gpu::self().index % N; }
  unsigned num_threads() const { return N; }
  unsigned size() const { return N; }
  unsigned meta_group_rank() const { return gpu::self().index / N; }
  unsigned meta_group_size() const { return (gpu::group.size + N - 1) / N; }
  template <class T> T shfl(T v, int d, GPU_LINE) const { return __shfl_sync(mask(), v, d, N, line); }
  template <class T> T shfl_xor(T v, int d, GPU_LINE) const { return __shfl_xor_sync(mask(), v, d, N, line); }
  template <class T> T shfl_down(T v, int d, GPU_LINE) const { return __shfl_down_sync(mask(), v, d, N, line); }
  template <class T> T shfl_up(T v, int d, GPU_LINE) const { return __shfl_up_sync(mask(), v, d, N, line); }
  int any(int v, GPU_LINE) const { return __any_sync(mask(), v, line); }
  int all(int v, GPU_LINE) const { return __all_sync(mask(), v, line); }
};
inline Grid this_grid() { return {}; }
inline thread_block this_thread_block() { return {}; }
template <unsigned N, class P> thread_block_tile<N, P> tiled_partition(const P&) { return {}; }
template <class T> struct plus { T operator()(T a, T b) const { return T(a + b); } };
template <class T> struct greater { T operator()(T a, T b) const { return max(a, b); } };
template <class T> struct less { T operator()(T a, T b) const { return min(a, b); } };
template <class G, class T, class F> T reduce(const G& g, T v, F f, GPU_LINE) { return gpu::reduce(v, line, g.mask(), f); }
inline void sync(const thread_block&, GPU_LINE) { __syncthreads(line); }
}  // namespace cooperative_groups
namespace cg = cooperative_groups;
namespace cuda { namespace std { template <class T> using numeric_limits = gpu::Limits<T>; } }

// ---- what MLX puts before every body (mlx/backend/cuda/device/utils.cuh)
namespace gpu {
template <class T>
struct Extents : Pointer<T> {  // a cuda::std::array
  using Pointer<T>::Pointer;
  Pointer<T> data() const { return *this; }
};
}  // namespace gpu
template <class I>
I elem_to_loc(I element, gpu::Pointer<const int> shape, gpu::Pointer<const int64_t> strides, int ndim) {
  I place = 0;
  for (int i = ndim - 1; i >= 0 && element > 0; --i) {
    place += (element % shape[i]) * I(strides[i]);
    element /= shape[i];
  }
  return place;
}
const gpu::Rules gpu::rules = {true, true, 49152};
