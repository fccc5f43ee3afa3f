import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { systemClock, systemRandom } from '../process/system-clock.ts';
import { openAudit } from './audit.ts';

test('requests are recorded as the policy file says; what cannot be used is said in a sentence', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-audit-'));
  const policyFile = join(directory, 'policy.yaml');
  const logPath = join(directory, 'log', 'audit.log');
  const open = (changes: object = {}) =>
    openAudit(
      { policyFile, logPath, maxSizeMegabytes: 1, maxBackups: 1, ...changes },
      { clock: systemClock, random: systemRandom, log: silentLog, metrics: new Metrics() },
    );
  try {
    await assert.rejects(open(), /^UserError: The audit policy .* cannot be used: ENOENT/);
    await writeFile(policyFile, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Much}]\n');
    await assert.rejects(open(), /cannot be used: rules\[0\]\.level: Unsupported value: "Much"/);
    await writeFile(policyFile, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n');
    await assert.rejects(open({ logPath: directory }), /The audit log .* cannot be written: EISDIR/);
    const audit = await open();
    const exchange = { target: '/version', header: () => undefined, remoteAddress: '::ffff:127.0.0.1' };
    const user = { name: 'alice', groups: [] };
    audit.auditor.begin(exchange, user, { path: '/version', verb: 'get' }, undefined)?.complete(200);
    await audit.close();
    const lines = (await readFile(logPath, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ stage, sourceIPs }) => [stage, sourceIPs]),
      [
        ['RequestReceived', ['127.0.0.1']],
        ['ResponseComplete', ['127.0.0.1']],
      ],
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
