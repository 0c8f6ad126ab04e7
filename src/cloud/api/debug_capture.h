// Copies of what passes a debug stream, for operators who want to see for themselves that it is ciphertext only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud {

// The two files of one debug session: DIR/<device sid>-<session number>.to-device and .from-device.
class DebugCapture {
 public:
  enum class Direction { kToDevice, kFromDevice };

  // Makes the files, readable by the owner only. The number is the first that is free, so that nothing is overwritten.
  static Result<DebugCapture> create(const std::filesystem::path& folder, const std::string& device_sid);
  DebugCapture(DebugCapture&& other) noexcept;
  DebugCapture& operator=(DebugCapture&&) = delete;
  ~DebugCapture();

  // Appends the bytes. What was written is in the file when this returns, though not synced.
  Result<void> write(Direction direction, std::string_view bytes);

 private:
  DebugCapture(int to_device, int from_device) : to_device_(to_device), from_device_(from_device) {}

  int to_device_;
  int from_device_;
};

}  // namespace mv::cloud
