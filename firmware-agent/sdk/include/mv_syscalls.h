/*
 * System calls of the microvisor: everything that an application may ask of the Secure side.
 *
 * Names, numbers, structures and veneer addresses are those of the original Microvisor ABI (SDK 0.7.0), so that a
 * program built for it runs unmodified; docs/system-calls.md says what each call does here. Every call returns a
 * status and hands results out through pointers. Every pointer must lead to memory of the application, or the call
 * answers MV_STATUS_PARAMETERFAULT and does nothing. Those named ...Blocking take their time, but not that of interrupts;
 * few others wait.
 *
 * Plain C11 and C++; needs nothing but <stdint.h>. Link with src/system_calls.S, which knows their addresses.
 */
#ifndef MV_SYSCALLS_H
#define MV_SYSCALLS_H

#include <stdint.h>

/* The number of this ABI; a bundle carries it as `syscall_abi`. */
#define MV_SYSCALL_ABI 1

/* An enum that is one byte wide at the boundary, whatever -fshort-enums says. */
#define MV_BYTE_ENUM __attribute__((packed))

enum MvStatus {
  MV_STATUS_OKAY = 0x00,
  MV_STATUS_TIMENOTSET = 0x01,                   /* no wall time yet: the cloud has not been reached since power-on */
  MV_STATUS_PARAMETERFAULT = 0x02,               /* a pointer leads outside the application's memory, or a bad value */
  MV_STATUS_INVALIDBUFFERSIZE = 0x03,            /* too small, not the size demanded, or no room left */
  MV_STATUS_PERIPHERALACCESSFAULT = 0x04,        /* not a register that may be reached this way */
  MV_STATUS_BUFFERALREADYINUSE = 0x05,           /* overlaps a buffer that another object holds */
  MV_STATUS_INVALIDINTERRUPT = 0x06,             /* not an interrupt of the application's, or taken */
  MV_STATUS_INVALIDHANDLE = 0x07,                /* closed, never opened, or of another kind */
  MV_STATUS_TOOMANYNOTIFICATIONBUFFERS = 0x08,
  MV_STATUS_INVALIDVECTOR = 0x09,
  MV_STATUS_UNAVAILABLE = 0x0a,                  /* not possible now, or not offered by this microvisor */
  MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION = 0x0b,
  MV_STATUS_TOOMANYCHANNELS = 0x0c,
  MV_STATUS_UNKNOWNCHANNELENDPOINT = 0x0d,
  MV_STATUS_UNKNOWNCHANNELTYPE = 0x0e,
  MV_STATUS_CHANNELCLOSED = 0x0f,
  MV_STATUS_NETWORKNOTCONNECTED = 0x10,
  MV_STATUS_RATELIMITED = 0x11,
  MV_STATUS_INVALIDBUFFERALIGNMENT = 0x12,
  MV_STATUS_LATEFAULT = 0x13,                    /* done, but the result could not be written */
  MV_STATUS_RESPONSENOTPRESENT = 0x14,
  MV_STATUS_INDEXINVALID = 0x15,
  MV_STATUS_OFFSETINVALID = 0x16,
  MV_STATUS_REQUESTALREADYSENT = 0x17,
  MV_STATUS_REQUESTUNSUCCESSFUL = 0x18,
  MV_STATUS_LOGMESSAGETOOLONG = 0x19,
  MV_STATUS_LOGGINGDISABLEDBYSERVER = 0x1a,
  MV_STATUS_TOOMANYCONFIGKEYS = 0x1b,
  MV_STATUS_UNKNOWNCONFIGSTORE = 0x1c,
  MV_STATUS_UNKNOWNCONFIGSCOPE = 0x1d,
  MV_STATUS_INVALIDCONFIGKEY = 0x1e,
  MV_STATUS_INVALIDAUTHENTICATION = 0x1f,
  MV_STATUS_WRONGDATAREQUESTED = 0x20,
  MV_STATUS_INTERNALERROR = 0x21,
  MV_STATUS_TOOMANYELEMENTS = 0x22,
  MV_STATUS_REQUIREDELEMENTMISSING = 0x23,
  MV_STATUS_MICROVISORBUSY = 0x24,               /* would interrupt work of the microvisor: try again */
  MV_STATUS_ADDRESSOUTOFRANGE = 0x25,
  MV_STATUS_INPUTTOOLONG = 0x26,
  MV_STATUS__MAX = 0xffffffff
};

