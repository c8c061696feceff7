// ColumnScan: what each column of a table says of the label by itself, to find the ones that give
// it away. Fed row by row; one thread. Memory: 8 bytes a cell of a numeric column, and at most
// kMostValues values of a text column.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace attune {

struct ColumnFinding {
  std::string column;
  // AUC of the column alone, either way round: 0.5 = says nothing. Text: by the label's rate of
  // each value in the other half of the rows. nullopt: constant, missing, too many values.
  std::optional<double> auc;
  std::uint64_t missing = 0;
  bool is_constant = false;   // one value in all rows that have one
  bool equals_label = false;  // its values and the labels are one to one
};

class ColumnScan {
 public:
  static constexpr std::size_t kMostValues = 100'000;
  // is_number: parallel to columns.
  ColumnScan(std::vector<std::string> columns, std::vector<bool> is_number);
  // cells: parallel to columns.
  void add(std::span<const std::string_view> cells, bool label);
  std::vector<ColumnFinding> findings() const;

 private:
  struct Tally {
    // Rows of even and odd number: [half][label].
    std::uint32_t rows[2][2] = {};
  };
  struct Column {
    std::string name;
    bool is_number = false;
    bool is_over = false;  // too many values
    std::uint64_t missing = 0;
    std::vector<std::pair<float, bool>> numbers;
    std::unordered_map<std::string, Tally> values;
  };
  ColumnFinding finding(const Column& column) const;

  std::vector<Column> columns_;
  std::uint64_t rows_ = 0, positives_ = 0;
};

struct LeakWarning {
  std::string column;
  std::string message;  // "duration alone gives AUC 0.81 ...: is it known before the outcome?"
};

// What is too good to be known beforehand: alone above 0.99, equal to the label, or far stronger
// than everything else, or of a name that speaks of an end and strong.
std::vector<LeakWarning> find_leaks(std::span<const ColumnFinding> findings);

}  // namespace attune
