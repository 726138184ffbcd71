// Opens an embedded database, runs statements, and stays: `fork('hold-database.mjs', [DIRECTORY, …STATEMENTS])`.

import { nodeDisk } from '../../src/disk.ts';
import { connect } from '../../src/repository/open.ts';

const [, , directory = '', ...statements] = process.argv;
const opened = await connect({ kind: 'embedded', directory }, nodeDisk);
if (!opened.ok) throw new Error(opened.problem.reason);
for (const statement of statements) await opened.value.query(statement);
process.on('message', () => {});
process.send?.('done');