/* ---- strings and buffers ---- */

struct MvSizedString {
  const uint8_t *data; /* need not end in NUL */
  uint32_t length;     /* bytes */
};

struct MvSizedStringBuffer {
  uint8_t *data;
  uint32_t size;    /* bytes that fit */
  uint32_t *length; /* receives the bytes written */
};

/* ---- notifications ---- */

enum MvEventType {
  MV_EVENTTYPE_NOEVENT = 0x0, /* an empty record */
  MV_EVENTTYPE_NETWORKSTATUSCHANGED = 0x1,
  MV_EVENTTYPE_CHANNELDATAREADABLE = 0x2,
  MV_EVENTTYPE_CHANNELDATAWRITESPACE = 0x3,
  MV_EVENTTYPE_CHANNELNOTCONNECTED = 0x4,
  MV_EVENTTYPE_UPDATEDOWNLOADED = 0x5,
  MV_EVENTTYPE_UPDATEPROGRESS = 0x100, /* not in the original ABI: mvGetUpdateStatus has something new */
  MV_EVENTTYPE__MAX = 0xffffffff
};

/* One record of a ring, 16 bytes. The application sets event_type to NOEVENT once it has read a record. */
struct MvNotification {
  uint64_t microseconds; /* of mvGetMicroseconds */
  enum MvEventType event_type;
  uint32_t tag; /* as given when the source was opened */
};

struct MvNotificationSetup {
  uint32_t irq;                  /* external interrupt that is pended with each record */
  struct MvNotification *buffer; /* the ring, cleared by the call; 8-byte aligned */
  uint32_t buffer_size;          /* bytes: a multiple of 16, at least 32 */
};

/* Handles are never 0 and mean nothing to the application. */
typedef struct MvNotificationHandleOpaque *MvNotificationHandle;
typedef struct MvSystemEventHandleOpaque *MvSystemEventHandle;
typedef struct MvNetworkHandleOpaque *MvNetworkHandle;
typedef struct MvChannelHandleOpaque *MvChannelHandle;
typedef struct MvExternalFlashHandleOpaque *MvExternalFlashHandle;

enum MvSystemNotificationSource {
  MV_SYSTEMNOTIFICATIONSOURCE_NETWORK = 0x0,
  MV_SYSTEMNOTIFICATIONSOURCE_UPDATE = 0x1,
  MV_SYSTEMNOTIFICATIONSOURCE_UPDATEPROGRESS = 0x100, /* not in the original ABI */
  MV_SYSTEMNOTIFICATIONSOURCE__MAX = 0xffffffff
};

struct MvOpenSystemNotificationParams {
  MvNotificationHandle notification_handle;
  uint32_t notification_tag;
  enum MvSystemNotificationSource notification_source;
};

/* ---- network ---- */

struct MvRequestNetworkParams {
  uint32_t version; /* 1 */
  union {
    struct {
      MvNotificationHandle notification_handle;
      uint32_t notification_tag;
    } v1;
  };
};

enum MvNetworkStatus {
  MV_NETWORKSTATUS_DELIBERATELYOFFLINE = 0x0,
  MV_NETWORKSTATUS_CONNECTED = 0x1,
  MV_NETWORKSTATUS_CONNECTING = 0x2,
  MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP = 0x3,
  MV_NETWORKSTATUS__MAX = 0xffffffff
};

