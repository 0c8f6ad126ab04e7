// Boards without hardware: runs a program for which our device models (src/usb) hang on a USB bus.
//
//   umockdev-wrapper usb_mock [BOARD...] -- PROGRAM [ARGUMENT...]
//
//   --boot-loader KEY=VALUE,...   an STM32U585 in its ROM boot loader
//       serial=S  flash=FILE  options=FILE   content, read if the file is there and written at the end
//       memories=NAME;NAME   what it says of its memories    unplug-at=N  refuse-at=N:STATUS  flip-at=N
//       poll=MS  busy=N  no-return   (leaves the bus after a reset)
//   --serial-port KEY=VALUE,...   an ST-LINK with a virtual COM port
//       serial=S  product=HEX  socket=PATH   the board's side of the line: a unix socket to connect to
//
// libusb in PROGRAM finds the boards as it finds real ones: umockdev shows it a /sys and a /dev of its own and brings
// each ioctl on a device's node here. Lines on standard input pull a board out and plug it in: "unplug SERIAL", "plug
// SERIAL"; each is answered on standard output once it is done. Ends with PROGRAM's exit code.
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <glib-unix.h>
#include <umockdev.h>
#pragma GCC diagnostic pop

#include "usb/dfuse_model.h"
#include "usb/serial_model.h"

namespace mv::usb {
namespace {

[[noreturn]] void die(const std::string& what) {
  std::cerr << "usb_mock: " << what << std::endl;
  std::exit(125);
}

using Settings = std::map<std::string, std::string>;

Settings parse_settings(const std::string& text) {
  Settings settings;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    const std::size_t equals = word.find('=');
    settings[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return settings;
}

unsigned number(const std::string& text, int base = 10) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) die("not a number: " + text);
  return value;
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A reference on a GObject.
struct Unref {
  void operator()(void* object) const { ::g_object_unref(object); }
};
using IoctlData = std::unique_ptr<UMockdevIoctlData, Unref>;

// A transfer between SUBMITURB and REAPURB. The client's memory behind both is written when it is reaped.
struct Transfer {
  const UMockdevIoctlClient* client;  // who submitted it, and alone may reap it
  IoctlData urb;
  IoctlData buffer;
  bool done = false;

  usbdevfs_urb& fields() const { return *reinterpret_cast<usbdevfs_urb*>(urb->data); }
};

// A board's time on the bus from plugging in to unplugging. Who opened it keeps it after that: as with a kernel, what
// was under way can still be reaped, and nothing else works.
struct Stay {
  std::deque<Transfer> transfers;
  bool over = false;
};

// A board in its socket: the model, its node, and its stay on the bus. umockdev answers programs in a thread of its
// own; the mutex is for what both threads touch, and is never held across a call that waits for that thread.
class Socket {
 public:
  Socket(UMockdevTestbed* testbed, std::unique_ptr<DeviceModel> model, unsigned port)
      : testbed_(testbed), model_(std::move(model)), port_(port) {}
  virtual ~Socket() = default;

  const std::string& serial() const { return model_->description().serial; }

  void plug();
  void unplug();
  bool answer(Stay& stay, UMockdevIoctlClient* client);
  void forget(Stay& stay, const UMockdevIoctlClient* client);
  bool gone();
  virtual void save() {}
  virtual bool reset_and_returns() { return false; }

 protected:
  DeviceModel& model() { return *model_; }
  std::mutex& mutex() { return mutex_; }
  void look_again();      // something may have come for a transfer that waits; with the mutex
  virtual void sent() {}  // the host gave bytes; with the mutex

 private:
  void request(UMockdevIoctlClient* client);
  static void reap(Stay& stay, UMockdevIoctlClient* client, UMockdevIoctlData* argument);
  void submit(UMockdevIoctlClient* client, UMockdevIoctlData* argument);
  void discard(UMockdevIoctlClient* client, unsigned long address);
  void run(Transfer& transfer);
  void finish(Transfer& transfer, const Expected<std::size_t>& moved);

