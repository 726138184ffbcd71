// Every problem that can be reported: what it must say, and what to do about it, in one table.
//
// A problem is a value. Nothing throws what a caller must handle; an exception is a bug or a lost connection.

/** One problem in words: what is wrong and where, and what to do. */
export interface Sentence {
  readonly what: string;
  readonly remedy: string;
}

interface OfSkill {
  /** The skill's path as it was met, even where it is no valid skill path. */
  readonly path: string;
}

interface OfLine extends OfSkill {
  readonly file: string;
  readonly line: number;
}

function placeOf({ path, file, line }: OfLine): string {
  return `${path}/${file}:${line}`;
}

/** A name in quotes. What of it cannot be printed is spelled where it is printed, in one way for all. */
export function quoted(name: string): string {
  return `"${name}"`;
}

/** Two names in quotes, which may look the same in all but their code points. */
function pairOf(one: string, other: string): string {
  const look = one.normalize('NFC') === other.normalize('NFC') ? codePointsOf : (name: string) => name;
  return `${look(quoted(one))} and ${look(quoted(other))}`;
}

function codePointsOf(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
}

const sideNames = { database: 'The database', files: 'The files' } as const;

const reasons = {
  // ---- a run that cannot start ----
  'wrong-usage': (_: { why: string; command: string }): Sentence => ({
    what: _.why,
    remedy: `See how it is called: ${_.command} --help.`,
  }),
  'database-url-not-set': (_: { why: string }): Sentence => ({
    what: `DATABASE_URL not set: ${_.why}`,
    remedy: 'Set DATABASE_URL, pass --database-url, or name the embedded database: pglite:.skill-fleet/db.',
  }),
  'skills-directory-not-found': (_: { directory: string }): Sentence => ({
    what: `Skills directory not found: ${_.directory}`,
    remedy: 'Pass --skills-dir DIR, or set SKILLS_DIR.',
  }),

  // ---- a plan that is more often an accident than a wish ----
  'side-emptied': (_: { side: 'database' | 'files'; count: number }): Sentence => ({
    what: `${sideNames[_.side]} hold${_.side === 'files' ? '' : 's'} no skill, and both sides last agreed on ${_.count}`,
    remedy:
      'See that the disk is mounted, the checkout whole, and the rows visible to this role. If it is meant, run again with --yes.',
  }),
  'side-exchanged': (_: { side: 'database' | 'files'; count: number }): Sentence => ({
    what: `${sideNames[_.side]} hold${_.side === 'files' ? '' : 's'} other skills, and none of the ${_.count} that both sides last agreed on`,
    remedy:
      'See that the disk is mounted, the checkout whole, and the rows visible to this role. If it is meant, run again with --yes.',
  }),
  'too-many-deletions': (_: {
    side: 'database' | 'files';
    count: number;
    total: number;
    /** Percent. */
    limit: number;
  }): Sentence => ({
    what: `${_.count} of ${_.total} skills in ${sideNames[_.side].toLowerCase()} would be deleted, more than ${_.limit} %`,
    remedy: 'If it is meant, raise the limit with --max-delete PERCENT, or run again with --yes.',
  }),
  'too-many-overwritten': (_: { side: 'database' | 'files'; count: number; total: number }): Sentence => ({
    what: `${_.count} of ${_.total} skills in ${sideNames[_.side].toLowerCase()} would be overwritten by force, more than half`,
    remedy: 'If it is meant, run again with --yes, or choose fewer with --skill-path.',
  }),
  'line-endings-only': (_: { side: 'database' | 'files'; count: number; total: number }): Sentence => ({
    what: `${_.count} of ${_.total} skills differ from ${sideNames[_.side].toLowerCase()} in their line endings alone, as when git's core.autocrlf rewrote them`,
    remedy:
      'Set core.autocrlf to false, or * -text in .gitattributes, and check the files out anew. If it is meant, run again with --yes.',
  }),

  'skills-not-valid': (_: {
    count: number;
    /** How many skills are sent, those among them. */
    total: number;
    target: string;
    /** The first errors, each in a few words. */
    first: readonly string[];
    /** What shows all. */
    command: string;
  }): Sentence => ({
    what: `${_.count} of ${_.total} ${_.total === 1 ? 'skill' : 'skills'} to send ${_.count === 1 ? 'has' : 'have'} errors by the rules for ${_.target}: ${_.first.join(', ')}`,
    remedy: `See all of them: ${_.command}. Correct them, or send them as they are with --validate warn.`,
  }),

  interrupted: (_: object): Sentence => ({
    what: 'Interrupted: what had not begun was not done',
    remedy: 'Run it again: it goes on from here.',
  }),

  // ---- one skill that cannot take part; the others go on ----
  'path-not-allowed': (_: OfSkill & { why: string }): Sentence => ({
    what: `${quoted(_.path)} is no skill path: ${_.why}`,
    remedy: 'Rename the folder, or correct skill_path in the database.',
  }),
  'file-path-not-allowed': (_: OfSkill & { file: string; why: string }): Sentence => ({
    what: `${_.path} holds ${quoted(_.file)}, which is no file path: ${_.why}`,
    remedy: 'Rename the file, or correct relative_path in the database.',
  }),
  'files-collide': (_: OfSkill & { file: string; other: string }): Sentence => ({
    what: `${_.path} holds ${pairOf(_.other, _.file)}, which cannot both stand where case or Unicode normalization does not count`,
    remedy: 'Rename one of them, or the folder that is spelled in two ways.',
  }),
  'path-collides': (_: OfSkill & { other: string; side: 'database' | 'files' }): Sentence => ({
    what: `${quoted(_.path)} is not taken into ${sideNames[_.side].toLowerCase()}: ${pairOf(_.other, _.path)} are one path where case or Unicode normalization does not count`,
    remedy: 'Rename one of them. Where one was renamed to the other, run again with --delete.',
  }),

  'path-taken': (_: OfSkill & { side: 'database' | 'files' }): Sentence => ({
    what: `${quoted(_.path)} is not taken into ${sideNames[_.side].toLowerCase()}: the skill that stands there does not go in this run`,
    remedy:
      'See what is said of the skill that stands there, or run again without --skill-path and --status.',
  }),

  // ---- runs ----
  'run-not-found': (_: { run: number | null }): Sentence => ({
    what: _.run === null ? 'No run is recorded that could be taken back' : `No run ${_.run} is recorded`,
    remedy: 'See the runs: skill-fleet log.',
  }),
  'run-not-recorded': (_: { run: number }): Sentence => ({
    what: `Run ${_.run} was recorded by a version that did not note enough to take it back`,
    remedy: 'Bring back single skills: skill-fleet log PATH, then skill-fleet restore PATH --revision N.',
  }),

  // ---- settling a conflict ----
  'no-conflict': (_: OfSkill): Sentence => ({
    what: `${_.path} is in no conflict`,
    remedy: 'See what a sync would do with: skill-fleet sync-db --dry-run.',
  }),
  'conflict-waits': (_: OfSkill): Sentence => ({
    what: `${_.path} came to where another skill stood, whose rename is still to be settled`,
    remedy: 'Settle that one first: skill-fleet diff --conflict shows all conflicts.',
  }),
  'conflict-of-one': (_: OfSkill): Sentence => ({
    what: `${_.path} is deleted on one side, so there are no two versions to make one of`,
    remedy: 'Choose a side: --with local, or --with database.',
  }),
  'files-not-settled': (_: OfSkill & { files: readonly string[] }): Sentence => ({
    what: `${_.path}: both sides also changed attached files, differently: ${_.files.join(', ')}`,
    remedy: 'Give a folder that holds the whole skill: --with FOLDER.',
  }),
  'resolution-not-readable': (_: { file: string; why: string }): Sentence => ({
    what: `What settles the conflict cannot be read: ${_.file}: ${_.why}`,
    remedy: 'Name a document, or a folder with a SKILL.md. local and database name the sides.',
  }),

  // ---- saved plans ----
  'plan-not-found': (_: { file: string }): Sentence => ({
    what: `Plan not found: ${_.file}`,
    remedy: 'Save one with: skill-fleet sync-db --dry-run --out FILE.',
  }),
  'plan-not-readable': (_: { file: string; why: string }): Sentence => ({
    what: `The plan ${_.file} cannot be read: ${_.why}`,
    remedy: 'Name a plan file that this user may read.',
  }),
  'plan-damaged': (_: { file: string; line: number; why: string }): Sentence => ({
    what: `${_.file}:${_.line}: this plan was changed since it was saved, or is none: ${_.why}`,
    remedy: 'Save it again with --dry-run --out FILE, and pass the file on byte for byte.',
  }),
  'plan-newer': (_: { file: string; version: number }): Sentence => ({
    what: `The plan ${_.file} has the format ${_.version}, which this skill-fleet does not know`,
    remedy: 'A newer skill-fleet saved it. Update this one.',
  }),
  'plan-too-large': (_: { file: string; limit: number }): Sentence => ({
    what: `The plan ${_.file} takes more than ${_.limit} bytes`,
    remedy: 'Save it in parts: narrow each with --skill-path.',
  }),
  'plan-not-written': (_: { file: string; why: string }): Sentence => ({
    what: `The plan is not saved as ${_.file}: ${_.why}`,
    remedy: 'Name a file in a folder that this user may write to, on a disk with room.',
  }),

  'plan-foreign': (_: { file: string; why: string }): Sentence => ({
    what: `The plan ${_.file} is about others: ${_.why}`,
    remedy: 'Apply it where it was made for, or make one here: skill-fleet sync-db --dry-run --out FILE.',
  }),
  'plan-among-skills': (_: { file: string; skillsDirectory: string }): Sentence => ({
    what: `The plan would be saved among the skills in ${_.skillsDirectory}: ${_.file}`,
    remedy: 'Name a file outside of it.',
  }),
  'plan-stale': (_: OfSkill & { side: 'files' | 'database' }): Sentence => ({
    what: `${_.path}: ${_.side === 'files' ? 'the files' : 'the database'} changed since the plan was saved`,
    remedy: 'This change was left out. To see what is left to do: skill-fleet sync-db --dry-run.',
  }),
  'plan-not-whole': (_: { count: number }): Sentence => ({
    what: `${_.count} of the plan's changes cannot be carried out, and --atomic asks for all or nothing`,
    remedy: 'Nothing was changed. Plan anew with: skill-fleet sync-db --dry-run --out FILE.',
  }),
  'left-with-others': (_: object): Sentence => ({
    what: 'Another change was refused, and all or nothing was asked for',
    remedy: 'Nothing is wrong with this one. Settle what was refused, and try again.',
  }),
  'plan-half-done': (_: { run: number }): Sentence => ({
    what: `A part of the plan failed, and the rest could not be taken back wholly`,
    remedy: `See what is done with: skill-fleet undo ${_.run} --dry-run.`,
  }),

  // ---- the skills directory ----
  'skills-directory-is-a-file': (_: { directory: string }): Sentence => ({
    what: `Skills directory is a file: ${_.directory}`,
    remedy: 'Name the folder that holds the skills, with --skills-dir DIR or SKILLS_DIR.',
  }),
  'skills-directory-unreadable': (_: { directory: string; code: string }): Sentence => ({
    what: `Skills directory cannot be read: ${_.directory} (${_.code})`,
    remedy: 'Make it readable for this user, or pass another with --skills-dir DIR.',
  }),
  'directory-locked': (_: { directory: string; holder: string }): Sentence => ({
    what: `The skills directory ${_.directory} is in use by ${_.holder}`,
    remedy:
      'Wait until it is done, or give it more time with --lock-timeout SECONDS. If that process is gone, delete .skill-fleet-lock.* there.',
  }),
  'ignore-rule-not-allowed': (_: OfSkill & { why: string }): Sentence => ({
    what: `The ignore rules of ${_.path} cannot be used: ${_.why}`,
    remedy: 'Write fewer or simpler rules.',
  }),
  'folder-unreadable': (_: OfSkill & { code: string }): Sentence => ({
    what: `The folder ${quoted(_.path)} cannot be read: ${_.code}`,
    remedy: 'Make it readable for this user, or leave it out with a line in .skillfleetignore.',
  }),
  'file-unreadable': (_: OfSkill & { file: string; code: string }): Sentence => ({
    what: `${_.path}/${_.file} cannot be read: ${_.code}`,
    remedy: 'Make it readable for this user, or leave it out with a line in .skillfleetignore.',
  }),
  'file-name-not-utf8': (_: OfSkill & { file: string }): Sentence => ({
    what: `${_.path} holds a name that is not UTF-8: ${quoted(_.file)}`,
    remedy: 'Rename the file, or leave it out with a line in .skillfleetignore.',
  }),
  'file-changes': (_: OfSkill & { file: string }): Sentence => ({
    what: `${_.path}/${_.file} changed while it was read, twice`,
    remedy: 'Run again when nothing writes to it.',
  }),
  'limit-exceeded': (_: OfSkill & { file?: string; limit: string; most: number }): Sentence => ({
    what: `${_.file === undefined ? _.path : `${_.path}/${_.file}`} exceeds the limit ${_.limit} of ${_.most}`,
    remedy:
      _.limit === 'rowBytes'
        ? 'Make it smaller in the database: a row of that size is not read.'
        : _.limit === 'depth' || _.limit === 'entries'
          ? 'Leave folders out with .skillfleetignore, or point --skills-dir lower.'
          : `Make it smaller, leave files out with .skillfleetignore, or raise limits.${_.limit} in the configuration.`,
  }),
  'skill-not-found': (_: OfSkill): Sentence => ({
    what: `${_.path} is no longer there`,
    remedy: 'Run again: it was removed, or ignored, meanwhile.',
  }),
  'system-call-failed': (_: { call: string; file: string | undefined; code: string }): Sentence => ({
    what: `${_.file ?? 'The system'} refused a call of this program, ${_.call}: ${_.code}`,
    remedy:
      'See what the disk and its limits allow, then run again: what was done stays, and the rest is done then.',
  }),
  'disk-full': (_: { directory: string; code: string }): Sentence => ({
    what: `${_.directory} takes no more (${_.code}): the rest was not written`,
    remedy: 'Make room, or make it writable, then run again: it goes on from here.',
  }),
  'write-interrupted': (_: OfSkill & { count: number }): Sentence => ({
    what:
      `A run is writing ${_.path}${_.count > 1 ? ` and ${_.count - 1} more` : ''}, or was killed while it did: ` +
      'nothing is decided about what it writes',
    remedy: 'Run export-to-db, import-from-db or sync-db: each first brings to an end what was begun.',
  }),
  'journal-unreadable': (_: { file: string }): Sentence => ({
    what: `${_.file} says what an interrupted run had begun to write, and this skill-fleet cannot read it`,
    remedy: 'Run the version of skill-fleet that wrote it, or look at the skills and delete the file.',
  }),
  'files-changed-meanwhile': (_: OfSkill): Sentence => ({
    what: `The files of ${_.path} changed while this ran`,
    remedy: 'Run again: it starts from what they hold now.',
  }),
  'content-changed-meanwhile': (_: OfSkill): Sentence => ({
    what: `The other side's ${_.path} changed while this ran`,
    remedy: 'Run again: it starts from what both sides hold now.',
  }),
  'link-in-the-way': (_: OfSkill & { file: string }): Sentence => ({
    what: `${_.path} is not written: ${_.file} is a symbolic link`,
    remedy: 'Replace the link by a folder or a file, or remove it.',
  }),
  'file-in-the-way': (_: OfSkill & { file: string }): Sentence => ({
    what: `${_.path} is not written: ${_.file} stands in the way and is not part of the skill`,
    remedy: 'Move it elsewhere, or remove it.',
  }),
  'file-not-keepable': (_: OfSkill & { file: string; why: string }): Sentence => ({
    what: `${_.path} is not written: its file ${quoted(_.file)} ${_.why}`,
    remedy: 'Correct the skill in the database, or the ignore rules and the folders here.',
  }),
  'cannot-write': (_: OfSkill & { file: string; code: string }): Sentence => ({
    what: `${_.path} is not written: ${_.file}: ${_.code}`,
    remedy: 'Make room or give this user the right to write there, then run again.',
  }),

  // ---- a document that cannot be read ----
  'document-not-utf8': (_: OfLine): Sentence => ({
    what: `${placeOf(_)}: not UTF-8`,
    remedy: 'Save the file as UTF-8.',
  }),
  'document-holds-nul': (_: OfLine): Sentence => ({
    what: `${placeOf(_)}: a NUL character, which PostgreSQL cannot store as text`,
    remedy: 'Remove it; a text saved as UTF-16 needs saving as UTF-8.',
  }),
  'frontmatter-never-closes': (_: OfLine): Sentence => ({
    what: `${placeOf(_)}: the frontmatter that opens here never closes`,
    remedy: 'Write a line of --- alone where it ends.',
  }),
  'frontmatter-too-large': (_: OfLine & { length: number; limit: number }): Sentence => ({
    what: `${placeOf(_)}: the frontmatter has ${_.length} characters, more than ${_.limit}`,
    remedy: 'Move what is not about the skill as a whole into the body or an attached file.',
  }),
  'yaml-alias-bomb': (_: OfLine & { column: number; key: string }): Sentence => ({
    what: `${placeOf(_)}:${_.column}: the aliases in ${quoted(_.key)} grow beyond all bounds`,
    remedy: 'Write the values out instead of repeating them with *aliases.',
  }),
  'properties-not-readable': (_: OfLine & { why: string }): Sentence => ({
    what: `${placeOf(_)}: ${_.why}`,
    remedy: 'Give the document its name and its description; validate names all that is wrong with it.',
  }),
  'no-skill-there': (_: { directory: string }): Sentence => ({
    what: `${_.directory} holds no SKILL.md`,
    remedy: 'Name the folder of one skill.',
  }),

  // ---- a document that cannot be changed ----
  'not-patchable': (_: OfSkill & { file: string; line?: number; key: string }): Sentence => ({
    what: `${_.path}/${_.file}${_.line === undefined ? '' : `:${_.line}`}: the new value of ${_.key} cannot be written here without changing more than that`,
    remedy: `The change is held. Set the old value in the database again, then write the new one into ${_.file}.`,
  }),

  // ---- the configuration ----
  'option-empty': (_: { option: string }): Sentence => ({
    what: `${_.option} is given without a value`,
    remedy: 'Give it a value, or leave it out.',
  }),
  'database-url-not-understood': (_: { source: string; why: string }): Sentence => ({
    what: `The database URL from ${_.source} ${_.why}`,
    remedy: 'Write postgres://USER@HOST/DATABASE, or pglite:DIR for an embedded database.',
  }),
  'configuration-unreadable': (_: { file: string; why: string }): Sentence => ({
    what: `${_.file} cannot be read: ${_.why}`,
    remedy: 'Correct its name or its contents, or name another file with --config or --env-file.',
  }),
  'configuration-ambiguous': (_: { files: readonly string[] }): Sentence => ({
    what: `There is more than one configuration file: ${_.files.join(', ')}`,
    remedy: 'Keep one of them, or name one with --config.',
  }),
  'configuration-not-valid': (_: {
    file: string;
    /** Where and why; `line` from 1, `key` as `limits.fileBytes`, '' for the whole file. */
    mistakes: readonly { readonly line: number; readonly key: string; readonly why: string }[];
  }): Sentence => ({
    what: _.mistakes
      .map(({ line, key, why }) => `${_.file}:${line}: ${key === '' ? '' : `${key}: `}${why}`)
      .join('; '),
    remedy: 'Correct the configuration file.',
  }),
  'skill-path-matches-nothing': (_: { glob: string }): Sentence => ({
    what: `${_.glob} matches no skill on either side`,
    remedy:
      'Write paths as list shows them; * stands for a run of characters within a folder, ** for folders.',
  }),

  // ---- the database ----
  'database-url-invalid': (_: { why: string }): Sentence => ({
    what: `The database URL cannot be used: ${_.why}`,
    remedy: 'Write it as postgres://USER@HOST:PORT/NAME?PARAMETER=VALUE, with the password in PGPASSWORD.',
  }),
  'database-unreachable': (_: { database: string; why: string }): Sentence => ({
    what: `Cannot reach the database ${_.database}: ${_.why}`,
    remedy: 'Check that it runs, and the host and port in DATABASE_URL.',
  }),
  'database-login-refused': (_: { database: string; why: string }): Sentence => ({
    what: `The database ${_.database} refuses this user: ${_.why}`,
    remedy: 'Check the user and the password in DATABASE_URL, or PGUSER, PGPASSWORD and ~/.pgpass.',
  }),
  'password-missing': (_: { database: string }): Sentence => ({
    what: `The database ${_.database} asks for a password, and there is none`,
    remedy: 'Put it into DATABASE_URL, PGPASSWORD or ~/.pgpass.',
  }),
  'tls-missing': (_: { database: string }): Sentence => ({
    what: `The server of ${_.database} has no TLS, and sslmode asks for it`,
    remedy: 'Turn TLS on there. Where the network can be trusted, sslmode=disable goes without.',
  }),
  'tls-not-possible': (_: { why: string }): Sentence => ({
    what: `TLS cannot be used so: ${_.why}`,
    remedy: 'Correct the parameters in DATABASE_URL, or the PGSSL variables.',
  }),
  'tls-file-unusable': (_: { file: string; why: string }): Sentence => ({
    what: `${_.file}, which TLS needs, cannot be used: ${_.why}`,
    remedy: 'Correct sslrootcert, sslcert or sslkey, or the file in ~/.postgresql.',
  }),
  'certificate-refused': (_: { database: string; why: string }): Sentence => ({
    what: `The certificate of ${_.database} is not trusted: ${_.why}`,
    remedy:
      'Name its authority with sslrootcert=FILE, and the host as the certificate has it. sslmode=require encrypts without asking who is there.',
  }),
  'channel-binding-missing': (_: { database: string }): Sentence => ({
    what: `The server of ${_.database} does not bind the login to a TLS connection, and channel_binding=require asks for it`,
    remedy: 'Something may stand between. If none does, channel_binding=prefer goes without.',
  }),
  'database-too-old': (_: { database: string; version: string }): Sentence => ({
    what: `The server of ${_.database} is PostgreSQL ${_.version}, and skill-fleet needs 14 or newer`,
    remedy: 'Upgrade it, or name another server in DATABASE_URL.',
  }),
  'database-encoding': (_: { database: string; encoding: string }): Sentence => ({
    what: `The database ${_.database} is encoded as ${_.encoding}, which cannot keep every skill as it is`,
    remedy: 'Create another with: createdb --encoding=UTF8 --template=template0 NAME.',
  }),
  'database-read-only': (_: { database: string; why: string }): Sentence => ({
    what: `The database ${_.database} takes no writes: ${_.why}`,
    remedy:
      'Name the primary server, and a user who may write, in DATABASE_URL. --dry-run, list and diff work here.',
  }),
  'schema-missing': (_: { database: string }): Sentence => ({
    what: `The search_path of this user leads to no schema in ${_.database}`,
    remedy: 'Create the schema, or name one: ?options=-csearch_path%3DSCHEMA in DATABASE_URL.',
  }),
  'right-missing': (_: { database: string; why: string }): Sentence => ({
    what: `This user lacks a right in ${_.database}: ${_.why}`,
    remedy: 'Grant it: docs/guide/roles.md has the statements. Nothing of it was kept.',
  }),
  'database-busy': (_: { database: string; why: string }): Sentence => ({
    what: `Others are at work in ${_.database}: ${_.why}`,
    remedy: 'What was under way there is rolled back. Run again; --lock-timeout SECONDS waits longer.',
  }),
  'statement-canceled': (_: { database: string; why: string }): Sentence => ({
    what: `The database ${_.database} ended a statement: ${_.why}`,
    remedy:
      'What was under way there is rolled back. Run again, with more time: --statement-timeout SECONDS, or the statement_timeout of this user.',
  }),
  'database-out-of-room': (_: { database: string; why: string }): Sentence => ({
    what: `The server of ${_.database} lacks room or memory: ${_.why}`,
    remedy: 'What was under way there is rolled back. Make room there, and run the command again.',
  }),
  'database-reshaped': (_: { database: string; why: string }): Sentence => ({
    what: `The database ${_.database} lacks something of skill-fleet's: ${_.why}`,
    remedy:
      'It was dropped or renamed: bring it back, or restore a backup. Or the search_path leads elsewhere.',
  }),
  'database-not-found': (_: { database: string }): Sentence => ({
    what: `There is no database ${_.database}`,
    remedy: 'Create it (createdb NAME), or correct the name in DATABASE_URL.',
  }),
  'database-lost': (_: { database: string; why: string }): Sentence => ({
    what: `The connection to ${_.database} was lost: ${_.why}`,
    // What the run has committed stands, also where the answer to that was lost.
    remedy: 'What was not committed there is rolled back. Run the command again.',
  }),
  'database-failed': (_: { database: string; sqlstate: string; why: string }): Sentence => ({
    what: `The database ${_.database} failed: ${_.why} (SQLSTATE ${_.sqlstate})`,
    remedy: 'What was under way there is rolled back. Mend the cause, and run the command again.',
  }),
  'database-locked': (_: { database: string; holder: string; files: string }): Sentence => ({
    what: `The embedded database ${_.database} is in use by ${_.holder}`,
    remedy: `Wait until it is done, or use a server: set DATABASE_URL. If that process is gone, delete ${_.files}`,
  }),
  'embedded-folder-unusable': (_: { directory: string; why: string }): Sentence => ({
    what: `The embedded database cannot be kept in ${_.directory}: ${_.why}`,
    remedy: 'Mend that, or name another folder with pglite:DIR, or a server, in DATABASE_URL.',
  }),
  'embedded-folder-taken': (_: { directory: string }): Sentence => ({
    what: `${_.directory} holds other files, and no embedded database`,
    remedy: 'Nothing in it was touched. Name a folder that is empty or not there yet: pglite:DIR.',
  }),
  'state-directory-is-a-link': (_: { link: string }): Sentence => ({
    what: `${_.link} is a link, and nothing of a project's own is written through one`,
    remedy: 'Remove it. An embedded database elsewhere is named in DATABASE_URL: pglite:DIR.',
  }),
  'embedded-folder-among-skills': (_: { directory: string; skillsDirectory: string }): Sentence => ({
    what: `The embedded database ${_.directory} would stand among the skills in ${_.skillsDirectory}`,
    remedy: 'Name a folder outside of it, as pglite:.skill-fleet/db. Move one that stands there already.',
  }),
  'embedded-database-other-version': (_: { database: string; version: string; known: string }): Sentence => ({
    what: `The embedded database ${_.database} is of PostgreSQL ${_.version}, and this skill-fleet has PostgreSQL ${_.known}`,
    remedy:
      'Nothing in it was touched. Dump it with the skill-fleet that wrote it, as docs/guide/embedded-database.md shows, or name another folder with pglite:DIR.',
  }),
  'embedded-database-damaged': (_: { database: string }): Sentence => ({
    what: `The embedded database ${_.database} cannot be opened: its files are damaged`,
    remedy:
      'Put a copy of the folder in its place, if you have one. Else move it away and run export-to-db: a new one is filled from the files. The history, and what only the database held, are in the old one alone, so keep it.',
  }),
  'database-needs-migrate': (_: { database: string; pending: number }): Sentence => ({
    what: `The database ${_.database} holds data, and ${_.pending === 1 ? '1 migration is' : `${_.pending} migrations are`} pending`,
    remedy: 'Look at them with: skill-fleet migrate --status. Apply them with: skill-fleet migrate.',
  }),
  'database-not-adoptable': (_: { database: string; misfits: readonly string[] }): Sentence => ({
    what: `The database ${_.database} holds a library that cannot be adopted as it is: it has ${_.misfits.join(', ')}`,
    remedy: 'Nothing was changed. Add what is missing, rename what is taken, and run: skill-fleet migrate.',
  }),
  'database-newer': (_: { database: string; migration: string }): Sentence => ({
    what: `The database ${_.database} has the migration ${_.migration}, which this skill-fleet does not know`,
    remedy: 'A newer skill-fleet migrated it. Update this one.',
  }),
  'migration-edited': (_: { migration: string }): Sentence => ({
    what: `The migration ${_.migration} differs from the one that was applied`,
    remedy:
      'Install the skill-fleet that applied it, or a newer one, with its migrations as they were released: applied ones are never edited.',
  }),
  'migration-failed': (_: { migration: string; why: string }): Sentence => ({
    what: `The migration ${_.migration} failed: ${_.why}`,
    remedy: 'Nothing of it was kept. Mend the cause, and run: skill-fleet migrate.',
  }),
  'file-is-document': (_: OfSkill & { file: string }): Sentence => ({
    what: `${_.path}: skill_files holds a row for the document itself, ${_.file}`,
    remedy: 'Delete that row: the document stands in skills.skill_content.',
  }),
  'row-not-readable': (_: OfSkill & { why: string }): Sentence => ({
    what: `${_.path}: its row cannot be read: ${_.why}`,
    remedy:
      'Others wrote that. Correct it in the database; where it is of skill_sync, delete that row, and the next sync makes it anew.',
  }),
  'row-changed-meanwhile': (_: OfSkill): Sentence => ({
    what: `${_.path}: the database changed while this run was under way`,
    remedy: 'Nothing was overwritten. Run the command again.',
  }),
  'revision-not-found': (_: OfSkill & { revision: number }): Sentence => ({
    what: `The history of ${_.path} has no revision ${_.revision}`,
    remedy: 'Write one that log PATH shows.',
  }),
  'revision-pruned': (_: OfSkill & { revision: number }): Sentence => ({
    what: `The contents of revision ${_.revision} of ${_.path} are kept no more`,
    remedy: 'Choose a newer revision.',
  }),
  'skill-unknown': (_: OfSkill & { nearest?: readonly string[] }): Sentence => ({
    what: `The database knows no skill ${quoted(_.path)}`,
    remedy: _.nearest?.length
      ? `Perhaps you mean ${_.nearest.join(' or ')}.`
      : 'Write the path as list shows it.',
  }),
  'row-refused': (_: OfSkill & { sqlstate: string; why: string }): Sentence => ({
    what: `${_.path}: the database refuses it: ${_.why} (SQLSTATE ${_.sqlstate})`,
    remedy: 'Correct the skill, or the rule in the database that refuses it.',
  }),
  'text-not-indexable': (_: OfSkill): Sentence => ({
    what: `${_.path}: the text has more than 1 MiB of distinct words, which PostgreSQL cannot index for search`,
    remedy: 'Move a part of SKILL.md into attached files.',
  }),
  'not-kept': (
    _: OfSkill & { differs: 'the row itself' | 'the document' | 'attached files' | 'the deletion' },
  ): Sentence => ({
    what: `${_.path}: the database did not keep ${_.differs} as it was sent, so this change was taken back`,
    remedy:
      'Something in the database changes, drops or hides it: look for triggers, rules and row-level security on skills and skill_files.',
  }),
} satisfies Record<string, (details: never) => Sentence>;

type Reasons = typeof reasons;

/** What can go wrong: the discriminant of {@link Problem}. */
export type Reason = keyof Reasons;

/** Expected trouble, as a value: its `reason`, and what that reason's sentence needs. */
export type Problem<R extends Reason = Reason> = {
  [K in R]: { readonly reason: K } & Readonly<Parameters<Reasons[K]>[0]>;
}[R];

/** A value, or the problem that stands in its way. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export function refuse(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem };
}

/** The problem in words. */
export function sentenceOf(problem: Problem): Sentence {
  // Each table entry takes just its own reason's details, which the compiler cannot follow through the index.
  const { what, remedy } = (reasons[problem.reason] as (details: Problem) => Sentence)(problem);
  return { what: withoutPasswords(what), remedy };
}

/** A text without the passwords of a database's URL: somebody may have put one where a name or a number belongs. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/\b(postgres(?:ql)?:\/{1,2}[^\s:/?#@]*:)\S*@/gi, '$1…@')
    .replace(/\b(postgres(?:ql)?:\/\S*[?&](?:ssl)?password=)[^\s&'"]*/gi, '$1…');
}
