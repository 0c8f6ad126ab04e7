#include <gtest/gtest.h>

#include "mv_notifications.hpp"

namespace mv {
namespace {

// Writes as the microvisor does: round and round, whatever was read.
class Writer {
 public:
  explicit Writer(NotificationRing<4>& ring) : ring_(ring) {}
  void post(std::uint32_t tag) {
    ring_.data()[next_++ % 4] = {++now_, MV_EVENTTYPE_NETWORKSTATUSCHANGED, tag};
  }

 private:
  NotificationRing<4>& ring_;
  std::size_t next_ = 0;
  std::uint64_t now_ = 0;
};

TEST(NotificationRing, IsEmptyAtFirst) {
  NotificationRing<4> ring;
  EXPECT_FALSE(ring.take().has_value());
}

TEST(NotificationRing, GivesRecordsInOrderManyTimesRound) {
  NotificationRing<4> ring;
  Writer writer(ring);
  for (std::uint32_t tag = 0; tag < 100; tag += 3) {
    for (std::uint32_t i = 0; i < 3; ++i) writer.post(tag + i);
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(ring.take()->tag, tag + i);
    EXPECT_FALSE(ring.take().has_value());
  }
  EXPECT_EQ(ring.overruns(), 0U);
}

TEST(NotificationRing, ClearsInTheRingWhatWasTaken) {
  NotificationRing<4> ring;
  Writer writer(ring);
  writer.post(1);
  ring.take();
  EXPECT_EQ(ring.data()[0].event_type, MV_EVENTTYPE_NOEVENT);
}

TEST(NotificationRing, TellsOfAnOverrunAndGoesOn) {
  NotificationRing<4> ring;
  Writer writer(ring);
  for (std::uint32_t tag = 0; tag < 6; ++tag) writer.post(tag);  // 4 and 5 stand where 0 and 1 were
  for (std::uint32_t tag = 2; tag < 6; ++tag) EXPECT_EQ(ring.take()->tag, tag);
  EXPECT_FALSE(ring.take().has_value());
  EXPECT_EQ(ring.overruns(), 1U);
  writer.post(6);
  EXPECT_EQ(ring.take()->tag, 6U) << "where the writer is, not where the reader was";
  EXPECT_EQ(ring.overruns(), 1U);
}

TEST(NotificationRing, BeginsAnewAfterItWasCleared) {
  NotificationRing<4> ring;
  Writer writer(ring);
  writer.post(1);
  ring.take();
  writer.post(2);
  ring.clear();
  EXPECT_FALSE(ring.take().has_value());
  Writer fresh(ring);
  fresh.post(3);
  EXPECT_EQ(ring.take()->tag, 3U);
}

}  // namespace
}  // namespace mv
