// A GPU's threads on one processor: every thread is a fiber, 32 of them a simdgroup (a warp), and they switch only
// where they wait for each other.  Who runs first is the schedule's choice; a right kernel does not notice.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace gpu {

constexpr unsigned WIDTH = 32;          // lanes of a simdgroup
constexpr int HEADER = 1000000;         // lines of the header are counted from here, those of the body from 1

extern int here;  // the last line that did something that is watched

[[noreturn]] void fail(const std::string& sentence);
std::string line_text(int line);
std::string count_text(unsigned n, const char* one);

// ------------------------------------------------------------------------------------------------ threads
constexpr uint32_t ORDERS_SHARED = 1, ORDERS_DEVICE = 2;  // the memory that a barrier orders

enum class State : uint8_t { ready, at_barrier, at_simd, returned };

struct Index {
  unsigned x, y, z;
};

struct Thread {
  void* stack = nullptr;  // its stack pointer while another one runs
  char* memory = nullptr;
  State state = State::ready;
  int line = 0;            // of the operation at which it waits
  uint32_t mask = 0;       // the lanes that it waits for, 0: all that are left of its simdgroup; or what a barrier orders
  unsigned barriers = 0;   // simdgroup barriers passed: they order memory among its lanes
  unsigned index = 0;      // in the group
  Index position{};        // in the group
  alignas(16) unsigned char given[16];  // what it brings to a simd operation
};

struct Snapshot {  // what the lanes brought to a simd operation when all had come
  uint32_t present = 0;
  alignas(16) unsigned char values[WIDTH][16];
};

// What the two languages do differently.
struct Rules {
  bool returned_may_miss_barriers;  // CUDA: a thread that has returned is not waited for
  bool whole_groups;                // CUDA: the grid is rounded up; Metal's last groups are smaller
  size_t shared_bytes;              // of threadgroup memory that a group has
};
extern const Rules rules;

struct Group {
  std::vector<Thread> threads;
  std::vector<Snapshot> snapshots;  // one for each lane: those of an operation meet at the lowest of them
  unsigned size = 0;                // threads that take part
  unsigned current = 0;
  void* scheduler = nullptr;  // the stack that chooses who runs
  Index position{}, shape{}, whole{}, count{};  // in the grid; its threads; those of a full group; groups in the grid
  Index grid{};
  unsigned number = 0;            // groups are numbered as they run
  uint64_t shared_epoch = 0;      // barriers passed that order threadgroup memory
  uint64_t device_epoch = 0;      // and device memory
  unsigned schedule = 0;
  uint64_t random = 0;
  bool atomics = false;                     // some were used: the order of sums may show
};
extern Group group;

void body();  // the kernel, which every thread calls

inline Thread& self() { return group.threads[group.current]; }
inline unsigned lane() { return self().index % WIDTH; }

void wait(State state, int line, uint32_t mask = 0);  // until those that it waits for have come

// ------------------------------------------------------------------------------------------------ simd operations
// Every lane brings a value and waits; then pick(read) computes its result, where read(lane, &value) is false for lanes
// that are not there.
template <class T, class Pick>
auto exchange(T value, int line, uint32_t mask, Pick pick) {
  static_assert(sizeof(T) <= 16, "a simd operation takes values of at most 16 bytes");
  std::memcpy(self().given, &value, sizeof(T));
  wait(State::at_simd, line, mask);
  const Snapshot& snapshot = group.snapshots[self().mask];
  return pick([&](unsigned from, T* to) {
    if (from >= WIDTH || !(snapshot.present >> from & 1)) return false;
    std::memcpy(static_cast<void*>(to), snapshot.values[from], sizeof(T));
    return true;
  });
}

template <class T, class Operation>
T reduce(T value, int line, uint32_t mask, Operation operation) {
  return exchange(value, line, mask, [&](auto read) {
    T total = value, other;
    bool first = true;
    for (unsigned from = 0; from < WIDTH; ++from)
      if (read(from, &other)) {
        total = first ? other : T(operation(total, other));
        first = false;
      }
    return total;
  });
}

// The value of another lane; out of range: the own one; from a lane that is not there: poison.
template <class T>
T shuffle(T value, long from, int line, uint32_t mask) {
  return exchange(value, line, mask, [&](auto read) {
    T other = value;
    if (from >= 0 && from < long(WIDTH) && !read(unsigned(from), &other))
      std::memset(static_cast<void*>(&other), 0xFF, sizeof(T));
    return other;
  });
}

template <class T, class Operation>
T scan(T value, T start, bool inclusive, int line, uint32_t mask, Operation operation) {
  unsigned own = lane();
  return exchange(value, line, mask, [&](auto read) {
    T total = start, other;
    for (unsigned from = 0; from < own + inclusive; ++from)
      if (read(from, &other)) total = T(operation(total, other));
    return total;
  });
}

}  // namespace gpu
