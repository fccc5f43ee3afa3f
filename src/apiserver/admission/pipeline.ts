// The one door for writes: every verb that writes comes through a server's pipeline, which shows the write to the
// admission plug-ins in their order. What a write is made of is the verbs' business, and keeping it the registry's.

import { pathNotFound, withWarnings } from '../../api/errors.ts';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { timestamp } from '../../base/clock.ts';
import type { Registry } from '../registry.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest, DeletionRequest } from './admission.ts';

/** What is seen of a kind that is not served. */
const NOTHING = { get: () => undefined, *list(): Generator<Stored> {} };

/** A deletion that was let in. */
export interface AdmittedDeletion {
  /** For the client to read: what it is told anyway, and what plug-ins say. */
  readonly warnings: readonly string[];
  /** Whether it has come to pass: whoever does it says so. What only seems to be done (dryRun) never has. */
  written: boolean;
}

/** A write that was let in. */
export interface AdmittedWrite extends AdmittedDeletion {
  /** What the plug-ins have made of the object. */
  readonly object: KubeObject;
  /** Shows the plug-ins what is about to be written. Throws what they refuse it with. */
  validate(object: KubeObject): Promise<void>;
}

export class Pipeline {
  /** Where the objects are, for those who read, and who write what was let in. */
  readonly registry: Registry;
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #view: Omit<AdmissionContext, 'warn' | 'afterwards'>;

  constructor(registry: Registry, plugins: readonly AdmissionPlugin[]) {
    this.registry = registry;
    this.#plugins = plugins;
    this.#view = viewOf(registry);
  }

  /**
   * Lets an object in, and has `work` make of it what is written, and write it.
   * @param warnings what the client is told anyway; with those of the plug-ins, errors carry them, too.
   * @throws StatusError what a plug-in refuses it with, and what `work` throws.
   */
  admitted<T>(
    request: AdmissionRequest,
    warnings: readonly string[],
    work: (write: AdmittedWrite) => Promise<T>,
  ): Promise<T> {
    return this.#pass(request, warnings, async (write, context) => {
      let seen = request;
      const show = (object: KubeObject): void => {
        if (object !== seen.object) seen = { ...seen, object };
      };
      for (const plugin of this.#plugins) if (plugin.admit) show(await plugin.admit(seen, context));
      const validate = async (object: KubeObject): Promise<void> => {
        show(object);
        for (const plugin of this.#plugins) if (plugin.validate) await plugin.validate(seen, context);
      };
      return work(Object.assign(write, { object: seen.object, validate }));
    });
  }

  /** Lets a deletion in, and has `work` do it. Throws what a plug-in refuses it with, and what `work` throws. */
  admittedDeletion<T>(
    request: DeletionRequest,
    work: (deletion: AdmittedDeletion) => Promise<T>,
  ): Promise<T> {
    return this.#pass(request, [], async (deletion, context) => {
      for (const plugin of this.#plugins)
        if (plugin.admitDeletion) await plugin.admitDeletion(request, context);
      return work(deletion);
    });
  }

  /** Has plug-ins told, whatever happens, how a write has ended. */
  async #pass<T>(
    { dryRun }: AdmissionRequest | DeletionRequest,
    given: readonly string[],
    work: (write: AdmittedDeletion, context: AdmissionContext) => Promise<T>,
  ): Promise<T> {
    const warnings = [...given];
    const afterwards: ((written: boolean) => Promise<void> | void)[] = [];
    const write: AdmittedDeletion = { warnings, written: false };
    try {
      return await work(write, {
        ...this.#view,
        warn: (text) => warnings.push(text),
        afterwards: (action) => afterwards.push(action),
      });
    } catch (error) {
      throw withWarnings(error, warnings);
    } finally {
      for (const action of afterwards) {
        try {
          await action(write.written && !dryRun);
        } catch (error) {
          // The write has ended as it has.
          this.registry.log.error('what was reserved for a write could not be given back', error);
        }
      }
    }
  }
}

/** What plug-ins may see of a registry. */
function viewOf(registry: Registry): Omit<AdmissionContext, 'warn' | 'afterwards'> {
  const { clock, random, store, hub } = registry;
  return {
    clock,
    random,
    store,
    async newest(revision = 0) {
      await hub.newest();
      await hub.reached(revision);
    },
    revision: () => hub.revision,
    async find(group, plural, key) {
      const resource = registry.resource(group, plural);
      return resource && (await registry.find(resource, key));
    },
    async list(group, plural, namespace) {
      const resource = registry.resource(group, plural);
      return resource ? [...(await registry.cache(resource)).list(namespace)] : [];
    },
    async create(group, plural, { metadata, ...object }) {
      const resource = registry.resource(group, plural);
      if (!resource) throw pathNotFound();
      const own = { uid: random.uuid(), creationTimestamp: timestamp(clock.now()) };
      const { kind } = resource;
      const whole = {
        apiVersion: apiVersionOf(resource),
        kind,
        metadata: { ...metadata, ...own },
        ...object,
      };
      return registry.create(resource, whole, false);
    },
    async remove(group, plural, object) {
      const resource = registry.resource(group, plural);
      if (!resource) return false;
      if (!object.metadata.finalizers?.length) return registry.remove(resource, object, false);
      if (isTerminating(object)) return true;
      // Somebody holds it: it goes as it would for anybody.
      const going = { deletionTimestamp: timestamp(clock.now()), deletionGracePeriodSeconds: 0 };
      const marked = { ...object, metadata: { ...object.metadata, ...going } };
      return (await registry.replace(resource, object, marked, false)) !== undefined;
    },
    async follow(group, plural, onChange) {
      const resource = registry.resource(group, plural);
      if (!resource) return NOTHING;
      const cache = await registry.cache(resource);
      cache.observe(({ revision, event: { type, object }, previous }) =>
        onChange({ revision, object: type === 'DELETED' ? undefined : object, previous }),
      );
      return cache;
    },
  };
}
