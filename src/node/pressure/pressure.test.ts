// The rules of disk pressure as tables: thresholds, limits, ranking, words, images.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container as ContainerSpec, Pod, Volume } from '../../api/generated/types.ts';
import { isCriticalPod } from '../../api/pod-state.ts';
import type { Container, Image } from '../runtime.ts';
import { parseSizes } from './directory-sizes.ts';
import type { Disk, Disks } from './disks.ts';
import { excessOf } from './limits.ts';
import { allocatableBytes, assess, NO_PRESSURE, thresholdsMet } from './plan.ts';
import { evictionMessage, partsOn, ranked } from './rank.ts';
import {
  amountOf,
  DEFAULT_THRESHOLDS,
  parseThresholds,
  type Threshold,
  withMinimumReclaim,
} from './thresholds.ts';
import { unusedImages } from './unused-images.ts';
import { hasStorageLimits, type PodUsage } from './usage.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const disk = (change: Partial<Disk> = {}): Disk => ({
  capacityBytes: 10 * GIB,
  availableBytes: 5 * GIB,
  inodes: 100_000,
  inodesFree: 50_000,
  ...change,
});
const disks = (change: Partial<Disk> = {}): Disks => ({ node: disk(change) });

function pod(name: string, change: Partial<Pod['spec']> = {}, container: Partial<ContainerSpec> = {}): Pod {
  return {
    metadata: { name, uid: name },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...change },
  };
}

const storage = (limits?: string, requests?: string): Partial<ContainerSpec> => ({
  resources: {
    ...(limits ? { limits: { 'ephemeral-storage': limits } } : {}),
    ...(requests ? { requests: { 'ephemeral-storage': requests } } : {}),
  },
});

/** Bytes of the container's own files, its logs, and of volumes. */
function usage(layer: number, logs = 0, volumes: Record<string, number> = {}, inodes = 0): PodUsage {
  return {
    containers: new Map([['c', { layer: { bytes: layer, inodes }, logs: { bytes: logs, inodes: 0 } }]]),
    volumes: new Map(Object.entries(volumes).map(([name, bytes]) => [name, { bytes, inodes: 0 }])),
  };
}

describe('thresholds', () => {
  it('are read as kubelet reads them', () => {
    assert.deepEqual(parseThresholds('nodefs.available<10%, imagefs.available<1Gi,nodefs.inodesFree<0%'), [
      { signal: 'nodefs.available', limit: { share: 0.1 } },
      { signal: 'imagefs.available', limit: { amount: GIB } },
    ]);
    assert.deepEqual(parseThresholds(''), []);
    const [threshold] = withMinimumReclaim(parseThresholds('nodefs.available<10%'), 'nodefs.available=500Mi');
    assert.deepEqual(threshold?.minimumReclaim, { amount: 500 * MIB });
  });

  it('say what is wrong with them', () => {
    for (const [text, complaint] of [
      [
        'memory.available<100Mi',
        /unsupported eviction signal memory.available: stead watches imagefs.available/,
      ],
      ['nodefs.available', /"nodefs.available" is not of the form nodefs.available<10%/],
      ['nodefs.available<110%', /"nodefs.available<110%": a percentage must be from 0% to 100%/],
      ['nodefs.available<%', /a percentage must be/],
      ['nodefs.available<lots', /lots is neither a percentage nor a positive amount/],
      ['nodefs.available<0', /must be positive/],
    ] as const) {
      assert.throws(() => parseThresholds(text), complaint);
    }
    assert.throws(
      () => withMinimumReclaim([], 'nodefs.available<5%'),
      /not of the form nodefs.available=500Mi/,
    );
  });

  it("are upstream's on a small disk and small on a large one", () => {
    const nodefs = DEFAULT_THRESHOLDS.find(({ signal }) => signal === 'nodefs.available');
    assert.equal(amountOf(nodefs?.limit ?? {}, GIB), Math.floor(GIB / 10));
    assert.equal(amountOf(nodefs?.limit ?? {}, 500 * GIB), 256 * MIB);
    assert.equal(
      allocatableBytes(DEFAULT_THRESHOLDS, disk({ capacityBytes: 500 * GIB })),
      500 * GIB - 256 * MIB,
    );
    assert.equal(allocatableBytes([], disk()), 10 * GIB);
  });
});

