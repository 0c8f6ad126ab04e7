// A program of the original platform: it includes nothing of ours and knows the system calls by their addresses
// (original_addresses.ld), their arguments and structures as words. Makes every call and checks each answer.
#include "app.h"
#include "board.h"

typedef uint32_t Word;

// What a call answers (MvStatus).
enum {
  kOkay = 0x00,
  kTimeNotSet = 0x01,
  kParameterFault = 0x02,
  kInvalidBufferSize = 0x03,
  kAccessFault = 0x04,
  kInvalidInterrupt = 0x06,
  kInvalidHandle = 0x07,
  kUnavailable = 0x0a,
  kUnsupportedVersion = 0x0b,
  kInvalidAlignment = 0x12,
  kUnknownType = 0x0e,
  kNotConnected = 0x10,
  kMessageTooLong = 0x19,
  kMissing = 0x23,
  kBusy = 0x24,
  kOutOfRange = 0x25,
  kTooLong = 0x26,
};

#define CALL(name) extern Word name(Word, Word, Word, Word)
CALL(mvNoOp);
CALL(mvTemporaryStructTest);
CALL(mvGetMicroseconds);
CALL(mvGetWallTime);
CALL(mvGetSysClk);
CALL(mvGetHClk);
CALL(mvGetPClk1);
CALL(mvGetPClk2);
CALL(mvGetDeviceId);
CALL(mvSystemLedEnable);
CALL(mvSetupNotifications);
CALL(mvCloseNotifications);
CALL(mvTempTriggerNotification);
CALL(mvOpenSystemNotification);
CALL(mvCloseSystemNotification);
CALL(mvGetWakeReason);
CALL(mvRestart);
CALL(mvServerLoggingInit);
CALL(mvServerLog);
CALL(mvRequestNetwork);
CALL(mvReleaseNetwork);
CALL(mvGetNetworkStatus);
CALL(mvGetNetworkReasons);
CALL(mvPeriphPeek32);
CALL(mvPeriphPoke32);
CALL(mvSetFastInterrupt);
CALL(mvClearFastInterrupt);
CALL(mvEnableFastInterrupt);
CALL(mvDisableFastInterrupt);
CALL(mvEnableAllFastInterrupts);
CALL(mvDisableAllFastInterrupts);
CALL(mvPowerSave);
CALL(mvDeepSleep);
CALL(mvExternalFlashOpen);
CALL(mvExternalFlashClose);
CALL(mvExternalFlashGetInfo);
CALL(mvExternalFlashReadBlocking);
CALL(mvExternalFlashWriteBlocking);
CALL(mvExternalFlashEraseBlocking);
CALL(mvSetWifiConfig);
CALL(mvGetWifiConfig);
CALL(mvTestLoggingInit);
CALL(mvTestLog);
CALL(mvTestingComplete);
CALL(mvOpenChannel);
CALL(mvCloseChannel);
CALL(mvGetChannelClosureReason);
CALL(mvReadChannel);
CALL(mvReadChannelComplete);
CALL(mvWriteChannel);
CALL(mvWriteChannelStream);
CALL(mvSendHttpRequest);
CALL(mvReadHttpResponseData);
CALL(mvReadHttpResponseHeader);
CALL(mvReadHttpResponseBody);
CALL(mvSendConfigFetchRequest);
CALL(mvReadConfigFetchResponseData);
CALL(mvReadConfigResponseItem);
CALL(mvMqttGetNextReadableDataType);
CALL(mvMqttRequestConnect);
CALL(mvMqttReadConnectResponse);
CALL(mvMqttRequestSubscribe);
CALL(mvMqttReadSubscribeResponse);
CALL(mvMqttRequestUnsubscribe);
CALL(mvMqttReadUnsubscribeResponse);
CALL(mvMqttRequestPublish);
CALL(mvMqttReadPublishResponse);
CALL(mvMqttReceiveMessage);
CALL(mvMqttReceiveLostMessageInfo);
CALL(mvMqttAcknowledgeMessage);
CALL(mvMqttRequestDisconnect);
CALL(mvMqttReadDisconnectResponse);

#define AT(thing) ((Word)(thing))

static Word bad;

static void expect(const char* what, Word got, Word wanted) {
  if (got == wanted) return;
  bad = bad + 1;
  print("original: BAD ");
  print(what);
  print(" ");
  print_hex(got);
  print(" wanted ");
  print_hex(wanted);
  print("\r\n");
}

#define EXPECT(wanted, call, a, b, c, d) expect(#call "(" #a ", " #b ", " #c ", " #d ")", call(a, b, c, d), wanted)

