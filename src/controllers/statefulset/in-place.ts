// Updates in place (`stead.dev/pod-update: in-place-if-possible`): a change of nothing but images, labels and
// annotations is written into the pod that is there. Its node restarts the containers with other images; address,
// node and claims stay. Any other change makes the pod again.
import type { Container, Pod, PodTemplateSpec } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { canonicalJson } from '../revision-hash.ts';
import { type Revision, templateOf } from '../revisions.ts';
import type { Action } from './actions.ts';
import { identityLabels, REVISION_LABEL, revisionOf } from './identity.ts';
import { IN_PLACE_RECORD, recordFor } from './in-place-record.ts';
import type { Condemned, Scene } from './scene.ts';

export type InPlaceUpdate = Extract<Action, { type: 'updateInPlace' }>;

/** The update of a pod in place; undefined if the set does not ask for it or the change does not allow it. */
export function inPlaceUpdate(
  { set, options, revisions }: Scene,
  replica: Condemned,
): InPlaceUpdate | undefined {
  if (!options.updatesInPlace) return undefined;
  const { pod, ordinal } = replica;
  const { update } = revisions;
  const name = revisionOf(pod);
  const before = revisions.history.find((revision) => revision.metadata.name === name);
  if (!before) return undefined;
  const old = templateOf(before);
  if (fixedPart(old) !== fixedPart(update.template) || readsChangedMetadata(old, update.template)) {
    return undefined;
  }
  const restarted = changedImages(pod, update.template);
  const metadata = changedMetadata(pod, old, update);
  Object.assign(metadata.labels, identityLabels(set, ordinal));
  if (restarted.size > 0) metadata.annotations[IN_PLACE_RECORD] = recordFor(pod, restarted);
  const containers = pod.spec.containers.map((container) => {
    const image = restarted.get(container.name);
    return image === undefined ? container : { ...container, image };
  });
  const changed = { ...pod, metadata: { ...pod.metadata, ...metadata }, spec: { ...pod.spec, containers } };
  return { type: 'updateInPlace', pod, changed, restarted: [...restarted.keys()] };
}

/** The pod without the note of an update in place that has come to its end. */
export function withoutRecord(pod: Stored<Pod>): Stored<Pod> {
  const { [IN_PLACE_RECORD]: _done, ...annotations } = pod.metadata.annotations ?? {};
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** As text, what cannot change without making the pod again. */
function fixedPart({ metadata, spec }: PodTemplateSpec): string {
  const withoutImage = ({ image: _image, ...rest }: Container): object => rest;
  const { labels: _labels, annotations: _annotations, ...fixed } = metadata ?? {};
  return canonicalJson({ fixed, spec: { ...spec, containers: spec?.containers.map(withoutImage) } });
}

/** By name of the container: the images that the pod has not. */
function changedImages(pod: Pod, { spec }: PodTemplateSpec): Map<string, string> {
  const wanted = new Map(spec?.containers.map(({ name, image }) => [name, image]));
  const changed = new Map<string, string>();
  for (const { name, image } of pod.spec.containers) {
    const to = wanted.get(name);
    if (to !== undefined && to !== image) changed.set(name, to);
  }
  return changed;
}

type Texts = Record<string, string>;

/** What others have put on the pod stays; what the old template gave and the new one does not, goes. */
function changedMetadata(
  pod: Pod,
  old: PodTemplateSpec,
  update: Revision,
): { labels: Texts; annotations: Texts } {
  const replace = (have: Texts = {}, before: Texts = {}, now: Texts = {}): Texts => {
    const kept = Object.entries(have).filter(([key]) => !(key in before) || key in now);
    return { ...Object.fromEntries(kept), ...now };
  };
  const { labels, annotations } = update.template.metadata ?? {};
  return {
    labels: {
      ...replace(pod.metadata.labels, old.metadata?.labels, labels),
      [REVISION_LABEL]: update.name,
    },
    annotations: replace(pod.metadata.annotations, old.metadata?.annotations, annotations),
  };
}

/** An environment is made when a container starts: one that shows a changed label or annotation would go stale. */
function readsChangedMetadata(old: PodTemplateSpec, now: PodTemplateSpec): boolean {
  const containers = [...(now.spec?.containers ?? []), ...(now.spec?.initContainers ?? [])];
  return containers.some((container) =>
    (container.env ?? []).some(({ valueFrom }) => {
      const path = valueFrom?.fieldRef?.fieldPath ?? '';
      const match = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
      if (!match) return false;
      const field = match[1] === 'labels' ? 'labels' : 'annotations';
      const key = match[2] ?? '';
      return old.metadata?.[field]?.[key] !== now.metadata?.[field]?.[key];
    }),
  );
}