  UMockdevTestbed* testbed_;
  std::unique_ptr<DeviceModel> model_;
  unsigned port_;
  std::string syspath_;
  std::mutex mutex_;
  std::shared_ptr<Stay> stay_;
};

// The handler that umockdev wants: a GObject that knows its socket, and which of its stays. It lives as long as the
// program.
struct Handler {
  UMockdevIoctlBase parent;
  Socket* socket;
  std::shared_ptr<Stay>* stay;
};
struct HandlerClass {
  UMockdevIoctlBaseClass parent;
};

gboolean handle(UMockdevIoctlBase* self, UMockdevIoctlClient* client) {
  const auto* handler = reinterpret_cast<Handler*>(self);
  return handler->socket->answer(**handler->stay, client) ? TRUE : FALSE;
}

void connected(UMockdevIoctlBase* self, UMockdevIoctlClient* client) {
  ::g_object_weak_ref(
      &client->parent_instance,
      [](gpointer data, GObject* closed) {
        const auto* handler = static_cast<const Handler*>(data);
        handler->socket->forget(**handler->stay, reinterpret_cast<UMockdevIoctlClient*>(closed));
      },
      self);
}

GType handler_type() {
  static const GType type = ::g_type_register_static_simple(
      UMOCKDEV_TYPE_IOCTL_BASE, "MvUsbHandler", sizeof(HandlerClass),
      [](gpointer klass, gpointer) {
        static_cast<UMockdevIoctlBaseClass*>(klass)->handle_ioctl = handle;
        static_cast<UMockdevIoctlBaseClass*>(klass)->client_connected = connected;
      },
      sizeof(Handler), nullptr, static_cast<GTypeFlags>(0));
  return type;
}

unsigned next_device_number = 2;  // a board that is plugged in again gets another number, as from a kernel

void Socket::plug() {
  if (!syspath_.empty()) return;
  const unsigned number = next_device_number++;
  std::array<char, 16> place{}, node{};
  std::snprintf(place.data(), place.size(), "1-%u", port_);
  std::snprintf(node.data(), node.size(), "001/%03u", number);
  Description& description = model_->description();
  description.path = place.data();
  description.node = std::string("/dev/bus/usb/") + node.data();
  {
    const std::lock_guard lock(mutex_);
    model_->plug();
    stay_ = std::make_shared<Stay>();
  }

  std::vector<std::uint8_t> descriptors = model_->device_descriptor();
  const auto configuration = model_->configuration_descriptor();
  descriptors.insert(descriptors.end(), configuration.begin(), configuration.end());
  std::string hex;
  for (const std::uint8_t byte : descriptors) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02X", byte);
    hex += digits.data();
  }
  std::ostringstream text;
  text << "P: /devices/usb1/" << place.data() << "\nN: bus/usb/" << node.data()
       << "\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\nE: DEVNUM=" << std::string(node.data() + 4)
       << "\nE: DEVNAME=/dev/bus/usb/" << node.data()
       << "\nA: bConfigurationValue=1\\n\nA: busnum=1\\n\nA: devnum=" << number
       << "\\n\nA: speed=12\\n\nA: serial=" << description.serial << "\\n\nA: product=" << description.product_name
       << "\\n\nA: manufacturer=" << description.manufacturer << "\\n\nH: descriptors=" << hex << "\n\n";
  GError* error = nullptr;
  // Before there is a node: a program that opens one whose socket is not yet listened at is ended by umockdev.
  auto* handler = static_cast<Handler*>(::g_object_new(handler_type(), nullptr));
  handler->socket = this;
  handler->stay = new std::shared_ptr<Stay>(stay_);
  if (!::umockdev_testbed_attach_ioctl(testbed_, description.node.c_str(), &handler->parent, &error)) {
    die(error->message);
  }
  if (!::umockdev_testbed_add_from_string(testbed_, text.str().c_str(), &error)) die(error->message);
  syspath_ = std::string("/sys/devices/usb1/") + place.data();
  ::umockdev_testbed_uevent(testbed_, syspath_.c_str(), "add");
}

void Socket::unplug() {
  if (syspath_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    model_->unplug();
    look_again();
    stay_->over = true;
  }
  // "remove" takes the device out of the testbed once everybody has been told.
  ::umockdev_testbed_remove_device(testbed_, syspath_.c_str());
  syspath_.clear();
}

bool Socket::gone() {
  const std::lock_guard lock(mutex_);
  return model_->gone();
}

bool Socket::answer(Stay& stay, UMockdevIoctlClient* client) {
  const std::lock_guard lock(mutex_);
  const auto what = ::umockdev_ioctl_client_get_request(client);
  if (what == USBDEVFS_REAPURB || what == USBDEVFS_REAPURBNDELAY) {
    reap(stay, client, ::umockdev_ioctl_client_get_arg(client));
  } else if (stay.over || model_->gone()) {
    ::umockdev_ioctl_client_complete(client, -1, ENODEV);
  } else {
    request(client);
  }
  return true;
}

// A program closed the node: what it had under way is cancelled.
void Socket::forget(Stay& stay, const UMockdevIoctlClient* client) {
  const std::lock_guard lock(mutex_);
  std::erase_if(stay.transfers, [&](const Transfer& transfer) { return transfer.client == client; });
}

void Socket::request(UMockdevIoctlClient* client) {
  UMockdevIoctlData* argument = ::umockdev_ioctl_client_get_arg(client);
  const auto complete = [&](long result, int error) { ::umockdev_ioctl_client_complete(client, result, error); };
  switch (::umockdev_ioctl_client_get_request(client)) {
    case USBDEVFS_GET_CAPABILITIES: {
      const IoctlData data(::umockdev_ioctl_data_resolve(argument, 0, sizeof(std::uint32_t), nullptr));
      const std::uint32_t capabilities =
          USBDEVFS_CAP_BULK_CONTINUATION | USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
      std::memcpy(data->data, &capabilities, sizeof capabilities);
      complete(0, 0);
      break;
    }
    case USBDEVFS_SETINTERFACE: {
      const IoctlData data(::umockdev_ioctl_data_resolve(argument, 0, sizeof(usbdevfs_setinterface), nullptr));
      usbdevfs_setinterface wanted{};
      std::memcpy(&wanted, data->data, sizeof wanted);
      model_->select(static_cast<std::uint8_t>(wanted.interface), static_cast<std::uint8_t>(wanted.altsetting));
      complete(0, 0);
      break;
    }
    case USBDEVFS_CLAIMINTERFACE:
    case USBDEVFS_RELEASEINTERFACE:
    case USBDEVFS_CLEAR_HALT:
    case USBDEVFS_RESET:
      complete(0, 0);
      break;
    case USBDEVFS_GETDRIVER:
    case USBDEVFS_IOCTL:      // take the driver away, give it back
      complete(-1, ENODATA);  // no driver of the kernel has it
      break;
    case USBDEVFS_SUBMITURB:
      submit(client, argument);
      break;
    case USBDEVFS_DISCARDURB: {
      // The argument is the address of the URB itself.
      unsigned long address = 0;
      std::memcpy(&address, argument->data, sizeof address);
      discard(client, address);
      break;
    }
    default:
      complete(-1, ENOTTY);
  }
}

void Socket::submit(UMockdevIoctlClient* client, UMockdevIoctlData* argument) {
  Transfer transfer{client, nullptr, nullptr};
  transfer.urb.reset(::umockdev_ioctl_data_resolve(argument, 0, sizeof(usbdevfs_urb), nullptr));
  if (!transfer.urb) return ::umockdev_ioctl_client_complete(client, -1, EFAULT);
  usbdevfs_urb& urb = transfer.fields();
  transfer.buffer.reset(::umockdev_ioctl_data_resolve(transfer.urb.get(), offsetof(usbdevfs_urb, buffer),
                                                      static_cast<gsize>(urb.buffer_length), nullptr));
  urb.status = 0;
  urb.actual_length = 0;
  run(transfer);
  stay_->transfers.push_back(std::move(transfer));
  ::umockdev_ioctl_client_complete(client, 0, 0);
}

void Socket::finish(Transfer& transfer, const Expected<std::size_t>& moved) {
  usbdevfs_urb& urb = transfer.fields();
  transfer.done = true;
  if (moved) {
    urb.actual_length = static_cast<int>(*moved);
    return;
  }
  // What never comes is left to the program's time-out.
  if (moved.error().problem == Problem::kTimeout) transfer.done = false;
  urb.status = moved.error().problem == Problem::kGone ? -ESHUTDOWN : -EPIPE;
}

void Socket::run(Transfer& transfer) {
  usbdevfs_urb& urb = transfer.fields();
  std::uint8_t* data = transfer.buffer ? transfer.buffer->data : nullptr;
  const auto length = static_cast<std::size_t>(urb.buffer_length);
  const auto answered = [&](const Expected<std::vector<std::uint8_t>>& answer, std::size_t offset) {
    if (!answer) return finish(transfer, tl::make_unexpected(answer.error()));
    std::memcpy(data + offset, answer->data(), std::min(answer->size(), length - offset));
    finish(transfer, answer->size());
  };
  if (urb.type == USBDEVFS_URB_TYPE_CONTROL) {
    if (length < 8) return finish(transfer, failed(Problem::kStall, "no setup packet"));
    const Setup setup{data[0], data[1], static_cast<std::uint16_t>(data[2] | data[3] << 8),
                      static_cast<std::uint16_t>(data[4] | data[5] << 8)};
    const auto wanted = static_cast<std::uint16_t>(data[6] | data[7] << 8);
    if ((setup.request_type & 0x80) != 0) return answered(model_->control(setup, {}, wanted), 8);
    const auto done = model_->control(setup, {data + 8, std::min<std::size_t>(wanted, length - 8)}, 0);
    if (!done) return finish(transfer, tl::make_unexpected(done.error()));
    return finish(transfer, wanted);
  }
  if ((urb.endpoint & 0x80) == 0) {
    const auto taken = model_->bulk_out(urb.endpoint, {data, length});
    if (!taken || *taken > 0) finish(transfer, taken);
    return sent();
  }
  const auto bytes = model_->bulk_in(urb.endpoint, length);
  if (!bytes || !bytes->empty()) answered(bytes, 0);
}

void Socket::look_again() {
  for (Transfer& transfer : stay_->transfers) {
    if (!transfer.done) run(transfer);
  }
}

void Socket::reap(Stay& stay, UMockdevIoctlClient* client, UMockdevIoctlData* argument) {
  auto& transfers = stay.transfers;
  const auto done = std::find_if(transfers.begin(), transfers.end(),
                                 [&](const Transfer& transfer) { return transfer.client == client && transfer.done; });
  if (done == transfers.end()) return ::umockdev_ioctl_client_complete(client, -1, stay.over ? ENODEV : EAGAIN);
  const Transfer transfer = std::move(*done);
  transfers.erase(done);
  const IoctlData pointer(::umockdev_ioctl_data_resolve(argument, 0, sizeof(void*), nullptr));
  ::umockdev_ioctl_data_set_ptr(pointer.get(), 0, transfer.urb.get());
  ::umockdev_ioctl_client_complete(client, 0, 0);
}

void Socket::discard(UMockdevIoctlClient* client, unsigned long address) {
  for (Transfer& transfer : stay_->transfers) {
    if (transfer.client != client || transfer.urb->client_addr != address || transfer.done) continue;
    transfer.done = true;
    transfer.fields().status = -ENOENT;
    return ::umockdev_ioctl_client_complete(client, 0, 0);
  }
  ::umockdev_ioctl_client_complete(client, -1, EINVAL);
}

// A boot loader whose memories are files.
class BootLoaderSocket final : public Socket {
 public:
  BootLoaderSocket(UMockdevTestbed* testbed, const Settings& settings, unsigned port)
      : Socket(testbed, std::make_unique<DfuseModel>(value(settings, "serial", "207136863530")), port),
        settings_(settings) {
    for (const auto& [key, text] : settings) apply(key, text);
    load("flash", 0);
    load("options", 1);
  }

