#include "emulator/local_socket.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "emulator/test_folder.h"

namespace mv::emulator {
namespace {

using Socket = LocalListener::Socket;

class LocalListenerTest : public testing::Test {
 protected:
  // Whether somebody takes a connection to `path_`.
  bool connects() {
    boost::system::error_code error;
    Socket(context_).connect(path_, error);
    return !error;
  }

  TestFolder folder_;
  std::string path_ = (folder_.path() / "control.sock").string();
  boost::asio::io_context context_;
};

TEST_F(LocalListenerTest, TakesConnectionsUntilItIsGoneAndItsSocketWithIt) {
  {
    LocalListener listener(context_);
    ASSERT_TRUE(listener.listen(path_).has_value());
    int accepted = 0;
    listener.accept([&](boost::system::error_code error, Socket) { accepted += error ? 0 : 1; });
    EXPECT_TRUE(connects());
    context_.run();
    EXPECT_EQ(accepted, 1);
  }
  EXPECT_FALSE(connects());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LocalListenerTest, ReplacesASocketThatWasLeftBehind) {
  { Socket::protocol_type::acceptor killed(context_, path_); }
  ASSERT_TRUE(std::filesystem::exists(path_));
  LocalListener listener(context_);
  EXPECT_TRUE(listener.listen(path_).has_value());
  EXPECT_TRUE(connects());
}

TEST_F(LocalListenerTest, NamesAPathThatCannotBeUsed) {
  LocalListener nowhere(context_);
  const auto missing = nowhere.listen("/nowhere/control.sock");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("cannot listen at /nowhere/control.sock"), std::string::npos) << missing.error();
  LocalListener far(context_);
  EXPECT_FALSE(far.listen("/tmp/" + std::string(200, 'x')).has_value());
}

}  // namespace
}  // namespace mv::emulator
