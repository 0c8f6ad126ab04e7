// A device as a debug target: the agent's messages, with everything answered locally that can be known here.
//
// Holds the last stop's registers, the memory cache and the breakpoint ledger. See docs of MemoryCache for what is kept
// how long. Round trips: attach 1 (and one digest if an ELF was given), resume 1, read 0 or 1 for each miss.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gdbserver/target/agent_client.h"
#include "gdbserver/target/breakpoint_ledger.h"
#include "gdbserver/target/elf_image.h"
#include "gdbserver/target/flash_store.h"
#include "gdbserver/target/memory_cache.h"
#include "gdbserver/target/target.h"
#include "gdbserver/target/watchpoint_ledger.h"
#include "wire/proto/agent.pb.h"

namespace mv::gdb {

// What the device said of itself when it was attached.
struct DeviceFacts {
  std::string board;
  std::vector<std::uint8_t> manifest_hash;
  std::vector<std::uint8_t> build_id;
};

class AgentTarget final : public Target {
 public:
  // Flash whose bytes an image's manifest determines. What lies beside is left over from images before, and differs
  // from device to device.
  struct Measured {
    std::vector<std::uint8_t> image;  // SHA-256 of the manifest
    std::vector<MemoryCache::Span> ranges;
  };

  // A new program that has reached the device and runs there, or did so before.
  struct Delivered {
    std::string summary;
    std::optional<ElfImage> image;  // what is known of it
    Measured measured;
  };
  // Makes flash content the device's application; the handler is called from the event loop. Errors: why it did not.
  using Deliver = std::function<void(FlashContent, Handler<Delivered>)>;

  // `client` must outlive the target.
  explicit AgentTarget(AgentClient& client);

  // How new programs get there. Without it none can be loaded.
  void deliver_by(Deliver deliver) { deliver_ = std::move(deliver); }

  // Connects and asks what runs, without stopping it. If `image` is given, its read-only segments are compared with the
  // device by digest, and what is equal is never read over the link.
  void probe(std::optional<ElfImage> image, Handler<DeviceFacts> handler);

  // Flash within `measured` is looked for there first and kept there, as long as the device runs that image. The store
  // outlives the target. Before `probe`.
  void keep_flash_in(FlashStore& store, Measured measured);
  // Keeps what has been read; a detach does so, too.
  void save_flash();

  void attach(Handler<Stop> handler) override;
  void detach(Handler<void> handler) override;
  const std::vector<Region>& regions() const override { return regions_; }
  void read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override;
  void gather(std::vector<MemoryCache::Span> pieces, Handler<std::vector<Bytes>> handler) override;
  void expect(std::vector<MemoryCache::Span> pieces) override;
  void peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override;
  Stop last_stop() const override { return last_stop_; }
  void write(std::uint32_t address, Bytes bytes, Handler<void> handler) override;
  void write_registers(const arm::RegisterFile& registers, Handler<void> handler) override;
  void resume(const ResumePlan& plan, Handler<Stop> handler) override;
  void interrupt() override { client_.interrupt(); }
  void reset(Handler<Stop> handler) override;
  void load(FlashContent content, Handler<Loaded> handler) override;
  Result<void> insert_breakpoint(std::uint32_t address, const BreakpointProgram& program) override;
  void remove_breakpoint(std::uint32_t address) override { ledger_.remove(address); }
  std::string elf_path() const override { return image_ ? image_->path : std::string(); }
  std::shared_ptr<const rtos::System> rtos() const override { return image_ ? image_->rtos : nullptr; }
  Result<void> insert_watchpoint(const Watchpoint& watchpoint) override {
    return watches_.insert(watchpoint, regions_);
  }
  void remove_watchpoint(const Watchpoint& watchpoint) override { watches_.remove(watchpoint); }
  std::string watch_help() const override;
  ProgramLimits program_limits() const override { return ledger_.program_limits(); }
  WatchSupport watch_support() const override { return {watches_.capacity(), watching_ == wire::WATCHING_ATTRIBUTION}; }
  std::string status() const override;
  void on_notice(std::function<void(const std::string&)> handler) override { client_.on_notice = std::move(handler); }
  void on_console(std::function<void(const std::string&)> handler) override;

  // Bytes of flash that are served from the ELF because the device has the same.
  std::size_t trusted_flash() const;

 private:
  void adopt(const wire::Attached& attached);
  Stop adopt(const wire::Stopped& stopped);
  void recall_flash();
  FlashContent measured_flash() const;
  std::vector<ElfImage::Piece*> comparable();
  void digest_image(std::function<void()> done);
  void take_digests(const std::vector<ElfImage::Piece*>& pieces, const wire::DigestReply& reply);
  void read_cached(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler);
  void read_uncached(std::uint32_t address, std::uint32_t length, Bytes so_far, Handler<Bytes> handler);
  bool learn(const wire::AgentRequest& request, const wire::AgentReply& reply);
  wire::AgentRequest request_for(const std::vector<MemoryCache::Span>& spans) const;
  bool known_region(std::uint32_t address, std::uint32_t length) const;
  std::vector<Bytes> known(const std::vector<MemoryCache::Span>& pieces) const;
  void note_read(std::uint32_t address, std::uint32_t length);
  std::vector<CodeRange> step_ranges(CodeRange row) const;
  wire::AgentRequest resume_request(const ResumePlan& plan, const BreakpointLedger::Changes& changes,
                                    const WatchpointLedger::Changes& watches) const;
  void ask_for_memory(wire::ResumeRequest& resume) const;
  void begin_again(Handler<Stop> handler);
  void stopped_again(Handler<Stop> handler, Result<wire::AgentReply> reply);
  void attach_after_loss(Handler<Stop> handler);
  void send_detach(Handler<void> handler);
  void write_next(std::uint32_t address, Bytes bytes, std::size_t done, Handler<void> handler);

  AgentClient& client_;
  DeviceFacts facts_;
  std::vector<Region> regions_;
  std::uint32_t max_read_ = 0;
  std::size_t max_ranges_ = 1;
  MemoryCache cache_;
  BreakpointLedger ledger_;
  WatchpointLedger watches_;
  wire::Watching watching_ = wire::WATCHING_NOT;
  Stop last_stop_;               // with the registers as they were then
  arm::RegisterFile registers_;  // as the device has them
  std::optional<ElfImage> image_;
  bool compared_ = false;            // the digest was asked for since the image last changed
  std::vector<CodeRange> trusted_;   // flash that the device has as the ELF says
  std::uint32_t stack_address_ = 0;  // the window of stack that came with the last stop
  std::uint32_t stack_size_ = 0;
  std::vector<std::uint32_t> recent_lines_;  // RAM lines asked for in this stop, pushed with the next
  std::vector<MemoryCache::Span> expected_;  // pushed with every stop, too
  std::optional<std::function<void()>> detach_when_stopped_;
  FlashStore* store_ = nullptr;
  Measured measured_;
  std::size_t kept_ = 0;      // bytes of this image that are in the store
  std::size_t recalled_ = 0;  // of them, those that came from there
  Deliver deliver_;
  std::uint64_t sessions_ = 0;  // that were ended
};

}  // namespace mv::gdb
