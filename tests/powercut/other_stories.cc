#include "other_stories.h"

#include <memory>
#include <optional>

#include "core/update/microvisor_fixture.h"
#include "core/update/signer_keys_fixture.h"

namespace mv::powercut {
namespace {

using namespace update;
using namespace update::fixture;
using host::FakeFlash;

Outcome wrong(const std::string& what) { return {true, what}; }

// A device with an old microvisor, and the cloud that has a new one.
struct MicrovisorDevice {
  MicrovisorDevice() {
    flash.load(image::place_of(Slot::kA).offset, make_image(kOld, 9000));
    offer(cloud, next);
  }

  // Boots until nothing is left to do, the power fails, or an update would take fewer boots. What is wrong, if
  // something is.
  std::string update(FakeFlash& on, int boots, std::uint64_t order) {
    for (int i = 0; i < boots && on.powered(); ++i) {
      Boot boot(on, cloud);
      if (!on.powered()) return "";
      if (!boot.started) return "no microvisor starts";
      if (boot.version != kOld && boot.version != kNew) return "a microvisor runs that nobody made";
      if (boot.on_trial && boot.version != kNew) return "the old microvisor is on trial";
      boot.updater.cloud_reached();
      boot.desire(next, order);
      boot.run();
      cloud.cancel();
      if (!boot.host.restarted) return "";
    }
    return "";
  }

  Bytes next = make_image(kNew, 17'000);
  FakeFlash flash{image::fixture::kFlashSize};
  FakeCloud cloud;
};

Outcome update_microvisor(MicrovisorDevice& device, std::uint64_t operation, Cut how) {
  FakeFlash flash = device.flash;
  flash.cut_at(operation, how, static_cast<std::uint32_t>(operation) * 3 + 1);
  if (const std::string problem = device.update(flash, 3, 1); !problem.empty()) return wrong(problem);
  if (flash.powered()) return {};
  flash.restore_power();
  if (const std::string problem = device.update(flash, 6, 2); !problem.empty()) return wrong(problem);
  Boot boot(flash, device.cloud);
  if (!boot.started || boot.version != kNew || boot.on_trial) return wrong("the update cannot be finished");
  if (boot.report().state != mv_wire_MicrovisorState_MICROVISOR_RUNS) return wrong("it reports what is not so");
  return {true, ""};
}

// The new one never reaches the cloud: after its starts on trial the old one is back, for good.
Outcome give_microvisor_up(MicrovisorDevice& device, std::uint64_t operation, Cut how) {
  FakeFlash flash = device.flash;
  flash.cut_at(operation, how, static_cast<std::uint32_t>(operation) + 1);
  bool cut = false;
  for (int boots = 0; boots < 8; ++boots) {
    Boot boot(flash, device.cloud);
    if (!flash.powered()) {
      cut = true;
      flash.restore_power();
      continue;
    }
    if (!boot.started) return wrong("no microvisor starts");
    if (!boot.on_trial && boot.version != kOld) return wrong("it is confirmed although it never reached the cloud");
  }
  if (!cut) return {};
  Boot boot(flash, device.cloud);
  if (!boot.started || boot.version != kOld) return wrong("the old microvisor is not back");
  if (boot.report().state != mv_wire_MicrovisorState_MICROVISOR_REFUSED)
    return wrong("it does not say that it went back");
  return {true, ""};
}

// A device that knows one and two, and then two and three.
struct KeysDevice {
  // `changes` were made before: after 42 the page of their records is full.
  explicit KeysDevice(std::uint64_t changes) {
    for (std::uint64_t sequence = 1; sequence <= changes; ++sequence) {
      wire::KeyChange change = change_number(sequence);
      change.set_threshold(1 + sequence % 2);
      if (apply(flash, signed_by(change.SerializeAsString(), {&one, &two})) != mv_wire_KeyChangeError_KEYS_OK) {
        throw std::runtime_error("a change of keys without any cut is refused");
      }
    }
    wire::KeyChange change = change_number(changes + 1);
    change.add_add(text(three.point()));
    change.add_remove(one.id());
    message = signed_by(change.SerializeAsString(), {&one, &two});
  }

  static wire::KeyChange change_number(std::uint64_t sequence) {
    wire::KeyChange change;
    change.set_sequence(sequence);
    change.set_device_id(kDeviceId);
    return change;
  }

  mv_wire_KeyChangeError apply(FakeFlash& on, const Bytes& what) {
    SignerKeys keys(on, identity);
    keys.mount();
    return keys.apply(what, {});
  }

  // Of one, two and three, which it has after a boot; and nothing else, else -1.
  int known(FakeFlash& on) {
    SignerKeys keys(on, identity);
    keys.mount();
    int mask = 0;
    std::size_t count = 0;
    for (const rig::Signer* signer : {&one, &two, &three}) {
      if (keys.contains(signer->id())) mask |= 1 << count;
      ++count;
    }
    return keys.count() == 2 ? mask : -1;
  }

  rig::Signer one, two, three;
  mv_wire_Identity identity = identity_with({&one, &two});
  FakeFlash flash{kKeysFlash};
  Bytes message;
};

constexpr int kBefore = 0b011;
constexpr int kAfter = 0b110;

Outcome change_keys(KeysDevice& device, std::uint64_t operation, Cut how) {
  FakeFlash flash = device.flash;
  flash.cut_at(operation, how, static_cast<std::uint32_t>(operation) * 3 + 1);
  (void)device.apply(flash, device.message);
  if (flash.powered()) return {};
  flash.restore_power();
  const int known = device.known(flash);
  if (known != kBefore && known != kAfter) return wrong("neither the old keys nor the new ones");
  if (device.apply(flash, device.message) != mv_wire_KeyChangeError_KEYS_OK)
    return wrong("the change cannot be made any more");
  if (device.known(flash) != kAfter) return wrong("the change was made, and the keys are others");
  return {true, ""};
}

}  // namespace

std::vector<OtherStory> other_stories() {
  const auto with = [](auto device, auto tell) {
    return [device, tell](std::uint64_t operation, Cut how) { return tell(*device, operation, how); };
  };
  std::vector<OtherStory> stories;
  stories.push_back({"the microvisor is updated", with(std::make_shared<MicrovisorDevice>(), update_microvisor)});
  const auto ordered = std::make_shared<MicrovisorDevice>();
  if (const std::string problem = ordered->update(ordered->flash, 1, 1); !problem.empty()) {
    throw std::runtime_error(problem);
  }
  stories.push_back({"a microvisor that never runs is given up", with(ordered, give_microvisor_up)});
  for (const std::uint64_t changes : {0, 42}) {
    stories.push_back({"signer keys, after " + std::to_string(changes) + " changes of them",
                       with(std::make_shared<KeysDevice>(changes), change_keys)});
  }
  return stories;
}

}  // namespace mv::powercut
