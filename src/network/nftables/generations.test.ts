import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GenerationReader } from './generations.ts';

/** As nft 1.0.6 prints it. */
const OURS = `flush set inet stead written
add element inet stead written { 0x0000002a }
# new generation 7 by process 17 (nft)
`;
const ANOTHERS = `delete rule inet stead services handle 12
# new generation 8 by process 18 (nft)
`;
const NEIGHBOURS = `add rule inet stead1 services accept
add table inet steady
# new generation 9 by process 19 (iptables-nft)
`;

it('tells own transactions, those of others in our table, and those that are no concern of ours', () => {
  assert.deepEqual(new GenerationReader('stead').read(OURS + ANOTHERS + NEIGHBOURS), [
    { touched: true, stamp: 42 },
    { touched: true, stamp: undefined },
    { touched: false, stamp: undefined },
  ]);
  assert.deepEqual(new GenerationReader('stead').read('delete table inet stead\n# new generation 2 by\n'), [
    { touched: true, stamp: undefined },
  ]);
});

it('reads what comes in pieces as what comes at once', () => {
  const whole = OURS + ANOTHERS + NEIGHBOURS;
  const reader = new GenerationReader('stead');
  const pieces = [...whole].flatMap((character) => reader.read(character));
  assert.deepEqual(pieces, new GenerationReader('stead').read(whole));
});

it('takes events that were lost for a change of our table', () => {
  const lost = '# ERROR: We lost some netlink events!\n# new generation 5 by process 1 (nft)\n';
  assert.deepEqual(new GenerationReader('stead').read(lost), [{ touched: true, stamp: undefined }]);
});
