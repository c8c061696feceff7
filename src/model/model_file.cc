#include "model/model_file.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/hash_stream.h"
#include "base/new_file.h"

namespace attune {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostSections = 32, kNameBytes = 16, kEntryBytes = 48, kShaBytes = 32;
constexpr std::size_t kAlignment = 64;
constexpr std::array<char, kAlignment> kZeros{};

std::uint64_t aligned(std::uint64_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= kNameBytes && std::ranges::all_of(name, is_letter);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, kShaBytes> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return {hash.begin(), hash.end()};
}

// The first 130 bits, 5 a character.
std::string id_of(std::string_view sha) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string id = "m_";
  for (std::size_t bit = 0; bit < 130; bit += 5) {
    unsigned digit = 0;
    for (std::size_t b = bit; b < bit + 5; ++b) {
      const auto byte = static_cast<unsigned char>(sha[b / 8]);
      digit = digit * 2 + ((byte >> (7 - b % 8)) & 1U);
    }
    id += kAlphabet[digit];
  }
  return id;
}

Status check(std::span<const ModelSection> sections) {
  std::set<std::string_view> names;
  for (const ModelSection& s : sections) {
    if (!is_name(s.name) || !names.insert(s.name).second) {
      return Error{Code::kInvalid,
                   fmt::format("model file: \"{}\" cannot be the name of a section", s.name)};
    }
  }
  if (sections.size() > kMostSections) {
    return Error{Code::kInvalid, "model file: more than 32 sections"};
  }
  return ok_status();
}

// A section in the file.
struct Placed {
  std::uint64_t at, size;
  Hash128 hash;
};

// Appends to a file and hashes on the way. The first fault stays.
class FileSink final : public ByteSink {
 public:
  explicit FileSink(NewFile& file) : file_(file), begin_(file.size()) {}
  void write(std::string_view bytes) override {
    hash_.add(bytes);
    if (status_.ok()) status_ = file_.append(bytes);
  }
  Result<Placed> end() const {
    TRY_OK(status_);
    return Placed{begin_, file_.size() - begin_, hash_.hash128()};
  }

 private:
  NewFile& file_;
  const std::uint64_t begin_;
  HashStream hash_;
  Status status_ = ok_status();
};

Result<Placed> append(const ModelSection& section, NewFile& file) {
  FileSink sink(file);
  if (section.model != nullptr) {
    section.model->write(sink);
  } else {
    sink.write(section.bytes);
  }
  return sink.end();
}

std::size_t head_bytes(std::size_t sections) {
  return kModelMagic.size() + 8 + sections * kEntryBytes + kShaBytes;
}

// All before the sections, its hash included.
std::string head_of(std::span<const ModelSection> sections, std::span<const Placed> places) {
  std::string head(kModelMagic);
  Writer w(head);
  w.u32(kVersion);
  w.u32(static_cast<std::uint32_t>(sections.size()));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    std::string name = sections[i].name;
    name.resize(kNameBytes, '\0');
    head += name;
    const Placed& place = places[i];
    for (const std::uint64_t number : {place.at, place.size, place.hash.low, place.hash.high}) {
      w.u64(number);
    }
  }
  return head + sha256(head);
}

Error damaged(const std::string& path, std::string_view what) {
  return {Code::kCorrupt, fmt::format("{}: {}", path, what), "",
          "take the file from where it was made, or train again"};
}

// Size of the head without its hash.
Result<std::size_t> head_size(const std::string& path, std::string_view bytes) {
  if (bytes.size() < kModelMagic.size() + 8 || !bytes.starts_with(kModelMagic)) {
    return damaged(path, "not a model file");
  }
  Reader r(bytes.substr(kModelMagic.size()));
  const std::uint32_t version = r.u32(), count = r.u32();
  if (version != kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{}: model file version {}, this program reads version {}", path,
                             version, kVersion),
                 "", "use the program that wrote it"};
  }
  const std::size_t size = kModelMagic.size() + 8 + std::size_t{count} * kEntryBytes;
  if (count > kMostSections || bytes.size() < size + kShaBytes) return damaged(path, "cut off");
  return size;
}

}  // namespace

