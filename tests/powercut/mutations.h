// Wrong orders, one for each order that the update engine relies on.
#pragma once

#include <vector>

#include "reordering_flash.h"

namespace mv::powercut {

std::vector<Mutation> mutations();

}  // namespace mv::powercut
