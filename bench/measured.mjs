// A program run and measured: by the clock, of a processor with all that it starts, and the most memory.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const cli = path.join(import.meta.dirname, '../dist/cli.js');
const peak = path.join(import.meta.dirname, 'peak.cjs');

/** How much of what a program says is kept: its end. */
const keptCharacters = 4096;

/** A program did not end within its limit, in seconds. */
export class OverLimit extends Error {
  constructor(command, limit) {
    super(`${command} took over ${limit} s`);
    this.limit = limit;
  }
}

async function endOf(stream) {
  let kept = '';
  for await (const part of stream.setEncoding('utf8')) kept = (kept + part).slice(-keptCharacters);
  return kept;
}

/**
 * Runs a program.
 *
 * @param limit in seconds: what takes longer is killed, with all that it started
 * @returns seconds by the clock and of a processor; peak memory in MiB, where the program tells it; its output's end
 */
export async function measured(command, { cwd, env = {}, limit = 600, exitCodes = [0] } = {}) {
  const timing = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&9; } 9>&2 2>&3';
  const child = spawn('bash', ['-c', timing, 'bash', ...command], {
    cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    process.kill(-child.pid, 'SIGKILL');
  }, limit * 1000);
  const [output, errors, times, kibibytes, exitCode] = await Promise.all([
    endOf(child.stdout),
    endOf(child.stderr),
    text(child.stdio[3]),
    text(child.stdio[4]),
    new Promise((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]).finally(() => clearTimeout(timer));
  const name = command.map((part) => path.basename(part)).join(' ');
  if (isOver) throw new OverLimit(name, limit);
  if (!exitCodes.includes(exitCode)) throw new Error(`${name} ended with ${exitCode}:\n${output}\n${errors}`);
  const [seconds, user, system] = times.trim().split(' ').map(Number);
  return { seconds, processor: user + system, peak: Number(kibibytes) / 1024, output, errors };
}

/** The command line, as a command that tells its peak memory. */
export const skillFleet = (...args) => [process.execPath, '--require', peak, cli, ...args];

/** The command line as it is. */
export const bareSkillFleet = (...args) => [process.execPath, cli, ...args];
