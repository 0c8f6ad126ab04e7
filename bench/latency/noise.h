// The benchmark writes tables of its own here, of which no two have anything in common.
static const unsigned char noise[256] = {1};
