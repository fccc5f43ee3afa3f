import assert from 'node:assert/strict';
import test from 'node:test';
import { parseLoopDevices } from './loop-devices.ts';
import { mountAt, mountsBelow, parseMountinfo } from './mounts.ts';

const TEXT = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
90 27 7:0 / /data/with\\040space/mount rw,relatime - xfs /dev/loop0 rw
91 90 0:40 / /data/with\\040space/mount/deep rw - tmpfs tmpfs rw
92 27 0:41 / /data/with\\040spacer rw - tmpfs tmpfs rw
93 91 0:42 / /data/with\\040space/mount/deep rw - tmpfs second rw
`;

test('mountinfo: escapes, optional fields, and what lies on top', () => {
  const mounts = parseMountinfo(TEXT);
  assert.equal(mounts.length, 6);
  assert.deepEqual(mounts[1], { mountPoint: '/', fsType: 'ext4', source: '/dev/vda' });
  assert.equal(mountAt(mounts, '/data/with space/mount')?.source, '/dev/loop0');
  assert.equal(mountAt(mounts, '/data/with space/mount/deep')?.source, 'second');
  assert.equal(mountAt(mounts, '/data'), undefined);
});

test('mounts below a directory: innermost and topmost first, neighbours of a like name left alone', () => {
  const below = mountsBelow(parseMountinfo(TEXT), '/data/with space');
  assert.deepEqual(
    below.map(({ source }) => source),
    ['second', 'tmpfs', '/dev/loop0'],
  );
});

test('loop devices: none, and a removed file', () => {
  assert.deepEqual(parseLoopDevices(''), []);
  const text =
    '{"loopdevices": [{"name":"/dev/loop0", "back-file":"/a/b (deleted)"}, {"name":"/dev/loop1", "back-file":null}]}';
  assert.deepEqual(parseLoopDevices(text), [
    { name: '/dev/loop0', file: '/a/b' },
    { name: '/dev/loop1', file: '' },
  ]);
});
