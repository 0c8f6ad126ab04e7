// Makes a device: its id, key and certificate, its row, and the identity file that goes onto it.
#pragma once

#include <string>

#include "cloud/services.h"

namespace mv::cloud {

struct ProvisionRequest {
  std::string account;
  std::string unique_name;  // may be empty
  std::string board;        // may be empty
  std::string host;         // what the modem dials; empty: the first name of the server
  std::uint16_t port = 0;   // 0: the server's
};

struct Provisioned {
  Device device;
  std::string identity;  // serialised wire::Identity; nobody keeps a copy of the private key in it
};

Stored<Provisioned> provision(const Settings& settings, const KeyAndCertificate& authority, Store& store,
                              const ProvisionRequest& request, Microseconds now);

}  // namespace mv::cloud
