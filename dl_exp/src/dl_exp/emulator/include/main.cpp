// The program: reads the buffers from standard input, runs every group of the grid under each schedule asked for, and
// writes the outputs to standard output.  Arguments: grid, threadgroup (three numbers each), seconds, schedules.
#include "memory.hpp"
#include "scheduler.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace gpu {

static void read_all(void* to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) fail("the inputs ended early");
}

static void read_buffers() {
  for (Buffer& buffer : buffers) {
    uint64_t bytes, filled;
    read_all(&bytes, 8);
    read_all(&filled, 8);
    Region* region = new Region{buffer.name, buffer.kind};
    region->bytes = bytes;
    region->element = buffer.element;
    region->sparse = buffer.sparse;
    region->filled = filled;
    region->base = static_cast<char*>(aligned_alloc(256, (bytes + 256) / 256 * 256));
    if (!region->base) fail("not enough memory for " + std::string(buffer.name));
    if (filled) {
      buffer.given.resize(bytes);
      read_all(buffer.given.data(), bytes);
    }
    buffer.region = region;
    regions.push_back(region);
  }
}

static void reset(Buffer& buffer) {
  Region& region = *buffer.region;
  if (region.filled) std::memcpy(region.base, buffer.given.data(), region.bytes);
  else poison(region.base, region.bytes, buffer.pattern, region.element);
  if (buffer.kind != Kind::output) return;
  region.copy.assign(region.base, region.base + region.bytes);
  region.places.assign(region.length(), {});
}

static void require_written(const Region& region) {
  if (region.filled) return;
  constexpr size_t NAMED = 3;
  std::vector<long> missing;
  for (size_t i = 0; i < region.length(); ++i)
    if (!region.places[i].writer.group) missing.push_back(long(i));
  if (missing.empty()) return;
  bool none = missing.size() == region.length();
  std::string said = none ? "any element of " + std::string(region.name) : place_text(region, missing[0]);
  for (size_t k = 1; !none && k < std::min(missing.size(), NAMED); ++k) said += ", " + place_text(region, missing[k]);
  if (!none && missing.size() > NAMED)
    said += " ... (" + std::to_string(missing.size()) + " of " + std::to_string(region.length()) + " elements)";
  fail("unwritten output: nobody writes " + said + ", and outputs start with whatever was there");
}

static unsigned seconds = 0;  // that it may take

[[noreturn]] static void killed(int signal) {
  std::string what = signal == SIGALRM ? "endless: it still ran after " + count_text(seconds, "second") + ", last seen at "
                                       : "crashed, by a wild pointer or too much on the stack, and was last seen at ";
  fail(what + line_text(here));
}

static void watch_signals() {
  static char stack[65536];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = killed;
  action.sa_flags = SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) sigaction(signal, &action, nullptr);
  alarm(seconds);
}

static void run_grid() {
  Group& g = group;
  for (g.position.z = 0; g.position.z < g.count.z; ++g.position.z)
    for (g.position.y = 0; g.position.y < g.count.y; ++g.position.y)
      for (g.position.x = 0; g.position.x < g.count.x; ++g.position.x) {
        // CUDA rounds the grid up to whole blocks; Metal's last groups are smaller
        auto left = [](unsigned whole, unsigned at, unsigned grid) {
          return rules.whole_groups ? whole : std::min(whole, grid - at * whole);
        };
        g.shape = {left(g.whole.x, g.position.x, g.grid.x), left(g.whole.y, g.position.y, g.grid.y),
                   left(g.whole.z, g.position.z, g.grid.z)};
        g.size = g.shape.x * g.shape.y * g.shape.z;
        run_group();
      }
}

static int run(int argc, char** argv) {
  auto number = [&](int k) { return unsigned(std::strtoul(argv[k], nullptr, 10)); };
  group.grid = {number(1), number(2), number(3)};
  group.whole = {std::min(number(4), number(1)), std::min(number(5), number(2)), std::min(number(6), number(3))};
  group.count = {(number(1) + number(4) - 1) / number(4), (number(2) + number(5) - 1) / number(5),
                 (number(3) + number(6) - 1) / number(6)};
  group.threads.resize(group.whole.x * group.whole.y * group.whole.z);
  group.snapshots.resize(group.threads.size());
  seconds = number(7);
  watch_signals();
  read_buffers();
  for (int k = 8; k < argc; ++k) {
    group.schedule = number(k);
    group.random = 0x9E3779B97F4A7C15ull * (number(k) + 1);
    group.number = 0;
    for (Buffer& buffer : buffers) reset(buffer);
    run_grid();
    for (const Buffer& buffer : buffers)
      if (buffer.kind == Kind::output) {
        require_written(*buffer.region);
        fwrite(buffer.region->base, 1, buffer.region->bytes, stdout);
      }
  }
  fputc(group.atomics ? 1 : 0, stdout);
  return fflush(stdout) ? 1 : 0;
}

}  // namespace gpu

int main(int argc, char** argv) { return gpu::run(argc, argv); }
