#include "gdbserver/target/agent_target.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "gdbserver/target/snapshot.h"

namespace mv::gdb {
namespace {

// Limits of the device's message structures (src/wire/proto/agent.options).
constexpr std::uint32_t kShortestInstruction = 2;  // bytes: a Thumb instruction is 16 or 32 bits
constexpr std::size_t kMaxReadRanges = 8;
constexpr std::size_t kMaxPushRanges = 4;
constexpr std::size_t kMaxDigestRanges = 8;
constexpr std::size_t kMaxWrite = 1024;
constexpr std::size_t kMostRanges = 32;
constexpr std::uint32_t kMaxPush = 1024;  // bytes in one stop
constexpr std::size_t kMaxExpected = 3;   // of these ranges, and of these bytes
constexpr std::uint32_t kMaxExpectedBytes = 512;

// Read-ahead behind a miss in RAM: `x/64wx` and a walk through a structure then cost one round trip, and 256 bytes are
// nothing beside the time of one.
constexpr std::uint32_t kReadAhead = 256;

constexpr std::uint32_t kDefaultMaxRead = 1024;  // for a device that names none
constexpr std::uint32_t kLargestMaxRead = 16384;

std::string bytes_to_string(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
std::span<const std::uint8_t> span_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<Region> regions_from(const wire::Attached& attached) {
  std::vector<Region> regions;
  for (const auto& region : attached.regions()) {
    const auto kind = region.kind() == wire::MEMORY_FLASH        ? MemoryKind::kFlash
                      : region.kind() == wire::MEMORY_PERIPHERAL ? MemoryKind::kPeripheral
                                                                 : MemoryKind::kRam;
    regions.push_back({region.address(), region.size(), kind});
  }
  return regions;
}

wire::WatchKind wire_kind(WatchKind kind) {
  return kind == WatchKind::kWrite  ? wire::WATCH_WRITE
         : kind == WatchKind::kRead ? wire::WATCH_READ
                                    : wire::WATCH_ACCESS;
}

void fill(const Watchpoint& from, wire::Watchpoint& to) {
  to.set_address(from.address);
  to.set_length(from.length);
  to.set_kind(wire_kind(from.kind));
}

bool was_asked_for(const wire::AgentRequest& request, const wire::MemoryBytes& bytes) {
  const auto& ranges = request.read().ranges();
  return std::any_of(ranges.begin(), ranges.end(), [&](const wire::ReadRange& range) {
    return range.address() == bytes.address() && range.length() >= bytes.data().size();
  });
}

Error bad_address(std::uint32_t address) {
  return {ErrorCode::kBadAddress, fmt::format("0x{:08x} is not memory of the application", address)};
}

std::size_t size_of(const FlashContent& content) {
  return std::accumulate(content.begin(), content.end(), std::size_t{0},
                         [](std::size_t sum, const FlashPiece& piece) { return sum + piece.bytes.size(); });
}

// Tries what the gaps may be filled with. False if the device has something else.
bool fill_until_equal(ElfImage::Piece& piece, std::span<const std::uint8_t> sha256) {
  for (const std::uint8_t filler : {std::uint8_t{0xff}, std::uint8_t{0x00}}) {
    fill_gaps(piece, filler);
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> local{};
    SHA256(piece.bytes.data(), piece.bytes.size(), local.data());
    if (std::equal(local.begin(), local.end(), sha256.begin(), sha256.end())) return true;
  }
  return false;
}

}  // namespace

AgentTarget::AgentTarget(AgentClient& client) : client_(client) {}

void AgentTarget::probe(std::optional<ElfImage> image, Handler<DeviceFacts> handler) {
  image_ = std::move(image);
  client_.attach(false, [this, handler = std::move(handler)](Result<wire::Attached> attached) {
    if (!attached) return handler(tl::make_unexpected(attached.error()));
    adopt(*attached);
    if (attached->has_stopped()) adopt(attached->stopped());
    digest_image([this, handler] { handler(facts_); });
  });
}

void AgentTarget::attach(Handler<Stop> handler) {
  client_.attach(true, [this, handler = std::move(handler)](Result<wire::Attached> attached) {
    if (!attached) return handler(tl::make_unexpected(attached.error()));
    adopt(*attached);
    if (!attached->has_stopped())
      return handler(failure(ErrorCode::kProtocol, "the device did not stop its application when asked to"));
    Stop stop = adopt(attached->stopped());
    digest_image([handler, stop] { handler(stop); });
  });
}

// The same manifest is the same flash: what is known of it stays known over sessions. Another one came without the
// breakpoints of the one before.
void AgentTarget::adopt(const wire::Attached& attached) {
  const auto hash = span_of(attached.manifest_hash());
  const bool same_image =
      std::equal(hash.begin(), hash.end(), facts_.manifest_hash.begin(), facts_.manifest_hash.end());
  facts_.board = attached.board();
  facts_.manifest_hash.assign(hash.begin(), hash.end());
  const auto id = span_of(attached.build_id());
  facts_.build_id.assign(id.begin(), id.end());
  if (!attached.resumed() || !same_image) {
    ledger_.device_lost_all();
    watches_.device_lost_all();
  }
  ledger_.set_capacity(attached.capabilities().breakpoints());
  watches_.set_limits(attached.capabilities().watchpoints(), attached.capabilities().max_watch());
  watching_ = attached.capabilities().watching();
  ledger_.set_program_limits({attached.capabilities().max_programs(), attached.capabilities().max_program_bytes()});
  const std::uint32_t max_read = attached.capabilities().max_read();
  max_ranges_ = std::clamp<std::size_t>(attached.capabilities().max_ranges(), 1, kMostRanges);
  max_read_ = max_read == 0 ? kDefaultMaxRead : std::min(max_read, kLargestMaxRead);
  if (same_image && !regions_.empty()) return cache_.forget_ram();
  regions_ = regions_from(attached);
  cache_.set_regions(regions_);
  trusted_.clear();
  compared_ = false;
  recall_flash();
}

Stop AgentTarget::adopt(const wire::Stopped& stopped) {
  cache_.forget_ram();
  recent_lines_.clear();
  stack_address_ = stopped.stack_address();
  stack_size_ = static_cast<std::uint32_t>(stopped.stack().size());
  cache_.store(stack_address_, span_of(stopped.stack()));
  for (const auto& pushed : stopped.pushed())
    if (pushed.error() == wire::AGENT_OK) cache_.store(pushed.address(), span_of(pushed.data()));
  Stop stop = stop_from(stopped);
  registers_ = stop.registers;
  last_stop_ = stop;
  return stop;
}

void AgentTarget::keep_flash_in(FlashStore& store, Measured measured) {
  store_ = &store;
  measured_ = std::move(measured);
}

// Of the image that runs, as far as its manifest determines it.
FlashContent AgentTarget::measured_flash() const {
  FlashContent content;
  if (measured_.image != facts_.manifest_hash) return content;
  for (const auto& [address, length] : measured_.ranges)
    if (cache_.is_flash(address, length)) std::ranges::move(cache_.known(address, length), std::back_inserter(content));
  return content;
}

void AgentTarget::recall_flash() {
  kept_ = recalled_ = 0;
  if (store_ == nullptr || measured_.image.empty() || measured_.image != facts_.manifest_hash) return;
  MemoryCache stored;
  stored.set_regions(regions_);
  for (const FlashPiece& piece : store_->load(facts_.manifest_hash)) stored.store(piece.address, piece.bytes);
  for (const auto& [address, length] : measured_.ranges) {
    if (!cache_.is_flash(address, length)) continue;
    for (const FlashPiece& piece : stored.known(address, length)) cache_.store(piece.address, piece.bytes);
  }
  kept_ = recalled_ = size_of(measured_flash());
}

void AgentTarget::save_flash() {
  if (store_ == nullptr || measured_.image.empty()) return;
  const FlashContent content = measured_flash();
  const std::size_t size = size_of(content);
  if (size == kept_) return;
  store_->save(facts_.manifest_hash, content);
  kept_ = size;
}

// The pieces of the ELF that one message can ask about: in flash, the largest if there are too many.
std::vector<ElfImage::Piece*> AgentTarget::comparable() {
  std::vector<ElfImage::Piece*> pieces;
  for (auto& piece : image_->read_only)
    if (cache_.is_flash(piece.address, static_cast<std::uint32_t>(piece.bytes.size()))) pieces.push_back(&piece);
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const auto* a, const auto* b) { return a->bytes.size() > b->bytes.size(); });
  if (pieces.size() > kMaxDigestRanges) pieces.resize(kMaxDigestRanges);
  return pieces;
}