describe('pressure', () => {
  const [nodefs, inodes] = parseThresholds('nodefs.available<1Gi,nodefs.inodesFree<5%') as [
    Threshold,
    Threshold,
  ];
  const rules = { thresholds: [nodefs, inodes], transitionPeriodMs: 30_000 };

  it('begins when less than the limit is left, of bytes or inodes', () => {
    assert.deepEqual(thresholdsMet(rules.thresholds, disks({ availableBytes: GIB }), false), []);
    assert.deepEqual(thresholdsMet(rules.thresholds, disks({ availableBytes: GIB - 1 }), false), [nodefs]);
    assert.deepEqual(thresholdsMet(rules.thresholds, disks({ inodesFree: 4_999 }), false), [inodes]);
    // btrfs counts no inodes.
    assert.deepEqual(thresholdsMet(rules.thresholds, disks({ inodes: 0, inodesFree: 0 }), false), []);
  });

  it('is measured on the disk that it is about', () => {
    const [imagefs] = parseThresholds('imagefs.available<1Gi') as [Threshold];
    assert.deepEqual(thresholdsMet([imagefs], disks({ availableBytes: 0 }), false), [imagefs]);
    const apart = { node: disk({ availableBytes: 0 }), images: disk() };
    assert.deepEqual(thresholdsMet([imagefs], apart, false), []);
  });

  it('stays for the transition period, and until the minimum is reclaimed', () => {
    const full = disks({ availableBytes: 0 });
    const first = assess(rules, full, NO_PRESSURE, 1000);
    assert.deepEqual([first.underPressure, first.state.met], [true, [nodefs]]);
    const freed = assess(rules, disks(), first.state, 2000);
    assert.deepEqual([freed.underPressure, freed.state.met], [true, []]);
    assert.equal(assess(rules, disks(), freed.state, 30_999).underPressure, true);
    assert.equal(assess(rules, disks(), freed.state, 31_000).underPressure, false);

    const thresholds = withMinimumReclaim([nodefs], 'nodefs.available=500Mi');
    const careful = { thresholds, transitionPeriodMs: 0 };
    const before = assess(careful, full, NO_PRESSURE, 1000);
    const little = assess(careful, disks({ availableBytes: GIB + 499 * MIB }), before.state, 2000);
    assert.deepEqual([little.underPressure, little.state.met], [true, thresholds]);
    const enough = assess(careful, disks({ availableBytes: GIB + 500 * MIB }), little.state, 3000);
    assert.deepEqual([enough.underPressure, enough.state.met], [false, []]);
    // Once over, the limit itself counts again.
    const again = assess(careful, disks({ availableBytes: GIB + 1 }), enough.state, 4000);
    assert.equal(again.underPressure, false);
  });
});

describe('limits', () => {
  const volume = (sizeLimit: string, medium?: string): Volume => ({
    name: 'd',
    emptyDir: { sizeLimit, ...(medium ? { medium } : {}) },
  });
  const message = (subject: Pod, used: PodUsage, imagesApart = false): string | undefined =>
    excessOf(subject, used, imagesApart)?.message;

  it("hold for emptyDirs, pods and containers, in upstream's order and words", () => {
    const all = pod('p', { volumes: [volume('10Mi')] }, storage('20Mi'));
    assert.equal(message(all, usage(0, 0, { d: 10 * MIB })), undefined);
    assert.equal(
      message(all, usage(30 * MIB, 0, { d: 11 * MIB })),
      'Usage of EmptyDir volume "d" exceeds the limit "10Mi". ',
    );
    assert.equal(
      message(all, usage(15 * MIB, 0, { d: 6 * MIB })),
      'Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
    );
    const two = pod('p', {
      containers: [
        { name: 'c', image: 'i', ...storage('20Mi') },
        { name: 'other', image: 'i', ...storage('100M') },
      ],
    });
    assert.equal(
      message(two, usage(15 * MIB, 6 * MIB)),
      'Container c exceeded its local ephemeral storage limit "20Mi". ',
    );
    assert.equal(excessOf(two, usage(15 * MIB, 6 * MIB), false)?.signal, 'ephemeralcontainerfs.limit');
  });

  it('are not there for memory, for 0, and for what was not measured', () => {
    assert.equal(
      message(pod('p', { volumes: [volume('1Mi', 'Memory')] }), usage(0, 0, { d: GIB })),
      undefined,
    );
    assert.equal(message(pod('p', { volumes: [volume('0')] }), usage(0, 0, { d: GIB })), undefined);
    assert.equal(message(pod('p', { volumes: [volume('1Mi')] }), usage(0)), undefined);
    assert.equal(message(pod('p'), usage(GIB)), undefined);
  });

  it("leave out containers' own files where those lie on another disk", () => {
    assert.equal(message(pod('p', {}, storage('1Mi')), usage(GIB), true), undefined);
    assert.match(message(pod('p', {}, storage('1Mi')), usage(0, GIB), true) ?? '', /exceeds the total limit/);
  });

  it('are what a pod is measured for', () => {
    assert.equal(hasStorageLimits(pod('p')), false);
    assert.equal(hasStorageLimits(pod('p', { volumes: [{ name: 'd', emptyDir: {} }] })), false);
    assert.equal(hasStorageLimits(pod('p', { volumes: [volume('1Mi', 'Memory')] })), false);
    assert.equal(hasStorageLimits(pod('p', { volumes: [volume('1Mi')] })), true);
    assert.equal(hasStorageLimits(pod('p', {}, storage('1Mi'))), true);
  });
});

