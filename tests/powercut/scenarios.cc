#include "scenarios.h"

namespace mv::powercut {
namespace {

using namespace update::rig;

constexpr unsigned kTrialSeconds = 20;

// How a bundle's layers lie. `tag`: makes their contents differ from those of another bundle.
using Layout = std::function<std::vector<Bytes>(unsigned tag)>;

// A content that shares most of its bytes with that of any other tag, as a program does with the one before.
Bytes changed(std::size_t size, unsigned tag) {
  Bytes bytes = pattern(size, 1);
  const Bytes news = pattern(std::min<std::size_t>(size, 300), tag + 100);
  std::copy(news.begin(), news.end(), bytes.begin() + static_cast<std::ptrdiff_t>((size - news.size()) / 2));
  return bytes;
}

const std::vector<std::pair<std::string, Layout>>& layouts() {
  static const std::vector<std::pair<std::string, Layout>> all = {
      {"one layer", [](unsigned tag) { return std::vector<Bytes>{changed(5000, tag)}; }},
      {"three layers, one of them unchanged",
       [](unsigned tag) {
         return std::vector<Bytes>{pattern(2100 + tag * 16, tag), pattern(1500, 2), changed(1701 + tag, tag)};
       }},
      {"to the last byte of a page",
       [](unsigned tag) {
         return std::vector<Bytes>{pattern(storage::kPage, tag), changed(storage::kQuadWord * 7, tag)};
       }},
  };
  return all;
}

// The group whose encrypted bundles every device reads.
const bundle::PrivateKey& group_key() {
  static const bundle::PrivateKey key = *bundle::PrivateKey::generate();
  return key;
}

Device boot(Scenario& scenario, host::FakeFlash& flash) {
  static AcceptAll signatures;
  return Device(flash, scenario.cloud, signatures, "mps2-an505", decryption_keys());
}

// The device runs `bundle`, confirmed, when the story begins.
void begin_with(Scenario& scenario, const Bundle& bundle) {
  Device device = boot(scenario, scenario.start);
  device.desire(bundle, 1);
  device.run();
  device.clock.advance_ms(kTrialSeconds * 1000);
  device.run();
  if (!device.runs(bundle)) throw std::runtime_error(scenario.name + ": cannot begin");
}

// Time passes, the cloud is there: whatever is on trial is confirmed.
void pass_trial(Device& device) {
  device.clock.advance_ms(kTrialSeconds * 1000 / 2);
  device.run();
}

// Orders `bundle` and waits for it.
void order(Device& device, const Bundle& bundle, std::uint64_t generation) {
  device.desire(bundle, generation);
  device.run();
  pass_trial(device);
  device.run();
}

struct Maker {
  std::vector<Scenario> made;

  Scenario& add(const std::string& name, const std::vector<Bundle>& bundles) {
    Scenario& scenario = made.emplace_back();
    scenario.name = name;
    scenario.may_run = bundles;
    for (const Bundle& each : bundles) scenario.cloud.add(each);
    return scenario;
  }

  void first_bundle(const std::string& shape, const Layout& layout) {
    const Bundle first = make_bundle(layout(1));
    Scenario& scenario = add("first bundle, " + shape, {first});
    scenario.may_run_nothing = true;
    scenario.story = [first](Device& device, FakeCloud&) { order(device, first, 1); };
    scenario.ended = [first](Device& device) { return device.runs(first); };
  }

  void update(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1)), next = make_bundle(layout(2));
    Scenario& scenario = add("update, " + shape, {old, next});
    begin_with(scenario, old);
    scenario.story = [next](Device& device, FakeCloud&) { order(device, next, 2); };
    scenario.ended = [next](Device& device) { return device.runs(next); };
  }

