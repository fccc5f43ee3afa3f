import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseKubeconfig } from './kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const file = (cluster: string, user: string): string => `
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u, namespace: prod } }]
clusters: [{ name: other, cluster: {} }, { name: c, cluster: { server: 'https://x:1', ${cluster} } }]
users: [{ name: u, user: { ${user} } }]
`;

describe('kubeconfig', () => {
  it('reads data, tokens and the namespace', () => {
    const text = file(
      `certificate-authority-data: ${base64('CA')}`,
      `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, token: t`,
    );
    assert.deepEqual(parseKubeconfig(text), {
      server: 'https://x:1',
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
      token: 't',
      insecure: false,
      namespace: 'prod',
    });
  });

  it('reads files beside it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'stead-kubeconfig-'));
    try {
      for (const name of ['ca', 'token']) writeFileSync(join(directory, name), `${name}\n`);
      const endpoint = parseKubeconfig(file('certificate-authority: ca', 'tokenFile: token'), directory);
      assert.equal(endpoint.ca, 'ca\n');
      assert.equal(endpoint.token, 'token');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says what is wrong', () => {
    assert.throws(() => parseKubeconfig('{}'), /no current-context/);
    assert.throws(() => parseKubeconfig('- a'), /not a YAML mapping/);
    assert.throws(() => parseKubeconfig('current-context: x'), /no context "x"/);
    assert.throws(() => parseKubeconfig(file('', 'exec: { command: aws }')), /logs in with a program/);
    assert.throws(() => parseKubeconfig(file('', '').replace('user: u', 'user: nobody')), /no user "nobody"/);
  });
});
