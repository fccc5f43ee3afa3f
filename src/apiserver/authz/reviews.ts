// Who may do what, asked as objects that nobody stores: the four reviews of authorization.k8s.io. Follows
// pkg/registry/authorization and pkg/apis/authorization/validation.
import { badRequest, type FieldError, invalid, invalidValue } from '../../api/errors.ts';
import type {
  FieldSelectorAttributes,
  LocalSubjectAccessReview,
  NonResourceAttributes,
  NonResourceRule,
  PolicyRule,
  ResourceRule,
  ResourceAttributes as ReviewedResource,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
} from '../../api/generated/types.ts';
import { present } from '../../base/present.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult, User } from '../request.ts';
import { decodeBody } from '../verbs/body.ts';
import type { Attributes, Authorizer } from './authorize.ts';
import { nodeNameOf } from './node.ts';
import { rulesFor } from './rbac.ts';
import type { RuleIndex } from './rule-index.ts';

/** What is asked: exactly one of the two. */
interface Question {
  resourceAttributes?: ReviewedResource;
  nonResourceAttributes?: NonResourceAttributes;
}

const ONE_OF = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

/** May the user who asks do this? */
export async function reviewSelfAccess(
  registry: Registry,
  authorize: Authorizer,
  request: ApiRequest,
): Promise<ApiResult> {
  const { object, warnings } = decoded(registry, request);
  const review = object as SelfSubjectAccessReview;
  refuseInvalid(request, questionErrors(review.spec));
  review.status = await answer(authorize, request.user, review.spec);
  return { type: 'object', code: 201, object: review, warnings };
}

/** May some user do this? Also for LocalSubjectAccessReview, which asks about its own namespace. */
export async function reviewAccess(
  registry: Registry,
  authorize: Authorizer,
  request: ApiRequest,
): Promise<ApiResult> {
  const { object, warnings } = decoded(registry, request);
  const review = object as SubjectAccessReview | LocalSubjectAccessReview;
  const { spec } = review;
  const errors = questionErrors(spec);
  if (!spec.user && !spec.groups?.length) {
    errors.push(
      invalidValue('spec.user', spec.user ?? '', 'at least one of user or group must be specified'),
    );
  }
  if (request.resource.namespaced) {
    const namespace = spec.resourceAttributes?.namespace;
    if (spec.nonResourceAttributes) {
      const why = 'disallowed on this kind of request';
      errors.push(invalidValue('spec.nonResourceAttributes', spec.nonResourceAttributes, why));
    } else if (namespace !== request.namespace) {
      throw badRequest(
        `spec.resourceAttributes.namespace must match namespace: ${JSON.stringify(request.namespace)}`,
      );
    }
  }
  refuseInvalid(request, errors);
  const { user: name = '', groups = [], uid, extra } = spec;
  const user: User = present({ name, groups, uid: uid || undefined, extra });
  review.status = await answer(authorize, user, spec);
  return { type: 'object', code: 201, object: review, warnings };
}

/** Everything that the user who asks may do in a namespace. */
export async function reviewSelfRules(
  registry: Registry,
  index: RuleIndex,
  request: ApiRequest,
): Promise<ApiResult> {
  const { object, warnings } = decoded(registry, request);
  const review = object as SelfSubjectRulesReview;
  const { namespace } = review.spec;
  if (!namespace) throw badRequest('no namespace on request');
  const { rules, error } = await rulesFor(index, request.user, namespace);
  const isNode = nodeNameOf(request.user) !== undefined;
  const reasons = [isNode ? 'node authorizer does not support user rule resolution' : '', error];
  const evaluationError = reasons.filter((reason) => reason !== '').join(', ');
  review.status = present({
    resourceRules: rules.filter((rule) => !rule.nonResourceURLs?.length).map(resourceRule),
    nonResourceRules: rules.filter((rule) => rule.nonResourceURLs?.length).map(nonResourceRule),
    incomplete: evaluationError !== '',
    evaluationError: evaluationError || undefined,
  });
  return { type: 'object', code: 201, object: review, warnings };
}

function decoded(registry: Registry, request: ApiRequest) {
  const { object, warnings } = decodeBody(registry, request);
  const { namespace, resource } = request;
  if (resource.namespaced) object.metadata = present({ ...object.metadata, namespace });
  return { object, warnings };
}

function questionErrors({ resourceAttributes, nonResourceAttributes }: Question): FieldError[] {
  const path = 'spec.resourceAttributes';
  if (resourceAttributes && nonResourceAttributes) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalidValue('spec.nonResourceAttributes', nonResourceAttributes, why)];
  }
  return resourceAttributes || nonResourceAttributes ? [] : [invalidValue(path, undefined, ONE_OF)];
}

function refuseInvalid({ resource }: ApiRequest, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(resource, '', errors);
}

async function answer(
  authorize: Authorizer,
  user: User,
  question: Question,
): Promise<SubjectAccessReviewStatus> {
  const { allowed, reason } = await authorize(user, attributesOf(question));
  return present({ allowed, reason: reason || undefined });
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Question): Attributes {
  if (!resourceAttributes) {
    return { path: nonResourceAttributes?.path ?? '', verb: nonResourceAttributes?.verb ?? '' };
  }
  const { group = '', resource = '', subresource, verb = '', namespace, name } = resourceAttributes;
  return {
    resource: { group, plural: resource },
    verb,
    subresource: subresource || undefined,
    namespace: namespace || undefined,
    name: name || undefined,
    fieldSelector: fieldSelectorText(resourceAttributes.fieldSelector),
  };
}

/** A selector of fields as a query has it; of its requirements, those that ask for one value. */
function fieldSelectorText(selector: FieldSelectorAttributes | undefined): string | undefined {
  if (selector?.rawSelector) return selector.rawSelector;
  const terms = (selector?.requirements ?? []).flatMap(({ key, operator, values = [] }) =>
    operator === 'In' && values.length === 1 ? `${key}=${values[0]}` : [],
  );
  return terms.length > 0 ? terms.join(',') : undefined;
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): ResourceRule {
  const named = resourceNames?.length ? resourceNames : undefined;
  return present({ verbs, apiGroups, resources, resourceNames: named });
}

function nonResourceRule({ verbs, nonResourceURLs }: PolicyRule): NonResourceRule {
  return present({ verbs, nonResourceURLs });
}
