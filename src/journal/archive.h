#pragma once
#include <string>
#include <vector>
#include "base/result.h"
namespace attune {
struct ArchiveEntry { std::string name, path; std::uint64_t bytes = 0; };
inline Status write_archive(const std::string&, const std::vector<ArchiveEntry>&) { return Error{Code::kInternal, "no"}; }
inline Status extract_archive(const std::string&, const std::string&) { return Error{Code::kInternal, "no"}; }
}
