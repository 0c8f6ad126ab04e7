// Segments of layers over the device link: records made beside it, and sent as the device asked.
#include <gtest/gtest.h>

#include <deque>

#include "cloud/delta/deltas.h"
#include "cloud/delta/test_bundle.h"
#include "cloud/link/link_fixture.h"

namespace mv::cloud {
namespace {

class SegmentsTest : public LinkFixture {
 protected:
  void SetUp() override {
    LinkFixture::SetUp();
    services_.deltas = &deltas_;
    old_ = add("KA1", {first_, second_});
    const std::vector<std::string> wanted{first_, "new" + second_};
    next_ = add("KA2", wanted);
    expected_ = expected_records(first_ + second_, wanted);
    target("KA2");
  }

  App add(const std::string& sid, const std::vector<std::string>& contents, const std::string& account = kAccount) {
    App app = put_bundle(blobs_, contents);
    app.sid = sid;
    app.account_sid = account;
    std::vector<Blob> layers;
    for (const std::string& content : contents) layers.push_back({sha256(content), content.size()});
    EXPECT_TRUE(store_->add_app(app, layers));
    return app;
  }

  void target(const std::string& sid) {
    auto device = store_->device(kDevice);
    device->desired.app_sid = sid;
    ++device->desired.generation;
    ASSERT_TRUE(store_->update_device(*device, now_));
  }

  static std::string request(std::uint32_t number, const std::string& manifest, std::uint32_t layer,
                             const std::string& from, std::uint32_t wanted) {
    wire::BlobRequest message;
    message.set_request(number);
    message.mutable_segments()->set_manifest(manifest);
    message.mutable_segments()->set_layer(layer);
    message.mutable_segments()->set_from(from);
    message.mutable_segments()->set_wanted(wanted);
    return a_frame(Type::kData, Stream::kBlob, message.SerializeAsString());
  }

  // What one request is answered with when the device grants all credit that it can.
  std::vector<wire::BlobChunk> answer(Link& link, const std::string& bytes) {
    link.send(bytes);
    run_jobs();
    std::vector<wire::BlobChunk> all;
    for (auto more = chunks(link.take()); !more.empty(); more = chunks(link.take())) {
      std::size_t spent = 0;
      for (wire::BlobChunk& chunk : more) {
        spent += chunk.ByteSizeLong();
        all.push_back(std::move(chunk));
      }
      link.send(a_frame(Type::kCredit, Stream::kBlob, number(static_cast<std::uint32_t>(spent))));
    }
    return all;
  }

  void run_jobs() {
    while (!jobs_.empty()) {
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      job();
    }
  }

  static bool is_missing(const std::vector<wire::BlobChunk>& chunks) {
    return chunks.size() == 1 && chunks[0].missing() && chunks[0].data().empty();
  }

  // The records by their segments, put together from chunks that must be in order.
  static std::map<std::uint32_t, std::string> records_of(const std::vector<wire::BlobChunk>& chunks) {
    std::map<std::uint32_t, std::string> records;
    for (const wire::BlobChunk& chunk : chunks) {
      EXPECT_FALSE(chunk.missing());
      EXPECT_TRUE(records.empty() || records.rbegin()->first <= chunk.segment());
      EXPECT_EQ(chunk.offset(), records[chunk.segment()].size());
      records[chunk.segment()] += chunk.data();
      EXPECT_LE(records[chunk.segment()].size(), chunk.total());
    }
    return records;
  }

