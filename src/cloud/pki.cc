#include "cloud/pki.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "transport/openssl_handles.h"

namespace mv::cloud {
namespace {

using transport::BioPtr;
using transport::CertificatePtr;
using transport::KeyPtr;
using NumberPtr = std::unique_ptr<BIGNUM, transport::Freer<BN_free>>;

constexpr long kDay = 24L * 3600;
constexpr long kYear = 365 * kDay;

tl::unexpected<Sentence> openssl_failure(const std::string& what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return fail(what + (reason == nullptr ? std::string() : std::string(": ") + reason));
}

BioPtr reader(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPtr new_key() { return KeyPtr(EVP_EC_gen("P-256")); }

Result<KeyAndCertificate> to_pem(EVP_PKEY* key, X509* certificate) {
  const BioPtr key_bio(BIO_new(BIO_s_mem()));
  const BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate_bio.get(), certificate) != 1) {
    return openssl_failure("cannot write a key or a certificate as PEM");
  }
  return KeyAndCertificate{content(key_bio.get()), content(certificate_bio.get())};
}

std::string to_der(X509* certificate) {
  unsigned char* data = nullptr;
  const int size = i2d_X509(certificate, &data);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return der;
}

struct Authority {
  KeyPtr key;
  CertificatePtr certificate;
};

Result<Authority> load(const KeyAndCertificate& pem) {
  Authority authority{KeyPtr(PEM_read_bio_PrivateKey(reader(pem.private_key_pem).get(), nullptr, nullptr, nullptr)),
                      CertificatePtr(PEM_read_bio_X509(reader(pem.certificate_pem).get(), nullptr, nullptr, nullptr))};
  if (!authority.key || !authority.certificate)
    return openssl_failure("the key or certificate of the authority is not PEM");
  return authority;
}

bool set_serial(X509* certificate) {
  std::string bytes = random_bytes(16);
  bytes[0] = static_cast<char>(bytes[0] & 0x7F);  // positive: RFC 5280, 4.1.2.2
  const NumberPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), 16, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, std::string_view common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return added == 1;
}

// A certificate without extensions and signature. Starts a day ago: clocks of clients run late.
CertificatePtr draft(EVP_PKEY* key, X509* issuer, std::string_view common_name, long seconds_valid) {
  CertificatePtr certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 || !set_serial(certificate.get()) ||
      !set_name(certificate.get(), common_name) || X509_set_pubkey(certificate.get(), key) != 1) {
    return nullptr;
  }
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds_valid);
  X509* named = issuer == nullptr ? certificate.get() : issuer;
  if (X509_set_issuer_name(certificate.get(), X509_get_subject_name(named)) != 1) return nullptr;
  return certificate;
}

std::string subject_alternative_names(const std::vector<std::string>& names) {
  std::string value;
  for (const std::string& name : names) {
    in6_addr address{};
    const bool numeric =
        inet_pton(AF_INET, name.c_str(), &address) == 1 || inet_pton(AF_INET6, name.c_str(), &address) == 1;
    value += (value.empty() ? "" : ",") + std::string(numeric ? "IP:" : "DNS:") + name;
  }
  return value;
}

bool plausible_name(const std::string& name) {
  return !name.empty() && name.size() <= 120 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*") ==
             std::string::npos;
}

Result<std::string> raw_scalar(EVP_PKEY* key) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1)
    return openssl_failure("cannot read a private key");
  std::string scalar(32, '\0');
  const int written = BN_bn2binpad(number, reinterpret_cast<unsigned char*>(scalar.data()), 32);
  BN_clear_free(number);
  if (written != 32) return openssl_failure("a private key is not a P-256 scalar");
  return scalar;
}

}  // namespace

Result<KeyAndCertificate> create_authority() {
  const KeyPtr key = new_key();
  if (!key) return openssl_failure("cannot make a P-256 key");
  const CertificatePtr certificate =
      draft(key.get(), nullptr, "mvcloud authority " + to_hex(random_bytes(4)), 20 * kYear);
  if (!certificate ||
      !add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    return openssl_failure("cannot make the certificate of the authority");
  }
  return to_pem(key.get(), certificate.get());
}

Result<KeyAndCertificate> issue_server_certificate(const KeyAndCertificate& authority,
                                                   const std::vector<std::string>& names) {
  if (names.empty()) return fail("a server certificate needs at least one host name: give one with --name");
  for (const std::string& name : names) {
    if (!plausible_name(name))
      return fail("'" + name + "' is not a host name or an IP address: give another with --name");
  }
  const auto issuer = load(authority);
  if (!issuer) return fail(issuer.error());
  const KeyPtr key = new_key();
  const CertificatePtr certificate =
      draft(key.get(), issuer->certificate.get(), names.front().substr(0, 64), 397 * kDay);
  X509* parent = issuer->certificate.get();
  if (!certificate || !add_extension(certificate.get(), parent, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate.get(), parent, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate.get(), parent, NID_ext_key_usage, "serverAuth") ||
      !add_extension(certificate.get(), parent, NID_subject_alt_name, subject_alternative_names(names)) ||
      !add_extension(certificate.get(), parent, NID_authority_key_identifier, "keyid") ||
      X509_sign(certificate.get(), issuer->key.get(), EVP_sha256()) == 0) {
    return openssl_failure("cannot make the server's certificate");
  }
  return to_pem(key.get(), certificate.get());
}

Result<DeviceCredentials> issue_device_certificate(const KeyAndCertificate& authority, std::string_view device_id) {
  const auto issuer = load(authority);
  if (!issuer) return fail(issuer.error());
  const KeyPtr key = new_key();
  const CertificatePtr certificate = draft(key.get(), issuer->certificate.get(), device_id, 20 * kYear);
  X509* parent = issuer->certificate.get();
  if (!certificate || !add_extension(certificate.get(), parent, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate.get(), parent, NID_ext_key_usage, "clientAuth,serverAuth") ||
      !add_extension(certificate.get(), parent, NID_subject_alt_name, "URI:mv:device:" + std::string(device_id)) ||
      X509_sign(certificate.get(), issuer->key.get(), EVP_sha256()) == 0) {
    return openssl_failure("cannot make a device certificate");
  }
  auto scalar = raw_scalar(key.get());
  if (!scalar) return fail(scalar.error());
  return DeviceCredentials{*scalar, to_der(certificate.get())};
}

Result<std::string> pem_to_der(std::string_view certificate_pem) {
  const CertificatePtr certificate(PEM_read_bio_X509(reader(certificate_pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return openssl_failure("not a certificate in PEM");
  return to_der(certificate.get());
}

Result<std::string> public_point_from_pem(std::string_view pem) {
  const KeyPtr key(PEM_read_bio_PUBKEY(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!key) return openssl_failure("not a public key in PEM: give the output of `openssl pkey -pubout`");
  char group[32] = {};
  std::size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length) != 1 ||
      std::string_view(group) != "prime256v1") {
    ERR_clear_error();
    return fail("the public key is not on the curve P-256: bundles are signed with ECDSA P-256");
  }
  unsigned char* data = nullptr;
  EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &data);
  if (size == 0) return openssl_failure("cannot read the public key");
  std::string point(reinterpret_cast<char*>(data), size);
  OPENSSL_free(data);
  if (point.size() != 65 || point[0] != 4) return fail("the public key is not an uncompressed P-256 point");
  return point;
}

std::string signer_key_id(std::string_view point) {
  return to_hex(sha256(std::string(2, '\0') + std::string(point)).substr(0, 8));
}

}  // namespace mv::cloud
