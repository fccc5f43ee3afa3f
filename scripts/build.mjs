// Builds dist/: generated types first, when they are missing or older than what they come from, then TypeScript,
// then the files that are read at run time and that TypeScript does not copy.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const generated = join(root, 'src', 'api', 'generated', 'schema.json');
const resources = join(root, 'src', 'api', 'resources');
const sources = [
  join(root, 'scripts', 'generate.mjs'),
  join(root, 'package-lock.json'),
  // The folders of the kinds say which types there are.
  ...readdirSync(resources, { recursive: true })
    .filter((name) => name.includes('types'))
    .map((name) => join(resources, name)),
];
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });

if (!existsSync(generated) || sources.some((file) => statSync(file).mtimeMs > statSync(generated).mtimeMs)) {
  run(join('scripts', 'generate.mjs'));
}
run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.');

const COPIED = /\.(json|proto|yaml|sh)$/;
for (const folder of ['src', 'test']) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !COPIED.test(entry.name)) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, join(root, 'dist', relative(root, from)));
  }
}

// `npx stead` runs it by itself; npm sees to that only the first time that it meets a folder.
chmodSync(join(root, 'dist', 'src', 'cli', 'main.js'), 0o755);
