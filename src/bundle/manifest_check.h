// The rules that a manifest's content keeps: what Manifest::parse demands beyond the encoding.
#pragma once

#include "bundle/manifest.h"

namespace mv::bundle {

// Errors: kBadManifest, kTooBig, kOutsideArea, kOverlap.
Expected<void> check_body(const AppBody& body, const Limits& limits);

}  // namespace mv::bundle
