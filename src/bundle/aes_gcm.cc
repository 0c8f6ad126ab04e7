#include "bundle/aes_gcm.h"

#include "bundle/openssl_handles.h"

namespace mv::bundle {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::size_t kLongest = std::size_t{1} << 30;  // OpenSSL counts in int

}  // namespace

std::optional<std::vector<std::uint8_t>> gcm_seal(AesKey key, GcmNonce nonce, Bytes aad, Bytes plain) {
  if (plain.size() > kLongest) return std::nullopt;
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::vector<std::uint8_t> sealed(plain.size() + kTag);
  int size = 0, rest = 0;
  const bool good =
      context && EVP_EncryptInit_ex2(context.get(), EVP_aes_128_gcm(), key.data(), nonce.data(), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), sealed.data(), &size, plain.data(), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, sealed.data() + plain.size()) == 1;
  return good ? std::optional(std::move(sealed)) : std::nullopt;
}

std::optional<std::vector<std::uint8_t>> gcm_open(AesKey key, GcmNonce nonce, Bytes aad, Bytes sealed) {
  if (sealed.size() < kTag || sealed.size() > kLongest) return std::nullopt;
  const Bytes cipher = sealed.first(sealed.size() - kTag);
  std::vector<std::uint8_t> tag(sealed.end() - kTag, sealed.end()), plain(cipher.size() + 1);
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0, rest = 0;
  const bool good =
      context && EVP_DecryptInit_ex2(context.get(), EVP_aes_128_gcm(), key.data(), nonce.data(), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), plain.data(), &size, cipher.data(), static_cast<int>(cipher.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), plain.data() + size, &rest) == 1;
  if (!good) return std::nullopt;
  plain.resize(cipher.size());
  return plain;
}

}  // namespace mv::bundle
