// Steps in between a program and its database: the real connection, and what a test does as statements pass.

import type { Connection } from '../../src/repository/connection.ts';

/** The connection, with `before` called ahead of each statement. */
export function watched(connection: Connection, before: (text: string) => Promise<void> | void): Connection {
  return {
    ...connection,
    query: async <Row>(text: string, values?: readonly unknown[]) => {
      await before(text);
      return connection.query<Row>(text, values);
    },
  };
}

/** The connection, with `action` done once, ahead of the first statement that holds `part`. */
export function stepIn(connection: Connection, part: string, action: () => Promise<unknown>): Connection {
  let done = false;
  return watched(connection, async (text) => {
    if (done || !text.includes(part)) return;
    done = true;
    await action();
  });
}
