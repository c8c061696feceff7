#include "api/options.h"

namespace attune {

void bind(ApiOptions& options, Config& config) {
  config.number("api.requests_per_s", options.requests_per_s, {0, 1e9}, "1/s",
                "Requests of one key, over which it is answered 429; 0 = no limit. Admin keys have "
                "none.");
  config.number("api.events_per_s", options.events_per_s, {0, 1e9}, "1/s",
                "Events of one key, over which it is answered 429; 0 = no limit. Admin keys have "
                "none.");
  config.number("api.rate_burst_s", options.rate_burst_s, {0.1, 3600}, "s",
                "So many seconds' worth of requests or events may come at once.");
  config.text("api.cors_origins", options.cors_origins, "origins",
              "Origins whose pages may send events, as https://shop.example, separated by spaces; "
              "* = any.");
  config.text("api.backup_folder", options.backup_folder, "folder",
              "Folder that POST /api/v1/backup may write to; empty = it is refused.");
}

}  // namespace attune