static void device_and_clock(void) {
  static uint64_t early, late;
  static Word hz;
  static uint8_t id[36];
  EXPECT(kOkay, mvNoOp, 0, 0, 0, 0);
  EXPECT(kUnavailable, mvTemporaryStructTest, AT(&hz), 0, 0, 0);
  EXPECT(kOkay, mvGetMicroseconds, AT(&early), 0, 0, 0);
  EXPECT(kOkay, mvGetMicroseconds, AT(&late), 0, 0, 0);
  expect("the clock runs", late > early && early > 0, 1);
  EXPECT(kParameterFault, mvGetMicroseconds, kSecureRam, 0, 0, 0);
  EXPECT(kTimeNotSet, mvGetWallTime, AT(&late), 0, 0, 0);
  EXPECT(kParameterFault, mvGetWallTime, 0, 0, 0, 0);
  EXPECT(kOkay, mvGetSysClk, AT(&hz), 0, 0, 0);
  expect("core clock", hz, kClock);
  EXPECT(kOkay, mvGetHClk, AT(&hz), 0, 0, 0);
  EXPECT(kOkay, mvGetPClk1, AT(&hz), 0, 0, 0);
  EXPECT(kOkay, mvGetPClk2, AT(&hz), 0, 0, 0);
  EXPECT(kInvalidBufferSize, mvGetDeviceId, AT(id), 36, 0, 0);
  EXPECT(kUnavailable, mvGetDeviceId, AT(id), 34, 0, 0);  // this device was never provisioned
  EXPECT(kOkay, mvSystemLedEnable, 1, 0, 0, 0);
}

static volatile Word interrupts, led_in_interrupt;

void on_interrupt(uint32_t number) {
  (void)number;
  interrupts = interrupts + 1;
  led_in_interrupt = mvSystemLedEnable(1, 0, 0, 0);
}

enum { kIrq = 60 };  // one that no peripheral drives

static struct {
  uint64_t microseconds;
  Word event_type, tag;
} ring[4] __attribute__((aligned(8)));

// Opens a ring with the interrupt kIrq; its handle.
static Word open_ring(void) {
  static Word setup[3] = {kIrq, AT(0), sizeof(ring)};
  static Word handle;
  setup[1] = AT(ring);
  EXPECT(kOkay, mvSetupNotifications, AT(setup), AT(&handle), 0, 0);
  return handle;
}

static void notifications(void) {
  static Word handle, params[3], event, setup[3] = {kIrq, AT(0), 40};
  setup[1] = AT(ring);
  EXPECT(kInvalidBufferSize, mvSetupNotifications, AT(setup), AT(&handle), 0, 0);
  handle = open_ring();
  REG32(0xe000e100 + kIrq / 32 * 4) = 1u << (kIrq % 32);
  EXPECT(kInvalidHandle, mvTempTriggerNotification, handle + 1, 1, 0x77, 0);
  EXPECT(kOkay, mvTempTriggerNotification, handle, 1, 0x77, 0);
  expect("the interrupt came", interrupts, 1);
  expect("no LED in an interrupt", led_in_interrupt, kUnavailable);
  expect("type of the record", ring[0].event_type, 1);
  expect("tag of the record", ring[0].tag, 0x77);
  params[0] = handle;
  params[1] = 5;
  params[2] = 1;
  EXPECT(kOkay, mvOpenSystemNotification, AT(params), AT(&event), 0, 0);
  EXPECT(kOkay, mvCloseSystemNotification, AT(&event), 0, 0, 0);
  expect("a closed handle is 0", event, 0);
  EXPECT(kInvalidHandle, mvCloseSystemNotification, AT(&event), 0, 0, 0);
  EXPECT(kOkay, mvCloseNotifications, AT(&handle), 0, 0, 0);
}

static void logging(void) {
  static uint8_t buffer[512] __attribute__((aligned(512)));
  static const char text[] = "a line of the original";
  EXPECT(kUnavailable, mvServerLog, AT(text), sizeof(text) - 1, 0, 0);
  EXPECT(kInvalidAlignment, mvServerLoggingInit, AT(buffer) + 4, 512, 0, 0);
  EXPECT(kOkay, mvServerLoggingInit, AT(buffer), sizeof(buffer), 0, 0);
  EXPECT(kOkay, mvServerLog, AT(text), sizeof(text) - 1, 0, 0);
  EXPECT(kMessageTooLong, mvServerLog, AT(text), 1025, 0, 0);
}

