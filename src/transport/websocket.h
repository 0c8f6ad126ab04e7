// A WebSocket over TLS as a byte pipe: binary messages both ways, their borders without meaning.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "transport/byte_pipe.h"
#include "transport/http.h"

namespace boost::asio {
class io_context;
}

namespace mv::transport {

// Close codes of ours: 4000 + frame::CloseReason.
inline constexpr std::uint16_t kCloseCodeBase = 4000;

using OnWebSocket = std::function<void(tl::expected<std::unique_ptr<BytePipe>, HttpError>)>;

// Opens `target` of the cloud and calls `on_opened` from `context` once, at the latest after `options.timeout` for each
// of its steps. A refusal by status is kRefused with `status` and `body`.
void open_websocket(boost::asio::io_context& context, const HttpOptions& options, std::string target,
                    OnWebSocket on_opened);

}  // namespace mv::transport
