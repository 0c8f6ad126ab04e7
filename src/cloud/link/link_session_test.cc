#include "cloud/link/link_session.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "cloud/link/link_fixture.h"
#include "cloud/logging.h"

namespace mv::cloud {
namespace {

std::string log_batch(std::uint64_t first, std::uint64_t last) {
  wire::LogBatch batch;
  for (std::uint64_t sequence = first; sequence <= last; ++sequence) {
    wire::LogRecord& record = *batch.add_records();
    record.set_sequence(sequence);
    record.set_text("hello");
  }
  return a_frame(Type::kData, Stream::kLog, batch.SerializeAsString());
}

class FakeClient final : public DebugClient {
 public:
  void on_debug_open() override { opened = true; }
  void on_debug_bytes(std::span<const std::uint8_t> bytes) override { received += as_chars(bytes); }
  void on_debug_writable() override { writable = true; }
  void on_debug_closed(CloseReason, const std::string& text) override { closed = text; }

  bool opened = false;
  bool writable = false;
  std::string received;
  std::optional<std::string> closed;
};

class LinkSessionTest : public LinkFixture {
 protected:
  // Makes the device's target an app with one layer of this content.
  void target(const std::string& content) {
    const auto layer = blobs_.put(content);
    const auto manifest = blobs_.put("manifest");
    ASSERT_TRUE(layer && manifest);
    App app;
    app.sid = "KA1";
    app.account_sid = kAccount;
    app.manifest = {*manifest, 8};
    app.bundle = {sha256("zip"), 3};
    ASSERT_TRUE(store_->add_app(app, {{*layer, content.size()}}));
    auto device = store_->device(kDevice);
    device->desired.app_sid = app.sid;
    device->desired.generation = 2;
    ASSERT_TRUE(store_->update_device(*device, now_));
  }

  void meddle(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }

  // The device says something, and the clock strikes.
  void live_until(Link& link, Microseconds time) {
    now_ = time;
    link.send(a_frame(Type::kPing, Stream::kControl, "12345678"));
    link.session().on_tick(now_);
  }

  std::size_t stored_logs(Store& store) const { return store.logs(kDevice, 0, 0, 1000)->size(); }
};

TEST_F(LinkSessionTest, HelloIsAnsweredByWelcomeThenDesired) {
  target("layer");
  Link link(services_);
  link.hello();
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].welcome().wall_time_us(), static_cast<std::uint64_t>(now_));
  EXPECT_EQ(messages[0].welcome().epoch(), store_->device(kDevice)->epoch);
  EXPECT_EQ(messages[1].desired().generation(), 2u);
  EXPECT_EQ(messages[1].desired().manifest_hash(), sha256("manifest"));
  EXPECT_EQ(links_.find(kDevice), &link.session());
}

TEST_F(LinkSessionTest, EachBootOfTheMicrovisorIsOneEventThatSaysWhy) {
  wire::DeviceControl fault = hello_message();
  fault.mutable_hello()->set_boot_id(8);
  fault.mutable_hello()->set_boot_count(2);
  fault.mutable_hello()->set_wake_reason(wire::WAKE_KERNEL_CRASH);
  fault.mutable_hello()->set_boot_detail("microvisor restarted after a Secure fault at pc 0x10012346");
  for (const auto& hello : {hello_message(), hello_message(), fault, fault}) Link(services_).send(control(hello));
  const auto boots = events("boot");
  ASSERT_EQ(boots.size(), 2u);
  EXPECT_EQ(boots[0].detail, "microvisor booted: cold-boot");
  EXPECT_EQ(boots[1].detail, "microvisor restarted after a Secure fault at pc 0x10012346");
  EXPECT_EQ(boots[1].data, R"({"wake_reason":"kernel-crash","boot_count":2})");
  EXPECT_EQ(store_->device(kDevice)->facts.boot_detail, boots[1].detail);
}

