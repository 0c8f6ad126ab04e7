"""mvcloud as a real process: devices over TLS with the device link's ALPN, people over HTTPS, and bad weather.

The devices are fake ones: the frames and messages of docs/protocol.md written from Python, on purpose not with the code
under test. Everything has a deadline.

usage: e2e_test.py MVCLOUD PROTO_ROOT
"""
import base64
import hashlib
import http.client
import importlib
import io
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import zipfile
from pathlib import Path

MVCLOUD, PROTO_ROOT = Path(sys.argv[1]), Path(sys.argv[2])
OPENAPI = PROTO_ROOT.parent / "docs/openapi.yaml"
OPEN, DATA, CREDIT, CLOSE, PING, PONG = 1, 2, 3, 4, 5, 6
CONTROL, BLOB, LOG, DEBUG = 0, 1, 2, 3
DEADLINE = 20

_generated = tempfile.TemporaryDirectory()
subprocess.run(["protoc", "-I", PROTO_ROOT, f"--python_out={_generated.name}"] +
               [str(PROTO_ROOT / f"wire/proto/{name}.proto") for name in ("keys", "link", "identity", "manifest")], check=True)
sys.path.insert(0, _generated.name)
link = importlib.import_module("wire.proto.link_pb2")
identity_pb2 = importlib.import_module("wire.proto.identity_pb2")
manifest_pb2 = importlib.import_module("wire.proto.manifest_pb2")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def raw_signature(der):
    """r || s of an ECDSA signature in DER."""
    def integer(at):
        length = der[at + 1]
        return int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"), at + 2 + length
    r, at = integer(2)
    s, _ = integer(at)
    return r + s


class SignerKey:
    def __init__(self, folder, name):
        self.file = folder / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.file)
        self.pem = openssl("pkey", "-in", self.file, "-pubout").decode()
        point = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-65:]
        self.id = int.from_bytes(hashlib.sha256(b"\0\0" + point).digest()[:8], "big")

    def sign(self, message):
        return raw_signature(openssl("dgst", "-sha256", "-sign", self.file, data=message))


def make_bundle(key, content, entry_name=None, version="1.0"):
    """A bundle of one layer. `entry_name` replaces the layer's name in the zip."""
    body = manifest_pb2.AppBody()
    layer = body.layers.add()
    layer.target.internal_flash.start = 0
    layer.target.internal_flash.size = 65536
    layer.fetch_hash = hashlib.sha256(content).digest()
    layer.measurement_hash = hashlib.sha256(content + b"\xff" * (65536 - len(content))).digest()
    layer.content_size = len(content)
    body.info.name, body.info.version, body.info.board = "counter", version, "mps2-an505"
    outer = manifest_pb2.OpaqueManifest()
    outer.signer_id, outer.body = key.id, body.SerializeToString()
    outer.signature = key.sign(b"twlo-mv-manifest-v1\0" + outer.body)
    manifest = outer.SerializeToString()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("manifest", manifest)
        archive.writestr(entry_name or layer.fetch_hash.hex(), content)
    return buffer.getvalue(), manifest


