/* What the function of a restartable system call returns to have the application make it again; no MvStatus. */
#pragma once

#define MV_CALL_AGAIN 0x80000000
