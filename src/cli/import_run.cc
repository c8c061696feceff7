#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/hash.h"
#include "base/id_set.h"
#include "base/json.h"
#include "catalog/control.h"
#include "cli/bad_rows.h"
#include "cli/import.h"
#include "cli/interrupt.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "engine/engine.h"

namespace attune {
namespace {

constexpr std::size_t kMostBadSaid = 20;
constexpr std::uint64_t kRowsALook = 4096;
constexpr std::size_t kBar = 24;

Time wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}
std::uint64_t id_of(std::string_view text) { return std::max<std::uint64_t>(hash64(text), 1); }

// Counts what rows say and hands it on.
class CountingSink final : public EventSink {
 public:
  explicit CountingSink(Time now) : now_(now) {}
  void set_importer(Importer* importer) { importer_ = importer; }  // null = only counted
  Status event(const Event& event) override {
    ++events_;
    persons_.insert(id_of(event.user_id.empty() ? event.anonymous_id : event.user_id));
    if (!event.item_id.empty()) items_.insert(id_of(event.item_id));
    return importer_ ? importer_->event(event) : ok_status();
  }
  Status decision(std::string_view person, const Decision& decision) override {
    ++events_;
    persons_.insert(id_of(person));
    for (const ShownItem& shown : decision.shown) items_.insert(id_of(shown.item_id));
    return importer_ ? importer_->decision(IdType::kAnonymous, person, decision) : ok_status();
  }
  // An item the catalog would not take makes its row bad.
  Status item(std::string json) override {
    std::string control = R"({"op":"put_item","item":)" + json + "}";
    const auto checked = parse_control(control, now_);
    if (!checked.ok()) {
      fault_ = checked.error();
      return ok_status();
    }
    ++events_;
    items_.insert(id_of(std::get<Item>(*checked).id));
    return importer_ ? importer_->control(std::move(control)) : ok_status();
  }
  // Of the row just read.
  std::optional<Error> take_fault() { return std::exchange(fault_, std::nullopt); }
  std::uint64_t events() const { return events_; }
  std::uint64_t persons() const { return persons_.size(); }
  std::uint64_t items() const { return items_.size(); }

 private:
  const Time now_;
  Importer* importer_ = nullptr;
  std::optional<Error> fault_;
  IdSet persons_, items_;
  std::uint64_t events_ = 0;
};

class Progress {
 public:
  void show(std::string_view what, const ByteSource& bytes, std::uint64_t rows) {
    if (!screen_.is_due() || bytes.size() == 0) return;
    const auto taken = static_cast<double>(bytes.taken());
    const auto size = static_cast<double>(bytes.size());
    const double spent = seconds_since(begin_);
    const double left = taken > 0 ? spent * (size - taken) / taken : 0;
    screen_.draw({fmt::format(" {} {:3.0f} %   {} {} rows, {:.0f} rows/s, {:.0f} s left",
                              bar(taken, size, kBar), 100 * taken / size, what, rows,
                              static_cast<double>(rows) / std::max(spent, 1e-9), left)});
  }
  void end() {
    if (screen_.is_live()) screen_.erase();
  }

 private:
  Screen screen_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

struct Source {
  const EventFormat* format = nullptr;
  std::vector<std::string> files;
  EventFileOptions options;
};

Result<std::unique_ptr<EventReader>> open_reader(const Source& source, const std::string& kind) {
  if (kind == "items") return open_table_items(source.files, source.options);
  return source.format->open(source.files, source.options);
}

class Run {
 public:
  Run(const FileImportOptions& options, FileImportReport& report)
      : options_(options), report_(report), bad_(options.bad_file, options.path) {}

  Status run() {
    TRY_OK(prepare());
    TRY(auto reader, open_reader(source_, options_.kind));
    report_.notes = reader->notes();
    say_notes();
    if (options_.is_dry_run) {
      report_.state = "checked";
      return read_rows(*reader, nullptr);
    }
    TRY_OK(ask());
    return store();
  }

