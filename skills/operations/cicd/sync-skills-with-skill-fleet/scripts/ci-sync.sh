#!/bin/sh
# Runs skill-fleet in a CI job and turns its exit code into one line of advice.
#
# usage: ci-sync.sh check|publish [SKILLS_DIR]
#   check     for a pull request: reads both sides, writes nothing; its own changes pass; what the database is ahead
#             in, conflicts and anything unreadable fail
#   publish   for the main branch: exports the committed files to the database
#
# DATABASE_URL must be set. SKILL_FLEET is the command to run (default: npx --no-install skill-fleet).
# Exit code: 0 in order, 64 wrong usage, else that of skill-fleet.
set -eu

mode=${1-}
directory=${2-skills}
fleet=${SKILL_FLEET:-npx --no-install skill-fleet}

case $mode in
  check | publish) ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d' >&2; exit 64 ;;
esac
if [ -z "${DATABASE_URL-}" ]; then
  echo "DATABASE_URL is empty: give the job the secret (forks of a repository do not get it)." >&2
  exit 64
fi
if [ "$mode" = publish ] && [ -n "$(git status --porcelain -- "$directory")" ]; then
  echo "$directory differs from the commit: an earlier step wrote there. Publish only what is committed." >&2
  exit 1
fi

code=0
# The command may hold several words, so it is left unquoted.
if [ "$mode" = check ]; then
  $fleet sync-db --dry-run --exit-code=theirs --on-conflict fail --skills-dir "$directory" || code=$?
else
  $fleet export-to-db --skills-dir "$directory" || code=$?
fi

case $mode-$code in
  *-0) echo "ci-sync: $mode is done." ;;
  check-2) echo "ci-sync: the database is ahead in what is listed above: import it, and commit that first." >&2 ;;
  *-1) echo "ci-sync: at least one skill failed: its sentence above names file and line." >&2 ;;
  *-3) echo "ci-sync: conflict: files and database both changed. A person chooses a side; see the skill's references." >&2 ;;
  *-64) echo "ci-sync: wrong usage: compare with '$fleet --help'." >&2 ;;
  *) echo "ci-sync: skill-fleet ended with $code." >&2 ;;
esac
exit "$code"
