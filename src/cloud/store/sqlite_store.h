// Store on one SQLite file.
#pragma once

#include <memory>
#include <string>

#include "cloud/store/sqlite.h"
#include "cloud/store/store.h"

namespace mv::cloud {

// Opens the file, makes it or brings its schema up to date.
Stored<std::unique_ptr<Store>> open_sqlite_store(const std::string& path);

}  // namespace mv::cloud
