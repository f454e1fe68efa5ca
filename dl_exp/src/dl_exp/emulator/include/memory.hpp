// Memory that is watched: every access is inside its array, nothing is read that nobody wrote, and no two threads touch
// one place without a barrier between them, unless both only read or both are atomic.
//
// An access is noted when a reference is handed out; whether it was a write is seen by comparing with a copy.
#pragma once
#include "machine.hpp"

#include <vector>
#include <type_traits>

namespace gpu {

enum class Kind : uint8_t { input, output, shared };

struct Visit {  // who was at a place, and when
  unsigned group = 0, thread = 0, barriers = 0;
  uint64_t epoch = 0;
  int line = 0;
  bool atomic = false;
};

struct Place {  // one element: its last writer and two of its last readers
  Visit writer, readers[2];
};

struct Region {
  const char* name;
  Kind kind;
  char* base = nullptr;
  size_t bytes = 0, element = 1;
  bool sparse = false;  // its poison is a value that a kernel may well write
  bool filled = false;  // its first content may be read
  std::vector<char> copy = {};
  std::vector<Place> places = {};

  size_t length() const { return bytes / element; }
};

extern std::vector<Region*> regions;
extern size_t shared_bytes;  // of threadgroup memory so far

void poison(char* to, size_t bytes, const unsigned char* pattern, size_t element);
std::string place_text(const Region& region, long element);
Region* find(const void* address);  // the region that it lies in; none: null
void access(const char* at, size_t size, size_t alignment, bool constant, Region* region, int line, bool atomic);

// p is about to be used: it must be inside of its region.
template <class T>
void access(T* p, Region* region, int line, bool atomic = false) {
  access(reinterpret_cast<const char*>(p), sizeof(T), alignof(T), std::is_const_v<T>, region, line, atomic);
}

// An index that knows in which line it stands.
struct At {
  long index;
  int line;
  template <class I, class = std::enable_if_t<std::is_integral_v<I> || std::is_enum_v<I>>>
  At(I i, int l = __builtin_LINE()) : index(long(i)), line(l) {}
};

struct Buffer {
  const char* name;
  Kind kind;
  size_t element;                // bytes of an element
  const unsigned char* pattern;  // of poison
  bool sparse;
  Region* region = nullptr;
  std::vector<char> given = {};  // the first content; none: the GPU gives memory as it finds it
};
extern std::vector<Buffer> buffers;

// ------------------------------------------------------------------------------------------------ pointers
struct device_memory {};
struct constant_memory {};
struct threadgroup_memory {};
struct any_memory {};  // CUDA's pointers do not say
#ifdef __METAL_VERSION__
using SharedSpace = threadgroup_memory;
#else
using SharedSpace = any_memory;
#endif

template <class T, class Space = any_memory>
struct Pointer {
  T* p = nullptr;
  Region* region = nullptr;

  Pointer() = default;
  Pointer(T* raw) : p(raw), region(find(raw)) {}
  Pointer(T* raw, Region* r) : p(raw), region(r) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  Pointer(const Pointer<U, Space>& other) : p(other.p), region(other.region) {}
  template <class U, class = std::enable_if_t<!std::is_same_v<U, T> && !std::is_same_v<const U, T>>, class = void>
  explicit Pointer(const Pointer<U, Space>& other) : p((T*)other.p), region(other.region) {}

  T& operator[](At at) const {
    access(p + at.index, region, at.line);
    return p[at.index];
  }
  T& operator*() const {
    access(p, region, here);
    return *p;
  }
  T* operator->() const { return &**this; }
  explicit operator bool() const { return p; }
  Pointer operator+(long n) const { return {p + n, region}; }
  Pointer operator-(long n) const { return {p - n, region}; }
  long operator-(const Pointer& other) const { return p - other.p; }
  Pointer& operator+=(long n) { return *this = *this + n; }
  Pointer& operator-=(long n) { return *this = *this - n; }
  Pointer& operator++() { return *this += 1; }
  Pointer& operator--() { return *this -= 1; }
  Pointer operator++(int) { Pointer old = *this; ++*this; return old; }
  Pointer operator--(int) { Pointer old = *this; --*this; return old; }
  bool operator==(const Pointer& other) const { return p == other.p; }
  bool operator!=(const Pointer& other) const { return p != other.p; }
  bool operator<(const Pointer& other) const { return p < other.p; }
};
template <class T, class Space>
Pointer<T, Space> operator+(long n, const Pointer<T, Space>& p) { return p + n; }

template <class To, class T, class Space>
To cast(const Pointer<T, Space>& p) { return To(p); }  // reinterpret_cast
template <class To, class From>
To cast(From* p) { return To((void*)p); }

// ------------------------------------------------------------------------------------------------ threadgroup memory
template <class T>
struct Slice {  // one element of an array
  static T& of(char* at, Region* region, int line) {
    access(reinterpret_cast<T*>(at), region, line);
    return *reinterpret_cast<T*>(at);
  }
};

template <class T, size_t N>
struct Slice<T[N]> {  // an array inside an array: each index is checked by itself
  using Element = std::remove_all_extents_t<T>;
  char* base;
  Region* region;