 private:
  Status prepare() {
    TRY(source_.format, event_format(options_.format));
    TRY(source_.options, event_file_options(options_));
    const bool is_table = source_.format->is_mapped;
    if (options_.kind == "items" && !is_table) {
      return Error{Code::kInvalid, "--as items reads csv and jsonl only", "as", ""};
    }
    if (!is_table && (!options_.map.empty() || !options_.map_file.empty() ||
                      !options_.traits.empty() || !options_.keep.empty())) {
      return Error{Code::kInvalid, options_.format + " knows its columns: it takes no mapping",
                   "map", "leave --map, --map-file, --traits and --keep out"};
    }
    if (options_.path == "-") {
      return Error{Code::kInvalid, "an import needs a file: it is known by its digest", "path",
                   "write standard input to a file first"};
    }
    if (!options_.is_dry_run && options_.workspace.empty()) {
      return Error{Code::kInvalid, "where to import to is not named", "workspace",
                   "--workspace DIR, or --dry-run to check only"};
    }
    TRY(source_.files, source_.format->files(options_.path));
    TRY(source_.options.digest, digest_of(source_.files));
    source_.options.now = source_.options.began = wall_now();
    return ok_status();
  }

  void say_notes() const {
    for (const std::string& note : report_.notes) std::fprintf(stderr, "  %s\n", note.c_str());
  }

  // What was guessed is asked about on a terminal; elsewhere it is said, and can be undone.
  Status ask() const {
    const bool is_guessed =
        std::any_of(report_.notes.begin(), report_.notes.end(),
                    [](const std::string& note) { return note.starts_with("guessed"); });
    if (!is_guessed || options_.is_yes || options_.is_staged || ::isatty(STDIN_FILENO) == 0) {
      return ok_status();
    }
    std::fprintf(stderr, "Import it so? Type yes: ");
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "yes") return ok_status();
    return Error{Code::kConflict, "nothing was done", "", "--map says which column is what"};
  }

  std::string options_json() const {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("mapping").raw(mapping_json(source_.options.mapping));
    if (!options_.delimiter.empty()) json.field("delimiter", options_.delimiter);
    if (!options_.encoding.empty()) json.field("encoding", options_.encoding);
    if (!options_.header.empty()) json.field("header", options_.header);
    json.end_object();
    return out;
  }

  Status store() {
    EngineOptions engine_options;
    engine_options.workspace = options_.workspace;
    engine_options.is_ticking = false;
    auto engine = Engine::open(engine_options);
    if (!engine.ok() && engine.error().code == Code::kConflict) {
      return Error{
          Code::kConflict, engine.error().message, "workspace",
          "stop the server first: a file is imported into a stopped workspace (items alone "
          "can go to a running one: attune items import --server)"};
    }
    TRY_OK(engine.ok() ? ok_status() : Status(engine.error()));
    Engine& open = **engine;
    TRY(const auto importer,
        open.import_file({.digest = source_.options.digest,
                          .kind = options_.kind,
                          .format = options_.format,
                          .source = std::filesystem::path(options_.path).filename().string(),
                          .options = options_json(),
                          .is_staged = options_.is_staged}));
    const Import before = importer->import();
    report_.number = before.number;
    if (before.is_done) {
      report_.state = "known";
      report_.rows = report_.duplicates = before.rows;
      return open.close();
    }
    report_.resumed_at = before.rows;
    source_.options.began = before.began;
    source_.options.now = std::max(source_.options.now, open.now());
    TRY(auto reader, open_reader(source_, options_.kind));
    TRY_OK(read_rows(*reader, importer.get()));
    TRY(const Import done, importer->finish());
    report_.seconds = seconds_since(begin_);
    report_.dropped = done.dropped;
    report_.events = done.events;
    report_.state = options_.is_staged ? "staged" : "imported";
    const auto begin = std::chrono::steady_clock::now();
    if (!options_.is_staged) TRY_OK(open.checkpoint());  // so that the next start replays nothing
    report_.checkpoint_seconds = seconds_since(begin);
    return open.close();
  }

