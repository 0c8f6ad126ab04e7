# The devices of this build of QEMU: this machine and what it needs, nothing else.
CONFIG_STM32U585=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
# mps2-an505 too: the same microvisor runs on both, and here with `-global armv7m_nvic.core-debug=on` it has comparators there.
CONFIG_MPS2=y
