#include "engine/imports.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "catalog/fields.h"

namespace attune {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kMostExact = 1ULL << 53;

Error corrupt() { return {Code::kCorrupt, "an import record makes no sense"}; }

struct Text {
  std::string_view name;
  std::string Import::*text;
};
constexpr Text kTexts[] = {{"digest", &Import::digest},
                           {"kind", &Import::kind},
                           {"format", &Import::format},
                           {"source", &Import::source},
                           {"options", &Import::options}};
struct Count {
  std::string_view name;
  std::uint64_t Import::*count;
};
constexpr Count kCounts[] = {{"rows", &Import::rows},
                             {"accepted", &Import::accepted},
                             {"events", &Import::events},
                             {"dropped", &Import::dropped}};

Result<std::uint64_t> whole(const JsonFields& fields, std::string_view name) {
  double number = 0;
  TRY_OK(fields.number(name, 0, static_cast<double>(kMostExact), number));
  return static_cast<std::uint64_t>(number);
}

}  // namespace

std::string import_begin_json(const Import& import) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("import", import.number);
  for (const Text& one : kTexts) json.field(one.name, import.*one.text);
  json.end_object();
  return out;
}

std::string import_block_json(const Import& import, std::uint64_t records) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("import", import.number).field("records", records);
  for (const Count& one : kCounts) json.field(one.name, import.*one.count);
  json.end_object();
  return out;
}

std::string import_done_json(const Import& import) {
  std::string out;
  JsonWriter(out).begin_object().field("import", import.number).field("is_done", true).end_object();
  return out;
}

Status Imports::apply(Position at, std::string_view json, Time received) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(object)) return corrupt();
  const JsonFields fields(object, "import.");
  TRY(const std::uint64_t number, whole(fields, "import"));
  if (number == 0) return corrupt();
  if (fields.find("digest")) {
    if (number <= last_number()) return corrupt();
    Import fresh{.number = number, .began = received};
    for (const Text& one : kTexts) TRY_OK(fields.text(one.name, fresh.*one.text));
    all_.push_back(std::move(fresh));
    return ok_status();
  }
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Import& one) { return one.number == number; });
  if (found == all_.end()) return corrupt();
  TRY_OK(fields.flag("is_done", found->is_done));
  if (!fields.find("records")) return ok_status();
  TRY(const std::uint64_t records, whole(fields, "records"));
  if (records >= at) return corrupt();
  for (const Count& one : kCounts) {
    TRY((*found).*one.count, whole(fields, one.name));
  }
  if (records > 0) found->blocks.emplace_back(at - records, at - 1);
  return ok_status();
}

const Import* Imports::find(std::uint64_t number) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Import& one) { return one.number == number; });
  return found == all_.end() ? nullptr : &*found;
}

const Import* Imports::find(std::string_view digest, std::string_view kind) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Import& one) {
    return !one.is_undone && one.digest == digest && one.kind == kind;
  });
  return found == all_.end() ? nullptr : &*found;
}

void Imports::mark_undone(std::uint64_t number) {
  for (Import& one : all_) {
    if (one.number == number) one.is_undone = true;
  }
}

void Imports::encode(std::string& out) const {
  Writer w(out);
  w.u8(kVersion);
  for (const Import& one : all_) {
    w.varint(one.number);
    for (const Text& text : kTexts) w.str(one.*text.text);
    w.svarint(to_us(one.began));
    for (const Count& count : kCounts) w.varint(one.*count.count);
    w.u8(static_cast<std::uint8_t>((one.is_done ? 1 : 0) | (one.is_undone ? 2 : 0)));
    w.varint(one.blocks.size());
    for (const auto& [first, last] : one.blocks) {
      w.varint(first);
      w.varint(last);
    }
  }
}

Result<Imports> Imports::decode(std::string_view bytes) {
  Reader in(bytes);
  Imports imports;
  const Error bad{Code::kCorrupt, "the stored list of imports is damaged", "",
                  "remove state.db to rebuild it from the journal"};
  if (in.u8() != kVersion) return bad;
  while (in.ok() && !in.done()) {
    Import one;
    one.number = in.varint();
    for (const Text& text : kTexts) one.*text.text = in.str();
    one.began = time_from_us(in.svarint());
    for (const Count& count : kCounts) one.*count.count = in.varint();
    const std::uint8_t flags = in.u8();
    one.is_done = (flags & 1U) != 0;
    one.is_undone = (flags & 2U) != 0;
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      const Position first = in.varint();
      one.blocks.emplace_back(first, in.varint());
    }
    imports.all_.push_back(std::move(one));
  }
  if (!in.ok()) return bad;
  return imports;
}

}  // namespace attune
