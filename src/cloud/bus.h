// Tells parts of the cloud that something changed. A topic says where to look; the truth is in the Store.
//
// In-process here; between nodes it is NATS, so nobody may count on a message to arrive: readers look into the Store
// when they subscribe and on every message.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mv::cloud {

class Bus {
 public:
  // Ends with its destruction. Must not outlive the bus.
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };

  virtual ~Bus() = default;
  virtual void publish(std::string_view topic) = 0;
  // `notify` is called in the thread of the publisher; it may subscribe and unsubscribe.
  [[nodiscard]] virtual std::unique_ptr<Subscription> subscribe(std::string_view topic,
                                                                std::function<void()> notify) = 0;
};

std::unique_ptr<Bus> make_in_process_bus();

inline std::string logs_topic(std::string_view device) { return "logs/" + std::string(device); }
inline std::string events_topic() { return "events"; }

}  // namespace mv::cloud
