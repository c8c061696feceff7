#include "format/column_mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/nearest.h"
#include "base/toml.h"

namespace attune {
namespace {

struct Role {
  std::string_view name;
  std::size_t MappedColumns::*column;
  std::vector<std::string_view> guesses;  // lower case, letters and digits only; first = best
};

const std::vector<Role>& roles() {
  static const std::vector<Role> kRoles = {
      {"person",
       &MappedColumns::person,
       {"userid", "user", "personid", "person", "customerid", "customer", "clientid", "memberid",
        "uid", "buyerid", "accountid", "reviewerid"}},
      {"anonymous",
       &MappedColumns::anonymous,
       {"anonymousid", "visitorid", "cookieid", "cookie", "deviceid", "sessionid"}},
      {"item",
       &MappedColumns::item,
       {"itemid", "item", "productid", "product", "sku", "articleid", "movieid", "asin",
        "contentid", "postid", "videoid", "newsid", "songid", "bookid", "iid"}},
      {"verb",
       &MappedColumns::verb,
       {"verb", "eventtype", "event", "action", "behavior", "behaviortype", "behaviour",
        "interaction", "activity"}},
      {"time",
       &MappedColumns::time,
       {"time", "timestamp", "ts", "eventtime", "datetime", "date", "createdat", "occurredat",
        "unixtime", "unixreviewtime"}},
      {"value",
       &MappedColumns::value,
       {"value", "amount", "revenue", "price", "rating", "total", "score", "overall"}},
      {"decision", &MappedColumns::decision, {"decisionid"}},
  };
  return kRoles;
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (const Role& role : roles()) names.emplace_back(role.name);
  return names;
}

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

std::string near(std::string_view word, const std::vector<std::string>& known) {
  const std::string meant = nearest(word, known);
  return meant.empty() ? "" : fmt::format(", did you mean {}?", meant);
}

constexpr std::pair<std::string_view, TimeFormat> kTimeFormats[] = {
    {"auto", TimeFormat::kAuto},       {"iso", TimeFormat::kIso},
    {"s", TimeFormat::kSeconds},       {"ms", TimeFormat::kMilliseconds},
    {"us", TimeFormat::kMicroseconds}, {"date", TimeFormat::kDate},
};

Error not_listed(const std::string& what, const std::string& hint) {
  return {Code::kInvalid, what, "map", hint};
}

Status set_role(std::string_view role, std::string column, ColumnMapping& out) {
  const auto names = role_names();
  if (std::find(names.begin(), names.end(), role) == names.end()) {
    return not_listed(fmt::format("unknown role {}{}", role, near(role, names)),
                      fmt::format("the roles are {}", fmt::join(names, ", ")));
  }
  if (column.empty()) return not_listed(fmt::format("{} names no column", role), "person=user_id");
  if (!out.columns.emplace(role, std::move(column)).second) {
    return not_listed(fmt::format("{} is named twice", role), "name each role once");
  }
  return ok_status();
}

Result<std::size_t> column_named(const TableShape& shape, const std::string& name) {
  const auto& all = shape.columns;
  const auto found = std::find(all.begin(), all.end(), name);
  if (found == all.end()) {
    return not_listed(fmt::format("no column is named {}{}", name, near(name, all)),
                      fmt::format("the columns are {}", fmt::join(all, ", ")));
  }
  if (std::find(found + 1, all.end(), name) != all.end()) {
    return not_listed(fmt::format("two columns are named {}", name), "rename one in the file");
  }
  return static_cast<std::size_t>(found - all.begin());
}

void guess_role(const Role& role, const TableShape& shape, MappedColumns& out,
                std::vector<std::string>& found) {
  for (const std::string_view guess : role.guesses) {
    for (std::size_t i = 0; i < shape.columns.size(); ++i) {
      if (plain(shape.columns[i]) != guess) continue;
      out.*role.column = i;
      found.push_back(fmt::format("{}={}", role.name, shape.columns[i]));
      return;
    }
  }
}

bool has_role(const MappedColumns& columns, std::size_t i) {
  const bool is_role = std::any_of(roles().begin(), roles().end(),
                                   [&](const Role& role) { return columns.*role.column == i; });
  const auto& traits = columns.traits;
  return is_role || std::find(traits.begin(), traits.end(), i) != traits.end();
}

Status choose_kept(const ColumnMapping& mapping, const TableShape& shape, MappedColumns& out,
                   std::vector<std::string>& notes) {
  const bool is_all = mapping.keep == std::vector<std::string>{"all"};
  std::vector<std::string> left_out;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (has_role(out, i)) continue;
    if (is_all) {
      out.keep.push_back(i);
    } else if (std::find(mapping.keep.begin(), mapping.keep.end(), shape.columns[i]) ==
               mapping.keep.end()) {
      left_out.push_back(shape.columns[i]);
    }
  }
  if (!is_all) {
    for (const std::string& name : mapping.keep) {
      TRY(const std::size_t column, column_named(shape, name));
      out.keep.push_back(column);
    }
  }
  if (!left_out.empty()) {
    const std::size_t shown = std::min<std::size_t>(left_out.size(), 8);
    notes.push_back(fmt::format(
        "left out: {}{} (--keep all stores them as properties)",
        fmt::join(left_out.begin(), left_out.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        shown < left_out.size() ? fmt::format(" and {} more", left_out.size() - shown) : ""));
  }
  return ok_status();
}

// ---- the mapping file

class MappingFile {
 public:
  MappingFile(const TomlValue& root, const std::string& source) : root_(root), source_(source) {}
  Result<ColumnMapping> read() {
    ColumnMapping out;
    for (const auto& [key, value] : root_.as_table()) {
      if (key == "columns") {
        TRY_OK(each_text(value, [&](const std::string& role, const std::string& column) {
          return set_role(role, column, out);
        }));
      } else if (key == "verbs") {
        TRY_OK(each_text(value, [&](const std::string& word, const std::string& name) -> Status {
          TRY(out.verbs[word], verb_named(name));
          return ok_status();
        }));
      } else if (key == "verb" && value.is_string()) {
        TRY(out.verb, at(value, verb_named(value.as_string())));
      } else if (key == "time" && value.is_string()) {
        TRY(out.time_format, at(value, time_format_named(value.as_string())));
      } else if ((key == "traits" || key == "keep") && value.is_array()) {
        TRY((key == "traits" ? out.traits : out.keep), texts(value));
      } else {
        return wrong(
            value, fmt::format("unknown key or wrong kind: {}{}", key,
                               near(key, {"columns", "verbs", "verb", "time", "traits", "keep"})));
      }
    }
    return out;
  }

