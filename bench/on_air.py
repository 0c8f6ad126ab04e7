"""What an update puts on the link, by the schemas and the framing of docs/protocol.md: bytes both ways.

Computed, not measured: the order, the manifest, requests and records layer by layer, credit and reports, each message in a
frame, and each burst of frames in TLS records. IP and TCP come on top; keep-alive and the application's log are not counted.
`bench/on_air_measured.py` counts the same on the real link.
"""
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[1] / "src"

FRAME_HEADER = 4
CHUNK = 1900                 # src/cloud/link/blob_sender.h
TLS_RECORD, TLS_OVERHEAD = 2048, 5 + 1 + 16  # bytes of content; header, type and tag (RFC 8446, section 5.2)
CREDIT_FRAME, CREDIT_AFTER = FRAME_HEADER + 4, 4096  # half of the blob stream's first credit
SEGMENT, LAYER = 32 << 10, 64 << 10
HASH = bytes(range(32))


def schemas():
    """The generated modules (link, manifest)."""
    folder = tempfile.mkdtemp(prefix="mv-on-air-")
    subprocess.run(["protoc", "-I", SCHEMAS, f"--python_out={folder}"] +
                   [str(SCHEMAS / f"wire/proto/{name}.proto") for name in ("keys", "link", "manifest")], check=True)
    sys.path.insert(0, folder)
    return importlib.import_module("wire.proto.link_pb2"), importlib.import_module("wire.proto.manifest_pb2")


link, manifest_pb2 = schemas()


def burst(*messages):
    """Bytes of messages that are sent at once."""
    content = sum(FRAME_HEADER + message.ByteSize() for message in messages)
    return content + TLS_OVERHEAD * -(-content // TLS_RECORD)


def layers_of(segments):
    """The segments (of an image that is one area) by layer."""
    each = LAYER // SEGMENT
    return [segments[at:at + each] for at in range(0, len(segments), each)]


def manifest_bytes(segments):
    body = manifest_pb2.AppBody()
    for number, layer in enumerate(layers_of(segments)):
        size = sum(segment["size"] for segment in layer)
        written = body.layers.add(fetch_hash=HASH, measurement_hash=HASH, segment_size=SEGMENT, content_size=size,
                                  segment_hashes=[HASH] * len(layer))
        written.target.internal_flash.start, written.target.internal_flash.size = number * LAYER, LAYER
    body.info.name, body.info.version, body.info.git_revision = "application", "1.4.3", "a1b2c3d"
    body.info.board, body.info.build_id, body.info.syscall_abi = "mps2-an505", HASH[:20], 1
    return manifest_pb2.OpaqueManifest(signer_id=1 << 63, body=body.SerializeToString(), signature=HASH * 2).SerializeToString()


def chunks(data, **fields):
    """The BlobChunks that carry `data`."""
    return [link.BlobChunk(request=9, offset=at, data=data[at:at + CHUNK], total=len(data), **fields)
            for at in range(0, len(data), CHUNK)]


def report(state, done, total):
    return link.DeviceControl(app_report=link.AppReport(state=state, running_hash=HASH, target_hash=HASH, generation=100,
                                                        bytes_done=done, bytes_total=total, bytes_received=done // 50))


def layer_bytes(number, layer):
    """A device asks for what it has not at its own place already."""
    wanted = [index for index, segment in enumerate(layer) if segment["kind"] != "same"]
    if not wanted:
        return 0
    request = link.BlobRequest(request=9, segments=link.SegmentRequest(
        manifest=HASH, layer=number, wanted=sum(1 << index for index in wanted), **{"from": HASH}))
    records = [chunk for index in wanted for chunk in chunks(bytes(layer[index]["bytes"]), segment=index)]
    down = burst(*records)
    return burst(request) + down + down // CREDIT_AFTER * (CREDIT_FRAME + TLS_OVERHEAD)


def update_bytes(segments):
    """Both ways, for the segments of an image: [{size, kind, bytes}]."""
    total = sum(segment["size"] for segment in segments)
    manifest = manifest_bytes(segments)
    order = link.CloudControl(desired=link.Desired(generation=100, manifest_hash=HASH, manifest_size=len(manifest),
                                                   app_id="KA" + "0" * 32, logging_enabled=True))
    asked = link.BlobRequest(request=9, hash=HASH, length=len(manifest))
    layers = layers_of(segments)
    states = [link.APP_DOWNLOADING] * (1 + len(layers)) + [link.APP_STAGED, link.APP_INSTALLING, link.APP_RUNNING]
    return (burst(order) + burst(asked) + burst(*chunks(manifest)) + sum(burst(report(state, total, total)) for state in states) +
            sum(layer_bytes(number, layer) for number, layer in enumerate(layers)))
