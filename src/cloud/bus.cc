#include "cloud/bus.h"

#include <cstdint>
#include <vector>

namespace mv::cloud {
namespace {

class InProcessBus final : public Bus {
 public:
  void publish(std::string_view topic) override {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    std::vector<std::uint64_t> ids;  // subscribers may come and go while they are called
    for (const auto& [id, notify] : found->second) ids.push_back(id);
    for (const std::uint64_t id : ids) call(topic, id);
  }

  std::unique_ptr<Subscription> subscribe(std::string_view topic, std::function<void()> notify) override {
    const std::uint64_t id = next_id_++;
    topics_[std::string(topic)].emplace(id, std::move(notify));
    return std::make_unique<Entry>(*this, std::string(topic), id);
  }

 private:
  class Entry final : public Subscription {
   public:
    Entry(InProcessBus& bus, std::string topic, std::uint64_t id) : bus_(bus), topic_(std::move(topic)), id_(id) {}
    ~Entry() override { bus_.remove(topic_, id_); }

   private:
    InProcessBus& bus_;
    std::string topic_;
    std::uint64_t id_;
  };

  void call(std::string_view topic, std::uint64_t id) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    const auto subscriber = found->second.find(id);
    if (subscriber == found->second.end()) return;
    const auto notify = subscriber->second;  // a copy: it may unsubscribe itself
    notify();
  }

  void remove(const std::string& topic, std::uint64_t id) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    found->second.erase(id);
    if (found->second.empty()) topics_.erase(found);
  }

  std::map<std::string, std::map<std::uint64_t, std::function<void()>>, std::less<>> topics_;
  std::uint64_t next_id_ = 1;
};

}  // namespace

std::unique_ptr<Bus> make_in_process_bus() { return std::make_unique<InProcessBus>(); }

}  // namespace mv::cloud
