// The part of a device's JSON that is about its microvisor.
#pragma once

#include "cloud/api/answers.h"

namespace mv::cloud {

Json device_microvisor_json(Services& services, const Device& device);

}  // namespace mv::cloud
