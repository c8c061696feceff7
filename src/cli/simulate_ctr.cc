// `attune simulate ctr`: CTR data v1 as files for learners.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "simulate/ctr_text.h"
#include "stat/metrics.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBar = 30;
constexpr std::size_t kBytesPerWrite = 1 << 18;
constexpr std::uint64_t kRowsPerDraw = 1 << 12;

struct CtrOptions {
  std::uint64_t seed = 1;
  std::uint64_t rows = 1'000'000;
  std::uint64_t test_rows = 0;
  std::string out;
  std::vector<std::string> formats = {"tsv", "vw", "ffm"};
  bool is_json = false;
};

using Append = void (*)(const CtrRow&, std::string&);
struct Form {
  std::string_view name;
  Append append;
};
constexpr Form kForms[] = {{"tsv", append_criteo}, {"vw", append_vw}, {"ffm", append_libffm}};

// A file of rows in one form, written a quarter of a megabyte at a time.
class RowFile {
 public:
  RowFile(std::string path, Append append) : path_(std::move(path)), append_(append) {}
  Status open() {
    file_.reset(std::fopen(path_.c_str(), "wb"));
    return file_ ? ok_status() : failed();
  }
  Status write(const CtrRow& row) {
    append_(row, text_);
    return text_.size() < kBytesPerWrite ? ok_status() : flush();
  }
  Status close() {
    TRY_OK(flush());
    return std::fclose(file_.release()) == 0 ? ok_status() : failed();
  }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Status flush() {
    const bool is_done = std::fwrite(text_.data(), 1, text_.size(), file_.get()) == text_.size();
    text_.clear();
    return is_done ? ok_status() : failed();
  }
  Status failed() const {
    return Error{Code::kUnavailable, "cannot write " + path_, "out",
                 "name a folder you may write to, on a disk with room"};
  }
  std::string path_;
  Append append_;
  std::string text_;
  std::unique_ptr<std::FILE, Close> file_;
};

// Rows [begin, end) in all forms and the truth beside; the measures are the truth's own.
struct Part {
  std::uint64_t begin = 0, end = 0;
  std::vector<RowFile> files = {};
  ProgressiveMetrics truth = {};
};

Part make_part(const CtrOptions& options, bool is_test) {
  const fs::path folder(options.out);
  Part part{.begin = is_test ? options.rows : 0,
            .end = options.rows + (is_test ? options.test_rows : 0)};
  for (const Form& form : kForms) {
    if (std::find(options.formats.begin(), options.formats.end(), form.name) ==
        options.formats.end()) {
      continue;
    }
    const std::string name = fmt::format("{}.{}", is_test ? "test" : "train", form.name);
    part.files.emplace_back(folder / name, form.append);
  }
  part.files.emplace_back(folder / (is_test ? "test_truth.txt" : "truth.txt"), append_truth);
  return part;
}

Status write_part(const CtrWorld& world, const CtrOptions& options, Screen& screen, Part& part) {
  for (RowFile& file : part.files) TRY_OK(file.open());
  const std::uint64_t all = options.rows + options.test_rows;
  for (std::uint64_t k = part.begin; k < part.end; ++k) {
    const CtrRow row = world.row(k);
    part.truth.add(row.p, row.click);
    for (RowFile& file : part.files) TRY_OK(file.write(row));
    if (k % kRowsPerDraw == 0 && screen.is_due()) {
      screen.draw({fmt::format(" {} {} of {} rows", bar(double(k), double(all), kBar), k, all)});
    }
  }
  for (RowFile& file : part.files) TRY_OK(file.close());
  return ok_status();
}

std::string report_json(const CtrOptions& options, const std::vector<Part>& parts) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("ctr", 1).field("seed", options.seed).field("rows", options.rows);
  json.field("test_rows", options.test_rows).key("files").begin_array();
  for (const Part& part : parts) {
    for (const RowFile& file : part.files) json.value(file.path());
  }
  json.end_array().key("truth").raw(parts[0].truth.json());
  if (parts.size() > 1) json.key("test_truth").raw(parts[1].truth.json());
  json.end_object();
  return out;
}

Status simulate_ctr(const CtrOptions& options) {
  std::error_code error;
  fs::create_directories(options.out, error);
  if (error) {
    return Error{Code::kUnavailable,
                 fmt::format("cannot make the folder {}: {}", options.out, error.message()), "out",
                 "name a folder you may write to"};
  }
  const CtrWorld world(options.seed);
  Screen screen;
  std::vector<Part> parts;
  parts.push_back(make_part(options, false));
  if (options.test_rows > 0) parts.push_back(make_part(options, true));
  for (Part& part : parts) TRY_OK(write_part(world, options, screen, part));
  screen.erase();
  for (const Part& part : parts) {
    const auto number = [](std::optional<double> x) { return x ? fmt::format("{:.4f}", *x) : "-"; };
    screen.say(
        fmt::format("rows {} to {} in {}: base rate {}; the truth itself has AUC {}, log "
                    "loss {}",
                    part.begin, part.end, options.out, number(part.truth.base_rate()),
                    number(part.truth.auc()), number(part.truth.log_loss())));
  }
  if (options.is_json) std::printf("%s\n", report_json(options, parts).c_str());
  return ok_status();
}

}  // namespace

void add_simulate_ctr(Command& simulate, Action& chosen) {
  const auto options = std::make_shared<CtrOptions>();
  Command* command =
      add_command(simulate, "Commands", "ctr",
                  "CTR data 1: ad impressions in the manner of Criteo's, and their true chances",
                  "attune simulate ctr --rows 1000000 --test-rows 200000 --out ctr\n"
                  "attune simulate ctr --rows 1000000 --formats tsv --seed 2 --out ctr2");
  const Check any = range(std::uint64_t{0}, std::uint64_t{1'000'000'000});
  command->add_option("--seed", options->seed, "everything follows from it");
  command->add_option("--rows", options->rows, "rows to learn from: train.*, truth.txt")
      ->check(range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command
      ->add_option("--test-rows", options->test_rows, "the rows after them: test.*, test_truth.txt")
      ->check(any);
  command->add_option("--out", options->out, "folder for the files, made if there is none")
      ->required();
  command
      ->add_option("--formats", options->formats,
                   "with commas: tsv (Criteo), vw (Vowpal Wabbit), ffm (libffm)")
      ->delimiter(',')
      ->check(one_of({"tsv", "vw", "ffm"}));
  command->add_flag("--json", options->is_json, "a summary as one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return simulate_ctr(*options); }; });
}

}  // namespace attune
