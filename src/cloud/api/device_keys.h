// The part of a device's JSON that is about its signer keys.
#pragma once

#include "cloud/api/answers.h"

namespace mv::cloud {

// null if the store cannot be read.
Json device_keys_json(Services& services, const Device& device);

}  // namespace mv::cloud