/* Bits: why the device is, or is not, connected. */
enum MvNetworkReason {
  MV_NETWORKREASON_NOTCONNECTING = 0x000,
  MV_NETWORKREASON_USINGNETWORK = 0x001, /* the application asked for it */
  MV_NETWORKREASON_NEVERUSEDNETWORKAPI = 0x002,
  MV_NETWORKREASON_MINIMUMCHECKINEXPIRED = 0x004,
  MV_NETWORKREASON_RTCNOTSET = 0x008,
  MV_NETWORKREASON_KERNELERROR = 0x010,      /* an error of the microvisor waits to be reported */
  MV_NETWORKREASON_APPLICATIONERROR = 0x020, /* a crash of the application waits to be reported */
  MV_NETWORKREASON_COLDBOOTCONNECTION = 0x040,
  MV_NETWORKREASON_FETCHINGUPDATE = 0x080,
  MV_NETWORKREASON_DEBUGGERATTACHED = 0x100,
  MV_NETWORKREASON_NOAPPLICATIONCODE = 0x200,
  MV_NETWORKREASON_ENHANCECALM = 0x800, /* prevents: attempts are paused */
  MV_NETWORKREASON__MAX = 0xffffffff
};

/* ---- channels ---- */

enum MvChannelType {
  MV_CHANNELTYPE_OPAQUEBYTES = 0x0,
  MV_CHANNELTYPE_MQTT = 0x1,
  MV_CHANNELTYPE_HTTP = 0x2,
  MV_CHANNELTYPE_CONFIGFETCH = 0x3,
  MV_CHANNELTYPE__MAX = 0xffffffff
};

struct MvOpenChannelParams {
  uint32_t version; /* 1 */
  union {
    struct {
      MvNotificationHandle notification_handle;
      uint32_t notification_tag;
      MvNetworkHandle network_handle;
      uint8_t *receive_buffer;
      uint32_t receive_buffer_len;
      uint8_t *send_buffer;
      uint32_t send_buffer_len;
      enum MvChannelType channel_type;
      struct MvSizedString endpoint;
    } v1;
  };
};

enum MvClosureReason {
  MV_CLOSUREREASON_NONE = 0x0,
  MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER = 0x1,
  MV_CLOSUREREASON_CHANNELRESETBYSERVER = 0x2,
  MV_CLOSUREREASON_NETWORKDISCONNECTED = 0x3,
  MV_CLOSUREREASON_CONNECTIONTERMINATED = 0x4,
  MV_CLOSUREREASON_NOTYETOPEN = 0x5,
  MV_CLOSUREREASON_CLOSEDBYAPPLICATION = 0x6,
  MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED = 0x7,
  MV_CLOSUREREASON__MAX = 0xffffffff
};

/* ---- HTTP over a channel ---- */

struct MvHttpHeader {
  uint32_t length; /* bytes */
  const uint8_t *data;
};

struct MvHttpRequest {
  struct MvSizedString method;
  struct MvSizedString url;
  uint32_t num_headers;
  const struct MvHttpHeader *headers;
  struct MvSizedString body;
  uint32_t timeout_ms; /* 5000 to 10000 */
};

enum MvHttpResult {
  MV_HTTPRESULT_OK = 0x0,
  MV_HTTPRESULT_UNSUPPORTEDURISCHEME = 0x1,
  MV_HTTPRESULT_UNSUPPORTEDMETHOD = 0x2,
  MV_HTTPRESULT_INVALIDHEADERS = 0x3,
  MV_HTTPRESULT_INVALIDTIMEOUT = 0x4,
  MV_HTTPRESULT_REQUESTFAILED = 0x5,
  MV_HTTPRESULT_RESPONSETOOLARGE = 0x6,
  MV_HTTPRESULT__MAX = 0xffffffff
};

struct MvHttpResponseData {
  enum MvHttpResult result;
  uint32_t status_code;
  uint32_t num_headers;
  uint32_t body_length;
};

/* ---- configuration and secrets over a channel ---- */

enum MvConfigKeyFetchScope {
  MV_CONFIGKEYFETCHSCOPE_ACCOUNT = 0x0,
  MV_CONFIGKEYFETCHSCOPE_DEVICE = 0x1,
  MV_CONFIGKEYFETCHSCOPE__MAX = 0xffffffff
};

