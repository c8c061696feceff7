#include "cli/model_output.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "model/model_file.h"

namespace attune {

Result<std::string> replaced_model(const std::string& path) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) return std::string();
  const auto refuse = [&](std::string_view what) {
    return Error{Code::kConflict, fmt::format("{}: {}, it is not replaced by a model", path, what),
                 "output", "name another file with --output"};
  };
  if (!std::filesystem::is_regular_file(status)) return refuse("it is no regular file");
  if (std::filesystem::file_size(path, fault) == 0) return std::string();
  if (const auto model = ModelFile::open(path); model.ok()) return model->id();
  std::string head(kModelMagic.size(), '\0');
  std::ifstream(path, std::ios::binary)
      .read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head == kModelMagic) return std::string("a model that cannot be read");
  return refuse("it holds something else than a model");
}

}  // namespace attune
