// The system calls as the veneers of syscalls.S call them: registers in, status out.
//
// Every call holds the application's interrupts back while it lasts (critical_section.h says why). Pointers are numbers
// here; app::SystemCalls checks each before it is followed.
#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/guest.h"
#include "core/app/system_calls.h"

namespace {

mv::app::SystemCalls* system_calls = nullptr;

}  // namespace

void mv::arch::set_system_calls(app::SystemCalls& calls) { system_calls = &calls; }

// A call with its arguments, carried out by a member function of app::SystemCalls.
#define MV_CALL0(name, method)                \
  extern "C" std::uint32_t mv_call_##name() { \
    const mv::arch::SystemCall guard;         \
    return system_calls->method();            \
  }

#define MV_CALL1(name, method)                               \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a) { \
    const mv::arch::SystemCall guard;                        \
    return system_calls->method(a);                          \
  }
#define MV_CALL2(name, method)                                                \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a, std::uint32_t b) { \
    const mv::arch::SystemCall guard;                                         \
    return system_calls->method(a, b);                                        \
  }
#define MV_CALL3(name, method)                                                                 \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a, std::uint32_t b, std::uint32_t c) { \
    const mv::arch::SystemCall guard;                                                          \
    return system_calls->method(a, b, c);                                                      \
  }
// A call that this microvisor does not carry out.
#define MV_UNAVAILABLE(name) \
  extern "C" std::uint32_t mv_call_##name() { return MV_STATUS_UNAVAILABLE; }

extern "C" std::uint32_t mv_call_unavailable() { return MV_STATUS_UNAVAILABLE; }
extern "C" std::uint32_t mv_call_mvNoOp() { return MV_STATUS_OKAY; }

MV_CALL1(mvGetMicroseconds, get_microseconds)
MV_CALL1(mvGetWallTime, get_wall_time)
MV_CALL1(mvGetSysClk, get_sys_clk)
MV_CALL1(mvGetHClk, get_h_clk)
MV_CALL1(mvGetPClk1, get_p_clk1)
MV_CALL1(mvGetPClk2, get_p_clk2)
MV_CALL2(mvGetDeviceId, get_device_id)
MV_CALL1(mvSystemLedEnable, system_led_enable)

MV_CALL2(mvSetupNotifications, setup_notifications)
MV_CALL1(mvCloseNotifications, close_notifications)
MV_CALL3(mvTempTriggerNotification, trigger_notification)
MV_CALL2(mvOpenSystemNotification, open_system_notification)
MV_CALL1(mvCloseSystemNotification, close_system_notification)

MV_CALL1(mvRestart, restart)
MV_CALL0(mvConfirmUpdate, confirm_update)
MV_CALL1(mvGetUpdateStatus, get_update_status)
MV_CALL1(mvGetWakeReason, get_wake_reason)

MV_CALL2(mvServerLoggingInit, server_logging_init)
// Its length is 16 bits wide: what a caller leaves in the upper half of the register does not count.
extern "C" std::uint32_t mv_call_mvServerLog(std::uint32_t message, std::uint32_t length) {
  const mv::arch::SystemCall guard;
  return system_calls->server_log(message, length & 0xffffU);
}

MV_CALL2(mvRequestNetwork, request_network)
MV_CALL1(mvReleaseNetwork, release_network)
MV_CALL2(mvGetNetworkStatus, get_network_status)
MV_CALL2(mvGetNetworkReasons, get_network_reasons)

MV_UNAVAILABLE(mvPeriphPeek32)
MV_UNAVAILABLE(mvPeriphPoke32)
MV_UNAVAILABLE(mvSetFastInterrupt)
MV_UNAVAILABLE(mvClearFastInterrupt)
MV_UNAVAILABLE(mvEnableFastInterrupt)
MV_UNAVAILABLE(mvDisableFastInterrupt)
MV_UNAVAILABLE(mvEnableAllFastInterrupts)
MV_UNAVAILABLE(mvDisableAllFastInterrupts)
MV_UNAVAILABLE(mvOpenChannel)
MV_UNAVAILABLE(mvReadChannel)
MV_UNAVAILABLE(mvReadChannelComplete)
MV_UNAVAILABLE(mvWriteChannel)
MV_UNAVAILABLE(mvWriteChannelStream)
MV_UNAVAILABLE(mvCloseChannel)
MV_UNAVAILABLE(mvGetChannelClosureReason)
MV_UNAVAILABLE(mvSendHttpRequest)
MV_UNAVAILABLE(mvReadHttpResponseData)
MV_UNAVAILABLE(mvReadHttpResponseHeader)
MV_UNAVAILABLE(mvReadHttpResponseBody)
MV_UNAVAILABLE(mvSendConfigFetchRequest)
MV_UNAVAILABLE(mvReadConfigFetchResponseData)
MV_UNAVAILABLE(mvReadConfigResponseItem)
MV_UNAVAILABLE(mvMqttGetNextReadableDataType)
MV_UNAVAILABLE(mvMqttRequestConnect)
MV_UNAVAILABLE(mvMqttReadConnectResponse)
MV_UNAVAILABLE(mvMqttRequestSubscribe)
MV_UNAVAILABLE(mvMqttReadSubscribeResponse)
MV_UNAVAILABLE(mvMqttRequestUnsubscribe)
MV_UNAVAILABLE(mvMqttReadUnsubscribeResponse)
MV_UNAVAILABLE(mvMqttRequestPublish)
MV_UNAVAILABLE(mvMqttReadPublishResponse)
MV_UNAVAILABLE(mvMqttReceiveMessage)
MV_UNAVAILABLE(mvMqttReceiveLostMessageInfo)
MV_UNAVAILABLE(mvMqttAcknowledgeMessage)
MV_UNAVAILABLE(mvMqttRequestDisconnect)
MV_UNAVAILABLE(mvMqttReadDisconnectResponse)
MV_UNAVAILABLE(mvTestingComplete)
MV_UNAVAILABLE(mvTestLoggingInit)
MV_UNAVAILABLE(mvTestLog)
MV_UNAVAILABLE(mvPowerSave)
MV_UNAVAILABLE(mvDeepSleep)
MV_UNAVAILABLE(mvExternalFlashOpen)
MV_UNAVAILABLE(mvExternalFlashClose)
MV_UNAVAILABLE(mvExternalFlashGetInfo)
MV_UNAVAILABLE(mvExternalFlashReadBlocking)
MV_UNAVAILABLE(mvExternalFlashWriteBlocking)
MV_UNAVAILABLE(mvExternalFlashEraseBlocking)
MV_UNAVAILABLE(mvSetWifiConfig)
MV_UNAVAILABLE(mvGetWifiConfig)
