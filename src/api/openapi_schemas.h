// Schemas of requests and answers for /openapi.json. Internal to api.
#pragma once
#include <string>
#include <string_view>

namespace attune {

std::string openapi_schemas();  // one JSON object, by name

}  // namespace attune
