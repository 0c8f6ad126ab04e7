#!/usr/bin/python3
"""Checks that sdk/include/mv_syscalls.h is the ABI of the original SDK 0.7.0: every structure, every value, every call.

The tables below are that ABI, written down a second time on purpose: offsets in bytes as a 32-bit Arm compiler lays
structures out. They become static assertions, compiled as C with short and with long enums and as C++.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

INCLUDE = Path(__file__).resolve().parent / "include"
COMPILER = ["-mcpu=cortex-m33", "-mthumb", "-c", "-o", "/dev/null", "-Wall", "-Werror", "-I", str(INCLUDE)]
VARIANTS = {
    "C, short enums": ["arm-none-eabi-gcc", "-std=c11", "-fshort-enums", "-x", "c"],
    "C, long enums": ["arm-none-eabi-gcc", "-std=c11", "-fno-short-enums", "-x", "c"],
    "C++": ["arm-none-eabi-g++", "-std=c++20", "-Wno-invalid-offsetof", "-x", "c++"],
}

# Name: size, then each member's offset.
STRUCTURES = {
    "MvNotification": (16, {"microseconds": 0, "event_type": 8, "tag": 12}),
    "MvNotificationSetup": (12, {"irq": 0, "buffer": 4, "buffer_size": 8}),
    "MvRequestNetworkParams": (12, {"version": 0, "v1.notification_handle": 4, "v1.notification_tag": 8}),
    "MvSizedString": (8, {"data": 0, "length": 4}),
    "MvOpenChannelParams": (44, {"version": 0, "v1.notification_handle": 4, "v1.notification_tag": 8,
        "v1.network_handle": 12, "v1.receive_buffer": 16, "v1.receive_buffer_len": 20, "v1.send_buffer": 24,
        "v1.send_buffer_len": 28, "v1.channel_type": 32, "v1.endpoint": 36}),
    "MvHttpHeader": (8, {"length": 0, "data": 4}),
    "MvHttpRequest": (36, {"method": 0, "url": 8, "num_headers": 16, "headers": 20, "body": 24, "timeout_ms": 32}),
    "MvHttpResponseData": (16, {"result": 0, "status_code": 4, "num_headers": 8, "body_length": 12}),
    "MvConfigKeyToFetch": (16, {"scope": 0, "store": 4, "key": 8}),
    "MvConfigKeyFetchParams": (8, {"num_items": 0, "keys_to_fetch": 4}),
    "MvConfigResponseData": (8, {"result": 0, "num_items": 4}),
    "MvSizedStringBuffer": (12, {"data": 0, "size": 4, "length": 8}),
    "MvConfigResponseReadItemParams": (20, {"item_index": 0, "result": 4, "buf": 8}),
    "MvUsernamePassword": (16, {"username": 0, "password": 8}),
    "MvMqttAuthentication": (20, {"method": 0, "username_password": 4}),
    "MvTlsCertificateChain": (8, {"num_certs": 0, "certs": 4}),
    "MvOwnTlsCertificateChain": (16, {"chain": 0, "key": 8}),
    "MvTlsCredentials": (24, {"cacert": 0, "clientcert": 8}),
    "MvMqttWill": (24, {"topic": 0, "payload": 8, "qos": 16, "retain": 20}),
    "MvMqttConnectRequest": (60, {"protocol_version": 0, "host": 4, "port": 12, "clientid": 16, "authentication": 24,
        "tls_credentials": 44, "keepalive": 48, "clean_start": 52, "will": 56}),
    "MvMqttConnectResponse": (8, {"request_state": 0, "reason_code": 4}),
    "MvMqttSubscription": (24, {"topic": 0, "desired_qos": 8, "nl": 12, "rap": 16, "rh": 20}),
    "MvMqttSubscribeRequest": (12, {"correlation_id": 0, "subscriptions": 4, "num_subscriptions": 8}),
    "MvMqttSubscribeResponse": (20, {"request_state": 0, "correlation_id": 4, "reason_codes": 8,
        "reason_codes_size": 12, "reason_codes_len": 16}),
    "MvMqttUnsubscribeRequest": (12, {"correlation_id": 0, "topics": 4, "num_topics": 8}),
    "MvMqttUnsubscribeResponse": (20, {"request_state": 0, "correlation_id": 4, "reason_codes": 8,
        "reason_codes_size": 12, "reason_codes_len": 16}),
    "MvMqttPublishRequest": (28, {"correlation_id": 0, "topic": 4, "payload": 12, "desired_qos": 20, "retain": 24}),
    "MvMqttPublishResponse": (12, {"request_state": 0, "correlation_id": 4, "reason_code": 8}),
    "MvMqttMessage": (36, {"correlation_id": 0, "topic": 4, "payload": 16, "qos": 28, "retain": 32}),
    "MvMqttLostMessageInfo": (20, {"reason": 0, "topic": 4, "message_len": 16}),
    "MvMqttDisconnectResponse": (8, {"request_state": 0, "disconnect_code": 4}),
    "MvOpenSystemNotificationParams": (12, {"notification_handle": 0, "notification_tag": 4,
        "notification_source": 8}),
    "MvExternalFlashInfo": (16, {"version": 0, "v1.chip_id": 4, "v1.size": 8, "v1.num_handles": 12}),
    "MvWifiConfig": (24, {"version": 0, "v1.config_mode": 4, "v1.wifi_ssid": 8, "v1.wifi_password": 16}),
    "MvWifiConfigOut": (20, {"version": 0, "v1.ssid": 4, "v1.has_encryption": 16}),
}

# Name: bytes, prefix of the values, then the values: those without a number count on from the one before.
ENUMS = {
    "MvStatus": (4, "MV_STATUS_", ["OKAY", "TIMENOTSET", "PARAMETERFAULT", "INVALIDBUFFERSIZE",
        "PERIPHERALACCESSFAULT", "BUFFERALREADYINUSE", "INVALIDINTERRUPT", "INVALIDHANDLE",
        "TOOMANYNOTIFICATIONBUFFERS", "INVALIDVECTOR", "UNAVAILABLE", "UNSUPPORTEDSTRUCTUREVERSION", "TOOMANYCHANNELS",
        "UNKNOWNCHANNELENDPOINT", "UNKNOWNCHANNELTYPE", "CHANNELCLOSED", "NETWORKNOTCONNECTED", "RATELIMITED",
        "INVALIDBUFFERALIGNMENT", "LATEFAULT", "RESPONSENOTPRESENT", "INDEXINVALID", "OFFSETINVALID",
        "REQUESTALREADYSENT", "REQUESTUNSUCCESSFUL", "LOGMESSAGETOOLONG", "LOGGINGDISABLEDBYSERVER",
        "TOOMANYCONFIGKEYS", "UNKNOWNCONFIGSTORE", "UNKNOWNCONFIGSCOPE", "INVALIDCONFIGKEY", "INVALIDAUTHENTICATION",
        "WRONGDATAREQUESTED", "INTERNALERROR", "TOOMANYELEMENTS", "REQUIREDELEMENTMISSING", "MICROVISORBUSY",
        "ADDRESSOUTOFRANGE", "INPUTTOOLONG"]),
    "MvEventType": (4, "MV_EVENTTYPE_", ["NOEVENT", "NETWORKSTATUSCHANGED", "CHANNELDATAREADABLE",
        "CHANNELDATAWRITESPACE", "CHANNELNOTCONNECTED", "UPDATEDOWNLOADED"]),
    "MvNetworkStatus": (4, "MV_NETWORKSTATUS_", ["DELIBERATELYOFFLINE", "CONNECTED", "CONNECTING",
        "DISCONNECTEDWITHLINKUP"]),
    "MvNetworkReason": (4, "MV_NETWORKREASON_", ["NOTCONNECTING", "USINGNETWORK", "NEVERUSEDNETWORKAPI",
        ("MINIMUMCHECKINEXPIRED", 0x4), ("RTCNOTSET", 0x8), ("KERNELERROR", 0x10), ("APPLICATIONERROR", 0x20),
        ("COLDBOOTCONNECTION", 0x40), ("FETCHINGUPDATE", 0x80), ("DEBUGGERATTACHED", 0x100),
        ("NOAPPLICATIONCODE", 0x200), ("ENHANCECALM", 0x800)]),
    "MvChannelType": (4, "MV_CHANNELTYPE_", ["OPAQUEBYTES", "MQTT", "HTTP", "CONFIGFETCH"]),
    "MvClosureReason": (4, "MV_CLOSUREREASON_", ["NONE", "CHANNELCLOSEDBYSERVER", "CHANNELRESETBYSERVER",
        "NETWORKDISCONNECTED", "CONNECTIONTERMINATED", "NOTYETOPEN", "CLOSEDBYAPPLICATION", "UNEXPECTEDLYTERMINATED"]),
    "MvHttpResult": (4, "MV_HTTPRESULT_", ["OK", "UNSUPPORTEDURISCHEME", "UNSUPPORTEDMETHOD", "INVALIDHEADERS",
        "INVALIDTIMEOUT", "REQUESTFAILED", "RESPONSETOOLARGE"]),
    "MvConfigKeyFetchScope": (4, "MV_CONFIGKEYFETCHSCOPE_", ["ACCOUNT", "DEVICE"]),
    "MvConfigKeyFetchStore": (4, "MV_CONFIGKEYFETCHSTORE_", ["SECRET", "CONFIG"]),
    "MvConfigFetchResult": (4, "MV_CONFIGFETCHRESULT_", ["OK", "RESPONSETOOLARGE"]),
    "MvConfigKeyFetchResult": (4, "MV_CONFIGKEYFETCHRESULT_", ["OK", "KEYNOTFOUND", "SERVERERROR"]),
    "MvMqttReadableDataType": (4, "MV_MQTTREADABLEDATATYPE_", ["NONE", "MESSAGERECEIVED", "MESSAGELOST",
        "CONNECTRESPONSE", "SUBSCRIBERESPONSE", "UNSUBSCRIBERESPONSE", "PUBLISHRESPONSE", "DISCONNECTRESPONSE"]),
    "MvMqttProtocolVersion": (4, "MV_MQTTPROTOCOLVERSION_", ["V3_1_1", "V5"]),
    "MvMqttAuthenticationMethod": (1, "MV_MQTTAUTHENTICATIONMETHOD_", ["NONE", "USERNAMEPASSWORD"]),
    "MvMqttRequestState": (4, "MV_MQTTREQUESTSTATE_", ["REQUESTCOMPLETED", "INVALIDPARAMETERS", "ALREADYCONNECTED",
        "NOTCONNECTED", "NXDOMAIN", "UNKNOWNCA", "CERTIFICATEEXPIRED", "SOCKETERROR", "CONNECTIONCIRCUITBREAKER"]),
    "MvMqttLostMessageReason": (4, "MV_MQTTLOSTMESSAGEREASON_", ["DEVICERECEIVEBUFFERTOOSMALL"]),
    "MvPowerSavingMode": (1, "MV_POWERSAVINGMODE_", ["SLEEP", "STOP0", "STOP1", "STOP2", "STOP3"]),
    "MvSystemNotificationSource": (4, "MV_SYSTEMNOTIFICATIONSOURCE_", ["NETWORK", "UPDATE"]),
    "MvDeepSleepMode": (1, "MV_DEEPSLEEPMODE_", ["STANDBY", "SHUTDOWN"]),
    "MvWakeReason": (1, "MV_WAKEREASON_", ["COLDBOOT", "REMOTEMICROVISORRESTART", "REMOTEAPPLICATIONRESTART",
        "DEBUGGERRESTART", "MICROVISORCRASH", "MICROVISORWATCHDOG", "MICROVISOROUTOFMEMORY", "MICROVISORERROR",
        "APPLICATIONCRASH", "APPLICATIONUPDATE", "MICROVISORUPDATE", "OPTIONBYTES", "DEEPSLEEPCHECKIN",
        "DEEPSLEEPAPPLICATION", "DEEPSLEEPMODEM", "DEEPSLEEPAPPLICATIONRTC", "DEEPSLEEPOTHER"]),
    "MvRestartMode": (4, "MV_RESTARTMODE_", ["AUTOAPPLYUPDATE"]),
    "MvWifiConfigMode": (1, "MV_WIFICONFIGMODE_", ["APPLYNOW", "CLEARNOW"]),
}

# Name: types of the parameters.
CALLS = {
    "mvNoOp": "void",
    "mvGetMicroseconds": "uint64_t *",
    "mvGetSysClk": "uint32_t *",
    "mvGetHClk": "uint32_t *",
    "mvGetPClk1": "uint32_t *",
    "mvGetPClk2": "uint32_t *",
    "mvGetWallTime": "uint64_t *",
    "mvGetDeviceId": "uint8_t *, uint32_t",
    "mvPeriphPeek32": "uint32_t, uint32_t *",
    "mvPeriphPoke32": "uint32_t, uint32_t, uint32_t",
    "mvSetupNotifications": "const struct MvNotificationSetup *, MvNotificationHandle *",
    "mvCloseNotifications": "MvNotificationHandle *",
    "mvTempTriggerNotification": "MvNotificationHandle, enum MvEventType, uint32_t",
    "mvSetFastInterrupt": "uint32_t",
    "mvClearFastInterrupt": "uint32_t",
    "mvEnableFastInterrupt": "uint32_t",
    "mvDisableFastInterrupt": "uint32_t",
    "mvDisableAllFastInterrupts": "void",
    "mvEnableAllFastInterrupts": "void",
    "mvRequestNetwork": "const struct MvRequestNetworkParams *, MvNetworkHandle *",
    "mvReleaseNetwork": "MvNetworkHandle *",
    "mvGetNetworkStatus": "MvNetworkHandle, enum MvNetworkStatus *",
    "mvGetNetworkReasons": "enum MvNetworkReason *, uint32_t *",
    "mvOpenChannel": "const struct MvOpenChannelParams *, MvChannelHandle *",
    "mvReadChannel": "MvChannelHandle, uint8_t **, uint32_t *",
    "mvReadChannelComplete": "MvChannelHandle, uint32_t",
    "mvWriteChannelStream": "MvChannelHandle, const uint8_t *, uint32_t, uint32_t *",
    "mvWriteChannel": "MvChannelHandle, const uint8_t *, uint32_t, uint32_t *",
    "mvCloseChannel": "MvChannelHandle *",
    "mvGetChannelClosureReason": "MvChannelHandle, enum MvClosureReason *",
    "mvSendHttpRequest": "MvChannelHandle, const struct MvHttpRequest *",
    "mvReadHttpResponseData": "MvChannelHandle, struct MvHttpResponseData *",
    "mvReadHttpResponseHeader": "MvChannelHandle, uint32_t, uint8_t *, uint32_t",
    "mvReadHttpResponseBody": "MvChannelHandle, uint32_t, uint8_t *, uint32_t",
    "mvServerLoggingInit": "uint8_t *, uint32_t",
    "mvServerLog": "const uint8_t *, uint16_t",
    "mvSendConfigFetchRequest": "MvChannelHandle, const struct MvConfigKeyFetchParams *",
    "mvReadConfigFetchResponseData": "MvChannelHandle, struct MvConfigResponseData *",
    "mvReadConfigResponseItem": "MvChannelHandle, const struct MvConfigResponseReadItemParams *",
    "mvMqttGetNextReadableDataType": "MvChannelHandle, enum MvMqttReadableDataType *",
    "mvMqttRequestConnect": "MvChannelHandle, const struct MvMqttConnectRequest *",
    "mvMqttReadConnectResponse": "MvChannelHandle, struct MvMqttConnectResponse *",
    "mvMqttRequestSubscribe": "MvChannelHandle, const struct MvMqttSubscribeRequest *",
    "mvMqttReadSubscribeResponse": "MvChannelHandle, const struct MvMqttSubscribeResponse *",
    "mvMqttRequestUnsubscribe": "MvChannelHandle, const struct MvMqttUnsubscribeRequest *",
    "mvMqttReadUnsubscribeResponse": "MvChannelHandle, const struct MvMqttUnsubscribeResponse *",
    "mvMqttRequestPublish": "MvChannelHandle, const struct MvMqttPublishRequest *",
    "mvMqttReadPublishResponse": "MvChannelHandle, struct MvMqttPublishResponse *",
    "mvMqttReceiveMessage": "MvChannelHandle, const struct MvMqttMessage *",
    "mvMqttReceiveLostMessageInfo": "MvChannelHandle, const struct MvMqttLostMessageInfo *",
    "mvMqttAcknowledgeMessage": "MvChannelHandle, uint32_t",
    "mvMqttRequestDisconnect": "MvChannelHandle",
    "mvMqttReadDisconnectResponse": "MvChannelHandle, struct MvMqttDisconnectResponse *",
    "mvTestingComplete": "uint32_t",
    "mvTestLoggingInit": "uint8_t *, uint32_t",
    "mvTestLog": "const uint8_t *, uint16_t",
    "mvPowerSave": "enum MvPowerSavingMode",
    "mvSystemLedEnable": "uint32_t",
    "mvOpenSystemNotification": "const struct MvOpenSystemNotificationParams *, MvSystemEventHandle *",
    "mvCloseSystemNotification": "MvSystemEventHandle *",
    "mvDeepSleep": "enum MvDeepSleepMode",
    "mvGetWakeReason": "enum MvWakeReason *",
    "mvRestart": "enum MvRestartMode",
    "mvExternalFlashOpen": "MvExternalFlashHandle *",
    "mvExternalFlashClose": "MvExternalFlashHandle *",
    "mvExternalFlashReadBlocking": "MvExternalFlashHandle, uint32_t, uint32_t, uint8_t *",
    "mvExternalFlashEraseBlocking": "MvExternalFlashHandle, uint32_t, uint32_t",
    "mvExternalFlashWriteBlocking": "MvExternalFlashHandle, uint32_t, uint32_t, const uint8_t *",
    "mvExternalFlashGetInfo": "MvExternalFlashHandle, struct MvExternalFlashInfo *",
    "mvSetWifiConfig": "const struct MvWifiConfig *",
    "mvGetWifiConfig": "const struct MvWifiConfigOut *",
}


def assertions():
    yield '#include <stddef.h>'
    yield '#include "mv_syscalls.h"'
    yield "#ifdef __cplusplus"
    yield "#define CHECK static_assert"
    yield "#else"
    yield "#define CHECK _Static_assert"
    yield "#endif"
    for name, (size, members) in STRUCTURES.items():
        yield f'CHECK(sizeof(struct {name}) == {size}, "{name}");'
        for member, offset in members.items():
            yield f'CHECK(offsetof(struct {name}, {member}) == {offset}, "{name}.{member}");'
    for name, (size, prefix, values) in ENUMS.items():
        yield f'CHECK(sizeof(enum {name}) == {size}, "{name}");'
        number = -1
        for value in values:
            value, number = value if isinstance(value, tuple) else (value, number + 1)
            yield f'CHECK({prefix}{value} == {number:#x}, "{prefix}{value}");'
        yield f'CHECK((unsigned){prefix}_MAX == {(1 << 8 * size) - 1:#x}U, "{prefix}_MAX");'
    for name, parameters in CALLS.items():
        yield f"enum MvStatus (*const take_{name})({parameters}) = {name};"


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "abi.c"
        source.write_text("\n".join(assertions()) + "\n", encoding="ascii")
        for variant, command in VARIANTS.items():
            result = subprocess.run([*command, *COMPILER, str(source)], capture_output=True, text=True)
            if result.returncode != 0:
                failed = True
                print(f"as {variant}:\n{result.stderr}")
    if not failed:
        print(f"{len(STRUCTURES)} structures, {len(ENUMS)} enums and {len(CALLS)} calls are those of the original")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
