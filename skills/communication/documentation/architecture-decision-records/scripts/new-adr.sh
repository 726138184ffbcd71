#!/bin/sh
# Creates the next numbered decision record from the template, and prints its path.
#
# usage: new-adr.sh [-d DIR] [-s NUMBER] TITLE
#   -d DIR      where the records stand (default docs/decisions)
#   -s NUMBER   the record that this one supersedes: its status line is changed to say so
#
# Exit code: 0 created, 1 not possible, 64 wrong usage.
set -eu

usage() {
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d' >&2
  exit 64
}

directory=docs/decisions
superseded=
while getopts d:s: option; do
  case $option in
    d) directory=$OPTARG ;;
    s) superseded=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -eq 1 ] && [ -n "$1" ] || usage

template=$(dirname "$0")/../assets/template.md
slug=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-' | sed 's/^-*//; s/-*$//' | cut -c 1-60)
[ -n "$slug" ] || { echo "the title needs a letter or digit of ASCII for its file name" >&2; exit 64; }

mkdir -p "$directory"
last=$(find "$directory" -maxdepth 1 -name '[0-9][0-9][0-9][0-9]-*.md' | sed 's|.*/||; s|-.*||' | sort | tail -n 1)
number=$(printf '%04d' $(($(echo "${last:-0}" | sed 's/^0*//; s/^$/0/') + 1)))
file=$directory/$number-$slug.md

old=
if [ -n "$superseded" ]; then
  padded=$(printf '%04d' "$(echo "$superseded" | sed 's/^0*//')") || usage
  old=$(find "$directory" -maxdepth 1 -name "$padded-*.md")
  [ -f "$old" ] || { echo "no single record $padded in $directory" >&2; exit 1; }
  grep -q '^Status:' "$old" || { echo "$old has no line 'Status: ...'" >&2; exit 1; }
fi

set -C # a record that exists is never overwritten
NUMBER=$(echo "$number" | sed 's/^0*//') TITLE=$1 DATE=$(date +%F) OLD=${old##*/} awk '
  /^# NUMBER\. TITLE$/ { print "# " ENVIRON["NUMBER"] ". " ENVIRON["TITLE"]; next }
  /^Date: DATE$/ {
    print "Date: " ENVIRON["DATE"]
    if (ENVIRON["OLD"] != "") print "Supersedes: [" ENVIRON["OLD"] "](" ENVIRON["OLD"] ")"
    next
  }
  { print }
' "$template" >"$file"
set +C

if [ -n "$old" ]; then
  changed=$(NEW=${file##*/} awk '
    /^Status:/ && !done { print "Status: superseded by [" ENVIRON["NEW"] "](" ENVIRON["NEW"] ")"; done = 1; next }
    { print }
  ' "$old")
  printf '%s\n' "$changed" >"$old"
fi
echo "$file"
