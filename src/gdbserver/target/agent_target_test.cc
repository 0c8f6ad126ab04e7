// The agent target against a device whose answers are what it was not asked for, too short, or too long.
#include "gdbserver/target/agent_target.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include "gdbserver/target/agent_rig.h"

namespace mv::gdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kFlash = 0x100000, kRam = 0x20000000, kPeripheral = 0x50000000;

class AgentTargetTest : public AgentRig {
 protected:
  static wire::AgentReply attached(bool resumed = false) {
    wire::AgentReply reply = AgentRig::attached(resumed);
    auto& message = *reply.mutable_attached();
    message.set_manifest_hash(std::string(32, 'h'));
    message.mutable_capabilities()->set_breakpoints(2);
    message.mutable_capabilities()->set_max_read(512);
    for (const auto& [address, kind] :
         {std::pair(kFlash, wire::MEMORY_FLASH), {kRam, wire::MEMORY_RAM}, {kPeripheral, wire::MEMORY_PERIPHERAL}}) {
      auto* region = message.add_regions();
      region->set_address(address);
      region->set_size(0x1000);
      region->set_kind(kind);
    }
    message.mutable_stopped()->set_registers(std::string(17 * 4, '\x11'));
    return reply;
  }

  static wire::AgentReply stopped(std::uint32_t sequence, wire::StopReason reason) {
    wire::AgentReply reply;
    reply.set_sequence(sequence);
    reply.mutable_stopped()->set_reason(reason);
    reply.mutable_stopped()->set_registers(std::string(17 * 4, '\x22'));
    return reply;
  }

  static wire::AgentReply memory(std::uint32_t sequence, std::uint32_t address, const std::string& data) {
    wire::AgentReply reply;
    reply.set_sequence(sequence);
    auto* range = reply.mutable_read()->add_ranges();
    range->set_address(address);
    range->set_data(data);
    return reply;
  }

  void attach() {
    target_.attach([this](Result<Stop> stop) { stop_ = std::move(stop); });
    run();
    say(attached());
    ASSERT_TRUE(stop_ && stop_->has_value());
    stop_.reset();
    take_requests();
  }

  void read(std::uint32_t address, std::uint32_t length) {
    read_.reset();
    target_.read(address, length, [this](Result<Bytes> bytes) { read_ = std::move(bytes); });
    run();
  }

  void resume() {
    stop_.reset();
    target_.resume({}, [this](Result<Stop> stop) { stop_ = std::move(stop); });
    run();
  }

  template <class T>
  static ErrorCode error_of(const std::optional<Result<T>>& result) {
    EXPECT_TRUE(result.has_value()) << "there is no answer";
    EXPECT_FALSE(result && result->has_value()) << "it succeeded";
    return result && !result->has_value() ? result->error().code : ErrorCode::kBadRequest;
  }

  AgentTarget target_{client_};
  std::optional<Result<Stop>> stop_;
  std::optional<Result<Bytes>> read_;
};

TEST_F(AgentTargetTest, KnowsWhatTheDeviceSaidAtTheAttach) {
  attach();
  EXPECT_EQ(target_.regions().size(), 3U);
  EXPECT_NE(target_.status().find("mps2-an505, connected"), std::string::npos) << target_.status();
}

TEST_F(AgentTargetTest, FailsAnAttachThatDidNotStopTheApplication) {
  target_.attach([this](Result<Stop> stop) { stop_ = std::move(stop); });
  run();
  wire::AgentReply running = attached();
  running.mutable_attached()->clear_stopped();
  say(running);
  EXPECT_EQ(error_of(stop_), ErrorCode::kProtocol);
}

TEST_F(AgentTargetTest, LeavesRegistersUnavailableThatCameTooShort) {
  target_.attach([this](Result<Stop> stop) { stop_ = std::move(stop); });
  run();
  wire::AgentReply reply = attached();
  reply.mutable_attached()->mutable_stopped()->set_registers("too short");
  say(reply);
  ASSERT_TRUE(stop_ && *stop_);
  EXPECT_FALSE((*stop_)->registers.core_valid);
}