class Cloud:
    """mvcloud in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mvcloud-")
        self.home = Path(self.folder.name)
        context = self.home / "context.json"
        subprocess.run([MVCLOUD, "init", "--data", self.home / "data", "--listen", "127.0.0.1:0", "--context-out", context],
                       check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)
        assert context.stat().st_mode & 0o777 == 0o600
        self.context = json.loads(context.read_text())
        self.process = None
        self.port = 0

    def start(self):
        listen = f"127.0.0.1:{self.port}"
        self.log = open(self.home / "log", "ab")
        self.capture = self.home / "capture"
        self.process = subprocess.Popen([MVCLOUD, "serve", "--data", self.home / "data", "--listen", listen],
                                        env={**os.environ, "MVCLOUD_CAPTURE_DEBUG": str(self.capture)}, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r"listening on port (\d+)", line).group(1))

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        code = self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.log.close()
        return code

    def tls(self, alpn="http/1.1", certificate=None):
        context = ssl.create_default_context(cafile=self.context["ca_certificate"])
        context.set_alpn_protocols([alpn])
        if certificate:
            context.load_cert_chain(certificate)
        raw = socket.create_connection(("127.0.0.1", self.port), DEADLINE)
        return context.wrap_socket(raw, server_hostname="localhost")

    def request(self, method, path, body=None, headers=None, token=None):
        connection = http.client.HTTPConnection("localhost", timeout=DEADLINE)
        connection.sock = self.tls()
        headers = {"Authorization": f"Bearer {token or self.context['token']}", **(headers or {})}
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            return response.status, json.loads(data) if data else None
        except ValueError:
            return response.status, data

    def upload(self, bundle, name=None):
        parts = b""
        if name:
            parts += b'--XX\r\nContent-Disposition: form-data; name="UniqueName"\r\n\r\n' + name.encode() + b"\r\n"
        parts += b'--XX\r\nContent-Disposition: form-data; name="File"; filename="a.zip"\r\n\r\n' + bundle + b"\r\n--XX--\r\n"
        return self.request("POST", "/v1/Apps", parts, {"Content-Type": "multipart/form-data; boundary=XX"})


class Device:
    """A fake device on a real link."""

    def __init__(self, cloud, identity, hello=True, boot_id=7):
        self.identity = identity
        certificate = cloud.home / f"{identity.device_id}.pem"
        if not certificate.exists():
            certificate.write_text(ssl.DER_cert_to_PEM_cert(identity.certificate) + self.key_pem())
        self.socket = cloud.tls("mv-link/1", certificate)
        assert self.socket.selected_alpn_protocol() == "mv-link/1"
        self.socket.settimeout(DEADLINE)
        self.buffer = b""
        self.kept = []
        if hello:
            self.control(hello=link.Hello(protocol=1, device_id=identity.device_id, board="mps2-an505",
                                          microvisor_version="0.1.0", boot_id=boot_id))
            self.welcome = self.expect_control("welcome")

    def key_pem(self):
        # SEC1 ECPrivateKey (RFC 5915) of the scalar.
        oid = bytes.fromhex("a00a06082a8648ce3d030107")
        der = b"\x02\x01\x01\x04\x20" + self.identity.private_key + oid
        der = b"\x30" + bytes([len(der)]) + der
        return "-----BEGIN EC PRIVATE KEY-----\n" + base64.encodebytes(der).decode() + "-----END EC PRIVATE KEY-----\n"

    def frame(self, kind, stream, payload=b""):
        self.socket.sendall(struct.pack(">BBH", kind, stream, len(payload)) + payload)

    def control(self, **message):
        self.frame(DATA, CONTROL, link.DeviceControl(**message).SerializeToString())

    def receive(self):
        """The next frame; None if the cloud closed."""
        while True:
            if len(self.buffer) >= 4:
                kind, stream, length = struct.unpack(">BBH", self.buffer[:4])
                if len(self.buffer) >= 4 + length:
                    payload, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
                    if kind == PING:
                        self.frame(PONG, CONTROL, payload)
                        continue
                    if kind == DATA:
                        self.frame(CREDIT, stream, struct.pack(">I", length))
                    return kind, stream, payload
            try:
                more = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not more:
                return None
            self.buffer += more

    def expect(self, kind, stream):
        """The next frame of this kind; others are kept for later."""
        for index, frame in enumerate(self.kept):
            if frame[:2] == (kind, stream):
                return self.kept.pop(index)[2]
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            frame = self.receive()
            if frame is None:
                break
            if frame[:2] == (kind, stream):
                return frame[2]
            self.kept.append(frame)
        raise AssertionError(f"no frame {kind} on stream {stream} came, but {self.kept}")

    def expect_control(self, name):
        while True:
            message = link.CloudControl.FromString(self.expect(DATA, CONTROL))
            if message.WhichOneof("message") == name:
                return getattr(message, name)

    def expect_close(self):
        payload = self.expect(CLOSE, CONTROL)
        return struct.unpack(">H", payload[:2])[0], payload[2:].decode()

    def fetch(self, sha, length=1 << 20, offset=0):
        self.frame(DATA, BLOB, link.BlobRequest(request=1, hash=sha, offset=offset, length=length).SerializeToString())
        data = b""
        while True:
            chunk = link.BlobChunk.FromString(self.expect(DATA, BLOB))
            if chunk.missing:
                return None
            data += chunk.data
            if chunk.offset + len(chunk.data) >= min(chunk.total, offset + length):
                return data

    def close(self):
        self.socket.close()


class WebSocket:
    """A client of the debug stream (RFC 6455)."""

    def __init__(self, cloud, path):
        self.socket = cloud.tls()
        self.socket.settimeout(DEADLINE)
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Authorization: Bearer {cloud.context['token']}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(4096)
            if not more:
                break
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self.accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head

    def send(self, payload, opcode=2):
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def receive(self):
        """(opcode, payload) of the next frame."""
        while True:
            if len(self.buffer) >= 2:
                length, size = self.buffer[1] & 0x7F, 2
                if length == 126 and len(self.buffer) >= 4:
                    length, size = struct.unpack(">H", self.buffer[2:4])[0], 4
                if not (length == 126 and size == 2) and len(self.buffer) >= size + length:
                    opcode, payload = self.buffer[0] & 0xF, self.buffer[size:size + length]
                    self.buffer = self.buffer[size + length:]
                    return opcode, payload
            more = self.socket.recv(65536)
            if not more:
                return None, b""
            self.buffer += more

    def close(self):
        self.socket.close()


class CloudTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()
        cls.cloud.start()
        cls.key = SignerKey(cls.cloud.home, "dev")
        status, _ = cls.cloud.request("POST", "/v1/Signers", {"PublicKey": cls.key.pem, "Name": "dev"})
        assert status == 201

    @classmethod
    def tearDownClass(cls):
        assert cls.cloud.stop() == 0
        cls.cloud.folder.cleanup()

    def provision(self, name):
        status, device = self.cloud.request("POST", "/v1/Devices", {"UniqueName": name, "Board": "mps2-an505"})
        self.assertEqual(status, 201, device)
        identity = identity_pb2.Identity.FromString(base64.b64decode(device["identity"]))
        self.assertEqual(identity.device_id, device["sid"])
        self.assertEqual(len(identity.signer_keys), 1)
        return device["sid"], identity

    def sse(self, path, count, headers=None):
        """The first `count` events of a stream, as (id, event, data)."""
        connection = http.client.HTTPConnection("localhost", timeout=DEADLINE)
        connection.sock = self.cloud.tls()
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.cloud.context['token']}", **(headers or {})})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        events, fields = [], {}
        while count is None or len(events) < count:
            line = response.readline()
            if not line:
                break
            line = line.decode().rstrip("\n")
            if line == "" and "data" in fields:
                events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
            elif ": " in line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                fields[name] = value
        connection.close()
        return events

    def test_an_app_goes_from_upload_to_a_device_and_back(self):
        sid, identity = self.provision("porch")
        content = os.urandom(20_000)
        bundle, manifest = make_bundle(self.key, content)
        status, app = self.cloud.upload(bundle, "weather")
        self.assertEqual(status, 201, app)
        self.assertEqual(app["hash"], "sha256:" + hashlib.sha256(manifest).hexdigest())
        self.assertEqual(self.cloud.upload(bundle)[0], 200, "the same again is the app that is there")
        device = Device(self.cloud, identity)
        self.assertEqual(device.expect_control("desired").manifest_hash, b"")
        self.assertIsNone(device.fetch(hashlib.sha256(content).digest()), "only what is assigned may be fetched")
        self.assertEqual(self.cloud.request("POST", "/v1/Devices/porch", {"TargetApp": "weather"})[0], 202)
        desired = device.expect_control("desired")
        self.assertEqual((desired.manifest_hash, desired.manifest_size), (hashlib.sha256(manifest).digest(), len(manifest)))
        self.assertEqual(device.fetch(desired.manifest_hash), manifest)
        self.assertEqual(device.fetch(hashlib.sha256(content).digest()), content)
        self.assertEqual(device.fetch(hashlib.sha256(content).digest(), 5000, 10_000), content[10_000:15_000])
        self.assertEqual(self.cloud.request("GET", "/v1/Devices/porch")[1]["app"]["update_status"], "pending")
        device.control(app_report=link.AppReport(state=link.APP_RUNNING, running_hash=desired.manifest_hash,
                                                 generation=desired.generation))
        events = self.sse(f"/v1/Events?Device={sid}", 5)
        self.assertEqual([event[1] for event in events], ["provisioned", "connection", "boot", "target", "update"])
        _, state = self.cloud.request("GET", f"/v1/Devices/{sid[:12]}")
        self.assertEqual(state["app"]["update_status"], "up-to-date")
        self.assertEqual((state["connection"]["state"], state["state"]), ("online", "running"))
        self.assertEqual(self.cloud.request("DELETE", "/v1/Apps/weather")[0], 409)
        self.assertEqual(self.cloud.request("GET", f"/v1/Apps/{app['sid']}/Bundle")[1], bundle)
        self.assertEqual(base64.b64decode(self.cloud.request("GET", "/v1/Apps/weather/Manifest")[1]["encoded_bytes"]), manifest)
        device.close()

    def test_logs_are_stored_once_before_they_are_acknowledged(self):
        sid, identity = self.provision("logger")
        device = Device(self.cloud, identity)
        batch = link.LogBatch()
        for sequence, text in ((1, b"hello"), (2, b"bad \xff\xfe bytes")):
            batch.records.add(sequence=sequence, uptime_us=5, text=text)
        device.frame(DATA, LOG, batch.SerializeToString())
        self.assertEqual(device.expect_control("log_ack").sequence, 2)
        batch.records.add(sequence=3, text=b"third")
        device.frame(DATA, LOG, batch.SerializeToString())
        self.assertEqual(device.expect_control("log_ack").sequence, 3)
        logs = self.sse(f"/v1/Devices/{sid}/Logs?Follow=false", None)
        self.assertEqual([log[2]["sequence"] for log in logs], [1, 2, 3])
        self.assertEqual(logs[1][2]["text"], "bad \ufffd\ufffd bytes")
        rest = self.sse(f"/v1/Devices/{sid}/Logs", 1, {"Last-Event-ID": logs[1][0]})
        self.assertEqual(rest[0][2]["text"], "third")
        device.close()

    def test_a_crash_is_acknowledged_and_listed_once(self):
        sid, identity = self.provision("crasher")
        device = Device(self.cloud, identity)
        crash = link.CrashReport(number=4, reason="usage fault", registers=range(17), stack=b"\1\2")
        for _ in range(2):
            device.control(crash=crash)
            self.assertEqual(device.expect_control("crash_ack").number, 4)
        crashes = self.cloud.request("GET", f"/v1/Devices/{sid}/Crashes")[1]["crashes"]
        self.assertEqual([(c["number"], c["reason"], c["registers"]["pc"]) for c in crashes], [(4, "usage fault", 15)])
        url = crashes[0]["url"]
        self.assertEqual(self.cloud.request("GET", url), (200, crashes[0]))
        self.assertEqual(base64.b64decode(crashes[0]["stack"]), b"\1\2")
        other, _ = self.provision("no-crasher")
        for path in (url.replace(sid, other), url + "0", url + "x"):
            self.assertEqual(self.cloud.request("GET", path)[0], 404, path)
        device.close()

    def test_the_debug_stream_carries_bytes_both_ways_and_one_client(self):
        sid, identity = self.provision("debugged")
        path = f"/v1/Devices/{sid}/DebugStream"
        self.refused(path, 503)
        device = Device(self.cloud, identity)
        client = WebSocket(self.cloud, path)
        self.assertEqual((client.status, client.accept), (101, True))
        self.refused(path, 409)
        device.expect(OPEN, DEBUG)
        client.send(b"early")  # before the device accepted
        device.frame(OPEN, DEBUG, struct.pack(">I", 8))
        self.assertEqual(device.expect(DATA, DEBUG), b"early")
        client.send(b"0123456789abcdef")
        received = device.expect(DATA, DEBUG)
        while len(received) < 16:
            received += device.expect(DATA, DEBUG)
        self.assertEqual(received, b"0123456789abcdef")
        device.frame(DATA, DEBUG, b"answer")
        self.assertEqual(client.receive(), (2, b"answer"))
        device.frame(CLOSE, DEBUG, struct.pack(">H", 1) + b"no key")
        opcode, payload = client.receive()
        self.assertEqual((opcode, payload), (8, struct.pack(">H", 4001) + b"no key"))
        device.expect(CLOSE, DEBUG)
        events = [event for event in self.sse(f"/v1/Events?Device={sid}&Follow=false", None) if event[1] == "debug"]
        self.assertEqual(events[-1][2]["data"], {"state": "closed", "bytes_from_device": 6, "bytes_to_device": 21})
        captured = {path.name: path.read_bytes() for path in self.cloud.capture.glob(f"{sid}-*")}
        self.assertEqual(captured, {f"{sid}-1.to-device": b"early0123456789abcdef", f"{sid}-1.from-device": b"answer"})
        self.assertEqual((self.cloud.capture / f"{sid}-1.to-device").stat().st_mode & 0o777, 0o600)
        again = WebSocket(self.cloud, path)
        self.assertTrue((self.cloud.capture / f"{sid}-2.to-device").exists(), "each session has files of its own")
        again.close()
        device.close()

    def refused(self, path, status):
        client = WebSocket(self.cloud, path)
        self.assertEqual(client.status, status)
        client.close()

    def test_a_removed_device_is_gone_and_its_link_ends(self):
        sid, identity = self.provision("removed")
        device = Device(self.cloud, identity)
        self.assertEqual(self.cloud.request("DELETE", f"/v1/Devices/{sid[:-1]}")[0], 404, "a beginning removes nothing")
        self.assertEqual(self.cloud.request("DELETE", "/v1/Devices/removed"), (204, None))
        self.assertEqual(device.expect_close(), (1, "the device was removed from this cloud"))
        device.close()
        self.assertEqual(self.cloud.request("GET", f"/v1/Devices/{sid}")[0], 404)
        again = Device(self.cloud, identity, hello=False)
        again.control(hello=link.Hello(protocol=1, device_id=sid))
        self.assertIn("does not know", again.expect_control("refusal").detail)
        again.close()
        self.assertEqual(self.provision("removed")[0][:2], "UV", "the name is free again")

    def test_the_command_line_asks_for_a_good_name_too(self):
        for name, code in (("../evil", 1), ("", 1), ("UV" + "0" * 32, 1), ("good name", 0)):
            run = subprocess.run([MVCLOUD, "provision", name, "--data", self.cloud.home / "data", "--out",
                                  self.cloud.home / "by-hand.identity"], capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(run.returncode, code, run.stderr)

    def test_a_newer_connection_takes_over(self):
        _, identity = self.provision("twice")
        older = Device(self.cloud, identity)
        newer = Device(self.cloud, identity)
        self.assertGreater(newer.welcome.epoch, older.welcome.epoch)
        self.assertEqual(older.expect_close()[0], 4)
        self.assertEqual(self.cloud.request("GET", "/v1/Devices/twice")[1]["connection"]["state"], "online")
        newer.close()

    def test_a_device_that_breaks_the_rules_is_told_which(self):
        _, identity = self.provision("rude")
        hello = link.Hello(protocol=1, device_id=identity.device_id)
        cases = {
            "Hello came twice": lambda d: d.control(hello=hello),
            "not open": lambda d: d.frame(DATA, DEBUG, b"x"),
            "not a DeviceControl": lambda d: d.frame(DATA, CONTROL, b"\xff\xff"),
            "not a LogBatch": lambda d: d.frame(DATA, LOG, b"\xff\xff"),
            "type": lambda d: d.frame(99, CONTROL, b""),
            "stream number": lambda d: d.frame(DATA, 200, b""),
            "length": lambda d: d.socket.sendall(b"\x02\x00\xff\xff" + b"x" * 100),
        }
        for words, rude in cases.items():
            with self.subTest(words):
                device = Device(self.cloud, identity)
                rude(device)
                reason, text = device.expect_close()
                self.assertEqual(reason, 2)
                self.assertIn(words, text)
                device.close()

    def test_more_data_than_the_credit_ends_the_link(self):
        sid, identity = self.provision("greedy")
        device = Device(self.cloud, identity)
        client = WebSocket(self.cloud, f"/v1/Devices/{sid}/DebugStream")
        device.expect(OPEN, DEBUG)
        device.frame(OPEN, DEBUG, struct.pack(">I", 64))
        # The client does not read, so that no credit comes back once its connection is full.
        device.socket.settimeout(DEADLINE)
        try:
            for _ in range(20_000):
                device.frame(DATA, DEBUG, bytes(2000))
        except (ConnectionError, ssl.SSLError):
            pass
        self.assertEqual(self.cloud.request("GET", f"/v1/Devices/{sid}")[1]["connection"]["state"], "offline")
        self.assertRegex((self.cloud.home / "log").read_text(), sid + ".*more data came on a stream than was granted")
        client.close()
        device.close()

    def test_a_device_says_who_it_is_and_is_known(self):
        _, identity = self.provision("honest")
        other = Device(self.cloud, identity, hello=False)
        other.control(hello=link.Hello(protocol=1, device_id="UV" + "0" * 32))
        self.assertIn("another device", other.expect_control("refusal").detail)
        other.close()
        silent = Device(self.cloud, identity, hello=False)
        silent.frame(DATA, LOG, b"")
        self.assertEqual(silent.expect_close()[0], 2)
        silent.close()
        with self.assertRaises((ssl.SSLError, ConnectionError)):  # no certificate
            sock = self.cloud.tls("mv-link/1")
            sock.settimeout(DEADLINE)
            if sock.recv(1) == b"":
                raise ConnectionError

    def test_bad_bundles_are_refused_with_a_sentence(self):
        good, _ = make_bundle(self.key, b"x" * 100)
        stranger = SignerKey(self.cloud.home, "stranger")
        cases = {
            "mvctl signers add": make_bundle(stranger, b"y" * 100)[0],
            "zip": good[:-30],
            "entry": make_bundle(self.key, b"z" * 100, "../../etc/passwd")[0],
        }
        for words, bundle in cases.items():
            with self.subTest(words):
                status, answer = self.cloud.upload(bundle)
                self.assertEqual(status, 422, answer)
                self.assertIn(words, answer["message"])
        self.assertEqual(self.cloud.request("POST", "/v1/Apps", b"x", {"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.cloud.request("POST", "/v1/Apps", b"--XX\r\n", {"Content-Type": "multipart/form-data; boundary=XX"})[0], 400)
        big = {"Content-Type": "multipart/form-data; boundary=XX", "Content-Length": str(1 << 40)}
        self.assertEqual(self.cloud.request("POST", "/v1/Apps", b"", big)[0], 413)

    def blobs(self):
        return {path.name for path in (self.cloud.home / "data/blobs").rglob("*") if path.is_file()}

    def test_uploads_at_the_same_time_all_arrive(self):
        same, _ = make_bundle(self.key, b"same" * 1000, version="same")
        others = [make_bundle(self.key, os.urandom(5000), version=f"at once {n}")[0] for n in range(4)]
        answers = []
        uploads = [threading.Thread(target=lambda b=b: answers.append(self.cloud.upload(b))) for b in [same] * 4 + others]
        for upload in uploads:
            upload.start()
        for upload in uploads:
            upload.join(DEADLINE)
        statuses = sorted(status for status, _ in answers)
        self.assertEqual(statuses, [200] * 3 + [201] * 5, answers)
        self.assertEqual(len({app["sid"] for _, app in answers}), 5)

    def test_a_bundle_that_is_refused_leaves_nothing_behind(self):
        taken, _ = make_bundle(self.key, b"taken" * 100, version="taken")
        self.assertEqual(self.cloud.upload(taken, "taken")[0], 201)
        before = self.blobs()
        second, _ = make_bundle(self.key, b"second" * 100, version="second")
        self.assertEqual(self.cloud.upload(second, "taken")[0], 409)
        self.assertEqual(self.cloud.upload(make_bundle(SignerKey(self.cloud.home, "nobody"), b"n")[0])[0], 422)
        self.assertEqual(self.blobs(), before)
        self.assertEqual(self.cloud.request("DELETE", "/v1/Apps/taken")[0], 204)
        self.assertLess(self.blobs(), before)

    def test_an_upload_over_the_limit_is_cut_off(self):
        def body():
            yield b'--XX\r\nContent-Disposition: form-data; name="File"\r\n\r\n'
            for _ in range(33 * 16):
                yield bytes(65536)
        headers = {"Content-Type": "multipart/form-data; boundary=XX", "Transfer-Encoding": "chunked"}
        connection = http.client.HTTPConnection("localhost", timeout=DEADLINE)
        connection.sock = self.cloud.tls()
        headers["Authorization"] = f"Bearer {self.cloud.context['token']}"
        try:
            connection.request("POST", "/v1/Apps", body(), headers, encode_chunked=True)
        except (ConnectionError, ssl.SSLError):
            pass  # the answer may come before the end
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()

    def test_bad_requests_are_refused_with_a_sentence(self):
        request = self.cloud.request
        self.assertEqual(request("GET", "/v1/Apps", token="TK" + "0" * 32 + "_" + "0" * 64)[0], 401)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        _, token = request("POST", "/v1/Tokens", {"Name": "short", "DateExpires": soon})
        deadline = time.monotonic() + DEADLINE
        while request("GET", "/v1/Apps", token=token["token"])[0] == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        status, answer = request("GET", "/v1/Apps", token=token["token"])
        self.assertEqual(status, 401)
        self.assertIn("expired", answer["message"])
        self.assertEqual(request("GET", "/v1/Apps", headers={"X-Long": "x" * 20_000})[0], 431)
        self.assertEqual(request("POST", "/v1/Devices", b"UniqueName=%ff", {"Content-Type": "application/x-www-form-urlencoded"})[0], 400)
        self.assertEqual(request("POST", "/v1/Devices", b"{\"unique_name\": [1]}", {"Content-Type": "application/json"})[0], 400)
        self.assertEqual(request("POST", "/v1/Devices", b"x" * 70_000)[0], 413)
        self.assertEqual(request("PUT", "/v1/Devices")[0], 405)
        self.assertEqual(request("GET", "/v1/Devices/none")[1]["code"], 20404)
        self.assertEqual(request("GET", "/v1/Apps?PageSize=0")[0], 400)

    def test_lists_have_pages(self):
        for number in range(5):
            self.cloud.request("POST", "/v1/Tokens", {"Name": f"page {number}"})
        seen, url = [], "/v1/Tokens?PageSize=2"
        while url:
            _, page = self.cloud.request("GET", url)
            seen += [token["sid"] for token in page["tokens"]]
            back, url = page["meta"]["previous_page_url"], page["meta"]["next_page_url"]
        self.assertGreaterEqual(len(seen), 6)
        self.assertEqual(len(seen), len(set(seen)))
        _, page = self.cloud.request("GET", back)
        self.assertTrue(set(token["sid"] for token in page["tokens"]) <= set(seen))


METHODS = ("get", "post", "put", "patch", "delete")


def documented_routes():
    """{path: {METHOD}} of docs/openapi.yaml. Reads just the two levels of keys that it needs."""
    routes, path, in_paths = {}, None, False
    for line in OPENAPI.read_text().splitlines():
        if re.match(r"\S", line):
            in_paths = line.startswith("paths:")
        elif in_paths and (key := re.match(r"  (/\S*):$", line)):
            path = routes.setdefault(key[1], set())
        elif in_paths and (key := re.match(r"    ([a-z]+):$", line)) and key[1] in METHODS:
            path.add(key[1].upper())
    return routes


def served_routes():
    """The same of the server's own list of routes, in the sources of src/cloud/api."""
    routes = {}
    for source in (PROTO_ROOT / "cloud/api").glob("*.cc"):
        for method, path in re.findall(r'push_back\(\{"([A-Z]+)", "(/[^"]*)"', source.read_text()):
            routes.setdefault(path, set()).add(method)
    return routes


