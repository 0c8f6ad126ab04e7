// threads: four threads under a small scheduler of our own, which keeps its books in the structures that FreeRTOS
// documents (names and members of tskTaskControlBlock, xLIST and xLIST_ITEM), so that a debugger finds the threads.
//
// worker (priority 1) counts and is what runs nearly always; blinker (2) sleeps and works by turns, with floating-point
// numbers; waiter (2) waits for an event that never comes; idle (0) never gets its turn.
#include <stddef.h>
#include <stdint.h>

#include "../common/board.h"
#include "mv_log.h"
#include "mv_syscalls.h"

struct xLIST;

struct xLIST_ITEM {
  uint32_t xItemValue;  // in the list of sleepers: when to wake
  struct xLIST_ITEM *pxNext;
  struct xLIST_ITEM *pxPrevious;
  void *pvOwner;
  struct xLIST *pxContainer;
};

struct xMINI_LIST_ITEM {
  uint32_t xItemValue;
  struct xLIST_ITEM *pxNext;
  struct xLIST_ITEM *pxPrevious;
};

typedef struct xLIST {
  volatile uint32_t uxNumberOfItems;
  struct xLIST_ITEM *pxIndex;
  struct xMINI_LIST_ITEM xListEnd;
} List_t;

typedef struct tskTaskControlBlock {
  volatile uint32_t *pxTopOfStack;  // first: PendSV_Handler relies on it
  struct xLIST_ITEM xStateListItem;
  struct xLIST_ITEM xEventListItem;
  uint32_t uxPriority;
  uint32_t *pxStack;
  char pcTaskName[16];
} TCB_t;

enum { kPriorities = 3, kStackWords = 256, kThreads = 4, kInitialPsr = 0x01000000 };
#define EXC_RETURN_THREAD_PSP 0xffffffbcU  // Non-secure, no floating-point state (Arm DDI 0553B, B3.18)

TCB_t *volatile pxCurrentTCB;
List_t pxReadyTasksLists[kPriorities];
List_t xDelayedTaskList1, xDelayedTaskList2, xSuspendedTaskList;
volatile int32_t xSchedulerRunning;

static TCB_t blocks[kThreads];
static uint32_t stacks[kThreads][kStackWords] __attribute__((aligned(8)));
static volatile uint32_t now;
static volatile uint32_t worked;
static List_t button;

static struct xLIST_ITEM *end_of(List_t *list) { return (struct xLIST_ITEM *)&list->xListEnd; }

static void list_make(List_t *list) {
  list->uxNumberOfItems = 0;
  list->pxIndex = list->xListEnd.pxNext = list->xListEnd.pxPrevious = end_of(list);
}

static void list_put(List_t *list, struct xLIST_ITEM *item) {
  item->pxNext = end_of(list);
  item->pxPrevious = list->xListEnd.pxPrevious;
  item->pxPrevious->pxNext = item;
  list->xListEnd.pxPrevious = item;
  item->pxContainer = list;
  list->uxNumberOfItems = list->uxNumberOfItems + 1;
}

static void list_take(struct xLIST_ITEM *item) {
  item->pxNext->pxPrevious = item->pxPrevious;
  item->pxPrevious->pxNext = item->pxNext;
  item->pxContainer->uxNumberOfItems = item->pxContainer->uxNumberOfItems - 1;
  item->pxContainer = NULL;
}

static void thread_make(int number, const char *name, uint32_t priority, void (*entry)(void)) {
  TCB_t *thread = &blocks[number];
  uint32_t *top = &stacks[number][kStackWords];
  *--top = kInitialPsr;
  *--top = (uint32_t)entry & ~1U;
  top -= 6;            // lr, r12, r3-r0
  top -= 8;            // r11-r4
  *--top = EXC_RETURN_THREAD_PSP;
  *--top = (uint32_t)stacks[number];  // psplim
  thread->pxTopOfStack = top;
  thread->uxPriority = priority;
  thread->pxStack = stacks[number];
  for (int i = 0; name[i] != 0; ++i) thread->pcTaskName[i] = name[i];
  thread->xStateListItem.pvOwner = thread->xEventListItem.pvOwner = thread;
  list_put(&pxReadyTasksLists[priority], &thread->xStateListItem);
}

// Called by PendSV_Handler. The first of the most urgent ones that are ready.
__attribute__((used)) static void choose(void) {
  for (int priority = kPriorities - 1; priority >= 0; --priority) {
    if (pxReadyTasksLists[priority].uxNumberOfItems == 0) continue;
    pxCurrentTCB = pxReadyTasksLists[priority].xListEnd.pxNext->pvOwner;
    return;
  }
}

