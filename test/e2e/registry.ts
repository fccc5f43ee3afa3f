// A registry on loopback that stands in for those of the world: Debian's docker-registry, taken out of its package
// without installing it, and filled with an image from an archive by the registry's own HTTP interface.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../kit/run.ts';
import { eventually } from '../kit/stead.ts';

const cache = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'stead');

/** The program, or why it cannot be had here. */
export async function registryProgram(): Promise<{ program: string } | { missing: string }> {
  const folder = join(cache, 'docker-registry');
  const program = join(folder, 'usr', 'bin', 'docker-registry');
  if (existsSync(program)) return { program };
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const script = 'cd "$1" && apt-get download -q docker-registry && dpkg -x docker-registry_*.deb .';
  const { code, stderr } = await run('sh', ['-c', script, 'sh', unfinished]);
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    return { missing: `Debian's docker-registry cannot be downloaded: ${stderr.trim().split('\n').at(-1)}` };
  }
  renameSync(unfinished, folder);
  return { program };
}

export interface TestRegistry {
  /** `http://127.0.0.1:40123` */
  address: string;
  /** Uploads the image of a docker archive as `repository:tag`. */
  push(archive: string, repository: string, tag: string): Promise<void>;
  close(): Promise<void>;
}

export async function startRegistry(program: string): Promise<TestRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'stead-registry-'));
  const port = await freePort();
  const config = join(directory, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(directory, 'data') } };
  const http = { addr: `127.0.0.1:${port}`, secret: 'of no importance' };
  writeFileSync(config, JSON.stringify({ version: '0.1', log: { level: 'error' }, storage, http }));
  const child: ChildProcess = spawn(program, ['serve', config], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = `http://127.0.0.1:${port}`;
  await eventually(
    'the registry answers',
    () =>
      fetch(`${address}/v2/`)
        .then(({ ok }) => ok)
        .catch(() => false),
    (ok) => ok,
  );
  return {
    address,
    push: (archive, repository, tag) => push(address, archive, repository, tag),
    async close() {
      child.kill();
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function push(address: string, archive: string, repository: string, tag: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'stead-push-'));
  try {
    assert.equal((await run('tar', ['-xf', archive, '-C', work])).code, 0);
    const [image]: Array<{ Config: string; Layers: string[] }> = JSON.parse(
      readFileSync(join(work, 'manifest.json'), 'utf8'),
    );
    assert.ok(image);
    const describe = async (file: string, mediaType: string) => {
      const path = join(work, file);
      const digest = `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
      await uploadBlob(address, repository, path, digest);
      return { mediaType, size: statSync(path).size, digest };
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: await describe(image.Config, 'application/vnd.docker.container.image.v1+json'),
      layers: await Promise.all(
        image.Layers.map((layer) => describe(layer, 'application/vnd.docker.image.rootfs.diff.tar')),
      ),
    };
    const response = await fetch(`${address}/v2/${repository}/manifests/${tag}`, {
      method: 'PUT',
      headers: { 'content-type': manifest.mediaType },
      body: JSON.stringify(manifest),
    });
    assert.equal(response.status, 201, await response.text());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function uploadBlob(address: string, repository: string, path: string, digest: string): Promise<void> {
  const begun = await fetch(`${address}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', address);
  location.searchParams.set('digest', digest);
  const response = await fetch(location, { method: 'PUT', body: readFileSync(path) });
  assert.equal(response.status, 201, await response.text());
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
