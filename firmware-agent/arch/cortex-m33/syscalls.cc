// The system calls as the veneers of syscalls.S call them: registers in, status out.
//
// Every call holds the application's interrupts back while it lasts (critical_section.h says why). Pointers are numbers
// here; app::SystemCalls checks each before it is followed.
#include "arch/cortex-m33/call_again.h"
#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/guest.h"
#include "core/app/guest_calls.h"

namespace {

mv::app::GuestCalls* calls = nullptr;

}  // namespace

void mv::arch::set_system_calls(app::GuestCalls& the_calls) { calls = &the_calls; }

// A call with its arguments, carried out by a member function of one family.
#define MV_CALL0(name, family, method)        \
  extern "C" std::uint32_t mv_call_##name() { \
    const mv::arch::SystemCall guard;         \
    return calls->family.method();            \
  }

#define MV_CALL1(name, family, method)                       \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a) { \
    const mv::arch::SystemCall guard;                        \
    return calls->family.method(a);                          \
  }
#define MV_CALL2(name, family, method)                                        \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a, std::uint32_t b) { \
    const mv::arch::SystemCall guard;                                         \
    return calls->family.method(a, b);                                        \
  }
#define MV_CALL3(name, family, method)                                                         \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a, std::uint32_t b, std::uint32_t c) { \
    const mv::arch::SystemCall guard;                                                          \
    return calls->family.method(a, b, c);                                                      \
  }
#define MV_CALL4(name, family, method)                                                                          \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) { \
    const mv::arch::SystemCall guard;                                                                           \
    return calls->family.method(a, b, c, d);                                                                    \
  }
// A call that the application may have to make again, with its arguments as they then stand.
#define MV_RESTARTABLE(name, family, method)                                              \
  extern "C" std::uint32_t mv_call_##name(std::uint32_t* r0_to_r3) {                      \
    const mv::arch::SystemCall guard;                                                     \
    const mv::app::Progress done = calls->family.method(mv::app::Arguments(r0_to_r3, 4)); \
    return done ? static_cast<std::uint32_t>(*done) : std::uint32_t{MV_CALL_AGAIN};       \
  }

extern "C" std::uint32_t mv_call_unavailable() { return MV_STATUS_UNAVAILABLE; }
extern "C" std::uint32_t mv_call_mvNoOp() { return MV_STATUS_OKAY; }

MV_CALL1(mvGetMicroseconds, system, get_microseconds)
MV_CALL1(mvGetWallTime, system, get_wall_time)
MV_CALL1(mvGetSysClk, system, get_sys_clk)
MV_CALL1(mvGetHClk, system, get_h_clk)
MV_CALL1(mvGetPClk1, system, get_p_clk1)
MV_CALL1(mvGetPClk2, system, get_p_clk2)
MV_CALL2(mvGetDeviceId, system, get_device_id)
MV_CALL1(mvSystemLedEnable, system, system_led_enable)

MV_CALL2(mvSetupNotifications, system, setup_notifications)
MV_CALL1(mvCloseNotifications, system, close_notifications)
MV_CALL3(mvTempTriggerNotification, system, trigger_notification)
MV_CALL2(mvOpenSystemNotification, system, open_system_notification)
MV_CALL1(mvCloseSystemNotification, system, close_system_notification)

MV_CALL1(mvRestart, system, restart)
MV_CALL0(mvConfirmUpdate, system, confirm_update)
MV_CALL1(mvGetUpdateStatus, system, get_update_status)
MV_CALL1(mvGetWakeReason, system, get_wake_reason)

MV_CALL2(mvServerLoggingInit, system, server_logging_init)
// Its length is 16 bits wide: what a caller leaves in the upper half of the register does not count.
extern "C" std::uint32_t mv_call_mvServerLog(std::uint32_t message, std::uint32_t length) {
  const mv::arch::SystemCall guard;
  return calls->system.server_log(message, length & 0xffffU);
}

