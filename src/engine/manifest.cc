#include "engine/manifest.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"

namespace attune {
namespace {

constexpr std::uint64_t kFormat = 1;

Error bad() {
  return {Code::kCorrupt, "the manifest of the archive makes no sense", "archive",
          "use another backup"};
}

}  // namespace

std::string manifest_json(const Manifest& manifest) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("format", kFormat).field("time", format_iso8601(manifest.time));
  json.field("position", manifest.position);
  json.field("key_check", fmt::format("{:016x}", manifest.key_check));
  json.field("key_file_bytes", manifest.key_file_bytes).key("files").begin_array();
  for (const ArchivedFile& file : manifest.files) {
    json.begin_object().field("name", file.name).field("bytes", file.bytes);
    json.field("sha256", file.sha256).end_object();
  }
  json.end_array().end_object();
  return out;
}

Result<Manifest> parse_manifest(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(root)) return bad();
  std::uint64_t format = 0;
  if (root["format"].get(format)) return bad();
  if (format > kFormat) {
    return Error{Code::kInvalid,
                 fmt::format("the archive has backup format {}; this program reads up to format {}",
                             format, kFormat),
                 "archive", "restore it with a newer version of attune"};
  }
  Manifest out;
  std::string_view time, check;
  simdjson::dom::array files;
  if (root["time"].get(time) || root["position"].get(out.position) ||
      root["key_check"].get(check) || root["key_file_bytes"].get(out.key_file_bytes) ||
      root["files"].get(files)) {
    return bad();
  }
  out.time = parse_iso8601(time).value_or(Time{});
  out.key_check = std::strtoull(std::string(check).c_str(), nullptr, 16);
  for (const simdjson::dom::element one : files) {
    std::string_view name, sha256;
    ArchivedFile file;
    if (one["name"].get(name) || one["bytes"].get(file.bytes) || one["sha256"].get(sha256)) {
      return bad();
    }
    file.name = name;
    file.sha256 = sha256;
    out.files.push_back(std::move(file));
  }
  return out;
}

}  // namespace attune
