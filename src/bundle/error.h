// Errors of the bundle library: a kind for the program, a sentence and a hint for the person.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace mv::bundle {

enum class ErrorKind {
  kUnreadable,     // a file cannot be read or written
  kBadInput,       // not an application for the board: ELF, HEX, options
  kOutsideArea,    // content at an address that no area has
  kOverlap,        // two contents at one address
  kTooBig,         // more than the area, or than a limit
  kBadArchive,     // the zip is broken, or is not a bundle
  kBadManifest,    // the manifest cannot be read, or contradicts itself
  kWrongContent,   // a layer is not what the manifest says
  kBadKey,         // a key file is not a P-256 key
  kUnsigned,       // the bundle carries no signature
  kUnknownSigner,  // signed by a key that is not among the trusted ones
  kBadSignature,   // signed by a known key, but content was changed
};

struct Error {
  ErrorKind kind;
  std::string message;  // lower case, no full stop
  std::string hint;     // what to do next; may be empty
};

template <typename Value>
using Expected = tl::expected<Value, Error>;

inline tl::unexpected<Error> refuse(ErrorKind kind, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(message), std::move(hint)});
}

}  // namespace mv::bundle