TEST_F(AgentTargetTest, AsksOnceForALineOfMemory) {
  attach();
  read(kRam + 4, 4);
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  ASSERT_EQ(requests[0].read().ranges_size(), 1);
  EXPECT_EQ(requests[0].read().ranges(0).address(), kRam);
  say(memory(1, kRam, std::string(64, 'r')));
  ASSERT_TRUE(read_ && *read_);
  EXPECT_EQ(**read_, Bytes(4, 'r'));
  read(kRam + 40, 8);
  EXPECT_TRUE(read_ && *read_);
  EXPECT_TRUE(take_requests().empty());
}

TEST_F(AgentTargetTest, AsksForTheRestOfAShortAnswer) {
  attach();
  read(kRam, 64);
  say(memory(1, kRam, std::string(40, 'a')));
  EXPECT_FALSE(read_);
  EXPECT_EQ(take_requests().size(), 2U);
  say(memory(2, kRam, std::string(64, 'a')));
  EXPECT_TRUE(read_ && *read_);
}

TEST_F(AgentTargetTest, RefusesMemoryThatIsNotTheApplicationsWithoutAsking) {
  attach();
  read(0x30000000, 4);
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  read(kRam + 0xFFE, 4);
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  EXPECT_TRUE(take_requests().empty());
}

// A device that answers every question with other memory must not be asked for ever.
TEST_F(AgentTargetTest, GivesUpWhenTheAnswerIsAboutOtherMemory) {
  attach();
  on_request_ = [this](const wire::AgentRequest& request) {
    const auto reply = memory(request.sequence(), kRam + 0x800, std::string(64, 'x'));
    device_->send(frame_message(reply.SerializeAsString()));
  };
  read(kRam, 4);
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  EXPECT_EQ(take_requests().size(), 1U);
}

TEST_F(AgentTargetTest, GivesUpWhenTheAnswerHoldsNothing) {
  attach();
  read(kRam, 4);
  say(memory(1, kRam, ""));
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  read(kRam, 4);
  say(done(2));
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  read(kRam, 4);
  say(memory(3, kRam, std::string(4096, 'x')));
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress) << "more than was asked for";
}

// One byte of the line is known from before, and the device never sends another.
TEST_F(AgentTargetTest, GivesUpWhenTheAnswersBringNothingNew) {
  attach();
  on_request_ = [this](const wire::AgentRequest& request) {
    if (request.sequence() > 10) return;
    device_->send(frame_message(memory(request.sequence(), kRam, "x").SerializeAsString()));
  };
  read(kRam, 64);
  EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress);
  EXPECT_EQ(take_requests().size(), 2U);
}

TEST_F(AgentTargetTest, GathersNothingFromAnswersAboutOtherMemory) {
  attach();
  on_request_ = [this](const wire::AgentRequest& request) {
    if (request.sequence() > 10) return;
    device_->send(frame_message(memory(request.sequence(), kRam + 0x800, "other").SerializeAsString()));
  };
  std::optional<Result<std::vector<Bytes>>> gathered;
  target_.gather({{kRam, 4}}, [&](Result<std::vector<Bytes>> pieces) { gathered = std::move(pieces); });
  run();
  ASSERT_TRUE(gathered && *gathered);
  EXPECT_EQ(**gathered, std::vector<Bytes>(1));
  EXPECT_EQ(take_requests().size(), 1U);
}

TEST_F(AgentTargetTest, PeeksNoMoreThanWasAskedFor) {
  attach();
  target_.peek(kRam, 4, [this](Result<Bytes> bytes) { read_ = std::move(bytes); });
  run();
  say(memory(0, kRam, "12345"));
  EXPECT_EQ(error_of(read_), ErrorCode::kProtocol);
}

