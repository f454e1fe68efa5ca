// Memory that is watched: every access is inside its array, nothing is read that nobody wrote, and no two threads touch
// one place without a barrier between them, unless both only read or both are atomic.
//
// An access is noted when a reference is handed out; whether it was a write is seen by comparing with a copy.
#pragma once
#include "machine.hpp"

#include <csignal>
#include <type_traits>

namespace gpu {

enum class Kind : uint8_t { input, output, shared };
enum class Fill : uint8_t { given, poison };

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

struct Note {
  Region* region;
  size_t first, last;  // elements
  int line;
  bool atomic, constant, wrote;
};

inline std::vector<Region*> regions;
inline std::vector<Note> notes;
inline size_t shared_bytes = 0, shared_limit = 32768;

// A quiet NaN for floats; otherwise a number that nobody would miss.
inline void poison(char* to, size_t bytes, const unsigned char* pattern, size_t element) {
  for (size_t i = 0; i < bytes; ++i) to[i] = char(pattern[i % element]);
}

inline Region* find(const void* address) {
  const char* p = static_cast<const char*>(address);
  for (Region* region : regions)
    if (p >= region->base && p < region->base + region->bytes) return region;
  return nullptr;
}

inline std::string place_text(const Region& region, long element) {
  return std::string(region.name) + "[" + std::to_string(element) + "]";
}

inline std::string thread_text(const Visit& visit) {
  return "thread " + std::to_string(visit.thread) + " of group " + std::to_string(visit.group - 1);
}

inline bool ordered(const Visit& before, const Visit& now) {
  if (!before.group) return true;                                          // nobody was there
  if (before.group != now.group) return false;                             // groups know nothing of each other
  if (before.thread == now.thread || before.epoch != now.epoch) return true;
  return before.thread / WIDTH == now.thread / WIDTH && before.barriers != now.barriers;
}

[[noreturn]] inline void race(const Region& region, size_t element, const Visit& before, const char* did,
                              const Visit& now, const char* does) {
  std::string where = place_text(region, long(element));
  std::string who = before.group == now.group ? "no barrier stands between them" : "groups cannot wait for each other";
  fail("missing barrier: " + line_text(now.line) + " " + does + " " + where + " (" + thread_text(now) + "), which " +
       line_text(before.line) + " " + did + " (" + thread_text(before) + "), and " + who);
}

inline void visit(Region& region, size_t element, const Note& note, bool wrote) {
  Place& place = region.places[element];
  Visit now{group.number, self().index, self().barriers,
            region.kind == Kind::shared ? group.shared_epoch : group.device_epoch, note.line, note.atomic};
  auto clash = [&](const Visit& before) { return !ordered(before, now) && !(before.atomic && note.atomic); };
  if (clash(place.writer)) race(region, element, place.writer, "wrote", now, wrote ? "writes" : "reads");
  if (wrote) {
    for (const Visit& reader : place.readers)
      if (clash(reader)) race(region, element, reader, "reads", now, "writes");
    place.writer = now;
    return;
  }
  if (!place.writer.group && !region.filled) {
    if (region.sparse && !note.constant) {  // perhaps it was written with what was there
      place.writer = now;
      return;
    }
    fail("read before written: " + line_text(note.line) + " reads " + place_text(region, long(element)) +
         ", which nobody has written");
  }
  bool known = place.readers[0].group == now.group && place.readers[0].thread == now.thread;
  if (!known) place.readers[1] = place.readers[0];
  place.readers[0] = now;
}

inline bool changed(const Region& region, size_t element) {
  size_t at = element * region.element;
  return std::memcmp(region.base + at, region.copy.data() + at, region.element) != 0;
}

inline void take_over(Region& region, size_t element) {
  size_t at = element * region.element;
  std::memcpy(region.copy.data() + at, region.base + at, region.element);
}

// A store is complete before the next access begins: so its line is known.
inline void see_store(Note& note) {
  for (size_t e = note.first; e <= note.last && !note.constant; ++e) note.wrote |= changed(*note.region, e);
  if (note.wrote)
    for (size_t e = note.first; e <= note.last; ++e) take_over(*note.region, e);
}

inline void settle() {
  for (size_t k = notes.size(); k-- > 0;) see_store(notes[k]);
  for (const Note& note : notes)
    for (size_t e = note.first; e <= note.last; ++e) visit(*note.region, e, note, note.wrote || note.atomic);
  notes.clear();
}

// p is about to be used: is it inside of its region, and where?
template <class T>
void access(const T* p, Region* region, int line, bool atomic = false) {
  here = line;
  if (!region) return;
  long at = long(reinterpret_cast<const char*>(p) - region->base), size = long(sizeof(T));
  if (at < 0 || at + size > long(region->bytes)) {
    long unit = long(region->element), element = at >= 0 ? (at + size - 1) / unit : -((-at + unit - 1) / unit);
    fail("out of range: " + line_text(line) + " reaches " + place_text(*region, element) + ", and " + region->name +
         " has " + count_text(unsigned(region->length()), "element"));
  }
  if (reinterpret_cast<uintptr_t>(p) % alignof(T))
    fail("misaligned: " + line_text(line) + " takes " + std::to_string(size) + " bytes at once at " +
         place_text(*region, at / long(region->element)) + ", whose address is no multiple of " +
         std::to_string(alignof(T)));
  if (region->kind == Kind::input) return;
  if (!notes.empty()) {
    Note& last = notes.back();
    if (atomic && last.region == region && last.first == size_t(at) / region->element && last.line == line)
      notes.pop_back();  // &x[i], whose place is now used
    else
      see_store(last);
  }
  notes.push_back({region, size_t(at) / region->element, size_t(at + size - 1) / region->element, line, atomic,
                   std::is_const_v<T>, false});
}

// An index that knows in which line it stands.
struct At {
  long index;
  int line;
  template <class I, class = std::enable_if_t<std::is_integral_v<I> || std::is_enum_v<I>>>
  At(I i, int l = __builtin_LINE()) : index(long(i)), line(l) {}
};

// ------------------------------------------------------------------------------------------------ pointers
struct device_memory {};
struct constant_memory {};
struct threadgroup_memory {};
struct any_memory {};  // CUDA's pointers do not say

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
  template <class Space>
  operator Pointer<T, Space>() const { return {reinterpret_cast<T*>(base), region}; }
  template <class Space>
  operator Pointer<const T, Space>() const { return {reinterpret_cast<T*>(base), region}; }
  template <class I>
  Pointer<T, threadgroup_memory> operator+(I n) const { return {reinterpret_cast<T*>(base) + n, region}; }
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
    if (shared_bytes > shared_limit)
      fail("too much threadgroup memory: with " + std::string(name) + " it is " + std::to_string(shared_bytes) +
           " bytes, and a group has " + std::to_string(shared_limit));
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
  Pointer<T, threadgroup_memory> operator&() { return {reinterpret_cast<T*>(this->memory_), &this->region_}; }
};

template <class T, size_t N>
struct Shared<T[N]> : Storage<T[N]> {
  using Storage<T[N]>::Storage;
  Slice<T[N]> slice() { return {this->memory_, &this->region_}; }
  decltype(auto) operator[](At at) { return slice()[at]; }
  template <class Space>
  operator Pointer<T, Space>() { return slice(); }
  template <class Space>
  operator Pointer<const T, Space>() { return slice(); }
  template <class I>
  Pointer<T, threadgroup_memory> operator+(I n) { return slice() + n; }
};

// ------------------------------------------------------------------------------------------------ barriers
inline void group_barrier(int line, uint32_t orders) { wait(State::at_barrier, line, orders); }
inline void simd_barrier(int line, uint32_t mask) {
  exchange(0, line, mask, [](auto) { return 0; });
  ++self().barriers;
}

}  // namespace gpu