TEST_F(LinkSessionTest, ByteByByteItIsTheSame) {
  Link link(services_);
  for (const char byte : control(hello_message())) link.send(std::string(1, byte));
  EXPECT_EQ(link.take_control().size(), 2u);
}

TEST_F(LinkSessionTest, AChangedTargetIsToldAtOnce) {
  Link link(services_);
  link.hello();
  link.take();
  target("layer");
  link.session().desired_changed();
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].desired().app_id(), "KA1");
}

TEST_F(LinkSessionTest, WhoIsNotWelcomeIsToldWhy) {
  const std::string stranger = "UV00000000000000000000000000000002";
  struct Case {
    std::string certificate;
    wire::DeviceControl hello;
    unsigned code;
    const char* words;
  };
  const Case cases[] = {{kDevice, hello_message(kDevice, 2), 1, "protocol 1"},
                        {kDevice, hello_message(stranger), 2, "another device"},
                        {stranger, hello_message(stranger), 3, "does not know the device"}};
  for (const Case& one : cases) {
    Link link(services_, one.certificate);
    link.send(control(one.hello));
    const auto messages = link.take_control();
    ASSERT_EQ(messages.size(), 1u) << one.words;
    EXPECT_EQ(messages[0].refusal().code(), one.code);
    EXPECT_NE(messages[0].refusal().detail().find(one.words), std::string::npos) << messages[0].refusal().detail();
    EXPECT_TRUE(link.connection().closed);
    EXPECT_EQ(links_.size(), 0u);
  }
}

TEST_F(LinkSessionTest, EachBrokenRuleEndsTheLinkWithItsSentence) {
  const std::string hello = control(hello_message());
  const std::pair<std::string, std::string> cases[] = {
      {log_batch(1, 1), "data came on a stream before Hello"},
      {control([] {
         wire::DeviceControl message;
         message.mutable_keep_alive();
         return message;
       }()),
       "the first message was not Hello"},
      {hello + hello, "Hello came twice on one connection"},
      {hello + raw_frame(2, 0, "\xff\xff"), "a message on the control stream is not a DeviceControl"},
      {hello + raw_frame(2, 1, "\xff\xff"), "a message on the blob stream is not a BlobRequest"},
      {hello + raw_frame(2, 2, "\xff\xff"), "a message on the log stream is not a LogBatch"},
      {hello + raw_frame(99, 0, ""), "a frame has a type that this protocol version does not know"},
      {hello + raw_frame(2, 20, ""), "a frame names a stream number that does not exist"},
      {hello + std::string("\x02\x00\xff\xff", 4), "a frame has a length that its type does not allow"},
      {hello + raw_frame(2, 3, "x"), "a frame came on a stream that is not open"},
      {hello + raw_frame(1, 0, number(1)), "a frame of this type does not belong on this stream"},
      {hello + raw_frame(5, 1, "12345678"), "a frame of this type does not belong on this stream"},
      {hello + raw_frame(3, 0, number(frame::kMaxCredit)), "more credit was granted than the protocol allows"},
  };
  for (const auto& [bytes, sentence] : cases) {
    Link link(services_);
    link.send(bytes);
    EXPECT_EQ(link.close(), std::pair(static_cast<int>(CloseReason::kProtocol), sentence));
    EXPECT_TRUE(link.connection().closed);
    EXPECT_EQ(links_.size(), 0u);
  }
  EXPECT_EQ(metrics_.value("mvcloud_link_violations_total"), static_cast<std::int64_t>(std::size(cases)));
}

TEST_F(LinkSessionTest, NothingAfterAViolationIsHeard) {
  Link link(services_);
  link.send(control(hello_message()) + raw_frame(99, 0, "") + log_batch(1, 1));
  link.send(log_batch(2, 2));
  EXPECT_EQ(stored_logs(*store_), 0u);
}

