// What gateway and API share. Everything in it outlives them and is used from one thread, the one that serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cloud/blob_store.h"
#include "cloud/bus.h"
#include "cloud/link/device_link.h"
#include "cloud/metrics.h"
#include "cloud/pki.h"
#include "cloud/store/store.h"

namespace mv::cloud {

class Deltas;

struct Settings {
  std::vector<std::string> names;  // of the server; devices check the first
  std::string dial_host;           // what devices dial
  std::uint16_t port = 0;
  std::uint32_t keep_alive_ms = 30'000;
  std::size_t log_records_kept = 10'000;  // a device
  std::size_t crashes_kept = 100;         // a device
  std::size_t events_kept = 100'000;
  std::uint64_t upload_limit = 32ULL << 20;  // bytes of a bundle, as bundle::Limits
  std::filesystem::path capture_debug{};     // where copies of debug streams go; empty: none are made
};

struct Services {
  Settings settings;
  Store& store;
  BlobStore& blobs;
  Bus& bus;
  LinkTable& links;
  Metrics& metrics;
  KeyAndCertificate authority;
  std::function<Microseconds()> now = wall_clock;
  // Runs `job` on another thread, then `done` on this one: for what would keep everybody waiting. A job may use nothing
  // of the above, nor the log. The server puts its threads in here; without it both run at once.
  std::function<void(std::function<void()> job, std::function<void()> done)> run_aside =
      [](const std::function<void()>& job, const std::function<void()>& done) {
        job();
        done();
      };
  Deltas* deltas = nullptr;  // none: updates are served as whole layers only
};

// Stores an event and tells those who follow. `data` is a JSON object. A failure is logged: an event is no state.
void record_event(Services& services, const Device& device, std::string kind, std::string detail,
                  std::string data = "{}");

}  // namespace mv::cloud
