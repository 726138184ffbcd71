import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';
import { script, sessionPicture } from './picture.ts';

const missing = existsSync(script) ? '' : ` (skipped: there is no ${script})`;

test.skipIf(missing)(`the picture in the README shows what the program prints${missing}`, async () => {
  const file = path.join(projectRoot, 'docs/pictures/session.svg');
  const picture = await sessionPicture();
  // To draw it anew: WRITE_PICTURE=1 npx vitest run test/docs/picture
  if (process.env['WRITE_PICTURE']) await writeFile(file, picture);
  expect(await readFile(file, 'utf8')).toBe(picture);
});
