// Who runs this.

import { userInfo } from 'node:os';

/** The user's name; where the system has none for its id, as in containers, `user 54321`. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}