TEST_F(AgentTargetTest, TakesExactlyWhatItAskedForOfAPeripheral) {
  attach();
  read(kPeripheral, 4);
  say(memory(1, kPeripheral, "four"));
  ASSERT_TRUE(read_ && *read_);
  EXPECT_EQ(**read_, (Bytes{'f', 'o', 'u', 'r'}));
  for (const char* wrong : {"", "abc", "abcde"}) {
    read(kPeripheral, 4);
    const auto requests = take_requests();
    say(memory(requests.back().sequence(), kPeripheral, wrong));
    EXPECT_EQ(error_of(read_), ErrorCode::kBadAddress) << wrong;
  }
}

TEST_F(AgentTargetTest, TrustsTheElfOnlyWhereTheDeviceHasTheSame) {
  ElfImage image;
  image.read_only.push_back({.address = kFlash, .bytes = Bytes(64, 's'), .gaps = {}});
  image.read_only.push_back({.address = kFlash + 0x100, .bytes = Bytes(64, 'd'), .gaps = {}});
  image.read_only.push_back({.address = 0x90000000, .bytes = Bytes(64, 'o'), .gaps = {}});  // not memory of this device
  std::optional<Result<DeviceFacts>> facts;
  target_.probe(image, [&](Result<DeviceFacts> result) { facts = std::move(result); });
  run();
  say(attached());
  ASSERT_EQ(take_requests().back().digest().ranges_size(), 2);
  wire::AgentReply digests;
  digests.set_sequence(1);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> same{};
  SHA256(image.read_only[0].bytes.data(), 64, same.data());
  digests.mutable_digest()->add_sha256(same.data(), same.size());
  digests.mutable_digest()->add_sha256("short");
  say(digests);
  ASSERT_TRUE(facts && *facts);
  EXPECT_EQ(target_.trusted_flash(), 64U);
  read(kFlash, 64);
  EXPECT_TRUE(read_ && *read_) << "served from the ELF";
  read(kFlash + 0x100, 4);
  EXPECT_FALSE(read_) << "asked of the device";
}

TEST_F(AgentTargetTest, TrustsNothingWhenTheDigestsDoNotFitTheQuestion) {
  ElfImage image;
  image.read_only.push_back({.address = kFlash, .bytes = Bytes(64, 's'), .gaps = {}});
  std::optional<Result<DeviceFacts>> facts;
  target_.probe(image, [&](Result<DeviceFacts> result) { facts = std::move(result); });
  run();
  say(attached());
  say(done(1));
  ASSERT_TRUE(facts && *facts);
  EXPECT_EQ(target_.trusted_flash(), 0U);
}

TEST_F(AgentTargetTest, FailsAResumeThatIsAnsweredWithSomethingElse) {
  attach();
  resume();
  say(done(1));
  EXPECT_EQ(error_of(stop_), ErrorCode::kProtocol);
}

TEST_F(AgentTargetTest, SendsBreakpointsAgainWhenTheResumeWasRefused) {
  attach();
  ASSERT_TRUE(target_.insert_breakpoint(kFlash + 2, {}));
  resume();
  EXPECT_EQ(take_requests().at(0).resume().insert_size(), 1);
  say(refused(1, wire::AGENT_NO_BREAKPOINT_FREE));
  EXPECT_EQ(error_of(stop_), ErrorCode::kNoBreakpointFree);
  resume();
  EXPECT_EQ(take_requests().at(0).resume().insert_size(), 1);
}

TEST_F(AgentTargetTest, RefusesABreakpointOutsideFlashAndNamesTheAddress) {
  attach();
  for (const std::uint32_t address : {kRam + 4, kFlash - 2, 0U, 0xfffffffeU}) {
    const auto refused = target_.insert_breakpoint(address, {});
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadAddress);
    EXPECT_NE(refused.error().text.find(fmt::format("0x{:08x}", address)), std::string::npos);
  }
  resume();
  EXPECT_EQ(take_requests().at(0).resume().insert_size(), 0);
}