  bool reset_and_returns() override {
    const std::lock_guard lock(mutex());
    const bool reset = boot_loader().resets() > std::exchange(resets_, boot_loader().resets());
    return reset && !settings_.contains("no-return");
  }

  void save() override {
    store("flash", 0);
    store("options", 1);
  }

 private:
  static std::string value(const Settings& settings, const std::string& key, const std::string& otherwise) {
    const auto found = settings.find(key);
    return found == settings.end() ? otherwise : found->second;
  }

  DfuseModel& boot_loader() { return static_cast<DfuseModel&>(model()); }

  void apply(const std::string& key, const std::string& text) {
    DfuseFaults& faults = boot_loader().faults();
    if (key == "memories") {
      std::vector<std::string> names;
      std::istringstream stream(text);
      for (std::string name; std::getline(stream, name, ';');) names.push_back(name);
      boot_loader().set_memories(names);
    } else if (key == "unplug-at") {
      faults.unplug_at = number(text);
    } else if (key == "flip-at") {
      faults.flip_at = number(text);
    } else if (key == "refuse-at") {
      const std::size_t colon = text.find(':');
      if (colon == std::string::npos) die("refuse-at=N:STATUS");
      faults.refuse_at = number(text.substr(0, colon));
      faults.status = static_cast<std::uint8_t>(number(text.substr(colon + 1)));
    } else if (key == "poll") {
      faults.poll_timeout = number(text);
    } else if (key == "busy") {
      faults.busy_for = number(text);
    } else if (key != "serial" && key != "flash" && key != "options" && key != "no-return") {
      die("a boot loader has no setting " + key);
    }
  }

