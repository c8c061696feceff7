#include <fmt/format.h>
#include <sqlite3.h>

#include <mutex>
#include <optional>

#include "profile/store.h"

namespace attune {
namespace {

constexpr int kFormat = 1;  // PRAGMA user_version
constexpr char kSchema[] =
    "CREATE TABLE IF NOT EXISTS profile(identity INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS fold(name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS position(id INTEGER PRIMARY KEY CHECK (id = 0), at INTEGER);"
    "PRAGMA user_version = 1;";

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

sqlite3_int64 signed_of(Surrogate s) { return static_cast<sqlite3_int64>(raw(s)); }

std::string_view blob_of(sqlite3_stmt* statement, int column) {
  const void* bytes = sqlite3_column_blob(statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  return bytes ? std::string_view(static_cast<const char*>(bytes), size) : std::string_view();
}

void bind_blob(sqlite3_stmt* statement, int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

// Of a file that nobody changes: no lock is taken and no file made beside it.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

class SqliteStore final : public ProfileStore {
 public:
  SqliteStore(std::string path, bool is_read_only)
      : path_(std::move(path)), is_read_only_(is_read_only) {}

  Status open() {
    TRY(writer_, connect());
    TRY(const int format, number(writer_.get(), "PRAGMA user_version"));
    if (format > kFormat) {
      return Error{Code::kInvalid,
                   fmt::format("{} has store format {}; this program reads up to format {}", path_,
                               format, kFormat),
                   {},
                   "start a newer version of attune"};
    }
    if (format == 0 && !is_read_only_) TRY_OK(execute(kSchema));
    TRY(reader_, connect());
    TRY(position_, read_position());
    TRY(load_, prepare(reader_, "SELECT bytes FROM profile WHERE identity = ?1"));
    TRY(load_fold_, prepare(reader_, "SELECT bytes FROM fold WHERE name = ?1"));
    if (is_read_only_) return ok_status();
    TRY(put_, prepare(writer_,
                      "INSERT INTO profile VALUES(?1, ?2) "
                      "ON CONFLICT(identity) DO UPDATE SET bytes = ?2"));
    TRY(remove_, prepare(writer_, "DELETE FROM profile WHERE identity = ?1"));
    TRY(put_fold_, prepare(writer_, "INSERT OR REPLACE INTO fold VALUES(?1, ?2)"));
    TRY(put_position_, prepare(writer_, "INSERT OR REPLACE INTO position VALUES(0, ?1)"));
    return ok_status();
  }

  Position position() const override {
    const std::lock_guard lock(mutex_);
    return position_;
  }

  Result<std::string> load(Surrogate identity) override {
    const std::lock_guard lock(mutex_);
    sqlite3_bind_int64(load_.get(), 1, signed_of(identity));
    return first_blob(load_.get());
  }

  Result<std::string> load_fold(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    sqlite3_bind_text(load_fold_.get(), 1, name.data(), static_cast<int>(name.size()),
                      SQLITE_STATIC);
    return first_blob(load_fold_.get());
  }

  Status each(const std::function<Status(Surrogate, std::string_view)>& visit) override {
    TRY(const Database database, connect());
    TRY(const Statement rows, prepare(database, "SELECT identity, bytes FROM profile"));
    int step = sqlite3_step(rows.get());
    for (; step == SQLITE_ROW; step = sqlite3_step(rows.get())) {
      const Surrogate identity{static_cast<std::uint64_t>(sqlite3_column_int64(rows.get(), 0))};
      TRY_OK(visit(identity, blob_of(rows.get(), 1)));
    }
    return step == SQLITE_DONE ? ok_status() : Status(failure(database.get(), "read"));
  }

  Status begin() override { return execute("BEGIN IMMEDIATE"); }

  Status put(Surrogate identity, std::string_view bytes) override {
    sqlite3_stmt* const statement = bytes.empty() ? remove_.get() : put_.get();
    sqlite3_bind_int64(statement, 1, signed_of(identity));
    if (!bytes.empty()) bind_blob(statement, 2, bytes);
    return run(statement);
  }

  Status put_fold(std::string_view name, std::string_view bytes) override {
    sqlite3_bind_text(put_fold_.get(), 1, name.data(), static_cast<int>(name.size()),
                      SQLITE_STATIC);
    if (bytes.empty()) {
      sqlite3_bind_zeroblob(put_fold_.get(), 2, 0);
    } else {
      bind_blob(put_fold_.get(), 2, bytes);
    }
    return run(put_fold_.get());
  }

  Status finish(Position position) override {
    sqlite3_bind_int64(put_position_.get(), 1, static_cast<sqlite3_int64>(position));
    TRY_OK(run(put_position_.get()));
    TRY_OK(execute("COMMIT"));
    const std::lock_guard lock(mutex_);
    position_ = position;
    return ok_status();
  }

  void abandon() override {
    if (sqlite3_get_autocommit(writer_.get()) == 0) (void)execute("ROLLBACK");
  }

  Status copy_to(const std::string& path) override {
    TRY(const Database database, connect());
    TRY(const Statement vacuum, prepare(database, "VACUUM INTO ?1"));
    sqlite3_bind_text(vacuum.get(), 1, path.c_str(), -1, SQLITE_STATIC);
    const int step = sqlite3_step(vacuum.get());
    return step == SQLITE_DONE ? ok_status() : Status(failure(database.get(), "copy"));
  }

 private:
  Result<Database> connect() const {
    sqlite3* raw_database = nullptr;
    const int access =
        is_read_only_ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int flags = access | SQLITE_OPEN_NOMUTEX | (is_read_only_ ? SQLITE_OPEN_URI : 0);
    const std::string name = is_read_only_ ? immutable_uri(path_) : path_;
    const int status = sqlite3_open_v2(name.c_str(), &raw_database, flags, nullptr);
    Database database(raw_database);
    if (status != SQLITE_OK) return failure(database.get(), "open");
    if (is_read_only_) return database;
    sqlite3_busy_timeout(database.get(), 10'000);
    // FULL: a commit is on disk when it returns. A small cache: the system's page cache does more.
    const char* const settings =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
        "PRAGMA cache_size = -4096; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 4000;";
    if (sqlite3_exec(database.get(), settings, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return failure(database.get(), "open");
    }
    return database;
  }

  Error failure(sqlite3* database, std::string_view verb) const {
    const int code = database ? sqlite3_errcode(database) : SQLITE_NOMEM;
    const std::string why = database ? sqlite3_errmsg(database) : "out of memory";
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
      return {Code::kCorrupt,
              fmt::format("{} is damaged: {}", path_, why),
              {},
              "remove it to rebuild it from the journal, or restore the workspace from a backup"};
    }
    return {Code::kUnavailable,
            fmt::format("cannot {} {}: {}", verb, path_, why),
            {},
            code == SQLITE_FULL ? "free some space" : "check the disk and the permissions"};
  }

  Status execute(const char* sql) {
    if (sqlite3_exec(writer_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK)
      return ok_status();
    return failure(writer_.get(), "write");
  }

  Status run(sqlite3_stmt* statement) {
    const int step = sqlite3_step(statement);
    Status status = step == SQLITE_DONE ? ok_status() : failure(writer_.get(), "write");
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
  }

  Result<Statement> prepare(const Database& database, const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
      return failure(database.get(), "read");
    }
    return Statement(statement);
  }

  Result<std::string> first_blob(sqlite3_stmt* statement) {
    const int step = sqlite3_step(statement);
    std::string bytes;
    if (step == SQLITE_ROW) bytes = blob_of(statement, 0);
    const bool is_read = step == SQLITE_ROW || step == SQLITE_DONE;
    const Status status = is_read ? ok_status() : Status(failure(reader_.get(), "read"));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    TRY_OK(status);
    return bytes;
  }

  Result<int> number(sqlite3* database, const char* sql) const {
    sqlite3_stmt* raw_statement = nullptr;
    if (sqlite3_prepare_v2(database, sql, -1, &raw_statement, nullptr) != SQLITE_OK) {
      return failure(database, "read");
    }
    const Statement statement(raw_statement);
    if (sqlite3_step(statement.get()) != SQLITE_ROW) return failure(database, "read");
    return sqlite3_column_int(statement.get(), 0);
  }

  Result<Position> read_position() {
    TRY(const Statement statement, prepare(reader_, "SELECT at FROM position"));
    const int step = sqlite3_step(statement.get());
    if (step == SQLITE_DONE) return Position{0};
    if (step != SQLITE_ROW) return failure(reader_.get(), "read");
    return static_cast<Position>(sqlite3_column_int64(statement.get(), 0));
  }

  const std::string path_;
  const bool is_read_only_;
  Database writer_, reader_;  // before their statements: closed after them
  Statement put_, remove_, put_fold_, put_position_;
  mutable std::mutex mutex_;  // reader_, its statements, position_
  Statement load_, load_fold_;
  Position position_ = 0;
};

}  // namespace

Result<std::unique_ptr<ProfileStore>> open_sqlite_store(const std::string& path) {
  auto store = std::make_unique<SqliteStore>(path, false);
  TRY_OK(store->open());
  return std::unique_ptr<ProfileStore>(std::move(store));
}

Result<std::unique_ptr<ProfileStore>> open_sqlite_reader(const std::string& path) {
  auto store = std::make_unique<SqliteStore>(path, true);
  TRY_OK(store->open());
  return std::unique_ptr<ProfileStore>(std::move(store));
}

}  // namespace attune
