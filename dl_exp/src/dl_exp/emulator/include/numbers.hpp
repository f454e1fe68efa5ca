// The number types of GPUs that C++ does not have: 16-bit floats, and vectors of two to four.
#pragma once
#include "memory.hpp"

#include <cmath>
#include <limits>

typedef unsigned int uint;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned long ulong;

namespace gpu {

// A float of 16 bits: 1 sign, EXPONENT and MANTISSA bits.  Arithmetic is done in float and rounded to nearest even,
// which is what hardware returns: float has more than twice the digits, so that rounding twice is harmless.
template <int EXPONENT, int MANTISSA>
struct Small {
  uint16_t bits;
  Small() = default;
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Small(T value) : bits(round(float(value))) {}
  template <int E, int M, class = std::enable_if_t<E != EXPONENT>>
  explicit Small(Small<E, M> other) : bits(round(float(other))) {}

  operator float() const {
    constexpr int BIAS = (1 << (EXPONENT - 1)) - 1, TOP = (1 << EXPONENT) - 1;
    int exponent = bits >> MANTISSA & TOP, mantissa = bits & ((1 << MANTISSA) - 1);
    float magnitude = exponent == TOP ? (mantissa ? NAN : INFINITY)
                      : exponent      ? std::ldexp(float(mantissa | 1 << MANTISSA), exponent - BIAS - MANTISSA)
                                      : std::ldexp(float(mantissa), 1 - BIAS - MANTISSA);
    return bits >> 15 ? -magnitude : magnitude;
  }

  static uint16_t round(float value) {
    constexpr int BIAS = (1 << (EXPONENT - 1)) - 1, TOP = (1 << EXPONENT) - 1;
    uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    float magnitude = std::fabs(value);
    if (std::isnan(value)) return uint16_t(sign | TOP << MANTISSA | 1 << (MANTISSA - 1));
    if (std::isinf(value)) return uint16_t(sign | TOP << MANTISSA);
    int exponent = magnitude ? std::max(std::ilogb(magnitude), 1 - BIAS) : 1 - BIAS;
    float steps = std::nearbyint(std::ldexp(magnitude, MANTISSA - exponent));  // ties to even
    int whole = int(steps), base = (exponent + BIAS - 1) << MANTISSA;          // a carry moves into the exponent
    if (base + whole >= TOP << MANTISSA) return uint16_t(sign | TOP << MANTISSA);
    return uint16_t(sign | (base + whole));
  }

