#!/usr/bin/env python3
"""Names the statements of PostgreSQL migrations that would lock or break a table in use.

usage: check_migration.py FILE.sql...      ('-' reads standard input)

Exit code: 0 nothing found, 1 something found, 2 a file that cannot be read or wrong usage.
A comment within a statement, or on a line above it, lets one rule pass:  -- allow: set-not-null
Tables and materialized views that the same file creates may be changed freely.
"""

import re
import sys

# A string, quoted name, comment, dollar-quoted body or semicolon: what splitting into statements must respect.
TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|(?:\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')|"[^"]*"|(\$\w*\$).*?\1|;""",
    re.DOTALL | re.IGNORECASE,
)
NAME = r'(?:if (?:not )?exists )?(?:only )?([\w."]+)'

# Statements: rule, how a lower-case statement with single spaces begins, what to do instead.
STATEMENTS = [
    ("index-blocks-writes", r"create (?:unique )?index (?!concurrently)", "create index concurrently, outside a transaction"),
    ("index-blocks-writes", r"drop index (?!concurrently)", "drop index concurrently, outside a transaction"),
    ("index-blocks-writes", r"reindex (?!.*\bconcurrently\b)", "reindex ... concurrently"),
    ("rewrite", r"(?:vacuum (?:\(.*\bfull\b|full)|cluster\b)", "rewrites under an exclusive lock: pg_repack, or a maintenance window"),
    ("breaks-old-code", r"drop table\b", "stop using the table in a release before this one"),
    ("refresh-blocks-reads", r"refresh materialized view (?!concurrently)", "refresh materialized view concurrently (needs a unique index)"),
    ("exclusive-lock", r"(?:truncate|lock table)\b", "takes an access exclusive lock until commit"),
    ("whole-table", r"(?:update|delete from)\b(?!.*\bwhere\b)", "change rows in batches, each in a transaction of its own"),
]
# Actions of alter table: rule, all that one action must hold, what makes it harmless, what to do instead.
NOT_VALID = "add the constraint not valid, then validate constraint in a transaction of its own"
ACTIONS = [
    ("foreign-key-scan", [r"\bforeign key\b"], r"\bnot valid\b", NOT_VALID),
    ("foreign-key-scan", [r"\breferences\b", r"\bdefault\b"], None, "add the column without the constraint; " + NOT_VALID),
    ("check-scan", [r"\bcheck ?\("], r"\bnot valid\b", NOT_VALID),
    ("unique-builds-index", [r"\badd (?:constraint \S+ )?(?:unique|primary key) ?\("], None, "create unique index concurrently, then add constraint ... using index"),
    ("set-not-null", [r"\bset not null\b"], None, "first validate a check (column is not null), then set not null, then drop the check"),
    ("rewrite", [r"\balter (?:column )?\S+ (?:set data )?type\b"], None, "most type changes rewrite the table: add a column, backfill, switch"),
    ("rewrite", [r"\badd\b", r"\b(?:(?:small|big)?serial|generated (?:always|by default) as|default (?:gen_random_uuid|uuid_generate_v\w+|random|clock_timestamp|nextval))\b"], None, "a volatile default rewrites the table: add the column without it, set the default, backfill"),
    ("breaks-old-code", [r"\brename\b"], None, "running code still uses the old name: add the new one, write both, switch, drop"),
    ("breaks-old-code", [r"\bdrop (?:column )?(?!constraint|not null|default|expression|identity|column\b)"], None, "stop reading and writing the column in a release before this one"),
]
TARGET = re.compile(
    rf"(?:alter table|create (?:unique )?index .*?\bon|reindex (?:table )?|truncate (?:table )?|lock table|update|delete from|"
    rf"drop table|refresh materialized view|vacuum (?:full )?|cluster) ?{NAME}"
)
CREATED = re.compile(rf"create (?:unlogged |temp |temporary )?(?:table|materialized view) {NAME}")


def statements(sql):
    """Yields (line, text as a single lower-case line without comments and strings, comments) per statement."""
    start, text, comments, position = None, [], [], 0

    def line(offset):
        return sql.count("\n", 0, offset) + 1

    def take(piece, offset):
        nonlocal start
        if piece.strip():
            start = start or line(offset + len(piece) - len(piece.lstrip()))
        text.append(piece)

    for token in TOKEN.finditer(sql):
        take(sql[position : token.start()], position)
        position, word = token.end(), token.group()
        if word == ";":
            if start:
                yield start, " ".join("".join(text).lower().split()), " ".join(comments)
            start, text, comments = None, [], []
        elif word.startswith(("--", "/*")):
            comments.append(word)
            text.append(" ")
        elif word.startswith('"'):
            take(word, token.start())
        else:
            take("''", token.start())
    take(sql[position:], position)
    if start:
        yield start, " ".join("".join(text).lower().split()), " ".join(comments)


def actions(text):
    """The parts of an alter table statement between commas that stand in no parentheses."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def matches(text):
    """Yields (rule, remedy) of what one statement does."""
    for rule, beginning, remedy in STATEMENTS:
        if re.match(beginning, text):
            yield rule, remedy
    for action in actions(text) if text.startswith("alter table") else ():
        for rule, needed, harmless, remedy in ACTIONS:
            if all(re.search(part, action) for part in needed) and not (harmless and re.search(harmless, action)):
                yield rule, remedy


def findings(sql):
    """Yields (line, rule, remedy)."""
    created, transaction, timeout = set(), False, False
    for line, text, comments in statements(sql):
        allowed = set(re.findall(r"allow:\s*([\w-]+)", comments))
        created.update(match.group(1) for match in CREATED.finditer(text))
        target = TARGET.match(text)
        fresh = target is not None and target.group(1) in created
        if re.match(r"(?:begin|start transaction)\b", text):
            transaction = True
        if re.match(r"(?:commit|end|rollback)\b", text):
            transaction = False
        if re.match(r"set (?:local |session )?lock_timeout\b", text):
            timeout = True
        found = [] if fresh else list(matches(text))
        if transaction and re.match(r"(?:create|drop|re)\s*(?:unique )?index .*\bconcurrently\b", text):
            found.append(("concurrently-in-transaction", "concurrently cannot run between begin and commit"))
        if text.startswith("alter table") and not fresh and not timeout:
            found.append(("no-lock-timeout", "set lock_timeout = '3s' first, and retry: a waiting alter blocks every query behind it"))
            timeout = True
        for rule, remedy in found:
            if rule not in allowed:
                yield line, rule, remedy


def main(paths):
    if not paths or paths[0] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stdout if paths else sys.stderr)
        return 0 if paths else 2
    count = 0
    for path in paths:
        try:
            sql = sys.stdin.read() if path == "-" else open(path, encoding="utf-8-sig").read()
        except (OSError, UnicodeDecodeError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
        for line, rule, remedy in findings(sql):
            print(f"{path}:{line}: {rule}: {remedy}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
