#include "cli/program_delivery.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "bundle/bundle.h"
#include "bundle/layers.h"
#include "cli/bundle_options.h"
#include "cli/elf_choice.h"
#include "cli/file.h"
#include "cli/key_store.h"
#include "cli/rollout.h"
#include "cli/running_bundle.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Delivered = gdb::AgentTarget::Delivered;
using Layers = std::vector<bundle::Layer>;

constexpr std::chrono::milliseconds kTimeout = std::chrono::minutes(10);
constexpr std::uint64_t kBiggestElf = 256 << 20;
constexpr std::uint64_t kLargestGap = 256;  // bytes between pieces that are compared with the device as one

Failure as_failure(const bundle::Error& error) { return to_failure(error); }

// A file with a bundle, for as long as it is uploaded.
class TemporaryBundle {
 public:
  static Answer<TemporaryBundle> write(const std::vector<std::uint8_t>& bytes) {
    std::error_code error;
    std::string folder = (fs::temp_directory_path(error) / "mvctl-load-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr)
      return fail(ExitCode::kFailed, folder + " cannot be made: " + std::strerror(errno), "is TMPDIR right?");
    TemporaryBundle file(folder);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (auto written = write_file(file.path(), text); !written) return tl::make_unexpected(written.error());
    return file;
  }
  TemporaryBundle(TemporaryBundle&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  TemporaryBundle(const TemporaryBundle&) = delete;
  TemporaryBundle& operator=(const TemporaryBundle&) = delete;
  TemporaryBundle& operator=(TemporaryBundle&&) = delete;
  ~TemporaryBundle() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  fs::path path() const { return folder_ / "load.zip"; }

 private:
  explicit TemporaryBundle(fs::path folder) : folder_(std::move(folder)) {}

  fs::path folder_;
};

// 12345678 as 12,345,678.
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

// The GNU build id, wherever it lies among what was written: a note of owner "GNU" and type 3 (System V gABI, "Note
// Section"). Empty if there is none.
std::vector<std::uint8_t> build_id_of(const gdb::FlashContent& content) {
  constexpr std::size_t kHeader = 16;
  constexpr std::size_t kLongest = 32;
  constexpr std::uint8_t kOwnerSize[] = {4, 0, 0, 0};
  constexpr std::uint8_t kTypeAndOwner[] = {3, 0, 0, 0, 'G', 'N', 'U', 0};
  for (const auto& piece : content) {
    const auto& bytes = piece.bytes;
    for (std::size_t at = (4 - piece.address % 4) % 4; at + kHeader <= bytes.size(); at += 4) {
      const auto* note = bytes.data() + at;
      const std::size_t size = note[4];
      const bool found = std::equal(std::begin(kOwnerSize), std::end(kOwnerSize), note) && note[5] == 0 &&
                         note[6] == 0 && note[7] == 0 && size != 0 && size <= kLongest &&
                         std::equal(std::begin(kTypeAndOwner), std::end(kTypeAndOwner), note + 8);
      if (found && at + kHeader + size <= bytes.size()) return {note + kHeader, note + kHeader + size};
    }
  }
  return {};
}

Answer<bundle::Image> image_of(const gdb::FlashContent& content) {
  std::vector<bundle::Section> sections;
  for (const auto& piece : content) sections.push_back({"the program", piece.address, piece.bytes});
  return bundle::Image::from_sections(std::move(sections), build_id_of(content)).map_error(as_failure);
}

// What the device is asked to confirm, so that none of it is ever read over the link.
std::vector<gdb::ElfImage::Piece> pieces_of(const gdb::FlashContent& content) {
  std::vector<gdb::ElfImage::Piece> pieces;
  for (const auto& [address, bytes] : content) {
    const std::uint64_t end = pieces.empty() ? 0 : std::uint64_t{pieces.back().address} + pieces.back().bytes.size();
    if (pieces.empty() || address - end >= kLargestGap) {
      pieces.push_back({.address = address, .bytes = bytes, .gaps = {}});
      continue;
    }
    auto& piece = pieces.back();
    piece.gaps.push_back({piece.bytes.size(), static_cast<std::size_t>(address - end)});
    piece.bytes.resize(piece.bytes.size() + (address - end), 0xff);
    piece.bytes.insert(piece.bytes.end(), bytes.begin(), bytes.end());
  }
  return pieces;
}

bool same(const bundle::Layer& a, const bundle::Layer& b) {
  return a.region.area == b.region.area && a.region.start == b.region.start && a.region.size == b.region.size &&
         a.measurement_hash == b.measurement_hash;
}

bool has(const Layers& layers, const bundle::Layer& layer) {
  return std::any_of(layers.begin(), layers.end(), [&](const auto& each) { return same(each, layer); });
}

bool equal(const Layers& a, const Layers& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& layer) { return has(b, layer); });
}

