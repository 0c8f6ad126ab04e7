#include "cloud/delta/maker.h"

#include <gtest/gtest.h>

#include "bundle/sealed_layer.h"
#include "cloud/delta/test_bundle.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

class MakerTest : public ::testing::Test {
 protected:
  Result<DeltaRecords> make(const std::string& from, const std::string& to) { return make_records(blobs_, {from, to}); }

  std::vector<std::string> records_of(const DeltaRecords& set) {
    std::vector<std::string> records;
    for (const auto& layer : set.layers()) records.insert(records.end(), layer.records.begin(), layer.records.end());
    return records;
  }

  TemporaryFolder folder_;
  BlobStore blobs_ = *BlobStore::open(folder_.path() / "blobs");
  const std::string first_ = noise(70'000, 1);
  const std::string second_ = noise(10'000, 2);
};

TEST_F(MakerTest, RecordsAreThoseOfTheEncoderOverAllLayersInOrder) {
  std::string edited = first_;
  edited[40'000] = static_cast<char>(edited[40'000] ^ 1);
  const std::vector<std::string> wanted{edited, "new" + second_};
  const App old = put_bundle(blobs_, {first_, second_}), next = put_bundle(blobs_, wanted);
  const auto set = make(old.manifest.hash, next.manifest.hash);
  ASSERT_TRUE(set) << set.error();
  EXPECT_EQ(records_of(*set), expected_records(first_ + second_, wanted));
  ASSERT_EQ(set->layers().size(), 2u);
  EXPECT_EQ(set->layers()[0].records.size(), 3u);
  EXPECT_LT(set->bytes_to_receive(), 200u);
}

TEST_F(MakerTest, ALayerThatStaysInItsPlaceIsInstalledAndTheOthersAreNot) {
  const App old = put_bundle(blobs_, {first_, second_}), next = put_bundle(blobs_, {first_, second_ + "!"});
  const auto set = make(old.manifest.hash, next.manifest.hash);
  ASSERT_TRUE(set) << set.error();
  EXPECT_TRUE(set->layers()[0].installed);
  EXPECT_FALSE(set->layers()[1].installed);
  EXPECT_EQ(set->bytes_to_receive(), set->layers()[1].record_bytes());
}

TEST_F(MakerTest, WithoutTheOldBundleRecordsNeedNoOldImage) {
  const App old = put_bundle(blobs_, {first_}), next = put_bundle(blobs_, {first_ + "!"});
  const auto whole = expected_records("", {first_ + "!"});
  EXPECT_EQ(records_of(*make("", next.manifest.hash)), whole);
  blobs_.remove(sha256(first_));
  EXPECT_EQ(records_of(*make(old.manifest.hash, next.manifest.hash)), whole);
}

TEST_F(MakerTest, AnEncryptedLayerIsNotServedAndKeepsItsPlace) {
  const std::vector<std::string> contents{first_, second_};
  bundle::AppBody body = body_of(contents);
  body.layers[0].encrypted_with_key_id = 7;
  const App old = put_bundle(blobs_, contents), next = put_bundle(blobs_, body, contents);
  const auto set = make(old.manifest.hash, next.manifest.hash);
  ASSERT_TRUE(set) << set.error();
  EXPECT_FALSE(set->layers()[0].served);
  EXPECT_TRUE(set->layers()[0].records.empty());
  ASSERT_EQ(set->layers()[1].records.size(), 1u);
  EXPECT_EQ(set->layers()[1].records[0], expected_records(first_ + second_, contents).back());
}

TEST_F(MakerTest, SealedSegmentsAreServedAsTheyAreAndThoseThatStayAreNotCounted) {
  const std::string edited = first_.substr(0, 69'000) + noise(1'000, 3);
  const std::vector<std::string> contents{edited};
  bundle::AppBody body = body_of(contents);
  const auto key = bundle::ContentKey::generate();
  const auto file = *key->seal(as_bytes(edited), 0);
  body.layers[0].encrypted_with_key_id = 7;
  body.layers[0].fetch_hash = bundle::sha256(file);
  const App old = put_bundle(blobs_, {first_}), next = put_bundle(blobs_, body, {std::string(as_chars(file))});
  const auto set = make(old.manifest.hash, next.manifest.hash);
  ASSERT_TRUE(set) << set.error();
  const auto& layer = set->layers()[0];
  EXPECT_TRUE(layer.served && layer.sealed && !layer.installed);
  EXPECT_EQ(layer.kept, (std::vector<bool>{true, true, false}));
  const auto pieces = *bundle::sealed_segments(file, 70'000);
  ASSERT_EQ(layer.records.size(), 3u);
  EXPECT_EQ(layer.records[2], as_chars(pieces[2]));
  EXPECT_EQ(set->bytes_to_receive(), pieces[2].size());
}

TEST_F(MakerTest, NothingOfAnEncryptedOldLayerIsReferredTo) {
  const std::vector<std::string> contents{first_};
  bundle::AppBody body = body_of(contents);
  body.layers[0].encrypted_with_key_id = 7;
  const App old = put_bundle(blobs_, body, contents), next = put_bundle(blobs_, contents);
  EXPECT_EQ(records_of(*make(old.manifest.hash, next.manifest.hash)), expected_records("", contents));
}

TEST_F(MakerTest, ALayerWithoutSegmentHashesIsServedAsAnyOther) {
  bundle::AppBody body = body_of({first_});
  body.layers[0].segment_hashes.clear();
  body.layers[0].segment_size = 0;
  body.layers[0].content_size = 0;
  const App next = put_bundle(blobs_, body, {first_});
  const auto set = make("", next.manifest.hash);
  ASSERT_TRUE(set) << set.error();
  EXPECT_TRUE(set->layers()[0].served);
  EXPECT_EQ(records_of(*set), expected_records("", {first_}));
}

TEST_F(MakerTest, ABundleThatIsNotWholeIsRefused) {
  const App next = put_bundle(blobs_, {first_});
  EXPECT_FALSE(make("", sha256("no manifest")));
  std::filesystem::resize_file(blobs_.path_of(sha256(first_)), 100);
  EXPECT_FALSE(make("", next.manifest.hash));
  blobs_.remove(sha256(first_));
  EXPECT_FALSE(make("", next.manifest.hash));
}

}  // namespace
}  // namespace mv::cloud
