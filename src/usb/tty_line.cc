#include "usb/tty_line.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace mv::usb {
namespace {

using boost::system::error_code;

struct Rate {
  std::uint32_t baud;
  speed_t constant;
};
constexpr std::array kRates = {Rate{9600, B9600},       Rate{19200, B19200},     Rate{38400, B38400},
                               Rate{57600, B57600},     Rate{115200, B115200},   Rate{230400, B230400},
                               Rate{460800, B460800},   Rate{921600, B921600},   Rate{1000000, B1000000},
                               Rate{1500000, B1500000}, Rate{2000000, B2000000}, Rate{3000000, B3000000}};

tl::unexpected<Error> system_error() {
  const int code = errno;
  const Problem problem = code == ENOENT || code == ENXIO || code == ENODEV || code == ECONNREFUSED ? Problem::kNotFound
                          : code == EACCES || code == EPERM ? Problem::kNoPermission
                          : code == EBUSY                   ? Problem::kBusy
                                                            : Problem::kOther;
  return failed(problem, std::strerror(code));
}

// Raw bytes, 8N1, no flow control, modem control lines ignored.
bool make_raw(int fd, speed_t speed) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return false;
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS | CSTOPB);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  ::cfsetispeed(&settings, speed);
  ::cfsetospeed(&settings, speed);
  return ::tcsetattr(fd, TCSANOW, &settings) == 0 && ::tcflush(fd, TCIOFLUSH) == 0;
}

// TIOCEXCL keeps out whoever comes later, but not root; this keeps mvctl out, whoever runs it.
bool lock(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) errno = EBUSY;
  return false;
}

class TtyLine final : public SerialLine {
 public:
  TtyLine(boost::asio::io_context& context, int fd) : descriptor_(context, fd) {}

  ~TtyLine() override { *alive_ = false; }

  void start(Events events) override {
    events_ = std::move(events);
    read();
  }

  void send(std::string_view bytes) override {
    if (!descriptor_.is_open()) return;
    queue_.append(bytes);
    if (writing_.empty()) write();
  }

  std::size_t unsent() const override { return queue_.size() + writing_.size() - written_; }

 private:
  void read() {
    descriptor_.async_read_some(boost::asio::buffer(buffer_),
                                [this, alive = alive_](error_code error, std::size_t length) {
                                  if (!*alive || error == boost::asio::error::operation_aborted) return;
                                  // A terminal whose device was pulled out reads as an error or as its end.
                                  if (error) return lose(error);
                                  events_.received(std::span(buffer_).first(length));
                                  if (*alive && descriptor_.is_open()) read();
                                });
  }

  void write() {
    if (written_ == writing_.size()) {
      writing_ = std::exchange(queue_, {});
      written_ = 0;
    }
    if (writing_.empty()) return;
    descriptor_.async_write_some(boost::asio::buffer(writing_.data() + written_, writing_.size() - written_),
                                 [this, alive = alive_](error_code error, std::size_t length) {
                                   if (!*alive || error == boost::asio::error::operation_aborted) return;
                                   if (error) return lose(error);
                                   written_ += length;
                                   if (written_ == writing_.size()) writing_.clear(), written_ = 0;
                                   if (writing_.empty() ? !queue_.empty() : true) write();
                                   events_.sent();
                                 });
  }

  void lose(const error_code& error) {
    error_code ignored;
    descriptor_.close(ignored);
    queue_.clear();
    const bool gone = error == boost::asio::error::eof || error.value() == EIO || error.value() == ENXIO ||
                      error.value() == ENODEV || error.value() == ECONNRESET || error.value() == EPIPE;
    // A copy: the line may be destroyed from within.
    const auto lost = events_.lost;
    lost({gone ? Problem::kGone : Problem::kOther, gone ? "the device is gone" : error.message()});
  }

  boost::asio::posix::stream_descriptor descriptor_;
  Events events_;
  std::array<std::uint8_t, 4096> buffer_{};
  std::string queue_;
  std::string writing_;
  std::size_t written_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Expected<std::unique_ptr<SerialLine>> open_tty(boost::asio::io_context& context, const std::string& path,
                                               std::uint32_t baud) {
  const auto* rate = std::ranges::find(kRates, baud, &Rate::baud);
  if (rate == kRates.end()) {
    std::string rates;
    for (const Rate& one : kRates) rates += (rates.empty() ? "" : ", ") + std::to_string(one.baud);
    return failed(Problem::kOther, "a terminal device has no rate of " + std::to_string(baud) + " baud, but " + rates);
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return system_error();
  if (::isatty(fd) == 0) {
    ::close(fd);
    return failed(Problem::kOther, "it is no terminal device, as serial ports are: mvctl usb list has them");
  }
  if (!lock(fd) || ::ioctl(fd, TIOCEXCL) != 0 || !make_raw(fd, rate->constant)) {
    auto error = system_error();
    ::close(fd);
    return error;
  }
  return std::make_unique<TtyLine>(context, fd);
}

Expected<std::unique_ptr<SerialLine>> open_socket(boost::asio::io_context& context, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failed(Problem::kOther, "too long for a socket's path");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error();
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    auto error = system_error();
    ::close(fd);
    return error;
  }
  return std::make_unique<TtyLine>(context, fd);
}

}  // namespace mv::usb
