// What no skill is to hold: keys and tokens, and paths in somebody's home folder.

// Each begins with a fixed text and goes on with characters that are counted: a long line is read once.
const tokens: readonly (readonly [kind: string, pattern: string])[] = [
  ['an access key of AWS', '(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])'],
  ['a token of GitHub', 'gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])'],
  ['a token of GitHub', 'github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])'],
  ['a token of GitLab', 'glpat-[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])'],
  ['a key of Anthropic', 'sk-ant-[a-z]{3}[0-9]{2}-[A-Za-z0-9_-]{80}'],
  ['a key of OpenAI', 'sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40}'],
  ['a key of OpenAI', 'sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}'],
  ['a key of Stripe', '[sr]k_live_[A-Za-z0-9]{24}'],
  ['a token of Slack', 'xox[abprs]-[0-9]{10,13}-[A-Za-z0-9-]{10}'],
  ['a key of Google', 'AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])'],
  ['a token of npm', 'npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])'],
  ['a token of PyPI', 'pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}'],
  ['a token of Hugging Face', 'hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])'],
  ['a key of SendGrid', 'SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])'],
  ['a private key', '-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----\\r?\\n(?:[A-Za-z0-9+/=]{64}\\r?\\n)'],
];

const anyToken = new RegExp(
  `(?<![A-Za-z0-9_])(?:${tokens.map(([, pattern]) => `(${pattern})`).join('|')})`,
  'g',
);

/** What an example writes in the place of a token; the last one is that of GitHub's documentation. */
const placeholder =
  /exampl|sample|dummy|fake|test|your|xxxx|0{6}|1234567|16C7e42F292c6912E7710c838347Ae178B4a/i;

/** So many letters as the alphabet has them, digits between them or not, are an example. */
const longestSeries = 4;

/** Fewer different characters are an example, too. */
const leastDistinct = 10;

/** What looks like a key or a token, with its offset. */
export function secretsOf(text: string): readonly { readonly kind: string; readonly offset: number }[] {
  return [...text.matchAll(anyToken)].flatMap((match) => {
    const [token, ...groups] = match;
    const [kind = ''] = tokens[groups.findIndex((group) => group !== undefined)] ?? [];
    const isExample =
      placeholder.test(token) || new Set(token).size < leastDistinct || seriesIn(token) > longestSeries;
    return isExample ? [] : [{ kind, offset: match.index }];
  });
}

/** How many letters of a token follow on one another as in the alphabet, at most. */
function seriesIn(token: string): number {
  let longest = 0;
  let length = 0;
  let last = 0;
  for (const letter of token.toLowerCase().replace(/[^a-z]/g, '')) {
    const code = letter.charCodeAt(0);
    length = code === last + 1 ? length + 1 : 1;
    longest = Math.max(longest, length);
    last = code;
  }
  return longest;
}

const homePath =
  /(?<![\w.~/}\])>*-])\/(?:Users|home)\/([A-Za-z0-9._-]{1,32})\/|(?<![A-Za-z])[A-Za-z]:\\{1,2}Users\\{1,2}([A-Za-z0-9._-]{1,32})\\/g;

/** Names that stand for any user, and those of the users that containers and hosted machines have. */
const anyUser: ReadonlySet<string> = new Set([
  ...['name', 'you', 'me', 'myname', 'someone', 'your', 'yourname', 'your-name', 'your_name'],
  ...['example', 'foo', 'bar', 'xxx', 'alice', 'bob', 'me.example', 'shared', 'runner'],
  ...['runneradmin', 'vscode', 'ubuntu', 'node', 'app', 'dev', 'developer', 'admin', 'root'],
  ...['public', 'default', 'test', 'claude', 'sandbox', 'jovyan', 'linuxbrew', 'coder', 'codespace'],
  ...['git', '...', 'circleci', 'gitpod', 'vagrant', 'pi', 'steam', 'oai', 'agent'],
  ...['nonroot', 'builder', 'deno', 'demo', 'deploy', 'administrator', 'victim', 'suspect', 'attacker'],
  ...['target', 'abc', 'project', 'workspace'],
]);

/** The same, as they are made up. */
const madeUpUser = /user|^(?:john|jane|joe|j)(?:[._-]?(?:doe|smith))?$/;

/** Paths in the home folder of one user, with their offsets; each once. */
export function privatePaths(text: string): readonly { readonly path: string; readonly offset: number }[] {
  const found = new Map<string, number>();
  for (const match of text.matchAll(homePath)) {
    const [path, unix, windows] = match;
    const user = (unix ?? windows ?? '').toLowerCase();
    // A letter alone stands for a name.
    const isSomebody = user.length > 1 && !anyUser.has(user) && !madeUpUser.test(user);
    if (isSomebody && !found.has(path)) found.set(path, match.index);
  }
  return [...found].map(([path, offset]) => ({ path, offset }));
}
