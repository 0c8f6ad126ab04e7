// Requests over channels from anywhere: the input is the application's memory, with every structure at its beginning.
// Pointers lead where they like. Nothing is read outside, nothing is written, every answer is one of those promised.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/app/channel_requests.h"

namespace {

using namespace mv;

constexpr std::uint32_t kStart = 0x20000000;

// Exactly as large as the input, so that a sanitizer sees a step outside.
class FuzzMemory final : public GuestMemory {
 public:
  FuzzMemory(const std::uint8_t* data, std::size_t size) : bytes_(data, data + size) {}

  bool copy_in(std::span<std::uint8_t> to, std::uint32_t from) override {
    if (!readable(from, static_cast<std::uint32_t>(to.size()))) return false;
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + (from - kStart), to.size());
    return true;
  }
  bool copy_out(std::uint32_t, std::span<const std::uint8_t>) override { __builtin_trap(); }
  bool deliver(std::uint32_t, std::span<const std::uint8_t>) override { __builtin_trap(); }
  bool readable(std::uint32_t address, std::uint32_t size) override {
    return size == 0 || (address >= kStart && size <= bytes_.size() && address - kStart <= bytes_.size() - size);
  }
  bool writable(std::uint32_t address, std::uint32_t size) override { return readable(address, size); }

 private:
  std::vector<std::uint8_t> bytes_;
};

void expect_one_of(MvStatus status, std::initializer_list<MvStatus> promised) {
  if (status == MV_STATUS_OKAY || status == MV_STATUS_PARAMETERFAULT || status == MV_STATUS_LATEFAULT) return;
  if (std::ranges::find(promised, status) == promised.end()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::app;
  if (size > 0x10000) return 0;
  FuzzMemory memory(data, size);
  expect_one_of(check_http_request(memory, kStart, 512), {MV_STATUS_TOOMANYELEMENTS, MV_STATUS_INVALIDBUFFERSIZE});
  expect_one_of(check_config_request(memory, kStart, 512),
                {MV_STATUS_TOOMANYCONFIGKEYS, MV_STATUS_UNKNOWNCONFIGSCOPE, MV_STATUS_UNKNOWNCONFIGSTORE,
                 MV_STATUS_INVALIDCONFIGKEY, MV_STATUS_INVALIDBUFFERSIZE});
  expect_one_of(check_mqtt_connect(memory, kStart),
                {MV_STATUS_INVALIDAUTHENTICATION, MV_STATUS_TOOMANYELEMENTS, MV_STATUS_REQUIREDELEMENTMISSING});
  expect_one_of(check_mqtt_subscribe(memory, kStart), {MV_STATUS_TOOMANYELEMENTS, MV_STATUS_REQUIREDELEMENTMISSING});
  expect_one_of(check_mqtt_unsubscribe(memory, kStart), {MV_STATUS_TOOMANYELEMENTS, MV_STATUS_REQUIREDELEMENTMISSING});
  expect_one_of(check_mqtt_publish(memory, kStart), {});
  expect_one_of(check_mqtt_acknowledgements(memory, kStart), {});
  expect_one_of(check_mqtt_message(memory, kStart), {});
  expect_one_of(check_mqtt_lost_message(memory, kStart), {});
  expect_one_of(check_config_item(memory, kStart), {});
  return 0;
}