Result<std::string> store_model_file(const std::string& path,
                                     std::span<const ModelSection> sections) {
  TRY_OK(check(sections));
  TRY(NewFile file, NewFile::create(path));
  TRY_OK(file.append(std::string(head_bytes(sections.size()), '\0')));
  std::vector<Placed> places;
  for (const ModelSection& section : sections) {
    TRY_OK(file.append({kZeros.data(), aligned(file.size()) - file.size()}));
    TRY(const Placed place, append(section, file));
    places.push_back(place);
  }
  const std::string head = head_of(sections, places);
  TRY_OK(file.overwrite(0, head));
  TRY_OK(file.finish());
  return id_of(std::string_view(head).substr(head.size() - kShaBytes));
}

Status copy_model_file(const std::string& from, const std::string& to) {
  std::error_code fault;  // store_file() says more
  if (std::filesystem::exists(to, fault)) return ok_status();
  std::filesystem::create_directories(std::filesystem::path(to).parent_path(), fault);
  TRY(const MappedFile file, MappedFile::open(from));
  const std::string_view bytes = file.bytes();
  return store_file(to, {&bytes, 1});
}

Result<ModelFile> ModelFile::open(const std::string& path) {
  ModelFile file;
  file.path_ = path;
  TRY(file.file_, MappedFile::open(path));
  const std::string_view bytes = file.file_.bytes();
  TRY(const std::size_t size, head_size(path, bytes));
  const std::string_view head = bytes.substr(0, size), sha = bytes.substr(size, kShaBytes);
  if (sha256(head) != sha) return damaged(path, "the checksum of its head does not match");
  file.id_ = id_of(sha);
  Reader r(head.substr(kModelMagic.size() + 8));
  std::uint64_t at = size + kShaBytes;
  while (!r.done()) {
    Entry entry;
    const std::string_view name = r.bytes(kNameBytes);
    entry.name = name.substr(0, name.find('\0'));
    for (auto* number : {&entry.offset, &entry.size, &entry.low, &entry.high}) *number = r.u64();
    const bool fits = entry.offset == aligned(at) && entry.offset <= bytes.size() &&
                      entry.size <= bytes.size() - entry.offset;
    if (!fits) return damaged(path, "cut off");
    if (bytes.substr(at, entry.offset - at).find_first_not_of('\0') != std::string_view::npos) {
      return damaged(path, "something lies between its sections");
    }
    at = entry.offset + entry.size;
    file.entries_.push_back(std::move(entry));
  }
  if (at != bytes.size()) return damaged(path, "something follows its end");
  return file;
}

const ModelFile::Entry* ModelFile::find(std::string_view name) const {
  const auto entry = std::ranges::find(entries_, name, &Entry::name);
  return entry == entries_.end() ? nullptr : &*entry;
}

std::vector<std::string> ModelFile::section_names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

Result<std::string_view> ModelFile::section(std::string_view name) const {
  const Entry* const entry = find(name);
  if (entry == nullptr) {
    return Error{Code::kNotFound, fmt::format("{}: has no section {}", path_, name)};
  }
  const std::string_view bytes = file_.bytes().substr(entry->offset, entry->size);
  if (hash128(bytes) != Hash128{entry->low, entry->high}) {
    return damaged(path_, fmt::format("the checksum of section {} does not match", name));
  }
  return bytes;
}

Result<std::unique_ptr<Model>> ModelFile::model() const {
  TRY(const std::string_view bytes, section("model"));
  return decode_model(bytes, file_.owner());
}

Result<FeatureNames> ModelFile::names() const {
  if (!has("names")) return FeatureNames(0);
  TRY(const std::string_view bytes, section("names"));
  return FeatureNames::decode(bytes);
}

}  // namespace attune
