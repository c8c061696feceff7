#include "engine/import_block.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {
namespace {

// A block is one frame of the journal (64 MB at most): what its records can take is less than this.
constexpr std::size_t kMostBytes = 40u << 20;
constexpr std::size_t kPersonBytes = 300;  // an identity record with a long id, and a header
constexpr std::size_t kMostRows = 1'000'000;
constexpr std::size_t kMaxListBytes = 1u << 20;  // of one record

}  // namespace

bool ImportBlock::is_full() const {
  return rows_ >= kMostRows || bytes_.size() + control_bytes_ + 4 * pieces_.size() + ids_.size() +
                                       kPersonBytes * persons_.size() >=
                                   kMostBytes;
}

std::size_t ImportBlock::memory_bytes() const {
  return bytes_.capacity() + ids_.capacity() + control_bytes_ + pieces_.capacity() * sizeof(Piece) +
         persons_.capacity() * sizeof(Person) + table_.capacity() * sizeof(std::uint32_t);
}

void ImportBlock::grow_table() {
  table_.assign(std::max<std::size_t>(1024, table_.size() * 4), 0);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < persons_.size(); ++i) {
    std::size_t place = persons_[i].hash & mask;
    while (table_[place] != 0) place = (place + 1) & mask;
    table_[place] = static_cast<std::uint32_t>(i + 1);
  }
}

ImportBlock::Person& ImportBlock::person(IdType type, std::string_view id) {
  if (2 * persons_.size() >= table_.size()) grow_table();
  const std::uint64_t hash = hash64(id, static_cast<std::uint64_t>(type));
  const std::size_t mask = table_.size() - 1;
  const auto type_byte = static_cast<char>(type);
  std::size_t place = hash & mask;
  for (; table_[place] != 0; place = (place + 1) & mask) {
    Person& known = persons_[table_[place] - 1];
    const auto text = std::string_view(ids_).substr(known.id_at, known.id_size);
    if (known.hash == hash && text[0] == type_byte && text.substr(1) == id) return known;
  }
  Person fresh{.hash = hash,
               .id_at = static_cast<std::uint32_t>(ids_.size()),
               .id_size = static_cast<std::uint32_t>(id.size() + 1)};
  ids_ += type_byte;
  ids_ += id;
  persons_.push_back(fresh);
  table_[place] = static_cast<std::uint32_t>(persons_.size());
  return persons_.back();
}

// What was appended to bytes_ from `at`.
void ImportBlock::add(Person& person, Time time, std::size_t at, bool is_decision) {
  const auto number = static_cast<std::uint32_t>(pieces_.size());
  Piece piece{.time_us = to_us(time),
              .at = static_cast<std::uint32_t>(at),
              .size = static_cast<std::uint32_t>(bytes_.size() - at) & 0x7fffffffU,
              .is_decision = is_decision ? 1U : 0U};
  if (person.last == 0) {
    person.first = number;
  } else {
    if (pieces_[person.last].time_us > piece.time_us) person.is_ordered = false;
    pieces_[person.last].next = number;
  }
  person.last = number;
  pieces_.push_back(piece);
  latest_ = std::max(latest_, time);
}

void ImportBlock::event(const Event& event) {
  const bool is_user = !event.user_id.empty();
  Person& who = person(is_user ? IdType::kUser : IdType::kAnonymous,
                       is_user ? event.user_id : event.anonymous_id);
  const std::size_t at = bytes_.size();
  encode_event(event, Surrogate{}, received_, bytes_);
  add(who, event.time, at, false);
}

void ImportBlock::decision(IdType type, std::string_view id, const Decision& decision) {
  Person& who = person(type, id);
  const std::size_t at = bytes_.size();
  bytes_ += decision.id;  // hashed by its keyring when it is sealed
  bytes_ += '\0';
  encode_decision(decision, bytes_);
  add(who, decision.time, at, true);
}