  void load(const std::string& key, std::size_t memory) {
    const auto found = settings_.find(key);
    if (found == settings_.end()) return;
    const auto content = read_file(found->second);
    auto& to = boot_loader().content(memory);
    if (content.size() > to.size()) die(found->second + " is larger than the memory");
    std::copy(content.begin(), content.end(), to.begin());
  }

  void store(const std::string& key, std::size_t memory) {
    const auto found = settings_.find(key);
    if (found == settings_.end()) return;
    const auto& content = boot_loader().content(memory);
    std::ofstream(found->second, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  }

  Settings settings_;
  unsigned resets_ = 0;  // those that have been dealt with
};

// A serial port whose other end is a unix socket: what a board's UART is to an ST-LINK.
class SerialSocket final : public Socket {
 public:
  SerialSocket(UMockdevTestbed* testbed, const Settings& settings, unsigned port)
      : Socket(
            testbed,
            std::make_unique<SerialModel>(
                settings.contains("serial") ? settings.at("serial") : "0035001F3431511837393330",
                static_cast<std::uint16_t>(number(settings.contains("product") ? settings.at("product") : "374e", 16))),
            port) {
    if (settings.contains("socket")) listen(settings.at("socket"));
  }
  ~SerialSocket() override {
    if (line_ >= 0) ::close(line_);
    if (listener_ >= 0) ::close(listener_);
  }

