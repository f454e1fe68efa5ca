// Who touched what, and when: see memory.hpp.
#include "memory.hpp"
#include "scheduler.hpp"

#include <unistd.h>

namespace gpu {

std::vector<Region*> regions;
size_t shared_bytes = 0;

struct Note {
  Region* region;
  size_t first, last;  // elements
  int line;
  bool atomic, constant, wrote;
};

constexpr unsigned PATIENCE = 2;  // seconds for the way to the next barrier after a race: it may never end

constexpr size_t MANY = 1 << 16;  // notes before they are looked at: a loop without end must not fill the memory

static std::string overdue;      // a complaint that waits for the next barrier
static std::vector<Note> notes;  // of the thread that runs, since it was resumed

// A quiet NaN for floats; otherwise a number that nobody would miss.
void poison(char* to, size_t bytes, const unsigned char* pattern, size_t element) {
  for (size_t i = 0; i < bytes; ++i) to[i] = char(pattern[i % element]);
}

Region* find(const void* address) {
  const char* p = static_cast<const char*>(address);
  for (Region* region : regions)
    if (p >= region->base && p < region->base + region->bytes) return region;
  return nullptr;
}

std::string place_text(const Region& region, long element) {
  return std::string(region.name) + "[" + std::to_string(element) + "]";
}

std::string thread_text(const Visit& visit) {
  return "thread " + std::to_string(visit.thread) + " of group " + std::to_string(visit.group - 1);
}

bool ordered(const Visit& before, const Visit& now) {
  if (!before.group) return true;                                          // nobody was there
  if (before.group != now.group) return false;                             // groups know nothing of each other
  if (before.thread == now.thread || before.epoch != now.epoch) return true;
  return before.thread / WIDTH == now.thread / WIDTH && before.barriers != now.barriers;
}

// Threads of one group go on to their next barrier: perhaps there is one between, and not all take it.
void race(const Region& region, size_t element, const Visit& before, const char* did, const Visit& now,
          const char* does) {
  std::string who = "missing barrier: " + line_text(now.line) + " " + does + " " + place_text(region, long(element)) +
                    " (" + thread_text(now) + "), which " + line_text(before.line) + " " + did + " (" +
                    thread_text(before) + "), and ";
  if (before.group != now.group) fail(who + "groups cannot wait for each other");
  if (!raced.empty()) return;
  raced = who + "no barrier";
  alarm(PATIENCE);
}

void visit(Region& region, size_t element, const Note& note, bool wrote) {
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
    if (overdue.empty())  // a writer who comes before the next barrier shows that it is one that is missing
      overdue = "read before written: " + line_text(note.line) + " reads " + place_text(region, long(element)) +
                ", which nobody has written";
  }
  bool known = place.readers[0].group == now.group && place.readers[0].thread == now.thread;
  if (!known) place.readers[1] = place.readers[0];
  place.readers[0] = now;
}

bool changed(const Region& region, size_t element) {
  size_t at = element * region.element;
  return std::memcmp(region.base + at, region.copy.data() + at, region.element) != 0;
}

void take_over(Region& region, size_t element) {
  size_t at = element * region.element;
  std::memcpy(region.copy.data() + at, region.base + at, region.element);
}

// A store is complete before the next access begins: so its line is known.
void see_store(Note& note) {
  for (size_t e = note.first; e <= note.last && !note.constant; ++e) note.wrote |= changed(*note.region, e);
  if (note.wrote)
    for (size_t e = note.first; e <= note.last; ++e) take_over(*note.region, e);
}

void settle() {
  for (size_t k = notes.size(); k-- > 0;) see_store(notes[k]);
  for (const Note& note : notes)
    for (size_t e = note.first; e <= note.last; ++e) visit(*note.region, e, note, note.wrote || (note.atomic && !note.constant));
  notes.clear();
}

void access(const char* p, size_t size, size_t alignment, bool constant, Region* region, int line, bool atomic) {
  here = line;
  if (!region) return;
  long at = p - region->base, unit = long(region->element);
  if (at < 0 || at + long(size) > long(region->bytes)) {
    long element = at >= 0 ? (at + long(size) - 1) / unit : -((-at + unit - 1) / unit);
    fail("out of range: " + line_text(line) + " reaches " + place_text(*region, element) + ", and " + region->name +
         " has " + count_text(unsigned(region->length()), "element"));
  }
  if (reinterpret_cast<uintptr_t>(p) % alignment)
    fail("misaligned: " + line_text(line) + " takes " + std::to_string(size) + " bytes at once at " +
         place_text(*region, at / unit) + ", whose address is no multiple of " + std::to_string(alignment));
  if (region->kind == Kind::input) return;
  if (notes.size() == MANY) settle();
  if (!notes.empty()) {
    Note& last = notes.back();
    if (atomic && !last.atomic && last.region == region && last.first == size_t(at / unit) && last.line == line)
      notes.pop_back();  // &x[i], whose place is now used
    else
      see_store(last);
  }
  notes.push_back({region, size_t(at / unit), size_t((at + long(size) - 1) / unit), line, atomic, constant, false});
}

void complain() {
  if (!raced.empty() || !overdue.empty()) fail(overdue);
}

}  // namespace gpu
