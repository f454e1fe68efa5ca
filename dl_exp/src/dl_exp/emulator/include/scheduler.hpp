// What the program's parts ask of each other, and no kernel of them.
#pragma once
#include "machine.hpp"

namespace gpu {

constexpr int FAULT = 3;  // the exit code after a report

extern std::string raced;  // two threads met at one place: what comes after it may come of it

void settle();     // what the running thread has read and written since it was resumed
void complain();   // at a barrier: of what should have been written before it
void run_group();  // all threads of the group, to their end

}  // namespace gpu
