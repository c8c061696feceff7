// Imports: the files a workspace took in, as the fold of import records
// (docs/reference/journal-format.md). A file is known by its digest for ever; what is not done yet
// says how far it is. One writer.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "event/id.h"

namespace attune {

struct Import {
  std::uint64_t number = 0;  // from 1
  std::string digest = {};   // of the bytes of its files
  std::string kind = {};     // "events" or "items"
  std::string format = {};   // "csv"
  std::string source = {};   // the name of the file, without its folder
  std::string options = {};  // how its rows were read, JSON
  Time began{};
  std::uint64_t rows = 0;      // of the file, from its start, that are in the journal
  std::uint64_t accepted = 0;  // rows of those that were good
  std::uint64_t events = 0;    // and what they became: events, decisions, items
  std::uint64_t dropped = 0;   // events of persons who refuse to be stored, or were erased
  bool is_done = false;
  bool is_undone = false;
  std::vector<std::pair<Position, Position>> blocks = {};  // its records, first and last of each
};

// What an import record holds. The first of an import names it; a block sums it up.
std::string import_begin_json(const Import& import);
std::string import_block_json(const Import& import, std::uint64_t records);
std::string import_done_json(const Import& import);

class Imports {
 public:
  Status apply(Position at, std::string_view json, Time received);
  const std::vector<Import>& all() const { return all_; }  // by number
  const Import* find(std::uint64_t number) const;          // null = none
  // Of the same content and kind and not undone; null = none.
  const Import* find(std::string_view digest, std::string_view kind) const;
  void mark_undone(std::uint64_t number);
  std::uint64_t last_number() const { return all_.empty() ? 0 : all_.back().number; }
  void encode(std::string& out) const;  // canonical
  static Result<Imports> decode(std::string_view bytes);

 private:
  std::vector<Import> all_;
};

}  // namespace attune
