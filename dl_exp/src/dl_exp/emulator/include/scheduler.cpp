// Fibers, and who runs next: see machine.hpp.
#include "scheduler.hpp"

#include <algorithm>
#include <sys/mman.h>
#include <unistd.h>

namespace gpu {

int here = 0;
Group group;
std::string raced;

[[noreturn]] static void say(const std::string& sentence) {
  ssize_t written = write(2, sentence.data(), sentence.size());
  _exit(written < 0 ? FAULT + 1 : FAULT);
}

[[noreturn]] void fail(const std::string& sentence) {
  say(raced.empty() ? sentence : raced + " stands between them");
}

// Not all threads come to a barrier.
[[noreturn]] static void diverge(const std::string& where) {
  say(raced.empty() ? "divergent barrier: " + where : raced + " that all threads take stands between them: " + where);
}

std::string line_text(int line) {
  return line > HEADER ? "header line " + std::to_string(line - HEADER) : "line " + std::to_string(line);
}

// ------------------------------------------------------------------------------------------------ fibers
// switch_stack(save, load): keep what the calling convention wants kept, leave the stack pointer in *save, take up load.
extern "C" void gpu_switch_stack(void** save, void* load);
#ifdef __APPLE__
#define GPU_SYMBOL "_gpu_switch_stack"
#else
#define GPU_SYMBOL "gpu_switch_stack"
#endif
#if defined(__x86_64__)
constexpr size_t KEPT = 6;  // registers, and above them the address to return to
asm(".text\n.globl " GPU_SYMBOL "\n" GPU_SYMBOL ":\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
static void* first_stack(char* top, void (*entry)()) {
  void** sp = reinterpret_cast<void**>(top) - 1;  // a function starts 8 bytes beside a multiple of 16
  *sp = nullptr;
  *--sp = reinterpret_cast<void*>(entry);
  sp -= KEPT;
  std::fill(sp, sp + KEPT, nullptr);
  return sp;
}
#elif defined(__aarch64__)
constexpr size_t KEPT = 20;  // x19 to x30, d8 to d15
asm(".text\n.globl " GPU_SYMBOL "\n.p2align 2\n" GPU_SYMBOL ":\n"
    "sub sp, sp, #160\n"
    "stp x19, x20, [sp]\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\nstp x25, x26, [sp, #48]\n"
    "stp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
    "stp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\nstp d14, d15, [sp, #144]\n"
    "mov x9, sp\nstr x9, [x0]\nmov sp, x1\n"
    "ldp x19, x20, [sp]\nldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\n"
    "ldp x27, x28, [sp, #64]\nldp x29, x30, [sp, #80]\n"
    "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\nldp d14, d15, [sp, #144]\n"
    "add sp, sp, #160\nret\n");
static void* first_stack(char* top, void (*entry)()) {
  void** sp = reinterpret_cast<void**>(top) - KEPT;
  std::fill(sp, sp + KEPT, nullptr);
  sp[11] = reinterpret_cast<void*>(entry);  // x30, where ret goes
  return sp;
}
#else
#error "the emulator knows the stacks of x86-64 and of arm64 processors only"
#endif

constexpr size_t STACK = 256 * 1024;  // bytes of a thread's own memory

// The order in which threads run: it decides nothing in a right kernel.
struct Schedule {
  bool backward, eager, random;
};
constexpr Schedule SCHEDULES[] = {
    {false, false, false},  // simdgroups take turns, lanes in order
    {true, false, false},   // the same from the end
    {false, true, false},   // a simdgroup runs as far as it can before the next one starts
    {true, true, false},    // the same from the end
    {false, false, true},   // any simdgroup, any lane first
    {false, false, true},   // another draw
};

void wait(State state, int line, uint32_t mask) {
  here = line;
  Thread& thread = self();
  thread.state = state;
  thread.line = line;
  thread.mask = mask;
  settle();
  gpu_switch_stack(&thread.stack, group.scheduler);
  here = line;
}

void first_call() {
  body();
  settle();
  Thread& thread = self();
  thread.state = State::returned;
  gpu_switch_stack(&thread.stack, group.scheduler);
}

// ------------------------------------------------------------------------------------------------ the scheduler
static unsigned draw(unsigned below) {
  group.random = group.random * 6364136223846793005ull + 1442695040888963407ull;
  return unsigned(group.random >> 33) % below;
}

std::string count_text(unsigned n, const char* one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

// Let the lanes of one simdgroup run up to where they wait.
bool run_lanes(unsigned simdgroup) {
  const Schedule& order = SCHEDULES[group.schedule];
  unsigned first = simdgroup * WIDTH, turn = order.random ? draw(WIDTH) : 0;
  bool ran = false;
  for (unsigned k = 0; k < WIDTH; ++k) {
    unsigned lane = (k + turn) % WIDTH, index = first + (order.backward ? WIDTH - 1 - lane : lane);
    if (index >= group.size || group.threads[index].state != State::ready) continue;
    group.current = index;
    gpu_switch_stack(&group.scheduler, group.threads[index].stack);
    ran = true;
  }
  return ran;
}

// Let go those whose simd operation is complete.
bool release_lanes(unsigned simdgroup) {
  unsigned first = simdgroup * WIDTH, last = std::min(first + WIDTH, group.size);
  bool released = false;
  for (unsigned i = first; i < last; ++i) {
    Thread& leader = group.threads[i];
    if (leader.state != State::at_simd) continue;
    uint32_t wanted = leader.mask, present = 0;
    bool complete = true;
    for (unsigned j = first; j < first + WIDTH; ++j) {
      bool named = wanted ? wanted >> (j - first) & 1 : j < last && group.threads[j].state != State::returned;
      if (!named) continue;
      if (j >= last || group.threads[j].state == State::returned)
        fail("wrong mask: that of " + line_text(leader.line) + " names lane " + std::to_string(j - first) +
             (j >= last ? ", which is not there" : ", which has returned"));
      Thread& other = group.threads[j];
      complete &= other.state == State::at_simd && other.mask == wanted;
      if (complete && other.line != leader.line)
        fail("divergent simd operations: lanes of one simdgroup are at " + line_text(leader.line) + " and at " +
             line_text(other.line));
      present |= 1u << (j - first);
    }
    if (!complete) continue;
    Snapshot& snapshot = group.snapshots[i];
    snapshot.present = present;
    for (unsigned j = first; j < last; ++j)
      if (present >> (j - first) & 1) {
        std::memcpy(snapshot.values[j - first], group.threads[j].given, 16);
        group.threads[j].state = State::ready;
        group.threads[j].mask = i;  // where to look
      }
    released = true;
  }
  return released;
}

// Nobody can run: either all are at one barrier, or they wait for each other for ever.
bool release_group() {
  unsigned alive = 0, waiting = 0, elsewhere = 0;
  int line = 0, other_line = 0, simd_line = 0;
  for (unsigned i = 0; i < group.size; ++i) {
    const Thread& thread = group.threads[i];
    if (thread.state == State::returned) continue;
    ++alive;
    if (thread.state == State::at_barrier) {
      ++waiting;
      if (line && thread.line != line) other_line = thread.line;
      if (!line) line = thread.line;
    } else {
      ++elsewhere;
      simd_line = thread.line;
    }
  }
  if (!alive) {
    complain();
    return false;
  }
  unsigned gone = group.size - alive;
  if (elsewhere && !waiting)
    fail("divergent simd operation: " + line_text(simd_line) + " waits for lanes that never come");
  if (elsewhere)
    diverge(count_text(waiting, "thread") + " at the barrier of " + line_text(line) + ", " +
         count_text(elsewhere, "thread") + " at the simd operation of " + line_text(simd_line));
  if (other_line)
    diverge("threads of one group are at " + line_text(line) + " and at " + line_text(other_line));
  if (gone && !rules.returned_may_miss_barriers)
    diverge(count_text(waiting, "thread") + " at the barrier of " + line_text(line) + ", and " +
         count_text(gone, "thread") + (gone == 1 ? " has" : " have") + " returned");
  complain();
  uint32_t orders = ORDERS_SHARED | ORDERS_DEVICE;
  for (unsigned i = 0; i < group.size; ++i)
    if (group.threads[i].state == State::at_barrier) {
      group.threads[i].state = State::ready;
      orders &= group.threads[i].mask;
    }
  group.shared_epoch += orders & ORDERS_SHARED ? 1 : 0;
  group.device_epoch += orders & ORDERS_DEVICE ? 1 : 0;
  return true;
}

void run_group() {
  const Schedule& order = SCHEDULES[group.schedule];
  ++group.number;
  ++group.shared_epoch;
  ++group.device_epoch;
  for (unsigned i = 0; i < group.size; ++i) {
    Thread& thread = group.threads[i];
    if (!thread.memory) {  // below it a page that nobody may touch: an overflow is seen
      size_t page = size_t(sysconf(_SC_PAGESIZE));
      void* memory = mmap(nullptr, STACK + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
      if (memory == MAP_FAILED) fail("not enough memory for the threads of a group");
      mprotect(memory, page, PROT_NONE);
      thread.memory = static_cast<char*>(memory) + page;
    }
    thread.stack = first_stack(thread.memory + STACK, first_call);
    thread.state = State::ready;
    thread.barriers = 0;
    thread.index = i;
    thread.position = {i % group.shape.x, i / group.shape.x % group.shape.y, i / group.shape.x / group.shape.y};
  }
  unsigned simdgroups = (group.size + WIDTH - 1) / WIDTH;
  do {
    for (bool moved = true; moved;) {
      moved = false;
      unsigned turn = order.random ? draw(simdgroups) : 0;
      for (unsigned k = 0; k < simdgroups; ++k) {
        unsigned g = order.backward ? simdgroups - 1 - k : (k + turn) % simdgroups;
        do {
          bool ran = run_lanes(g), released = release_lanes(g);
          moved |= ran || released;
          if (!released || !order.eager) break;
        } while (true);
      }
    }
  } while (release_group());
}

}  // namespace gpu
