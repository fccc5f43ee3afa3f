// The people of a simulated cluster: they make sets, scale them, roll out good and bad templates, delete what they
// should not, and drain machines. They try once; if the API server does not answer, they go away.
import type { StatefulSet } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { errorText } from '../../base/error-text.ts';
import type { Client } from '../../client/client.ts';
import { ADMINISTRATOR } from '../../cluster/roles/identities.ts';
import type { World } from './world.ts';

const namespace = 'default';
const OUT_OF_SERVICE = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'down',
  effect: 'NoExecute',
};

export class Users {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  create(set: StatefulSet): Promise<boolean> {
    return this.#do(`create set ${set.metadata.name}`, (client) =>
      client.create(statefulSets, structuredClone(set)),
    );
  }

  scale(set: string, replicas: number): Promise<boolean> {
    return this.change(set, { replicas });
  }

  /** Patches the set's spec. */
  change(set: string, spec: object): Promise<boolean> {
    return this.#do(`change set ${set}: ${JSON.stringify(spec)}`, (client) =>
      client.patch(statefulSets, { namespace, name: set }, { type: 'merge', body: { spec } }),
    );
  }

  rollOut(set: string, image: string): Promise<boolean> {
    return this.#do(`roll out ${image} in set ${set}`, (client) =>
      client.patch(
        statefulSets,
        { namespace, name: set },
        {
          type: 'strategic',
          body: { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } },
        },
      ),
    );
  }

  deletePod(name: string): Promise<boolean> {
    return this.#delete(pods, name);
  }

  evictPod(name: string): Promise<boolean> {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } };
    return this.#do(`evict pod ${name}`, (client) =>
      client.createSubresource(pods, { namespace, name }, 'eviction', body),
    );
  }

  async deleteClaim(name: string): Promise<boolean> {
    const uid = this.#world.truth.claims.get(name)?.metadata.uid;
    if (uid) this.#world.rules.giveUp(uid);
    return this.#delete(persistentVolumeClaims, name);
  }

  deleteSet(name: string, propagationPolicy: 'Orphan' | 'Background' | 'Foreground'): Promise<boolean> {
    return this.#do(`delete set ${name} (${propagationPolicy})`, (client) =>
      client.delete(statefulSets, { namespace, name }, { propagationPolicy }),
    );
  }

  cordon(node: string, unschedulable: boolean): Promise<boolean> {
    return this.#do(`cordon ${node}: ${unschedulable}`, (client) =>
      client.patch(nodes, { name: node }, { type: 'merge', body: { spec: { unschedulable } } }),
    );
  }

  /** Says that a machine is off for certain, so that its pods may be made elsewhere; or takes it back. */
  fence(node: string, isOff: boolean): Promise<boolean> {
    return this.#do(`fence ${node}: ${isOff}`, async (client) => {
      const { spec } = await client.get(nodes, { name: node });
      const others = (spec.taints ?? []).filter(({ key }) => key !== OUT_OF_SERVICE.key);
      const taints = isOff ? [...others, OUT_OF_SERVICE] : others;
      await client.patch(nodes, { name: node }, { type: 'merge', body: { spec: { taints } } });
    });
  }

  deleteNode(name: string): Promise<boolean> {
    return this.#do(`delete node ${name}`, (client) => client.delete(nodes, { name }));
  }

  #delete<T extends KubeObject>(resource: ResourceDefinition<T>, name: string): Promise<boolean> {
    return this.#do(`delete ${resource.singular} ${name}`, (client) =>
      client.delete(resource, { namespace, name }),
    );
  }

  async #do(what: string, action: (client: Client) => Promise<unknown>): Promise<boolean> {
    const { api, trace } = this.#world;
    try {
      await api.use(ADMINISTRATOR, action);
      trace.note(`user: ${what}`);
      return true;
    } catch (error) {
      trace.note(`user: ${what}: ${errorText(error)}`);
      return false;
    }
  }
}
