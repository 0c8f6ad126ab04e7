// Debian's Lua asks this header, which its packaging makes, where its modules are. There are none on a microcontroller.
#define DEB_HOST_MULTIARCH "none"