  Small operator-() const { return made(bits ^ 0x8000); }
  static Small made(int pattern) { Small s; s.bits = uint16_t(pattern); return s; }
#define GPU_ASSIGN(op) \
  template <class T> Small& operator op##=(T other) { return *this = Small(float(*this) op float(other)); }
  GPU_ASSIGN(+) GPU_ASSIGN(-) GPU_ASSIGN(*) GPU_ASSIGN(/)
#undef GPU_ASSIGN
};
#define GPU_OPERATOR(op) \
  template <int E, int M> Small<E, M> operator op(Small<E, M> a, Small<E, M> b) { return float(a) op float(b); } \
  template <int E, int M, class I, class = std::enable_if_t<std::is_integral_v<I>>> \
  Small<E, M> operator op(Small<E, M> a, I b) { return float(a) op float(b); } \
  template <int E, int M, class I, class = std::enable_if_t<std::is_integral_v<I>>> \
  Small<E, M> operator op(I a, Small<E, M> b) { return float(a) op float(b); }
GPU_OPERATOR(+) GPU_OPERATOR(-) GPU_OPERATOR(*) GPU_OPERATOR(/)
#undef GPU_OPERATOR

using Half = Small<5, 10>;
using Bfloat = Small<8, 7>;

template <class T> constexpr bool is_small = std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>;
template <class T> constexpr bool is_float = std::is_floating_point_v<T> || is_small<T>;

template <int E, int M>
struct Poison<Small<E, M>> {
  static constexpr bool sparse = false;
  static constexpr unsigned char pattern[2] = {0xE5, 0x7F};  // a quiet NaN in both formats
};

// Vectors.  Metal: three components take the room of four (ALIGNED_3); CUDA: no more than they need.
template <class T, int N> struct Vector;
#ifdef __METAL_VERSION__
#define GPU_ALIGN_3 alignas(4 * sizeof(T))
#else
#define GPU_ALIGN_3 alignas(T)
#endif
#define GPU_VECTOR(N, ALIGN, ...) \
  template <class T> struct ALIGN Vector<T, N> { \
    T __VA_ARGS__; \
    Vector() = default; \
    explicit Vector(T s) { for (int i = 0; i < N; ++i) (*this)[i] = s; } \
    template <class... A, class = std::enable_if_t<sizeof...(A) == N>> \
    Vector(A... a) { T t[] = {T(a)...}; for (int i = 0; i < N; ++i) (*this)[i] = t[i]; } \
    template <class U> explicit Vector(Vector<U, N> o) { for (int i = 0; i < N; ++i) (*this)[i] = T(o[i]); } \
    T& operator[](int i) { return (&x)[i]; } \
    const T& operator[](int i) const { return (&x)[i]; } \
  };
GPU_VECTOR(2, alignas(2 * sizeof(T)), x, y)
GPU_VECTOR(3, GPU_ALIGN_3, x, y, z)
GPU_VECTOR(4, alignas(4 * sizeof(T)), x, y, z, w)
#undef GPU_VECTOR
#define GPU_OPERATOR(op) \
  template <class T, int N> Vector<T, N> operator op(Vector<T, N> a, Vector<T, N> b) { \
    for (int i = 0; i < N; ++i) a[i] = T(a[i] op b[i]); return a; } \
  template <class T, int N, class S, class = std::enable_if_t<std::is_arithmetic_v<S> || is_small<S>>> \
  Vector<T, N> operator op(Vector<T, N> a, S s) { for (int i = 0; i < N; ++i) a[i] = T(a[i] op T(s)); return a; } \
  template <class T, int N, class S, class = std::enable_if_t<std::is_arithmetic_v<S> || is_small<S>>> \
  Vector<T, N> operator op(S s, Vector<T, N> a) { for (int i = 0; i < N; ++i) a[i] = T(T(s) op a[i]); return a; } \
  template <class T, int N, class B> Vector<T, N>& operator op##=(Vector<T, N>& a, B b) { return a = a op b; }
GPU_OPERATOR(+) GPU_OPERATOR(-) GPU_OPERATOR(*) GPU_OPERATOR(/)
#undef GPU_OPERATOR
template <class T, int N> Vector<T, N> operator-(Vector<T, N> a) { for (int i = 0; i < N; ++i) a[i] = -a[i]; return a; }
template <class T, int N> struct Scalar<Vector<T, N>> { using type = T; };

template <class T, int N, class F>
Vector<T, N> each(Vector<T, N> a, F f) { for (int i = 0; i < N; ++i) a[i] = T(f(a[i])); return a; }

// Limits of every number type, by the functions of std::numeric_limits.
template <class T> struct Limits : std::numeric_limits<T> {};
template <> struct Limits<Half> {
  static Half max() { return 65504.0f; }
  static Half lowest() { return -65504.0f; }
  static Half min() { return 0x1p-14f; }
  static Half epsilon() { return 0x1p-10f; }
  static Half infinity() { return INFINITY; }
  static Half quiet_NaN() { return NAN; }
};
template <> struct Limits<Bfloat> {
  static Bfloat max() { return 0x1.FEp127f; }
  static Bfloat lowest() { return -0x1.FEp127f; }
  static Bfloat min() { return 0x1p-126f; }
  static Bfloat epsilon() { return 0x1p-7f; }
  static Bfloat infinity() { return INFINITY; }
  static Bfloat quiet_NaN() { return NAN; }
};

// A function of float for every float type (and of integers, which become float).
template <class T, class F>
auto through_float(T x, F f) {
  if constexpr (std::is_integral_v<T>) return float(f(float(x)));
  else return T(f(float(x)));
}

template <class T>
struct Atomic { T value; };
template <class T> struct Scalar<Atomic<T>> { using type = T; };

template <class T, class F>
T atomically(T* place, Region* region, int line, bool reads, F f) {
  if (reads) access(const_cast<const T*>(place), region, line, true);
  access(place, region, line, true);
  group.atomics = true;
  T old = *place;
  *place = f(old);
  return old;
}

template <class To, class From>
To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "as_type keeps the size");
  To to;
  std::memcpy(static_cast<void*>(&to), &from, sizeof to);
  return to;
}

}  // namespace gpu

#define GPU_LINE int line = __builtin_LINE()
