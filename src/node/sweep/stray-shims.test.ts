import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessEntry } from '../containerd/shims.ts';
import { strayShimsAmong } from './stray-shims.ts';

const shim = (pid: number, id: string, namespace = 'k8s.io', socket = '/run/ours.sock'): ProcessEntry => ({
  pid,
  parentPid: 1,
  args: ['/usr/bin/containerd-shim-runc-v2', '-namespace', namespace, '-id', id, '-address', socket],
});

test('a shim is nobody’s when the runtime knows no sandbox of its name', () => {
  const processes = [
    shim(1, 'known'),
    shim(2, 'lost'),
    shim(3, 'by-hand', 'default'),
    shim(4, 'of-another', 'k8s.io', '/run/other.sock'),
    { pid: 5, parentPid: 2, args: ['/pause'] },
  ];
  const strays = strayShimsAmong(processes, '/run/ours.sock', { sandboxIds: new Set(['known']) });
  assert.deepEqual(
    strays.map(({ what }) => what),
    ['shim lost (process 2)'],
  );
});
