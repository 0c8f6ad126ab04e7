#include "bundle/archive.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace mv::bundle {
namespace {

// 1 January 1980, 00:00:00: the first time that a zip can hold (APPNOTE.TXT 4.4.6). A time zone does not move it.
constexpr zip_uint16_t kDosDate = 0x0021;
constexpr zip_uint16_t kDosTime = 0;
constexpr zip_uint32_t kRegularFile0644 = 0100644U << 16;

constexpr const char* kMakeAgain = "copy or make the bundle again";

tl::unexpected<Error> bad(const std::string& what) {
  return refuse(ErrorKind::kBadArchive, "the bundle " + what, kMakeAgain);
}

std::string text_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

// A name from outside, for a message: printable ASCII, and not endless.
std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) text += c >= 0x20 && c < 0x7F ? c : '?';
  return "'" + text + "'";
}

Expected<void> check_name(std::string_view name) {
  if (name == "manifest" || parse_hash(name)) return {};
  if (name.find('/') != std::string_view::npos || name.find('\\') != std::string_view::npos || name.starts_with("..")) {
    return bad("has an entry with a path in its name: " + shown(name));
  }
  return bad("has an entry that no bundle has: " + shown(name) +
             "; entries are 'manifest' and the SHA-256 of each layer");
}

struct FileClose {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
struct SourceFree {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct Discard {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
using Source = std::unique_ptr<zip_source_t, SourceFree>;
using Zip = std::unique_ptr<zip_t, Discard>;

}  // namespace

struct Archive::Handle {
  Zip zip;
};

Expected<Archive> Archive::open(const std::filesystem::path& path, const Limits& limits) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return refuse(ErrorKind::kUnreadable, path.string() + " cannot be read: " + error.message());
  if (size > limits.bundle_bytes) {
    return refuse(ErrorKind::kTooBig, "the bundle is " + std::to_string(size) + " bytes big, at most " +
                                          std::to_string(limits.bundle_bytes) + " are taken");
  }
  int code = 0;
  Zip zip(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!zip) return bad("is not a whole zip file: " + text_of(code));
  return check(std::make_shared<Handle>(Handle{std::move(zip)}), limits);
}

Expected<Archive> Archive::open(Bytes bytes, const Limits& limits) {
  if (bytes.size() > limits.bundle_bytes) {
    return refuse(ErrorKind::kTooBig, "the bundle is " + std::to_string(bytes.size()) + " bytes big, at most " +
                                          std::to_string(limits.bundle_bytes) + " are taken");
  }
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error));
  Zip zip(source ? zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error) : nullptr);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!zip) return bad("is not a whole zip file: " + reason);
  (void)source.release();  // the zip owns it now
  return check(std::make_shared<Handle>(Handle{std::move(zip)}), limits);
}

Expected<Archive> Archive::check(std::shared_ptr<Handle> handle, const Limits& limits) {
  const zip_int64_t count = zip_get_num_entries(handle->zip.get(), 0);
  if (count < 0 || count > std::int64_t{limits.layers} + 1) {
    return refuse(ErrorKind::kTooBig, "the bundle has " + std::to_string(count) + " entries, at most " +
                                          std::to_string(limits.layers + 1) + " are taken");
  }
  Archive archive;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    const char* raw = zip_get_name(handle->zip.get(), i, ZIP_FL_ENC_RAW);
    const std::string name = raw == nullptr ? "" : raw;
    if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
    if (archive.has(name)) return bad("has the entry " + shown(name) + " twice");
    archive.names_.push_back(name);
  }
  archive.handle_ = std::move(handle);
  return archive;
}

bool Archive::has(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

Expected<void> Archive::read(const std::string& name, std::uint64_t most, const Sink& sink) const {
  const auto index = static_cast<zip_uint64_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  if (index == names_.size()) return bad("has no entry " + shown(name));
  const std::unique_ptr<zip_file_t, FileClose> file(zip_fopen_index(handle_->zip.get(), index, 0));
  if (!file) return bad("has an entry that cannot be unpacked: " + shown(name));
  std::vector<std::uint8_t> piece(65536);
  std::uint64_t total = 0;
  for (;;) {
    const zip_int64_t got = zip_fread(file.get(), piece.data(), piece.size());
    if (got < 0)
      return bad("is damaged: entry " + shown(name) + " cannot be unpacked (" + zip_file_strerror(file.get()) + ")");
    if (got == 0) return {};
    total += static_cast<std::uint64_t>(got);
    if (total > most) {
      return refuse(ErrorKind::kTooBig, "the bundle's entry " + shown(name) + " unpacks to more than the " +
                                            std::to_string(most) + " bytes that it may have");
    }
    if (auto taken = sink(Bytes(piece).first(static_cast<std::size_t>(got))); !taken) return taken;
  }
}

namespace {

bool add_entry(zip_t* zip, const Entry& entry) {
  Source source(zip_source_buffer(zip, entry.content.data(), entry.content.size(), 0));
  if (!source) return false;
  const zip_int64_t index = zip_file_add(zip, entry.name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (index < 0) return false;
  (void)source.release();  // the zip owns it now
  const auto at = static_cast<zip_uint64_t>(index);
  return zip_set_file_compression(zip, at, ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(zip, at, kDosTime, kDosDate, 0) == 0 &&
         zip_file_set_external_attributes(zip, at, 0, ZIP_OPSYS_UNIX, kRegularFile0644) == 0;
}

std::vector<std::uint8_t> content_of(zip_source_t* source) {
  zip_stat_t stat;
  if (zip_source_stat(source, &stat) != 0 || zip_source_open(source) != 0) return {};
  std::vector<std::uint8_t> content(stat.size);
  const zip_int64_t got = zip_source_read(source, content.data(), content.size());
  zip_source_close(source);
  if (got != static_cast<zip_int64_t>(content.size())) content.clear();
  return content;
}

}  // namespace

Expected<std::vector<std::uint8_t>> write_archive(const std::vector<Entry>& entries) {
  const auto failed = [] { return refuse(ErrorKind::kBadArchive, "the zip cannot be written: memory is out"); };
  Source source(zip_source_buffer_create(nullptr, 0, 0, nullptr));
  if (!source) return failed();
  Zip zip(zip_open_from_source(source.get(), ZIP_CREATE | ZIP_TRUNCATE, nullptr));
  if (!zip) return failed();
  zip_source_keep(source.get());  // still ours after the zip is closed: its content is what we want
  for (const Entry& entry : entries) {
    if (!add_entry(zip.get(), entry)) return failed();
  }
  if (zip_close(zip.get()) != 0) return failed();
  (void)zip.release();  // closing freed it
  auto content = content_of(source.get());
  if (content.empty()) return failed();
  return content;
}

}  // namespace mv::bundle
