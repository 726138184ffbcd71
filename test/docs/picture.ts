// A real terminal session as a picture: what the program prints on a terminal, colours and all, as SVG.

import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  databaseUrl,
  makeProject,
  personEnvironment,
  projectRoot,
  runProcess,
  sql,
} from '../acceptance/cli.ts';

/** Runs a command on a terminal of its own, and passes on what it shows. */
export const script = '/usr/bin/script';

const columns = 100;

/**
 * Both sides of a library were edited: a file by hand, a row by SQL. The session looks, syncs, and proves it. Only the
 * names of the folder and of the server are put in place of those of the test.
 */
export async function sessionPicture(): Promise<string> {
  const { folder, run } = await makeProject();
  const env = personEnvironment({ DATABASE_URL: await databaseUrl('postgres'), TERM: 'xterm-256color' });
  const url = env['DATABASE_URL'] ?? '';
  await cp(path.join(projectRoot, 'skills'), path.join(folder, 'skills'), { recursive: true });
  await run(['sync-db'], { DATABASE_URL: url });
  const document = path.join(folder, 'skills/operations/deployment/docker/small-docker-images/SKILL.md');
  const text = await readFile(document, 'utf8');
  await writeFile(document, text.replace('# Small Docker images', '# Small and safe Docker images'));
  await sql(
    url,
    `update skills set version = '1.1.0' where skill_path = 'development/practices/tdd/test-first-cycle'`,
  );
  delete env['NO_COLOR'];
  const cli = path.join(projectRoot, 'dist/cli.js');
  let shown = '';
  for (const args of ['sync-db --dry-run', 'sync-db', 'verify']) {
    const command = `stty cols ${columns}; ${process.execPath} ${cli} ${args}`;
    const { stdout } = await runProcess(script, ['-qec', command, '/dev/null'], { cwd: folder, env });
    shown += `\u001b[1m$ skill-fleet ${args}\u001b[22m\n${stdout.replaceAll('\r\n', '\n')}\n`;
  }
  const { host, pathname } = new URL(url);
  return pictureOf(
    shown
      .replaceAll(folder, '/home/you/library')
      .replaceAll(host, 'db.example.org')
      .replaceAll(pathname.slice(1), 'library')
      .trimEnd(),
  );
}

const line = 18;
const character = 8.4;
const margin = 16;

/** Colours of the terminal, which are read as well on either background. */
const colors: { readonly [code: string]: string } = {
  31: '#f47067',
  32: '#6bc46d',
  33: '#daaa3f',
  34: '#6cb6ff',
  36: '#56d4dd',
  90: '#909dab',
};
const background = '#22272e';
const foreground = '#cdd9e5';

interface Style {
  bold: boolean;
  dim: boolean;
  inverse: boolean;
  color: string;
}

/** What Select Graphic Rendition (ECMA-48 8.3.117) says, as far as the program uses it. */
const renditions: { readonly [code: string]: Partial<Style> } = {
  0: { bold: false, dim: false, inverse: false, color: foreground },
  1: { bold: true },
  2: { dim: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  27: { inverse: false },
  39: { color: foreground },
};

function renditionOf(code: string): Partial<Style> {
  const color = colors[code];
  const rendition = color === undefined ? renditions[code || '0'] : { color };
  if (rendition === undefined) throw new Error(`unknown rendition ${code}`);
  return rendition;
}

/** Text of one column a character with a terminal's colours, as SVG. A control sequence that it does not know is an error. */
function pictureOf(text: string): string {
  const style: Style = { bold: false, dim: false, inverse: false, color: foreground };
  const drawn: string[] = [];
  let row = 0;
  for (const content of text.split('\n')) {
    let column = 0;
    for (const [at, piece] of content.split('\u001b[').entries()) {
      const [, codes = '', part = ''] = (at === 0 ? `m${piece}` : piece).match(/^([\d;]*)m(.*)$/) ?? [];
      if (at > 0) Object.assign(style, ...codes.split(';').map(renditionOf));
      for (let from = 0; from < part.length; ) {
        if (column === columns) {
          row++;
          column = 0;
        }
        const some = part.slice(from, from + columns - column);
        if (some.trim() !== '' || style.inverse) drawn.push(run(some, style, column, row));
        column += some.length;
        from += some.length;
      }
    }
    row++;
  }
  const [width, height] = [columns * character + 2 * margin, row * line + 2 * margin];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>A terminal: skill-fleet shows what a sync would do, carries it out, and proves that both sides hold the same.</title>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">
${drawn.join('\n')}
</g>
</svg>
`;
}

function run(part: string, { bold, dim, inverse, color }: Style, column: number, row: number): string {
  const number = (value: number) => Number(value.toFixed(1));
  const x = number(margin + column * character);
  const width = number(part.length * character);
  const y = margin + row * line;
  const box = inverse ? `<rect x="${x}" y="${y}" width="${width}" height="${line}" fill="${color}"/>` : '';
  const weight = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  const escaped = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `${box}<text x="${x}" y="${y + 13}" textLength="${width}" fill="${inverse ? background : color}"${weight}>${escaped}</text>`;
}
