#!/usr/bin/python3
"""Signs a microvisor image for the boot ROM (core/image/image.h says how it looks), and writes the key's public half.

usage: sign_image.py image  KEY.pem IN.bin OUT.bin --load-address N --version A.B.C --board NAME
       sign_image.py key    KEY.pem OUT.h
       (a key that is not there is made)
"""
import argparse
import hashlib
import os
import struct
import subprocess


def make_key(path):
    """One P-256 key for each build folder: an image runs only on the boot ROM built with it."""
    if os.path.exists(path):
        return
    fresh = path + ".new"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", fresh], check=True)
    os.chmod(fresh, 0o600)
    os.rename(fresh, path)


def public_point(path):
    """x and y, 64 bytes: the end of the SubjectPublicKeyInfo, after the 04 of an uncompressed point."""
    der = subprocess.run(["openssl", "ec", "-in", path, "-pubout", "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    assert len(der) == 91 and der[26] == 4, "not a P-256 key: %s" % path
    return der[27:]


def raw_signature(der):
    """r and s, 32 bytes each, from the DER of ECDSA-Sig-Value (RFC 3279, 2.2.3)."""
    assert der[0] == 0x30 and der[1] == len(der) - 2
    out, at = b"", 2
    for _ in range(2):
        assert der[at] == 2
        length = der[at + 1]
        out += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return out


def version_number(text):
    major, minor, patch = (int(part) for part in text.split("."))
    if not (0 <= major < 256 and 0 <= minor < 256 and 0 <= patch < 65536):
        raise SystemExit("version %s: major and minor go to 255, patch to 65535" % text)
    return major << 24 | minor << 16 | patch


def sign(key, image, load_address, version, board):
    name = board.encode("ascii")
    if not 0 < len(name) <= 12:
        raise SystemExit("a board's name has 1 to 12 letters, not %r" % board)
    header = struct.pack("<4sIIII12s", b"MVIM", 2, len(image), load_address, version_number(version), name)
    header += hashlib.sha256(image).digest()
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=header, check=True,
                               stdout=subprocess.PIPE).stdout
    return header + raw_signature(signature) + image


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["image", "key"])
    parser.add_argument("key")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--load-address", type=lambda text: int(text, 0))
    parser.add_argument("--version", default="0.0.0")
    parser.add_argument("--board", default="")
    options = parser.parse_args()
    make_key(options.key)
    if options.what == "key":
        numbers = ", ".join("0x%02x" % byte for byte in public_point(options.key))
        with open(options.files[0], "w", encoding="ascii") as out:
            out.write("// Made by boot/sign_image.py: the public half of the key that signs microvisor images.\n"
                      "#pragma once\n#include <cstdint>\n"
                      "inline constexpr std::uint8_t kImageKey[64] = {%s};\n" % numbers)
        return
    source, target = options.files
    with open(source, "rb") as file:
        image = file.read()
    with open(target, "wb") as out:
        out.write(sign(options.key, image, options.load_address, options.version, options.board))


if __name__ == "__main__":
    main()
