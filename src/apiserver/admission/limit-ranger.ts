// A namespace's LimitRanges: what containers request and are limited to when they say nothing, and the bounds of what
// containers, pods and claims may ask for. Follows plugin/pkg/admission/limitranger/admission.go.
import { forbidden } from '../../api/errors.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { podLimits, podRequests } from '../../api/pod-resources.ts';
import { amountOf, formatQuantity } from '../../api/quantity.ts';
import { present } from '../../base/present.ts';
import { type AdmissionContext, type AdmissionPlugin, type AdmissionRequest, objectOf } from './admission.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Resources = Record<string, string>;

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  async admit(request, context) {
    const pod = request.operation === 'CREATE' ? objectOf<Pod>(request, '', 'Pod') : undefined;
    if (!pod?.spec) return request.object;
    return (await rangesFor(request, context)).reduce(withDefaults, pod);
  },
  async validate(request, context) {
    const pod = request.operation === 'CREATE' ? objectOf<Pod>(request, '', 'Pod') : resizedPod(request);
    const claim = objectOf<PersistentVolumeClaim>(request, '', 'PersistentVolumeClaim');
    if (!pod && !claim) return;
    for (const range of await rangesFor(request, context)) {
      const reasons = pod ? podReasons(pod, range) : claimReasons(claim, range);
      if (reasons.length > 0) {
        throw forbidden(
          request.resource,
          request.key.name,
          reasons.length > 1 ? `[${reasons.join(', ')}]` : `${reasons[0]}`,
        );
      }
    }
  },
};

/** A pod that is given other resources is bounded as a new one is. */
function resizedPod({ resource, subresource, object }: AdmissionRequest): Pod | undefined {
  const isResize = resource.group === '' && resource.kind === 'Pod' && subresource === 'resize';
  // The resource decides the type.
  return isResize ? (object as Pod) : undefined;
}

async function rangesFor(
  { key }: AdmissionRequest,
  context: AdmissionContext,
): Promise<Stored<LimitRange>[]> {
  // The resource decides the type.
  return (await context.list('', 'limitranges', key.namespace)) as Stored<LimitRange>[];
}

/** The pod with what its containers leave open, and an annotation that notes what that was. */
function withDefaults(pod: Pod, range: LimitRange): Pod {
  const items = (range.spec?.limits ?? []).filter(({ type }) => type === 'Container');
  const limits: Resources = Object.assign({}, ...items.map((item) => item.default));
  const requests: Resources = Object.assign({}, ...items.map((item) => item.defaultRequest));
  const notes: string[] = [];
  const fill = (container: Container, what: string): Container => {
    const own = container.resources ?? {};
    const newRequests = missing(requests, own.requests);
    const newLimits = missing(limits, own.limits);
    if (newRequests.length === 0 && newLimits.length === 0) return container;
    const note = (names: string[], kind: string): void => {
      if (names.length > 0) notes.push(`${names.sort().join(', ')} ${kind} for ${what} ${container.name}`);
    };
    note(newRequests, 'request');
    note(newLimits, 'limit');
    const resources = {
      ...own,
      requests: { ...requests, ...own.requests },
      limits: { ...limits, ...own.limits },
    };
    return { ...container, resources };
  };
  const { metadata, spec } = pod;
  const containers = spec.containers?.map((each) => fill(each, 'container'));
  const initContainers = spec.initContainers?.map((each) => fill(each, 'init container'));
  if (notes.length === 0) return pod;
  const annotations = {
    ...metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
  };
  return {
    ...pod,
    metadata: { ...metadata, annotations },
    spec: present({ ...spec, containers, initContainers }),
  };
}

function missing(defaults: Resources, given: Resources = {}): string[] {
  return Object.keys(defaults).filter((name) => given[name] === undefined);
}

function podReasons(pod: Pod, range: LimitRange): string[] {
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Container') {
      const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
      return containers.flatMap(({ resources }) => itemReasons(item, resources?.requests, resources?.limits));
    }
    return item.type === 'Pod' ? itemReasons(item, texts(podRequests(pod)), texts(podLimits(pod))) : [];
  });
}

function texts(amounts: ReadonlyMap<string, bigint>): Resources {
  return Object.fromEntries(
    [...amounts].map(([name, amount]) => [
      name,
      formatQuantity(amount, name === 'cpu' ? 'DecimalSI' : 'BinarySI'),
    ]),
  );
}

function claimReasons(claim: PersistentVolumeClaim | undefined, range: LimitRange): string[] {
  const { requests, limits } = claim?.spec?.resources ?? {};
  const items = (range.spec?.limits ?? []).filter(({ type }) => type === 'PersistentVolumeClaim');
  return items.flatMap(({ type, min, max }) => [
    ...Object.entries(min ?? {}).flatMap(([name, least]) => minReason(type, name, least, requests, limits)),
    // A claim has no limit of its own: what it requests is what it may hold.
    ...Object.entries(max ?? {}).flatMap(([name, most]) => maxReason(type, name, most, requests, requests)),
  ]);
}

function itemReasons(item: LimitRangeItem, requests: Resources = {}, limits: Resources = {}): string[] {
  const { type, min, max, maxLimitRequestRatio } = item;
  return [
    ...Object.entries(min ?? {}).flatMap(([name, least]) => minReason(type, name, least, requests, limits)),
    ...Object.entries(max ?? {}).flatMap(([name, most]) => maxReason(type, name, most, requests, limits)),
    ...Object.entries(maxLimitRequestRatio ?? {}).flatMap(([name, ratio]) =>
      ratioReason(type, name, ratio, requests, limits),
    ),
  ];
}

function minReason(
  type: string,
  name: string,
  least: string,
  requests: Resources = {},
  limits: Resources = {},
): string[] {
  const { [name]: request } = requests;
  const { [name]: limit } = limits;
  const start = `minimum ${name} usage per ${type} is ${least}`;
  if (request === undefined) return [`${start}.  No request is specified`];
  if (amountOf(request) < amountOf(least)) return [`${start}, but request is ${request}`];
  return limit !== undefined && amountOf(limit) < amountOf(least) ? [`${start}, but limit is ${limit}`] : [];
}

function maxReason(
  type: string,
  name: string,
  most: string,
  requests: Resources = {},
  limits: Resources = {},
): string[] {
  const { [name]: request } = requests;
  const { [name]: limit } = limits;
  const start = `maximum ${name} usage per ${type} is ${most}`;
  if (limit === undefined) return [`${start}.  No limit is specified`];
  if (amountOf(limit) > amountOf(most)) {
    return [`${start}, but ${type === 'PersistentVolumeClaim' ? 'request' : 'limit'} is ${limit}`];
  }
  return request !== undefined && amountOf(request) > amountOf(most)
    ? [`${start}, but request is ${request}`]
    : [];
}

function ratioReason(
  type: string,
  name: string,
  ratio: string,
  requests: Resources,
  limits: Resources,
): string[] {
  const request = amountOf(requests[name]);
  const limit = amountOf(limits[name]);
  const start = `${name} max limit to request ratio per ${type} is ${ratio}`;
  if (request === 0n) return [`${start}, but no request is specified or request is 0`];
  if (limit === 0n) return [`${start}, but no limit is specified or limit is 0`];
  const observed = Number(limit) / Number(request);
  return observed > Number(amountOf(ratio)) / 1e9
    ? [`${start}, but provided ratio is ${observed.toFixed(6)}`]
    : [];
}