// Saved on the thread's stack, from below: psplim, EXC_RETURN, r4-r11, s16-s31 if there is floating-point state.
__attribute__((naked)) void PendSV_Handler(void) {
  __asm__ volatile(
      "mrs r1, psp\n"
      "tst lr, #16\n"
      "it eq\n"
      "vstmdbeq r1!, {s16-s31}\n"
      "stmdb r1!, {r4-r11}\n"
      "mrs r0, psplim\n"
      "stmdb r1!, {r0, lr}\n"
      "ldr r4, =pxCurrentTCB\n"
      "ldr r0, [r4]\n"
      "str r1, [r0]\n"
      "cpsid i\n"
      "bl choose\n"
      "cpsie i\n"
      "ldr r0, [r4]\n"
      "b enter_thread\n"
      ".ltorg\n");
}

// r0: the thread's control block.
__attribute__((naked, used)) void enter_thread(void) {
  __asm__ volatile(
      "ldr r1, [r0]\n"
      "ldmia r1!, {r0, lr}\n"
      "msr psplim, r0\n"
      "ldmia r1!, {r4-r11}\n"
      "tst lr, #16\n"
      "it eq\n"
      "vldmiaeq r1!, {s16-s31}\n"
      "msr psp, r1\n"
      "bx lr\n");
}

__attribute__((naked)) void SVC_Handler(void) {
  __asm__ volatile(
      "ldr r0, =pxCurrentTCB\n"
      "ldr r0, [r0]\n"
      "b enter_thread\n"
      ".ltorg\n");
}

static void yield(void) {
  BOARD_REGISTER(0xE000ED04) = 1U << 28;  // ICSR.PENDSVSET
  __asm__ volatile("dsb\nisb" : : : "memory");
}

void SysTick_Handler(void) {
  now = now + 1;
  for (int i = 0; i < kThreads; ++i) {
    struct xLIST_ITEM *item = &blocks[i].xStateListItem;
    if (item->pxContainer != &xDelayedTaskList1 || item->xItemValue > now) continue;
    list_take(item);
    list_put(&pxReadyTasksLists[blocks[i].uxPriority], item);
    yield();
  }
}

static void thread_sleep(uint32_t ticks) {
  struct xLIST_ITEM *item = &pxCurrentTCB->xStateListItem;
  __asm__ volatile("cpsid i");
  item->xItemValue = now + ticks;
  list_take(item);
  list_put(&xDelayedTaskList1, item);
  __asm__ volatile("cpsie i");
  yield();
}

static void wait_for_event(List_t *event) {
  TCB_t *self = pxCurrentTCB;
  __asm__ volatile("cpsid i");
  list_take(&self->xStateListItem);
  list_put(&xSuspendedTaskList, &self->xStateListItem);
  list_put(event, &self->xEventListItem);
  __asm__ volatile("cpsie i");
  yield();
}

static uint32_t work(uint32_t amount) {
  const uint32_t doubled = amount * 2;
  worked = worked + doubled;
  return doubled;
}

static void worker(void) {
  for (uint32_t round = 1;; ++round) {
    const uint32_t done = work(round);
    const uint32_t again = work(done);
    if (again == 0) mv_log("threads: round %lu", (unsigned long)round);
  }
}

static float blink(float phase) {
  const float next = phase + 0.5f;
  thread_sleep(2);  // MARK asleep
  return next;
}

static void blinker(void) {
  float phase = 0.5f;
  for (;;) phase = blink(phase);
}

static void waiter(void) {
  for (;;) wait_for_event(&button);  // MARK waiting
}

static void idle(void) {
  for (;;) __asm__ volatile("wfi");
}

int main(void) {
  uint32_t clock = 0;
  mvGetSysClk(&clock);
  for (int i = 0; i < kPriorities; ++i) list_make(&pxReadyTasksLists[i]);
  list_make(&xDelayedTaskList1);
  list_make(&xDelayedTaskList2);
  list_make(&xSuspendedTaskList);
  list_make(&button);
  thread_make(0, "idle", 0, idle);
  thread_make(1, "worker", 1, worker);
  thread_make(2, "blinker", 2, blinker);
  thread_make(3, "waiter", 2, waiter);
  pxCurrentTCB = &blocks[2];
  xSchedulerRunning = 1;  // MARK start
  BOARD_REGISTER(0xE000ED88) |= 0xfU << 20;  // CPACR: floating point for everybody
  BOARD_REGISTER(0xE000ED20) = 0xffff0000U;  // SHPR3: SysTick and PendSV give way to all others, and to one another
  board_ticks(clock / 20);
  __asm__ volatile("svc 0");
  for (;;) {
  }
}
