// Reads manifests from files, addresses and standard input: YAML or JSON, many documents, Lists taken apart.
import { readFile } from 'node:fs/promises';
import type { KubeObject } from '../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/resource.ts';
import { errorText } from '../base/error-text.ts';
import { yaml } from '../base/yaml.ts';
import { UserError } from '../cluster/process/user-error.ts';

/** One object of a manifest and where it came from. */
export interface Manifest {
  source: string;
  /** The source and which of its documents. */
  where: string;
  object: KubeObject;
}

/** A manifest of a kind that the API serves. */
export interface KnownManifest extends Manifest {
  resource: ResourceDefinition;
}

/** @throws UserError naming the source, the document and what is wrong with it. */
export async function readManifests(sources: readonly string[]): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const source of sources) {
    const documents = yaml().parseAllDocuments(await readSource(source));
    for (const [index, document] of [...documents].entries()) {
      const where = `${source}, document ${index + 1}`;
      const [problem] = document.errors;
      if (problem) throw new UserError(`${where} is not YAML: ${problem.message.split('\n')[0]}`);
      for (const object of objectsIn(document.toJS(), where)) manifests.push({ source, where, object });
    }
  }
  return manifests;
}

async function readSource(source: string): Promise<string> {
  if (source === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }
  try {
    if (!/^https?:\/\//.test(source)) return await readFile(source, 'utf8');
    const response = await fetch(source);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    return await response.text();
  } catch (error) {
    throw new UserError(`The manifest ${source} cannot be read: ${errorText(error)}.`);
  }
}

const EXAMPLES = { apiVersion: 'apps/v1', kind: 'StatefulSet' } as const;

function objectsIn(value: unknown, where: string): KubeObject[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || !('kind' in value) || !('apiVersion' in value)) {
    throw new UserError(`${where} is no Kubernetes object: it needs apiVersion and kind.`);
  }
  if (value.kind === 'List' && 'items' in value && Array.isArray(value.items)) {
    return value.items.flatMap((item: unknown) => objectsIn(item, where));
  }
  for (const field of ['apiVersion', 'kind'] as const) {
    const text: unknown = field === 'kind' ? value.kind : value.apiVersion;
    if (typeof text === 'string' && text !== '') continue;
    throw new UserError(
      `${where} is no Kubernetes object: its ${field} must be a text, such as ${EXAMPLES[field]}.`,
    );
  }
  if (!('metadata' in value) || typeof value.metadata !== 'object' || value.metadata === null) {
    throw new UserError(`${where} (${value.kind}) has no metadata: give it at least metadata.name.`);
  }
  if (!('name' in value.metadata) || typeof value.metadata.name !== 'string' || value.metadata.name === '') {
    throw new UserError(`${where} (${value.kind}) has no metadata.name: what is applied needs one.`);
  }
  return [
    {
      ...value,
      apiVersion: String(value.apiVersion),
      kind: String(value.kind),
      metadata: { ...value.metadata, name: value.metadata.name },
    },
  ];
}

/**
 * The manifests with the resources that they go to.
 * @param served what the API says that it serves.
 * @throws UserError for one of a kind that is not served.
 */
export function withResources(
  manifests: readonly Manifest[],
  served: readonly ResourceDefinition[],
): KnownManifest[] {
  return manifests.map((manifest) => {
    const { apiVersion, kind } = manifest.object;
    const resource = served.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
    if (resource) return { ...manifest, resource };
    throw new UserError(
      `${manifest.where}: stead serves no kind ${kind} in ${apiVersion}: see docs/compatibility.md for what it serves.`,
    );
  });
}
