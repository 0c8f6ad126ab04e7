# Helpers that the scripts share. Sourced, not run.

say() { printf '%s\n' "$*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}
