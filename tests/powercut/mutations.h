// Wrong orders of writing.
#pragma once

#include <vector>

#include "reordering_flash.h"

namespace mv::powercut {

// Of what the update engine relies on: each must be noticed.
std::vector<Mutation> mutations();

// Of what it need not rely on, as it looks again: none may do harm.
std::vector<Mutation> harmless_mutations();

}  // namespace mv::powercut
