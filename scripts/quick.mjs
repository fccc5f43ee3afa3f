// The inner loop: only what has changed is translated, and nothing is checked, so that it takes a fraction of a second.
// What tsc has to say comes after the result, in watch mode, or with the next `npm run build`.
import { spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { bundle, isBundleStale } from './bundle.mjs';
import { copy, FOLDERS, isSource, removeLeftovers, root, STATE, staleSources } from './dist.mjs';

const TSC = join('node_modules', 'typescript', 'bin', 'tsc');
/** One file by itself: no other is looked at, so nothing can be checked. */
const ALONE = ['--ignoreConfig', '--noResolve', '--noCheck', '--noLib'];
const AS_CONFIGURED = [
  ...['--rootDir', '.', '--outDir', 'dist', '--target', 'es2023', '--sourceMap'],
  ...['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  ...['--verbatimModuleSyntax', '--rewriteRelativeImportExtensions'],
];
/** An editor that saves all, or git, changes many files at once. */
const REST_MS = 50;

/** Brings dist/ up to date. @returns the sources that had changed. */
export function translateChanged() {
  if (!existsSync(join(root, STATE))) build();
  removeLeftovers();
  const changed = staleSources();
  const scripts = changed.filter((source) => source.endsWith('.ts'));
  if (scripts.length > 0) {
    // Without its library tsc misses global types and says so; files that it cannot read are not written.
    const args = [TSC, ...ALONE, ...AS_CONFIGURED, ...scripts];
    const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    const said = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('error TS2318'));
    if (said.length > 0) process.stdout.write(`${said.join('\n')}\n`);
  }
  copy(changed);
  return changed;
}

/** Brings the command up to date with dist/src: for whoever is going to start it. */
export async function bundleChanged() {
  if (isBundleStale()) await bundle();
}

/** The whole build, with the types checked. @returns whether there was nothing to complain about. */
export function build() {
  const args = [join('scripts', 'build.mjs')];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

/** Calls `onChange` some moments after sources have changed, never twice at a time. */
export function watchSources(onChange) {
  let timer;
  let busy = Promise.resolve();
  for (const folder of FOLDERS) {
    watch(join(root, folder), { recursive: true }, (_type, name) => {
      if (!name || !isSource(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        busy = busy.then(onChange);
      }, REST_MS);
    });
  }
}