  void sent() override {
    const auto bytes = static_cast<SerialModel&>(model()).take_from_host();
    // Without a board at the other end a UART's bytes are lost.
    if (line_ >= 0) static_cast<void>(::send(line_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

 private:
  // The socket gets its name once it listens: who waits for the file to appear is never refused.
  void listen(const std::string& path) {
    const std::string unfinished = path + "~";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (unfinished.size() >= sizeof address.sun_path) die("the socket's path is too long");
    std::memcpy(address.sun_path, unfinished.c_str(), unfinished.size() + 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::unlink(unfinished.c_str());
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 1) != 0 ||
        ::rename(unfinished.c_str(), path.c_str()) != 0) {
      die("cannot listen at " + path + ": " + std::strerror(errno));
    }
    ::g_unix_fd_add(
        listener_, G_IO_IN,
        [](int, GIOCondition, gpointer self) -> gboolean { return static_cast<SerialSocket*>(self)->accept(), TRUE; },
        this);
  }

  void accept() {
    hang_up();
    const std::lock_guard lock(mutex());
    line_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    watch_ = ::g_unix_fd_add(
        line_, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP),
        [](int, GIOCondition, gpointer self) -> gboolean { return static_cast<SerialSocket*>(self)->receive(), TRUE; },
        this);
  }

  void receive() {
    std::array<std::uint8_t, 4096> buffer;
    const ssize_t length = ::recv(line_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length == 0 || (length < 0 && errno != EAGAIN)) return hang_up();
    const std::lock_guard lock(mutex());
    if (length < 0 || model().gone()) return;
    static_cast<SerialModel&>(model()).from_board({buffer.data(), static_cast<std::size_t>(length)});
    look_again();
  }

  void hang_up() {
    const std::lock_guard lock(mutex());
    if (line_ < 0) return;
    ::g_source_remove(watch_);
    ::close(line_);
    line_ = -1;
  }

  int listener_ = -1;
  int line_ = -1;
  guint watch_ = 0;
};

// The testbed, its sockets, and the program that is run with it.
class Mock {
 public:
  Mock() : testbed_(::umockdev_testbed_new()), loop_(::g_main_loop_new(nullptr, FALSE)) {}

