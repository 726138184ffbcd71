// Completion scripts for shells. What can be written next is worked out by one program in POSIX sh that each script
// carries: it starts in a moment, opens no connection, and runs nothing of the folder that it is called in.

/** The program, as far as a person can type it. */
export interface ProgramDescription {
  readonly name: string;
  readonly options: readonly OptionDescription[];
  readonly commands: readonly CommandDescription[];
}

export interface CommandDescription {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionDescription[];
  readonly arguments: readonly ValueDescription[];
}

export interface OptionDescription {
  /** `-h` and `--help`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined where it takes none. */
  readonly value: ValueDescription | undefined;
}

export interface ValueDescription {
  readonly isOptional: boolean;
  /** Whether more of them may follow. */
  readonly isVariadic: boolean;
  readonly words: readonly string[];
  readonly places: readonly Place[];
}

/** What of the disk can stand as a value. */
export type Place = 'files' | 'folders' | 'skills';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The completion script of a shell. */
export function completionScript(shell: Shell, program: ProgramDescription): string {
  return scripts[shell](program.name, candidatesProgram(program));
}

/** A text within double quotes of sh. */
function shText(text: string): string {
  return `"${text.replace(/[\\"$`]/g, '\\$&')}"`;
}

/** A text within single quotes, as bash, zsh and sh take it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The lines of each command, as one case for all commands that have the same ones. */
function cases<T>(
  commands: readonly CommandDescription[],
  of: (command: CommandDescription) => readonly T[],
  lineOf: (item: T, place: number) => string,
): string {
  const commandsOf = gathered(
    commands.flatMap((command) => of(command).map((item, index) => [lineOf(item, index + 1), command.name])),
  );
  const linesOf = gathered([...commandsOf].map(([line, names]) => [names.join('|'), `    ${line}\n`]));
  return [...linesOf]
    .map(([names, lines]) => `  case "$command" in ${names})\n${lines.join('')}  esac\n`)
    .join('');
}

