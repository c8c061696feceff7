#include "profile/graph.h"

#include <algorithm>
#include <tuple>

#include "base/bytes.h"

namespace attune {

bool IdentityGraph::link(Surrogate a, Surrogate b, Position at) {
  if (a == b || a == Surrogate{} || b == Surrogate{}) return false;
  if (const auto found = edges_.find(a); found != edges_.end()) {
    for (const Edge& edge : found->second) {
      if (edge.to == b) return true;
    }
  }
  const auto left = members(a);
  if (!std::binary_search(left.begin(), left.end(), b) &&
      left.size() + members(b).size() > kMaxIdentities) {
    return false;
  }
  edges_[a].push_back({b, at});
  edges_[b].push_back({a, at});
  return true;
}

void IdentityGraph::remove_edge(Surrogate from, Surrogate to) {
  const auto found = edges_.find(from);
  if (found == edges_.end()) return;
  std::erase_if(found->second, [to](const Edge& edge) { return edge.to == to; });
  if (found->second.empty()) edges_.erase(found);
}

bool IdentityGraph::unlink(Surrogate a, Surrogate b) {
  const auto found = edges_.find(a);
  if (found == edges_.end()) return false;
  const auto& edges = found->second;
  if (std::none_of(edges.begin(), edges.end(), [b](const Edge& e) { return e.to == b; })) {
    return false;
  }
  remove_edge(a, b);
  remove_edge(b, a);
  return true;
}

std::vector<Surrogate> IdentityGraph::members(Surrogate any) const {
  std::vector<Surrogate> out = {any};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto found = edges_.find(out[i]);
    if (found == edges_.end()) continue;
    for (const Edge& edge : found->second) {
      if (std::find(out.begin(), out.end(), edge.to) == out.end()) out.push_back(edge.to);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Surrogate> IdentityGraph::identities() const {
  std::vector<Surrogate> all;
  all.reserve(edges_.size());
  for (const auto& [identity, edges] : edges_) all.push_back(identity);
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t IdentityGraph::memory_bytes() const {
  std::size_t bytes = edges_.bucket_count() * sizeof(void*);
  for (const auto& [identity, edges] : edges_) {
    bytes += sizeof(*edges_.begin()) + 16 + edges.capacity() * sizeof(Edge) + 16;
  }
  return bytes;
}

void IdentityGraph::drop(Surrogate s) {
  const auto found = edges_.find(s);
  if (found == edges_.end()) return;
  const auto edges = std::move(found->second);
  edges_.erase(found);
  for (const Edge& edge : edges) remove_edge(edge.to, s);
}

void IdentityGraph::encode(std::string& out) const {
  std::vector<std::tuple<Surrogate, Surrogate, Position>> links;
  for (const auto& [from, edges] : edges_) {
    for (const Edge& edge : edges) {
      if (from < edge.to) links.emplace_back(from, edge.to, edge.at);
    }
  }
  std::sort(links.begin(), links.end());
  Writer writer(out);
  writer.u8(1);  // format
  writer.varint(links.size());
  for (const auto& [a, b, at] : links) {
    writer.u64(raw(a));
    writer.u64(raw(b));
    writer.varint(at);
  }
}

Result<IdentityGraph> IdentityGraph::decode(std::string_view bytes) {
  const Error damaged{Code::kCorrupt, "identity graph bytes are damaged or of another version"};
  Reader in(bytes);
  if (in.u8() != 1) return damaged;
  IdentityGraph graph;
  std::pair<Surrogate, Surrogate> last{};
  for (std::uint64_t n = in.varint(); n > 0; --n) {
    const Surrogate a{in.u64()};
    const Surrogate b{in.u64()};
    const Position at = in.varint();
    const std::pair link(a, b);
    if (!in.ok() || !(a < b) || !(last < link) || !graph.link(a, b, at)) return damaged;
    last = link;
  }
  if (!in.ok() || !in.done()) return damaged;
  return graph;
}

}  // namespace attune
