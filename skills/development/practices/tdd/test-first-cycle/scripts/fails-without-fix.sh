#!/bin/sh
# Proves that tests notice a change: they pass on the working tree, and fail on the code as it was before.
#
# usage: fails-without-fix.sh [-b BASE] [-l PATH]... TEST_FILE... -- COMMAND [ARG]...
#   -b BASE   the code before the change: a branch or commit; its merge base with HEAD is taken (default HEAD,
#             for a change that is not committed yet)
#   -l PATH   links this untracked path into the old tree, e.g. node_modules or .venv (repeatable)
# Paths are relative to the repository's root, where COMMAND runs. Nothing in the working tree is changed.
#
# Exit code: 0 proven, 1 not proven, 64 wrong usage.
set -eu

usage() {
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d' >&2
  exit 64
}

root=$(git rev-parse --show-toplevel)
cd "$root"
base=HEAD
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree/old" 2>/dev/null || :; rm -rf "$tree"; git worktree prune' EXIT
trap 'exit 130' INT TERM
: >"$tree/links"

while getopts b:l: option; do
  case $option in
    b) base=$OPTARG ;;
    l) [ -e "$OPTARG" ] || { echo "no such path: $OPTARG" >&2; exit 64; }
       printf '%s\n' "$OPTARG" >>"$tree/links" ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))

base=$(git merge-base "$base" HEAD)
git worktree add --quiet --detach "$tree/old" "$base"

files=0
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  [ -f "$1" ] || { echo "no such test file: $1" >&2; exit 64; }
  mkdir -p "$tree/old/$(dirname "$1")"
  cp -p "$1" "$tree/old/$1"
  files=$((files + 1))
  shift
done
[ $# -ge 2 ] && [ "$files" -gt 0 ] || usage
shift

while IFS= read -r path; do
  mkdir -p "$tree/old/$(dirname "$path")"
  ln -s "$root/$path" "$tree/old/$path"
done <"$tree/links"

if ! "$@" >"$tree/now" 2>&1; then
  cat "$tree/now"
  echo "NOT PROVEN: the tests fail on the working tree." >&2
  exit 1
fi
if (cd "$tree/old" && "$@") >"$tree/before" 2>&1; then
  echo "NOT PROVEN: the tests pass without the change too ($(git rev-parse --short "$base"))." >&2
  exit 1
fi
tail -n 30 "$tree/before"
echo "PROVEN: passes now, fails on $(git rev-parse --short "$base"). Read above that it failed for the right reason."
