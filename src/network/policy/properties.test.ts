// What holds for all policies: the rules let through exactly what the documentation says, and it makes no difference in which
// order policies, pods and namespaces have come and gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { difference } from '../nftables/script.ts';
import { readPolicy } from './policy.ts';
import { type End, isAllowed } from './test-evaluator.ts';
import { type Packet, passes } from './test-interpreter.ts';
import { newBook, PORTS, step, take, World } from './test-worlds.ts';

const OUTSIDE: readonly End[] = ['192.0.2.1', '192.0.2.200', '2001:db8::1'].map((address) => ({ address }));
const PROTOCOLS: Readonly<Record<string, Packet['protocol']>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

/** The same words, whatever order they came in. */
function spelled({ chains, sets, elements }: Ruleset): unknown {
  const sorted = <T>(map: ReadonlyMap<string, T>): Array<[string, T]> =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return [sorted(chains), sorted(sets), sorted(elements).map(([name, some]) => [name, sorted(some)])];
}

describe('the rules of policies', () => {
  it('are the same in whatever order things have come and gone', () => {
    void fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const world = new World();
        const book = newBook();
        let before = book.ruleset();
        let inKernel = before;
        for (const one of steps) {
          world.take(one);
          take(book, one);
          const after = book.ruleset();
          // What was given away stays as it was: the difference is made of it.
          assert.deepEqual(spelled(before), spelled(inKernel));
          before = after;
          inKernel = structuredClone(after);
          assert.ok(difference('stead', merge([before]), merge([after])));
        }
        const fresh = newBook();
        for (const one of world.policies.values()) fresh.setPolicy(readPolicy(one));
        for (const one of world.pods.values()) take(fresh, { pod: one });
        for (const [namespace, own] of world.namespaces) fresh.setNamespace(namespace, own);
        assert.deepEqual(spelled(book.ruleset()), spelled(fresh.ruleset()));
      }),
      { numRuns: 150 },
    );
  });

  it('let through what the documentation says, and nothing else', () => {
    let allowed = 0;
    let denied = 0;
    void fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 25 }),
        fc.constantFrom('TCP', 'UDP', 'SCTP'),
        (steps, protocol) => {
          const world = new World();
          const book = newBook();
          for (const one of steps) {
            world.take(one);
            take(book, one);
          }
          const rules = book.ruleset();
          const { cluster } = world;
          const ends = [...world.ends, ...OUTSIDE];
          for (const from of ends) {
            for (const to of ends) {
              if (from.address.includes(':') !== to.address.includes(':')) continue;
              if (!from.pod && !to.pod) continue;
              for (const number of PORTS) {
                const expected = isAllowed(cluster, from, to, number, protocol);
                const packet = {
                  from: from.address,
                  to: to.address,
                  protocol: PROTOCOLS[protocol] ?? 'icmp',
                  port: number,
                  iif: from.pod ? 'stead0' : 'eth0',
                  oif: to.pod ? 'stead0' : 'eth0',
                };
                if (expected) allowed++;
                else denied++;
                assert.equal(
                  passes(rules, packet),
                  expected,
                  `${from.address} to ${to.address} ${protocol} ${number}`,
                );
              }
            }
          }
        },
      ),
      { numRuns: 400 },
    );
    // It has not compared one answer with itself.
    assert.ok(allowed > 1_000 && denied > 1_000, `${allowed} allowed, ${denied} denied`);
  });
});