TEST_F(AgentTargetTest, StopsTheApplicationAgainWhenTheDeviceRestarted) {
  attach();
  ASSERT_TRUE(target_.insert_breakpoint(kFlash + 2, {}));
  resume();
  say(stopped(1, wire::STOP_BREAKPOINT));
  resume();
  cut();
  pass(milliseconds(250));
  say(attached(false));
  EXPECT_FALSE(stop_);
  EXPECT_TRUE(take_requests().back().attach().halt());
  say(attached(true));
  ASSERT_TRUE(stop_ && *stop_);
  EXPECT_EQ((*stop_)->reason, StopReason::kReset);
  resume();
  EXPECT_EQ(take_requests().at(0).resume().insert_size(), 1) << "the device has forgotten its breakpoints";
}

// Flash is kept for an image, within what its manifest measures.
class KeepsFlash : public AgentTargetTest {
 protected:
  struct Store final : FlashStore {
    FlashContent load(std::span<const std::uint8_t> image) override {
      return content[std::string(image.begin(), image.end())];
    }
    void save(std::span<const std::uint8_t> image, const FlashContent& add) override {
      ++saves;
      content[std::string(image.begin(), image.end())] = add;
    }
    std::map<std::string, FlashContent> content;
    int saves = 0;
  };

  static AgentTarget::Measured measured(char image) {
    return {std::vector<std::uint8_t>(32, static_cast<std::uint8_t>(image)), {{kFlash, 0x400}}};
  }

  void read_line(std::uint32_t address, std::uint32_t sequence) {
    read(address, 4);
    const auto requests = take_requests();
    ASSERT_EQ(requests.size(), 1U);
    say(memory(sequence, address, std::string(requests[0].read().ranges(0).length(), 'x')));
  }

  void detach() {
    target_.detach([](Result<void>) {});
    run();
  }

  const std::string image_ = std::string(32, 'h');  // that the device runs
  Store store_;
};

TEST_F(KeepsFlash, ThatWasReadAndNothingElse) {
  target_.keep_flash_in(store_, measured('h'));
  attach();
  read_line(kFlash, 1);
  read_line(kFlash + 0x800, 2);  // not measured
  read_line(kRam, 3);
  detach();
  ASSERT_EQ(store_.content[image_].size(), 1U);
  EXPECT_EQ(store_.content[image_][0].address, kFlash);
  EXPECT_LE(store_.content[image_][0].end(), kFlash + 0x400U);
  EXPECT_EQ(store_.saves, 1);
}

TEST_F(KeepsFlash, AndAsksForItNoMore) {
  store_.content[image_] = {{kFlash, Bytes(64, 'k')}, {kFlash + 0x800, Bytes(64, 'l')}, {kRam, Bytes(64, 'r')}};
  target_.keep_flash_in(store_, measured('h'));
  attach();
  read(kFlash, 64);
  EXPECT_EQ(**read_, Bytes(64, 'k'));
  EXPECT_TRUE(take_requests().empty());
  for (const std::uint32_t address : {kFlash + 0x800, kRam}) {
    read(address, 4);
    EXPECT_EQ(take_requests().size(), 1U) << "neither what is not measured nor RAM comes from there";
    say(memory(address == kRam ? 2 : 1, address, std::string(64, 'x')));
  }
  detach();
  EXPECT_EQ(store_.saves, 0) << "nothing is new";
}

TEST_F(KeepsFlash, OfTheImageThatRunsOnly) {
  store_.content[std::string(32, 'o')] = {{kFlash, Bytes(64, 'k')}};
  store_.content[image_] = {{kFlash, Bytes(64, 'k')}};
  target_.keep_flash_in(store_, measured('o'));  // the cloud spoke of another one
  attach();
  read(kFlash, 4);
  EXPECT_EQ(take_requests().size(), 1U);
  say(memory(1, kFlash, std::string(64, 'x')));
  detach();
  EXPECT_EQ(store_.saves, 0);
}