TEST_F(LinkSessionTest, AStreamThatTheDeviceOffersIsRefusedAndTheLinkGoesOn) {
  Link link(services_);
  link.hello();
  link.take();
  link.send(a_frame(Type::kOpen, Stream::kChannel0, number(100)));
  const auto frames = link.take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, Type::kClose);
  EXPECT_EQ(frames[0].stream, Stream::kChannel0);
  EXPECT_EQ(frames[0].payload.substr(2), "streams are opened by the cloud");
  EXPECT_FALSE(link.connection().closed);
}

wire::DeviceControl app_report(wire::AppState state, const std::string& running, const std::string& target,
                               const std::string& detail = "") {
  wire::DeviceControl message;
  wire::AppReport& report = *message.mutable_app_report();
  report.set_state(state);
  report.set_running_hash(running);
  report.set_target_hash(target);
  report.set_generation(2);
  report.set_detail(detail);
  return message;
}

TEST_F(LinkSessionTest, EachStateOfAnUpdateIsOneEventAlsoOverReconnections) {
  target("layer");
  const std::string wanted = sha256("manifest"), old(32, 'o');
  wire::DeviceControl progress = app_report(wire::APP_DOWNLOADING, old, wanted);
  progress.mutable_app_report()->set_bytes_done(50);
  progress.mutable_app_report()->set_bytes_total(100);
  progress.mutable_app_report()->set_bytes_received(7);
  wire::DeviceControl waiting = app_report(wire::APP_STAGED, old, wanted);
  waiting.mutable_app_report()->set_wait(wire::WAIT_APPLICATION);
  waiting.mutable_app_report()->set_wait_left_sec(60);
  wire::DeviceControl trial = app_report(wire::APP_RUNNING, wanted, "");
  trial.mutable_app_report()->set_wait(wire::WAIT_CONFIRMATION);
  wire::DeviceControl undoing = app_report(wire::APP_UNDOING, wanted, wanted, "it crashed");
  undoing.mutable_app_report()->set_error(wire::UPDATE_ROLLED_BACK);
  wire::DeviceControl undone = app_report(wire::APP_REFUSED, old, wanted, "it crashed");
  undone.mutable_app_report()->set_error(wire::UPDATE_ROLLED_BACK);
  for (const auto& message : {app_report(wire::APP_DOWNLOADING, old, wanted), progress, waiting,
                              app_report(wire::APP_INSTALLING, old, wanted), trial, undoing, undone, undone}) {
    Link link(services_);
    link.hello();  // reports nothing, as after a boot
    link.send(control(message));
  }
  std::vector<std::string> history;
  for (const Event& event : events("update")) {
    history.push_back(event.data.substr(0, event.data.find(',')) + " " + event.detail);
  }
  EXPECT_EQ(history,
            (std::vector<std::string>{
                R"({"state":"downloading" the device fetches the bundle that was ordered)",
                R"({"state":"waiting" the bundle is staged, and the application was told: it is installed within 60 s)",
                R"({"state":"installing" the device installs the bundle)",
                R"({"state":"trial" the bundle runs on trial: to be confirmed)",
                R"({"state":"undoing" the device puts back the bundle before: it crashed)",
                R"({"state":"rolled-back" rolled back, and tried again with the next order only: it crashed)"}));
  EXPECT_NE(events("update").back().data.find(R"("generation":2)"), std::string::npos);
  EXPECT_NE(events("update").back().data.find(R"("reason":"it crashed")"), std::string::npos);
  EXPECT_EQ(store_->device(kDevice)->report.error, wire::UPDATE_ROLLED_BACK);
  EXPECT_EQ(store_->device(kDevice)->report.noted, now_);
}

