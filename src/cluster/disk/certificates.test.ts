import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureCertificates } from './certificates.ts';

const NAMES = ['localhost', '127.0.0.1', 'kubernetes.default.svc'];
const DAY_MS = 24 * 3600 * 1000;
const NOW_MS = Date.parse('2026-06-01T00:00:00Z');

describe('the certificates of a data directory', () => {
  let directory: string;
  before(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'stead-pki-')), 'pki');
  });
  after(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

  it('are signed by one authority: the server by its names, the administrator by its group', async () => {
    const { ca, server, admin } = await ensureCertificates(directory, NAMES, NOW_MS);
    const authority = new X509Certificate(ca);
    for (const pair of [server, admin]) {
      const certificate = new X509Certificate(pair.cert);
      assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
      assert.ok(Date.parse(certificate.validTo) - NOW_MS > 300 * DAY_MS);
    }
    const serving = new X509Certificate(server.cert);
    assert.equal(serving.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc');
    assert.equal(serving.checkIP('127.0.0.1'), '127.0.0.1');
    assert.match(new X509Certificate(admin.cert).subject, /O=system:masters\nCN=stead-admin/);
    assert.equal(statSync(join(directory, 'ca.key')).mode & 0o777, 0o600);
  });

  it('are kept, and made again when they near their end or the names change; the authority stays', async () => {
    const first = await ensureCertificates(directory, NAMES, NOW_MS);
    assert.deepEqual(await ensureCertificates(directory, NAMES, NOW_MS + 30 * DAY_MS), first);
    const renewed = await ensureCertificates(directory, NAMES, NOW_MS + 320 * DAY_MS);
    assert.notEqual(renewed.server.cert, first.server.cert);
    assert.equal(renewed.ca, first.ca);
    assert.equal(renewed.serviceAccountKey, first.serviceAccountKey);
    const renamed = await ensureCertificates(directory, [...NAMES, 'db.example'], NOW_MS + 320 * DAY_MS);
    assert.equal(new X509Certificate(renamed.server.cert).checkHost('db.example'), 'db.example');
    // What the server is called is no matter of the administrator's, nor of copies of the kubeconfig.
    assert.deepEqual(renamed.admin, renewed.admin);
  });

  it('are made for whoever else is asked for, kept, and made again for another user or near their end', async () => {
    const asked = [
      { name: 'node', user: 'system:node:one', group: 'system:nodes' },
      { name: 'dns', user: 'dns' },
    ];
    const first = await ensureCertificates(directory, NAMES, NOW_MS, asked);
    const { dns, node } = first.clients;
    assert.ok(node && dns);
    const certificate = new X509Certificate(node.cert);
    assert.match(certificate.subject, /O=system:nodes\nCN=system:node:one/);
    assert.ok(certificate.verify(new X509Certificate(first.ca).publicKey));
    assert.ok(first.ends.some(({ name }) => name === 'node'));
    const again = await ensureCertificates(directory, NAMES, NOW_MS + 30 * DAY_MS, asked);
    assert.deepEqual(again.clients, first.clients);
    const renamed = [{ name: 'node', user: 'system:node:two', group: 'system:nodes' }];
    const other = await ensureCertificates(directory, NAMES, NOW_MS, renamed);
    assert.match(new X509Certificate(other.clients.node?.cert ?? '').subject, /CN=system:node:two/);
    const late = await ensureCertificates(directory, NAMES, NOW_MS + 320 * DAY_MS, asked);
    assert.notEqual(late.clients.dns?.cert, dns.cert);
  });

  it('are made again when one was half written', async () => {
    writeFileSync(join(directory, 'issued.json'), '');
    const { ca } = await ensureCertificates(directory, NAMES, NOW_MS);
    assert.equal(ca, readFileSync(join(directory, 'ca.crt'), 'utf8'));
  });
});
