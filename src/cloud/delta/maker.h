// Makes the records of an update from the bundles in the blob store.
#pragma once

#include "cloud/blob_store.h"
#include "cloud/delta/records.h"

namespace mv::cloud {

// Takes its time (seconds for a megabyte) and a multiple of both images in memory: for a worker thread. If the old
// bundle cannot be had any more, the records are made without an old image: they are correct, and larger.
//
// Errors: a sentence; the new bundle is not whole, or there is not enough memory.
Result<DeltaRecords> make_records(const BlobStore& blobs, const DeltaPair& pair);

}  // namespace mv::cloud