enum MvConfigKeyFetchStore {
  MV_CONFIGKEYFETCHSTORE_SECRET = 0x0,
  MV_CONFIGKEYFETCHSTORE_CONFIG = 0x1,
  MV_CONFIGKEYFETCHSTORE__MAX = 0xffffffff
};

struct MvConfigKeyToFetch {
  enum MvConfigKeyFetchScope scope;
  enum MvConfigKeyFetchStore store;
  struct MvSizedString key;
};

struct MvConfigKeyFetchParams {
  uint32_t num_items;
  const struct MvConfigKeyToFetch *keys_to_fetch;
};

enum MvConfigFetchResult {
  MV_CONFIGFETCHRESULT_OK = 0x0,
  MV_CONFIGFETCHRESULT_RESPONSETOOLARGE = 0x1,
  MV_CONFIGFETCHRESULT__MAX = 0xffffffff
};

struct MvConfigResponseData {
  enum MvConfigFetchResult result;
  uint32_t num_items;
};

enum MvConfigKeyFetchResult {
  MV_CONFIGKEYFETCHRESULT_OK = 0x0,
  MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND = 0x1,
  MV_CONFIGKEYFETCHRESULT_SERVERERROR = 0x2,
  MV_CONFIGKEYFETCHRESULT__MAX = 0xffffffff
};

struct MvConfigResponseReadItemParams {
  uint32_t item_index;
  enum MvConfigKeyFetchResult *result;
  struct MvSizedStringBuffer buf;
};

/* ---- MQTT over a channel ---- */

enum MvMqttReadableDataType {
  MV_MQTTREADABLEDATATYPE_NONE = 0x0,
  MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED = 0x1,
  MV_MQTTREADABLEDATATYPE_MESSAGELOST = 0x2,
  MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE = 0x3,
  MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE = 0x4,
  MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE = 0x5,
  MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE = 0x6,
  MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE = 0x7,
  MV_MQTTREADABLEDATATYPE__MAX = 0xffffffff
};

enum MvMqttProtocolVersion {
  MV_MQTTPROTOCOLVERSION_V3_1_1 = 0x0,
  MV_MQTTPROTOCOLVERSION_V5 = 0x1,
  MV_MQTTPROTOCOLVERSION__MAX = 0xffffffff
};

enum MV_BYTE_ENUM MvMqttAuthenticationMethod {
  MV_MQTTAUTHENTICATIONMETHOD_NONE = 0x0,
  MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD = 0x1,
  MV_MQTTAUTHENTICATIONMETHOD__MAX = 0xff
};

struct MvUsernamePassword {
  struct MvSizedString username;
  struct MvSizedString password;
};

struct MvMqttAuthentication {
  enum MvMqttAuthenticationMethod method;
  struct MvUsernamePassword username_password;
};

struct MvTlsCertificateChain {
  uint32_t num_certs;
  const struct MvSizedString *certs; /* DER, one a certificate */
};

struct MvOwnTlsCertificateChain {
  struct MvTlsCertificateChain chain;
  struct MvSizedString key; /* PKCS#8 */
};

struct MvTlsCredentials {
  struct MvTlsCertificateChain cacert;
  struct MvOwnTlsCertificateChain clientcert;
};

struct MvMqttWill {
  struct MvSizedString topic;
  struct MvSizedString payload;
  uint32_t qos;
  uint8_t retain;
};

struct MvMqttConnectRequest {
  enum MvMqttProtocolVersion protocol_version;
  struct MvSizedString host;
  uint16_t port;
  struct MvSizedString clientid;
  struct MvMqttAuthentication authentication;
  const struct MvTlsCredentials *tls_credentials;
  uint32_t keepalive; /* seconds */
  uint8_t clean_start;
  const struct MvMqttWill *will;
};