static void network(void) {
  static Word params[3] = {2}, handle, value, count;
  EXPECT(kUnsupportedVersion, mvRequestNetwork, AT(params), AT(&handle), 0, 0);
  params[0] = 1;
  EXPECT(kOkay, mvRequestNetwork, AT(params), AT(&handle), 0, 0);
  EXPECT(kOkay, mvGetNetworkStatus, handle, AT(&value), 0, 0);
  EXPECT(kOkay, mvGetNetworkReasons, AT(&value), AT(&count), 0, 0);
  expect("one request", count, 1);
  EXPECT(kOkay, mvReleaseNetwork, AT(&handle), 0, 0, 0);
}

// A register that the board shares (board.h): some bits are the application's, one is not.
static void registers(void) {
  static Word value;
  EXPECT(kOkay, mvPeriphPoke32, kShared, 0xffffffff, kSharedFirst, 0);
  EXPECT(kOkay, mvPeriphPoke32, kShared, kSharedCleared, kSharedSet, 0);
  EXPECT(kOkay, mvPeriphPeek32, kShared, AT(&value), 0, 0);
  expect("the application's bits", value & kSharedMask, kSharedAfter);
  expect("the microvisor's bit stays", value & kSharedOurs, kSharedOurs);
  EXPECT(kOkay, mvPeriphPeek32, kReadOnly, AT(&value), 0, 0);
  expect("what may be read", value >> kReadOnlyShift & kReadOnlyMask, kReadOnlyIs);
  EXPECT(kAccessFault, mvPeriphPeek32, kForbidden, AT(&value), 0, 0);
  EXPECT(kAccessFault, mvPeriphPeek32, kShared + 1, AT(&value), 0, 0);
  EXPECT(kAccessFault, mvPeriphPoke32, kForbidden, 1, 1, 0);
  EXPECT(kParameterFault, mvPeriphPeek32, kShared, kSecureRam, 0, 0);
}

static void fast_interrupts(void) {
  enum { kFast = 59, kOurs = 33, kNone = 200 };  // 33: the microvisor's link
  EXPECT(kInvalidInterrupt, mvSetFastInterrupt, kOurs, 0, 0, 0);
  EXPECT(kInvalidInterrupt, mvSetFastInterrupt, kNone, 0, 0, 0);
  EXPECT(kInvalidInterrupt, mvEnableFastInterrupt, kFast, 0, 0, 0);
  EXPECT(kOkay, mvSetFastInterrupt, kFast, 0, 0, 0);
  EXPECT(kOkay, mvEnableFastInterrupt, kFast, 0, 0, 0);
  interrupts = 0;
  REG32(0xe000e200 + kFast / 32 * 4) = 1u << (kFast % 32);
  __asm volatile("dsb\n isb");
  expect("a fast interrupt came", interrupts, 1);
  EXPECT(kOkay, mvDisableAllFastInterrupts, 0, 0, 0, 0);
  REG32(0xe000e200 + kFast / 32 * 4) = 1u << (kFast % 32);
  __asm volatile("dsb\n isb");
  expect("none came while they are off", interrupts, 1);
  EXPECT(kOkay, mvEnableAllFastInterrupts, 0, 0, 0, 0);
  expect("it came after it", interrupts, 2);
  EXPECT(kOkay, mvDisableFastInterrupt, kFast, 0, 0, 0);
  EXPECT(kOkay, mvClearFastInterrupt, kFast, 0, 0, 0);
  EXPECT(kInvalidInterrupt, mvClearFastInterrupt, kFast, 0, 0, 0);
}

static void power(void) {
  start_ticks(100);
  const Word before = ticks;
  for (Word looks = 0; ticks < before + 3 && looks < 1000; ++looks) EXPECT(kOkay, mvPowerSave, 0, 0, 0, 0);
  expect("interrupts end the sleep", ticks - before >= 3, 1);
  // It wakes for an interrupt that the program masks, as WFI does.
  __asm volatile("cpsid i");
  const Word masked = ticks;
  while ((REG32(0xe000ed04) & 1u << 26) == 0) EXPECT(kOkay, mvPowerSave, 0, 0, 0, 0);  // ICSR.PENDSTSET
  expect("and is not taken", ticks, masked);
  __asm volatile("cpsie i\n isb");
  expect("but afterwards", ticks, masked + 1);
  REG32(0xe000e010) = 0;
  EXPECT(kBusy, mvPowerSave, 3, 0, 0, 0);
  EXPECT(kParameterFault, mvPowerSave, 5, 0, 0, 0);
  EXPECT(kBusy, mvDeepSleep, 0, 0, 0, 0);
  EXPECT(kParameterFault, mvDeepSleep, 2, 0, 0, 0);
}