describe('ranking', () => {
  const [nodefs, inodes, imagefs] = parseThresholds(
    'nodefs.available<1Gi,nodefs.inodesFree<5%,imagefs.available<1Gi',
  ) as [Threshold, Threshold, Threshold];
  const names = (...candidates: Array<[Pod, PodUsage | undefined]>): string[] => order(nodefs, candidates);
  const order = (
    threshold: Threshold,
    candidates: ReadonlyArray<[Pod, PodUsage | undefined]>,
    on: Disks = disks(),
  ): string[] =>
    ranked(
      candidates.map(([each, used]) => ({ pod: each, usage: used })),
      threshold,
      on,
    ).map(({ pod: { metadata } }) => metadata.name ?? '');

  it('puts first who exceeds its request, then the lower priority, then the larger excess', () => {
    const within = pod('within', { priority: -5 }, storage(undefined, '3Gi'));
    const low = pod('low', { priority: 1 });
    const high = pod('high', { priority: 9 });
    const more = pod('more', { priority: 1 }, storage(undefined, '100Mi'));
    assert.deepEqual(
      names(
        [within, usage(2 * GIB)],
        [high, usage(5 * GIB)],
        [low, usage(400 * MIB)],
        [more, usage(600 * MIB)],
      ),
      ['more', 'low', 'high', 'within'],
    );
    // What is beyond the request counts, not what is used.
    assert.deepEqual(names([more, usage(600 * MIB)], [low, usage(550 * MIB)]), ['low', 'more']);
  });

  it('puts what could not be measured before all', () => {
    assert.deepEqual(names([pod('a'), usage(GIB)], [pod('b'), undefined]), ['b', 'a']);
  });

  it('spares critical pods, and those whose end would free nothing', () => {
    const critical = pod('critical', { priority: 2_000_000_000 });
    const mirror = pod('mirror');
    mirror.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
    assert.deepEqual(names([critical, usage(GIB)], [mirror, usage(GIB)], [pod('idle'), usage(4096)]), []);
    assert.ok(isCriticalPod(critical) && isCriticalPod(mirror) && !isCriticalPod(pod('p')));
  });

  it('counts what lies on the disk that is short', () => {
    const apart = { node: disk(), images: disk() };
    const writer: [Pod, PodUsage] = [pod('writer'), usage(GIB)];
    const keeper: [Pod, PodUsage] = [pod('keeper'), usage(0, 0, { d: GIB })];
    assert.deepEqual(order(imagefs, [writer, keeper], apart), ['writer']);
    assert.deepEqual(order(nodefs, [writer, keeper], apart), ['keeper']);
    assert.deepEqual(order(imagefs, [writer, keeper]), ['writer', 'keeper']);
    assert.deepEqual(partsOn('nodefs.available', false), ['layers', 'logs', 'volumes']);
    const small: [Pod, PodUsage] = [pod('small'), usage(0, 0, {}, 4000)];
    assert.deepEqual(order(inodes, [writer, small]), ['small']);
  });

  it("says why in upstream's words", () => {
    const full = disks({ availableBytes: 100 * MIB, inodesFree: 12 });
    const hog = { pod: pod('hog', {}, storage(undefined, '1Mi')), usage: usage(3 * MIB, 1024 * 1024) };
    assert.equal(
      evictionMessage(hog, nodefs, full),
      'The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 100Mi. ' +
        'Container c was using 4Mi, request is 1Mi, has larger consumption of ephemeral-storage. ',
    );
    assert.equal(
      evictionMessage({ pod: pod('p'), usage: undefined }, inodes, full),
      'The node was low on resource: inodes. Threshold quantity: 5k, available: 12. ',
    );
  });
});

describe('unused images', () => {
  const image = (name: string, pulled = true): Image => ({
    id: `sha256:${name}`,
    tags: [`docker.io/library/${name}:1`],
    digests: pulled ? [`docker.io/library/${name}@sha256:0`] : [],
    sizeBytes: 1,
  });
  const container = (name: string): Container => ({
    id: name,
    sandboxId: '',
    podUid: '',
    name,
    attempt: 0,
    state: 'exited',
    image: '',
    imageId: `sha256:${name}`,
    createdAtMs: 0,
    startedAtMs: 0,
    finishedAtMs: 0,
    exitCode: 0,
    reason: '',
    message: '',
    labels: {},
  });

  it('are those that no container has, no pod names, and a registry can bring back', () => {
    const images = ['old', 'used', 'named', 'pause'].map((name) => image(name));
    const unused = unusedImages(
      [...images, image('loaded', false)],
      [container('used')],
      [pod('p', {}, { image: 'named:1' })],
      ['docker.io/library/pause:1'],
    );
    assert.deepEqual(
      unused.map(({ id }) => id),
      ['sha256:old'],
    );
  });
});

it("du's output is read as far as it came", () => {
  assert.deepEqual(
    [...parseSizes('4096\t/a b\0' + '12\t/c\td\0' + '99\t/cut')],
    [
      ['/a b', 4096],
      ['/c\td', 12],
    ],
  );
});
