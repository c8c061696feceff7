#include "model/tree_ensemble.h"

#include <cmath>

namespace attune {
namespace {

bool goes_left(const TreeNode& node, std::span<const float> of) {
  const float x = of[node.column];
  return std::isnan(x) ? node.is_missing_left : x < node.at;
}

bool is_sound(const TreeNode& node, std::size_t columns) {
  return std::isfinite(node.at) && std::isfinite(node.cover) && node.cover > 0 &&
         (node.left == 0 || node.column < columns);
}

// The columns on the way from a root to where we are, each once, and for each size of a set of them
// how much weight those sets have.
class Path {
 public:
  struct Step {
    std::uint32_t column;
    double zero;  // share of rows that pass when the column is not known
    double one;   // 1 when the row's own value passes, else 0
    double weight;
  };

  void extend(std::uint32_t column, double zero, double one) {
    const std::size_t n = steps_.size();
    steps_.push_back({column, zero, one, n == 0 ? 1.0 : 0.0});
    const auto sets = static_cast<double>(n + 1);
    for (std::size_t i = n; i-- > 0;) {
      const auto k = static_cast<double>(i + 1);
      steps_[i + 1].weight += one * steps_[i].weight * k / sets;
      steps_[i].weight = zero * steps_[i].weight * (sets - k) / sets;
    }
  }

  // What is left as if step `at` had never been.
  void unwind(std::size_t at) {
    const std::vector<double> weights = without(at);
    for (std::size_t i = at; i + 1 < steps_.size(); ++i) steps_[i] = steps_[i + 1];
    steps_.pop_back();
    for (std::size_t i = 0; i < weights.size(); ++i) steps_[i].weight = weights[i];
  }

  double weight_without(std::size_t at) const {
    double sum = 0;
    for (const double weight : without(at)) sum += weight;
    return sum;
  }

  // The step of a column, 0 = none: step 0 is the root's.
  std::size_t find(std::uint32_t column) const {
    for (std::size_t i = 1; i < steps_.size(); ++i) {
      if (steps_[i].column == column) return i;
    }
    return 0;
  }
  std::size_t size() const { return steps_.size(); }
  const Step& operator[](std::size_t i) const { return steps_[i]; }

 private:
  std::vector<double> without(std::size_t at) const {
    const std::size_t n = steps_.size() - 1;
    const auto [column, zero, one, weight] = steps_[at];
    const auto sets = static_cast<double>(n + 1);
    std::vector<double> out(n);
    double next = steps_[n].weight;
    for (std::size_t i = n; i-- > 0;) {
      const auto k = static_cast<double>(i + 1);
      if (one != 0) {
        out[i] = next * sets / (k * one);
        next = steps_[i].weight - out[i] * zero * (sets - k) / sets;
      } else {
        out[i] = steps_[i].weight * sets / (zero * (sets - k));
      }
    }
    return out;
  }

  std::vector<Step> steps_;
};

class Attribution {
 public:
  Attribution(std::span<const TreeNode> nodes, std::span<const float> of, std::span<double> out)
      : nodes_(nodes), of_(of), out_(out) {}

  void follow(std::uint32_t at, Path path) {
    const TreeNode& node = nodes_[at];
    if (node.left == 0) return take(node, path);
    const bool is_left = goes_left(node, of_);
    double zero = 1, one = 1;
    if (const std::size_t before = path.find(node.column); before != 0) {
      zero = path[before].zero;
      one = path[before].one;
      path.unwind(before);
    }
    for (const bool left : {true, false}) {
      const std::uint32_t child = node.left + (left ? 0 : 1);
      const double share = double{nodes_[child].cover} / covers(node);
      Path longer = path;
      longer.extend(node.column, zero * share, left == is_left ? one : 0.0);
      follow(child, std::move(longer));
    }
  }

 private:
  double covers(const TreeNode& node) const {
    return double{nodes_[node.left].cover} + double{nodes_[node.left + 1].cover};
  }
  void take(const TreeNode& leaf, const Path& path) {
    for (std::size_t i = 1; i < path.size(); ++i) {
      out_[path[i].column] +=
          path.weight_without(i) * (path[i].one - path[i].zero) * double{leaf.at};
    }
  }

