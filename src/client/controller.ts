// A controller as a description: which news lead to which keys, and what is done about a key. What all controllers do
// alike stands here: a queue, waiting until the caches are complete, subscribing, workers, numbers, the end. What a
// controller decides is its folder's; nothing here knows any kind.
import type { KubeObject, ObjectKey, Stored } from '../api/objects.ts';
import type { Informer } from './informers.ts';
import { type KeyForm, objectKeys } from './queue-keys.ts';
import type { RunContext } from './run-context.ts';
import { type ReconcileResult, runWorkers } from './run-workers.ts';
import { WorkQueue } from './work-queue.ts';

/** Where keys are brought that are to be looked at; see work-queue.ts for what becomes of them. */
export interface KeyQueue<K> {
  /** How many keys wait for a worker. */
  readonly length: number;
  add(key: K): void;
  /** Of several delays of one key the earliest counts. */
  addAfter(key: K, delayMs: number): void;
  /** After a delay that grows with every failure of the key. */
  addRateLimited(key: K): void;
}

/** Something that brings keys. */
export interface Watch<K> {
  /** Resolves when all that it tells of is known; left out, nothing has to be waited for. */
  synced?(): Promise<void>;
  /** Brings keys into the queue from now on. Returns what ends that. */
  start(queue: KeyQueue<K>): () => void;
}

/** The keys that each sort of news about an object leads to; news without an entry lead to none. */
interface News<T extends KubeObject, K> {
  /** It is there, or is there already when the controller begins. */
  added?(object: Stored<T>): Iterable<K> | undefined;
  updated?(object: Stored<T>, old: Stored<T>): Iterable<K> | undefined;
  deleted?(object: Stored<T>): Iterable<K> | undefined;
  /** Stands for `added` and `updated` where these have no entry. */
  changed?(object: Stored<T>): Iterable<K> | undefined;
}

/** For news of an object that lead to the object's own key. */
export const itself = ({ metadata }: Stored): ObjectKey[] => [metadata];

/**
 * Watches the objects of an informer.
 * @param delayMs how long more news are gathered before a key comes up.
 */
export function watch<T extends KubeObject, K>(
  informer: Informer<T>,
  news: News<NoInfer<T>, K>,
  delayMs: (key: K) => number = () => 0,
): Watch<K> {
  const { added = news.changed, updated = news.changed, deleted } = news;
  return {
    synced: () => informer.synced(),
    start(queue) {
      const bring = (keys: Iterable<K> | undefined): void => {
        for (const key of keys ?? []) queue.addAfter(key, delayMs(key));
      };
      return informer.subscribe({
        added: (object) => bring(added?.(object)),
        updated: (object, old) => bring(updated?.(object, old)),
        deleted: (object) => bring(deleted?.(object)),
      });
    },
  };
}

/** The queue of one controller, with its numbers. Made before the controller runs by whoever needs it earlier. */
export class ControllerQueue<K> implements KeyQueue<K> {
  readonly #texts: WorkQueue;
  readonly #form: KeyForm<K>;

  /** @param name in the metrics: upstream's. */
  constructor({ clock, queues }: RunContext, name: string, form: KeyForm<K>) {
    this.#texts = new WorkQueue(clock, queues?.named(name));
    this.#form = form;
  }

  get length(): number {
    return this.#texts.length;
  }

  add(key: K): void {
    this.#texts.add(this.#form.write(key));
  }

  addAfter(key: K, delayMs: number): void {
    this.#texts.addAfter(this.#form.write(key), delayMs);
  }

  addRateLimited(key: K): void {
    this.#texts.addRateLimited(this.#form.write(key));
  }

  /** Works on the keys until the signal; resolves when the last work has ended. */
  work({ workers, reconcile }: Controller<K>, { log, signal }: RunContext): Promise<void> {
    const one = (text: string) => reconcile(this.#form.read(text), this);
    return runWorkers(this.#texts, workers, one, log, signal);
  }

  shutDown(): void {
    this.#texts.shutDown();
  }
}

/** What makes a controller. */
export interface Controller<K> {
  /** How many keys are worked on at once; one key is never worked on twice at the same time. */
  workers: number;
  watches: readonly Watch<K>[];
  /** Keys that come up at the beginning, whatever the news. */
  first?: readonly K[];
  /** What it reads besides what it watches: a cache that is not complete must not be taken for an empty cluster. */
  reads?: readonly Pick<Informer<KubeObject>, 'synced'>[];
  /**
   * Makes the world as it should be, as far as the key is concerned. Level-triggered: it may be called at any time,
   * again and again. What it throws is logged (a conflict is not) and the key comes again after a while.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most return nothing, some when to come again.
  reconcile(key: K, queue: KeyQueue<K>): Promise<void | ReconcileResult>;
}

/** Runs a controller whose keys are objects of one kind. @param name of its queue in the metrics: upstream's. */
export function runController(
  context: RunContext,
  name: string,
  controller: Controller<ObjectKey>,
): Promise<void> {
  return runControllerOn(new ControllerQueue(context, name, objectKeys), context, controller);
}

/**
 * Runs a controller until the context's signal (model: controller-runtime's pkg/builder).
 * @returns a promise that resolves when its last work has ended.
 * @throws Error if it could not begin: a cache was stopped before it was complete, or a watch failed.
 */
export async function runControllerOn<K>(
  queue: ControllerQueue<K>,
  context: RunContext,
  controller: Controller<K>,
): Promise<void> {
  const { watches, first = [], reads = [] } = controller;
  const ends: (() => void)[] = [];
  try {
    await Promise.all([...watches, ...reads].map((each) => each.synced?.()));
    for (const each of watches) ends.push(each.start(queue));
    for (const key of first) queue.add(key);
    await queue.work(controller, context);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    queue.shutDown();
    for (const end of ends) end();
  }
}
