// What an explanation is drawn from: the objects of one namespace and of the cluster, read once, and ways to find among
// them. Nothing is concluded here.
import { StatusError } from '../api/errors.ts';
import { lastSeenMs } from '../api/event-time.ts';
import type {
  ControllerRevision,
  Event,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
  StorageClass,
} from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { claimsOf } from '../api/pod-state.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { controllerRevisions } from '../api/resources/controller-revisions/definition.ts';
import { events } from '../api/resources/events/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { podDisruptionBudgets } from '../api/resources/pod-disruption-budgets/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import type { Client } from '../client/client.ts';

/** Everything that was read. Pods are those of all namespaces, since they take room on nodes; the rest is of one. */
export interface Objects {
  sets: readonly Stored<StatefulSet>[];
  pods: readonly Stored<Pod>[];
  claims: readonly Stored<PersistentVolumeClaim>[];
  revisions: readonly Stored<ControllerRevision>[];
  budgets: readonly Stored<PodDisruptionBudget>[];
  events: readonly Stored<Event>[];
  volumes: readonly Stored<PersistentVolume>[];
  classes: readonly Stored<StorageClass>[];
  nodes: readonly Stored<Node>[];
  namespaces: readonly Stored<Namespace>[];
}

/** Reads what there is. Throws what the API answers. */
export async function readObjects(client: Client, namespace: string): Promise<Objects> {
  const list = async <T extends KubeObject>(
    resource: ResourceDefinition<T>,
    of?: string,
  ): Promise<readonly Stored<T>[]> => (await client.list(resource, { namespace: of })).items;
  /** What a cluster may not serve, or not show to everybody, is not there. */
  const optional = <T extends KubeObject>(reading: Promise<readonly Stored<T>[]>): typeof reading =>
    reading.catch((error: unknown) => {
      if (error instanceof StatusError && (error.code === 403 || error.code === 404)) return [];
      throw error;
    });
  const [sets, allPods, claims, revisions] = await Promise.all([
    list(statefulSets, namespace),
    list(pods),
    list(persistentVolumeClaims, namespace),
    list(controllerRevisions, namespace),
  ]);
  const [budgets, told, volumes, classes, machines, spaces] = await Promise.all([
    optional(list(podDisruptionBudgets, namespace)),
    optional(list(events, namespace)),
    optional(list(persistentVolumes)),
    optional(list(storageClasses)),
    optional(list(nodes)),
    optional(list(namespaces)),
  ]);
  return {
    sets,
    pods: allPods,
    claims,
    revisions,
    budgets,
    events: told,
    volumes,
    classes,
    nodes: machines,
    namespaces: spaces,
  };
}

/** The objects, and how to find among them. */
export class Evidence {
  readonly objects: Objects;
  readonly namespace: string;
  /** ms since the epoch. */
  readonly now: number;

  constructor(objects: Objects, namespace: string, now: number) {
    this.objects = objects;
    this.namespace = namespace;
    this.now = now;
  }

  set = (name: string): Stored<StatefulSet> | undefined => named(this.objects.sets, name);
  claim = (name: string): Stored<PersistentVolumeClaim> | undefined => named(this.objects.claims, name);
  volume = (name: string): Stored<PersistentVolume> | undefined => named(this.objects.volumes, name);
  storageClass = (name: string): Stored<StorageClass> | undefined => named(this.objects.classes, name);
  node = (name: string): Stored<Node> | undefined => named(this.objects.nodes, name);

  /** The pods of the namespace. */
  pods(): Stored<Pod>[] {
    return this.objects.pods.filter(({ metadata }) => metadata.namespace === this.namespace);
  }

  pod(name: string): Stored<Pod> | undefined {
    return named(this.pods(), name);
  }

  /** The pods that mount the claim, or want to. */
  usersOf(claim: string): Stored<Pod>[] {
    return this.pods().filter((pod) => claimsOf(pod).some(({ claimName }) => claimName === claim));
  }

  /** The newest warning about an object for one of the reasons; of any reason if none is given. */
  warning(kind: string, object: Stored, reasons: readonly string[] = []): Stored<Event> | undefined {
    const { name, uid } = object.metadata;
    return this.objects.events
      .filter(({ involvedObject: about, reason = '', type }) => {
        const isAbout = about.kind === kind && about.name === name && (about.uid ?? uid) === uid;
        return isAbout && type === 'Warning' && (reasons.length === 0 || reasons.includes(reason));
      })
      .sort((a, b) => lastSeenMs(b) - lastSeenMs(a))[0];
  }
}

function named<T extends Stored>(objects: readonly T[], name: string): T | undefined {
  return objects.find(({ metadata }) => metadata.name === name);
}