// One message tells whether the device's flash is what the ELF says.
void AgentTarget::digest_image(std::function<void()> done) {
  if (!image_ || compared_) return done();
  const auto pieces = comparable();
  if (pieces.empty()) return done();
  wire::AgentRequest request;
  for (const auto* piece : pieces) {
    auto* range = request.mutable_digest()->add_ranges();
    range->set_address(piece->address);
    range->set_length(static_cast<std::uint32_t>(piece->bytes.size()));
  }
  client_.call(request, [this, done = std::move(done), pieces](Result<wire::AgentReply> reply) {
    // Without an answer nothing is trusted and flash is read over the link: slower, never wrong.
    if (reply && static_cast<std::size_t>(reply->digest().sha256_size()) == pieces.size())
      take_digests(pieces, reply->digest());
    done();
  });
}

void AgentTarget::take_digests(const std::vector<ElfImage::Piece*>& pieces, const wire::DigestReply& reply) {
  compared_ = true;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ElfImage::Piece& piece = *pieces[i];
    if (!fill_until_equal(piece, span_of(reply.sha256(static_cast<int>(i))))) continue;
    cache_.store(piece.address, piece.bytes);
    trusted_.push_back({piece.address, static_cast<std::uint32_t>(piece.address + piece.bytes.size())});
  }
}

