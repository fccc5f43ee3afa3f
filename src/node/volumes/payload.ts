// The files of a projected volume, as a value: which keys of a config map or secret become which files with which
// modes (kubelet's MakePayload in pkg/volume/configmap and pkg/volume/secret). Pure.
import type { ConfigMap, KeyToPath, Secret } from '../../api/generated/types.ts';

export interface ProjectedFile {
  content: Buffer;
  /** Permission bits. */
  mode: number;
}

/** Path within the volume → file. */
export type Payload = Map<string, ProjectedFile>;

export interface KeySelection {
  items?: readonly KeyToPath[] | undefined;
  defaultMode: number;
  optional: boolean;
}

/** A projected volume that asks for a key that is not there. */
export class MissingKeyError extends Error {}

/**
 * Picks keys as `items` says, or all.
 * @param what `config` or `secret`: upstream's word in the error.
 * @throws MissingKeyError for a key that is not there and not optional.
 */
export function selectKeys(
  data: ReadonlyMap<string, Buffer>,
  selection: KeySelection,
  what: string,
): Payload {
  const payload: Payload = new Map();
  if (!selection.items?.length) {
    for (const [key, content] of data) payload.set(key, { content, mode: selection.defaultMode });
    return payload;
  }
  for (const { key, path, mode } of selection.items) {
    const content = data.get(key);
    if (content) payload.set(path, { content, mode: mode ?? selection.defaultMode });
    else if (!selection.optional) throw new MissingKeyError(`references non-existent ${what} key: ${key}`);
  }
  return payload;
}

export function configMapData(configMap: ConfigMap | undefined): Map<string, Buffer> {
  const text = Object.entries(configMap?.data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value)] as const,
  );
  return new Map([...text, ...base64Entries(configMap?.binaryData)]);
}

export function secretData(secret: Secret | undefined): Map<string, Buffer> {
  return new Map(base64Entries(secret?.data));
}

function base64Entries(data: Record<string, string> | undefined): Array<readonly [string, Buffer]> {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
}