enum MvMqttRequestState {
  MV_MQTTREQUESTSTATE_REQUESTCOMPLETED = 0x0,
  MV_MQTTREQUESTSTATE_INVALIDPARAMETERS = 0x1,
  MV_MQTTREQUESTSTATE_ALREADYCONNECTED = 0x2,
  MV_MQTTREQUESTSTATE_NOTCONNECTED = 0x3,
  MV_MQTTREQUESTSTATE_NXDOMAIN = 0x4,
  MV_MQTTREQUESTSTATE_UNKNOWNCA = 0x5,
  MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED = 0x6,
  MV_MQTTREQUESTSTATE_SOCKETERROR = 0x7,
  MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER = 0x8,
  MV_MQTTREQUESTSTATE__MAX = 0xffffffff
};

struct MvMqttConnectResponse {
  enum MvMqttRequestState request_state;
  uint32_t reason_code;
};

struct MvMqttSubscription {
  struct MvSizedString topic;
  uint32_t desired_qos;
  uint32_t nl;  /* no local */
  uint32_t rap; /* retain as published */
  uint32_t rh;  /* retain handling */
};

struct MvMqttSubscribeRequest {
  uint32_t correlation_id;
  const struct MvMqttSubscription *subscriptions;
  uint32_t num_subscriptions;
};

struct MvMqttSubscribeResponse {
  enum MvMqttRequestState *request_state;
  uint32_t *correlation_id;
  uint32_t *reason_codes;
  uint32_t reason_codes_size;
  uint32_t *reason_codes_len;
};

struct MvMqttUnsubscribeRequest {
  uint32_t correlation_id;
  const struct MvSizedString *topics;
  uint32_t num_topics;
};

struct MvMqttUnsubscribeResponse {
  enum MvMqttRequestState *request_state;
  uint32_t *correlation_id;
  uint32_t *reason_codes;
  uint32_t reason_codes_size;
  uint32_t *reason_codes_len;
};

struct MvMqttPublishRequest {
  uint32_t correlation_id;
  struct MvSizedString topic;
  struct MvSizedString payload;
  uint32_t desired_qos;
  uint32_t retain;
};

struct MvMqttPublishResponse {
  enum MvMqttRequestState request_state;
  uint32_t correlation_id;
  uint32_t reason_code;
};

struct MvMqttMessage {
  uint32_t *correlation_id;
  struct MvSizedStringBuffer topic;
  struct MvSizedStringBuffer payload;
  uint32_t *qos;
  uint8_t *retain;
};

enum MvMqttLostMessageReason {
  MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL = 0x0,
  MV_MQTTLOSTMESSAGEREASON__MAX = 0xffffffff
};

struct MvMqttLostMessageInfo {
  enum MvMqttLostMessageReason *reason;
  struct MvSizedStringBuffer topic;
  uint32_t *message_len;
};

struct MvMqttDisconnectResponse {
  enum MvMqttRequestState request_state;
  uint32_t disconnect_code;
};

/* ---- power, wake-up, restart ---- */

enum MV_BYTE_ENUM MvPowerSavingMode {
  MV_POWERSAVINGMODE_SLEEP = 0x0,
  MV_POWERSAVINGMODE_STOP0 = 0x1,
  MV_POWERSAVINGMODE_STOP1 = 0x2,
  MV_POWERSAVINGMODE_STOP2 = 0x3,
  MV_POWERSAVINGMODE_STOP3 = 0x4,
  MV_POWERSAVINGMODE__MAX = 0xff
};

enum MV_BYTE_ENUM MvDeepSleepMode {
  MV_DEEPSLEEPMODE_STANDBY = 0x0,
  MV_DEEPSLEEPMODE_SHUTDOWN = 0x1,
  MV_DEEPSLEEPMODE__MAX = 0xff
};