bool AgentTarget::known_region(std::uint32_t address, std::uint32_t length) const {
  const auto holds = [&](const Region& region) { return region.contains(address, length); };
  const auto& everywhere = arm::architectural_regions();
  return regions_.empty() || std::any_of(regions_.begin(), regions_.end(), holds) ||
         std::any_of(everywhere.begin(), everywhere.end(), holds);
}

Result<void> AgentTarget::insert_breakpoint(std::uint32_t address, const BreakpointProgram& program) {
  const auto code = [&](const Region& region) {
    return region.kind == MemoryKind::kFlash && region.contains(address, kShortestInstruction);
  };
  if (std::none_of(regions_.begin(), regions_.end(), code)) {
    return failure(
        ErrorCode::kBadAddress,
        fmt::format("0x{:08x} is not the application's flash, and only code there can have a breakpoint", address));
  }
  return ledger_.insert(address, program);
}

// A pointer that leads nowhere fails here: a debugger that unwinds through garbage costs nothing on the link.
void AgentTarget::read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  if (length == 0) return handler(Bytes{});
  if (!known_region(address, length)) return handler(tl::make_unexpected(bad_address(address)));
  note_read(address, length);
  if (cache_.cacheable(address, length)) return read_cached(address, length, std::move(handler));
  read_uncached(address, length, {}, std::move(handler));
}

void AgentTarget::read_cached(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  if (auto bytes = cache_.find(address, length)) return handler(std::move(*bytes));
  auto spans = cache_.missing(address, length, kReadAhead);
  const auto request = request_for(spans);
  client_.call(request, [this, address, length, request, handler = std::move(handler)](Result<wire::AgentReply> reply) {
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    if (!learn(request, *reply)) return handler(tl::make_unexpected(bad_address(address)));
    read_cached(address, length, handler);
  });
}

// Keeps what was read. False if nothing of it is new: who asks again only after true comes to an end.
bool AgentTarget::learn(const wire::AgentRequest& request, const wire::AgentReply& reply) {
  std::size_t news = 0;
  for (const auto& range : reply.read().ranges()) {
    if (range.error() == wire::AGENT_OK && was_asked_for(request, range))
      news += cache_.store(range.address(), span_of(range.data()));
  }
  return news != 0;
}