MV_CALL2(mvRequestNetwork, system, request_network)
MV_CALL1(mvReleaseNetwork, system, release_network)
MV_CALL2(mvGetNetworkStatus, system, get_network_status)
MV_CALL2(mvGetNetworkReasons, system, get_network_reasons)

MV_CALL2(mvPeriphPeek32, system, peek)
MV_CALL3(mvPeriphPoke32, system, poke)
MV_CALL1(mvSetFastInterrupt, system, set_fast_interrupt)
MV_CALL1(mvClearFastInterrupt, system, clear_fast_interrupt)
MV_CALL1(mvEnableFastInterrupt, system, enable_fast_interrupt)
MV_CALL1(mvDisableFastInterrupt, system, disable_fast_interrupt)
MV_CALL0(mvEnableAllFastInterrupts, system, enable_all_fast_interrupts)
MV_CALL0(mvDisableAllFastInterrupts, system, disable_all_fast_interrupts)
MV_CALL2(mvOpenChannel, channels, open)
MV_CALL3(mvReadChannel, channels, read)
MV_CALL2(mvReadChannelComplete, channels, read_complete)
MV_CALL4(mvWriteChannel, channels, write)
MV_CALL4(mvWriteChannelStream, channels, write_stream)
MV_CALL1(mvCloseChannel, channels, close)
MV_CALL2(mvGetChannelClosureReason, channels, closure_reason)
MV_CALL2(mvSendHttpRequest, channels, http_request)
MV_CALL2(mvReadHttpResponseData, channels, http_response)
MV_CALL4(mvReadHttpResponseHeader, channels, http_header)
MV_CALL4(mvReadHttpResponseBody, channels, http_body)
MV_CALL2(mvSendConfigFetchRequest, channels, config_request)
MV_CALL2(mvReadConfigFetchResponseData, channels, config_response)
MV_CALL2(mvReadConfigResponseItem, channels, config_item)
MV_CALL2(mvMqttGetNextReadableDataType, channels, mqtt_next_type)
MV_CALL2(mvMqttRequestConnect, channels, mqtt_connect)
MV_CALL2(mvMqttReadConnectResponse, channels, mqtt_connect_response)
MV_CALL2(mvMqttRequestSubscribe, channels, mqtt_subscribe)
MV_CALL2(mvMqttReadSubscribeResponse, channels, mqtt_subscribe_response)
MV_CALL2(mvMqttRequestUnsubscribe, channels, mqtt_unsubscribe)
MV_CALL2(mvMqttReadUnsubscribeResponse, channels, mqtt_unsubscribe_response)
MV_CALL2(mvMqttRequestPublish, channels, mqtt_publish)
MV_CALL2(mvMqttReadPublishResponse, channels, mqtt_publish_response)
MV_CALL2(mvMqttReceiveMessage, channels, mqtt_message)
MV_CALL2(mvMqttReceiveLostMessageInfo, channels, mqtt_lost_message)
MV_CALL2(mvMqttAcknowledgeMessage, channels, mqtt_acknowledge)
MV_CALL1(mvMqttRequestDisconnect, channels, mqtt_disconnect)
MV_CALL2(mvMqttReadDisconnectResponse, channels, mqtt_disconnect_response)
MV_RESTARTABLE(mvTestingComplete, test, complete)
MV_CALL2(mvTestLoggingInit, test, logging_init)
MV_RESTARTABLE(mvTestLog, test, log)
MV_CALL1(mvPowerSave, system, power_save)
MV_CALL1(mvDeepSleep, system, deep_sleep)
MV_CALL1(mvExternalFlashOpen, external_flash, open)
MV_CALL1(mvExternalFlashClose, external_flash, close)
MV_CALL2(mvExternalFlashGetInfo, external_flash, get_info)
MV_RESTARTABLE(mvExternalFlashReadBlocking, external_flash, read)
MV_RESTARTABLE(mvExternalFlashWriteBlocking, external_flash, write)
MV_RESTARTABLE(mvExternalFlashEraseBlocking, external_flash, erase)
MV_RESTARTABLE(mvSetWifiConfig, wifi, set)
MV_CALL1(mvGetWifiConfig, wifi, get)
