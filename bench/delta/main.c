// The program of the delta benchmark: runs a Lua script that uses its libraries, and packs, hashes and demangles what comes
// out, so that the linker keeps about 200 KB of other people's everyday code.
#include <stdio.h>
#include <string.h>

#include "demangle.h"
#include "lauxlib.h"
#include "lualib.h"
#include "md5.h"
#include "sha1.h"
#include "zlib.h"

static const char kScript[] =
    "local t = {}\n"
    "for i = 1, 100 do t[i] = string.format('%d:%g:%s', i, math.sqrt(i), utf8.char(64 + i)) end\n"
    "table.sort(t)\n"
    "return table.concat(t, ','), coroutine.wrap(function() coroutine.yield(os.time() > 0) end)()\n";

static unsigned char packed[8192], unpacked[8192], digest[20];

// Lua's os.rename wants one; there are no files here.
int rename(const char *from, const char *to) {
  (void)from, (void)to;
  return -1;
}

int main(void) {
  lua_State *lua = luaL_newstate();
  if (lua == NULL) return 1;
  luaL_openlibs(lua);
  if (luaL_dostring(lua, kScript) != LUA_OK) {
    printf("lua: %s\n", lua_tostring(lua, -1));
    return 1;
  }
  size_t length = 0;
  const char *text = lua_tolstring(lua, 1, &length);

  uLongf packed_size = sizeof packed, unpacked_size = sizeof unpacked;
  if (compress2(packed, &packed_size, (const Bytef *)text, length, 9) != Z_OK) return 2;
  if (uncompress(unpacked, &unpacked_size, packed, packed_size) != Z_OK) return 3;
  printf("%lu bytes, %lu packed, crc %lx\n", (unsigned long)unpacked_size, (unsigned long)packed_size,
         crc32(0, unpacked, (uInt)unpacked_size));

  md5_buffer(text, length, digest);
  sha1_buffer(text, length, digest);
  char *name = cplus_demangle_v3("_ZNSt6vectorIiSaIiEE9push_backEOi", DMGL_PARAMS);
  printf("%s, %02x\n", name != NULL ? name : "?", digest[0]);
  lua_close(lua);
  return 0;
}