  void confirmed(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1)), next = make_trial_bundle(layout(2), kTrialSeconds);
    Scenario& scenario = add("update on trial, confirmed, " + shape, {old, next});
    begin_with(scenario, old);
    scenario.story = [next](Device& device, FakeCloud&) { order(device, next, 2); };
    scenario.ended = [next](Device& device) {
      return device.runs(next) && device.report().wait == mv_wire_UpdateWait_WAIT_NOTHING;
    };
  }

  void undone(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1)), next = make_trial_bundle(layout(2), kTrialSeconds);
    Scenario& scenario = add("update on trial, undone, " + shape, {old, next});
    begin_with(scenario, old);
    scenario.story = [next](Device& device, FakeCloud& cloud) {
      device.desire(next, 2);
      device.run();
      cloud.disconnect();
      device.clock.advance_ms(kTrialSeconds * 1000);
      device.run();
      cloud.connect();
      device.run();
    };
    scenario.ended = [old](Device& device) {
      return device.runs(old) && device.report().error == mv_wire_UpdateError_UPDATE_ROLLED_BACK;
    };
  }

  void taken_back(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1)), next = make_trial_bundle(layout(2), kTrialSeconds);
    Scenario& scenario = add("taken back while on trial, " + shape, {old, next});
    begin_with(scenario, old);
    scenario.story = [old, next](Device& device, FakeCloud&) {
      device.desire(next, 2);
      device.run();
      order(device, old, 3);
    };
    scenario.ended = [old](Device& device) {
      return device.runs(old) && device.report().state == mv_wire_AppState_APP_RUNNING;
    };
  }

  // A second update is ordered when the first is staged, and the application has not agreed to it.
  void replaced(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1), 3600), first = make_trial_bundle(layout(2), kTrialSeconds),
                 second = make_bundle(layout(3));
    Scenario& scenario = add("second update over a staged one, " + shape, {old, first, second});
    begin_with(scenario, old);
    scenario.story = [first, second](Device& device, FakeCloud&) {
      device.host.listens = true;
      device.desire(first, 2);
      device.run();
      order(device, second, 3);
      device.engine.apply();
      device.run();
      pass_trial(device);
      device.run();
      device.engine.apply();
      device.run();
    };
    scenario.ended = [second](Device& device) { return device.runs(second); };
  }

  // Bundles of the original do not say how large a layer's content is, nor what its segments are.
  void of_the_original(const std::string& shape, const Layout& layout) {
    Bundle old = make_bundle(layout(1)), next = make_bundle(layout(2));
    for (Bundle* each : {&old, &next}) {
      make_original(*each);
      seal(*each);
    }
    Scenario& scenario = add("bundle of the original, " + shape, {old, next});
    begin_with(scenario, old);
    scenario.story = [next](Device& device, FakeCloud&) { order(device, next, 2); };
    scenario.ended = [next](Device& device) { return device.runs(next); };
  }

  // The key to it has to be there again after each cut.
  void encrypted(const std::string& shape, const Layout& layout) {
    const Bundle old = make_bundle(layout(1));
    Bundle next = make_bundle(layout(2));
    encrypt(next, {group_key().public_key()});
    seal(next);
    Scenario& scenario = add("encrypted bundle, " + shape, {old, next});
    scenario.slow = true;
    begin_with(scenario, old);
    scenario.story = [next](Device& device, FakeCloud&) { order(device, next, 2); };
    scenario.ended = [next](Device& device) { return device.runs(next); };
  }

  // The journals' pages are nearly full, so that each goes over to the next one on the way.
  void on_worn_journals(const Layout& layout) {
    undone("journals at the end of their pages", layout);
    Scenario& scenario = made.back();
    storage::RecordsOf<8> journal(scenario.start, flash_map::kUpdateJournal);
    journal.mount();
    const auto state = journal.find(0);
    for (int i = 0; i < 490; ++i) journal.put(0, state->number);
    for (const flash_map::Area area : {flash_map::kStagingIndex, flash_map::kUndoIndex}) {
      storage::RecordsOf<48> index(scenario.start, area);
      index.mount();
      for (int i = 0; i < 508; ++i) index.put(47, 0);
    }
  }
};

}  // namespace

update::DecryptionKeys decryption_keys() {
  static const mv_wire_Identity_decryption_keys_t key = [] {
    mv_wire_Identity_decryption_keys_t made{};
    const auto scalar = group_key().scalar();
    made.size = static_cast<pb_size_t>(scalar.size());
    std::copy(scalar.begin(), scalar.end(), made.bytes);
    return made;
  }();
  return {&key, 1};
}

std::vector<Scenario> scenarios() {
  Maker maker;
  for (const auto& [shape, layout] : layouts()) {
    maker.update(shape, layout);
    maker.confirmed(shape, layout);
    maker.of_the_original(shape, layout);
    if (layout(1).front().size() == storage::kPage) continue;  // long stories of large layers take too long
    maker.first_bundle(shape, layout);
    maker.undone(shape, layout);
    maker.taken_back(shape, layout);
    maker.replaced(shape, layout);
  }
  maker.encrypted(layouts()[0].first, layouts()[0].second);
  maker.on_worn_journals(layouts()[1].second);
  return std::move(maker.made);
}

std::vector<Scenario> short_scenarios() {
  const auto& [shape, layout] = layouts().front();
  Maker maker;
  maker.undone(shape, layout);
  maker.confirmed(shape, layout);
  maker.update(shape, layout);
  maker.on_worn_journals(layouts()[1].second);
  return std::move(maker.made);
}

Scenario everything(bool large) {
  Maker maker;
  const Layout layout = [large](unsigned tag) {
    return large ? std::vector<Bytes>{changed(70000, tag), pattern(20000, tag)}
                 : std::vector<Bytes>{changed(9000, tag), pattern(1000, 2), pattern(2000 + tag, tag)};
  };
  maker.replaced("everything", layout);
  Scenario& scenario = maker.made.back();
  const Bundle old = scenario.may_run[0], first = scenario.may_run[1];
  const Bundle last = make_trial_bundle(layout(4), kTrialSeconds);
  scenario.cloud.add(last);
  scenario.may_run.push_back(last);
  scenario.name = large ? "everything, large" : "everything";
  // Fetched, staged, replaced, installed on trial, undone, ordered again, confirmed.
  scenario.story = [old, first, last](Device& device, FakeCloud& cloud) {
    device.host.listens = true;
    device.desire(first, 2);
    device.run();
    device.desire(last, 3);
    device.run();
    device.engine.apply();
    device.run();
    cloud.disconnect();
    device.clock.advance_ms(kTrialSeconds * 1000);
    device.run();
    cloud.connect();
    order(device, last, 4);
    device.engine.apply();
    device.run();
    pass_trial(device);
  };
  scenario.ended = [last](Device& device) {
    return device.runs(last) && device.report().wait == mv_wire_UpdateWait_WAIT_NOTHING;
  };
  return std::move(maker.made.back());
}

}  // namespace mv::powercut
