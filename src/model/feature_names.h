// FeatureNames: what features are called, by hash, so that any weight can be read. Bounded; says
// when names are missing. One thread; const calls are safe to share.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace attune {

class FeatureNames {
 public:
  static constexpr std::size_t kMostNames = 1u << 22;
  static constexpr std::size_t kMostBytes = 256u << 20;  // of all names, unpacked
  static constexpr std::size_t kMostNameBytes = 256;     // longer ones are cut
  explicit FeatureNames(std::size_t most = kMostNames) : most_(most), is_whole_(most > 0) {}
  // The first name of a hash stays. Beyond the bounds nothing is kept, and is_whole() is false.
  void add(std::uint32_t hash, std::string_view name);
  std::string_view find(std::uint32_t hash) const;  // "" = not known
  // Calls f(hash, name) for each, in no order to rely on.
  template <class F>
  void each(const F& f) const {
    for (const auto& [hash, name] : names_) f(hash, std::string_view(name));
  }
  std::size_t size() const { return names_.size(); }
  bool is_whole() const { return is_whole_; }  // every name ever added is kept

  void encode(std::string& out) const;  // canonical
  static Result<FeatureNames> decode(std::string_view bytes);

 private:
  std::unordered_map<std::uint32_t, std::string> names_;
  std::size_t bytes_ = 0;
  std::size_t most_;
  bool is_whole_;
};

}  // namespace attune
