#!/usr/bin/python3
"""Checks that every system call has its place in the veneers, and that no place is open that should not be.

usage: syscalls_test.py [ELF [BASE]]

Without ELF it assembles syscalls.S and looks at that. ELF is a linked microvisor, BASE where its veneers must begin
(0x100C0000 on mps2-an505). The table below is written down here a second time on purpose: the ABI of the original SDK
0.7.0, which a change of sdk/include/mv_syscall_table.h must not move.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent.parent
SLOT = 8
END = 0x260
SG = bytes.fromhex("7fe97fe9")

TABLE = {
    0x000: "mvEnableFastInterrupt", 0x008: "mvWriteChannelStream", 0x010: "mvGetMicroseconds",
    0x018: "mvGetSysClk", 0x020: "mvDisableAllFastInterrupts", 0x028: "mvGetDeviceId",
    0x030: "mvWriteChannel", 0x038: "mvGetWallTime", 0x040: "mvRequestNetwork",
    0x048: "mvGetChannelClosureReason", 0x050: "mvCloseNotifications", 0x058: "mvSetFastInterrupt",
    0x068: "mvDisableFastInterrupt", 0x070: "mvReadChannelComplete", 0x078: "mvClearFastInterrupt",
    0x080: "mvSetupNotifications", 0x088: "mvGetPClk1", 0x090: "mvGetPClk2",
    0x098: "mvEnableAllFastInterrupts", 0x0A8: "mvPeriphPoke32", 0x0B0: "mvReadChannel",
    0x0B8: "mvGetHClk", 0x0C0: "mvOpenChannel", 0x0C8: "mvGetNetworkReasons",
    0x0D0: "mvReleaseNetwork", 0x0D8: "mvNoOp", 0x0E0: "mvTempTriggerNotification",
    0x0E8: "mvGetNetworkStatus", 0x0F0: "mvPeriphPeek32", 0x0F8: "mvCloseChannel",
    0x100: "mvSendHttpRequest", 0x108: "mvReadHttpResponseBody", 0x110: "mvReadHttpResponseHeader",
    0x118: "mvReadHttpResponseData", 0x120: "mvServerLoggingInit", 0x128: "mvServerLog",
    0x130: "mvSendConfigFetchRequest", 0x138: "mvReadConfigFetchResponseData", 0x140: "mvReadConfigResponseItem",
    0x148: "mvMqttReadUnsubscribeResponse", 0x150: "mvMqttAcknowledgeMessage", 0x158: "mvMqttReadDisconnectResponse",
    0x160: "mvMqttRequestDisconnect", 0x168: "mvMqttReadConnectResponse", 0x170: "mvMqttRequestPublish",
    0x178: "mvMqttRequestSubscribe", 0x180: "mvMqttReadPublishResponse", 0x188: "mvMqttReceiveLostMessageInfo",
    0x190: "mvMqttReceiveMessage", 0x198: "mvMqttGetNextReadableDataType", 0x1A0: "mvMqttRequestUnsubscribe",
    0x1A8: "mvMqttRequestConnect", 0x1B0: "mvMqttReadSubscribeResponse", 0x1B8: "mvTestingComplete",
    0x1C0: "mvTestLog", 0x1C8: "mvTestLoggingInit", 0x1D0: "mvPowerSave",
    0x1D8: "mvSystemLedEnable", 0x1E0: "mvOpenSystemNotification", 0x1E8: "mvCloseSystemNotification",
    0x1F0: "mvDeepSleep", 0x1F8: "mvGetWakeReason", 0x200: "mvRestart",
    0x208: "mvExternalFlashClose", 0x210: "mvExternalFlashGetInfo", 0x218: "mvExternalFlashWriteBlocking",
    0x220: "mvExternalFlashOpen", 0x228: "mvExternalFlashEraseBlocking", 0x230: "mvExternalFlashReadBlocking",
    0x240: "mvSetWifiConfig", 0x248: "mvGetWifiConfig",
    # Not of the original:
    0x250: "mvConfirmUpdate", 0x258: "mvGetUpdateStatus",
}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def assemble(folder):
    target = Path(folder) / "syscalls.o"
    run("arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-I", str(FIRMWARE), "-c",
        str(FIRMWARE / "arch/cortex-m33/syscalls.S"), "-o", str(target))
    return target


def symbols(elf):
    """Name -> address of the symbols of section .nsc."""
    found = {}
    for line in run("arm-none-eabi-objdump", "-t", str(elf)).splitlines():
        if " .nsc" in line and not line.startswith("SYMBOL"):
            fields = line.split()
            found[fields[-1]] = int(fields[0], 16) & ~1
    return found


def contents(elf, folder):
    raw = Path(folder) / "nsc.bin"
    run("arm-none-eabi-objcopy", "-O", "binary", "--only-section=.nsc", str(elf), str(raw))
    return raw.read_bytes()


def is_branch(word):
    """True for a 32-bit B.W (ARM DDI 0553B, C2.4.17, encoding T4)."""
    first, second = word[0] | word[1] << 8, word[2] | word[3] << 8
    return first >> 11 == 0x1E and second & 0xD000 == 0x9000


def problems(elf, base, folder):
    names = symbols(elf)
    start = names.get("mv_veneers")
    if start is None:
        yield "there is no symbol mv_veneers in section .nsc"
        return
    if base is not None and start != base:
        yield f"the veneers begin at {start:#x}, not at {base:#x}"
    places = {name: address - start for name, address in names.items() if name.startswith("mv") and name[2].isupper()}
    for offset, name in TABLE.items():
        if places.get(name) != offset:
            yield f"{name} is at {places.get(name)}, the ABI says {offset:#x}"
    for name in set(places) - set(TABLE.values()):
        yield f"{name} is in the veneers but not in the ABI"
    code = contents(elf, folder)
    for offset in range(0, END, SLOT):
        slot = code[offset:offset + SLOT]
        if slot[:4] != SG or not is_branch(slot[4:]):
            yield f"the slot at {offset:#x} is not `sg` and a branch but {slot.hex()}"
    if SG in code[END:]:
        yield "there is an `sg` behind the table"


def main():
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(sys.argv[1]) if len(sys.argv) > 1 else assemble(folder)
        base = int(sys.argv[2], 0) if len(sys.argv) > 2 else None
        found = list(problems(elf, base, folder))
    print("\n".join(found) if found else f"{len(TABLE)} system calls, each in its place")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
