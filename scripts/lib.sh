# Helpers that the scripts share. Sourced, not run.

say() { printf '%s\n' "$*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The first plain Debian mirror among the machine's apt sources, deb822 or one-line style.
mirror_address() {
  {
    find /etc/apt/sources.list.d -name '*.sources' -exec sed -n 's/^URIs:[[:space:]]*//p' {} + | tr ' ' '\n'
    find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -exec sed -n 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\?\([^[:space:]]*\).*/\2/p' {} + 2>/dev/null
  } | grep -m 1 '/debian/\?$'
}

# fetch_source NAME SUITE PROOF [KEEP]: unpacks Debian's source package NAME of SUITE into .deps/NAME; PROOF is a file in
# it. With KEEP only that folder stays.
fetch_source() {
  local name=$1 suite=$2 proof=$3 keep=${4:-}
  if [ -e ".deps/$name/$proof" ]; then
    say "sources: $name is there"
    return
  fi
  local mirror apt=".deps/apt-$suite" work=".deps/fetch-$name"
  mirror=$(mirror_address || true)
  [ -n "$mirror" ] || die "no Debian mirror among the apt sources: unpack $name into .deps/$name yourself"
  say "sources: fetching $name from Debian $suite"
  rm -rf "$work" && mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$work"
  printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$apt/sources.list"
  local options=(-o "Dir::Etc::sourcelist=$PWD/$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$PWD/$apt/lists" -o "Dir::Cache::archives=$PWD/$apt/archives" -o APT::Sandbox::User=root
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=")
  apt-get "${options[@]}" update -qq
  (cd "$work" && apt-get "${options[@]}" source -qq --only-source "$name" >/dev/null)
  local unpacked
  unpacked=$(find "$work" -mindepth 1 -maxdepth 1 -type d | head -n 1)
  [ -n "$unpacked" ] && [ -e "$unpacked/$proof" ] || die "the source package $name of $suite has no $proof"
  rm -rf ".deps/$name"
  if [ -n "$keep" ]; then
    mkdir -p ".deps/$name/$(dirname "$keep")" && mv "$unpacked/$keep" ".deps/$name/$keep"
  else
    mv "$unpacked" ".deps/$name"
  fi
  rm -rf "$work" "$apt"
}
