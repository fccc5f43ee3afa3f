// The audit log on disk: whole lines in order, new files, old ones gone, and what happens when the disk does not take it.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { AuditLogFile, BACKLOG_BYTES } from './log-file.ts';

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-audit-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function context() {
  let now = Date.parse('2026-11-22T07:00:00Z');
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
  const clock = { now: () => now++, after: () => () => {} };
  return { clock, log, warnings, metrics: new Metrics() };
}

test('lines are appended, also to what is there', () =>
  inDirectory(async (directory) => {
    const options = { path: join(directory, 'new', 'audit.log'), maxBytes: 1000, maxBackups: 0 };
    for (const turn of [1, 2]) {
      const file = await AuditLogFile.open(options, context());
      for (const part of ['a', 'b']) file.write(`{"${part}":${turn}}`);
      await file.close();
    }
    assert.equal(await readFile(options.path, 'utf8'), '{"a":1}\n{"b":1}\n{"a":2}\n{"b":2}\n');
    assert.equal((await stat(options.path)).mode & 0o777, 0o600);
  }));

test('a full file gives way to another; only so many old ones stay', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'audit.log');
    for (let turn = 0; turn < 6; turn++) {
      const parts = context();
      parts.clock.now = () => Date.parse('2026-11-22T07:00:00Z') + turn;
      const file = await AuditLogFile.open({ path, maxBytes: 10, maxBackups: 2 }, parts);
      file.write(`line ${turn}`);
      await file.close();
    }
    assert.deepEqual((await readdir(directory)).sort(), [
      'audit-2026-11-22T07-00-00.004.log',
      'audit-2026-11-22T07-00-00.005.log',
      'audit.log',
    ]);
    assert.equal(await readFile(path, 'utf8'), 'line 5\n');
  }));

test('what waits is bounded; what is dropped is counted and said', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'audit.log');
    const parts = context();
    const file = await AuditLogFile.open({ path, maxBytes: 10 * BACKLOG_BYTES, maxBackups: 0 }, parts);
    const line = 'x'.repeat(1024 * 1024 - 1);
    for (let count = 0; count < 20; count++) file.write(line);
    await file.close();
    assert.equal((await stat(path)).size, BACKLOG_BYTES);
    assert.deepEqual(parts.warnings, [
      'audit events are dropped: the disk does not keep up',
      'audit events were dropped',
    ]);
    assert.match(await parts.metrics.text(), /^apiserver_audit_error_total\{plugin="log"\} 4$/m);
  }));