wire::AgentRequest AgentTarget::request_for(const std::vector<MemoryCache::Span>& spans) const {
  wire::AgentRequest request;
  std::uint32_t left = max_read_;
  for (const auto& span : spans) {
    if (left == 0 || static_cast<std::size_t>(request.read().ranges_size()) == kMaxReadRanges) break;
    auto* range = request.mutable_read()->add_ranges();
    range->set_address(span.address);
    range->set_length(std::min(span.length, left));
    left -= range->length();
  }
  return request;
}

// Peripherals: exactly what was asked for, and every time.
void AgentTarget::read_uncached(std::uint32_t address, std::uint32_t length, Bytes so_far, Handler<Bytes> handler) {
  const std::uint32_t at = address + static_cast<std::uint32_t>(so_far.size());
  const std::uint32_t size = std::min(length - static_cast<std::uint32_t>(so_far.size()), max_read_);
  const auto request = request_for({{at, size}});
  client_.call(request, [=, this, handler = std::move(handler),
                         so_far = std::move(so_far)](Result<wire::AgentReply> reply) mutable {
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    if (reply->read().ranges_size() != 1 || reply->read().ranges(0).error() != wire::AGENT_OK ||
        reply->read().ranges(0).data().size() != size)
      return handler(tl::make_unexpected(bad_address(at)));
    const auto data = span_of(reply->read().ranges(0).data());
    so_far.insert(so_far.end(), data.begin(), data.end());
    if (so_far.size() == length) return handler(std::move(so_far));
    read_uncached(address, length, std::move(so_far), std::move(handler));
  });
}

void AgentTarget::gather(std::vector<MemoryCache::Span> pieces, Handler<std::vector<Bytes>> handler) {
  std::vector<MemoryCache::Span> spans;
  for (const MemoryCache::Span& piece : pieces) {
    if (!cache_.cacheable(piece.address, piece.length)) continue;
    const auto missing = cache_.missing(piece.address, piece.length, 0);
    spans.insert(spans.end(), missing.begin(), missing.end());
  }
  if (spans.empty()) return handler(known(pieces));
  const auto request = request_for(spans);
  client_.call(request, [this, pieces = std::move(pieces), request,
                         handler = std::move(handler)](Result<wire::AgentReply> reply) {
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    learn(request, *reply) ? gather(pieces, handler) : handler(known(pieces));
  });
}

std::vector<Bytes> AgentTarget::known(const std::vector<MemoryCache::Span>& pieces) const {
  std::vector<Bytes> out;
  out.reserve(pieces.size());
  for (const MemoryCache::Span& piece : pieces)
    out.push_back(cache_.find(piece.address, piece.length).value_or(Bytes{}));
  return out;
}

void AgentTarget::expect(std::vector<MemoryCache::Span> pieces) {
  const auto within = [](const MemoryCache::Span& inner, const MemoryCache::Span& outer) {
    return inner.address >= outer.address &&
           inner.address - outer.address + std::uint64_t{inner.length} <= outer.length;
  };
  expected_.clear();
  std::uint32_t bytes = 0;
  for (const MemoryCache::Span& piece : pieces) {
    const bool ram = cache_.cacheable(piece.address, piece.length) && !cache_.is_flash(piece.address, piece.length);
    const auto same = std::find_if(expected_.begin(), expected_.end(), [&](const auto& e) { return within(e, piece); });
    const std::uint32_t freed = same == expected_.end() ? 0 : same->length;
    if (!ram || bytes - freed + piece.length > kMaxExpectedBytes) continue;
    if (same != expected_.end()) {
      *same = piece;
    } else if (expected_.size() < kMaxExpected) {
      expected_.push_back(piece);
    } else {
      continue;
    }
    bytes += piece.length - freed;
  }
}