TEST_F(KeepsFlash, UntilAnotherImageIsLoaded) {
  store_.content[image_] = {{kFlash, Bytes(64, 'k')}};
  target_.keep_flash_in(store_, measured('h'));
  attach();
  Handler<AgentTarget::Delivered> deliver;
  target_.deliver_by([&](FlashContent, Handler<AgentTarget::Delivered> handler) { deliver = std::move(handler); });
  target_.load({{kFlash, {1}}}, [](Result<Loaded>) {});
  deliver(AgentTarget::Delivered{"sent", std::nullopt, measured('n')});
  wire::AgentReply reply = attached(true);
  reply.mutable_attached()->set_manifest_hash(std::string(32, 'n'));
  reply.mutable_attached()->mutable_stopped()->set_reason(wire::STOP_RESET);
  say(reply);
  take_requests();
  read_line(kFlash, 1);
  detach();
  EXPECT_EQ(store_.content[std::string(32, 'n')].size(), 1U);
  EXPECT_EQ(store_.content[image_][0].bytes, Bytes(64, 'k'));
}

class LoadTest : public AgentTargetTest {
 protected:
  // Up to the moment when the program has reached the device.
  void load() {
    target_.deliver_by([this](FlashContent content, Handler<AgentTarget::Delivered> handler) {
      delivered_ = std::move(content);
      deliver_ = std::move(handler);
    });
    target_.load({{kFlash, {1, 2, 3}}}, [this](Result<Loaded> loaded) { loaded_ = std::move(loaded); });
    run();
  }

  static ElfImage image(const std::string& bytes) {
    ElfImage image;
    image.path = "/new.elf";
    image.read_only.push_back({.address = kFlash, .bytes = {bytes.begin(), bytes.end()}, .gaps = {}});
    return image;
  }

  static wire::AgentReply attached_to(char manifest, wire::StopReason reason) {
    wire::AgentReply reply = attached(true);
    reply.mutable_attached()->set_manifest_hash(std::string(32, manifest));
    reply.mutable_attached()->mutable_stopped()->set_reason(reason);
    return reply;
  }

  static wire::AgentReply digest_of(std::uint32_t sequence, const std::string& bytes) {
    wire::AgentReply reply;
    reply.set_sequence(sequence);
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    reply.mutable_digest()->add_sha256(digest);
    return reply;
  }

  FlashContent delivered_;
  Handler<AgentTarget::Delivered> deliver_;
  std::optional<Result<Loaded>> loaded_;
};

TEST_F(LoadTest, GoesOnInTheNewProgramThatTheDeviceHoldsAtItsStart) {
  attach();
  ASSERT_TRUE(target_.insert_breakpoint(kFlash + 0x10, {}));
  resume();
  say(stopped(1, wire::STOP_BREAKPOINT));
  take_requests();

  load();
  ASSERT_EQ(delivered_.size(), 1U);
  EXPECT_TRUE(take_requests().empty()) << "not a byte goes to the device by itself";
  deliver_(AgentTarget::Delivered{"sent", image("abc"), {}});
  auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].attach().halt());
  say(attached_to('n', wire::STOP_RESET));
  requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  ASSERT_TRUE(requests[0].has_digest());
  say(digest_of(requests[0].sequence(), "abc"));

  ASSERT_TRUE(loaded_ && loaded_->has_value());
  EXPECT_EQ((*loaded_)->summary, "sent");
  EXPECT_EQ((*loaded_)->stop.reason, StopReason::kReset);
  EXPECT_EQ(target_.elf_path(), "/new.elf");
  EXPECT_EQ(target_.trusted_flash(), 3U);
  read(kFlash, 3);
  EXPECT_EQ(**read_, (Bytes{'a', 'b', 'c'}));
  // The old program's breakpoints went with it; what is wanted is sent anew.
  resume();
  requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].resume().insert_size(), 1);
}

