// Encodes the delta from one image to another, rebuilds it with the device's decoder, and says in JSON what each
// segment took.
//
// usage: delta-pair OLD NEW
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "delta_rig.h"

namespace {

using namespace mv::delta;

bool read(const char* path, rig::Bytes& bytes) {
  std::ifstream file(path, std::ios::binary);
  bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.bad() && file.is_open()) return true;
  std::fprintf(stderr, "%s cannot be read\n", path);
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  rig::Bytes old, image;
  if (count < 3) {
    std::fprintf(stderr, "usage: delta-pair OLD NEW\n");
    return 2;
  }
  if (!read(arguments[1], old) || !read(arguments[2], image)) return 1;
  const auto segments = Encoder::create(old).and_then([&](const Encoder& encoder) { return encoder.encode(image); });
  if (!segments) {
    std::fprintf(stderr, "%s\n", describe(segments.error()).data());
    return 1;
  }
  if (rig::decode_image(old, *segments) != image) {
    std::fprintf(stderr, "the rebuilt image differs\n");
    return 1;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const Segment& segment : *segments) {
    rows.push_back({{"place", segment.place},
                    {"size", segment.size},
                    {"kind", name(segment.kind)},
                    {"bytes", segment.record.size()}});
  }
  std::cout << rows.dump(1) << "\n";
}
