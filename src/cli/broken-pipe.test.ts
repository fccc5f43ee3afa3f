import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

describe('a command whose output cannot be written', () => {
  it('says so in a sentence', { skip: !existsSync('/dev/full') }, () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(
        process.execPath,
        [MAIN, 'down', '--data-dir', '/dev/shm/stead-is-not-here'],
        {
          stdio: ['ignore', full, 'pipe'],
          encoding: 'utf8',
        },
      );
      assert.equal(stderr, 'stead: The output cannot be written: there is no space left where it goes.\n');
      assert.equal(status, 1);
    } finally {
      closeSync(full);
    }
  });
});
