// From what is written to the API to what packets do and what the agent is told: the enforcer over an API in memory and a kernel
// in a namespace.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NetworkPolicySpec, Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { networkPolicies } from '../../api/resources/network-policies/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { silentLog } from '../../base/log.ts';
import { createRecorder } from '../../client/events.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { NftTable } from '../nftables/table.ts';
import { IPV4, IPV6 } from '../proxy/family.ts';
import { makeMachine, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { POLICIES_PART, type PolicyEnforcer, startPolicyEnforcer } from './enforcer.ts';
import { whyNoPolicies } from './support.ts';
import { tellUnenforced } from './unenforced.ts';

const OPTIONS = { bridge: 'stead0', podRanges: [], families: [IPV4, IPV6] };
const never = (): AbortSignal => new AbortController().signal;

describe('the enforcement of policies', { skip: whyNoMachine ?? false, timeout: 120_000 }, () => {
  let machine: TestMachine;
  let cluster: TestControlPlane;
  let table: NftTable;
  let enforcer: PolicyEnforcer;
  let one: TestMachine['host'];

  const createPod = (name: string, app: string): Promise<Stored<Pod>> =>
    cluster.client.create(pods, {
      metadata: { namespace: 'default', name, labels: { app } },
      spec: { nodeName: 'here', containers: [{ name: 'c', image: 'i' }] },
    });
  const createPolicy = (name: string, spec: NetworkPolicySpec): Promise<unknown> =>
    cluster.client.create(networkPolicies, { metadata: { namespace: 'default', name }, spec });
  const removePolicy = (name: string): Promise<unknown> =>
    cluster.client.delete(networkPolicies, { namespace: 'default', name });
  /** What the first gets of the second, when all that was written is in force. */
  const reached = async (): Promise<string> => {
    await cluster.clock.settle();
    await table.inForce();
    return one.ask('10.244.0.12', 8080, { silence: true });
  };
  const listed = (): Promise<string> => machine.run('nft', ['list', 'table', 'inet', 'stead']);

  before(async () => {
    machine = await makeMachine();
    one = await machine.addPod('one', 11);
    await machine.addPod('two', 12);
    cluster = await startTestControlPlane();
    await cluster.addNode('here');
    await createPod('one', 'client');
    await createPod('two', 'server');
    await cluster.runPod('one', '10.244.0.11');
    await cluster.runPod('two', '10.244.0.12');
    table = new NftTable(
      { ...machine, log: silentLog, random: cluster.context.random },
      { table: 'stead', owner: '' },
      [POLICIES_PART],
    );
    enforcer = await startPolicyEnforcer(cluster.context, table, OPTIONS);
  });
  after(async () => {
    enforcer?.close();
    await table?.close();
    await cluster?.stop();
    await machine?.end();
  });

  it('writes no rule while there is no policy, and lets a pod begin at once', async () => {
    assert.doesNotMatch(await listed(), /chain/);
    const pod = await createPod('quick', 'x');
    await enforcer.inForce(pod, ['10.244.0.50'], AbortSignal.abort());
    await cluster.client.delete(pods, { namespace: 'default', name: 'quick' }, { gracePeriodSeconds: 0 });
  });

  it('follows policies, labels of pods and of namespaces, until the last policy goes', async () => {
    await createPolicy('closed', { podSelector: {} });
    assert.equal(await reached(), 'nothing');
    await createPolicy('open', {
      podSelector: { matchLabels: { app: 'server' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }],
    });
    assert.equal(await reached(), 'nothing');
    const label = (app: string): Promise<unknown> =>
      cluster.client.patch(
        pods,
        { namespace: 'default', name: 'one' },
        { type: 'merge', body: { metadata: { labels: { app } } } },
      );
    await label('friend');
    assert.equal(await reached(), 'two 10.244.0.11');
    await label('client');
    assert.equal(await reached(), 'nothing');
    await createPolicy('team', {
      podSelector: {},
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }],
    });
    assert.equal(await reached(), 'nothing');
    await cluster.client.patch(
      namespaces,
      { name: 'default' },
      { type: 'merge', body: { metadata: { labels: { team: 'a' } } } },
    );
    assert.equal(await reached(), 'two 10.244.0.11');
    await removePolicy('team');
    assert.equal(await reached(), 'nothing');
    await removePolicy('open');
    await removePolicy('closed');
    assert.equal(await reached(), 'two 10.244.0.11');
    assert.doesNotMatch(await listed(), /hook forward/);
  });

  it('has a pod’s address in force when it says so, before the API knows the address', async () => {
    await createPolicy('closed', {
      podSelector: { matchLabels: { app: 'closed' } },
      policyTypes: ['Egress'],
    });
    const pod = await createPod('new', 'closed');
    await enforcer.inForce(pod, ['10.244.0.51', 'fd00:244::51'], never());
    const text = await listed();
    assert.match(text, /10\.244\.0\.51 : goto egress-pods\/default/);
    assert.match(text, /fd00:244::51 : goto egress-pods\/default/);
  });

  it('gives an address that was another’s to the pod that has it now', async () => {
    await cluster.runPod('new', '10.244.0.51');
    const pod = await createPod('heir', 'open');
    await enforcer.inForce(pod, ['10.244.0.51'], never());
    assert.match(await listed(), /10\.244\.0\.51 : accept/);
    await cluster.client.delete(pods, { namespace: 'default', name: 'heir' }, { gracePeriodSeconds: 0 });
    await cluster.client.delete(pods, { namespace: 'default', name: 'new' }, { gracePeriodSeconds: 0 });
    await cluster.clock.settle();
    await table.inForce();
    assert.doesNotMatch(await listed(), /10\.244\.0\.51/);
  });

  it('says why a pod is not protected in time', async () => {
    const stranger: Stored<Pod> = {
      metadata: { namespace: 'default', name: 's', uid: 's', resourceVersion: '1', creationTimestamp: '' },
      spec: { containers: [] },
    };
    const late = new AbortController();
    const waiting = enforcer.inForce(stranger, ['10.244.0.60'], late.signal);
    late.abort();
    await assert.rejects(
      waiting,
      /not in force for pod default\/s \(10\.244\.0\.60\): the pod is not known yet/,
    );
  });

  it('leaves the rules in force when it ends, and the next takes them over without a gap', async () => {
    await createPolicy('server', { podSelector: { matchLabels: { app: 'server' } } });
    assert.equal(await reached(), 'nothing');
    enforcer.close();
    await table.close();
    assert.equal(await reached(), 'nothing');
    const text = await listed();
    table = new NftTable(
      { ...machine, log: silentLog, random: cluster.context.random },
      { table: 'stead', owner: '' },
      [POLICIES_PART],
    );
    enforcer = await startPolicyEnforcer(cluster.context, table, OPTIONS);
    // In another order, with another stamp, and perhaps without the chains that nobody wants any more.
    const spelled = (rules: string): string[] =>
      rules
        .split('\n')
        .filter((line) => !/elements = \{ 0x|^\s*(chain .*\{|\})?$/.test(line))
        .sort();
    assert.deepEqual(spelled(await listed()), spelled(text));
    assert.equal(await reached(), 'nothing');
  });

  it('is known to be possible here; where it is not, each policy says why', async () => {
    assert.equal(await whyNoPolicies(machine.run, OPTIONS), undefined);
    const broken = { ...OPTIONS, bridge: 'x" syntax' };
    assert.match((await whyNoPolicies(machine.run, broken)) ?? '', /syntax/);
    const end = tellUnenforced(
      cluster.context.informers,
      createRecorder(cluster.context, 'test'),
      'nft is missing',
    );
    await cluster.until(
      async () =>
        (await cluster.eventsOf('server')).includes(
          'NotEnforced: This node does not keep traffic from its pods as the policy says: nft is missing',
        ),
      'the policy says so',
    );
    end();
  });
});
