// How much of each quota is used: counted once over the objects there are, then kept as they change, so that a write
// costs the same in a namespace of ten pods and of ten thousand. Beside it, what writes that have not ended will add.
import type { ResourceQuota } from '../../api/generated/types.ts';
import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import { type Amounts, addTo } from '../../api/pod-resources.ts';
import { matchesScopes } from '../../api/quota/scopes.ts';
import { type Counted, usageOf } from '../../api/quota/usage.ts';
import type { AdmissionContext, ObjectChange } from './admission.ts';

/** One kind's part in one quota. */
interface Account {
  quota: Stored<ResourceQuota>;
  used: Amounts;
}

/** What a write adds to a quota, of the resources that the quota bounds. */
export interface Charge {
  quota: Stored<ResourceQuota>;
  added: Amounts;
}

/** Everything that is known of one kind of object. */
interface Book {
  kind: Counted;
  /** namespace → quota's uid → account. */
  accounts: Map<string, Map<string, Account>>;
  /** object → what writes of it hold. */
  held: Map<string, Charge[]>;
  list(namespace: string): readonly Stored[];
}

export class QuotaLedger {
  readonly #books = new Map<string, Promise<Book>>();

  /** The book of a kind, true from the moment it is returned on. */
  async open(kind: Counted, context: AdmissionContext): Promise<OpenBook> {
    const path = `${kind.group}/${kind.plural}`;
    let book = this.#books.get(path);
    if (!book) {
      book = openBook(kind, context);
      this.#books.set(path, book);
      book.catch(() => this.#books.delete(path));
    }
    return new OpenBook(await book);
  }
}

/** A book in the hand of one write: no other comes between two calls without an await. */
export class OpenBook {
  readonly #book: Book;

  constructor(book: Book) {
    this.#book = book;
  }

  /** What is used of a quota by this kind, with what is held. */
  used(quota: Stored<ResourceQuota>): Amounts {
    const sum = new Map(accountOf(this.#book, quota).used);
    for (const charges of this.#book.held.values()) {
      for (const charge of charges)
        if (charge.quota.metadata.uid === quota.metadata.uid) addTo(sum, charge.added);
    }
    return sum;
  }

  /** Holds charges for a write until the object is seen or `release` is called, whichever comes first. */
  hold(key: ObjectKey, charges: readonly Charge[]): () => void {
    const { held } = this.#book;
    const path = pathOf(key);
    held.set(path, [...(held.get(path) ?? []), ...charges]);
    return () => {
      const left = (held.get(path) ?? []).filter((charge) => !charges.includes(charge));
      if (left.length > 0) held.set(path, left);
      else held.delete(path);
    };
  }
}

async function openBook(kind: Counted, context: AdmissionContext): Promise<Book> {
  const book: Book = { kind, accounts: new Map(), held: new Map(), list: () => [] };
  book.list = await context.follow(kind.group, kind.plural, (change) => take(book, change));
  await context.follow('', 'resourcequotas', ({ object, previous }) => {
    if (object || !previous) return;
    book.accounts.get(previous.metadata.namespace ?? '')?.delete(previous.metadata.uid);
  });
  return book;
}

function take({ kind, accounts, held }: Book, { object, previous }: ObjectChange): void {
  const changed = object ?? previous;
  if (!changed) return;
  held.delete(pathOf(changed.metadata));
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
  for (const object of book.list(namespace)) count(account.used, quota, book.kind, object, 1n);
  inNamespace.set(uid, account);
  return account;
}

function count(used: Amounts, quota: ResourceQuota, kind: Counted, object: KubeObject, sign: 1n | -1n): void {
  if (!matchesScopes(quota, kind, object)) return;
  for (const [name, amount] of usageOf(kind, object)) used.set(name, (used.get(name) ?? 0n) + amount * sign);
}

const pathOf = ({ namespace, name }: ObjectKey | Stored['metadata']): string => `${namespace ?? ''}/${name}`;
