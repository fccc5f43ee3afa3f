// Asks a DNS server with `dig`, whose reading of an answer is not ours, and takes apart what it prints.
import { existsSync } from 'node:fs';
import { run } from '../kit/run.ts';

/** Why tests with dig cannot run on this machine; false if they can. For node:test's `skip`. */
export const noDig: string | false = existsSync('/usr/bin/dig') ? false : 'there is no dig (bind9-dnsutils)';

export interface Dug {
  /** `NOERROR`, `NXDOMAIN`, … */
  status: string;
  opcode: string;
  /** `qr`, `aa`, `tc`, `rd`, `ra`. */
  flags: string[];
  /** Records as `name TTL class type data`, words separated by one blank. */
  answer: string[];
  authority: string[];
  additional: string[];
  /** The OPT record as dig describes it; empty without one. */
  edns: string;
  /** The question as it came back. */
  question: string;
  /** Bytes of the answer. */
  size: number;
  /** `UDP` or `TCP`. */
  transport: string;
  /** All that dig printed. */
  text: string;
}

/** Runs `dig` against a server on loopback with these arguments. */
export async function dig(port: number, ...args: string[]): Promise<Dug> {
  const fixed = ['@127.0.0.1', '-p', `${port}`, '+tries=1', '+timeout=5', '+nocookie'];
  const { stdout } = await run('dig', [...fixed, ...args]);
  const line = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? '';
  return {
    status: line(/status: (\w+)/),
    opcode: line(/opcode: (\w+)/),
    flags: line(/^;; flags: ([^;]*)/m).split(' '),
    answer: section(stdout, 'ANSWER'),
    authority: section(stdout, 'AUTHORITY'),
    additional: section(stdout, 'ADDITIONAL'),
    edns: line(/^; (EDNS: .*)$/m),
    question: line(/^;; QUESTION SECTION:\n;(\S+)/m),
    size: Number(line(/MSG SIZE {2}rcvd: (\d+)/)),
    transport: line(/^;; SERVER: .*\((\w+)\)$/m),
    text: stdout,
  };
}

/** The data of records: what comes behind name, TTL, class and type. In order of the alphabet. */
export function dataOf(records: readonly string[]): string[] {
  return records.map((record) => record.split(' ').slice(4).join(' ')).sort();
}

function section(text: string, name: string): string[] {
  const lines = text.split('\n');
  const start = lines.indexOf(`;; ${name} SECTION:`);
  if (start < 0) return [];
  const end = lines.findIndex((each, index) => index > start && (each === '' || each.startsWith(';;')));
  return lines.slice(start + 1, end).map((each) => each.replaceAll(/\s+/g, ' '));
}
