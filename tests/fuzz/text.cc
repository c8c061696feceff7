#include "api/http_text.h"
#include "base/config.h"
#include "base/time.h"
#include "fuzz.h"

namespace attune {
namespace {

void fuzz_time(std::string_view text) {
  const auto time = parse_iso8601(text);
  if (!time) return;
  CHECK(parse_iso8601(format_iso8601(*time)).has_value());
}

void fuzz_http(std::string_view text) {
  HttpRequest request;
  (void)split_target(text, request);
  (void)percent_decode(text);
  std::string out;
  if (inflate_gzip(text, 1u << 20, out) == Inflate::kOk) CHECK(out.size() <= 1u << 20);
}

}  // namespace

// The first byte chooses: a time, an HTTP target or gzip body, or a size.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const std::string_view rest = input.substr(1);
  if (input[0] == 't') return fuzz_time(rest);
  if (input[0] == 'h') return fuzz_http(rest);
  (void)parse_size(rest);
}

}  // namespace attune