/* Why the application was started this time. */
enum MV_BYTE_ENUM MvWakeReason {
  MV_WAKEREASON_COLDBOOT = 0x00,
  MV_WAKEREASON_REMOTEMICROVISORRESTART = 0x01,
  MV_WAKEREASON_REMOTEAPPLICATIONRESTART = 0x02,
  MV_WAKEREASON_DEBUGGERRESTART = 0x03,
  MV_WAKEREASON_MICROVISORCRASH = 0x04,
  MV_WAKEREASON_MICROVISORWATCHDOG = 0x05,
  MV_WAKEREASON_MICROVISOROUTOFMEMORY = 0x06,
  MV_WAKEREASON_MICROVISORERROR = 0x07,
  MV_WAKEREASON_APPLICATIONCRASH = 0x08,
  MV_WAKEREASON_APPLICATIONUPDATE = 0x09,
  MV_WAKEREASON_MICROVISORUPDATE = 0x0a,
  MV_WAKEREASON_OPTIONBYTES = 0x0b,
  MV_WAKEREASON_DEEPSLEEPCHECKIN = 0x0c,
  MV_WAKEREASON_DEEPSLEEPAPPLICATION = 0x0d,
  MV_WAKEREASON_DEEPSLEEPMODEM = 0x0e,
  MV_WAKEREASON_DEEPSLEEPAPPLICATIONRTC = 0x0f,
  MV_WAKEREASON_DEEPSLEEPOTHER = 0x10,
  MV_WAKEREASON__MAX = 0xff
};

enum MvRestartMode {
  MV_RESTARTMODE_AUTOAPPLYUPDATE = 0x0, /* install a staged update first, if there is one */
  MV_RESTARTMODE__MAX = 0xffffffff
};

/* ---- external flash ---- */

struct MvExternalFlashInfo {
  uint32_t version; /* 1 */
  union {
    struct {
      uint32_t chip_id;
      uint32_t size; /* bytes */
      uint32_t num_handles;
    } v1;
  };
};

/* ---- Wi-Fi ---- */

enum MV_BYTE_ENUM MvWifiConfigMode {
  MV_WIFICONFIGMODE_APPLYNOW = 0x0,
  MV_WIFICONFIGMODE_CLEARNOW = 0x1,
  MV_WIFICONFIGMODE__MAX = 0xff
};

struct MvWifiConfig {
  uint32_t version; /* 1 */
  union {
    struct {
      enum MvWifiConfigMode config_mode;
      struct MvSizedString wifi_ssid;
      struct MvSizedString wifi_password;
    } v1;
  };
};

struct MvWifiConfigOut {
  uint32_t version; /* 1 */
  union {
    struct {
      struct MvSizedStringBuffer ssid;
      uint8_t *has_encryption;
    } v1;
  };
};