void AgentTarget::peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  if (length == 0) return handler(Bytes{});
  if (!known_region(address, length)) return handler(tl::make_unexpected(bad_address(address)));
  if (cache_.is_flash(address, length))
    if (auto bytes = cache_.find(address, length)) return handler(std::move(*bytes));
  const std::uint32_t most = std::min(length, kMostPeeked);
  client_.peek(address, most, [this, address, most, handler = std::move(handler)](Result<wire::MemoryBytes> bytes) {
    if (!bytes) return handler(tl::make_unexpected(bytes.error()));
    const auto data = span_of(bytes->data());
    if (data.size() > most)
      return handler(failure(ErrorCode::kProtocol, "the device sent more memory than it was asked for"));
    if (cache_.is_flash(address, static_cast<std::uint32_t>(data.size()))) cache_.store(address, data);
    handler(Bytes(data.begin(), data.end()));
  });
}

// What was looked at in this stop is likely looked at in the next: a watch window, a global.
void AgentTarget::note_read(std::uint32_t address, std::uint32_t length) {
  const auto ram = [&](const Region& r) { return r.kind == MemoryKind::kRam && r.contains(address, length); };
  const bool on_stack = address >= stack_address_ && address - stack_address_ < stack_size_;
  if (on_stack || length > MemoryCache::kLine || std::none_of(regions_.begin(), regions_.end(), ram)) return;
  const std::uint32_t line = address / MemoryCache::kLine * MemoryCache::kLine;
  if (std::find(recent_lines_.begin(), recent_lines_.end(), line) != recent_lines_.end()) return;
  recent_lines_.push_back(line);
  if (recent_lines_.size() > kMaxPushRanges) recent_lines_.erase(recent_lines_.begin());
}

void AgentTarget::write(std::uint32_t address, Bytes bytes, Handler<void> handler) {
  write_next(address, std::move(bytes), 0, std::move(handler));
}

void AgentTarget::write_next(std::uint32_t address, Bytes bytes, std::size_t done, Handler<void> handler) {
  if (done == bytes.size()) return handler({});
  const std::size_t size = std::min(bytes.size() - done, kMaxWrite);
  const auto part = std::span<const std::uint8_t>(bytes).subspan(done, size);
  const auto at = static_cast<std::uint32_t>(address + done);
  wire::AgentRequest request;
  request.mutable_write()->set_address(at);
  request.mutable_write()->set_data(bytes_to_string(part));
  client_.call(request, [=, this, handler = std::move(handler),
                         bytes = std::move(bytes)](Result<wire::AgentReply> reply) mutable {
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    cache_.store(at, std::span<const std::uint8_t>(bytes).subspan(done, size));
    write_next(address, std::move(bytes), done + size, std::move(handler));
  });
}

void AgentTarget::write_registers(const arm::RegisterFile& registers, Handler<void> handler) {
  wire::AgentRequest request;
  *request.mutable_write_registers() = register_changes(registers_, registers);
  const auto& changes = request.write_registers();
  if (changes.mask() == 0 && changes.system_mask() == 0 && changes.fp().empty()) return handler({});
  client_.call(request, [this, registers, handler = std::move(handler)](Result<wire::AgentReply> reply) {
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    registers_ = registers;
    handler({});
  });
}

wire::AgentRequest AgentTarget::resume_request(const ResumePlan& plan, const BreakpointLedger::Changes& changes,
                                               const WatchpointLedger::Changes& watches) const {
  wire::AgentRequest request;
  auto& resume = *request.mutable_resume();
  resume.set_mode(plan.mode == ResumePlan::Mode::kRun    ? wire::RESUME_RUN
                  : plan.mode == ResumePlan::Mode::kStep ? wire::RESUME_STEP
                                                         : wire::RESUME_STEP_RANGE);
  if (plan.mode == ResumePlan::Mode::kStepRange) {
    for (const CodeRange& piece : step_ranges({plan.start, plan.end})) {
      auto* range = resume.add_ranges();
      range->set_start(piece.start);
      range->set_end(piece.end);
    }
  }
  for (const std::uint32_t address : changes.insert) resume.add_insert(address);
  for (const std::uint32_t address : changes.remove) resume.add_remove(address);
  for (const auto& [address, program] : changes.programs) {
    auto* to = resume.add_programs();
    to->set_address(address);
    for (const auto& condition : program.conditions) to->add_conditions(bytes_to_string(condition));
    for (const auto& command : program.commands) to->add_commands(bytes_to_string(command));
  }
  for (const Watchpoint& watch : watches.insert) fill(watch, *resume.add_watch());
  for (const Watchpoint& watch : watches.remove) fill(watch, *resume.add_unwatch());
  resume.set_step_interrupts(plan.step_interrupts);
  resume.set_reflect_faults(plan.reflect_faults);
  ask_for_memory(resume);
  return request;
}

