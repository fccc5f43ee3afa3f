// What somebody may do: the reviews of authorization.k8s.io.
import { generatedTypes } from '../../schema/generated-types.ts';

export const authorizationTypes = generatedTypes('io.k8s.api.authorization.v1', {
  FieldSelectorAttributes: { numbers: 'rawSelector requirements' },
  LabelSelectorAttributes: { numbers: 'rawSelector requirements' },
  LocalSubjectAccessReview: { numbers: 'metadata spec status' },
  NonResourceAttributes: { numbers: 'path verb' },
  NonResourceRule: { numbers: 'verbs nonResourceURLs' },
  ResourceAttributes: {
    numbers: 'namespace verb group version resource subresource name fieldSelector labelSelector',
  },
  ResourceRule: { numbers: 'verbs apiGroups resources resourceNames' },
  SelfSubjectAccessReview: { numbers: 'metadata spec status' },
  SelfSubjectAccessReviewSpec: { numbers: 'resourceAttributes nonResourceAttributes' },
  SelfSubjectRulesReview: { numbers: 'metadata spec status' },
  SelfSubjectRulesReviewSpec: { numbers: 'namespace' },
  SubjectAccessReview: { numbers: 'metadata spec status' },
  SubjectAccessReviewSpec: { numbers: 'resourceAttributes nonResourceAttributes user groups extra uid' },
  SubjectAccessReviewStatus: { numbers: 'allowed reason evaluationError denied' },
  SubjectRulesReviewStatus: { numbers: 'resourceRules nonResourceRules incomplete evaluationError' },
});