TEST_F(LinkSessionTest, WhatAnUpdateReceivedIsKnownAfterItsEnd) {
  target("layer");
  const std::string wanted = sha256("manifest"), old(32, 'o');
  wire::DeviceControl staged = app_report(wire::APP_STAGED, old, wanted);
  staged.mutable_app_report()->set_bytes_received(4211);
  Link link(services_);
  link.hello();
  link.send(control(staged) + control(app_report(wire::APP_RUNNING, wanted, "")));
  EXPECT_EQ(store_->device(kDevice)->report.bytes_received, 4211u);
  EXPECT_EQ(events("update").back().detail, "the device runs the bundle that was ordered");
}

TEST_F(LinkSessionTest, WhatAnUpdateReceivedIsCountedOverARebootOfTheDevice) {
  target("layer");
  const std::string wanted = sha256("manifest"), old(32, 'o');
  wire::DeviceControl fetching = app_report(wire::APP_DOWNLOADING, old, wanted);
  fetching.mutable_app_report()->set_bytes_received(4000);
  {
    Link link(services_);
    link.hello();
    link.send(control(fetching));
  }
  wire::DeviceControl hello = hello_message();
  hello.mutable_hello()->set_boot_id(8);
  *hello.mutable_hello()->mutable_app() = app_report(wire::APP_DOWNLOADING, old, wanted).app_report();
  Link link(services_);
  link.send(control(hello));
  EXPECT_EQ(store_->device(kDevice)->report.bytes_received, 4000u);
  fetching.mutable_app_report()->set_bytes_received(500);
  fetching.mutable_app_report()->set_bytes_done(60);
  link.send(control(fetching));
  EXPECT_EQ(store_->device(kDevice)->report.bytes_received, 4500u);
  fetching.mutable_app_report()->set_target_hash(sha256("another"));
  link.send(control(fetching));
  EXPECT_EQ(store_->device(kDevice)->report.bytes_received, 500u);
}

TEST_F(LinkSessionTest, AWaitIsStoredWhenItBeginsAndWhenItsEndMoves) {
  target("layer");
  Link link(services_);
  link.hello();
  const auto say = [&](std::uint32_t left) {
    wire::DeviceControl trial = app_report(wire::APP_RUNNING, sha256("manifest"), "");
    trial.mutable_app_report()->set_wait(wire::WAIT_CONFIRMATION);
    trial.mutable_app_report()->set_wait_left_sec(left);
    link.send(control(trial));
    return *store_->device(kDevice)->report.reported;
  };
  const Microseconds begin = now_;
  EXPECT_EQ(say(60), begin);
  now_ = begin + 10 * kSecond;
  EXPECT_EQ(say(50), begin) << "time that passes is no news";
  EXPECT_EQ(say(60), now_);
}

TEST_F(LinkSessionTest, LogRecordsAreOnDiskBeforeTheirAck) {
  const auto other = open(path_);  // sees only what is committed
  Link link(services_);
  link.hello();
  link.take();
  std::size_t seen = 0;
  link.connection().on_write = [&](std::string_view) { seen = std::max(seen, stored_logs(*other)); };
  link.send(log_batch(1, 3));
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].log_ack().sequence(), 3u);
  EXPECT_EQ(seen, 3u);
}

TEST_F(LinkSessionTest, WhatCannotBeStoredIsNotAcknowledged) {
  Link link(services_);
  link.hello();
  link.take();
  meddle("DROP TABLE log; DROP TABLE crash");
  link.send(log_batch(1, 1));
  wire::DeviceControl message;
  message.mutable_crash()->set_number(4);
  link.send(control(message));
  EXPECT_EQ(link.take_control().size(), 0u);
  EXPECT_FALSE(link.connection().closed);
}

TEST_F(LinkSessionTest, ACrashThatComesAgainIsAcknowledgedAgainAndKeptOnce) {
  Link link(services_);
  link.hello();
  link.take();
  wire::DeviceControl message;
  message.mutable_crash()->set_number(4);
  link.send(control(message) + control(message));
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].crash_ack().number(), 4u);
  EXPECT_EQ(store_->crashes(kDevice, {})->items.size(), 1u);
}