// The whole statement, if the ELF's line table is that of the running code.
std::vector<CodeRange> AgentTarget::step_ranges(CodeRange row) const {
  const auto holds = [&](const CodeRange& range) { return row.start >= range.start && row.end <= range.end; };
  if (std::none_of(trusted_.begin(), trusted_.end(), holds)) return {row};
  return image_->statements.ranges(row, max_ranges_);
}

// What is likely looked at when the application has stopped, to come with the stop.
void AgentTarget::ask_for_memory(wire::ResumeRequest& resume) const {
  std::uint32_t left = kMaxPush;
  const auto add = [&](std::uint32_t address, std::uint32_t length) {
    if (length > left || static_cast<std::size_t>(resume.push_size()) == kMaxReadRanges) return;
    auto* push = resume.add_push();
    push->set_address(address);
    push->set_length(length);
    left -= length;
  };
  for (const Watchpoint& watch : watches_.of_interest()) add(watch.address, watch.length);
  for (const MemoryCache::Span& piece : expected_) add(piece.address, piece.length);
  for (const std::uint32_t line : recent_lines_) add(line, MemoryCache::kLine);
}

void AgentTarget::resume(const ResumePlan& plan, Handler<Stop> handler) {
  const auto changes = ledger_.changes();
  const auto watches = watches_.changes();
  const auto request = resume_request(plan, changes, watches);
  client_.call(request, [=, this, handler = std::move(handler)](Result<wire::AgentReply> reply) {
    if (reply) {
      ledger_.applied(changes);
      watches_.applied(watches);
    }
    stopped_again(handler, std::move(reply));
  });
}

void AgentTarget::stopped_again(Handler<Stop> handler, Result<wire::AgentReply> reply) {
  if (detach_when_stopped_) {
    const auto detach_now = *std::exchange(detach_when_stopped_, std::nullopt);
    return detach_now();
  }
  if (!reply && reply.error().code == ErrorCode::kSessionLost) return attach_after_loss(std::move(handler));
  if (!reply) return handler(tl::make_unexpected(reply.error()));
  if (!reply->has_stopped())
    return handler(failure(ErrorCode::kProtocol, "the device answered a resume with something else"));
  handler(adopt(reply->stopped()));
}

// The device restarted while the application ran under the debugger. Stop it anew: breakpoints are still wanted.
void AgentTarget::attach_after_loss(Handler<Stop> handler) {
  ledger_.device_lost_all();
  watches_.device_lost_all();
  if (client_.on_notice) client_.on_notice("the device restarted; its application was stopped again");
  attach([handler = std::move(handler)](Result<Stop> stop) {
    if (stop) stop->reason = StopReason::kReset;
    handler(std::move(stop));
  });
}

void AgentTarget::reset(Handler<Stop> handler) {
  wire::AgentRequest request;
  request.mutable_reset()->set_halt(true);
  client_.call(request, [this, handler = std::move(handler)](Result<wire::AgentReply> reply) {
    stopped_again(handler, std::move(reply));
  });
}

void AgentTarget::load(FlashContent content, Handler<Loaded> handler) {
  if (!deliver_) return handler(failure(ErrorCode::kUnsupported, "no program can be loaded from here: deploy it"));
  deliver_(std::move(content), [this, session = sessions_, handler = std::move(handler)](Result<Delivered> delivered) {
    if (delivered) {
      image_ = std::move(delivered->image);
      measured_ = std::move(delivered->measured);
      compared_ = false;
      trusted_.clear();
    }
    if (session != sessions_) return;  // nobody waits: nothing may be halted any more
    if (!delivered) return handler(tl::make_unexpected(delivered.error()));
    begin_again([handler, summary = delivered->summary](Result<Stop> stop) {
      if (!stop) return handler(failure(stop.error().code, summary + ", but then " + stop.error().text));
      handler(Loaded{*stop, summary});
    });
  });
}

