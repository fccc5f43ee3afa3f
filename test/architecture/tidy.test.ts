// Holds what nobody should have to look for in a review: who reads the clock, how long a file is, which exports have no
// reader, what is left in dist/. Each exception stands here with its reason.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeOf, exportsOf, importsOf, isTest, root, sourceFiles } from './source.ts';

const product = sourceFiles('src').filter((file) => !isTest(file));

/** Places of a pattern, as `file:line`. */
function places(file: string, pattern: RegExp): string[] {
  return codeOf(file)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : []));
}

/** Compares what is found with the exceptions; one that is no longer needed is as wrong as one that is missing. */
function onlyExceptions(found: readonly string[], exceptions: Readonly<Record<string, string>>): void {
  const files = [...new Set(found.map((place) => place.replace(/:.*$/, '')))];
  assert.deepEqual(
    found.filter((place) => exceptions[place.replace(/:.*$/, '')] === undefined),
    [],
  );
  assert.deepEqual(
    Object.keys(exceptions).filter((file) => !files.includes(file)),
    [],
    'exceptions that nothing needs any more',
  );
}

describe('time and chance', () => {
  /** A method of another thing (`socket.setTimeout`) is none of them. */
  const REAL =
    /(?<![.\w])(?:Date\.now\b|new Date\(\)|setTimeout\(|setInterval\(|setImmediate\(|Math\.random\b|performance\.now\b)/;
  const EXCEPTIONS = {
    'src/cli/main.ts': 'the end of the process itself: nothing is left that could hand it a clock',
    'src/testing/simulator/run.ts': 'says how fast the simulator was, in real time',
  };

  it('come from a Clock and a Random, outside base/ and cluster/', () => {
    const handed = product.filter((file) => !/^src\/(base|cluster)\//.test(file));
    onlyExceptions(
      handed.flatMap((file) => places(file, REAL)),
      EXCEPTIONS,
    );
  });

  it('are told from what only looks like them', () => {
    for (const line of ['const a = Date.now();', 'setTimeout(f, 1)', 'chance: Math.random,'])
      assert.match(line, REAL);
    for (const line of ['socket.setTimeout(5)', 'new Date(nowMs)', 'clock.now()'])
      assert.doesNotMatch(line, REAL);
  });
});

describe('files', () => {
  const MOST_LINES = 400;
  const EXCEPTIONS = {
    'src/node/pods/do/execute.ts':
      'one executor per action of a pod; each is short, and they share their host',
  };

  it('can be read in one go', () => {
    const long = product.flatMap((file) => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n').length - 1;
      return lines > MOST_LINES ? [`${file}: ${lines} lines`] : [];
    });
    onlyExceptions(long, EXCEPTIONS);
  });

  it('open by saying what they are', () => {
    const mute = product.filter((file) => !/^(#!.*\n)?\/[/*]/.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(mute, []);
  });

  it('have a source, in dist/', () => {
    const gone = ['src', 'test', 'bench'].flatMap((folder) =>
      readdirSync(join(root, 'dist', folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.js'))
        .map((name) => join(folder, name.replace(/js$/, 'ts')))
        .filter((file) => !existsSync(join(root, file))),
    );
    assert.deepEqual(gone, [], 'npm run build removes them');
  });
});

describe('exports', () => {
  const EXCEPTIONS = {
    'src/testing/cluster.ts':
      'the package’s own face: whoever installs it imports that (package.json, exports)',
  };
  const files = sourceFiles('src', 'test', 'bench');
  const imports = files.flatMap((file) => importsOf(file).map((one) => ({ ...one, by: file })));
  /** What the scripts take out of dist/, which is not TypeScript. */
  const scripts = ['scripts', 'images']
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const readers = new Map<string, string[]>();
  for (const { by, from, names } of imports) {
    for (const name of names) {
      const key = `${from}: ${name}`;
      readers.set(key, [...(readers.get(key) ?? []), by]);
    }
  }
  const readersOf = (file: string, name: string): string[] => [
    ...(readers.get(`${file}: ${name}`) ?? []),
    ...(readers.get(`${file}: *`) ?? []),
    ...(new RegExp(`\\b${name}\\b`).test(scripts) ? ['scripts'] : []),
  ];
  const timesNamed = (file: string, name: string): number =>
    codeOf(file).match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
  /** A type may be exported for those who read the signature that it stands in. */
  const isType = (file: string, name: string): boolean =>
    new RegExp(`^export (?:type|interface) ${name}\\b`, 'm').test(codeOf(file));

  it('have a reader', () => {
    const unread = files.flatMap((file) =>
      exportsOf(file)
        .filter((name) => readersOf(file, name).length === 0)
        .filter((name) => !isType(file, name) || timesNamed(file, name) === 1)
        .map((name) => `${file}: ${name}`),
    );
    onlyExceptions(unread, EXCEPTIONS);
  });

  it('of the product have one in the product, or a use in their own file', () => {
    const isOfTests = (file: string): boolean => isTest(file) || file.startsWith('test/');
    const dead = product
      .filter((file) => !file.startsWith('src/testing/'))
      .flatMap((file) =>
        exportsOf(file)
          .filter((name) => timesNamed(file, name) === 1 && readersOf(file, name).every(isOfTests))
          .map((name) => `${file}: ${name}`),
      );
    assert.deepEqual(dead, []);
  });
});

describe('messages', () => {
  /** A sentence is for people: reworded, it must not change what happens. A reason is one word, which may be compared. */
  const READ = new RegExp(
    [
      /[mM]essage\s*[!=]==\s*['"`]|[rR]eason\s*[!=]==\s*(['"`])[^'"`]* /,
      /(?:[mM]essage|[rR]eason|note|sentence|refusal|String\(\w+\))\)?\??\.(?:includes|startsWith|endsWith|match|split|replace|search)\(/,
      /\.(?:test|exec)\([^()]*[mM]essage\)|\.exec\([^()]*[rR]eason\)|\.(?:test|exec)\(String\(\w+\)\)/,
    ]
      .map(({ source }) => source)
      .join('|'),
  );
  const FOREIGN = 'the message of another program, which says it in no other way: ';
  const EXCEPTIONS = {
    'src/node/volumes/local/backing.ts': `${FOREIGN}an mkfs.xfs that lacks an option`,
    'src/node/volumes/local/space.ts': `${FOREIGN}a file system that cannot fallocate`,
    'src/node/probes/http-check.ts': `${FOREIGN}TLS and HTTP errors of Node, in upstream's words`,
    'src/node/pods/do/hooks.ts': `${FOREIGN}an HTTP server that was asked for HTTPS`,
    'src/node/cri/runtime.ts': `${FOREIGN}containerd’s timeouts`,
    'src/node/cri/spdy-streams.ts': `${FOREIGN}containerd’s prefix is taken off`,
    'src/node/pods/spec/volume-mounts.ts': 'the name of the system call is taken off, for people',
    'src/cli/manifests.ts': 'the first line of a YAML error, for people',
    'src/cluster/disk/store-disk.ts': `${FOREIGN}a disk without room for fallocate`,
    'src/store/lmdb/tables.ts': `${FOREIGN}LMDB’s error codes`,
    'src/testing/simulator/api-endpoint.ts':
      'knows the node authorizer’s refusal by the words that both import',
    'src/api/why/pod.ts':
      'knows a scheduler’s condition, which has no reason for it, by the words that both import; takes a prefix off',
    'src/why/pod.ts': 'reads events of any Kubernetes: which of two messages says more',
  };

  it('of ours decide nothing', () => {
    onlyExceptions(
      product.flatMap((file) => places(file, READ)),
      EXCEPTIONS,
    );
  });

  it('are told from words that stand for something', () => {
    for (const line of [
      "if (error.message.includes('is not JSON'))",
      "note.replace('it cannot', 'none can')",
      'const name = /^Insufficient (.+)$/.exec(reason)?.[1];',
      "reason === 'Too many pods'",
      '/no space/.test(String(error))',
    ])
      assert.match(line, READ);
    for (const line of ["reason === 'CrashLoopBackOff'", 'SCHEDULED.includes(reason)', "text.split('\\n')"])
      assert.doesNotMatch(line, READ);
  });
});

describe('promises', () => {
  it('of a listener go somewhere: an emitter throws away what it returns, and an error with it', () => {
    const listeners = product.flatMap((file) =>
      places(file, /\.(?:on|once|addListener)\([^,()]+,\s*async\b/),
    );
    assert.deepEqual(listeners, []);
  });
});