  Status note_bad(const BadRow& bad, std::string_view text) {
    ++report_.bad_rows;
    if (report_.first_bad.size() < kMostBadSaid) report_.first_bad.push_back(bad);
    return bad_.add(bad, text);
  }

  // importer: null = only checked. Rows that it holds are read past.
  Status read_rows(EventReader& reader, Importer* importer) {
    const Interrupt interrupt;
    Progress progress;
    CountingSink sink(source_.options.now);
    while (true) {
      const bool is_past = report_.rows < report_.resumed_at;
      sink.set_importer(is_past ? nullptr : importer);
      TRY(const auto what, reader.next(sink));
      if (what == EventReader::Next::kEnd) break;
      ++report_.rows;
      bool is_good = what == EventReader::Next::kRow;
      if (!is_good) TRY_OK(note_bad(reader.bad(), reader.bad_text()));
      if (const auto fault = sink.take_fault()) {
        is_good = false;
        TRY_OK(
            note_bad({.line = report_.rows, .column = fault->field, .reason = fault->message}, ""));
      }
      report_.accepted += is_good ? 1 : 0;
      if (importer && !is_past) TRY_OK(importer->end_row(is_good));
      if (report_.rows % kRowsALook != 0) continue;
      progress.show(options_.is_dry_run ? "checked" : "read", reader.bytes(), report_.rows);
      if (Interrupt::is_asked()) {
        progress.end();
        return Error{Code::kUnavailable, fmt::format("stopped at row {}", report_.rows), "",
                     "the same command goes on where the journal ends"};
      }
    }
    progress.end();
    report_.without_person = reader.rows_without_person();
    report_.persons = sink.persons();
    report_.items = sink.items();
    report_.events = sink.events();
    report_.seconds = seconds_since(begin_);
    const Status written = bad_.finish();
    report_.bad_file = bad_.path();
    return written;
  }

  const FileImportOptions& options_;
  FileImportReport& report_;
  Source source_;
  BadRowFile bad_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{Code::kNotFound, "cannot read the mapping file " + path, "map_file",
                 "docs/reference/import-file.md shows one"};
  }
  return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<TableOptions> table_options(const FileImportOptions& options) {
  TableOptions out;
  out.format = options.format == "jsonl" ? TableFormat::kJsonl : TableFormat::kDelimited;
  TRY(out.delimiter, parse_delimiter(options.delimiter));
  TRY(out.encoding, parse_encoding(options.encoding));
  if (!options.header.empty()) out.has_header = options.header == "yes";
  return out;
}

}  // namespace

Result<EventFileOptions> event_file_options(const FileImportOptions& options) {
  EventFileOptions out;
  if (!options.map_file.empty()) {
    TRY(const std::string text, read_text(options.map_file));
    TRY(out.mapping, parse_mapping(text, options.map_file));
  }
  for (const std::string& one : options.map) TRY_OK(add_columns(one, out.mapping));
  if (!options.verb.empty()) {
    TRY(const Verb verb, verb_named(options.verb));
    out.mapping.verb = verb;
  }
  if (!options.time_format.empty()) {
    TRY(out.mapping.time_format, time_format_named(options.time_format));
  }
  if (!options.traits.empty()) out.mapping.traits = options.traits;
  if (!options.keep.empty()) out.mapping.keep = options.keep;
  const bool is_table = options.format == "csv" || options.format == "jsonl";
  if (is_table) {
    TRY(out.table, table_options(options));
  } else if (!options.delimiter.empty() || !options.encoding.empty() || !options.header.empty()) {
    return Error{Code::kInvalid, options.format + " files look one way only", "delimiter",
                 "leave --delimiter, --encoding and --header out"};
  }
  return out;
}

Status import_file(const FileImportOptions& options, FileImportReport& report) {
  const Status done = Run(options, report).run();
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  report.peak_memory_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return done;
}

}  // namespace attune