  std::span<const TreeNode> nodes_;
  std::span<const float> of_;
  std::span<double> out_;
};

}  // namespace

bool TreeEnsemble::add(std::span<const TreeNode> nodes) {
  if (nodes.empty() || nodes_.size() + nodes.size() > kMostNodes) return false;
  const std::size_t begin = nodes_.size();
  struct Place {
    std::uint32_t from, to;
    std::size_t depth;
  };
  std::vector<Place> open{{0, static_cast<std::uint32_t>(begin), 0}};
  nodes_.emplace_back();
  bool is_tree = true;
  // Every node is reached once, or there would be more of them than are given.
  while (is_tree && !open.empty()) {
    const auto [from, to, depth] = open.back();
    open.pop_back();
    TreeNode node = nodes[from];
    is_tree = is_sound(node, columns_) && depth <= kMostDepth;
    if (is_tree && node.left != 0) {
      const auto child = static_cast<std::uint32_t>(nodes_.size());
      is_tree = std::size_t{node.left} + 1 < nodes.size() && child - begin + 2 <= nodes.size();
      if (!is_tree) break;
      open.push_back({node.left + 1, child + 1, depth + 1});
      open.push_back({node.left, child, depth + 1});
      nodes_.resize(nodes_.size() + 2);
      node.left = child;
    }
    nodes_[to] = node;
  }
  if (!is_tree) {
    nodes_.resize(begin);
    return false;
  }
  roots_.push_back(static_cast<std::uint32_t>(begin));
  settle_mean(roots_.back());
  return true;
}

// From the leaves up: children stand behind their parents.
void TreeEnsemble::settle_mean(std::uint32_t root) {
  std::vector<double> means(nodes_.size() - root);
  for (std::size_t i = nodes_.size(); i-- > root;) {
    const TreeNode& node = nodes_[i];
    if (node.left == 0) {
      means[i - root] = double{node.at};
      continue;
    }
    const double left = double{nodes_[node.left].cover},
                 right = double{nodes_[node.left + 1].cover};
    means[i - root] =
        (left * means[node.left - root] + right * means[node.left + 1 - root]) / (left + right);
  }
  mean_ += means[0];
}

void TreeEnsemble::send_missing(std::span<const float> with) {
  for (TreeNode& node : nodes_) {
    if (node.left != 0) node.is_missing_left = with[node.column] < node.at;
  }
}

std::size_t TreeEnsemble::memory_bytes() const {
  return nodes_.capacity() * sizeof(TreeNode) + roots_.capacity() * sizeof(std::uint32_t);
}

double TreeEnsemble::sum(std::span<const float> of) const {
  double sum = base_;
  for (const std::uint32_t root : roots_) {
    const TreeNode* node = &nodes_[root];
    while (node->left != 0) node = &nodes_[node->left + (goes_left(*node, of) ? 0 : 1)];
    sum += double{node->at};
  }
  return sum;
}

void TreeEnsemble::attribute(std::span<const float> of, std::span<double> out) const {
  Attribution attribution(nodes_, of, out);
  for (const std::uint32_t root : roots_) {
    Path path;
    path.extend(0, 1, 1);
    attribution.follow(root, std::move(path));
  }
}

void TreeEnsemble::encode(std::string& out) const {
  Writer w(out);
  w.f64(base_);
  w.varint(roots_.size());
  for (std::size_t t = 0; t < roots_.size(); ++t) {
    const std::size_t end = t + 1 < roots_.size() ? roots_[t + 1] : nodes_.size();
    w.varint(end - roots_[t]);
    std::vector<std::uint32_t> open{roots_[t]};
    while (!open.empty()) {
      const TreeNode& node = nodes_[open.back()];
      open.pop_back();
      w.varint(node.left == 0 ? 0 : std::uint64_t{node.column} * 2 + node.is_missing_left + 1);
      w.f32(node.at);
      w.f32(node.cover);
      if (node.left == 0) continue;
      open.push_back(node.left + 1);
      open.push_back(node.left);
    }
  }
}

namespace {

// Nodes in the order of encode(): a left side follows its node, a right side the whole left one.
bool read_tree(Reader& r, std::vector<TreeNode>& nodes) {
  const std::uint64_t n = r.varint();
  constexpr std::size_t kLeastBytes = 9;  // of a node
  if (!r.ok() || n == 0 || n % 2 == 0 || n > r.left() / kLeastBytes) return false;
  nodes.assign(1, {});
  nodes.reserve(n);
  std::vector<std::uint32_t> open{0};
  while (!open.empty()) {
    const std::uint32_t at = open.back();
    open.pop_back();
    const std::uint64_t word = r.varint();
    TreeNode node;
    node.at = r.f32();
    node.cover = r.f32();
    if (!r.ok() || word > 2 * TreeEnsemble::kMostColumns) return false;
    if (word > 0) {
      if (nodes.size() + 2 > n) return false;
      node.column = static_cast<std::uint16_t>((word - 1) / 2);
      node.is_missing_left = (word - 1) % 2 != 0;
      node.left = static_cast<std::uint32_t>(nodes.size());
      nodes.resize(nodes.size() + 2);
      open.push_back(node.left + 1);
      open.push_back(node.left);
    }
    nodes[at] = node;
  }
  return nodes.size() == n;
}

}  // namespace

bool TreeEnsemble::restore(Reader& reader, std::size_t columns) {
  const double base = reader.f64();
  const std::uint64_t trees = reader.varint();
  if (!reader.ok() || !std::isfinite(base) || columns > kMostColumns) return false;
  *this = TreeEnsemble(base, columns);
  std::vector<TreeNode> nodes;
  for (std::uint64_t t = 0; t < trees; ++t) {
    if (!read_tree(reader, nodes) || !add(nodes)) return false;
  }
  return true;
}

}  // namespace attune