// At the first instruction of what runs now. A device that halts a new program there itself has done so.
void AgentTarget::begin_again(Handler<Stop> handler) {
  attach([this, before = facts_.manifest_hash, handler = std::move(handler)](Result<Stop> stop) {
    const bool is_new = facts_.manifest_hash != before;
    if (!stop || (is_new && stop->reason == StopReason::kReset)) return handler(std::move(stop));
    reset(handler);
  });
}

void AgentTarget::detach(Handler<void> handler) {
  if (!client_.resume_open()) return send_detach(std::move(handler));
  detach_when_stopped_ = [this, handler = std::move(handler)] { send_detach(handler); };
  client_.interrupt();
}

void AgentTarget::send_detach(Handler<void> handler) {
  ++sessions_;
  save_flash();
  ledger_.clear();
  watches_.clear();
  cache_.forget_ram();
  recent_lines_.clear();
  expected_.clear();
  wire::AgentRequest request;
  request.mutable_detach();
  client_.call(request, [this, handler = std::move(handler)](Result<wire::AgentReply> reply) {
    client_.forget_session();
    if (!reply) return handler(tl::make_unexpected(reply.error()));
    handler({});
  });
}

std::size_t AgentTarget::trusted_flash() const {
  std::size_t bytes = 0;
  for (const CodeRange& range : trusted_) bytes += range.end - range.start;
  return bytes;
}

std::string AgentTarget::watch_help() const {
  const std::string limits = fmt::format("watch, rwatch and awatch: {} at once, up to {} bytes of RAM each.\n",
                                         watches_.capacity(), watches_.longest());
  const std::string blind = "What system calls and peripherals write is not noticed.\n";
  switch (watching_) {
    case wire::WATCHING_COMPARATORS:
      return limits + "The processor's comparators watch at full speed; the stop comes right behind the access.\n" +
             blind;
    case wire::WATCHING_ATTRIBUTION:
      return limits +
             "The memory around is closed while the application runs, so accesses near watched bytes are\n"
             "slower. Variables on a stack are watched by stepping each instruction, which is much slower.\n" +
             blind;
    default:
      return "This device cannot watch memory.\n";
  }
}

void AgentTarget::on_console(std::function<void(const std::string&)> handler) {
  client_.on_console = nullptr;
  if (!handler) return;
  // A message may end within a line; what is missing is told between two lines.
  client_.on_console = [handler = std::move(handler), missing = 0U](const wire::ConsoleText& console) mutable {
    const std::string& text = console.text();
    missing += console.dropped();
    const std::size_t lines = missing == 0 ? text.size() : text.rfind('\n') + 1;
    if (lines != 0) handler(text.substr(0, lines));
    if (missing != 0 && (lines != 0 || text.empty())) {
      handler(fmt::format("[mvctl] {} lines are missing here: the application prints faster than the link carries\n",
                          std::exchange(missing, 0U)));
    }
    if (lines != text.size()) handler(text.substr(lines));
  };
}

std::string AgentTarget::status() const {
  const auto& counters = client_.counters();
  const ProgramLimits programs = ledger_.programs_wanted();
  const ProgramLimits& limits = ledger_.program_limits();
  return fmt::format(
      "device       {}, {}\n"
      "round trips  {} ({} bytes up, {} bytes down), the last took {:.1f} ms\n"
      "breakpoints  {} of {} in use\n"
      "watchpoints  {} of {} in use\n"
      "conditions   {} of {} conditions and commands on the device, {} of {} bytes\n"
      "flash        {} bytes served from the local ELF, {} known from sessions before\n",
      facts_.board, client_.connected() ? "connected" : "connecting again", counters.requests, counters.bytes_up,
      counters.bytes_down, static_cast<double>(counters.round_trip.count()) / 1000.0, ledger_.wanted(),
      ledger_.capacity(), watches_.wanted(), watches_.capacity(), programs.expressions, limits.expressions,
      programs.bytes, limits.bytes, trusted_flash(), recalled_);
}

}  // namespace mv::gdb
