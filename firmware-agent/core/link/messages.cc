#include "core/link/messages.h"

#include <algorithm>

#include <pb_decode.h>
#include <pb_encode.h>

namespace mv::link {
namespace {

std::size_t encode_message(const pb_msgdesc_t* fields, const void* message, std::span<std::uint8_t> out) {
  pb_ostream_t stream = pb_ostream_from_buffer(out.data(), out.size());
  return pb_encode(&stream, fields, message) ? stream.bytes_written : 0;
}

bool write_text(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const auto& text = *static_cast<const std::span<const std::uint8_t>*>(*argument);
  return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, text.data(), text.size());
}

// The stream reads from memory, so its state is the address of the next byte (pb_decode.c, buf_read).
bool note_bytes(pb_istream_t* stream, const pb_field_t*, void** argument) {
  auto& bytes = *static_cast<std::span<const std::uint8_t>*>(*argument);
  bytes = {static_cast<const std::uint8_t*>(stream->state), stream->bytes_left};
  return pb_read(stream, nullptr, stream->bytes_left);
}

// What a record takes besides its text: tag and length of the record and of the text, three numbers, the source.
constexpr std::size_t kRecordOverhead = 3 + 3 + 3 * 11 + 2;

bool append_record(pb_ostream_t& stream, const LogRecord& record, std::span<const std::uint8_t> text) {
  mv_wire_LogRecord message = mv_wire_LogRecord_init_zero;
  message.sequence = record.sequence;
  message.time_us = record.time_us;
  message.uptime_us = record.uptime_us;
  message.source = record.source;
  message.text.funcs.encode = write_text;
  message.text.arg = &text;
  return pb_encode_tag(&stream, PB_WT_STRING, mv_wire_LogBatch_records_tag) &&
         pb_encode_submessage(&stream, mv_wire_LogRecord_fields, &message);
}

bool append_lost(pb_ostream_t& stream, std::uint64_t lost) {
  return pb_encode_tag(&stream, PB_WT_VARINT, mv_wire_LogBatch_lost_tag) && pb_encode_varint(&stream, lost);
}

constexpr std::size_t kLostSize = 11;

}  // namespace

std::size_t encode(const mv_wire_DeviceControl& message, std::span<std::uint8_t> out) {
  return encode_message(mv_wire_DeviceControl_fields, &message, out);
}

std::size_t encode(const mv_wire_BlobRequest& message, std::span<std::uint8_t> out) {
  return encode_message(mv_wire_BlobRequest_fields, &message, out);
}

std::optional<ControlMessage> decode_control(std::span<const std::uint8_t> payload) {
  ControlMessage message{mv_wire_CloudControl_init_zero, {}};
  message.body.key_change.funcs.decode = note_bytes;
  message.body.key_change.arg = &message.key_change;
  pb_istream_t stream = pb_istream_from_buffer(payload.data(), payload.size());
  if (!pb_decode(&stream, mv_wire_CloudControl_fields, &message.body)) return std::nullopt;
  message.body.key_change = {};
  return message;
}

std::optional<BlobChunk> decode_chunk(std::span<const std::uint8_t> payload) {
  std::span<const std::uint8_t> data;
  mv_wire_BlobChunk message = mv_wire_BlobChunk_init_zero;
  message.data.funcs.decode = note_bytes;
  message.data.arg = &data;
  pb_istream_t stream = pb_istream_from_buffer(payload.data(), payload.size());
  if (!pb_decode(&stream, mv_wire_BlobChunk_fields, &message)) return std::nullopt;
  return BlobChunk{message.request, message.offset, data, message.total, message.missing, message.segment};
}

EncodedBatch encode_logs(LogSource& logs, std::uint64_t after, std::span<std::uint8_t> out) {
  EncodedBatch batch{0, after};
  if (out.size() < kLostSize + kRecordOverhead + 1) return batch;
  pb_ostream_t stream = pb_ostream_from_buffer(out.data(), out.size());
  while (const auto record = logs.next(batch.last_sequence)) {
    if (record->sequence <= batch.last_sequence) break;
    const std::size_t room = out.size() - stream.bytes_written;
    const std::size_t wanted = std::min(record->text.size(), LogSource::kMaxText);
    const bool first = stream.bytes_written == 0;
    const std::size_t needed = kLostSize + kRecordOverhead + (first ? std::size_t{1} : wanted);
    if (room < needed) break;
    const std::size_t size = std::min(wanted, room - kLostSize - kRecordOverhead);
    if (!append_record(stream, *record, record->text.first(size))) return {};
    batch.last_sequence = record->sequence;
  }
  if (stream.bytes_written == 0 || !append_lost(stream, logs.lost())) return {0, after};
  batch.size = stream.bytes_written;
  return batch;
}

}  // namespace mv::link
