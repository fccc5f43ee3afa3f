// Volumes whose files come from the API: configMap, secret, downwardAPI, and projected, which joins them. Each
// becomes one payload, written atomically; calling again brings it up to date.
import { chmod, mkdir } from 'node:fs/promises';
import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  Pod,
  SecretProjection,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Clock } from '../../base/clock.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { fieldValue, type Placement, resourceValue } from '../pods/spec/downward.ts';
import { writeAtomically } from './atomic-directory.ts';
import { fsGroupOf } from './ownership.ts';
import { configMapData, type KeySelection, type Payload, secretData, selectKeys } from './payload.ts';
import { mountTmpfs } from './tmpfs.ts';
import type { VolumeObjects } from './volume-objects.ts';
import { type ReadyVolume, VolumeNotReadyError } from './volumes.ts';

const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3600;
/** A token is replaced when this part of its life is over, as upstream. */
const TOKEN_RENEWAL = 0.8;

export interface ProjectionDependencies {
  run: RunCommand;
  clock: Clock;
  objects: VolumeObjects;
  /** What downwardAPI fields of the pod's surroundings say. */
  placement(pod: Stored<Pod>): Placement;
}

export class ProjectedVolumes {
  readonly #use: ProjectionDependencies;
  /** Tokens in use, by pod, volume and path; dropped with the pod. */
  readonly #tokens = new Map<string, { token: string; renewAtMs: number }>();

  constructor(dependencies: ProjectionDependencies) {
    this.#use = dependencies;
  }

  /** Whether a volume is one of these. */
  static has(volume: Volume): boolean {
    return Boolean(volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected);
  }

  /** Writes the volume's files, or brings them up to date. */
  async setUp(pod: Stored<Pod>, volume: Volume, directory: string): Promise<ReadyVolume> {
    const payload = await this.#payload(pod, volume);
    // Any user of the pod may look for its files, whatever the umask.
    if (await mkdir(directory, { recursive: true })) await chmod(directory, 0o755);
    // Config maps go to disk, as upstream; all that may hold a secret stays in memory.
    if (!volume.configMap) await mountTmpfs(this.#use.run, directory, ['mode=0755']);
    await writeAtomically(directory, payload, this.#use.clock.now(), fsGroupOf(pod)?.gid);
    return { hostPath: directory, readOnly: true };
  }

  /** Forgets what is known of a pod. */
  forget(podUid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${podUid}/`)) this.#tokens.delete(key);
  }

  async #payload(pod: Stored<Pod>, volume: Volume): Promise<Payload> {
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap) return this.#configMap(pod, configMap, configMap.defaultMode ?? DEFAULT_MODE);
    if (secret) {
      const { secretName: name = '', defaultMode = DEFAULT_MODE } = secret;
      return this.#secret(pod, { ...secret, name }, defaultMode);
    }
    if (downwardAPI) {
      return this.#downward(pod, downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE);
    }
    const mode = projected?.defaultMode ?? DEFAULT_MODE;
    const joined: Payload = new Map();
    for (const source of projected?.sources ?? []) {
      for (const [path, file] of await this.#source(pod, volume.name, source, mode)) joined.set(path, file);
    }
    return joined;
  }

  #source(pod: Stored<Pod>, volumeName: string, source: VolumeProjection, mode: number): Promise<Payload> {
    if (source.configMap) return this.#configMap(pod, source.configMap, mode);
    if (source.secret) return this.#secret(pod, source.secret, mode);
    if (source.downwardAPI) return this.#downward(pod, source.downwardAPI.items ?? [], mode);
    if (source.serviceAccountToken) return this.#token(pod, volumeName, source.serviceAccountToken, mode);
    const kind = Object.keys(source).join(', ') || 'empty';
    throw new VolumeNotReadyError('FailedMount', `projected source ${kind} is not supported by this node`);
  }

  async #configMap(pod: Stored<Pod>, source: ConfigMapProjection, defaultMode: number): Promise<Payload> {
    const found = await this.#use.objects.configMap(pod.metadata.namespace ?? '', source.name ?? '');
    return select(configMapData(found), source, defaultMode, found !== undefined, 'configmap', 'config');
  }

  async #secret(pod: Stored<Pod>, source: SecretProjection, defaultMode: number): Promise<Payload> {
    const found = await this.#use.objects.secret(pod.metadata.namespace ?? '', source.name ?? '');
    return select(secretData(found), source, defaultMode, found !== undefined, 'secret', 'secret');
  }

  async #downward(
    pod: Stored<Pod>,
    items: readonly DownwardAPIVolumeFile[],
    defaultMode: number,
  ): Promise<Payload> {
    const placement = this.#use.placement(pod);
    const files = items.map((item) => {
      const content = Buffer.from(downwardValue(pod, item, placement));
      return [item.path, { content, mode: item.mode ?? defaultMode }] as const;
    });
    return new Map(files);
  }

  async #token(
    pod: Stored<Pod>,
    volumeName: string,
    source: ServiceAccountTokenProjection,
    mode: number,
  ): Promise<Payload> {
    const key = `${pod.metadata.uid}/${volumeName}/${source.path}`;
    const now = this.#use.clock.now();
    let current = this.#tokens.get(key);
    if (!current || now >= current.renewAtMs) {
      const lifeMs = (source.expirationSeconds ?? DEFAULT_TOKEN_SECONDS) * 1000;
      const token = await this.#use.objects.token(pod, source);
      current = { token, renewAtMs: now + lifeMs * TOKEN_RENEWAL };
      this.#tokens.set(key, current);
    }
    return new Map([[source.path, { content: Buffer.from(current.token), mode }]]);
  }
}

function select(
  data: ReadonlyMap<string, Buffer>,
  source: { name?: string; items?: KeySelection['items']; optional?: boolean },
  defaultMode: number,
  exists: boolean,
  kind: string,
  what: string,
): Payload {
  const optional = source.optional === true;
  if (!exists && !optional)
    throw new VolumeNotReadyError('FailedMount', `${kind} "${source.name}" not found`);
  return selectKeys(data, { items: source.items, defaultMode, optional }, what);
}

/** The content of one downwardAPI file. Pure. */
function downwardValue(pod: Stored<Pod>, item: DownwardAPIVolumeFile, placement: Placement): string {
  const { fieldRef, resourceFieldRef } = item;
  if (fieldRef?.fieldPath === 'metadata.labels') return formatMap(pod.metadata.labels);
  if (fieldRef?.fieldPath === 'metadata.annotations') return formatMap(pod.metadata.annotations);
  if (fieldRef) {
    const value = fieldValue(pod, fieldRef, placement);
    if (value !== undefined) return value;
    throw new VolumeNotReadyError('FailedMount', `unsupported fieldPath: ${fieldRef.fieldPath}`);
  }
  const container = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find(
    ({ name }) => name === resourceFieldRef?.containerName,
  );
  const value = container && resourceFieldRef && resourceValue(pod, container, resourceFieldRef, placement);
  if (value !== undefined) return value;
  throw new VolumeNotReadyError(
    'FailedMount',
    `downwardAPI file ${item.path}: no container ${JSON.stringify(resourceFieldRef?.containerName)} with ${resourceFieldRef?.resource}`,
  );
}

/** `key="value"`, a line each, by key (upstream's fieldpath.FormatMap). */
function formatMap(map: Record<string, string> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${JSON.stringify(map?.[key])}`)
    .join('\n');
}
