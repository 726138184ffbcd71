// When HEAD was committed.

import type { GitRepository } from './repository.ts';
import { gitRecords } from './run-git.ts';

/** When {@link GitRepository.head} was committed; undefined where git cannot say. */
export async function headTime({ skillsDirectory, head }: GitRepository): Promise<Date | undefined> {
  const args = ['rev-list', '--no-walk', '--timestamp', head, '--'];
  const records = await gitRecords({ directory: skillsDirectory, args, separator: '\n' });
  const seconds = Number(records?.[0]?.split(' ')[0]);
  return Number.isSafeInteger(seconds) && seconds > 0 ? new Date(seconds * 1000) : undefined;
}
