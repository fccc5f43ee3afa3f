// Kinds that are asked and answered in one request, and that nobody stores: who is who (authentication.k8s.io) and
// who may do what (authorization.k8s.io). They can only be created.

import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from '../../generated/types.ts';
import type { KubeObject } from '../../objects.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { createdAtColumn, nameColumn } from '../shared/columns.ts';
import { authenticationTypes } from './authentication-types.ts';
import { authorizationTypes } from './authorization-types.ts';

function review<T extends KubeObject>(
  { group, types }: Pick<ResourceDefinition, 'group' | 'types'>,
  kind: string,
  namespaced: boolean,
): ResourceDefinition<T> {
  const singular = kind.toLowerCase();
  return {
    group,
    version: 'v1',
    kind,
    plural: `${singular}s`,
    singular,
    shortNames: [],
    categories: [],
    namespaced,
    schema: kind,
    types,
    verbs: ['create'],
    hasStatus: false,
    columns: [nameColumn(), createdAtColumn()],
    strategy: {},
  };
}

const AUTHENTICATION = { group: 'authentication.k8s.io', types: [authenticationTypes] };
const AUTHORIZATION = { group: 'authorization.k8s.io', types: [authorizationTypes] };

export const tokenReviews = review<TokenReview>(AUTHENTICATION, 'TokenReview', false);
export const selfSubjectReviews = review<SelfSubjectReview>(AUTHENTICATION, 'SelfSubjectReview', false);
export const subjectAccessReviews = review<SubjectAccessReview>(AUTHORIZATION, 'SubjectAccessReview', false);
export const selfSubjectAccessReviews = review<SelfSubjectAccessReview>(
  AUTHORIZATION,
  'SelfSubjectAccessReview',
  false,
);
export const selfSubjectRulesReviews = review<SelfSubjectRulesReview>(
  AUTHORIZATION,
  'SelfSubjectRulesReview',
  false,
);
export const localSubjectAccessReviews = review<LocalSubjectAccessReview>(
  AUTHORIZATION,
  'LocalSubjectAccessReview',
  true,
);
