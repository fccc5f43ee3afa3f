// How much of each quota is used: counted once over the objects there are, then kept as they change, so that a write
// costs the same in a namespace of ten pods and of ten thousand. What writes under way will add is in pending-charges.ts.
import type { ResourceQuota } from '../../api/generated/types.ts';
import { type KubeObject, keyOf, parseKey, type Stored } from '../../api/objects.ts';
import type { Amounts } from '../../api/pod-resources.ts';
import { matchesScopes } from '../../api/quota/scopes.ts';
import { type Counted, usageOf } from '../../api/quota/usage.ts';
import type { AdmissionContext, ObjectChange } from './admission.ts';
import { type Pending, PendingCharges } from './pending-charges.ts';

/** One kind's part in one quota. */
interface Account {
  quota: Stored<ResourceQuota>;
  used: Amounts;
}

type Seen = Awaited<ReturnType<AdmissionContext['follow']>>;

/** Everything that is known of one kind of object. */
interface Book {
  kind: Counted;
  /** namespace → quota's uid → account. */
  accounts: Map<string, Map<string, Account>>;
  objects: Seen;
  /** Objects that have gone lately, oldest first: when, and at which revision. */
  gone: Map<string, { atMs: number; revision: number }>;
}

/** How long it is known that an object has gone, ms: longer than a write may be under way. */
const GONE_MS = 120_000;

export class QuotaLedger {
  readonly #books = new Map<string, Promise<Book>>();
  readonly #opened = new Map<string, Book>();
  /** By the uid of the quota. */
  readonly #pending = new Map<string, PendingCharges>();

  /** What is used of quotas by a kind, true at every moment from the one on in which it is returned. */
  async open(kind: Counted, context: AdmissionContext): Promise<(quota: Stored<ResourceQuota>) => Amounts> {
    const path = pathOf(kind);
    let opening = this.#books.get(path);
    if (!opening) {
      opening = this.#openBook(kind, context);
      this.#books.set(path, opening);
      opening.catch(() => this.#books.delete(path));
    }
    const book = await opening;
    return (quota) => accountOf(book, quota).used;
  }

  /** What writes under way will add to a quota. */
  pending({ metadata: { uid } }: Stored<ResourceQuota>, context: AdmissionContext): PendingCharges {
    let pending = this.#pending.get(uid);
    if (!pending) {
      const { store, clock } = context;
      pending = new PendingCharges(uid, store, clock, {
        newest: context.newest,
        revision: context.revision,
        isSeen: (charge) => this.#isSeen(charge),
      });
      this.#pending.set(uid, pending);
    }
    return pending;
  }

  /** A write has been seen when the object is another than it was to be made from, or has come and gone. */
  #isSeen({ kind, object, from, since }: Pending): boolean {
    const book = this.#opened.get(kind);
    if (!book) return false;
    const { namespace, name } = parseKey(object);
    const there = book.objects.get(namespace, name)?.metadata.resourceVersion ?? '';
    return there !== from || (book.gone.get(object)?.revision ?? 0) > since;
  }

  async #openBook(kind: Counted, context: AdmissionContext): Promise<Book> {
    const accounts: Book['accounts'] = new Map();
    let book: Book | undefined;
    const objects = await context.follow(kind.group, kind.plural, (change) => {
      if (book) take(book, change, context.clock.now());
    });
    book = { kind, accounts, objects, gone: new Map() };
    this.#opened.set(pathOf(kind), book);
    await context.follow('', 'resourcequotas', ({ object, previous }) => {
      if (object || !previous) return;
      const { namespace = '', uid } = previous.metadata;
      accounts.get(namespace)?.delete(uid);
      // Another server may have done so: then there is nothing left to remove.
      this.#pending
        .get(uid)
        ?.drop()
        .catch(() => {});
      this.#pending.delete(uid);
    });
    return book;
  }
}

function take(
  { kind, accounts, gone }: Book,
  { revision, object, previous }: ObjectChange,
  nowMs: number,
): void {
  const changed = object ?? previous;
  if (!changed) return;
  if (!object) {
    const key = keyOf(changed);
    gone.delete(key);
    gone.set(key, { atMs: nowMs, revision });
    for (const [old, { atMs }] of gone) {
      if (nowMs - atMs <= GONE_MS) break;
      gone.delete(old);
    }
  }
  for (const { quota, used } of accounts.get(changed.metadata.namespace ?? '')?.values() ?? []) {
    if (previous) count(used, quota, kind, previous, -1n);
    if (object) count(used, quota, kind, object, 1n);
  }
}

function accountOf(book: Book, quota: Stored<ResourceQuota>): Account {
  const { namespace = '', uid, generation } = quota.metadata;
  const inNamespace = book.accounts.get(namespace) ?? new Map<string, Account>();
  book.accounts.set(namespace, inNamespace);
  const known = inNamespace.get(uid);
  if (known && known.quota.metadata.generation === generation) return known;
  const account: Account = { quota, used: new Map() };
  for (const object of book.objects.list(namespace)) count(account.used, quota, book.kind, object, 1n);
  inNamespace.set(uid, account);
  return account;
}

function count(used: Amounts, quota: ResourceQuota, kind: Counted, object: KubeObject, sign: 1n | -1n): void {
  if (!matchesScopes(quota, kind, object)) return;
  for (const [name, amount] of usageOf(kind, object)) used.set(name, (used.get(name) ?? 0n) + amount * sign);
}

/** How charges name a kind. */
export const pathOf = ({ group, plural }: Pick<Counted, 'group' | 'plural'>): string => `${group}/${plural}`;