  const std::string first_ = noise(70'000, 1);
  const std::string second_ = noise(10'000, 2);
  App old_, next_;
  std::vector<std::string> expected_;
  std::deque<std::function<void()>> jobs_;  // wait here until the test runs them
  Deltas deltas_{*DeltaCache::open(folder_.path() / "deltas", 1'000'000), blobs_, metrics_,
                 [this](std::function<void()> job, std::function<void()> done) {
                   jobs_.push_back([job = std::move(job), done = std::move(done)] { job(), done(); });
                 }};
};

TEST_F(SegmentsTest, RecordsComeInTheOrderOfTheSegmentsThatAreWanted) {
  Link link(services_);
  link.hello();
  link.take();
  const auto some = records_of(answer(link, request(7, next_.manifest.hash, 0, old_.manifest.hash, 0b101)));
  EXPECT_EQ(some, (std::map<std::uint32_t, std::string>{{0, expected_[0]}, {2, expected_[2]}}));
  const auto other = answer(link, request(8, next_.manifest.hash, 1, old_.manifest.hash, 1));
  EXPECT_EQ(records_of(other), (std::map<std::uint32_t, std::string>{{0, expected_[3]}}));
  EXPECT_EQ(other[0].request(), 8u);
  EXPECT_EQ(metrics_.value("mvcloud_record_bytes_total"),
            static_cast<std::int64_t>(expected_[0].size() + expected_[2].size() + expected_[3].size()));
  EXPECT_EQ(metrics_.value("mvcloud_deltas_made_total"), 1);
}

TEST_F(SegmentsTest, WithoutAnOldImageARecordComesInChunksAsCreditAllows) {
  Link link(services_);
  link.hello();
  link.take();
  const auto got = answer(link, request(7, next_.manifest.hash, 0, "", 0b111));
  const auto whole = expected_records("", {first_, "new" + second_});
  EXPECT_EQ(records_of(got), (std::map<std::uint32_t, std::string>{{0, whole[0]}, {1, whole[1]}, {2, whole[2]}}));
  for (const wire::BlobChunk& chunk : got) EXPECT_EQ(chunk.total(), whole[chunk.segment()].size());
}

TEST_F(SegmentsTest, TheLinkIsLiveWhileRecordsAreMade) {
  Link link(services_);
  link.hello();
  link.take();
  link.send(request(7, next_.manifest.hash, 0, old_.manifest.hash, 1));
  EXPECT_TRUE(chunks(link.take()).empty());
  link.send(a_frame(Type::kPing, Stream::kControl, "12345678"));
  const auto frames = link.take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, Type::kPong);
  run_jobs();
  EXPECT_EQ(records_of(chunks(link.take())).at(0), expected_[0]);
}

TEST_F(SegmentsTest, ANewerRequestReplacesTheOneThatWaits) {
  Link link(services_);
  link.hello();
  link.take();
  link.send(request(7, next_.manifest.hash, 0, old_.manifest.hash, 1));
  const auto got = answer(link, request(8, next_.manifest.hash, 0, old_.manifest.hash, 0b10));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].request(), 8u);
  EXPECT_EQ(got[0].segment(), 1u);
}

TEST_F(SegmentsTest, ALinkThatEndsWhileRecordsAreMadeIsNotTold) {
  {
    Link link(services_);
    link.hello();
    link.send(request(7, next_.manifest.hash, 0, old_.manifest.hash, 1));
  }
  run_jobs();
}

TEST_F(SegmentsTest, AnOldBundleThatTheAccountDoesNotHaveIsNoOldImage) {
  const App others = add("KA3", {first_, second_, noise(100, 3)}, "AC00000000000000000000000000000002");
  const auto whole = expected_records("", {first_, "new" + second_});
  for (const std::string& from : {others.manifest.hash, sha256("nobody's"), std::string("short")}) {
    Link link(services_);
    link.hello();
    link.take();
    EXPECT_EQ(records_of(answer(link, request(7, next_.manifest.hash, 1, from, 1))).at(0), whole[3]);
  }
}

TEST_F(SegmentsTest, WhatTheDeviceIsNotToRunIsMissingAndSoIsWhatTheLayerHasNot) {
  Link link(services_);
  link.hello();
  link.take();
  const std::string& next = next_.manifest.hash;
  const std::string& old = old_.manifest.hash;
  for (const std::string& one :
       {request(1, old, 0, "", 1), request(2, sha256("x"), 0, "", 1), request(3, "", 0, "", 1),
        request(4, next, 2, old, 1), request(5, next, UINT32_MAX, old, 1), request(6, next, 0, old, 0),
        request(7, next, 0, old, 0b1000), request(8, next, 1, old, 0x8000'0001)}) {
    EXPECT_TRUE(is_missing(answer(link, one)));
  }
  target("KA1");
  link.session().desired_changed();
  EXPECT_TRUE(is_missing(answer(link, request(9, next, 0, old, 1)))) << "an order that was taken back";
}

TEST_F(SegmentsTest, SegmentsThatCannotBeMadeAreMissing) {
  blobs_.remove(sha256(first_));
  Link link(services_);
  link.hello();
  link.take();
  EXPECT_TRUE(is_missing(answer(link, request(7, next_.manifest.hash, 1, "", 1))));
}

TEST_F(SegmentsTest, BlobsAreServedAsBefore) {
  Link link(services_);
  link.hello();
  link.take();
  wire::BlobRequest blob;
  blob.set_request(9);
  blob.set_hash(sha256(first_));
  blob.set_length(100);
  const auto got = answer(link, a_frame(Type::kData, Stream::kBlob, blob.SerializeAsString()));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].data(), first_.substr(0, 100));
}

}  // namespace
}  // namespace mv::cloud
