// Encrypted bundles from anywhere: whom they say they are for, and their sealed segments. Opened if nothing was
// changed, refused otherwise, never a crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <pb_decode.h>

#include "core/update/content_key.h"
#include "core/update/update_rig.h"

namespace {

using namespace mv;
using namespace mv::update;
using rig::Bytes;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  std::uint32_t word() {
    const std::uint32_t high = byte();
    return high << 8U | byte();
  }
  std::span<const std::uint8_t> rest() const { return rest_; }

 private:
  std::span<const std::uint8_t> rest_;
};

// A device, and a bundle of two segments that is for it.
struct World {
  World() {
    rig::set_up_crypto();
    const auto scalar = reader.scalar();
    key.size = static_cast<pb_size_t>(scalar.size());
    std::ranges::copy(scalar, key.bytes);
    content = rig::pattern(mv::delta::kSegmentSize + 400, 1);
    bundle = rig::make_bundle({content});
    rig::encrypt(bundle, {reader.public_key()});
    if (!opened.unwrap(body_of(bundle.body), {&key, 1})) __builtin_trap();
  }

  static mv_wire_AppBody body_of(const wire::AppBody& body) {
    const std::string bytes = body.SerializeAsString();
    mv_wire_AppBody out = mv_wire_AppBody_init_zero;
    pb_istream_t stream = pb_istream_from_buffer(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (!pb_decode(&stream, mv_wire_AppBody_fields, &out)) __builtin_trap();
    return out;
  }

  const bundle::PrivateKey reader = *bundle::PrivateKey::generate();
  mv_wire_Identity_decryption_keys_t key{};
  Bytes content;
  rig::Bundle bundle;
  ContentKey opened;
};

// A body that nobody made: its key cannot be one that opens.
void unwrap_any(World& world, std::span<const std::uint8_t> bytes) {
  mv_wire_AppBody body = mv_wire_AppBody_init_zero;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  if (!pb_decode(&stream, mv_wire_AppBody_fields, &body)) return;
  ContentKey key;
  if (key.unwrap(body, {&world.key, 1}) || key.there()) __builtin_trap();
}

// The true recipient, but for some bytes and lengths.
void unwrap_changed(World& world, Input input) {
  const mv_wire_AppBody good = World::body_of(world.bundle.body);
  mv_wire_AppBody body = good;
  mv_wire_Recipient& recipient = body.recipients[0];
  if (const std::uint32_t cut = input.byte() % 4U; cut != 0) {
    const auto size = static_cast<pb_size_t>(input.byte());
    if ((cut & 1U) != 0) recipient.enc.size = std::min<pb_size_t>(size, sizeof recipient.enc.bytes);
    if ((cut & 2U) != 0) recipient.sealed_key.size = std::min<pb_size_t>(size, sizeof recipient.sealed_key.bytes);
  }
  while (!input.rest().empty()) {
    const std::size_t at = input.byte() % (sizeof recipient.enc.bytes + sizeof recipient.sealed_key.bytes);
    std::uint8_t& byte = at < sizeof recipient.enc.bytes ? recipient.enc.bytes[at]
                                                         : recipient.sealed_key.bytes[at - sizeof recipient.enc.bytes];
    byte ^= input.byte();
  }
  const mv_wire_Recipient& was = good.recipients[0];
  const bool same =
      recipient.enc.size == was.enc.size && recipient.sealed_key.size == was.sealed_key.size &&
      std::equal(was.enc.bytes, was.enc.bytes + was.enc.size, recipient.enc.bytes) &&
      std::equal(was.sealed_key.bytes, was.sealed_key.bytes + was.sealed_key.size, recipient.sealed_key.bytes);
  ContentKey key;
  const auto unwrapped = key.unwrap(body, {&world.key, 1});
  if (unwrapped.has_value() != same || key.there() != same) __builtin_trap();
  if (!unwrapped && unwrapped.error().error != mv_wire_UpdateError_UPDATE_BAD_SEAL) __builtin_trap();
}

// Opens `sealed`, told to be of `size` bytes, in pieces as the input has them.
bool opens(const ContentKey& key, std::uint32_t segment, std::uint32_t size, const Bytes& sealed, Input& input) {
  SegmentOpener opener;
  if (!opener.begin(key, 0, segment, size)) return false;
  std::span<const std::uint8_t> left(sealed);
  std::size_t plain = 0;
  while (!left.empty()) {
    auto piece = left.first(std::min<std::size_t>(left.size(), 1 + input.word() % 1900));
    left = left.subspan(piece.size());
    while (!piece.empty()) {
      const auto before = piece.size();
      const auto bytes = opener.next(piece);
      if (!bytes) return false;
      if (piece.size() >= before) __builtin_trap();  // it would go on for ever
      plain += bytes->size();
    }
  }
  if (plain + sealed::kTagSize > size) __builtin_trap();
  return opener.true_to_the_end();
}

// A true segment with some bytes changed, cut or lengthened, in its place or the other.
void open_changed(World& world, Input input) {
  const std::uint32_t which = input.byte() % 2U, place = input.byte() % 2U;
  const Bytes& good = world.bundle.sealed[0][which];
  Bytes bytes = good;
  const std::uint8_t what = input.byte();
  if ((what & 1U) != 0) bytes.resize(input.word() % (good.size() + 40));
  const auto size = static_cast<std::uint32_t>((what & 2U) != 0 ? input.word() : bytes.size());
  for (unsigned i = what >> 4U; i > 0 && !bytes.empty(); --i) {
    const std::size_t at = input.word() % bytes.size();
    bytes[at] ^= input.byte();
  }
  const bool same = bytes == good && size == good.size() && which == place;
  if (opens(world.opened, place, size, bytes, input) != same) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  Input input(data, size);
  switch (input.byte() % 3) {
    case 0:
      unwrap_any(world, input.rest());
      break;
    case 1:
      unwrap_changed(world, input);
      break;
    case 2:
      open_changed(world, input);
      break;
  }
  return 0;
}
