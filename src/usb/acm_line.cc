#include "usb/acm_line.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace mv::usb {
namespace {

// PSTN subclass 1.2, 6.3.10 and 6.3.12.
constexpr std::uint8_t kToInterface = 0x21, kSetLineCoding = 0x20, kSetControlLineState = 0x22;
constexpr std::uint16_t kDtrAndRts = 3;

constexpr milliseconds kControlTime{1'000};
// How long a transfer waits before the thread looks whether the line is still wanted.
constexpr milliseconds kLook{200};
constexpr std::size_t kReadSize = 4096;
constexpr std::size_t kWriteSize = 4096;

Expected<void> set_up(Device& device, const SerialFunction& port, std::uint32_t baud) {
  for (const std::uint8_t interface : {port.control_interface, port.data_interface}) {
    if (auto claimed = device.claim(interface); !claimed) return claimed;
  }
  std::array<std::uint8_t, 7> coding{};  // rate, 1 stop bit, no parity, 8 bits
  for (std::size_t i = 0; i < 4; ++i) coding[i] = static_cast<std::uint8_t>(baud >> 8 * i);
  coding[6] = 8;
  if (auto set = device.control_out({kToInterface, kSetLineCoding, 0, port.control_interface}, coding, kControlTime);
      !set) {
    if (set.error().problem == Problem::kStall) {
      return failed(Problem::kBadReply, "the port refuses a rate of " + std::to_string(baud) + " baud");
    }
    return set;
  }
  auto raised =
      device.control_out({kToInterface, kSetControlLineState, kDtrAndRts, port.control_interface}, {}, kControlTime);
  // Optional: a port without these lines stalls (6.3.12 goes by the capabilities of the descriptor).
  if (!raised && raised.error().problem == Problem::kStall) return {};
  return raised;
}

// Two threads, one for each direction: blocking transfers, so that any Device will do. What they have to say is posted.
class AcmLine final : public SerialLine {
 public:
  AcmLine(boost::asio::io_context& context, std::unique_ptr<Device> device, const SerialFunction& port)
      : context_(context), device_(std::move(device)), port_(port) {}

  ~AcmLine() override {
    *alive_ = false;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (reader_.joinable()) reader_.join();
    if (writer_.joinable()) writer_.join();
  }

  void start(Events events) override {
    events_ = std::move(events);
    reader_ = std::thread([this] { read(); });
    writer_ = std::thread([this] { write(); });
  }

  void send(std::string_view bytes) override {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      queue_.append(bytes);
    }
    wake_.notify_all();
  }

  std::size_t unsent() const override {
    const std::lock_guard lock(mutex_);
    return queue_.size() + leaving_;
  }

 private:
  // Runs on the io_context's thread, unless the line is gone by then.
  template <typename Work>
  void post(Work work) {
    boost::asio::post(context_, [alive = alive_, work = std::move(work)]() mutable {
      if (*alive) work();
    });
  }

  void read() {
    std::vector<std::uint8_t> buffer(kReadSize);
    while (!stopping()) {
      const auto length = device_->bulk_in(port_.bulk_in, buffer, kLook);
      if (length) {
        post([this, bytes = std::vector(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*length))] {
          events_.received(bytes);
        });
      } else if (!mend(length.error(), port_.bulk_in)) {
        return;
      }
    }
  }

  void write() {
    std::string piece;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || !remaining_.empty(); });
        if (stopping_) return;
        if (remaining_.empty()) {
          remaining_ = queue_.substr(0, kWriteSize);
          queue_.erase(0, remaining_.size());
          leaving_ = remaining_.size();
        }
        piece = remaining_;
      }
      const auto sent =
          device_->bulk_out(port_.bulk_out, {reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()}, kLook);
      if (sent) {
        const std::lock_guard lock(mutex_);
        remaining_.erase(0, *sent);
        leaving_ = remaining_.size();
        post([this] { events_.sent(); });
      } else if (!mend(sent.error(), port_.bulk_out)) {
        return;
      }
    }
  }

  // True if the transfer is to be tried again.
  bool mend(const Error& error, std::uint8_t endpoint) {
    if (error.problem == Problem::kTimeout) return true;
    if (error.problem == Problem::kStall && device_->clear_halt(endpoint)) return true;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (lost_.exchange(true)) return false;
    post([this, error] {
      // A copy: the line may be destroyed from within.
      const auto lost = events_.lost;
      lost(error);
    });
    return false;
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  boost::asio::io_context& context_;
  std::unique_ptr<Device> device_;
  SerialFunction port_;
  Events events_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::string queue_;
  std::string remaining_;  // of the piece that leaves
  std::size_t leaving_ = 0;
  std::atomic<bool> lost_{false};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::thread reader_;
  std::thread writer_;
};

}  // namespace

Expected<std::unique_ptr<SerialLine>> open_acm(boost::asio::io_context& context, std::unique_ptr<Device> device,
                                               const SerialFunction& port, std::uint32_t baud) {
  if (auto ready = set_up(*device, port, baud); !ready) return tl::make_unexpected(ready.error());
  return std::make_unique<AcmLine>(context, std::move(device), port);
}

}  // namespace mv::usb
