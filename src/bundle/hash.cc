#include "bundle/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <new>

namespace mv::bundle {
namespace {

EVP_MD_CTX* context_of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Hasher::Deleter::operator()(void* context) const { EVP_MD_CTX_free(context_of(context)); }

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  // OpenSSL fails here only when memory is out.
  if (!context_ || EVP_DigestInit_ex(context_of(context_.get()), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Hasher::add(Bytes bytes) { EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()); }

void Hasher::add_padding(std::uint64_t count) {
  std::array<std::uint8_t, 4096> erased{};
  erased.fill(0xFF);
  while (count > 0) {
    const std::size_t piece = std::min<std::uint64_t>(count, erased.size());
    add(Bytes(erased).first(piece));
    count -= piece;
  }
}

Hash Hasher::finish() {
  Hash hash;
  EVP_DigestFinal_ex(context_of(context_.get()), hash.bytes.data(), nullptr);
  return hash;
}

Hash sha256(Bytes bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.finish();
}

std::string hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<Hash> parse_hash(std::string_view text) {
  Hash hash;
  if (text.size() != hash.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

}  // namespace mv::bundle
