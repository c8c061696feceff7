#include "event/decision_id.h"

namespace attune {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kIdBytes = 28, kTimeDigits = 10;

}  // namespace

std::optional<Time> decision_time(std::string_view id) {
  if (id.size() != kIdBytes || !id.starts_with("d_")) return std::nullopt;
  std::int64_t ms = 0;
  for (std::size_t i = 2; i < kIdBytes; ++i) {
    const auto digit = kAlphabet.find(id[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    if (i < 2 + kTimeDigits) ms = ms * 32 + static_cast<std::int64_t>(digit);
  }
  return Time(std::chrono::milliseconds(ms));
}

}  // namespace attune
