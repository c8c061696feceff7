#include "journal/journal.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "fuzz.h"
#include "journal/frame.h"
#include "journal/seal.h"

namespace attune {
namespace {

std::string header_of(std::uint32_t version) {
  std::string out = "ATTJRNL1";
  Writer writer(out);
  writer.u32(version);
  writer.u64(hash64(out));
  return out;
}

// A frame whose checksum fits, around any bytes.
std::string frame_of(Position first, std::uint32_t count, std::string_view records) {
  std::string out;
  Writer writer(out);
  writer.u32(static_cast<std::uint32_t>(records.size()));
  writer.u32(count);
  writer.u64(first);
  writer.u64(0);
  writer.u64(frame_hash(out, records));
  return out.append(records);
}

void read_all(JournalReader& journal) {
  const auto cursor = journal.read(0);
  if (!cursor.ok()) return;
  for (Position last = 0;;) {
    const auto next = (*cursor)->next();
    if (!next.ok() || !*next) break;
    CHECK((*next)->position > last);
    last = (*next)->position;
    if (raw((*next)->record.surrogate) != 0) (void)open_payload((*next)->record, PayloadKey{});
  }
  (void)journal.read_at_time(time_from_us(1000));
}

}  // namespace

// A log file. The first byte: 'r' the file as it is; 'h' frames after a good header; else the
// number of records of one good frame of the rest, and whether another follows.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const std::string_view rest = input.substr(1);
  std::string bytes = choice == 'r' ? std::string() : header_of(1 + choice % 2);
  if (choice == 'r' || choice == 'h') {
    bytes += rest;
  } else {
    bytes += frame_of(1, 1 + choice % 32, rest);
    if (choice >= 128) bytes += frame_of(2 + choice % 32, 1, rest);
  }
  const std::string folder = fuzz_folder();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::filesystem::remove(entry.path());
  }
  write_file(log_path(folder, 1), bytes);
  const auto reader = open_journal_reader(folder);
  if (reader.ok()) read_all(**reader);
  const auto journal = open_file_journal({.directory = folder});
  if (!journal.ok()) return;
  const Position end = (*journal)->end();
  const Record tick{.kind = Kind::kTick, .received = {}, .payload = "12345678"};
  CHECK((*journal)->append({&tick, 1}).value() == end + 1);
  CHECK((*journal)->flush().ok());
}

}  // namespace attune
