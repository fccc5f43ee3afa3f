// Test files that change the machine's network run in one of their own: the file is run once more in a new network namespace,
// whose default route leads to nobody.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const OWN = 'STEAD_TEST_IN_OWN_NETWORK';
/** Nothing that is tried there takes nearly as long. */
const PATIENCE_MS = 120_000;

/**
 * Whether this process is in a network of its own; if not, there is a test that runs the file in one.
 * @param options why that cannot be.
 */
export function isOwnNetwork(file: string, options: { skip?: string }): boolean {
  if (process.env[OWN] !== undefined) return true;
  test('in a network of its own', options, () => {
    // What /sys says of interfaces is of the namespace that it was mounted in.
    const script = `
      mount -t sysfs sysfs /sys
      ip link set lo up
      ip link add world type veth peer name beyond
      ip address add 192.0.2.2/24 dev world
      ip link set world up
      ip link set beyond up
      ip route add default via 192.0.2.1
      exec "$@"
    `;
    const args = ['--net', '--mount', 'sh', '-ec', script, 'sh', process.execPath, file];
    const { status, stdout } = spawnSync('unshare', args, {
      env: { ...process.env, [OWN]: '1', NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    assert.equal(status, 0, stdout);
  });
  return false;
}
