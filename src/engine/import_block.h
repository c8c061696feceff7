// ImportBlock: rows of a file as they will stand in the journal, collected by person. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/decision.h"
#include "event/event.h"
#include "journal/keyring.h"

namespace attune {

// Sealed and ready to append, in this order: controls, created, persons.
struct SealedBlock {
  struct Entry {
    Record record;
    std::string plain;         // its payload before sealing
    std::uint32_t events = 0;  // in it
  };
  std::vector<Record> controls;
  std::vector<Record> created;  // identity records
  std::vector<Entry> persons;   // the records of one person follow each other
  std::uint64_t rows = 0, accepted = 0;
  Time latest = Time::min();  // of the events and decisions
};

class ImportBlock {
 public:
  explicit ImportBlock(Time received) : received_(received) {}
  void event(const Event& event);
  void decision(IdType type, std::string_view person, const Decision& decision);
  void control(std::string json);
  void end_row(bool is_accepted);
  bool is_full() const;  // as a function of the rows alone
  bool empty() const { return rows_ == 0; }
  std::size_t memory_bytes() const;
  // Empties the block. New identities are created here, durable with the journal's next commit.
  Result<SealedBlock> seal(Keyring& keyring);

 private:
  struct Person {
    std::uint64_t hash = 0;
    std::uint32_t id_at = 0;  // in ids_: type, then the id
    std::uint32_t id_size = 0;
    std::uint32_t first = 0, last = 0;  // of pieces_
    bool is_ordered = true;             // by time, as they stand
  };
  struct Piece {  // an event or a decision, encoded
    std::int64_t time_us = 0;
    std::uint32_t at = 0;  // in bytes_
    std::uint32_t size : 31 = 0;
    std::uint32_t is_decision : 1 = 0;
    std::uint32_t next = 0;  // of the same person; 0 = none
  };
  Person& person(IdType type, std::string_view id);
  void add(Person& person, Time time, std::size_t at, bool is_decision);
  void grow_table();
  void clear();
  void order_pieces(const Person& person);
  Status seal_person(const Person& person, Keyring& keyring, SealedBlock& out);
  Result<Surrogate> surrogate_of(const Person& person, Keyring& keyring, SealedBlock& out) const;

  Time received_;
  std::string ids_, bytes_;
  std::vector<Person> persons_;
  std::vector<std::uint32_t> table_;  // 1 + index of persons_; 0 = free
  std::vector<Piece> pieces_{1};      // [0] is none
  std::vector<std::uint32_t> order_;  // of the person being sealed
  std::vector<std::string> controls_;
  std::size_t control_bytes_ = 0;
  std::uint64_t rows_ = 0, accepted_ = 0;
  Time latest_ = Time::min();
};

}  // namespace attune
