// The text side of HTTP, without sockets: decoding targets, inflating bodies, writing responses.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/http_server.h"

namespace attune {

// nullopt for a broken escape or a NUL.
std::optional<std::string> percent_decode(std::string_view text);

// Splits a request target into the path (decoded) and the query (raw). False when malformed.
bool split_target(std::string_view target, HttpRequest& request);

enum class Inflate { kOk, kTooLarge, kBroken };
Inflate inflate_gzip(std::string_view in, std::size_t limit, std::string& out);

bool same_name(std::string_view a, std::string_view b);  // ASCII, in any case

struct ResponseStyle {
  bool head = false;  // no body, as the answer to HEAD
  bool keep_alive = true;
  bool http10 = false;
};
// Appends the whole response to `out`.
void write_response(const HttpResponse& response, std::string_view request_id, ResponseStyle style,
                    std::string& out);

}  // namespace attune
