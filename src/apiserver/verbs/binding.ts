// POST to pods/binding: gives a pod its node, once. Follows pkg/registry/core/pod/storage/storage.go (assignPod).

import { conflict, invalid, required } from '../../api/errors.ts';
import type { Binding, Pod } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { decode } from '../../api/schema/decode.ts';
import { timestamp } from '../../base/clock.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { keyOfRequest } from './request-key.ts';
import { success } from './success.ts';
import { rewrite } from './update.ts';

export async function bind(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { registry } = pipeline;
  const { name } = keyOfRequest(request);
  const binding = decode(
    registry.schema.type('Binding'),
    request.body,
    request.options.fieldValidation ?? 'Warn',
  ).object as Binding;
  const nodeName = binding.target?.name;
  if (!nodeName) {
    const subject = { group: '', kind: 'Binding', plural: 'bindings' };
    throw invalid(subject, name, [required('target.name')]);
  }
  await rewrite(pipeline, request, 'other', (current) => {
    const pod = bound(current as Stored<Pod>, nodeName, timestamp(registry.clock.now()), (why) =>
      conflict({ group: '', kind: 'Binding', plural: 'pods/binding' }, name, why),
    );
    const { uid, resourceVersion, labels, annotations } = binding.metadata;
    if (labels) pod.metadata.labels = { ...pod.metadata.labels, ...labels };
    if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
    if (uid) pod.metadata.uid = uid;
    if (resourceVersion) pod.metadata.resourceVersion = resourceVersion;
    return { object: pod, warnings: [] };
  });
  return success(201);
}

/** The pod with its node. Throws what `refuse` makes of the reason why it cannot have it. */
function bound(current: Stored<Pod>, nodeName: string, now: string, refuse: (why: string) => Error): Pod {
  if (isTerminating(current)) {
    throw refuse(`pod ${current.metadata.name} is being deleted, cannot be assigned to a host`);
  }
  if (current.spec.nodeName) {
    throw refuse(`pod ${current.metadata.name} is already assigned to node "${current.spec.nodeName}"`);
  }
  if (current.spec.schedulingGates?.length) {
    throw refuse(`pod ${current.metadata.name} has non-empty .spec.schedulingGates`);
  }
  const { resourceVersion: _version, ...metadata } = current.metadata;
  const others = (current.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: now };
  return {
    ...current,
    metadata,
    spec: { ...current.spec, nodeName },
    status: { ...current.status, conditions: [...others, scheduled] },
  };
}
