#include "api/http_text.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/json.h"

namespace attune {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

// A header is dropped rather than let a line break in it start another one.
void write_header(std::string_view name, std::string_view value, std::string& out) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  if (name.find_first_of(kBreaks) != std::string_view::npos) return;
  if (value.find_first_of(kBreaks) != std::string_view::npos) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

HttpResponse http_error(int status, const ErrorText& text, std::string_view request_id) {
  HttpResponse response;
  response.status = status;
  JsonWriter json(response.body);
  json.begin_object().key("error").begin_object();
  json.field("code", text.code).field("message", text.message).field("field", text.field);
  json.field("hint", text.hint).field("request_id", request_id).end_object().end_object();
  return response;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

bool split_target(std::string_view target, HttpRequest& request) {
  if (const auto scheme = target.find("://");
      scheme != std::string_view::npos && target[0] != '/') {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target != "*" && !target.starts_with('/')) return false;
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.raw_path = target.substr(0, mark);
  auto path = percent_decode(request.raw_path);
  if (!path) return false;
  request.path = std::move(*path);
  return true;
}

Inflate inflate_gzip(std::string_view in, std::size_t limit, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Inflate::kBroken;
  std::array<char, 16384> block;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  Inflate result = Inflate::kBroken;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = block.size();
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) break;
    const std::size_t made = block.size() - stream.avail_out;
    if (out.size() + made > limit) {
      result = Inflate::kTooLarge;
      break;
    }
    out.append(block.data(), made);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) {
        result = Inflate::kOk;
        break;
      }
      if (inflateReset(&stream) != Z_OK) break;  // another gzip member follows
    }
  }
  inflateEnd(&stream);
  return result;
}

void write_response(const HttpResponse& response, std::string_view request_id, ResponseStyle style,
                    std::string& out) {
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  out.reserve(out.size() + response.body.size() + 256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason(response.status)).append("\r\n");
  if (!bodiless) {
    write_header("Content-Type", response.content_type, out);
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  write_header("X-Request-Id", request_id, out);
  for (const auto& [name, value] : response.headers) write_header(name, value, out);
  if (!style.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (style.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (!bodiless && !style.head) out.append(response.body);
}

}  // namespace attune
