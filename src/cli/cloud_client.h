// The cloud as the commands see it: docs/rest-api.md as functions. Every failure is a sentence with an exit code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/failure.h"
#include "transport/event_stream.h"
#include "transport/http_client.h"
#include "transport/url.h"

namespace mv::cli {

template <typename Value>
using Answer = tl::expected<Value, Failure>;

// Where an update of a device is: the object `update` of docs/rest-api.md.
struct Update {
  std::string state;      // "up-to-date", "pending", "downloading", "staged", "waiting", "installing", "trial", ...
  std::string waits_for;  // "application", "confirmation" or empty
  std::optional<std::uint64_t> wait_left_sec;
  std::uint64_t bytes_done = 0;  // content
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_received = 0;  // over the air
  std::optional<std::uint64_t> bytes_to_receive;
  std::optional<double> bytes_per_sec;  // over the air, while it downloads; nothing if that is not known
  std::string reason;                   // the device's own words: it refuses, or undid it

  // Seconds until all of it has come over the air; nothing if that is not known.
  std::optional<std::uint64_t> seconds_left() const;
};

// A device as the cloud describes it. `document` is the whole answer.
struct Device {
  std::string sid;
  std::string name;
  std::string board;
  bool online = false;
  std::string state;          // "running", "downloading", ...
  std::string update_status;  // "up-to-date", "pending", "error"
  std::string target_sid;
  std::string target_hash;
  std::string reported_hash;
  std::string detail;  // the device's own words
  Update update;
  nlohmann::ordered_json document;

  // How to call it to a person.
  const std::string& label() const { return name.empty() ? sid : name; }
};

struct App {
  std::string sid;
  std::string hash;  // "sha256:HEX" of the manifest
  std::string name;
  std::string version;
  std::uint64_t size = 0;  // bytes
  nlohmann::ordered_json document;
};

struct Provisioned {
  Device device;
  std::vector<std::uint8_t> identity;  // wire::Identity; the cloud gives it once
};

// The text under `key` of what the cloud sent; empty if it left it out.
std::string text_of(const nlohmann::ordered_json& document, const char* key);

// A device by the JSON that the cloud gave of it.
Device device_of(nlohmann::ordered_json document);

class CloudClient {
 public:
  // Does not connect yet.
  static Answer<CloudClient> make(const Context& context);

  Answer<std::vector<Device>> devices();
  // By name, id or unique prefix.
  Answer<Device> device(const std::string& name);
  Answer<Device> update_device(const std::string& sid, const transport::FormFields& fields);
  Answer<void> delete_device(const std::string& sid);
  // `dial`: "HOST:PORT" that the device calls; empty: the cloud's own.
  Answer<Provisioned> provision(const std::string& name, const std::string& board, const std::string& dial = "");

  // Crash records, the newest first, and one by its id: see crash_report.h.
  Answer<std::vector<nlohmann::ordered_json>> crashes(const std::string& sid);
  Answer<nlohmann::ordered_json> crash(const std::string& sid, std::uint64_t id);

  Answer<std::vector<App>> apps();
  Answer<App> app(const std::string& name);
  Answer<App> upload_app(const std::filesystem::path& bundle, const std::string& unique_name,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  Answer<void> delete_app(const std::string& sid);

  // Images of the microvisor, the newest upload first, and orders to run one: "Target", "TrialSeconds", "Force".
  Answer<std::vector<nlohmann::ordered_json>> microvisors();
  Answer<nlohmann::ordered_json> upload_microvisor(const std::filesystem::path& image,
                                                   const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  Answer<Device> order_microvisor(const std::string& device_sid, const transport::FormFields& fields);
  Answer<void> delete_microvisor(const std::string& sid);

  // `change`: bytes of a signed change of its keys; empty: takes an order back.
  Answer<Device> change_keys(const std::string& device_sid, std::string_view change);

  Answer<std::vector<nlohmann::ordered_json>> signers();
  Answer<nlohmann::ordered_json> add_signer(const std::string& name, const std::string& public_key_pem);
  Answer<void> delete_signer(const std::string& key_id);

  // Any path below /v1 that has no function of its own: "/Apps/KA.../Manifest".
  Answer<nlohmann::ordered_json> get(const std::string& path, const transport::FormFields& query = {});

  // Follows a stream of events below /v1; `on_lost` is told when the connection has to be made anew. The stream has a
  // connection of its own, so `on_event` may ask the cloud.
  Answer<void> events(const std::string& path, const transport::FormFields& query, bool follow,
                      const std::function<bool(const transport::ServerEvent&)>& on_event,
                      const std::function<void(const std::string&)>& on_lost);

  // Calls `look` until it returns false: when the connection is made, whenever something happens to the device, and at
  // each heartbeat of the cloud (15 s). Ends too when it is interrupted, or `go_on` returns false, which is asked about
  // ten times a second. A cloud that is away is waited for; `on_lost` is told, once for each attempt that fails.
  Answer<void> watch(const std::string& sid, const std::function<bool()>& look, const std::function<bool()>& go_on,
                     const std::function<void(const std::string&)>& on_lost);

  // What went over the wire since the last call, one line a request, for --verbose.
  std::vector<std::string> take_trace() { return std::exchange(trace_, {}); }

 private:
  CloudClient(transport::HttpOptions options, transport::HttpClient http, std::string prefix)
      : options_(std::move(options)), http_(std::move(http)), prefix_(std::move(prefix)) {}

  Answer<void> follow(const transport::EventStreamOptions& options,
                      const std::function<bool(const transport::ServerEvent&)>& on_event,
                      const std::function<void(const std::string&)>& on_lost);
  Answer<nlohmann::ordered_json> send(transport::HttpRequest request);
  Answer<nlohmann::ordered_json> upload(const transport::Upload& upload,
                                        const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  Answer<nlohmann::ordered_json> post(const std::string& path, const transport::FormFields& fields);
  Answer<void> remove(const std::string& path);
  Answer<std::vector<nlohmann::ordered_json>> list(const std::string& path);
  std::string target(const std::string& path, const transport::FormFields& query = {}) const;

  transport::HttpOptions options_;
  transport::HttpClient http_;
  std::string prefix_;  // path of the cloud's address, with "/v1"
  std::vector<std::string> trace_;
};

// What the transport needs to talk to this cloud. kUsage: its address is none.
Answer<transport::HttpOptions> http_options(const Context& context);

// The path of the cloud's address, "/v1" and `path`: the target of a request.
std::string cloud_target(const Context& context, const std::string& path);

// A transport's error, or an answer that refuses, as a command's failure.
Failure to_failure(const transport::HttpError& error);
Failure refusal(unsigned status, const std::string& body);

}  // namespace mv::cli
