// POST to serviceaccounts/token: a token of the account. Follows pkg/registry/core/serviceaccount/storage/token.go.

import { badRequest, conflict, type FieldError, invalid, invalidValue, notFound } from '../../api/errors.ts';
import type { BoundObjectReference, Pod, ServiceAccount, TokenRequest } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { decode } from '../../api/schema/decode.ts';
import { applyDefaults } from '../../api/schema/defaults.ts';
import { timestamp } from '../../base/clock.ts';
import { own } from '../../base/own.ts';
import { present } from '../../base/present.ts';
import type { AdmissionRequest } from '../admission/admission.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { keyOfRequest } from '../verbs/request-key.ts';
import { type Binding, bindingOfPod, type ServiceAccountTokens } from './service-account-tokens.ts';

const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const BOUND_PLURALS: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

export async function requestToken(
  pipeline: Pipeline,
  tokens: ServiceAccountTokens,
  request: ApiRequest,
): Promise<ApiResult> {
  const { registry } = pipeline;
  const type = registry.schema.type('TokenRequest');
  const decoded = decode(type, request.body, request.options.fieldValidation ?? 'Warn');
  applyDefaults(type, decoded.object);
  const { resource, subresource, user, options } = request;
  const asked: AdmissionRequest = {
    operation: 'CREATE',
    resource,
    subresource,
    key: keyOfRequest(request),
    object: decoded.object,
    old: undefined,
    user,
    dryRun: options.dryRun ?? false,
  };
  return pipeline.admitted(asked, decoded.warnings, async ({ object, validate, warnings }) => {
    await validate(object);
    // The subresource decides the type.
    const issued = await issue(registry, tokens, request, (object as TokenRequest).spec);
    return { type: 'object', code: 201, object: issued, warnings };
  });
}

async function issue(
  registry: Registry,
  tokens: ServiceAccountTokens,
  request: ApiRequest,
  spec: TokenRequest['spec'],
): Promise<TokenRequest & KubeObject> {
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const errors = validateSeconds(seconds);
  if (errors.length > 0) {
    const subject = { group: 'authentication.k8s.io', kind: 'TokenRequest', plural: 'tokenrequests' };
    throw invalid(subject, '', errors);
  }
  const account = (await registry.get(request.resource, keyOfRequest(request))) as Stored<ServiceAccount>;
  const { boundObjectRef } = spec;
  const binding = boundObjectRef ? await bind(registry, account, boundObjectRef) : {};
  const asked = spec.audiences ?? [];
  const audiences = asked.length > 0 ? asked : tokens.authority.audiences;
  const { token, expiresAtMs } = tokens.issue(account, audiences, seconds, binding);
  const { namespace, name } = account.metadata;
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: present({ name, namespace, creationTimestamp: timestamp(registry.clock.now()) }),
    spec: { ...spec, audiences: [...audiences], expirationSeconds: seconds },
    status: { token, expirationTimestamp: timestamp(expiresAtMs) },
  };
}

function validateSeconds(seconds: number): FieldError[] {
  const path = 'spec.expirationSeconds';
  if (seconds < MIN_SECONDS) {
    return [invalidValue(path, seconds, 'may not specify a duration less than 10 minutes')];
  }
  return seconds > MAX_SECONDS
    ? [invalidValue(path, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : [];
}

/** Finds what the token is to be bound to. Throws NotFound, Conflict for another uid, and BadRequest. */
async function bind(
  registry: Registry,
  account: Stored<ServiceAccount>,
  reference: BoundObjectReference,
): Promise<Binding> {
  const { apiVersion, kind = '', name = '', uid } = reference;
  const resource = registry.resource('', (apiVersion === 'v1' && own(BOUND_PLURALS, kind)) || '');
  if (!resource) {
    throw badRequest(`cannot bind token to object of type ${apiVersion ?? ''}, Kind=${kind}`);
  }
  const namespace = resource.namespaced ? account.metadata.namespace : undefined;
  const bound = await registry.find(resource, { namespace, name });
  if (!bound) throw notFound(resource, name);
  if (uid && uid !== bound.metadata.uid) {
    throw conflict(
      { group: '', kind, plural: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const binding = { name: bound.metadata.name, uid: bound.metadata.uid };
  if (kind === 'Secret') return { secret: binding };
  if (kind === 'Node') return { node: binding };
  return bindPod(registry, account, bound as Stored<Pod>);
}

async function bindPod(
  registry: Registry,
  account: Stored<ServiceAccount>,
  pod: Stored<Pod>,
): Promise<Binding> {
  const { name } = account.metadata;
  if (pod.spec.serviceAccountName !== name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`,
    );
  }
  const nodes = registry.resource('', 'nodes');
  const { nodeName } = pod.spec;
  const node = nodes && nodeName ? await registry.find(nodes, { name: nodeName }) : undefined;
  return bindingOfPod(pod, node);
}
