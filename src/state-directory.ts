// The project's `.skill-fleet`: bases, the trash and the embedded database. It ignores itself for git.

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import { answer, type Disk } from './disk.ts';

/** Creates the state directory where it does not stand yet and can: who cannot write in it says so. */
export async function makeStateDirectory(disk: Disk, directory: string): Promise<void> {
  await answer(disk.mkdir(directory));
  const ignore = path.join(directory, '.gitignore');
  if ((await answer(disk.lstat(ignore))).ok) return;
  // Whole or not at all: whoever is killed here leaves none that is empty, and lets git take all of this for content.
  const draft = `${ignore}.draft`;
  await answer(disk.unlink(draft));
  const written = await answer(disk.writeNew(draft, Buffer.from('*\n')));
  if (written.ok) await answer(disk.rename(draft, ignore));
}

/** What of the state directory is a link, as one may come with a clone: writing through it would be writing elsewhere. */
export async function linkInState(disk: Disk, directory: string): Promise<string | undefined> {
  for (const place of [
    directory,
    ...['bases', 'db', 'scans', 'trash'].map((name) => path.join(directory, name)),
  ]) {
    const stat = await answer(disk.lstat(place));
    if (stat.ok && stat.value.isSymbolicLink()) return place;
  }
  return undefined;
}

/**
 * Where removed skills go: in the state directory, unless that stands in the skills directory, from where an agent
 * might load them. Then in the folder that the XDG Base Directory Specification has for a user's state.
 */
export async function trashOf(disk: Disk, stateDirectory: string, skillsDirectory: string): Promise<string> {
  const project = await answer(disk.realpath(path.dirname(stateDirectory)));
  const skills = await answer(disk.realpath(skillsDirectory));
  if (!project.ok || !skills.ok || !isWithin(project.value, skills.value))
    return path.join(stateDirectory, 'trash');
  const states = process.env['XDG_STATE_HOME'] || path.join(homedir(), '.local', 'state');
  return path.join(states, 'skill-fleet', 'trash');
}

/** Where what is known of a skills directory's files is kept. */
export async function scanCacheOf(
  disk: Disk,
  stateDirectory: string,
  skillsDirectory: string,
): Promise<string> {
  const real = await answer(disk.realpath(skillsDirectory));
  const name = createHash('sha256')
    .update(real.ok ? real.value : skillsDirectory)
    .digest('hex')
    .slice(0, 16);
  return path.join(stateDirectory, 'scans', name);
}

/** Whether a folder is another or stands below it, by their real paths. */
export function isWithin(folder: string, above: string): boolean {
  const way = path.relative(above, folder);
  return way.split(path.sep)[0] !== '..' && !path.isAbsolute(way);
}