/** The values of each key, both in the order in which they come. */
function gathered(
  pairs: readonly (readonly [key: string, value: string])[],
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function optionLine({ flags, description, value }: OptionDescription): string {
  const [needs, offers] = value === undefined ? ['nothing', ''] : [needsOf(value), offersOf(value)];
  return flags.map((flag) => `option ${flag} ${needs} ${shText(offers)} ${shText(description)}`).join('; ');
}

function needsOf({ isOptional, isVariadic }: ValueDescription): string {
  return isVariadic ? 'many' : isOptional ? 'maybe' : 'one';
}

/** Words as they are, and places in brackets, as help has them. */
function offersOf({ words, places }: ValueDescription): string {
  return [...words, ...places.map((place) => `<${place}>`)].join(' ');
}

function argumentLine(value: ValueDescription, place: number): string {
  return `[ "$place" -${value.isVariadic ? 'ge' : 'eq'} ${place} ] && offers=${shText(offersOf(value))}`;
}

/**
 * A program in sh: its arguments are the words after the program's name up to the cursor, the last being the one
 * to complete, without quotes. It prints what that can be, a line each: a word, or a word, a tab and what it means, or a
 * tab and a kind of place that the shell lists better itself. It prints more than what begins as the last word does.
 */
function candidatesProgram({ commands, options }: ProgramDescription): string {
  const named = commands.map(({ name, summary }) => `  word ${shText(name)} ${shText(summary)}\n`).join('');
  const program = { name: '""', summary: '', options, arguments: [] };
  return `LC_ALL=C
word() { printf "%s\\n" "$prefix$1\${2:+	$2}"; }

commands() {
${named}}

# Calls option with each one of the command.
options() {
${cases([...commands, program], (command) => command.options, optionLine)}}

# Prints an option, or where one is looked for, takes down what follows it.
option() {
  if [ "$sought" = "" ]; then word "$1" "$4"
  elif [ "$sought" = "$1" ]; then needs=$2 offers=$3
  fi
}
seek() {
  sought=$1 needs=nothing offers=
  options
}

# What the argument at a place can be.
argument() {
  offers=
${cases(commands, (command) => command.arguments, argumentLine)}}

# Prints what is offered: words, and the like of <files>.
offer() {
  for one in $offers; do
    case "$one" in
      "<skills>") skills ;;
      "<"*) one=\${one#<}; printf "\\t%s\\n" "\${one%>}" ;;
      *) word "$one" ;;
    esac
  done
}

# Takes down the options that say where the skills are.
note() {
  case "$1" in
    --skills-dir) skills_dir=$2 ;;
    --env-file) env_file=$2 ;;
    --config) config=$2 ;;
  esac
}

# What a plain line of a file says of where the skills are, and relative to which folder.
setting() {
  [ -f "$1" ] || return 1
  value=$(command -p sed -n "s/^[[:space:]{]*\\(export \\)*\\"\\{0,1\\}$3\\"\\{0,1\\}[[:space:]]*[:=][[:space:]]*[\\"']\\{0,1\\}\\([^\\"'#,]*[^\\"'#,[:space:]]\\).*/\\2/p" "$1" | command -p head -n 1)
  case "$value" in "") return 1 ;; /*) directory=$value ;; *) directory=$2/$value ;; esac
}

# The skills directory, as the program finds it.
find_directory() {
  directory=$skills_dir
  case "$directory" in "~/"*) directory=$HOME/\${directory#"~/"} ;; esac
  [ "$directory" = "" ] || return 0
  root=$PWD
  while :; do
    for mark in .git skill-fleet.config.yaml skill-fleet.config.yml skill-fleet.config.json; do
      [ -e "$root/$mark" ] && break 2
    done
    if [ "$root" = "" ]; then root=$PWD; break; fi
    root=\${root%/*}
  done
  setting "\${env_file:-$root/.env}" "$root" SKILLS_DIR && return
  for file in "$root/skill-fleet.config.yaml" "$root/skill-fleet.config.yml" "$root/skill-fleet.config.json"; do
    file=\${config:-$file}
    case "$file" in */*) folder=\${file%/*} ;; *) folder=. ;; esac
    setting "$file" "$folder" skillsDirectory && return
  done
  if [ -d skills ]; then directory=skills; else directory=$root/skills; fi
}

# Skills in the folder of what is typed, and folders to go on into. No skill has a control character in its path.
skills() {
  above=
  case "$typed" in */*) above=\${typed%/*}/ ;; esac
  case "/$above" in //*|*/./*|*/../*) return ;; esac
  find_directory
  for folder in "$directory/$above"*/; do
    path=\${folder#"$directory/"}
    case "$path" in *[[:cntrl:]\\\\]*|*"$c1"[$c1_first-$c1_last]*) continue ;; esac
    if [ -L "\${folder%/}" ] || [ ! -d "$folder" ]; then continue; fi
    if [ -f "$folder/SKILL.md" ]; then
      word "\${path%/}"
      for nested in "$folder"*/SKILL.md; do
        if [ -f "$nested" ]; then word "$path"; break; fi
      done
    else word "$path"
    fi
  done
}
c1=$(printf "\\302") c1_first=$(printf "\\200") c1_last=$(printf "\\237")

prefix= skills_dir=$SKILLS_DIR env_file= config=
needs=nothing offers= place=1
command=
if [ $# -gt 1 ]; then command=$1; shift; fi
while [ $# -gt 1 ]; do
  if [ "$needs" = one ]; then
    note "$sought" "$1"
    needs=nothing
  else
    case "$1" in
      --*=*) note "\${1%%=*}" "\${1#*=}"; needs=nothing ;;
      -*) seek "$1" ;;
      *)
        case "$needs" in
          nothing) place=$((place + 1)) ;;
          maybe) needs=nothing ;;
        esac ;;
    esac
  fi
  shift
done

typed=$1
if [ "$needs" = one ]; then offer
else
  case "$typed" in
    --*=*)
      seek "\${typed%%=*}"
      prefix=$sought= typed=\${typed#*=}
      offer ;;
    -*) sought=; options ;;
    *)
      if [ "$needs" = nothing ]; then
        [ "$command" = "" ] && { commands; exit; }
        argument
      fi
      if [ "$needs$offers" = nothing ]; then sought=; options; else offer; fi ;;
  esac
fi
`;
}

type Script = (name: string, candidates: string) => string;

const scripts: { readonly [S in Shell]: Script } = {
  bash: (name, candidates) => {
    const own = `_${name.replaceAll('-', '_')}`;
    return `# Completion of ${name} for bash.

${own}_candidates=${quoted(candidates)}

${own}() {
  # bash parts words at = and :, so those that touch are put together again.
  local words=() line=\${COMP_LINE:0:COMP_POINT} word index
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${line#"\${line%%[![:space:]]*}"}
    ((index == COMP_CWORD)) || word=\${word:0:\${#COMP_WORDS[index]}}
    if ((index == 0)) || [[ $line == [[:space:]]* || -z $line ]]; then words+=("$word")
    else words[\${#words[@]} - 1]+=$word
    fi
    line=\${line#"\${line%%[![:space:]]*}"}
    line=\${line:\${#word}}
  done

  # What stands before the part that is completed, and the quote that it stands in.
  local last=$((\${#words[@]} - 1)) quote= known
  local before=\${words[last]%"$2"}
  [[ $before == *[\\"\\'] ]] && quote=\${before: -1} before=\${before%?}
  words[last]=$before$2
  words=("\${words[@]//\\\\/}")
  for ((index = 1; index < last; index++)); do words[index]=\${words[index]//[\\"\\']/}; done

  COMPREPLY=()
  while IFS= read -r word; do
    case $word in
      $'\\tfiles') compopt -o default +o nospace 2>/dev/null ;;
      $'\\tfolders') compopt -o dirnames +o nospace 2>/dev/null ;;
      "\${words[last]}"*)
        word=\${word%%$'\\t'*}
        known=\${word#"$before"}
        # In quotes bash closes them; what they cannot hold as it is, is not offered.
        case $quote in
          "'") [[ $known == *"'"* ]] || COMPREPLY+=("$known") ;;
          '"') [[ $known == *[\\"\\$\\\`!]* ]] || COMPREPLY+=("$known") ;;
          *)
            printf -v known %q "$word"
            [[ $word == */ ]] || known+=' '
            COMPREPLY+=("\${known#"$before"}") ;;
        esac ;;
    esac
  done < <(/bin/sh -c "$${own}_candidates" ${name} "\${words[@]:1}" 2>/dev/null)
}

complete -o nospace -F ${own} ${name}
`;
  },

  zsh: (name, candidates) => `#compdef ${name}
# Completion of ${name} for zsh.

_${name}() {
  local candidates=${quoted(candidates)}
  local -a lines words_only described above
  local line
  # Words without their quotes; nothing in them is evaluated.
  lines=("\${(@f)$(/bin/sh -c "$candidates" ${name} "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      '') ;;
      $'\\tfiles') [[ $PREFIX == --*=* ]] && compset -P '--[^=]#='; _files ;;
      $'\\tfolders') [[ $PREFIX == --*=* ]] && compset -P '--[^=]#='; _files -/ ;;
      *$'\\t'*) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      */) above+=("$line") ;;
      *) words_only+=("$line") ;;
    esac
  done
  (($#described)) && _describe -V '${name}' described
  (($#words_only)) && compadd -- "\${words_only[@]}"
  (($#above)) && compadd -S '' -- "\${above[@]}"
}

# Read from a folder in fpath, this file is the function that is called.
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`,

  fish: (name, candidates) => {
    const own = `__${name.replaceAll('-', '_')}`;
    return `# Completion of ${name} for fish.

set -g ${own}_candidates ${fishQuoted(candidates)}

function ${own}
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  # Without its quotes; nothing in it is evaluated.
  set -l plain (string unescape -- "$typed"); or set plain "$typed"
  for line in (/bin/sh -c "$${own}_candidates" ${name} $words[2..-1] "$plain" 2>/dev/null)
    set -l option (string match -r -- '^--[^=]*=' "$plain")
    set -l value (string replace -- "$option" '' "$plain")
    switch $line
      case \\tfiles
        for file in (__fish_complete_path "$value"); echo "$option$file"; end
      case \\tfolders
        for folder in (__fish_complete_directories "$value" ''); echo "$option$folder"; end
      case '*'
        printf '%s\\n' $line
    end
  end
end

complete -c ${name} -f -a '(${own})'
`;
  },
};
