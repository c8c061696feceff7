// Request bodies of our own routes: bounded JSON, read strictly. It brings in simdjson: for .cc
// files only.
#pragma once
#include "catalog/fields.h"
#include "collect/json_body.h"

namespace attune {

// Both live until this thread reads its next body. An empty body is {} for read_object.
Result<simdjson::dom::object> read_object(std::string_view body);
Result<simdjson::dom::array> read_array(std::string_view body);

// A message of collect says what is wrong with a field, not which: "userId" + "is required".
Error with_field_named(Error error);

}  // namespace attune