 private:
  Error wrong(const TomlValue& where, const std::string& what) const {
    return {Code::kInvalid, fmt::format("{} line {}: {}", source_, where.line(), what), "map_file",
            "docs/reference/import-file.md shows one"};
  }
  template <class T>
  Result<T> at(const TomlValue& where, Result<T> result) const {
    if (result.ok()) return result;
    return wrong(where, result.error().message);
  }
  template <class Use>
  Status each_text(const TomlValue& table, const Use& use) const {
    if (!table.is_table()) return wrong(table, "must be a table");
    for (const auto& [key, value] : table.as_table()) {
      if (!value.is_string()) return wrong(value, fmt::format("{} must be a text", key));
      TRY_OK(at(value, use(key, value.as_string())));
    }
    return ok_status();
  }
  Result<std::vector<std::string>> texts(const TomlValue& list) const {
    std::vector<std::string> out;
    for (const TomlValue& one : list.as_array()) {
      if (!one.is_string()) return wrong(one, "must be a list of column names");
      out.push_back(one.as_string());
    }
    return out;
  }
  const TomlValue& root_;
  const std::string& source_;
};

}  // namespace

Status add_columns(std::string_view text, ColumnMapping& out) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto equal = part.find('=');
    if (equal == std::string_view::npos) {
      return not_listed(fmt::format("\"{}\" is not ROLE=COLUMN", part),
                        "for example person=user_id,item=sku,time=ts");
    }
    TRY_OK(set_role(part.substr(0, equal), std::string(part.substr(equal + 1)), out));
  }
  return ok_status();
}

Result<Verb> verb_named(std::string_view name) {
  if (const auto verb = verb_from_name(name)) return *verb;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kVerbCount; ++i) {
    known.emplace_back(verb_name(static_cast<Verb>(i)));
  }
  return Error{Code::kInvalid, fmt::format("unknown verb {}{}", name, near(name, known)), "verb",
               fmt::format("the verbs are {}", fmt::join(known, ", "))};
}

Result<TimeFormat> time_format_named(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [text, format] : kTimeFormats) {
    if (text == name) return format;
    known.emplace_back(text);
  }
  return Error{Code::kInvalid, fmt::format("unknown time format {}{}", name, near(name, known)),
               "time_format", fmt::format("one of {}", fmt::join(known, ", "))};
}

Result<ColumnMapping> parse_mapping(const std::string& toml, const std::string& source) {
  TomlFault fault;
  const auto root = parse_toml(toml, source, fault);
  if (root) return MappingFile(*root, source).read();
  return Error{Code::kInvalid, fmt::format("{}: not TOML: {}", source, fault.what.substr(0, 300)),
               "map_file", "docs/reference/import-file.md shows one"};
}

std::string mapping_json(const ColumnMapping& mapping) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [role, column] : mapping.columns) json.field(role, column);
  if (mapping.verb) json.field("every_row", verb_name(*mapping.verb));
  if (!mapping.verbs.empty()) {
    json.key("verbs").begin_object();
    for (const auto& [word, verb] : mapping.verbs) json.field(word, verb_name(verb));
    json.end_object();
  }
  for (const auto& [text, format] : kTimeFormats) {
    if (format == mapping.time_format && format != TimeFormat::kAuto) json.field("time_as", text);
  }
  const auto list = [&](std::string_view name, const std::vector<std::string>& names) {
    if (names.empty()) return;
    json.key(name).begin_array();
    for (const std::string& one : names) json.value(one);
    json.end_array();
  };
  list("traits", mapping.traits);
  list("keep", mapping.keep);
  json.end_object();
  return out;
}

Result<MappedColumns> map_columns(const ColumnMapping& mapping, const TableShape& shape,
                                  std::vector<std::string>& notes) {
  MappedColumns out;
  std::vector<std::string> found;
  for (const Role& role : roles()) {
    const auto told = mapping.columns.find(role.name);
    if (told != mapping.columns.end()) {
      TRY(out.*role.column, column_named(shape, told->second));
    } else if (mapping.columns.empty() && (role.name != "verb" || !mapping.verb)) {
      guess_role(role, shape, out, found);
    }
  }
  for (const std::string& name : mapping.traits) {
    TRY(const std::size_t column, column_named(shape, name));
    out.traits.push_back(column);
  }
  if (!found.empty()) notes.push_back(fmt::format("guessed: {}", fmt::join(found, ", ")));
  TRY_OK(choose_kept(mapping, shape, out, notes));
  if (out.person == MappedColumns::kNone && out.anonymous == MappedColumns::kNone &&
      out.item == MappedColumns::kNone && out.keep.empty() && out.traits.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("no column says who or what: the columns are {}",
                             fmt::join(shape.columns, ", ")),
                 "map", "name them: --map person=COLUMN,item=COLUMN,time=COLUMN"};
  }
  return out;
}

}  // namespace attune