// Whether the ELF there, as it is now, makes these layers.
bool makes(const std::string& elf, const bundle::Board& board, const Layers& layers) {
  const auto file = bundle::read_file(elf, kBiggestElf);
  if (!file) return false;
  const auto image = bundle::read_elf(*file);
  if (!image) return false;
  const auto made = bundle::make_layers(*image, board);
  if (!made) return false;
  Layers theirs;
  for (const auto& each : *made) theirs.push_back(each.layer);
  return equal(theirs, layers);
}

// The program's ELF, which was probably built anew where it lay: GDB has read it anew as well.
std::optional<gdb::ElfImage> find_elf(const std::string& usual, const bundle::Manifest& manifest) {
  const bundle::Board* board = bundle::find_board(manifest.body().info.board);
  if (board == nullptr) return std::nullopt;
  if (!usual.empty() && makes(usual, *board, manifest.body().layers))
    if (auto image = gdb::load_elf_image(usual)) return *std::move(image);
  auto other = choose_elf(std::nullopt, {.build_id = manifest.body().info.build_id, .whose = {}, .hint = {}});
  if (!other || !*other || !makes((*other)->path, *board, manifest.body().layers)) return std::nullopt;
  return std::move((*other)->image);
}

Answer<bundle::PrivateKey> signer(const DeliveryPlan& plan, const RunningBundle& running, const std::string& device) {
  if (plan.sign_key) return find_private_key(*plan.sign_key);
  const auto wanted = running.manifest.signer();
  for (const std::string& name : key_names()) {
    auto key = find_private_key(name);
    if (key && wanted && key->public_key().id() == *wanted) return key;
  }
  return fail(ExitCode::kNotAuthorised,
              fmt::format("none of your keys has signed {}, which {} runs, so there is none to sign a new program with",
                          running.label, device),
              fmt::format("name the key: mvctl debug {} --sign-key KEY", device));
}

// Whoever reads the bundle that runs is to read the next one, and nobody else. It names them by the ids of their keys.
Answer<std::vector<bundle::PublicKey>> readers(const RunningBundle& running) {
  std::vector<bundle::PublicKey> found;
  const auto keys = all_public_keys();
  if (!keys) return tl::make_unexpected(keys.error());
  for (const bundle::Recipient& each : running.manifest.body().recipients) {
    const auto key = std::find_if(keys->begin(), keys->end(), [&](const auto& one) { return one.id() == each.key; });
    if (key == keys->end()) {
      return fail(ExitCode::kNotAuthorised,
                  fmt::format("{} is encrypted to key {}, which is not here, so nothing can be loaded in its place",
                              running.label, bundle::describe(each.key)),
                  "put its public half into the folder of mvctl keys, or deploy with --encrypt-to");
    }
    found.push_back(*key);
  }
  return found;
}

// One delivery and what it knows on the way.
class Delivery {
 public:
  Delivery(CloudClient& cloud, Output& output, const DeliveryPlan& plan, const std::function<bool()>& go_on)
      : cloud_(cloud), output_(output), plan_(plan), go_on_(go_on) {}

  Answer<Delivered> run(const gdb::FlashContent& content) {
    auto device = cloud_.device(plan_.device_id);
    if (!device) return tl::make_unexpected(device.error());
    device_ = *std::move(device);
    if (!device_.online)
      return fail(ExitCode::kDeviceOffline, device_.label() + " is offline",
                  "see when it was last there: mvctl devices");
    const auto running = running_bundle(cloud_, device_);
    if (!running) return tl::make_unexpected(running.error());
    const auto made = make(*running, content);
    if (!made) return tl::make_unexpected(made.error());
    const auto bundle = bundle::Bundle::parse(*made);
    if (!bundle) return tl::make_unexpected(to_failure(bundle.error()));
    const auto& layers = bundle->manifest().body().layers;
    const auto summary = equal(layers, running->manifest.body().layers)
                             ? Answer<std::string>(device_.label() + " runs this program already: nothing was sent")
                             : deploy(*made, bundle->manifest(), *running);
    if (!summary) return tl::make_unexpected(summary.error());
    auto image = find_elf(plan_.elf_path, bundle->manifest()).value_or(gdb::ElfImage{});
    image.read_only = pieces_of(content);
    const bool sent = !equal(layers, running->manifest.body().layers);
    return Delivered{*summary, std::move(image), measured_flash(sent ? bundle->manifest() : running->manifest)};
  }

 private:
  Answer<std::vector<std::uint8_t>> make(const RunningBundle& running, const gdb::FlashContent& content) const {
    const auto key = signer(plan_, running, device_.label());
    if (!key) return tl::make_unexpected(key.error());
    const auto image = image_of(content);
    if (!image) return tl::make_unexpected(image.error());
    const bundle::AppBody& body = running.manifest.body();
    auto encrypt_to = readers(running);
    if (!encrypt_to) return tl::make_unexpected(encrypt_to.error());
    bundle::CreateOptions options{body.policies, body.info, &*key, *std::move(encrypt_to)};
    options.info.sbom_hash.clear();  // it was of the other program
    if (!plan_.elf_path.empty()) take_source_state(options.info, fs::path(plan_.elf_path).parent_path());
    return bundle::create_bundle(*image, options).map_error(as_failure);
  }