TEST_F(LoadTest, RestartsWhatDoesNotStandAtItsStart) {
  for (const auto& [manifest, reason] :
       {std::pair('h', wire::STOP_RESET), std::pair('n', wire::STOP_INTERRUPT)}) {  // the same program; another one
    attach();
    load();
    deliver_(AgentTarget::Delivered{"fine", image("abc"), {}});
    take_requests();
    say(attached_to(manifest, reason));
    auto requests = take_requests();
    ASSERT_EQ(requests.size(), 1U);
    say(digest_of(requests[0].sequence(), "abc"));
    requests = take_requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].reset().halt());
    say(stopped(requests[0].sequence(), wire::STOP_RESET));
    ASSERT_TRUE(loaded_ && loaded_->has_value());
    EXPECT_EQ((*loaded_)->stop.reason, StopReason::kReset);
    loaded_.reset();
  }
}

TEST_F(LoadTest, StaysWhereItWasWhenTheProgramCouldNotBeDelivered) {
  attach();
  load();
  deliver_(failure(ErrorCode::kRefused, "no key"));
  EXPECT_EQ(error_of(loaded_), ErrorCode::kRefused);
  EXPECT_TRUE(take_requests().empty());
}

TEST_F(LoadTest, HaltsNothingWhenTheClientHasLeftMeanwhile) {
  attach();
  load();
  target_.detach([](Result<void>) {});
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  say(done(requests[0].sequence()));
  deliver_(AgentTarget::Delivered{"sent", image("abc"), {}});
  EXPECT_TRUE(take_requests().empty());
  EXPECT_FALSE(loaded_);
  EXPECT_EQ(target_.elf_path(), "/new.elf");
}

TEST_F(LoadTest, RefusesWithoutAWayToDeliver) {
  attach();
  target_.load({{kFlash, {1}}}, [this](Result<Loaded> loaded) { loaded_ = std::move(loaded); });
  EXPECT_EQ(error_of(loaded_), ErrorCode::kUnsupported);
}

TEST_F(AgentTargetTest, InterruptsARunningApplicationBeforeItDetaches) {
  attach();
  resume();
  std::optional<Result<void>> detached;
  target_.detach([&](Result<void> result) { detached = std::move(result); });
  auto requests = take_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].has_interrupt());
  say(stopped(1, wire::STOP_INTERRUPT));
  EXPECT_FALSE(stop_) << "the resume's handler is not called any more";
  requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].has_detach());
  say(done(2));
  EXPECT_TRUE(detached && detached->has_value());
}

TEST_F(AgentTargetTest, DetachesAtOnceWhenTheLinkIsGoneForGood) {
  attach();
  say_raw(Bytes{0, 1, 0xFF});
  std::optional<Result<void>> detached;
  target_.detach([&](Result<void> result) { detached = std::move(result); });
  run();
  EXPECT_TRUE(detached && !detached->has_value());
}

TEST_F(AgentTargetTest, WritesInPiecesThatTheDeviceCanTake) {
  attach();
  std::optional<Result<void>> written;
  target_.write(kRam, Bytes(1500, 'w'), [&](Result<void> result) { written = std::move(result); });
  EXPECT_EQ(take_requests().at(0).write().data().size(), 1024U);
  say(done(1));
  const auto second = take_requests();
  EXPECT_EQ(second.at(0).write().address(), kRam + 1024);
  EXPECT_EQ(second.at(0).write().data().size(), 476U);
  say(refused(2, wire::AGENT_BAD_ADDRESS));
  ASSERT_TRUE(written && !written->has_value());
  read(kRam + 1000, 8);
  EXPECT_TRUE(read_ && *read_) << "what was written is known";
}

}  // namespace
}  // namespace mv::gdb