static void external_flash(void) {
  static Word handle, info[4] = {1};
  static uint8_t written[20] = "kept in the flash", read[20];
  EXPECT(kOkay, mvExternalFlashOpen, AT(&handle), 0, 0, 0);
  EXPECT(kOkay, mvExternalFlashGetInfo, handle, AT(info), 0, 0);
  expect("size", info[2], kExternalFlashSize);
  expect("handles", info[3], 1);
  EXPECT(kOutOfRange, mvExternalFlashEraseBlocking, handle, info[2], 4096, 0);
  EXPECT(kInvalidAlignment, mvExternalFlashEraseBlocking, handle, 100, 4096, 0);
  EXPECT(kOkay, mvExternalFlashEraseBlocking, handle, 4096, 4096, 0);
  EXPECT(kOkay, mvExternalFlashWriteBlocking, handle, 5000, sizeof(written), AT(written));
  EXPECT(kOkay, mvExternalFlashReadBlocking, handle, 5000, sizeof(read), AT(read));
  for (Word i = 0; i < sizeof(read); ++i) expect("flash", read[i], written[i]);
  EXPECT(kParameterFault, mvExternalFlashReadBlocking, handle, 5000, sizeof(read), kSecureRam);
  EXPECT(kOkay, mvExternalFlashClose, AT(&handle), 0, 0, 0);
  EXPECT(kInvalidHandle, mvExternalFlashReadBlocking, handle, 5000, sizeof(read), AT(read));
}

static void wifi(void) {
  static const char name[] = "barn", secret[] = "correct horse";
  static Word config[6] = {1, 0, 0, sizeof(name) - 1, 0, sizeof(secret) - 1};
  static Word length, out[5] = {1, 0, 32};
  static uint8_t seen[32], encrypted;
  config[2] = AT(name);
  config[4] = AT(secret);
  out[1] = AT(seen);
  out[3] = AT(&length);
  out[4] = AT(&encrypted);
  EXPECT(kOkay, mvSetWifiConfig, AT(config), 0, 0, 0);
  EXPECT(kOkay, mvGetWifiConfig, AT(out), 0, 0, 0);
  expect("length of the name", length, sizeof(name) - 1);
  expect("name", seen[3], 'n');
  expect("encrypted", encrypted, 1);
  config[3] = 33;
  EXPECT(kTooLong, mvSetWifiConfig, AT(config), 0, 0, 0);
  config[3] = 0;
  EXPECT(kMissing, mvSetWifiConfig, AT(config), 0, 0, 0);
  config[1] = 1;
  EXPECT(kOkay, mvSetWifiConfig, AT(config), 0, 0, 0);
  EXPECT(kOkay, mvGetWifiConfig, AT(out), 0, 0, 0);
  expect("cleared", length, 0);
  out[0] = 9;
  EXPECT(kUnsupportedVersion, mvGetWifiConfig, AT(out), 0, 0, 0);
}

// This device was never provisioned, so it is in the factory.
static void factory(void) {
  static uint8_t buffer[512] __attribute__((aligned(512)));
  static const char text[] = "the factory reads this";
  EXPECT(kUnavailable, mvTestLog, AT(text), sizeof(text) - 1, 0, 0);
  EXPECT(kInvalidAlignment, mvTestLoggingInit, AT(buffer) + 4, 512, 0, 0);
  EXPECT(kOkay, mvTestLoggingInit, AT(buffer), sizeof(buffer), 0, 0);
  EXPECT(kOkay, mvTestLog, AT(text), sizeof(text) - 1, 0, 0);
  EXPECT(kMessageTooLong, mvTestLog, AT(text), 1025, 0, 0);
}

