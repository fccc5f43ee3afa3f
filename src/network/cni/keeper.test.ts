// What others change of the pod network is made again, once, and nothing is done for what is no concern of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { NetworkKeeper } from './keeper.ts';
import { lostHostPorts, ownRules } from './saved-rules.ts';

const NETWORK = { bridge: 'stead1', cidr: '10.244.16.0/20', gateway: '10.244.16.1' };
const OURS = `*filter
:FORWARD ACCEPT [0:0]
:STEAD-FORWARD-stead1 - [0:0]
-A FORWARD -m comment --comment stead-stead1 -j STEAD-FORWARD-stead1
-A STEAD-FORWARD-stead1 -s 10.244.16.0/20 -j ACCEPT
COMMIT
`;
const EMPTY = '*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n';
const HOST_PORTS = `*nat
:PREROUTING ACCEPT [0:0]
:CNI-DN-aa - [0:0]
:CNI-DN-bb - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A CNI-DN-aa -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.16.2:8080
-A CNI-DN-bb -p tcp -m tcp --dport 81 -j DNAT --to-destination 10.244.0.2:8080
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"stead-stead1\\" id: \\"1\\"" -m multiport --dports 80 -j CNI-DN-aa
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"stead-stead0\\" id: \\"2\\"" -m multiport --dports 81 -j CNI-DN-bb
COMMIT
`;

/** A machine with these rules and settings, and what has been done to it. */
function machine() {
  const seen = { saved: OURS, settings: '1', mended: 0, restored: [] as string[], isBroken: false };
  const clock = new VirtualClock();
  const keeper = new NetworkKeeper(
    {
      async run(program, _args, { input = '' } = {}) {
        if (program === 'iptables-save') return seen.saved;
        seen.restored.push(input);
        return '';
      },
      read: async (path) => (path.includes('/bridge/') ? `${seen.settings}\n` : '1\n'),
      clock,
      log: silentLog,
    },
    NETWORK,
    async () => {
      seen.mended++;
      if (seen.isBroken) throw new Error('iptables is not to be had');
      seen.saved = OURS;
      seen.settings = '1';
    },
  );
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { seen, clock, keeper, end };
}

test('rules that somebody takes away are made again as soon as that is told, and once', async () => {
  const { clock, end, keeper, seen } = machine();
  await clock.advance(1_000);
  seen.saved = EMPTY;
  keeper.stir();
  await clock.advance(500);
  assert.equal(seen.mended, 1);
  keeper.stir();
  await clock.advance(2_000);
  assert.equal(seen.mended, 1);
  await end();
});

test('rules are missed though nobody tells of it, and settings soon', async () => {
  const { clock, end, seen } = machine();
  await clock.advance(1_000);
  seen.saved = EMPTY;
  await clock.advance(61_000);
  assert.equal(seen.mended, 1);
  seen.settings = '0';
  await clock.advance(2_000);
  assert.equal(seen.mended, 2);
  await end();
});

test('rules of others are no concern of it', async () => {
  const { clock, end, keeper, seen } = machine();
  await clock.advance(1_000);
  seen.saved = OURS.replace(':FORWARD ACCEPT', ':STEAD-FORWARD-stead10 - [0:0]\n:FORWARD DROP');
  keeper.stir();
  await clock.advance(2_000);
  assert.equal(seen.mended, 0);
  await end();
});

test('what cannot be made again is tried until it can', async () => {
  const { clock, end, keeper, seen } = machine();
  await clock.advance(1_000);
  Object.assign(seen, { saved: EMPTY, isBroken: true });
  keeper.stir();
  await clock.advance(10_000);
  assert.ok(seen.mended > 1);
  seen.isBroken = false;
  await clock.advance(2_000);
  assert.equal(ownRules(seen.saved, NETWORK), ownRules(OURS, NETWORK));
  await end();
});

test('host ports of pods that run come back, and those of another stead do not', async () => {
  const { clock, end, keeper, seen } = machine();
  seen.saved = OURS + HOST_PORTS;
  await clock.advance(1_000);
  seen.saved = EMPTY;
  keeper.stir();
  await clock.advance(1_000);
  const [restored = ''] = seen.restored;
  assert.match(restored, /^\*nat\n/);
  assert.match(restored, /^:CNI-DN-aa /m);
  assert.match(restored, /--dport 80 -j DNAT/);
  assert.match(restored, /-A PREROUTING .* -j CNI-HOSTPORT-DNAT/);
  assert.doesNotMatch(restored, /CNI-DN-bb|:PREROUTING/);
  await end();
});

test('a chain that is there still is not declared, which would empty it', () => {
  const now = HOST_PORTS.replace(/^-A CNI-DN-aa .*\n/m, '');
  assert.equal(
    lostHostPorts(HOST_PORTS, now, NETWORK),
    '*nat\n-A CNI-DN-aa -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.16.2:8080\nCOMMIT\n',
  );
  assert.equal(lostHostPorts(HOST_PORTS, HOST_PORTS, NETWORK), undefined);
});
