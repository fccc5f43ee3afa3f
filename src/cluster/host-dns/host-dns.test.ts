// Against files below a directory of its own; what is done to the machine's resolver stands in `ran`.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pathsOf } from '../disk/paths.ts';
import { type Host, installHostDns, uninstallHostDns } from './host-dns.ts';

const SERVER = '10.244.0.1:53';
const PLAIN = '# by hand\nsearch example.org\nnameserver 192.0.2.1\n';
const paths = pathsOf('/var/lib/stead');
const others = pathsOf('/srv/stead');

describe('the machine’s own resolver', () => {
  let host: Host;
  let ran: string[];
  const file = (name: string): string => join(host.root, name);
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  const all = (): string[] =>
    readdirSync(host.root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name !== 'etc' && name !== 'etc/systemd')
      .sort();

  beforeEach(() => {
    ran = [];
    host = {
      root: mkdtempSync(join(tmpdir(), 'stead-host-dns-')),
      run: async (program, args) => {
        ran.push([program, ...args].join(' '));
        return '';
      },
    };
    mkdirSync(file('etc/systemd'), { recursive: true });
  });
  afterEach(() => rmSync(host.root, { recursive: true }));

  it('with a plain resolv.conf asks the cluster first, and is as it was afterwards', async () => {
    writeFileSync(file('etc/resolv.conf'), PLAIN);
    assert.equal(await installHostDns(host, paths, SERVER), true);
    assert.match(
      text('etc/resolv.conf'),
      /^# stead dns install \(\/var\/lib\/stead\): begin\nnameserver 10\.244\.0\.1\n/,
    );
    assert.ok(text('etc/resolv.conf').endsWith(PLAIN));
    assert.equal(text('etc/resolv.conf.before-stead'), PLAIN);
    assert.equal(await installHostDns(host, paths, SERVER), false);
    assert.equal(await installHostDns(host, paths, '10.244.16.1:53'), true);
    assert.equal(text('etc/resolv.conf.before-stead'), PLAIN);
    assert.match(text('etc/resolv.conf'), /nameserver 10\.244\.16\.1\n/);
    assert.doesNotMatch(text('etc/resolv.conf'), /10\.244\.0\.1/);
    assert.equal(await uninstallHostDns(host, paths), true);
    assert.equal(text('etc/resolv.conf'), PLAIN);
    assert.deepEqual([all(), ran], [['etc/resolv.conf'], []]);
    assert.equal(await uninstallHostDns(host, paths), false);
  });

  it('keeps what others have written since', async () => {
    writeFileSync(file('etc/resolv.conf'), PLAIN);
    await installHostDns(host, paths, SERVER);
    writeFileSync(file('etc/resolv.conf'), `${text('etc/resolv.conf')}nameserver 192.0.2.2\n`);
    await uninstallHostDns(host, paths);
    assert.equal(text('etc/resolv.conf'), `${PLAIN}nameserver 192.0.2.2\n`);
    // The copy of how it was says something else than what is there: it stays, for whoever misses something.
    assert.equal(text('etc/resolv.conf.before-stead'), PLAIN);
  });

  it('with systemd-resolved gets a file for the cluster’s names, and loses it again', async () => {
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', file('etc/resolv.conf'));
    mkdirSync(file('run/systemd/resolve'), { recursive: true });
    writeFileSync(file('run/systemd/resolve/stub-resolv.conf'), 'nameserver 127.0.0.53\n');
    const before = all();
    assert.equal(await installHostDns(host, paths, SERVER), true);
    const name = 'etc/systemd/resolved.conf.d/stead-default.conf';
    assert.match(text(name), /\n\[Resolve\]\nDNS=10\.244\.0\.1\nDomains=~cluster\.local\n$/);
    assert.equal(await installHostDns(host, paths, SERVER), false);
    assert.equal(await uninstallHostDns(host, paths), true);
    assert.deepEqual(all(), before);
    const reload = 'systemctl try-reload-or-restart systemd-resolved.service';
    assert.deepEqual(ran, [reload, reload]);
  });

  it('is left to whoever writes it, and to another stead', async () => {
    await assert.rejects(installHostDns(host, paths, SERVER), /There is no \/etc\/resolv\.conf/);
    symlinkSync('../run/NetworkManager/resolv.conf', file('etc/resolv.conf'));
    mkdirSync(file('run/NetworkManager'), { recursive: true });
    writeFileSync(file('run/NetworkManager/resolv.conf'), PLAIN);
    await assert.rejects(installHostDns(host, paths, SERVER), /another program writes/);
    rmSync(file('etc/resolv.conf'));
    writeFileSync(file('etc/resolv.conf'), PLAIN);
    await installHostDns(host, others, SERVER);
    await assert.rejects(installHostDns(host, paths, SERVER), /another stead \(\/srv\/stead\)/);
    assert.equal(await uninstallHostDns(host, paths), false);
    await assert.rejects(installHostDns(host, paths, '127.0.0.1:4711'), /real containers/);
    assert.ok(existsSync(file('etc/resolv.conf.before-stead')));
  });

  it('says in a sentence what could not be done', async () => {
    writeFileSync(file('etc/resolv.conf'), 'nameserver 127.0.0.53\n');
    const run = (): Promise<string> => Promise.reject(new Error('no systemctl'));
    await assert.rejects(installHostDns({ ...host, run }, paths, SERVER), {
      name: 'UserError',
      message: 'systemd-resolved cannot be reloaded: no systemctl. Are you root?',
    });
  });
});
