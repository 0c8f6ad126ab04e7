// The USB bus of this machine, by libusb-1.0.
#pragma once

#include <memory>

#include "usb/usb_device.h"

namespace mv::usb {

// Errors: kOther (this machine has no USB that libusb can use).
Expected<std::unique_ptr<Bus>> open_bus();

}  // namespace mv::usb
