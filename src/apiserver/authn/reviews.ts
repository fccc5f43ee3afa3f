// Who is who, asked as objects that nobody stores: TokenReview and SelfSubjectReview. Follows
// pkg/registry/authentication.

import { badRequest } from '../../api/errors.ts';
import type { SelfSubjectReview, TokenReview, UserInfo } from '../../api/generated/types.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult, User } from '../request.ts';
import { decodeBody } from '../verbs/body.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export async function reviewToken(
  registry: Registry,
  tokens: ServiceAccountTokens,
  request: ApiRequest,
): Promise<ApiResult> {
  const { object, warnings } = decodeBody(registry, request);
  const review = object as TokenReview;
  if (!review.spec?.token) throw badRequest('token is required for TokenReview in authentication');
  const asked = review.spec.audiences ?? [];
  const verdict = await tokens.check(review.spec.token, asked.length > 0 ? asked : undefined);
  if ('error' in verdict) review.status = { error: verdict.error, user: {} };
  else {
    const user = { ...verdict.user, groups: [...verdict.user.groups, 'system:authenticated'] };
    review.status = { authenticated: true, user: userInfo(user), audiences: verdict.audiences };
  }
  return { type: 'object', code: 201, object: review, warnings };
}

/** Answers what the server knows of whoever asks. */
export function reviewSelf(registry: Registry, request: ApiRequest): ApiResult {
  const { object, warnings } = decodeBody(registry, request);
  const review: SelfSubjectReview = present({
    kind: object.kind,
    apiVersion: object.apiVersion,
    metadata: { creationTimestamp: timestamp(registry.clock.now()) },
    status: { userInfo: userInfo(request.user) },
  });
  return { type: 'object', code: 201, object: review, warnings };
}

/** A user as the API shows one. */
export function userInfo({ name, uid, groups, extra }: User): UserInfo {
  return present({ username: name, uid: uid || undefined, groups: [...groups], extra });
}
