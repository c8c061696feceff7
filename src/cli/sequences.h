// Sequences: who took which item after which, from a folder of the S3-Rec format: NAME.txt[.gz], a
// line per person ("person item item ...", oldest first), and NAME_item2attributes.json[.gz],
// {item: [attribute, ...]}. It holds no times: the order across people is ours, drawn by a seed.
// Immutable.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace attune {

struct Sequences {
  std::string name;                            // "Beauty"
  std::vector<std::string> persons;            // "u1"
  std::vector<std::string> items;              // "i1"
  std::vector<std::vector<std::string>> tags;  // [item] most frequent attributes first, at most 8
  std::vector<std::vector<std::uint32_t>> steps;  // [person] indices of items, oldest first
  std::size_t step_count = 0;
};

// folder: the one with the files, or the one above it. name: of the set; "" = Beauty, else the
// first.
Result<Sequences> read_sequences(const std::string& folder, const std::string& name);

// Everybody's steps in one order: persons in turn by chance, each person's own order kept. [k] is
// the person whose next step comes k-th.
std::vector<std::uint32_t> interleave(const Sequences& sequences, std::uint64_t seed);

}  // namespace attune
