#include "cloud/http/web_socket.h"

#include <gtest/gtest.h>

#include <vector>

namespace mv::cloud::web_socket {
namespace {

using namespace std::string_literals;

// A frame of a client. `first` is the byte with the final bit and the opcode; the mask is fixed.
std::string client_frame(std::uint8_t first, std::string payload) {
  const std::string mask = "\x37\xfa\x21\x3d";
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  std::string frame = encode(Opcode::kBinary, payload);  // for its length field
  frame[0] = static_cast<char>(first);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.insert(frame.size() - payload.size(), mask);
}

struct Reader {
  Decoder decoder;
  std::vector<std::pair<Opcode, std::string>> events;

  // The close code of the problem, 0 if there is none.
  int push(std::string_view bytes) {
    const auto done = decoder.push(bytes, [this](Decoder::Event event) {
      events.emplace_back(event.opcode, std::move(event.payload));
      return true;
    });
    return done ? 0 : done.error().close_code;
  }
};

int problem_of(std::string_view bytes) {
  Reader reader;
  return reader.push(bytes);
}

using Events = std::vector<std::pair<Opcode, std::string>>;

TEST(WebSocketDecoder, UnmasksTheFrameOfTheStandard) {
  // RFC 6455, 5.7: a masked "Hello"; as a binary message.
  Reader reader;
  EXPECT_EQ(reader.push("\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s), 0);
  EXPECT_EQ(reader.events, (Events{{Opcode::kBinary, "Hello"}}));
}

TEST(WebSocketDecoder, GivesTheSameEventsByteByByte) {
  const std::string bytes = client_frame(0x02, "first ") + client_frame(0x89, "ping") + client_frame(0x80, "second") +
                            client_frame(0x82, std::string(300, 'x')) + client_frame(0x88, "\x03\xe8"s);
  const Events expected = {{Opcode::kBinary, "first "},
                           {Opcode::kPing, "ping"},
                           {Opcode::kBinary, "second"},
                           {Opcode::kBinary, std::string(300, 'x')},
                           {Opcode::kClose, "\x03\xe8"s}};
  Reader whole;
  EXPECT_EQ(whole.push(bytes), 0);
  EXPECT_EQ(whole.events, expected);
  Reader slow;
  for (const char byte : bytes) EXPECT_EQ(slow.push(std::string_view(&byte, 1)), 0);
  EXPECT_EQ(slow.events, expected);
}

TEST(WebSocketDecoder, TakesTheLargestFrameAndRefusesOneByteMoreFromItsHeader) {
  Reader reader;
  EXPECT_EQ(reader.push(client_frame(0x82, std::string(kMaxPayload, 'x'))), 0);
  EXPECT_EQ(reader.events.at(0).second.size(), kMaxPayload);
  EXPECT_EQ(problem_of("\x82\xff\0\0\0\0\0\1\0\1"s), 1009);
  EXPECT_EQ(problem_of("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"s), 1009);
}

TEST(WebSocketDecoder, RefusesWhatTheProtocolForbids) {
  EXPECT_EQ(problem_of("\x82\x05"s), 1002) << "not masked";
  EXPECT_EQ(problem_of(client_frame(0xC2, "x")), 1002) << "a reserved bit";
  EXPECT_EQ(problem_of(client_frame(0x83, "x")), 1002) << "an unknown opcode";
  EXPECT_EQ(problem_of(client_frame(0x09, "x")), 1002) << "a fragmented ping";
  EXPECT_EQ(problem_of(client_frame(0x89, std::string(126, 'x'))), 1002) << "a ping above 125 bytes";
  EXPECT_EQ(problem_of(client_frame(0x80, "x")), 1002) << "a continuation of nothing";
  EXPECT_EQ(problem_of(client_frame(0x02, "x") + client_frame(0x82, "y")), 1002) << "a message within a message";
}

TEST(WebSocketDecoder, RefusesText) { EXPECT_EQ(problem_of(client_frame(0x81, "x")), 1003); }

TEST(WebSocketDecoder, StopsWhenToldTo) {
  Decoder decoder;
  int events = 0;
  const auto done = decoder.push(client_frame(0x88, "") + client_frame(0x82, "x"), [&](const Decoder::Event&) {
    ++events;
    return false;
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(events, 1);
}

TEST(WebSocket, EncodesEachFormOfLength) {
  EXPECT_EQ(encode(Opcode::kBinary, "ab"), "\x82\x02"s + "ab");
  EXPECT_EQ(encode(Opcode::kBinary, std::string(125, 'x')).substr(0, 2), "\x82\x7d");
  EXPECT_EQ(encode(Opcode::kBinary, std::string(126, 'x')).substr(0, 4), "\x82\x7e\0\x7e"s);
  EXPECT_EQ(encode(Opcode::kBinary, std::string(65535, 'x')).substr(0, 4), "\x82\x7e\xff\xff"s);
  EXPECT_EQ(encode(Opcode::kBinary, std::string(65536, 'x')).substr(0, 10), "\x82\x7f\0\0\0\0\0\1\0\0"s);
}

TEST(WebSocket, AReasonToCloseFitsAControlFrame) {
  EXPECT_EQ(encode_close(4001, "no key"), "\x88\x08\x0f\xa1no key"s);
  std::string reason;
  for (int i = 0; i < 100; ++i) reason += "\u00e9";
  const std::string frame = encode_close(4001, reason);
  EXPECT_LE(frame.size(), 2u + 125u);
  EXPECT_TRUE(is_utf8(std::string_view(frame).substr(4)));
}

TEST(WebSocket, AcceptsTheKeyOfTheStandard) {
  EXPECT_EQ(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455, 1.3
  EXPECT_EQ(accept_value("c2hvcnQ="), std::nullopt);
  EXPECT_EQ(accept_value("not base64!"), std::nullopt);
  EXPECT_EQ(accept_value(""), std::nullopt);
}

}  // namespace
}  // namespace mv::cloud::web_socket
