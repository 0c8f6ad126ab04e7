// The cloud's own certificate authority: P-256 keys and X.509 certificates for the server and the devices.
//
// Knows no file and no database: keys and certificates go in and out as PEM or DER.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/text.h"

namespace mv::cloud {

struct KeyAndCertificate {
  std::string private_key_pem;  // PKCS#8
  std::string certificate_pem;
};

struct DeviceCredentials {
  std::string private_key;  // P-256 scalar, 32 bytes, big-endian
  std::string certificate;  // DER
};

// A new authority, valid for 20 years: devices carry its certificate and cannot be given a new one in the field yet.
Result<KeyAndCertificate> create_authority();

// A server certificate for the names (DNS names or IP addresses; the first is the common name), valid for 397 days.
Result<KeyAndCertificate> issue_server_certificate(const KeyAndCertificate& authority,
                                                   const std::vector<std::string>& names);

// A device certificate: subject CN is the device id, SAN the URI "mv:device:<id>"; no intermediate, 20 years.
Result<DeviceCredentials> issue_device_certificate(const KeyAndCertificate& authority, std::string_view device_id);

Result<std::string> pem_to_der(std::string_view certificate_pem);

// A P-256 public key in PEM as its uncompressed point (65 bytes); refuses any other key.
Result<std::string> public_point_from_pem(std::string_view pem);

// Key id of a signer: the first 8 bytes of SHA-256(00 00 || point), as 16 hex digits (src/wire/proto/manifest.proto).
std::string signer_key_id(std::string_view point);

}  // namespace mv::cloud
