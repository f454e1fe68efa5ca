// What a Metal body may use (Metal Shading Language Specification, sections 2, 5 and 6), on the emulated GPU.
#pragma once
#define __METAL_VERSION__ 310
#include "numbers.hpp"

typedef gpu::Half half;
typedef gpu::Bfloat bfloat;
typedef half float16_t;
typedef bfloat bfloat16_t;
#define GPU_VECTORS(T) using T##2 = gpu::Vector<T, 2>; using T##3 = gpu::Vector<T, 3>; using T##4 = gpu::Vector<T, 4>;
GPU_VECTORS(float) GPU_VECTORS(half) GPU_VECTORS(bfloat) GPU_VECTORS(int) GPU_VECTORS(uint) GPU_VECTORS(short)
GPU_VECTORS(ushort) GPU_VECTORS(char) GPU_VECTORS(uchar) GPU_VECTORS(bool)
#undef GPU_VECTORS

namespace metal {

template <class T, int N> using vec = gpu::Vector<T, N>;
template <class T> using numeric_limits = gpu::Limits<T>;

// ---- functions of numbers
#define GPU_FUNCTION(name, formula) \
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> || gpu::is_small<T>>> \
  auto name(T v) { return gpu::through_float(v, [](float x) { return formula; }); } \
  template <class T, int N> vec<T, N> name(vec<T, N> v) { return gpu::each(v, [](T x) { return name(x); }); }
GPU_FUNCTION(exp, std::exp(x)) GPU_FUNCTION(exp2, std::exp2(x)) GPU_FUNCTION(exp10, std::pow(10.0f, x))
GPU_FUNCTION(log, std::log(x)) GPU_FUNCTION(log2, std::log2(x)) GPU_FUNCTION(log10, std::log10(x))
GPU_FUNCTION(sqrt, std::sqrt(x)) GPU_FUNCTION(rsqrt, 1.0f / std::sqrt(x))
GPU_FUNCTION(sin, std::sin(x)) GPU_FUNCTION(cos, std::cos(x)) GPU_FUNCTION(tan, std::tan(x))
GPU_FUNCTION(asin, std::asin(x)) GPU_FUNCTION(acos, std::acos(x)) GPU_FUNCTION(atan, std::atan(x))
GPU_FUNCTION(sinh, std::sinh(x)) GPU_FUNCTION(cosh, std::cosh(x)) GPU_FUNCTION(tanh, std::tanh(x))
GPU_FUNCTION(floor, std::floor(x)) GPU_FUNCTION(ceil, std::ceil(x)) GPU_FUNCTION(trunc, std::trunc(x))
GPU_FUNCTION(round, std::round(x)) GPU_FUNCTION(rint, std::nearbyint(x)) GPU_FUNCTION(fabs, std::fabs(x))
GPU_FUNCTION(fract, std::min(x - std::floor(x), 0x1.fffffep-1f)) GPU_FUNCTION(saturate, std::fmin(std::fmax(x, 0.0f), 1.0f))
#undef GPU_FUNCTION
template <class T> T abs(T x) { return x < T(0) ? T(-x) : x; }
template <class T> T sign(T x) { return T(x > T(0) ? 1 : x < T(0) ? -1 : 0); }
template <class T> bool isnan(T x) { return std::isnan(float(x)); }
template <class T> bool isinf(T x) { return std::isinf(float(x)); }
template <class T> bool isfinite(T x) { return std::isfinite(float(x)); }
template <class T> T max(T a, T b) { return a < b ? b : a; }
template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T, int N> vec<T, N> max(vec<T, N> a, vec<T, N> b) { for (int i = 0; i < N; ++i) a[i] = max(a[i], b[i]); return a; }
template <class T, int N> vec<T, N> min(vec<T, N> a, vec<T, N> b) { for (int i = 0; i < N; ++i) a[i] = min(a[i], b[i]); return a; }
template <class T> T fmax(T a, T b) { return T(std::fmax(float(a), float(b))); }
template <class T> T fmin(T a, T b) { return T(std::fmin(float(a), float(b))); }
template <class T> T clamp(T x, T low, T high) { return min(max(x, low), high); }
template <class T> T select(T a, T b, bool c) { return c ? b : a; }
template <class T> T fma(T a, T b, T c) { return T(std::fma(float(a), float(b), float(c))); }
template <class T> T pow(T a, T b) { return T(std::pow(float(a), float(b))); }
template <class T> T fmod(T a, T b) { return T(std::fmod(float(a), float(b))); }
template <class T> T atan2(T a, T b) { return T(std::atan2(float(a), float(b))); }
template <class T> T copysign(T a, T b) { return T(std::copysign(float(a), float(b))); }
template <class T> T mix(T a, T b, T t) { return T(a + (b - a) * t); }
template <class T> T step(T edge, T x) { return T(x < edge ? 0 : 1); }
template <class T, int N> T dot(vec<T, N> a, vec<T, N> b) { T s = T(0); for (int i = 0; i < N; ++i) s += a[i] * b[i]; return s; }
template <class T> T mad24(T a, T b, T c) { return a * b + c; }
inline uint popcount(uint x) { return uint(__builtin_popcount(x)); }
inline uint clz(uint x) { return x ? uint(__builtin_clz(x)) : 32; }
inline uint ctz(uint x) { return x ? uint(__builtin_ctz(x)) : 32; }
namespace fast { using namespace metal; }
namespace precise { using namespace metal; }

// ---- barriers
enum class mem_flags : uint32_t { mem_none = 0, mem_threadgroup = gpu::ORDERS_SHARED, mem_device = gpu::ORDERS_DEVICE, mem_texture = 4 };
inline mem_flags operator|(mem_flags a, mem_flags b) { return mem_flags(uint32_t(a) | uint32_t(b)); }
inline void threadgroup_barrier(mem_flags flags, GPU_LINE) { gpu::group_barrier(line, uint32_t(flags)); }
inline void simdgroup_barrier(mem_flags, GPU_LINE) { gpu::simd_barrier(line, 0); }

// ---- operations of a simdgroup
#define GPU_REDUCTION(name, formula) \
  template <class T> T name(T v, GPU_LINE) { return gpu::reduce(v, line, 0, [](T a, T b) { return T(formula); }); }
GPU_REDUCTION(simd_sum, a + b) GPU_REDUCTION(simd_product, a * b) GPU_REDUCTION(simd_max, max(a, b))
GPU_REDUCTION(simd_min, min(a, b)) GPU_REDUCTION(simd_and, a & b) GPU_REDUCTION(simd_or, a | b) GPU_REDUCTION(simd_xor, a ^ b)
#undef GPU_REDUCTION
#define GPU_SHUFFLE(name, from) \
  template <class T> T name(T v, int d, GPU_LINE) { return gpu::shuffle(v, from, line, 0); }
GPU_SHUFFLE(simd_shuffle, d) GPU_SHUFFLE(simd_broadcast, d) GPU_SHUFFLE(simd_shuffle_xor, int(gpu::lane()) ^ d)
GPU_SHUFFLE(simd_shuffle_down, int(gpu::lane()) + d) GPU_SHUFFLE(simd_shuffle_up, int(gpu::lane()) - d)
GPU_SHUFFLE(simd_shuffle_rotate_down, (int(gpu::lane()) + d) % 32) GPU_SHUFFLE(simd_shuffle_rotate_up, (int(gpu::lane()) + 32 - d) % 32)
#undef GPU_SHUFFLE
template <class T> T simd_broadcast_first(T v, GPU_LINE) {
  return gpu::exchange(v, line, 0, [&](auto read) { T o = v; for (uint l = 0; l < 32 && !read(l, &o);) ++l; return o; });
}
template <class T> T simd_shuffle_and_fill_down(T v, T fill, int d, GPU_LINE) {
  return gpu::exchange(v, line, 0, [&](auto read) { T o; return read(gpu::lane() + uint(d), &o) ? o : fill; });
}
template <class T> T simd_shuffle_and_fill_up(T v, T fill, int d, GPU_LINE) {
  return gpu::exchange(v, line, 0, [&](auto read) { T o; return int(gpu::lane()) >= d && read(gpu::lane() - uint(d), &o) ? o : fill; });
}
template <class T> T simd_prefix_inclusive_sum(T v, GPU_LINE) { return gpu::scan(v, T(0), true, line, 0, [](T a, T b) { return T(a + b); }); }
template <class T> T simd_prefix_exclusive_sum(T v, GPU_LINE) { return gpu::scan(v, T(0), false, line, 0, [](T a, T b) { return T(a + b); }); }
template <class T> T simd_prefix_inclusive_product(T v, GPU_LINE) { return gpu::scan(v, T(1), true, line, 0, [](T a, T b) { return T(a * b); }); }
template <class T> T simd_prefix_exclusive_product(T v, GPU_LINE) { return gpu::scan(v, T(1), false, line, 0, [](T a, T b) { return T(a * b); }); }
inline bool simd_any(bool v, GPU_LINE) { return gpu::reduce(int(v), line, 0, [](int a, int b) { return a | b; }); }
inline bool simd_all(bool v, GPU_LINE) { return gpu::reduce(int(v), line, 0, [](int a, int b) { return a & b; }); }
inline bool simd_is_first(GPU_LINE) {
  return gpu::exchange(0, line, 0, [](auto read) { int o; for (uint l = 0; l < gpu::lane(); ++l) if (read(l, &o)) return false; return true; });
}

// ---- matrices of a simdgroup: lane l has the numbers 2l and 2l + 1 of 64, row after row (on a GPU it may be others)
template <class T, int ROWS, int COLUMNS>
struct simdgroup_matrix {
  static_assert(ROWS == 8 && COLUMNS == 8, "a simdgroup's matrix has 8 rows and 8 columns");
  T own[2];
};
using simdgroup_float8x8 = simdgroup_matrix<float, 8, 8>;
using simdgroup_half8x8 = simdgroup_matrix<half, 8, 8>;
using simdgroup_bfloat8x8 = simdgroup_matrix<bfloat, 8, 8>;
template <class T, int ROWS, int COLUMNS> simdgroup_matrix<T, ROWS, COLUMNS> make_filled_simdgroup_matrix(T value) {
  return {{value, value}};
}
inline long place_of(int e, long stride) { return long(gpu::lane() / 4) * stride + long(gpu::lane() % 4) * 2 + e; }
template <class T, class U, class S>
void simdgroup_load(simdgroup_matrix<T, 8, 8>& d, gpu::Pointer<U, S> from, ulong stride = 8, GPU_LINE) {
  gpu::exchange(0, line, 0, [](auto) { return 0; });  // all lanes take part, or none may
  for (int e = 0; e < 2; ++e) d.own[e] = from[gpu::At(place_of(e, long(stride)), line)];
}
template <class T, class S>
void simdgroup_store(simdgroup_matrix<T, 8, 8> d, gpu::Pointer<T, S> to, ulong stride = 8, GPU_LINE) {
  gpu::exchange(0, line, 0, [](auto) { return 0; });
  for (int e = 0; e < 2; ++e) to[gpu::At(place_of(e, long(stride)), line)] = d.own[e];
}
// d = a b + c, in the type of d
template <class D, class A, class B, class C>
void simdgroup_multiply_accumulate(simdgroup_matrix<D, 8, 8>& d, simdgroup_matrix<A, 8, 8> a, simdgroup_matrix<B, 8, 8> b,
                                   simdgroup_matrix<C, 8, 8> c, GPU_LINE) {
  struct Both { A a[2]; B b[2]; };
  uint row = gpu::lane() / 4, column = gpu::lane() % 4 * 2;
  simdgroup_matrix<D, 8, 8> sum = gpu::exchange(Both{{a.own[0], a.own[1]}, {b.own[0], b.own[1]}}, line, 0, [&](auto read) {
    simdgroup_matrix<D, 8, 8> s{{D(c.own[0]), D(c.own[1])}};
    for (uint p = 0; p < 8; ++p) {
      Both left{}, above{};
      read(row * 4 + p / 2, &left);
      read(p * 4 + column / 2, &above);
      for (int e = 0; e < 2; ++e) s.own[e] += D(left.a[p % 2]) * D(above.b[e]);
    }
    return s;
  });
  d = sum;
}
template <class D, class A, class B>
void simdgroup_multiply(simdgroup_matrix<D, 8, 8>& d, simdgroup_matrix<A, 8, 8> a, simdgroup_matrix<B, 8, 8> b, GPU_LINE) {
  simdgroup_multiply_accumulate(d, a, b, simdgroup_matrix<D, 8, 8>{{D(0), D(0)}}, line);
}

// ---- atomics: on one processor every operation is one
template <class T> using atomic = gpu::Atomic<T>;
using atomic_int = atomic<int>; using atomic_uint = atomic<uint>; using atomic_float = atomic<float>; using atomic_bool = atomic<bool>;
enum memory_order { memory_order_relaxed };
#define GPU_ATOMIC(name, reads, formula) \
  template <class T, class U> T name(atomic<T>* p, U given, memory_order, GPU_LINE) { \
    return gpu::atomically(&p->value, gpu::find(p), line, reads, [&](T old) { T v = T(given); (void)v; (void)old; return T(formula); }); } \
  template <class T, class S, class U> T name(gpu::Pointer<atomic<T>, S> p, U given, memory_order, GPU_LINE) { \
    return gpu::atomically(&p.p->value, p.region, line, reads, [&](T old) { T v = T(given); (void)v; (void)old; return T(formula); }); }
GPU_ATOMIC(atomic_fetch_add_explicit, true, old + v) GPU_ATOMIC(atomic_fetch_sub_explicit, true, old - v)
GPU_ATOMIC(atomic_fetch_max_explicit, true, max(old, v)) GPU_ATOMIC(atomic_fetch_min_explicit, true, min(old, v))
GPU_ATOMIC(atomic_fetch_or_explicit, true, old | v) GPU_ATOMIC(atomic_fetch_and_explicit, true, old & v) GPU_ATOMIC(atomic_fetch_xor_explicit, true, old ^ v)
GPU_ATOMIC(atomic_exchange_explicit, true, v) GPU_ATOMIC(atomic_store_explicit, false, v)
#undef GPU_ATOMIC
template <class T> T atomic_load_explicit(const atomic<T>* p, memory_order, GPU_LINE) {
  return gpu::atomically(const_cast<T*>(&p->value), gpu::find(p), line, true, [](T old) { return old; });
}
template <class T, class S> T atomic_load_explicit(gpu::Pointer<T, S> p, memory_order order, GPU_LINE) {
  return atomic_load_explicit(p.p, order, line);
}
template <class T, class U> bool atomic_compare_exchange_weak_explicit(atomic<T>* p, T* expected, U wanted, memory_order, memory_order, GPU_LINE) {
  T old = gpu::atomically(&p->value, gpu::find(p), line, true, [&](T now) { return now == *expected ? T(wanted) : now; });
  bool done = old == *expected;
  *expected = old;
  return done;
}

}  // namespace metal
using namespace metal;

template <class To, class From> To as_type(From from) { return gpu::same_bits<To>(from); }

// ---- what MLX puts before every body (mlx/backend/metal/kernels/utils.h)
template <class I = int64_t, class S, class D>
I elem_to_loc(I element, S shape, D strides, int ndim) {
  I place = 0;
  for (int i = ndim - 1; i >= 0 && element > 0; --i) {
    place += (element % shape[i]) * I(strides[i]);
    element /= shape[i];
  }
  return place;
}
template <class T, class U> T ceildiv(T n, U m) { return T((n + m - 1) / m); }
#define MLX_MTL_CONST static constexpr
#define METAL_FUNC inline
const gpu::Rules gpu::rules = {false, false, 32768};