// Without a service for channels it is as if there were no network: none opens, and so no handle is valid.
static void channels(void) {
  static uint8_t receive[1536] __attribute__((aligned(512))), send[512] __attribute__((aligned(512)));
  static Word params[11] = {1, 0, 5, 0, 0, sizeof(receive), 0, sizeof(send), 2, 0, 0};
  static Word network_params[3] = {1}, network_handle, handle, words[15];
  enum { kDead = 0x04000101 };
  params[1] = open_ring();
  EXPECT(kOkay, mvRequestNetwork, AT(network_params), AT(&network_handle), 0, 0);
  params[4] = AT(receive);
  params[6] = AT(send);
  EXPECT(kInvalidHandle, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  params[3] = network_handle;
  for (Word type = 0; type < 4; ++type) {
    params[8] = type;
    EXPECT(kNotConnected, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  }
  params[8] = 4;
  EXPECT(kUnknownType, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  params[7] = 100;
  EXPECT(kInvalidBufferSize, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  params[6] = AT(send) + 8;
  EXPECT(kInvalidAlignment, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  params[6] = kSecureRam;
  EXPECT(kParameterFault, mvOpenChannel, AT(params), AT(&handle), 0, 0);
  params[0] = 2;
  EXPECT(kUnsupportedVersion, mvOpenChannel, AT(params), AT(&handle), 0, 0);

  handle = kDead;
  EXPECT(kInvalidHandle, mvCloseChannel, AT(&handle), 0, 0, 0);
  EXPECT(kInvalidHandle, mvGetChannelClosureReason, kDead, AT(words), 0, 0);
  EXPECT(kInvalidHandle, mvReadChannel, kDead, AT(words), AT(words), 0);
  EXPECT(kInvalidHandle, mvReadChannelComplete, kDead, 1, 0, 0);
  EXPECT(kInvalidHandle, mvWriteChannel, kDead, AT(send), 1, AT(words));
  EXPECT(kInvalidHandle, mvWriteChannelStream, kDead, AT(send), 1, AT(words));
  EXPECT(kInvalidHandle, mvReadHttpResponseHeader, kDead, 0, AT(send), 1);
  EXPECT(kParameterFault, mvReadHttpResponseHeader, kDead, 0, kSecureRam, 1);
  EXPECT(kInvalidHandle, mvReadHttpResponseBody, kDead, 0, AT(send), 1);
  EXPECT(kParameterFault, mvReadHttpResponseBody, kDead, 0, kSecureRam, 1);
  EXPECT(kInvalidHandle, mvMqttAcknowledgeMessage, kDead, 1, 0, 0);
  EXPECT(kInvalidHandle, mvMqttRequestDisconnect, kDead, 0, 0, 0);
#define ON_A_DEAD_CHANNEL(call)                 \
  EXPECT(kParameterFault, call, kDead, 0, 0, 0); \
  EXPECT(kParameterFault, call, kDead, kSecureRam, 0, 0); \
  EXPECT(kInvalidHandle, call, kDead, AT(words), 0, 0);
  ON_A_DEAD_CHANNEL(mvSendHttpRequest)
  ON_A_DEAD_CHANNEL(mvReadHttpResponseData)
  ON_A_DEAD_CHANNEL(mvSendConfigFetchRequest)
  ON_A_DEAD_CHANNEL(mvReadConfigFetchResponseData)
  ON_A_DEAD_CHANNEL(mvReadConfigResponseItem)
  ON_A_DEAD_CHANNEL(mvMqttGetNextReadableDataType)
  ON_A_DEAD_CHANNEL(mvMqttRequestConnect)
  ON_A_DEAD_CHANNEL(mvMqttReadConnectResponse)
  ON_A_DEAD_CHANNEL(mvMqttRequestSubscribe)
  ON_A_DEAD_CHANNEL(mvMqttReadSubscribeResponse)
  ON_A_DEAD_CHANNEL(mvMqttRequestUnsubscribe)
  ON_A_DEAD_CHANNEL(mvMqttReadUnsubscribeResponse)
  ON_A_DEAD_CHANNEL(mvMqttRequestPublish)
  ON_A_DEAD_CHANNEL(mvMqttReadPublishResponse)
  ON_A_DEAD_CHANNEL(mvMqttReceiveMessage)
  ON_A_DEAD_CHANNEL(mvMqttReceiveLostMessageInfo)
  ON_A_DEAD_CHANNEL(mvMqttReadDisconnectResponse)
}

static void restart(void) {
  static uint8_t reason[4] = {0xee, 0xee, 0xee, 0xee};
  EXPECT(kOkay, mvGetWakeReason, AT(&reason), 0, 0, 0);
  expect("the reason is one byte", reason[1], 0xee);
  EXPECT(kParameterFault, mvRestart, 7, 0, 0, 0);
}

int main(void) {
  device_and_clock();
  notifications();
  logging();
  network();
  registers();
  fast_interrupts();
  power();
  external_flash();
  wifi();
  factory();
  channels();
  restart();
  print(bad == 0 ? "original: good\r\n" : "original: ended\r\n");
  mvTestingComplete(bad, 0, 0, 0);
  print("original: BAD, it goes on\r\n");
  return 0;
}
