// The zstd dictionary of sealed payloads: typical JSON of events. Part of the format: a sealed
// payload can only be read with the dictionary it was written with, so it never changes; a new one
// gets a flag byte of its own.
#pragma once
#include <string_view>

namespace attune {

std::string_view dictionary_v1();
std::string_view dictionary_v2();  // trained by tests/sizes; with entropy tables

}  // namespace attune