  void add_boot_loader(const std::string& settings) {
    sockets_.push_back(std::make_unique<BootLoaderSocket>(testbed_, parse_settings(settings),
                                                          static_cast<unsigned>(sockets_.size() + 1)));
  }
  void add_serial_port(const std::string& settings) {
    sockets_.push_back(
        std::make_unique<SerialSocket>(testbed_, parse_settings(settings), static_cast<unsigned>(sockets_.size() + 1)));
  }

  int run(char** program) {
    for (const auto& socket : sockets_) socket->plug();
    const pid_t child = ::fork();
    if (child == 0) {
      const int null = ::open("/dev/null", O_RDONLY);
      ::dup2(null, STDIN_FILENO);
      ::execvp(program[0], program);
      ::_exit(127);
    }
    child_ = child;
    ::g_child_watch_add(
        child,
        [](GPid, gint status, gpointer self) {
          static_cast<Mock*>(self)->status_ = status;
          ::g_main_loop_quit(static_cast<Mock*>(self)->loop_);
        },
        this);
    ::g_unix_fd_add(
        STDIN_FILENO, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP),
        [](int, GIOCondition, gpointer self) -> gboolean {
          return static_cast<Mock*>(self)->read_orders() ? TRUE : FALSE;
        },
        this);
    // Ctrl-C and the like are the program's to obey; this one ends with it.
    for (const int signal : {SIGINT, SIGTERM}) {
      ::g_unix_signal_add(signal, signal == SIGINT ? pass_on<SIGINT> : pass_on<SIGTERM>, this);
    }
    ::g_timeout_add(
        5, [](gpointer self) -> gboolean { return static_cast<Mock*>(self)->settle(), TRUE; }, this);
    ::g_main_loop_run(loop_);
    for (const auto& socket : sockets_) socket->save();
    ::g_object_unref(testbed_);  // takes its /sys and /dev away
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

 private:
  template <int kSignal>
  static gboolean pass_on(gpointer self) {
    ::kill(static_cast<Mock*>(self)->child_, kSignal);
    return TRUE;
  }

  // A model that reset itself (or was told to fall off) leaves the bus, and comes back if it is one that does.
  void settle() {
    for (const auto& socket : sockets_) {
      if (!socket->gone() || pulled_.contains(socket->serial())) continue;
      socket->unplug();
      if (socket->reset_and_returns()) {
        socket->plug();
      } else {
        pulled_[socket->serial()] = true;
      }
    }
  }

  bool read_orders() {
    std::array<char, 256> buffer;
    const ssize_t length = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (length <= 0) return false;
    orders_.append(buffer.data(), static_cast<std::size_t>(length));
    for (std::size_t end; (end = orders_.find('\n')) != std::string::npos; orders_.erase(0, end + 1)) {
      obey(orders_.substr(0, end));
    }
    return true;
  }

  void obey(const std::string& order) {
    const std::string serial = order.substr(order.find(' ') + 1);
    for (const auto& socket : sockets_) {
      if (socket->serial() != serial) continue;
      if (order.starts_with("unplug ")) {
        pulled_[serial] = true;
        socket->unplug();
      } else {
        pulled_.erase(serial);
        socket->plug();
      }
      std::cout << "usb_mock: " << order << std::endl;
    }
  }

  UMockdevTestbed* testbed_;
  GMainLoop* loop_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::map<std::string, bool> pulled_;
  std::string orders_;
  pid_t child_ = 0;
  int status_ = 0;
};

int run(int argc, char** argv) {
  Mock mock;
  if (!::umockdev_in_mock_environment()) die("run it under umockdev-wrapper");
  int at = 1;
  for (; at + 1 < argc && std::string_view(argv[at]) != "--"; at += 2) {
    const std::string_view what = argv[at];
    if (what == "--boot-loader") {
      mock.add_boot_loader(argv[at + 1]);
    } else if (what == "--serial-port") {
      mock.add_serial_port(argv[at + 1]);
    } else {
      die("not an option: " + std::string(what));
    }
  }
  if (at + 1 >= argc) die("usage: usb_mock [--boot-loader SETTINGS] [--serial-port SETTINGS] -- PROGRAM [ARGUMENT...]");
  return mock.run(argv + at + 1);
}

}  // namespace
}  // namespace mv::usb

int main(int argc, char** argv) { return mv::usb::run(argc, argv); }