  Answer<std::string> deploy(const std::vector<std::uint8_t>& bytes, const bundle::Manifest& manifest,
                             const RunningBundle& running) {
    const auto began = Clock::now();
    const auto file = TemporaryBundle::write(bytes);
    if (!file) return tl::make_unexpected(file.error());
    const auto app = cloud_.upload_app(file->path(), "", [](std::uint64_t, std::uint64_t) {});
    if (!app) return tl::make_unexpected(app.error());
    const auto told = cloud_.update_device(device_.sid, {{"TargetApp", app->sid}, {"Force", "true"}});
    if (!told) return tl::make_unexpected(told.error());
    const std::string hash = "sha256:" + bundle::hex(manifest.hash());
    const auto runs =
        wait_until_running(cloud_, output_, {device_.sid, hash, "the loaded program", kTimeout, true, go_on_});
    if (!runs) return tl::make_unexpected(taken_back(runs.error(), running.app_sid));
    return summary(manifest.body().layers, running.manifest.body().layers, Clock::now() - began);
  }

  // The order must not stand: the program would come while somebody debugs the old one.
  Failure taken_back(Failure failure, const std::string& app_before) {
    const auto back = cloud_.update_device(device_.sid, {{"TargetApp", app_before}, {"Force", "true"}});
    failure.hint = back ? "the device was told to keep running what it ran before"
                        : "the order stands, for the cloud could not be asked to take it back: " + back.error().message;
    return failure;
  }

  std::string summary(const Layers& layers, const Layers& installed, Clock::duration took) const {
    std::uint64_t all = 0, sent = 0;
    for (const auto& layer : layers) {
      all += layer.content_size;
      if (!has(installed, layer)) sent += layer.content_size;
    }
    const auto seconds = std::chrono::duration<double>(took).count();
    return fmt::format("{} runs the new program: {} of {} bytes differ and were sent, in {:.1f} s", device_.label(),
                       grouped(sent), grouped(all), seconds);
  }

  CloudClient& cloud_;
  Output& output_;
  const DeliveryPlan& plan_;
  const std::function<bool()>& go_on_;
  Device device_;
};

gdb::ErrorCode meaning(ExitCode code) {
  switch (code) {
    case ExitCode::kDeviceOffline:
      return gdb::ErrorCode::kOffline;
    case ExitCode::kRefusedByDevice:
      return gdb::ErrorCode::kRefused;
    case ExitCode::kCloudUnreachable:
      return gdb::ErrorCode::kUnreachable;
    case ExitCode::kNotAuthorised:
      return gdb::ErrorCode::kUnauthorised;
    default:
      return gdb::ErrorCode::kBadRequest;
  }
}

gdb::Result<Delivered> in_one_sentence(Answer<Delivered> delivered) {
  if (delivered) return *std::move(delivered);
  const Failure& failure = delivered.error();
  return gdb::failure(meaning(failure.code), failure.message + (failure.hint.empty() ? "" : "; " + failure.hint));
}

}  // namespace

Answer<Delivered> deliver_program(CloudClient& cloud, Output& output, const DeliveryPlan& plan,
                                  const gdb::FlashContent& content, const std::function<bool()>& go_on) {
  return Delivery(cloud, output, plan, go_on).run(content);
}

struct ProgramDelivery::Job {
  DeliveryPlan plan;
  gdb::FlashContent content;
  gdb::Handler<Delivered> handler;
  std::atomic<bool> given_up = false;
  std::thread thread;
};

ProgramDelivery::ProgramDelivery(boost::asio::io_context& context, Output& output)
    : context_(context), output_(output) {}

ProgramDelivery::~ProgramDelivery() {
  if (!job_) return;
  give_up();
  job_->thread.join();
}

void ProgramDelivery::start(DeliveryPlan plan, gdb::FlashContent content, gdb::Handler<Delivered> handler) {
  if (job_) return handler(gdb::failure(gdb::ErrorCode::kBusy, "the program before is still on its way: try again"));
  job_ = std::make_unique<Job>();
  job_->plan = std::move(plan);
  job_->content = std::move(content);
  job_->handler = std::move(handler);
  // The thread has what is the job's, and an output that only writes lines; the loop goes on meanwhile.
  job_->thread = std::thread([this, job = job_.get(), output = output_]() mutable {
    auto cloud = CloudClient::make(job->plan.context);
    auto delivered = cloud ? deliver_program(*cloud, output, job->plan, job->content, [job] { return !job->given_up; })
                           : Answer<Delivered>(tl::make_unexpected(cloud.error()));
    boost::asio::post(context_, [this, result = in_one_sentence(std::move(delivered))]() mutable {
      const auto done = std::move(job_);
      done->thread.join();
      last_ = result ? result->summary : "failed: " + result.error().text;
      output_.step("load", printable(last_));
      done->handler(std::move(result));
    });
  });
}

void ProgramDelivery::give_up() {
  if (job_) job_->given_up = true;
}

}  // namespace mv::cli
