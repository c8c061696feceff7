// IdentityGraph: which identities are one person. A set of links; a person is what they connect.
// Undoing a merge is dropping its link. One writer; copies share what has not changed.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/cow_map.h"
#include "base/result.h"
#include "event/id.h"

namespace attune {

inline constexpr std::size_t kMaxIdentities = 64;  // of one person

class IdentityGraph {
 public:
  // True when the link stands afterwards; false when it would make a person of too many identities,
  // or an end is none or both are the same. A link that stands already keeps its first position.
  bool link(Surrogate a, Surrogate b, Position at);
  bool unlink(Surrogate a, Surrogate b);  // false when there was no such link
  // All identities of the person, sorted; at least `any` itself.
  std::vector<Surrogate> members(Surrogate any) const;
  // True when no link names it: members() is itself alone.
  bool is_alone(Surrogate s) const { return !edges_.contains(s); }
  std::vector<Surrogate> identities() const;  // that have links, sorted
  std::size_t memory_bytes() const { return edges_.memory_bytes() + bytes_; }
  void drop(Surrogate s);               // with all its links
  void encode(std::string& out) const;  // canonical
  static Result<IdentityGraph> decode(std::string_view bytes);

 private:
  struct Edge {
    Surrogate to{};
    Position at = 0;
  };
  using Edges = std::vector<Edge>;
  const Edges& edges_of(Surrogate s) const;
  void add_edge(Surrogate from, Edge edge);
  void remove_edge(Surrogate from, Surrogate to);

  CowMap<Surrogate, CowPtr<Edges>, 64> edges_;  // each link at both ends; none is empty
  std::size_t bytes_ = 0;                       // of the lists
};

}  // namespace attune
