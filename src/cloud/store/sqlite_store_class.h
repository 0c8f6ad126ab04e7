// The class behind open_sqlite_store. Its methods stand in one file a resource: tokens.cc (with signers), apps.cc,
// microvisors.cc, device_keys.cc, devices.cc, device_records.cc (logs, crashes, events).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cloud/store/statements.h"

namespace mv::cloud {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<sqlite::Database> database) : sql_(std::move(database)) {}

  Stored<void> add_token(const Token& token) override;
  Stored<Token> token(std::string_view sid) override;
  Stored<Page<Token>> tokens(std::string_view account, const PageRequest& page) override;
  Stored<void> remove_token(std::string_view account, std::string_view sid) override;

  Stored<void> add_signer(const Signer& signer) override;
  Stored<Page<Signer>> signers(std::string_view account, const PageRequest& page) override;
  Stored<void> remove_signer(std::string_view account, std::string_view key_id) override;

  Stored<void> add_app(const App& app, const std::vector<Blob>& layers) override;
  Stored<App> app(std::string_view account, std::string_view key) override;
  Stored<Page<App>> apps(std::string_view account, const PageRequest& page) override;
  Stored<std::vector<std::string>> remove_app(std::string_view account, std::string_view sid) override;
  Stored<Blob> app_blob(std::string_view app_sid, std::string_view hash) override;
  Stored<bool> blob_is_used(std::string_view hash) override;

  Stored<void> add_microvisor(const Microvisor& microvisor) override;
  Stored<Microvisor> microvisor(std::string_view account, std::string_view key) override;
  Stored<Page<Microvisor>> microvisors(std::string_view account, const PageRequest& page) override;
  Stored<void> remove_microvisor(std::string_view account, std::string_view sid) override;
  Stored<DeviceMicrovisor> device_microvisor(std::string_view sid) override;
  Stored<void> order_microvisor(std::string_view sid, const DeviceMicrovisor& order) override;
  Stored<void> update_microvisor_report(std::string_view sid, const DeviceMicrovisor& report) override;

  Stored<DeviceKeys> device_keys(std::string_view sid) override;
  Stored<void> update_device_keys(std::string_view sid, const DeviceKeys& keys) override;

  Stored<void> add_device(const Device& device) override;
  Stored<Device> device(std::string_view sid) override;
  Stored<Device> find_device(std::string_view account, std::string_view key) override;
  Stored<Page<Device>> devices(std::string_view account, const PageRequest& page) override;
  Stored<void> update_device(const Device& device, Microseconds now) override;
  Stored<std::uint64_t> begin_connection(std::string_view sid, const DeviceFacts& facts, Microseconds now) override;
  Stored<void> end_connection(std::string_view sid, std::uint64_t epoch, Microseconds now) override;
  Stored<void> update_keep_alive(std::string_view sid, std::uint32_t learned_ms) override;
  Stored<void> update_report(std::string_view sid, const Report& report) override;
  Stored<void> remove_device(std::string_view account, std::string_view sid) override;

  Stored<std::size_t> append_logs(std::string_view sid, const std::vector<LogRecord>& records,
                                  std::size_t keep) override;
  Stored<std::vector<LogRecord>> logs(std::string_view sid, std::int64_t after, Microseconds since,
                                      std::size_t limit) override;
  Stored<bool> add_crash(std::string_view sid, const Crash& crash, std::size_t keep) override;
  Stored<Page<Crash>> crashes(std::string_view sid, const PageRequest& page) override;
  Stored<Crash> crash(std::string_view sid, std::int64_t id) override;
  Stored<std::int64_t> add_event(std::string_view account, const Event& event, std::size_t keep) override;
  Stored<std::vector<Event>> events(std::string_view account, std::string_view device_sid, std::int64_t after,
                                    Microseconds since, std::size_t limit) override;

 private:
  sqlite::Statements sql_;
};

}  // namespace mv::cloud