class DocumentTest(unittest.TestCase):
    """docs/openapi.yaml and the server say the same."""

    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()
        cls.cloud.start()
        cls.documented = documented_routes()

    @classmethod
    def tearDownClass(cls):
        assert cls.cloud.stop() == 0
        cls.cloud.folder.cleanup()

    def answer(self, method, path):
        url = re.sub(r"\{\w+\}", "none", path)
        return self.cloud.request(method, url + ("?Follow=false" if path.endswith(("Events", "Logs")) else ""))

    def test_every_route_of_the_document_is_served(self):
        self.assertGreater(len(self.documented), 10, "the document was not understood")
        for path, methods in self.documented.items():
            for method in methods:
                with self.subTest(f"{method} {path}"):
                    status, answer = self.answer(method, path)
                    self.assertNotEqual(status, 405)
                    if status == 404:
                        self.assertNotIn("there is nothing at", answer["message"])

    def test_no_other_method_is_served_on_a_path_of_the_document(self):
        for path, methods in self.documented.items():
            for method in {name.upper() for name in METHODS} - methods:
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(self.answer(method, path)[0], 405)

    def test_every_route_of_the_server_is_in_the_document(self):
        self.assertEqual(self.answer("GET", "/v1/Nothing")[0], 404)
        self.assertEqual(served_routes(), {re.sub(r"\{\w+\}", "{}", path): methods for path, methods in self.documented.items()})

    def test_every_route_but_the_open_ones_asks_who_is_there(self):
        for path, methods in self.documented.items():
            for method in methods:
                with self.subTest(f"{method} {path}"):
                    url = re.sub(r"\{\w+\}", "none", path)
                    status, _ = self.cloud.request(method, url, headers={"Authorization": ""})
                    self.assertEqual(status, 200 if path in ("/healthz", "/metrics") else 401)