std::string blob_request(const std::string& content, std::uint32_t offset, std::uint32_t length) {
  wire::BlobRequest request;
  request.set_request(5);
  request.set_hash(sha256(content));
  request.set_offset(offset);
  request.set_length(length);
  return a_frame(Type::kData, Stream::kBlob, request.SerializeAsString());
}

TEST_F(LinkSessionTest, ABlobWaitsForTheConnectionAndForCredit) {
  std::string content;
  for (int i = 0; i < 20'000; ++i) content += static_cast<char>(i * 31 >> 3);
  target(content);
  Link link(services_);
  link.hello();
  link.take();
  link.send(blob_request(content, 0, 20'000));
  EXPECT_LT(link.connection().unsent(), 4'096u + frame::kMaxFrame) << "little waits in the connection";
  std::string received;
  std::size_t in_flight = 0;
  for (int turn = 0; turn < 100 && received.size() < content.size(); ++turn) {
    std::size_t spent = 0;
    for (const wire::BlobChunk& chunk : chunks(link.take())) {
      EXPECT_EQ(chunk.request(), 5u);
      EXPECT_EQ(chunk.offset(), received.size());
      EXPECT_EQ(chunk.total(), 20'000u);
      received += chunk.data();
      spent += chunk.ByteSizeLong();
    }
    in_flight += spent;
    EXPECT_LE(in_flight, frame::kInitialCredit);
    link.session().on_drained();
    if (!link.connection().output.empty()) continue;
    ASSERT_GT(in_flight, 0u) << "neither data nor a wait for credit";
    link.send(a_frame(Type::kCredit, Stream::kBlob, number(static_cast<std::uint32_t>(in_flight))));
    in_flight = 0;
  }
  EXPECT_EQ(received, content);
}

TEST_F(LinkSessionTest, ControlOvertakesABlob) {
  const std::string content(20'000, 'x');
  target(content);
  Link link(services_);
  link.hello();
  link.take();
  link.send(blob_request(content, 0, 20'000) + log_batch(1, 1));
  const auto frames = link.take();
  EXPECT_LT(chunks(frames).size(), 20'000 / BlobSender::kChunk);
  EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), [](const Received& received) {
    return received.stream == Stream::kControl && received.type == Type::kData;
  }));
}

TEST_F(LinkSessionTest, APartOfABlobIsGivenAsAsked) {
  target("0123456789");
  Link link(services_);
  link.hello();
  link.take();
  link.send(blob_request("0123456789", 4, 3));
  const auto part = chunks(link.take());
  ASSERT_EQ(part.size(), 1u);
  EXPECT_EQ(part[0].data(), "456");
  link.send(blob_request("0123456789", 4'000'000'000, 4'000'000'000));
  const auto beyond = chunks(link.take());
  ASSERT_EQ(beyond.size(), 1u);
  EXPECT_EQ(beyond[0].data(), "");
}

TEST_F(LinkSessionTest, ABlobThatIsNotOfTheTargetIsMissing) {
  target("layer");
  ASSERT_TRUE(blobs_.put("another's"));
  Link link(services_);
  link.hello();
  link.take();
  link.send(blob_request("another's", 0, 100));
  const auto answer = chunks(link.take());
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_TRUE(answer[0].missing());
}

// Orders this image for the device.
Blob order_image(Store& store, BlobStore& blobs, const std::string& content, std::uint64_t number) {
  const auto hash = blobs.put(content);
  Microvisor image{"MV1", kAccount, {*hash, content.size()}, 0x00020000, "mps2-an505", 1};
  EXPECT_TRUE(store.add_microvisor(image));
  DeviceMicrovisor order;
  order.target_sid = image.sid;
  order.order = number;
  order.trial_sec = 30;
  EXPECT_TRUE(store.order_microvisor(kDevice, order));
  return image.image;
}

TEST_F(LinkSessionTest, TheMicrovisorThatIsOrderedIsNamedAndGiven) {
  const Blob image = order_image(*store_, blobs_, "image", 4);
  Link link(services_);
  link.hello();
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 2u);
  const wire::MicrovisorImage& wanted = messages[1].desired().microvisor();
  EXPECT_EQ(wanted.hash(), image.hash);
  EXPECT_EQ(wanted.size(), 5u);
  EXPECT_EQ(wanted.version(), 0x00020000u);
  EXPECT_EQ(wanted.order(), 4u);
  EXPECT_EQ(wanted.trial_sec(), 30u);
  link.send(blob_request("image", 1, 4));
  const auto answer = chunks(link.take());
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].data(), "mage");
}

TEST_F(LinkSessionTest, AMicrovisorThatIsNotOrderedIsMissing) {
  order_image(*store_, blobs_, "image", 4);
  ASSERT_TRUE(store_->order_microvisor(kDevice, {.order = 5}));
  Link link(services_);
  link.hello();
  EXPECT_FALSE(link.take_control()[1].desired().has_microvisor());
  link.send(blob_request("image", 0, 5));
  const auto answer = chunks(link.take());
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_TRUE(answer[0].missing());
}

TEST_F(LinkSessionTest, WhatTheDeviceSaysOfItsMicrovisorIsKeptAndIsAnEventWhenItIsNews) {
  Link link(services_);
  link.hello();
  wire::DeviceControl message;
  wire::MicrovisorReport& report = *message.mutable_app_report()->mutable_microvisor();
  report.set_state(wire::MICROVISOR_DOWNLOADING);
  report.set_version(0x00010000);
  report.set_order(4);
  report.set_bytes_total(1000);
  for (const std::uint32_t done : {100u, 200u, 300u}) {
    report.set_bytes_done(done);
    link.send(control(message));
  }
  EXPECT_EQ(store_->device_microvisor(kDevice)->bytes_done, 300u);
  report.set_state(wire::MICROVISOR_REFUSED);
  report.set_error(wire::UPDATE_ROLLED_BACK);
  report.set_detail("it did not work");
  link.send(control(message));
  const auto found = events("microvisor");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].detail, "microvisor 0.1.0 downloads its successor");
  EXPECT_EQ(found[1].detail, "microvisor 0.1.0 refused its successor: it did not work");
  EXPECT_EQ(store_->device_microvisor(kDevice)->error, wire::UPDATE_ROLLED_BACK);
}

TEST_F(LinkSessionTest, ANewerConnectionTakesOver) {
  Link older(services_);
  older.hello();
  older.take();
  Link newer(services_);
  newer.hello();
  EXPECT_EQ(older.close().first, static_cast<int>(CloseReason::kSuperseded));
  EXPECT_EQ(links_.find(kDevice), &newer.session());
  older.session().on_closed();
  EXPECT_EQ(links_.find(kDevice), &newer.session()) << "the older one's end is not the newer one's";
}

TEST_F(LinkSessionTest, ARemovedDeviceIsToldAndNotLetInAgain) {
  Link link(services_);
  link.hello();
  link.take();
  ASSERT_TRUE(store_->remove_device(kAccount, kDevice));
  link.session().device_removed();
  EXPECT_EQ(link.close(),
            std::pair(static_cast<int>(CloseReason::kRefused), std::string("the device was removed from this cloud")));
  EXPECT_EQ(links_.size(), 0u);
  Link again(services_);
  again.hello();
  EXPECT_EQ(again.take_control().at(0).refusal().code(), 3u);
}

TEST_F(LinkSessionTest, ASilentDeviceIsLetGo) {
  Link link(services_);
  now_ += 20 * kSecond;
  link.session().on_tick(now_);
  EXPECT_FALSE(link.connection().closed);
  now_ += kSecond;
  link.session().on_tick(now_);
  EXPECT_EQ(link.close().second, "no Hello came within 20 seconds");

  Link live(services_);
  live.hello();
  live.take();
  now_ += 75 * kSecond;  // 2.5 intervals of 30 s
  live.session().on_tick(now_);
  EXPECT_FALSE(live.connection().closed);
  live.session().on_tick(now_ + 1);
  EXPECT_EQ(live.close().first, static_cast<int>(CloseReason::kGone));
}

TEST_F(LinkSessionTest, ADeviceMayBeSilentForTheIntervalThatItReported) {
  Link link(services_);
  link.hello();
  wire::DeviceControl message;
  message.mutable_keep_alive()->set_learned_ms(300'000);
  message.mutable_keep_alive()->set_interval_ms(600'000);
  link.send(control(message));
  EXPECT_EQ(link.session().status().keep_alive_ms, 600'000u);
  EXPECT_EQ(store_->device(kDevice)->learned_keep_alive_ms, 300'000u);
  now_ += 720 * kSecond;  // the interval and two minutes
  link.session().on_tick(now_);
  EXPECT_FALSE(link.connection().closed);
  link.session().on_tick(now_ + 1);
  EXPECT_TRUE(link.connection().closed);
}

TEST_F(LinkSessionTest, WhatTheDeviceSaysOfItsDebuggerIsADebugEvent) {
  Link link(services_);
  link.hello();
  const std::pair<const char*, const char*> cases[] = {
      {"debugger attached", "attached"}, {"debugger detached", "detached"}, {"debug access refused", "refused"}};
  for (const auto& [kind, state] : cases) {
    wire::DeviceControl message;
    message.mutable_event()->set_kind(kind);
    message.mutable_event()->set_detail("why");
    link.send(control(message));
    ASSERT_FALSE(events("debug").empty());
    EXPECT_EQ(events("debug").back().detail, std::string(kind) + ": why");
    EXPECT_EQ(events("debug").back().data, "{\"state\":\"" + std::string(state) + "\"}");
  }
  wire::DeviceControl other;
  other.mutable_event()->set_kind("application restarted");
  link.send(control(other));
  EXPECT_EQ(events("debug").size(), 3u);
  EXPECT_EQ(events("device").back().detail, "application restarted");
}

TEST_F(LinkSessionTest, LoggingEndsAfterADayAndTheDeviceIsTold) {
  auto device = store_->device(kDevice);
  switch_logging(device->desired, true, now_);
  ASSERT_TRUE(store_->update_device(*device, now_));
  Link link(services_);
  link.hello();
  EXPECT_TRUE(link.take_control().back().desired().logging_enabled());
  const Microseconds end = now_ + 24 * 3600 * kSecond;
  live_until(link, end - 1);
  EXPECT_TRUE(link.take_control().empty());
  live_until(link, end);
  const auto messages = link.take_control();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_FALSE(messages[0].desired().logging_enabled());
  EXPECT_EQ(messages[0].desired().generation(), device->desired.generation);
  EXPECT_EQ(store_->device(kDevice)->desired.logging_enabled, false);
  EXPECT_EQ(store_->device(kDevice)->desired.logging_expires, std::nullopt);
  live_until(link, end + kSecond);
  EXPECT_TRUE(link.take_control().empty()) << "told once";
  EXPECT_EQ(events("logging").size(), 1u);
}

TEST_F(LinkSessionTest, LoggingThatWasExtendedGoesOn) {
  auto device = store_->device(kDevice);
  switch_logging(device->desired, true, now_);
  ASSERT_TRUE(store_->update_device(*device, now_));
  Link link(services_);
  link.hello();
  link.take();
  switch_logging(device->desired, true, now_ + 3600 * kSecond);  // as the API does, without a word to the link
  ASSERT_TRUE(store_->update_device(*device, now_));
  live_until(link, now_ + 24 * 3600 * kSecond);
  for (const auto& message : link.take_control()) EXPECT_TRUE(message.desired().logging_enabled());
  EXPECT_TRUE(events("logging").empty());
}

TEST_F(LinkSessionTest, LoggingThatEndedWhileTheDeviceWasAwayIsOffAtItsReturn) {
  auto device = store_->device(kDevice);
  switch_logging(device->desired, true, now_);
  ASSERT_TRUE(store_->update_device(*device, now_));
  now_ += 24 * 3600 * kSecond;
  Link link(services_);
  link.hello();
  EXPECT_FALSE(link.take_control().back().desired().logging_enabled());
}

TEST_F(LinkSessionTest, ADebugStreamPassesBytesWithinCredit) {
  FakeClient client, second;  // a client lives until its session is over: longer than the link
  Link link(services_);
  link.hello();
  link.take();
  ASSERT_TRUE(link.session().open_debug(client));
  EXPECT_FALSE(link.session().open_debug(second));
  EXPECT_EQ(link.session().debug_send("early"), 0u) << "the device did not accept yet";
  link.send(a_frame(Type::kOpen, Stream::kDebug, number(3)));
  EXPECT_TRUE(client.opened);
  EXPECT_EQ(link.session().debug_send("hello"), 3u);
  link.send(a_frame(Type::kCredit, Stream::kDebug, number(10)));
  EXPECT_TRUE(client.writable);
  EXPECT_EQ(link.session().debug_send("lo"), 2u);
  link.send(a_frame(Type::kData, Stream::kDebug, "answer"));
  EXPECT_EQ(client.received, "answer");
  link.send(a_frame(Type::kClose, Stream::kDebug, std::string("\0\1", 2) + "no key"));
  EXPECT_EQ(client.closed, "no key");
  EXPECT_FALSE(link.connection().closed);
  EXPECT_TRUE(link.session().open_debug(second)) << "closed on both sides: it can be opened again";
}

TEST_F(LinkSessionTest, MoreDebugBytesThanWereGrantedEndTheLink) {
  FakeClient client;  // consumes nothing
  Link link(services_);
  link.hello();
  ASSERT_TRUE(link.session().open_debug(client));
  link.send(a_frame(Type::kOpen, Stream::kDebug, number(100)));
  for (int i = 0; i < 8; ++i) link.send(a_frame(Type::kData, Stream::kDebug, std::string(2000, 'x')));
  EXPECT_FALSE(link.connection().closed);
  link.send(a_frame(Type::kData, Stream::kDebug, std::string(2000, 'x')));
  EXPECT_EQ(link.close().second, "more data came on a stream than was granted");
  EXPECT_TRUE(client.closed);
}

TEST_F(LinkSessionTest, ADebugRequestThatStaysUnansweredIsGivenUp) {
  FakeClient client;
  Link link(services_);
  link.hello();
  ASSERT_TRUE(link.session().open_debug(client));
  now_ += 16 * kSecond;
  link.session().on_tick(now_);
  EXPECT_EQ(client.closed, "the device did not answer the debug request within 15 seconds");
  EXPECT_FALSE(link.connection().closed);
}

TEST_F(LinkSessionTest, AShutDownSaysSo) {
  FakeClient client;
  Link link(services_);
  link.hello();
  ASSERT_TRUE(link.session().open_debug(client));
  link.session().on_shutdown();
  EXPECT_EQ(link.close().first, static_cast<int>(CloseReason::kShuttingDown));
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(links_.size(), 0u);
}

TEST_F(LinkSessionTest, ADeviceThatGrantsNoControlCreditIsCutOffBeforeMuchPilesUp) {
  Link link(services_);
  link.hello();
  for (int i = 0; i < 10'000 && !link.connection().closed; ++i) link.session().desired_changed();
  EXPECT_EQ(link.close().second, "the device grants no credit on the control stream");
}

}  // namespace
}  // namespace mv::cloud
