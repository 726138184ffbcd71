// Asks shells, with the completion script loaded, what they offer for the line so far.

import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../folders.ts';
import { personEnvironment, projectRoot, runProcess } from './cli.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A shell's name, and where it is not installed, that. */
export function named(shell: Shell): { readonly title: string; readonly isMissing: boolean } {
  const isMissing = spawnSync(shell, ['--version']).error !== undefined;
  return { title: isMissing ? `${shell} (skipped: it is not installed)` : shell, isMissing };
}

/** The script that the built program prints for a shell. */
export async function scriptFor(shell: Shell): Promise<string> {
  const cli = path.join(projectRoot, 'dist/cli.js');
  const ran = await runProcess(process.execPath, [cli, 'completion', shell], { cwd: projectRoot });
  if (ran.code !== 0 || ran.stderr !== '') throw new Error(ran.stderr);
  return ran.stdout;
}

/**
 * The words that a shell offers for each line, as the program would get them once they are on the command line.
 * In bash, what it lists itself is `<default>` for files and `<dirnames>` for folders.
 */
export async function offersOf(
  shell: Shell,
  lines: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: { readonly [name: string]: string } },
): Promise<readonly (readonly string[])[]> {
  const folder = await temporaryFolder();
  const [script, driver] = [path.join(folder, `_skill-fleet`), path.join(folder, 'driver')];
  await writeFile(script, await scriptFor(shell));
  await writeFile(driver, drivers[shell]);
  const args = lines.flatMap((line) => (shell === 'bash' ? bashWords(line) : [line]));
  const { stdout, stderr } = await runProcess(shell, [...options[shell], driver, script, ...args], {
    cwd,
    env: personEnvironment({ HOME: folder, TERM: 'dumb', ...env }),
  });
  if (stderr !== '') throw new Error(stderr);
  const answers = stdout.split('\0').slice(0, -1);
  if (answers.length !== lines.length) throw new Error(`${answers.length} answers: ${stdout}`);
  return answers.map((answer, index) => {
    const words = new Set(answer.split('\n').filter((word) => word !== ''));
    // Where nothing begins so, fish guesses.
    const begun = shell === 'fish' ? begunWord(lines[index] ?? '') : '';
    return [...words].filter((word) => word.startsWith(begun)).sort();
  });
}

/** The word that a line ends in, without its quotes. */
function begunWord(line: string): string {
  const word =
    line
      .match(/(?:'[^']*'?|"[^"]*"?|\\.|[^\s'"\\])+|\s+/g)
      ?.at(-1)
      ?.trim() ?? '';
  return /^["']/.test(word) ? word.slice(1) : word.replaceAll('\\', '');
}

const options = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] } satisfies Record<Shell, string[]>;

/** The line as bash hands it to a completion: how many words, they, the part to complete, and the line. */
function bashWords(line: string): readonly string[] {
  const words = [...(line.match(/(?:'[^']*'?|"[^"]*"?|\\.|[^\s=:'"\\])+|[=:]+/g) ?? [])];
  if (line.endsWith(' ') && !/['"]\S+ $/.test(line)) words.push('');
  const part = (words.at(-1) ?? '').replace(/^(?:["']|[=:]+$)/, '');
  return [String(words.length), ...words, part, line];
}

const drivers: { readonly [S in Shell]: string } = {
  // The candidate is put on the line, and the line read as bash reads it.
  bash: `. "$1"; shift
compopt() { while (($#)); do [[ $1 == -o ]] && echo "<$2>"; shift; done; }
while (($#)); do
  COMP_WORDS=("\${@:2:$1}"); part=\${@:$1+2:1}; COMP_LINE=\${@:$1+3:1}; shift $(($1 + 3))
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_POINT=\${#COMP_LINE}
  _skill_fleet skill-fleet "$part" "\${COMP_WORDS[COMP_CWORD - 1]}"
  before=\${COMP_LINE%"$part"} quote=
  [[ $before == *[\\'\\"] ]] && quote=\${before: -1}
  for candidate in "\${COMPREPLY[@]}"; do
    eval "words=($before$candidate$quote)"
    printf '%s\\n' "\${words[@]: -1}"
  done
  printf '\\0'
done
`,
  // A shell at a terminal of its own: a completion needs a line that somebody edits.
  zsh: `zmodload zsh/zpty
script=$1; shift
export ANSWERS=\${script:h}/answers
setup="PS1=; autoload -Uz compinit; fpath=(\${(q)script:h} \\$fpath); compinit -D -u; . \${(q)script:h}/compadd"
cat > \${script:h}/compadd <<'END'
typeset -gaU all
compadd() {
  local -a found
  # What only asks adds nothing.
  if [[ " \${@[1,(i)(-|--)]} " != *\\ -[OAD]\\ * ]]; then
    builtin compadd -O found "$@"
    all+=("\${found[@]}")
  fi
  builtin compadd "$@"
}
answered() {
  # What stands on the line now, as it would be read.
  if (($#all == 1)); then eval "all=($BUFFER)"; all=("$all[-1]"); fi
  print -rl -- "\${all[@]}" >>$ANSWERS
  printf '\\0' >>$ANSWERS
  all=() BUFFER=
  zle accept-line
}
zle -N answered
bindkey '^Xa' answered
bindkey '^I' complete-word
setopt nobeep noautolist
END
zpty terminal zsh -f
zpty -w terminal "$setup"
for line in "$@"; do zpty -wn terminal "$line"$'\\t\\C-Xa'; done
zpty -w terminal exit
while zpty -r terminal said; do :; done
cat $ANSWERS
`,
  fish: `source $argv[1]
for line in $argv[2..-1]
  for candidate in (complete -C $line)
    string split -f 1 \\t -- $candidate
  end
  printf '\\0'
end
`,
};