void ImportBlock::control(std::string json) {
  control_bytes_ += json.size() + 32;
  controls_.push_back(std::move(json));
}

void ImportBlock::end_row(bool is_accepted) {
  ++rows_;
  accepted_ += is_accepted ? 1 : 0;
}

Result<Surrogate> ImportBlock::surrogate_of(const Person& person, Keyring& keyring,
                                            SealedBlock& out) const {
  const auto text = std::string_view(ids_).substr(person.id_at, person.id_size);
  const auto type = static_cast<IdType>(text[0]);
  const std::string_view id = text.substr(1);
  if (const auto known = keyring.find(type, id)) return *known;
  TRY(const Surrogate fresh, keyring.create(type, id));
  Record record{.kind = Kind::kIdentity, .received = received_, .surrogate = fresh, .payload = {}};
  Writer writer(record.payload);
  writer.u8(static_cast<std::uint8_t>(type));
  writer.str(id);
  TRY_OK(keyring.seal(record));
  out.created.push_back(std::move(record));
  return fresh;
}

// A person's rows count in the order of their times; those of one time as they stand in the file.
void ImportBlock::order_pieces(const Person& person) {
  order_.clear();
  for (std::uint32_t at = person.first; at != 0; at = pieces_[at].next) order_.push_back(at);
  if (person.is_ordered) return;
  std::stable_sort(order_.begin(), order_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return pieces_[a].time_us < pieces_[b].time_us;
  });
}

Status ImportBlock::seal_person(const Person& person, Keyring& keyring, SealedBlock& out) {
  TRY(const Surrogate surrogate, surrogate_of(person, keyring, out));
  order_pieces(person);
  const Record header{
      .kind = Kind::kEvents, .received = received_, .surrogate = surrogate, .payload = {}};
  const auto finish = [&](SealedBlock::Entry& entry) {
    entry.record.payload = entry.plain;
    return keyring.seal(entry.record);
  };
  SealedBlock::Entry* list = nullptr;  // that further events go to
  for (const std::uint32_t number : order_) {
    const Piece& piece = pieces_[number];
    std::string_view bytes = std::string_view(bytes_).substr(piece.at, piece.size);
    if (piece.is_decision != 0) {
      if (list) TRY_OK(finish(*list));
      list = nullptr;
      SealedBlock::Entry& made = out.persons.emplace_back();
      made.record = header;
      made.record.kind = Kind::kDecision;
      made.record.id_hash = keyring.id_hash(bytes.substr(0, bytes.find('\0')));
      made.plain = bytes.substr(bytes.find('\0') + 1);
      TRY_OK(finish(made));
      continue;
    }
    if (!list) {
      list = &out.persons.emplace_back();
      list->record = header;
      begin_event_list(list->plain);
    }
    Writer(list->plain).str(bytes);
    ++list->events;
    if (list->plain.size() < kMaxListBytes) continue;
    TRY_OK(finish(*list));
    list = nullptr;
  }
  return list ? finish(*list) : ok_status();
}

Result<SealedBlock> ImportBlock::seal(Keyring& keyring) {
  SealedBlock out;
  out.rows = rows_;
  out.accepted = accepted_;
  out.latest = latest_;
  for (std::string& json : controls_) {
    out.controls.push_back(
        {.kind = Kind::kControl, .received = received_, .payload = std::move(json)});
  }
  out.persons.reserve(persons_.size());
  for (const Person& one : persons_) TRY_OK(seal_person(one, keyring, out));
  clear();
  return out;
}

// Keeps the memory for the next block.
void ImportBlock::clear() {
  ids_.clear();
  bytes_.clear();
  persons_.clear();
  std::fill(table_.begin(), table_.end(), 0);
  pieces_.resize(1);
  controls_.clear();
  control_bytes_ = 0;
  rows_ = accepted_ = 0;
  latest_ = Time::min();
}

}  // namespace attune
