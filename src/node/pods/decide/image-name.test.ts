import assert from 'node:assert/strict';
import { it } from 'node:test';
import { whyNoImageName } from './image-name.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

it('takes what names an image', () => {
  for (const name of [
    'nginx',
    'nginx:1.27',
    'library/nginx',
    'team__a/app-b--c.d_e:V1.2-3_x',
    'k8s.gcr.io/nginx-slim:0.8',
    'localhost/app',
    'localhost:5000/app:latest',
    'registry.example.com:5000/team/app',
    '[fd00::1]:5000/app',
    'Host/app',
    `nginx@${DIGEST}`,
    `nginx:1@${DIGEST}`,
    `app@sha512:${'0a'.repeat(64)}`,
  ]) {
    assert.equal(whyNoImageName(name), undefined, name);
  }
});

it('says in upstream’s words why a text names none', () => {
  const lowercase = (name: string) => `invalid reference format: repository name (${name}) must be lowercase`;
  const cases: ReadonlyArray<readonly [string, string]> = [
    ['', 'invalid reference format'],
    ['Nginx', lowercase('library/Nginx')],
    ['example.com/Team/app:1', lowercase('Team/app')],
    ['nginx:', 'invalid reference format'],
    ['nginx latest', 'invalid reference format'],
    ['nginx:a b', 'invalid reference format'],
    ['http://nginx', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['-app', 'invalid reference format'],
    ['example.com:port/app', 'invalid reference format'],
    [`nginx:${'a'.repeat(129)}`, 'invalid reference format'],
    [
      'a'.repeat(64),
      `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    ],
    [`x/${'a'.repeat(254)}`, 'repository name must not be more than 255 characters'],
    ['nginx@sha256:abc', 'invalid reference format'],
    [`nginx@sha256:${'0'.repeat(63)}`, 'invalid checksum digest length'],
    [`nginx@md5:${'0'.repeat(32)}`, 'unsupported digest algorithm'],
    [`nginx@constructor:${'0'.repeat(32)}`, 'unsupported digest algorithm'],
    [`nginx${'-'.repeat(100_000)}`, 'invalid reference format'],
  ];
  for (const [name, why] of cases) assert.equal(whyNoImageName(name), why, name.slice(0, 80));
});