  static Slice of(char* at, Region* region, int) { return {at, region}; }
  decltype(auto) operator[](At at) const {
    if (at.index < 0 || at.index >= long(N))
      fail("out of range: " + line_text(at.line) + " has the index " + std::to_string(at.index) + " into " +
           region->name + ", where " + std::to_string(N) + " would be one too many");
    return Slice<T>::of(base + at.index * long(sizeof(T)), region, at.line);
  }
  operator Pointer<T, SharedSpace>() const { return {reinterpret_cast<T*>(base), region}; }
  operator Pointer<const T, SharedSpace>() const { return {reinterpret_cast<T*>(base), region}; }
  template <class I>
  Pointer<T, SharedSpace> operator+(I n) const { return {reinterpret_cast<T*>(base) + n, region}; }
};

// The element's type decides the poison.
template <class T>
struct Poison {
  static constexpr bool sparse = sizeof(T) < 4;
  static constexpr unsigned char pattern[8] = {0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A};
};
template <>
struct Poison<float> {
  static constexpr bool sparse = false;
  static constexpr unsigned char pattern[4] = {0xA5, 0x5A, 0xE5, 0x7F};  // a quiet NaN, little end first
};
template <class T>
struct Scalar { using type = T; };  // of a vector: its component

template <class T>
class Storage {
 public:
  using Element = typename Scalar<std::remove_all_extents_t<T>>::type;

  explicit Storage(const char* name) : region_{name, Kind::shared} {
    region_.base = memory_;
    region_.bytes = sizeof(T);
    region_.element = sizeof(Element);
    region_.sparse = Poison<Element>::sparse;
    regions.push_back(&region_);
    shared_bytes += sizeof(T);
    if (shared_bytes > rules.shared_bytes)
      fail("too much threadgroup memory: with " + std::string(name) + " it is " + std::to_string(shared_bytes) +
           " bytes, and a group has " + std::to_string(rules.shared_bytes));
  }
  // Every thread passes the declaration; the first one of a group finds the memory in the state that a GPU may leave it.
  void enter() {
    if (group_ == group.number) return;
    group_ = group.number;
    poison(memory_, sizeof(T), Poison<Element>::pattern, sizeof(Element));
    region_.copy.assign(memory_, memory_ + sizeof(T));
    region_.places.assign(sizeof(T) / sizeof(Element), {});
  }

 protected:
  alignas(16) char memory_[sizeof(T)];
  Region region_;
  unsigned group_ = 0;
};

template <class T>
struct Shared : Storage<T> {  // one value
  struct Given {
    T value;
    int line;
    template <class U, class = std::enable_if_t<std::is_convertible_v<U, T>>>
    Given(const U& v, int l = __builtin_LINE()) : value(T(v)), line(l) {}
  };
  using Storage<T>::Storage;
  T& at(int line) {
    access(reinterpret_cast<T*>(this->memory_), &this->region_, line);
    return *reinterpret_cast<T*>(this->memory_);
  }
  operator T&() { return at(here); }
  Shared& operator=(Given given) { at(given.line) = given.value; return *this; }
  Shared& operator+=(Given given) { at(given.line) += given.value; return *this; }
  Shared& operator*=(Given given) { at(given.line) *= given.value; return *this; }
  Pointer<T, SharedSpace> operator&() { return {reinterpret_cast<T*>(this->memory_), &this->region_}; }
};

template <class T, size_t N>
struct Shared<T[N]> : Storage<T[N]> {
  using Storage<T[N]>::Storage;
  Slice<T[N]> slice() { return {this->memory_, &this->region_}; }
  decltype(auto) operator[](At at) { return slice()[at]; }
  operator Pointer<T, SharedSpace>() { return slice(); }
  operator Pointer<const T, SharedSpace>() { return slice(); }
  template <class I>
  Pointer<T, SharedSpace> operator+(I n) { return slice() + n; }
};

// ------------------------------------------------------------------------------------------------ barriers
inline void group_barrier(int line, uint32_t orders) { wait(State::at_barrier, line, orders); }
inline void simd_barrier(int line, uint32_t mask) {
  exchange(0, line, mask, [](auto) { return 0; });
  ++self().barriers;
}

}  // namespace gpu