class KilledCloudTest(unittest.TestCase):
    def test_kill_9_loses_nothing_that_was_acknowledged(self):
        cloud = Cloud()
        self.addCleanup(cloud.folder.cleanup)
        cloud.start()
        key = SignerKey(cloud.home, "dev")
        cloud.request("POST", "/v1/Signers", {"PublicKey": key.pem})
        bundles = [make_bundle(key, os.urandom(5000), version=str(n)) for n in range(12)]
        for round_number in range(3):
            acknowledged = []

            def upload_all():
                try:
                    for bundle, manifest in bundles[round_number * 4:round_number * 4 + 4]:
                        status, app = cloud.upload(bundle)
                        if status == 201:
                            acknowledged.append((app["sid"], bundle))
                except (OSError, http.client.HTTPException):
                    pass  # killed

            uploader = threading.Thread(target=upload_all)
            uploader.start()
            deadline = time.monotonic() + DEADLINE
            while len(acknowledged) < 1 + round_number and time.monotonic() < deadline and uploader.is_alive():
                time.sleep(0.001)
            cloud.stop(signal.SIGKILL)
            uploader.join(DEADLINE)
            cloud.start()
            self.assertGreaterEqual(len(acknowledged), 1 + round_number)
            for sid, bundle in acknowledged:
                self.assertEqual(cloud.request("GET", f"/v1/Apps/{sid}/Bundle"), (200, bundle))
        self.assertEqual(cloud.stop(), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
