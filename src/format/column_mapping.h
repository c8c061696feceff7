// Which column of a table says what: by flags, by a mapping file
// (docs/reference/import-file.md), or guessed from the columns' names. Pure.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "format/table.h"

namespace attune {

enum class TimeFormat { kAuto, kIso, kSeconds, kMilliseconds, kMicroseconds, kDate };

struct ColumnMapping {
  // role -> column; the roles are person, anonymous, item, verb, time, value, decision
  std::map<std::string, std::string, std::less<>> columns;
  std::map<std::string, Verb, std::less<>> verbs;  // the file's words
  std::optional<Verb> verb;                        // of every row
  TimeFormat time_format = TimeFormat::kAuto;
  std::vector<std::string> traits;  // columns that are traits of the person
  std::vector<std::string> keep;    // columns kept as properties; "all" = all that have no role
};

// "person=user_id,item=sku" into `out`; kInvalid names what is wrong and the nearest known role.
Status add_columns(std::string_view text, ColumnMapping& out);
Result<Verb> verb_named(std::string_view name);
Result<TimeFormat> time_format_named(std::string_view name);
// A mapping file, TOML.
Result<ColumnMapping> parse_mapping(const std::string& toml, const std::string& source);
// What holds, as canonical JSON: two imports with equal text read a file alike.
std::string mapping_json(const ColumnMapping& mapping);

// Columns by role, found in a table; kNone = there is none.
struct MappedColumns {
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t person = kNone, anonymous = kNone, item = kNone, verb = kNone, time = kNone,
              value = kNone, decision = kNone;
  std::vector<std::size_t> traits, keep;
};
// Roles without a column are guessed by name when the mapping names none at all. notes: what was
// guessed, what is left out.
Result<MappedColumns> map_columns(const ColumnMapping& mapping, const TableShape& shape,
                                  std::vector<std::string>& notes);

}  // namespace attune
