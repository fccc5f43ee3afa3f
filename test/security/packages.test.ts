// What comes in with `npm ci`, in place of `npm audit`, which needs a service that a closed network does not have: every
// package is pinned to its contents, comes from the registry, and runs nothing when it is installed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');

interface LockedPackage {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  dev?: boolean;
  hasInstallScript?: boolean;
}
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
);
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const named = (filter: (one: LockedPackage) => boolean): string[] =>
  packages.filter(([, one]) => filter(one)).map(([path]) => path.replace('node_modules/', ''));

/** Packages that would run something at install time, and what. In a clone of stead, npm is told not to. */
const INSTALL_SCRIPTS = {
  lmdb: 'looks whether a binary for this platform came along, and compiles one if not',
  'msgpackr-extract': 'the same',
  protobufjs: 'warns when it is asked for by an old version range',
};

describe('packages', () => {
  it('are pinned to their contents, whatever platform they are for', () => {
    assert.ok(packages.length > 50);
    assert.deepEqual(
      named(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')),
      [],
    );
  });

  it('come from the registry and from nowhere else', () => {
    assert.deepEqual(
      named(
        ({ link, resolved }) => link === true || (resolved !== undefined && !resolved.startsWith('https://')),
      ),
      [],
    );
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(String(range), /^\^\d+\.\d+\.\d+$/, `${name} is a range of versions, not an address`);
  });

  it('run nothing when they are installed in a clone; those that would elsewhere are known', () => {
    assert.deepEqual(
      named(({ hasInstallScript }) => hasInstallScript === true).sort(),
      Object.keys(INSTALL_SCRIPTS),
    );
    assert.match(readFileSync(join(root, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m);
  });

  it('stead itself runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const atInstall = [
      'preinstall',
      'install',
      'postinstall',
      'prepare',
      'prepublish',
      'preprepare',
      'postprepare',
    ];
    assert.deepEqual(
      Object.keys(scripts).filter((name) => atInstall.includes(name)),
      [],
    );
  });
});
