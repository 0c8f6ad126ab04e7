// A device's live connection as the rest of the cloud sees it, and the table of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cloud/text.h"
#include "wire/frame.h"

namespace mv::cloud {

// The other end of a device's debug stream: who debugs.
class DebugClient {
 public:
  virtual ~DebugClient() = default;
  // The device accepted.
  virtual void on_debug_open() = 0;
  // Bytes of the device. They are owed back with `debug_consumed` once they went on.
  virtual void on_debug_bytes(std::span<const std::uint8_t> bytes) = 0;
  // The device granted credit: `debug_send` takes bytes again.
  virtual void on_debug_writable() = 0;
  // The device refused or closed, or its link is gone. The last call; the client is forgotten.
  virtual void on_debug_closed(frame::CloseReason reason, const std::string& text) = 0;
};

struct LinkStatus {
  std::string address;
  Microseconds since = 0;
  std::optional<std::uint32_t> round_trip_ms;
  std::uint32_t keep_alive_ms = 0;
};

class DeviceLink {
 public:
  virtual ~DeviceLink() = default;

  virtual LinkStatus status() const = 0;
  // The desired state in the Store changed: tell the device.
  virtual void desired_changed() = 0;
  // Likewise of the change of its keys.
  virtual void key_change_ordered() = 0;
  // The device is no more in the Store: ends the link.
  virtual void device_removed() = 0;
  // A newer connection of the device took over.
  virtual void supersede() = 0;

  // Opens the debug stream for the client. False if somebody has it, or its last use is still being closed.
  virtual bool open_debug(DebugClient& client) = 0;
  // Takes as many bytes as there is credit for; returns how many.
  virtual std::size_t debug_send(std::string_view bytes) = 0;
  virtual void debug_consumed(std::size_t bytes) = 0;
  // Ends the stream from the client's side; the client is forgotten at once.
  virtual void close_debug(frame::CloseReason reason, std::string_view text) = 0;
};

// Which devices are online at this node.
class LinkTable {
 public:
  // Takes the link in; an older one of the same device is superseded.
  void enter(const std::string& device, DeviceLink& link);
  // Forgets the link, unless a newer one took its place. True if it was the current one.
  bool leave(const std::string& device, const DeviceLink& link);
  DeviceLink* find(std::string_view device) const;
  std::size_t size() const { return links_.size(); }

 private:
  std::map<std::string, DeviceLink*, std::less<>> links_;
};

}  // namespace mv::cloud
