#include "profile/graph.h"

#include <algorithm>
#include <tuple>

#include "base/bytes.h"

namespace attune {
namespace {

// A list of so many edges as the allocator gives it, with the block that shares it.
std::size_t size_of_list(std::size_t edges) { return 48 + edges * 16 + 16; }

}  // namespace

const IdentityGraph::Edges& IdentityGraph::edges_of(Surrogate s) const {
  static const Edges none;
  const CowPtr<Edges>* const found = edges_.find(s);
  return found ? **found : none;
}

void IdentityGraph::add_edge(Surrogate from, Edge edge) {
  Edges& edges = edges_.change(from).change();
  bytes_ -= edges.empty() ? 0 : size_of_list(edges.size());
  edges.push_back(edge);
  bytes_ += size_of_list(edges.size());
}

void IdentityGraph::remove_edge(Surrogate from, Surrogate to) {
  if (edges_of(from).empty()) return;
  Edges& edges = edges_.change(from).change();
  bytes_ -= size_of_list(edges.size());
  std::erase_if(edges, [to](const Edge& edge) { return edge.to == to; });
  if (edges.empty()) {
    edges_.erase(from);
  } else {
    bytes_ += size_of_list(edges.size());
  }
}

bool IdentityGraph::link(Surrogate a, Surrogate b, Position at) {
  if (a == b || a == Surrogate{} || b == Surrogate{}) return false;
  for (const Edge& edge : edges_of(a)) {
    if (edge.to == b) return true;
  }
  const auto left = members(a);
  if (!std::binary_search(left.begin(), left.end(), b) &&
      left.size() + members(b).size() > kMaxIdentities) {
    return false;
  }
  add_edge(a, {b, at});
  add_edge(b, {a, at});
  return true;
}

bool IdentityGraph::unlink(Surrogate a, Surrogate b) {
  const Edges& edges = edges_of(a);
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
    for (const Edge& edge : edges_of(out[i])) {
      if (std::find(out.begin(), out.end(), edge.to) == out.end()) out.push_back(edge.to);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Surrogate> IdentityGraph::identities() const {
  std::vector<Surrogate> all;
  all.reserve(edges_.size());
  edges_.each([&](Surrogate identity, const CowPtr<Edges>&) { all.push_back(identity); });
  std::sort(all.begin(), all.end());
  return all;
}

void IdentityGraph::drop(Surrogate s) {
  const Edges edges = edges_of(s);
  for (const Edge& edge : edges) {
    remove_edge(s, edge.to);
    remove_edge(edge.to, s);
  }
}

void IdentityGraph::encode(std::string& out) const {
  std::vector<std::tuple<Surrogate, Surrogate, Position>> links;
  edges_.each([&](Surrogate from, const CowPtr<Edges>& edges) {
    for (const Edge& edge : *edges) {
      if (from < edge.to) links.emplace_back(from, edge.to, edge.at);
    }
  });
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