#ifdef __cplusplus
extern "C" {
#endif

/* Does nothing, successfully. */
enum MvStatus mvNoOp(void);

/* ---- device and clock ---- */

/* Microseconds since the microvisor started; never goes back. */
enum MvStatus mvGetMicroseconds(uint64_t *microseconds);

/* Microseconds since 1970-01-01 UTC; may jump when the cloud corrects it. TIMENOTSET until the cloud was reached. */
enum MvStatus mvGetWallTime(uint64_t *microseconds);

/* Frequencies in Hz: core, AHB, APB1, APB2. */
enum MvStatus mvGetSysClk(uint32_t *hz);
enum MvStatus mvGetHClk(uint32_t *hz);
enum MvStatus mvGetPClk1(uint32_t *hz);
enum MvStatus mvGetPClk2(uint32_t *hz);

/* The device's id, 34 characters without a NUL; `length` must be 34. */
enum MvStatus mvGetDeviceId(uint8_t *buffer, uint32_t length);

enum MvStatus mvPeriphPeek32(uint32_t address, uint32_t *value);
enum MvStatus mvPeriphPoke32(uint32_t address, uint32_t mask, uint32_t xor_value);

/* 1 switches the system LED on, 0 off. */
enum MvStatus mvSystemLedEnable(uint32_t enable);

/* ---- notifications ---- */

/* Opens a notification centre: a ring of records and the interrupt that announces them. At most 32. */
enum MvStatus mvSetupNotifications(const struct MvNotificationSetup *setup, MvNotificationHandle *handle);

/* Closes it and sets the handle to 0. A pended interrupt stays pended. */
enum MvStatus mvCloseNotifications(MvNotificationHandle *handle);

/* Posts a record to one's own ring, to try it out. */
enum MvStatus mvTempTriggerNotification(MvNotificationHandle handle, enum MvEventType type, uint32_t tag);

/* Subscribes a centre to events of the microvisor. With UPDATE open, a staged update waits for mvRestart. */
enum MvStatus mvOpenSystemNotification(const struct MvOpenSystemNotificationParams *params,
                                       MvSystemEventHandle *handle);
enum MvStatus mvCloseSystemNotification(MvSystemEventHandle *handle);

/* ---- restart ---- */

/* Restarts the application, installing a staged update first. Returns, and the application is stopped a moment later. */
enum MvStatus mvRestart(enum MvRestartMode mode);

/*
 * The application works: after an update it stays. A bundle with a confirm timeout that asks for this call, and does not
 * get it in time, is undone and the one before is put back. Does nothing at other times. Not in the original ABI.
 */
enum MvStatus mvConfirmUpdate(void);

enum MvUpdateState {
  MV_UPDATESTATE_NONE = 0x0,
  MV_UPDATESTATE_DOWNLOADING = 0x1,
  MV_UPDATESTATE_STAGED = 0x2, /* it waits for mvRestart, if the running bundle's policy lets it */
  MV_UPDATESTATE_TRIAL = 0x3,  /* what runs is to be confirmed */
  MV_UPDATESTATE__MAX = 0xffffffff
};

struct MvUpdateStatus {
  enum MvUpdateState state;
  uint32_t bytes_done;  /* of the new application that are there */
  uint32_t bytes_total; /* 0: not known yet */
};

/* Where an update is. UPDATEPROGRESS tells of each change of state and each tenth of a download. Not in the original ABI. */
enum MvStatus mvGetUpdateStatus(struct MvUpdateStatus *status);
enum MvStatus mvGetWakeReason(enum MvWakeReason *reason);

/* ---- logging ---- */

/* Begins logging. `buffer` is 512-byte aligned, its length a multiple of 512; the microvisor may use it until the
 * application restarts. */
enum MvStatus mvServerLoggingInit(uint8_t *buffer, uint32_t length_bytes);

/* Sends one message of up to 1024 bytes; kept while the device is offline, INVALIDBUFFERSIZE if there is no room. */
enum MvStatus mvServerLog(const uint8_t *message, uint16_t length_bytes);

/* ---- network ---- */

enum MvStatus mvRequestNetwork(const struct MvRequestNetworkParams *params, MvNetworkHandle *handle);
enum MvStatus mvReleaseNetwork(MvNetworkHandle *handle);
enum MvStatus mvGetNetworkStatus(MvNetworkHandle handle, enum MvNetworkStatus *status);
enum MvStatus mvGetNetworkReasons(enum MvNetworkReason *reasons, uint32_t *request_ref_count);

/* ---- fast interrupts ---- */

enum MvStatus mvSetFastInterrupt(uint32_t irq);
enum MvStatus mvClearFastInterrupt(uint32_t irq);
enum MvStatus mvEnableFastInterrupt(uint32_t irq);
enum MvStatus mvDisableFastInterrupt(uint32_t irq);
enum MvStatus mvDisableAllFastInterrupts(void);
enum MvStatus mvEnableAllFastInterrupts(void);

/* ---- channels ---- */

enum MvStatus mvOpenChannel(const struct MvOpenChannelParams *params, MvChannelHandle *handle);
enum MvStatus mvReadChannel(MvChannelHandle handle, uint8_t **data, uint32_t *length);
enum MvStatus mvReadChannelComplete(MvChannelHandle handle, uint32_t consumed);
enum MvStatus mvWriteChannelStream(MvChannelHandle handle, const uint8_t *data, uint32_t length, uint32_t *written);
enum MvStatus mvWriteChannel(MvChannelHandle handle, const uint8_t *data, uint32_t length, uint32_t *available);
enum MvStatus mvCloseChannel(MvChannelHandle *handle);
enum MvStatus mvGetChannelClosureReason(MvChannelHandle handle, enum MvClosureReason *reason);

enum MvStatus mvSendHttpRequest(MvChannelHandle handle, const struct MvHttpRequest *request);
enum MvStatus mvReadHttpResponseData(MvChannelHandle handle, struct MvHttpResponseData *response);
enum MvStatus mvReadHttpResponseHeader(MvChannelHandle handle, uint32_t header_index, uint8_t *buffer, uint32_t size);
enum MvStatus mvReadHttpResponseBody(MvChannelHandle handle, uint32_t offset, uint8_t *buffer, uint32_t size);

enum MvStatus mvSendConfigFetchRequest(MvChannelHandle handle, const struct MvConfigKeyFetchParams *request);
enum MvStatus mvReadConfigFetchResponseData(MvChannelHandle handle, struct MvConfigResponseData *response);
enum MvStatus mvReadConfigResponseItem(MvChannelHandle handle, const struct MvConfigResponseReadItemParams *params);

enum MvStatus mvMqttGetNextReadableDataType(MvChannelHandle handle, enum MvMqttReadableDataType *type);
enum MvStatus mvMqttRequestConnect(MvChannelHandle handle, const struct MvMqttConnectRequest *request);
enum MvStatus mvMqttReadConnectResponse(MvChannelHandle handle, struct MvMqttConnectResponse *response);
enum MvStatus mvMqttRequestSubscribe(MvChannelHandle handle, const struct MvMqttSubscribeRequest *request);
enum MvStatus mvMqttReadSubscribeResponse(MvChannelHandle handle, const struct MvMqttSubscribeResponse *response);
enum MvStatus mvMqttRequestUnsubscribe(MvChannelHandle handle, const struct MvMqttUnsubscribeRequest *request);
enum MvStatus mvMqttReadUnsubscribeResponse(MvChannelHandle handle, const struct MvMqttUnsubscribeResponse *response);
enum MvStatus mvMqttRequestPublish(MvChannelHandle handle, const struct MvMqttPublishRequest *request);
enum MvStatus mvMqttReadPublishResponse(MvChannelHandle handle, struct MvMqttPublishResponse *response);
enum MvStatus mvMqttReceiveMessage(MvChannelHandle handle, const struct MvMqttMessage *message);
enum MvStatus mvMqttReceiveLostMessageInfo(MvChannelHandle handle, const struct MvMqttLostMessageInfo *info);
enum MvStatus mvMqttAcknowledgeMessage(MvChannelHandle handle, uint32_t correlation_id);
enum MvStatus mvMqttRequestDisconnect(MvChannelHandle handle);
enum MvStatus mvMqttReadDisconnectResponse(MvChannelHandle handle, struct MvMqttDisconnectResponse *response);

/* ---- factory test, power, external flash, Wi-Fi ---- */

enum MvStatus mvTestingComplete(uint32_t code);
enum MvStatus mvTestLoggingInit(uint8_t *buffer, uint32_t length_bytes);
enum MvStatus mvTestLog(const uint8_t *message, uint16_t length_bytes);

enum MvStatus mvPowerSave(enum MvPowerSavingMode mode);
enum MvStatus mvDeepSleep(enum MvDeepSleepMode mode);

/* Flash of the application's, erased in sectors of 4096 bytes to 0xFF; writing turns ones into zeros. Not in interrupts. */
enum MvStatus mvExternalFlashOpen(MvExternalFlashHandle *handle);
enum MvStatus mvExternalFlashClose(MvExternalFlashHandle *handle);
enum MvStatus mvExternalFlashReadBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length,
                                          uint8_t *buffer);
enum MvStatus mvExternalFlashEraseBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length);
enum MvStatus mvExternalFlashWriteBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length,
                                           const uint8_t *buffer);
enum MvStatus mvExternalFlashGetInfo(MvExternalFlashHandle handle, struct MvExternalFlashInfo *info);

enum MvStatus mvSetWifiConfig(const struct MvWifiConfig *params);
enum MvStatus mvGetWifiConfig(const struct MvWifiConfigOut *params);

#ifdef __cplusplus
}
#endif

#endif
