#include "bundle/manifest_check.h"

#include <algorithm>

#include "wire/sealed_layer.h"

namespace mv::bundle {
namespace {

constexpr std::size_t kLongestText = 64;  // wire/proto/manifest.options

tl::unexpected<Error> bad(const std::string& what) {
  return refuse(ErrorKind::kBadManifest, "the manifest " + what, "make the bundle again with mvctl bundle create");
}

// Texts are shown on terminals and in web pages: no control characters (C0, DEL, and C1 in UTF-8).
bool is_printable(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return true;
}

Expected<void> check_region(const Layer& layer, const Board* board, const Limits& limits) {
  const Region& region = layer.region;
  if (region.size == 0) return bad("has a layer of size 0");
  if (region.size > limits.region_bytes) {
    return refuse(ErrorKind::kTooBig, "a layer of the manifest is " + std::to_string(region.size) +
                                          " bytes big, at most " + std::to_string(limits.region_bytes) + " are taken");
  }
  if (region.end() > 0x1'0000'0000) return bad("has a layer that reaches past the end of the address space");
  if (layer.content_size > region.size) return bad("has a layer with more content than its region holds");
  if (board == nullptr) return {};
  const auto area =
      std::find_if(board->areas.begin(), board->areas.end(), [&](const Area& a) { return a.kind == region.area; });
  if (area == board->areas.end() || region.end() > area->size) {
    return refuse(ErrorKind::kOutsideArea,
                  "layer " + region.describe() + " is not inside an area of board " + std::string(board->name),
                  "areas: " + board->describe_areas());
  }
  return {};
}

Expected<void> check_segments(const Layer& layer) {
  if (layer.segment_hashes.empty()) return {};
  if (layer.segment_size == 0 || layer.content_size == 0) return bad("has segment hashes without sizes");
  const std::uint64_t count = (std::uint64_t{layer.content_size} + layer.segment_size - 1) / layer.segment_size;
  if (count != layer.segment_hashes.size()) return bad("has a layer with the wrong number of segment hashes");
  return {};
}

Expected<void> check_overlap(const AppBody& body) {
  std::vector<Region> regions;
  for (const Layer& layer : body.layers) regions.push_back(layer.region);
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.area != b.area ? a.area < b.area : a.start < b.start; });
  for (std::size_t i = 1; i < regions.size(); ++i) {
    if (regions[i].area == regions[i - 1].area && regions[i].start < regions[i - 1].end()) {
      return refuse(ErrorKind::kOverlap,
                    "layer " + regions[i - 1].describe() + " overlaps layer " + regions[i].describe());
    }
  }
  return {};
}

Expected<void> check_info(const AppBody& body) {
  const AppInfo& info = body.info;
  for (const std::string* text : {&info.name, &info.version, &info.git_revision, &info.board}) {
    if (text->size() > kLongestText) return bad("has a text of more than " + std::to_string(kLongestText) + " bytes");
    if (!is_printable(*text)) return bad("has control characters in its texts");
  }
  if (info.build_id.size() > 32) return bad("has a build id of more than 32 bytes");
  if (!info.sbom_hash.empty() && info.sbom_hash.size() != 32) return bad("has an SBOM hash that is not 32 bytes long");
  for (const auto* key : {&body.policies.debug_auth_pubkey, &body.policies.crash_report_pubkey}) {
    if (!key->empty() && !PublicKey::from_point(*key)) return bad("has a public key that is not a point of P-256");
  }
  return {};
}

Expected<void> check_crash_regions(const std::vector<CrashRegion>& regions, const Board* board) {
  if (regions.size() > kMostCrashRegions)
    return bad("names more than " + std::to_string(kMostCrashRegions) + " regions for crash records");
  std::uint64_t total = 0;
  for (const CrashRegion& region : regions) {
    const std::uint64_t end = std::uint64_t{region.address} + region.length;
    if (region.length == 0) return bad("has a region for crash records of 0 bytes");
    if (end > 0x1'0000'0000) return bad("has a region for crash records past the end of the address space");
    if (board != nullptr &&
        (region.address < board->ram_start || end > std::uint64_t{board->ram_start} + board->ram_size))
      return bad("has a region for crash records at " + hex_address(region.address) + " that is not the board's RAM");
    total += region.length;
  }
  if (total > kMostCrashBytes) {
    return bad("names " + std::to_string(total) + " bytes of RAM for crash records, at most " +
               std::to_string(kMostCrashBytes) + " are kept");
  }
  return {};
}

// Whether what was wrapped opens only its receiver can tell.
Expected<void> check_recipients(const AppBody& body) {
  const auto& recipients = body.recipients;
  if (recipients.empty()) return {};
  if (recipients.size() > sealed::kMostRecipients) return bad("is for more than 4 decryption keys");
  for (auto each = recipients.begin(); each != recipients.end(); ++each) {
    if (!PublicKey::from_point(each->enc) || each->sealed_key.size() != sealed::kKeySize + sealed::kTagSize)
      return bad("has a damaged key for whoever may read it");
    if (std::any_of(recipients.begin(), each, [&](const Recipient& other) { return other.key == each->key; }))
      return bad("names a decryption key twice");
  }
  for (const Layer& layer : body.layers) {
    const bool good = layer.encrypted_with_key_id != 0 &&
                      layer.encrypted_with_key_id == body.layers.front().encrypted_with_key_id &&
                      layer.segment_size == delta::kSegmentSize && !layer.segment_hashes.empty();
    if (!good) return bad("names who can read it, but has a layer that is not encrypted as the others");
  }
  return {};
}

}  // namespace

std::string Region::describe() const {
  const std::string name = area == AreaKind::kInternalFlash ? "flash" : "external";
  return name + " " + hex_address(start) + " + " + std::to_string(size) + " bytes";
}

bool same_once_installed(const Layer& has, const Layer& wanted) {
  return has.region.area == wanted.region.area && has.region.start == wanted.region.start &&
         has.region.size == wanted.region.size && has.measurement_hash == wanted.measurement_hash;
}

bool same_segment_installed(const Layer& has, const Layer& wanted, std::size_t segment) {
  if (has.region.area != wanted.region.area || has.segment_size != wanted.segment_size || wanted.segment_size == 0)
    return false;
  const std::uint64_t place = wanted.region.start + segment * std::uint64_t{wanted.segment_size};
  if (place < has.region.start || (place - has.region.start) % has.segment_size != 0) return false;
  const std::uint64_t index = (place - has.region.start) / has.segment_size;
  return index < has.segment_hashes.size() && segment < wanted.segment_hashes.size() &&
         has.segment_hashes[index] == wanted.segment_hashes[segment];
}

Expected<void> check_body(const AppBody& body, const Limits& limits) {
  if (body.layers.empty()) return bad("names no layer");
  const Board* board = find_board(body.info.board);
  std::uint64_t total = 0;
  for (const Layer& layer : body.layers) {
    if (auto checked = check_region(layer, board, limits); !checked) return checked;
    if (auto checked = check_segments(layer); !checked) return checked;
    total += layer.region.size;
  }
  if (total > limits.region_bytes) {
    return refuse(ErrorKind::kTooBig, "the layers of the manifest are " + std::to_string(total) +
                                          " bytes big together, at most " + std::to_string(limits.region_bytes) +
                                          " are taken");
  }
  if (auto checked = check_overlap(body); !checked) return checked;
  if (auto checked = check_crash_regions(body.policies.crash_regions, board); !checked) return checked;
  if (auto checked = check_recipients(body); !checked) return checked;
  return check_info(body);
}

}  // namespace mv::bundle
