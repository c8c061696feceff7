// JsonFields: the fields of one JSON object, read by type and range; an error names the field. A
// null counts as absent. It brings in simdjson: for .cc files. One thread.
#pragma once
#include <simdjson.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

using Names = std::span<const std::string_view>;

Error invalid_field(std::string field, std::string message);
// "unknown WHAT "NAME", nearest known is ..."; the hint lists them all.
Error unknown_name(std::string_view what, std::string_view name, Names known, std::string field);

class JsonFields {
 public:
  // path: of the object, for errors: "placement."
  JsonFields(simdjson::dom::object object, std::string path)
      : object_(object), path_(std::move(path)) {}

  std::string path(std::string_view name) const { return path_ + std::string(name); }
  std::optional<simdjson::dom::element> find(std::string_view name) const;
  // Absent leaves `out` as it is.
  Status text(std::string_view name, std::string& out) const;
  Status texts(std::string_view name, std::vector<std::string>& out) const;
  Status flag(std::string_view name, bool& out) const;
  Status number(std::string_view name, double low, double high, double& out) const;
  Status integer(std::string_view name, int low, int high, int& out) const;
  // An external id; absent is an error when is_required.
  Status id(std::string_view name, bool is_required, std::string& out) const;
  // Every field is known, and given once.
  Status only(std::string_view what, Names known) const;
  Error wrong(std::string_view name, std::string_view expected) const;

 private:
  simdjson::dom::object object_;
  std::string path_;
};

}  // namespace attune
