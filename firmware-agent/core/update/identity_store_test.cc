#include "core/update/identity_store.h"

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "core/platform/flash_map.h"
#include "core/storage/crc32.h"
#include "core/storage/little_endian.h"
#include "wire/proto/identity.pb.h"

namespace mv::update {
namespace {

constexpr std::uint32_t kSize = flash_map::kIdentity.offset + flash_map::kIdentity.size;

wire::Identity good() {
  wire::Identity identity;
  identity.set_device_id("UV00112233445566778899aabbccddeeff");
  identity.set_certificate(std::string(400, 'c'));
  identity.set_private_key(std::string(32, 'k'));
  identity.set_ca_certificate(std::string(400, 'a'));
  identity.set_host("127.0.0.1");
  identity.set_port(8443);
  identity.set_server_name("cloud");
  identity.add_signer_keys(std::string(65, 's'));
  return identity;
}

void provision(host::FakeFlash& flash, const std::string& bytes) {
  std::vector<std::uint8_t> image(8);
  image.insert(image.end(), bytes.begin(), bytes.end());
  storage::store_u32(std::span(image).first<4>(), static_cast<std::uint32_t>(bytes.size()));
  storage::store_u32(std::span(image).subspan<4, 4>(), storage::crc32(std::span(image).subspan(8)));
  flash.load(flash_map::kIdentity.offset, image);
}

std::string problem_of(const wire::Identity& identity) {
  host::FakeFlash flash(kSize);
  provision(flash, identity.SerializeAsString());
  IdentityStore store;
  return std::string(store.load(flash));
}

TEST(IdentityStore, ReadsWhatProvisioningWrote) {
  host::FakeFlash flash(kSize);
  provision(flash, good().SerializeAsString());
  IdentityStore store;
  EXPECT_EQ(store.load(flash), "");
  EXPECT_STREQ(store.get().device_id, "UV00112233445566778899aabbccddeeff");
  EXPECT_EQ(store.get().signer_keys_count, 1);
  EXPECT_EQ(store.get().port, 8443U);
}

TEST(IdentityStore, TellsAnUnprovisionedDeviceFromADamagedOne) {
  host::FakeFlash flash(kSize);
  IdentityStore store;
  EXPECT_EQ(store.load(flash), "none in flash: provision the device");
  provision(flash, good().SerializeAsString());
  flash.flip_bit(flash_map::kIdentity.offset + 100, 2);
  EXPECT_EQ(store.load(flash), "damaged in flash: provision the device again");
  EXPECT_EQ(store.get().device_id[0], '\0');
}

TEST(IdentityStore, RefusesALengthBeyondItsArea) {
  host::FakeFlash flash(kSize);
  std::array<std::uint8_t, 8> header{};
  storage::store_u32(std::span(header).first<4>(), 0xFFFFFFF0);
  flash.load(flash_map::kIdentity.offset, header);
  IdentityStore store;
  EXPECT_EQ(store.load(flash), "damaged in flash: provision the device again");
}

TEST(IdentityStore, SaysWhatIsMissing) {
  wire::Identity identity = good();
  identity.set_device_id("XX");
  EXPECT_NE(problem_of(identity).find("device id"), std::string::npos);
  identity = good();
  identity.set_private_key("short");
  EXPECT_NE(problem_of(identity).find("private key"), std::string::npos);
  identity = good();
  identity.add_decryption_keys(std::string(32, 'k'));
  EXPECT_EQ(problem_of(identity), "");
  identity.add_decryption_keys(std::string(31, 'k'));
  EXPECT_NE(problem_of(identity).find("decryption key"), std::string::npos);
  identity = good();
  identity.clear_certificate();
  EXPECT_NE(problem_of(identity).find("certificate"), std::string::npos);
  identity = good();
  identity.set_port(70000);
  EXPECT_NE(problem_of(identity).find("address"), std::string::npos);
  identity = good();
  identity.set_host(std::string(300, 'h'));
  EXPECT_EQ(problem_of(identity), "not understood: provision the device again");
}

}  // namespace
}  // namespace mv::update
