// `attune items import`.
#include "cli/items.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/item_merge.h"
#include "cli/item_store.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "cli/vector_rows.h"

namespace attune {
namespace {

constexpr std::size_t kMostBadSaid = 20;
constexpr std::size_t kBar = 30;

Time wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

class Progress {
 public:
  void show(std::string_view what, double done, double all, std::uint64_t items) {
    if (!screen_.is_due() || all <= 0) return;
    screen_.draw({fmt::format(" {} {:3.0f} %   {} {} items", bar(done, all, kBar),
                              100 * std::min(1.0, done / all), what, items)});
  }
  void end() {
    if (screen_.is_live()) screen_.erase();
  }

 private:
  Screen screen_;
};

Result<TableOptions> table_options(const ImportOptions& options) {
  TableOptions table;
  TRY(table.delimiter, parse_delimiter(options.delimiter));
  TRY(table.encoding, parse_encoding(options.encoding));
  table.format = item_format_of(options.file);
  if (options.format == "csv") table.format = TableFormat::kDelimited;
  if (options.format == "jsonl") table.format = TableFormat::kJsonl;
  return table;
}

Result<std::unique_ptr<ItemRows>> open_rows(const ImportOptions& options) {
  TRY(const TableOptions table, table_options(options));
  TRY(auto bytes, ByteSource::open(options.file));
  if (!options.ids.empty()) {
    TRY(auto ids, ByteSource::open(options.ids));
    return open_vector_rows(std::move(bytes), std::move(ids), wall_now());
  }
  if (options.file.ends_with(".npy")) {
    return Error{Code::kInvalid, options.file + ": which items its rows are of is not said", "ids",
                 "--ids FILE, one id a line, in the order of the rows"};
  }
  return ItemRows::open(std::move(bytes), table, wall_now());
}

void note_bad(ImportReport& report, BadRow bad) {
  ++report.bad;
  if (report.first_bad.size() < kMostBadSaid) report.first_bad.push_back(std::move(bad));
}

Result<std::vector<ItemRow>> read_all(const ImportOptions& options, Progress& progress,
                                      ImportReport& report) {
  TRY(const auto rows, open_rows(options));
  report.note = rows->note();
  std::vector<ItemRow> all;
  while (true) {
    TRY(auto row, rows->next());
    if (!row) return all;
    ++report.rows;
    if (row->good) {
      all.push_back(std::move(*row->good));
    } else {
      note_bad(report, std::move(row->bad));
    }
    progress.show("checked", static_cast<double>(rows->bytes().taken()),
                  static_cast<double>(rows->bytes().size()), report.rows);
  }
}

// Stores the items in as many parts as their bytes ask for.
Status put_all(ItemStore& store, std::span<const std::string> items) {
  while (!items.empty()) {
    std::size_t count = 0, bytes = 0;
    while (count < items.size()) {
      bytes += items[count].size() + 1;
      if (count > 0 && bytes > store.batch_size().bytes) break;
      ++count;
    }
    TRY_OK(store.put(items.first(count)));
    items = items.subspan(count);
  }
  return ok_status();
}

Status store_batch(ItemStore& store, std::span<const ItemRow> batch, ImportReport& report) {
  TRY(const std::vector<std::string> known, store.known(batch));
  std::vector<std::string> wanted;
  std::uint64_t created = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::string item = merged_item(batch[i], known[i]);
    if (item == known[i]) continue;
    created += known[i].empty();
    wanted.push_back(std::move(item));
  }
  TRY_OK(put_all(store, wanted));
  report.created += created;
  report.changed += wanted.size() - created;
  report.unchanged += batch.size() - wanted.size();
  return ok_status();
}

Status store_all(const ImportOptions& options, std::span<const ItemRow> rows, Progress& progress,
                 ImportReport& report) {
  TRY(const auto store, options.server.empty() ? ItemStore::of_workspace(options.workspace)
                                               : ItemStore::of_server(options.server, options.key));
  std::span<const ItemRow> left = rows;
  while (!left.empty()) {
    const auto batch = left.first(std::min(left.size(), store->batch_size().items));
    TRY_OK(store_batch(*store, batch, report));
    left = left.subspan(batch.size());
    const std::size_t done = rows.size() - left.size();
    progress.show("stored", static_cast<double>(done), static_cast<double>(rows.size()), done);
  }
  return store->close();
}

Status check_options(const ImportOptions& options) {
  if (!options.workspace.empty() && !options.server.empty()) {
    return Error{Code::kInvalid, "--workspace and --server are both given", "",
                 "name the one place to import to"};
  }
  if (options.is_dry_run || !options.workspace.empty() || !options.server.empty()) {
    return ok_status();
  }
  return Error{Code::kInvalid, "where to import to is not named", "",
               "--workspace DIR for a stopped workspace, --server URL for a running one"};
}

Status run_import(const ImportOptions& options, Progress& progress, ImportReport& report) {
  TRY_OK(check_options(options));
  TRY(const std::vector<ItemRow> rows, read_all(options, progress, report));
  if (report.bad != 0 && !options.is_skipping_bad) {
    return Error{Code::kCorrupt,
                 fmt::format("{}: {} of {} rows are bad: nothing is imported", options.file,
                             report.bad, report.rows),
                 "", "mend them, or let --skip-bad-rows import the others"};
  }
  if (options.is_dry_run) return ok_status();
  return store_all(options, rows, progress, report);
}

void say_bad(const ImportReport& report) {
  for (const BadRow& bad : report.first_bad) {
    std::fprintf(stderr, "line %llu%s%s: %s\n", static_cast<unsigned long long>(bad.line),
                 bad.column.empty() ? "" : ", column ", bad.column.c_str(), bad.reason.c_str());
  }
  if (report.bad > report.first_bad.size()) {
    std::fprintf(stderr, "and %llu more bad rows\n",
                 static_cast<unsigned long long>(report.bad - report.first_bad.size()));
  }
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string sentence(const ImportOptions& options, const ImportReport& report) {
  const std::string bad =
      report.bad == 0 ? "" : fmt::format(", {} left out", counted(report.bad, "bad row"));
  const std::string good = counted(report.rows - report.bad, "item");
  if (options.is_dry_run) return fmt::format("{} checked{}; nothing is stored", good, bad);
  if (report.created + report.changed == 0) return fmt::format("unchanged: {}{}", good, bad);
  return fmt::format("{}: {} new, {} changed, {} unchanged{}", good, report.created, report.changed,
                     report.unchanged, bad);
}

Status import_and_say(const ImportOptions& options) {
  ImportReport report;
  Status done = import_items(options, report);
  if (!report.note.empty()) {
    std::fprintf(stderr, "%s: %s\n", options.file.c_str(), report.note.c_str());
  }
  say_bad(report);
  if (options.is_json) {
    std::printf("%s\n", report_json(report, options.is_dry_run).c_str());
  } else if (done.ok()) {
    std::printf("%s\n", sentence(options, report).c_str());
  }
  return done;
}

void add_items_import(Command& items, Action& chosen) {
  const auto options = std::make_shared<ImportOptions>();
  Command* command = add_command(
      items, "Commands", "import",
      "Stores items from a CSV file (the first line names the columns; id is needed; category, "
      "tags "
      "parted by |, price, created, is_hidden and vector are fields, all others attributes) or "
      "JSONL "
      "(one item a line), plain, gzip or zstd; delimiter and encoding are guessed. Nothing is "
      "stored "
      "while a row is bad; the same file again changes nothing",
      "attune items import shop.csv --workspace shop                   a stopped workspace\n"
      "attune items import shop.jsonl --server http://127.0.0.1:8090   key in ATTUNE_ADMIN_KEY\n"
      "attune items import vectors.npy --ids ids.txt --workspace shop  what a model says of them\n"
      "attune items import shop.csv --dry-run                          only check");
  command->add_option("file", options->file, "CSV, JSONL or .npy file, or - for standard input")
      ->required();
  command->add_option("--workspace", options->workspace, "folder of a stopped workspace");
  command->add_option("--server", options->server, "address of a running server");
  command
      ->add_option("--format", options->format,
                   "csv or jsonl; by the file's name or its text if not given")
      ->check(one_of({"csv", "jsonl"}));
  command->add_option("--ids", options->ids,
                      "ids of the rows of a .npy file of vectors, one a line");
  command->add_option("--delimiter", options->delimiter, "one character, or tab; guessed");
  command->add_option("--encoding", options->encoding,
                      "utf-8, utf-16le, utf-16be, gbk or latin-1; guessed");
  command->add_flag("--skip-bad-rows", options->is_skipping_bad, "import the good rows");
  command->add_flag("--dry-run", options->is_dry_run, "check the rows, store nothing");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] {
    if (const char* key = std::getenv("ATTUNE_ADMIN_KEY")) options->key = key;
    chosen = [options] { return import_and_say(*options); };
  });
}

}  // namespace

Status import_items(const ImportOptions& options, ImportReport& report) {
  const auto begin = std::chrono::steady_clock::now();
  Progress progress;
  Status done = run_import(options, progress, report);
  progress.end();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return done;
}

std::string report_json(const ImportReport& report, bool is_dry_run) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("rows", report.rows).field("bad_rows", report.bad);
  json.field("created", report.created).field("changed", report.changed);
  json.field("unchanged", report.unchanged).field("is_dry_run", is_dry_run);
  json.field("seconds", report.seconds);
  json.field("rows_per_second",
             report.seconds > 0 ? static_cast<double>(report.rows) / report.seconds : 0.0);
  json.key("errors").begin_array();
  for (const BadRow& bad : report.first_bad) {
    json.begin_object().field("line", bad.line).field("column", bad.column);
    json.field("reason", bad.reason).end_object();
  }
  json.end_array().end_object();
  return out;
}

void add_items(Command& app, Action& chosen) {
  Command* items = add_command(app, kOperateGroup, "items", "Items of the catalog",
                               "attune items import shop.csv --workspace shop");
  items->require_subcommand(1);
  add_items_import(*items, chosen);
}

}  // namespace attune
