// The name to ask the resolver for.
#pragma once

#include <string>

namespace mv::transport {

// "localhost" is the loopback interface, whatever the resolver knows of it (RFC 6761, 6.3): small systems have no
// /etc/hosts. TLS goes on with the name as it was given.
inline std::string name_to_resolve(const std::string& host) { return host == "localhost" ? "127.0.0.1" : host; }

}  // namespace mv::transport
