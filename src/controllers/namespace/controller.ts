// The loop that empties a namespace that is being deleted: its pods first, then the rest, then its own finalizer.
// Follows pkg/controller/namespace/deletion/namespaced_resources_deleter.go.

import { isConflict, isNotFound, orUndefined } from '../../api/errors.ts';
import type { Namespace } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { groupResourceOf, type ResourceDefinition } from '../../api/resource.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { eachByItself } from '../../base/each-by-itself.ts';
import { sameJson } from '../../base/same-json.ts';
import { runController, watch } from '../../client/controller.ts';
import { type Kinds, oneVersionEach } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { namespaceConditions, type Remainder } from './plan.ts';

const FINALIZER = 'kubernetes';
/** How soon a namespace that is not empty yet is looked at again, ms. */
const AGAIN_MS = 500;
const DELETED_AT_ONCE = 8;

/** Runs the namespace controller until the context's signal. @param kinds what the API serves. */
export async function runNamespaceController(context: RunContext, kinds: Kinds): Promise<void> {
  const all = context.informers.of(namespaces);
  await runController(context, 'namespace', {
    workers: 4,
    watches: [watch(all, { changed: (namespace) => (isTerminating(namespace) ? [namespace.metadata] : []) })],
    async reconcile({ name }) {
      const namespace = all.get(undefined, name);
      if (!namespace || !isTerminating(namespace)) return;
      const contents = oneVersionEach(kinds.resources()).filter(isContent);
      const isEmpty = await orUndefined(emptyNamespace(context, contents, namespace));
      return isEmpty === false ? { requeueAfterMs: AGAIN_MS } : {};
    },
  });
}

/** Whether there may be something of a resource in a namespace, that can be deleted. */
function isContent({ namespaced, verbs }: ResourceDefinition): boolean {
  return namespaced && verbs.includes('list') && verbs.includes('delete');
}

/**
 * One round, in which what cannot be listed or deleted keeps nothing else from going.
 * @returns whether nothing is left, and the namespace has been let go.
 * @throws Error what failed, once all the rest has been done and the namespace's conditions say so.
 */
async function emptyNamespace(
  context: RunContext,
  contents: readonly ResourceDefinition[],
  cached: Stored<Namespace>,
): Promise<boolean> {
  const { client, clock } = context;
  const { name, uid } = cached.metadata;
  let namespace = await client.get(namespaces, { name });
  if (namespace.metadata.uid !== uid) return true;
  if (!(namespace.spec.finalizers ?? []).includes(FINALIZER)) return true;

  const failures: string[] = [];
  const isPods = (resource: ResourceDefinition): boolean => groupResourceOf(resource) === 'pods';
  let remainders = await deleteAll(context, contents.filter(isPods), name, failures);
  // Pods go first, while what they use (claims, secrets, services) is still there.
  if (failures.length === 0 && remainders.every(({ objects }) => objects.length === 0)) {
    remainders = await deleteAll(
      context,
      contents.filter((resource) => !isPods(resource)),
      name,
      failures,
    );
  }
  const conditions = namespaceConditions(namespace, remainders, failures, clock.now());
  const status = { ...namespace.status, phase: 'Terminating', conditions };
  if (!sameJson(status, namespace.status)) {
    namespace = await client.update(namespaces, { ...namespace, status }, { subresource: 'status' });
  }
  if (failures.length > 0)
    throw new Error(`the content of ${name} cannot be deleted: ${failures.join(', ')}`);
  if (remainders.some(({ objects }) => objects.length > 0)) return false;
  const finalizers = (namespace.spec.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
  await client.update(
    namespaces,
    { ...namespace, spec: { ...namespace.spec, finalizers } },
    { subresource: 'finalize' },
  );
  return true;
}

/** Asks for the deletion of everything of these resources; what is still there afterwards is returned. */
async function deleteAll(
  { client }: RunContext,
  resources: readonly ResourceDefinition[],
  namespace: string,
  failures: string[],
): Promise<Remainder[]> {
  const remainders: Remainder[] = [];
  const empty = async (resource: ResourceDefinition): Promise<void> => {
    const before = await client.list(resource, { namespace });
    const remove = async ({ metadata: { name, uid } }: Stored): Promise<void> => {
      try {
        const options = { preconditions: { uid }, propagationPolicy: 'Background' } as const;
        await client.delete(resource, { namespace, name }, options);
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    };
    const staying = before.items.filter((object) => !isTerminating(object));
    await eachByItself(staying, DELETED_AT_ONCE, remove, (error, { metadata }) =>
      failures.push(`${groupResourceOf(resource)} "${metadata.name}": ${String(error)}`),
    );
    const after = before.items.length > 0 ? await client.list(resource, { namespace }) : before;
    remainders.push({ resource: groupResourceOf(resource), objects: after.items });
  };
  // One after another, so that what is said of the namespace has an order.
  await eachByItself(resources, 1, empty, (error, resource) =>
    failures.push(`${groupResourceOf(resource)}: ${String(error)}`),
  );
  return remainders;
}
