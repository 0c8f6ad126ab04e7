// Session: `load`. What the client writes into flash is one new program, and goes to the device as one.
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session.h"

namespace mv::gdb {
namespace {

// A whole program may take minutes on a slow link. GDB waits 1000 s for vFlashDone (remote.c, remote_flash_timeout);
// whoever carries the program gives up before.
constexpr int kLoadSeconds = 900;

}  // namespace

void Session::handle(const rsp::FlashErase& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (!flash_) flash_.emplace(target_.regions());
  const auto erased = flash_->erase(command.address, command.length);
  reply(erased ? std::string(rsp::kOk) : error_reply(erased.error()));
}

void Session::handle(const rsp::FlashWrite& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (!flash_) return reply(rsp::error_text("flash was not erased before it is written"));
  const auto written = flash_->write(command.address, command.bytes);
  reply(written ? std::string(rsp::kOk) : error_reply(written.error()));
}

// GDB 13 says only "Error finishing flash operation" and shows no text of ours while it waits here, so the sentence
// goes to its console with the next thing that may carry one.
void Session::handle(const rsp::FlashDone&) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (!flash_) return reply(rsp::error_text("nothing was written into flash"));
  auto content = flash_->take();
  flash_.reset();
  if (!content) return reply(error_reply(content.error()));
  auto handler = guarded<Loaded>([this](const Result<Loaded>& loaded) { this->loaded(loaded); }, kLoadSeconds);
  target_.load(std::move(*content), std::move(handler));
}

void Session::loaded(const Result<Loaded>& loaded) {
  if (!loaded) {
    pending_notice_ = "load failed: " + loaded.error().text;
    return answer(error_reply(loaded.error()));
  }
  pending_notice_ = "load: " + loaded->summary;
  stop_ = loaded->stop;
  identify([this] { answer(std::string(rsp::kOk)); });
}

}  // namespace mv::gdb
