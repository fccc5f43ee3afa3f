// Certificates that are renewed under a server that runs, over real TLS; and an authority that is followed by another, with the
// clients that know only the old one.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { serveHttps } from '../../apiserver/http/port/serve-https.ts';
import { startTestServer } from '../../apiserver/test-server.ts';
import type { Clock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { LiveCertificates } from './certificate-renewal.ts';
import { type Certificates, ensureCertificates } from './certificates.ts';

const DAY_MS = 24 * 3_600_000;
const NAMES = ['localhost', '127.0.0.1'];

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'stead-pki-')), 'pki');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

/** A server that shows certificates as they are renewed, and what its clients see of it. */
async function serving(first: Certificates) {
  const api = await startTestServer();
  const tlsOf = ({ ca, server }: Certificates) => ({ ...server, ca });
  const server = await serveHttps({
    api: api.api,
    tls: tlsOf(first),
    host: '127.0.0.1',
    port: 0,
    ...api.api.identity,
    log: silentLog,
    clock: api.clock,
    health: [],
  });
  return {
    port: server.port,
    makeNamespace: (name: string) => api.object('create', 'namespaces', { body: { metadata: { name } } }),
    show: (certificates: Certificates) => server.renewTls(tlsOf(certificates)),
    close: () => server.close(),
    /** Connects as a client with these certificates; rejects if either side does not trust the other. */
    async dial(client: Certificates): Promise<X509Certificate> {
      const { admin, ca } = client;
      const socket: TLSSocket = connect({ port: server.port, host: '127.0.0.1', ca, ...admin });
      try {
        await once(socket, 'secureConnect');
        socket.write('GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        const [answer] = await once(socket, 'data');
        assert.match(String(answer), /^HTTP\/1.1 200 /);
        return socket.getPeerX509Certificate() ?? assert.fail('the server showed no certificate');
      } finally {
        socket.destroy();
      }
    },
  };
}

describe('certificates of a stead that runs', () => {
  it('are made again for a name that is found out later, and handed on before anybody is told of it', async () => {
    const clock = new VirtualClock(Date.now());
    const options = { directory, names: NAMES, clock, log: silentLog, metrics: new Metrics() };
    const live = await LiveCertificates.open(options);
    const shown: string[] = [];
    live.onChange(({ server }) => void shown.push(new X509Certificate(server.cert).subjectAltName ?? ''));
    const clients = [{ name: 'node', user: 'system:node:one' }];
    // Neither undoes what the other has made.
    await Promise.all([live.addClients(clients), live.addName('10.244.0.1'), live.addName('10.244.0.1')]);
    assert.equal(shown.length, 1);
    assert.match(shown[0] ?? '', /IP Address:10\.244\.0\.1/);
    assert.ok(live.current.clients.node);
    const again = await LiveCertificates.open({ ...options, names: [...NAMES, '10.244.0.1'] });
    assert.equal(again.current.server.cert, live.current.server.cert);
    const without = await LiveCertificates.open({ ...options, names: [...NAMES, '10.96.0.1'] });
    assert.equal(new X509Certificate(without.current.server.cert).checkIP('10.96.0.1'), '10.96.0.1');
  });

  it('are renewed for connections to come, while a watch that is open goes on', async () => {
    const clock = new VirtualClock(Date.now() - 310 * DAY_MS);
    const metrics = new Metrics();
    const options = { directory, names: NAMES, clock, log: silentLog, metrics };
    const live = await LiveCertificates.open(options);
    const before = live.current;
    const server = await serving(before);
    live.onChange(server.show);
    const agent = new Agent({ keepAlive: true, ca: before.ca, ...before.admin });
    try {
      const watching = get({
        port: server.port,
        host: '127.0.0.1',
        path: '/api/v1/namespaces?watch=1',
        agent,
      });
      const [watch] = await once(watching, 'response');
      let seen = '';
      watch.setEncoding('utf8').on('data', (text: string) => {
        seen += text;
      });
      const shownBefore = await server.dial(before);

      const stop = new AbortController();
      const keeping = live.keep(stop.signal);
      await clock.advance(308 * DAY_MS);
      // Reading and writing files takes real time, of which the clock knows nothing.
      while (live.current.server.cert === before.server.cert) {
        await clock.advance(3_600_000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      stop.abort();
      await keeping;

      const shown = await server.dial(before);
      assert.notEqual(shown.serialNumber, shownBefore.serialNumber);
      assert.ok(Date.parse(shown.validTo) - Date.now() > 300 * DAY_MS);
      assert.equal((await server.dial(live.current)).serialNumber, shown.serialNumber);
      assert.equal(live.current.serviceAccountKey, before.serviceAccountKey);
      const told = Date.parse(shown.validTo) / 1000;
      assert.ok(
        (await metrics.text()).includes(
          `stead_certificate_expiration_timestamp_seconds{name="apiserver"} ${told}\n`,
        ),
      );
      await server.makeNamespace('later');
      while (!seen.includes('"later"')) await once(watch, 'data');
    } finally {
      agent.destroy();
      await server.close();
    }
  });

  it('are renewed within a minute when the wall clock leaps past their end', async () => {
    const passing = new VirtualClock();
    let leapMs = 0;
    const clock: Clock = {
      now: () => passing.now() + leapMs,
      after: (delayMs, action) => passing.after(delayMs, action),
    };
    const options = { directory, names: NAMES, clock, log: silentLog, metrics: new Metrics() };
    const live = await LiveCertificates.open(options);
    const before = live.current;
    const renewed = new Promise<Certificates>((resolve) => live.onChange(resolve));
    const stop = new AbortController();
    const keeping = live.keep(stop.signal);
    await passing.settle();
    leapMs = 400 * DAY_MS;
    await passing.advance(60_000);
    const { ends, server } = await renewed;
    stop.abort();
    await keeping;
    assert.notEqual(server.cert, before.server.cert);
    assert.ok(ends.every(({ endsAtMs }) => endsAtMs > clock.now()));
  });

  it('pass from one authority to the next, and no client is lost on the way', async () => {
    // Its last two years have begun; what follows happens before today, so that TLS, which knows no other time, agrees.
    const madeMs = Date.now() - 45 * DAY_MS - 8 * 365 * DAY_MS;
    const first = await ensureCertificates(directory, NAMES, madeMs);
    const nearEndMs = madeMs + 8 * 365 * DAY_MS + DAY_MS;
    const told = await ensureCertificates(directory, NAMES, nearEndMs);
    assert.equal(certificatesIn(told.ca).length, 2);
    assert.ok(issuedBy(told.server.cert, first.ca), 'the successor signs before it is trusted');
    assert.deepEqual(await ensureCertificates(directory, NAMES, nearEndMs + 20 * DAY_MS), told);

    const passed = await ensureCertificates(directory, NAMES, nearEndMs + 31 * DAY_MS);
    assert.ok(!issuedBy(passed.server.cert, first.ca));
    assert.deepEqual(
      passed.ends.map(({ name }) => name),
      ['apiserver', 'admin', 'ca', 'ca-old'],
    );
    const server = await serving(told);
    try {
      server.show(passed);
      // A copy of the kubeconfig from before, one from between, and the new one.
      for (const client of [{ ...told, ca: first.ca }, told, passed]) {
        assert.ok(issuedBy(String(await server.dial(client)), passed.ca));
      }
    } finally {
      await server.close();
    }
    const afterEnd = await ensureCertificates(directory, NAMES, madeMs + 3651 * DAY_MS);
    assert.equal(certificatesIn(afterEnd.ca).length, 1);
    assert.equal(certificatesIn(afterEnd.server.cert).length, 1);
    assert.ok(issuedBy(afterEnd.server.cert, passed.ca));
  });

  it('never end in seventeen years, with two successions', async () => {
    const startMs = Date.UTC(2026, 0, 1);
    let ca = '';
    for (let day = 0; day < 17 * 365; day += 29) {
      const nowMs = startMs + day * DAY_MS;
      const found = await ensureCertificates(directory, NAMES, nowMs);
      for (const { endsAtMs, name } of found.ends) assert.ok(endsAtMs > nowMs, `${name} on day ${day}`);
      for (const { cert } of [found.server, found.admin]) {
        const { validFrom } = new X509Certificate(cert);
        assert.ok(Date.parse(validFrom) <= nowMs);
        assert.ok(certificatesIn(found.ca).some((root) => issuedBy(cert, root)));
        // Whoever was told whom to trust at the last look trusts what is shown now.
        if (ca)
          assert.ok(
            [...certificatesIn(ca)].some((root) => issuedBy(cert, root)),
            `day ${day}`,
          );
      }
      ca = found.ca;
    }
  });

  it('go on from a succession that was cut off', async () => {
    const madeMs = Date.UTC(2026, 0, 1);
    await ensureCertificates(directory, NAMES, madeMs);
    const lateMs = madeMs + 8 * 365 * DAY_MS + DAY_MS;
    await ensureCertificates(directory, NAMES, lateMs);
    const next = readFileSync(join(directory, 'ca-next.crt'), 'utf8');
    renameSync(join(directory, 'ca-next.key'), join(directory, 'ca.key'));
    const found = await ensureCertificates(directory, NAMES, lateMs + 31 * DAY_MS);
    assert.ok(issuedBy(found.server.cert, next));
  });
});

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function issuedBy(cert: string, authority: string): boolean {
  const [issuer, issued] = [new X509Certificate(authority), new X509Certificate(cert)];
  return issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
}
